/* Recording graphs: shapes are checked as they grow, the first failure stays and names what it is
 * about.
 * SPDX-License-Identifier: MIT */
#include "nn/graph_internal.h"
#include "unit.h"

static tpp_graph *open_graph(void)
{
    tpp_graph *g = NULL;
    UNIT_OK(tpp_graph_open(&g));
    return g;
}

/* The graph failed with `status`, and the message of that failure holds `fact`. */
static void assert_failed(tpp_graph *g, tpp_status status, const char *fact)
{
    assert_int_equal(tpp_graph_status(g), status);
    if (strstr(tpp_error(), fact) == NULL) fail_msg("\"%s\" is not in: %s", fact, tpp_error());
    tpp_graph_close(g);
}

static void the_first_failure_stays(void **state)
{
    (void)state;
    tpp_graph *g = open_graph();
    const tpp_value x = tpp_input(g, "x", TPP_F32, TPP_SHAPE(2, 8));
    const tpp_value bad = tpp_gemm(g, x, tpp_param(g, "w", TPP_SHAPE(4, 9)), TPP_NONE);
    assert_int_equal(bad, TPP_NONE);
    assert_int_equal(tpp_graph_status(g), TPP_ESHAPE);
    char said[256];
    (void)snprintf(said, sizeof(said), "%s", tpp_error());
    assert_non_null(strstr(said, "gemm"));
    const int values = g->n_values, nodes = g->n_nodes;
    /* Nothing that follows changes the graph, its status, or what was said. */
    assert_int_equal(tpp_activate(g, bad, TPP_ACT_RELU), TPP_NONE);
    assert_int_equal(tpp_linear(g, x, "again", 4), TPP_NONE);
    assert_int_equal(tpp_input(g, "y", TPP_F32, TPP_SHAPE(1)), TPP_NONE);
    assert_int_equal(tpp_reshape(g, x, TPP_SHAPE(16)), TPP_NONE);
    assert_int_equal(tpp_concat(g, 0, 2, (tpp_value[]){x, x}), TPP_NONE);
    assert_int_equal(tpp_slice(g, x, 0, 0, 1), TPP_NONE);
    assert_int_equal(tpp_graph_fail(g, TPP_EIO, "later"), TPP_NONE);
    assert_int_equal(tpp_graph_named(g, "none"), TPP_NONE);
    tpp_output(g, "bad", bad);
    assert_int_equal(tpp_graph_status(g), TPP_ESHAPE);
    assert_string_equal(tpp_error(), said);
    assert_int_equal(g->n_values, values);
    assert_int_equal(g->n_nodes, nodes);
    assert_int_equal(g->n_named, 0);
    tpp_graph_close(g);
}

static void an_unknown_op_is_named(void **state)
{
    (void)state;
    tpp_graph *g = open_graph();
    tpp_value y = TPP_NONE;
    assert_int_equal(tpp_node(g, "convolve", NULL, 0, NULL, &y), TPP_EINTERNAL);
    assert_failed(g, TPP_EINTERNAL, "convolve");
}

static void operands_that_are_no_values_are_named(void **state)
{
    (void)state;
    const int wrong[] = {7, -2};
    for (int i = 0; i < 2; i++) {
        tpp_graph *g = open_graph();
        (void)tpp_activate(g, wrong[i], TPP_ACT_RELU);
        assert_failed(g, TPP_EINTERNAL, "activate: operand 0");
    }
    tpp_graph *g = open_graph();
    (void)tpp_activate(g, TPP_NONE, TPP_ACT_RELU);
    assert_failed(g, TPP_ESHAPE, "activate");
}

static void operands_of_the_wrong_type_are_named(void **state)
{
    (void)state;
    tpp_graph *g = open_graph();
    const tpp_value i = tpp_input(g, "ids", TPP_I32, TPP_SHAPE(4));
    (void)tpp_activate(g, i, TPP_ACT_RELU);
    assert_failed(g, TPP_ESHAPE, "activate: operand 0 is I32, F32 is wanted");
}

static void leaves_are_one_by_name(void **state)
{
    (void)state;
    tpp_graph *g = open_graph();
    const float data[2] = {1, 2};
    tpp_value known = TPP_NONE;
    const tpp_value p = tpp_param(g, "w", TPP_SHAPE(2)),
                    x = tpp_input(g, "w", TPP_F32, TPP_SHAPE(2)),
                    c = tpp_constant(g, "w", TPP_F32, TPP_SHAPE(2), data);
    assert_int_equal(tpp_param(g, "w", TPP_SHAPE(2)), p);
    assert_int_equal(tpp_input(g, "w", TPP_F32, TPP_SHAPE(2)), x);
    assert_int_equal(tpp_constant(g, "w", TPP_F32, TPP_SHAPE(2), data), c);
    assert_true(p != x && x != c && p != c); /* the three kinds have names of their own */
    assert_true(tpp_constant_known(g, "w", &known));
    assert_int_equal(known, c);
    assert_false(tpp_constant_known(g, "v", &known));
    assert_int_equal(tpp_graph_param_count(g), 1);
    tpp_shape shape;
    assert_string_equal(tpp_graph_param_at(g, 0, &shape), "w");
    assert_null(tpp_graph_param_at(g, 1, &shape));
    tpp_graph_close(g);
}

static void one_name_has_one_shape_and_type(void **state)
{
    (void)state;
    tpp_graph *g = open_graph();
    (void)tpp_param(g, "w", TPP_SHAPE(2, 3));
    (void)tpp_param(g, "w", TPP_SHAPE(3, 2));
    assert_failed(g, TPP_ESHAPE, "w is used with shapes [2,3] and [3,2]");
    g = open_graph();
    (void)tpp_input(g, "x", TPP_F32, TPP_SHAPE(2));
    (void)tpp_input(g, "x", TPP_I32, TPP_SHAPE(2));
    assert_failed(g, TPP_ESHAPE, "x is used as F32 and as I32");
}

static void tensors_that_cannot_be_indexed_are_refused(void **state)
{
    (void)state;
    const int64_t large = INT64_C(1) << 40;
    static const char *const said = "kernels index up to 2^31";
    tpp_graph *g = open_graph();
    (void)tpp_input(g, "x", TPP_F32, TPP_SHAPE(INT32_MAX));
    assert_failed(g, TPP_ESHAPE, said);
    g = open_graph();
    (void)tpp_input(g, "x", TPP_F32, TPP_SHAPE(large, large, large)); /* beyond 64 bits */
    assert_failed(g, TPP_ESHAPE, said);
    g = open_graph(); /* the result of an op, too */
    const tpp_value x = tpp_input(g, "x", TPP_F32, TPP_SHAPE(1 << 20, 1));
    (void)tpp_gemm(g, x, tpp_input(g, "w", TPP_F32, TPP_SHAPE(1 << 12, 1)), TPP_NONE);
    assert_failed(g, TPP_ESHAPE, said);
    const tpp_shape none[] = {TPP_SHAPE(0), TPP_SHAPE(4, 0), TPP_SHAPE(-1, -4)};
    for (int i = 0; i < 3; i++) {
        g = open_graph();
        (void)tpp_input(g, "x", TPP_F32, none[i]);
        assert_failed(g, TPP_ESHAPE, "axes are at least 1 long");
    }
}

static void reshapes_keep_their_count(void **state)
{
    (void)state;
    tpp_graph *g = open_graph();
    const tpp_value x = tpp_input(g, "x", TPP_F32, TPP_SHAPE(2, 6));
    const tpp_value y = tpp_reshape(g, x, TPP_SHAPE(3, 4)), z = tpp_reshape(g, y, TPP_SHAPE(12));
    assert_int_equal(tpp_value_root(g->value, z), x);
    const tpp_value s = tpp_stop_gradient(g, z);
    assert_true(g->value[s].stop && !g->value[z].stop);
    const tpp_shape shape = tpp_shape_of(g, s);
    assert_true(tpp_shape_equal(&shape, &TPP_SHAPE(12)));
    (void)tpp_reshape(g, y, TPP_SHAPE(5, 2));
    assert_failed(g, TPP_ESHAPE, "reshape: [3,4] does not fit into [5,2]");
}

static void slices_and_concatenations_stay_within_their_axes(void **state)
{
    (void)state;
    tpp_graph *g = open_graph();
    tpp_value x = tpp_input(g, "x", TPP_F32, TPP_SHAPE(4, 6));
    tpp_value parts[] = {tpp_slice(g, x, 1, 0, 2), tpp_slice(g, x, 1, 2, 4)};
    const tpp_shape whole = tpp_shape_of(g, tpp_concat(g, 1, 2, parts));
    UNIT_OK(tpp_graph_status(g));
    assert_true(tpp_shape_equal(&whole, &TPP_SHAPE(4, 6)));
    (void)tpp_slice(g, x, 1, 3, 4);
    assert_failed(g, TPP_ESHAPE, "slice");
    static const int axes[] = {-1, 2, 9};
    for (int i = 0; i < 3; i++) {
        g = open_graph();
        x = tpp_input(g, "x", TPP_F32, TPP_SHAPE(4, 6));
        (void)tpp_slice(g, x, axes[i], 0, 1);
        assert_failed(g, TPP_ESHAPE, "slice: axis");
        g = open_graph();
        x = tpp_input(g, "x", TPP_F32, TPP_SHAPE(4, 6));
        (void)tpp_concat(g, axes[i], 2, (tpp_value[]){x, x});
        assert_failed(g, TPP_ESHAPE, "concat: axis");
    }
    g = open_graph();
    x = tpp_input(g, "x", TPP_F32, TPP_SHAPE(4, 6));
    (void)tpp_concat(g, 0, 2, (tpp_value[]){x, TPP_NONE});
    assert_failed(g, TPP_ESHAPE, "part 1");
}

static void names_that_are_too_long_are_refused(void **state)
{
    (void)state;
    char name[600];
    memset(name, 'n', sizeof(name));
    name[sizeof(name) - 1] = '\0';
    tpp_graph *g = open_graph();
    (void)tpp_input(g, name, TPP_F32, TPP_SHAPE(1));
    assert_failed(g, TPP_EINTERNAL, "too long");
    g = open_graph();
    (void)tpp_linear(g, tpp_input(g, "x", TPP_F32, TPP_SHAPE(1, 2)), name, 2);
    assert_failed(g, TPP_EINTERNAL, "too long");
    g = open_graph();
    tpp_output(g, name, tpp_input(g, "x", TPP_F32, TPP_SHAPE(1)));
    assert_failed(g, TPP_EINTERNAL, "too long");
    g = open_graph();
    tpp_mark(g, 0, 0, tpp_input(g, "x", TPP_F32, TPP_SHAPE(1)), "%s", name);
    assert_failed(g, TPP_EINTERNAL, "too long");
}

static void outputs_are_found_by_name(void **state)
{
    (void)state;
    tpp_graph *g = open_graph();
    const tpp_value x = tpp_input(g, "x", TPP_F32, TPP_SHAPE(2));
    tpp_mark(g, 0, 0, x, "y%d", 1);
    tpp_output(g, "y", x);
    assert_int_equal(tpp_graph_named(g, "y"), x);
    assert_int_equal(tpp_graph_named(g, "y1"), TPP_NONE); /* a mark is no output */
    assert_failed(g, TPP_EINTERNAL, "no output is called y1");
}

static void constants_are_copied(void **state)
{
    (void)state;
    tpp_graph *g = open_graph();
    int32_t data[3] = {1, 2, 3};
    const tpp_value c = tpp_constant(g, "c", TPP_I32, TPP_SHAPE(3), data);
    data[1] = 9;
    assert_int_equal(((const int32_t *)g->value[c].data)[1], 2);
    tpp_graph_close(g);
}

static tpp_status record_some(tpp_graph *g)
{
    tpp_value x = tpp_input(g, "x", TPP_F32, TPP_SHAPE(4, 8));
    for (int i = 0; i < 70; i++) { /* beyond the arrays' first capacities */
        char name[16];
        (void)snprintf(name, sizeof(name), "layer%d", i);
        x = tpp_linear(g, x, name, 8);
        tpp_mark(g, 0, 0, x, "%s", name);
    }
    const float one[1] = {1};
    x = tpp_mul(g, tpp_reshape(g, x, TPP_SHAPE(32, 1)),
                tpp_constant(g, "one", TPP_F32, TPP_SHAPE(1, 1), one));
    tpp_output(g, "y", x);
    return tpp_graph_status(g);
}

static void recording_survives_any_failed_allocation(void **state)
{
    (void)state;
    int64_t n = 0;
    for (;; n++) {
        tpp_graph *g = NULL;
        tpp_alloc_fail_after(n);
        tpp_status s = tpp_graph_open(&g);
        if (s == TPP_OK) s = record_some(g);
        tpp_alloc_fail_after(-1);
        tpp_graph_close(g);
        if (s == TPP_OK) break;
        assert_int_equal(s, TPP_ENOMEM);
    }
    assert_true(n > 200);
    tpp_graph_close(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_failure_stays),
        cmocka_unit_test(an_unknown_op_is_named),
        cmocka_unit_test(operands_that_are_no_values_are_named),
        cmocka_unit_test(operands_of_the_wrong_type_are_named),
        cmocka_unit_test(leaves_are_one_by_name),
        cmocka_unit_test(one_name_has_one_shape_and_type),
        cmocka_unit_test(tensors_that_cannot_be_indexed_are_refused),
        cmocka_unit_test(reshapes_keep_their_count),
        cmocka_unit_test(slices_and_concatenations_stay_within_their_axes),
        cmocka_unit_test(names_that_are_too_long_are_refused),
        cmocka_unit_test(outputs_are_found_by_name),
        cmocka_unit_test(constants_are_copied),
        cmocka_unit_test(recording_survives_any_failed_allocation),
    };
    return cmocka_run_group_tests_name("nn.graph", tests, NULL, NULL);
}
