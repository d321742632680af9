/* What the planner makes of a graph: fusion where it may, algorithms as asked for, the same numbers
 * either way.
 * SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "planned.h"

static const char *const algorithms[] = {NULL, "plain", "vector", "clblast"};
enum { ALGORITHMS = 4 };

typedef struct suite {
    tpp_device *device;
    tpp_store *store;
    numbers source;
} suite;

static int open_suite(void **state)
{
    static suite s;
    s.source.seed = 1;
    *state = &s;
    if (unit_open_device((void **)&s.device) != 0) return -1;
    return tpp_store_open(&s.store, s.device, give_numbers, &s.source) == TPP_OK ? 0 : -1;
}

static int close_suite(void **state)
{
    const suite *s = *state;
    tpp_store_close(s->store);
    tpp_device_close(s->device);
    return 0;
}

static tpp_graph *open_graph(void)
{
    tpp_graph *g = NULL;
    UNIT_OK(tpp_graph_open(&g));
    return g;
}

static int act_of(const tpp_plan_node *n)
{
    int act = 0;
    memcpy(&act, n->info.attr, sizeof(act));
    return act;
}

/* ---- graphs: each names its result y ---- */

typedef void record_graph(tpp_graph *g);

static tpp_map conv_bn(tpp_graph *g, tpp_map x)
{
    x = tpp_conv2d(g, x, "conv", (tpp_conv){.cout = 24, .kernel = 3, .stride = 1, .pad = 1});
    return tpp_frozen_bn(g, x, "bn");
}

static tpp_map map_input(tpp_graph *g)
{
    return (tpp_map){tpp_input(g, "x", TPP_F32, TPP_SHAPE(1, 80, 16)), 8, 10};
}

static void record_conv_bn_relu(tpp_graph *g)
{
    tpp_output(g, "y", tpp_activate(g, conv_bn(g, map_input(g)).v, TPP_ACT_RELU));
}

static void record_conv_bn_residual_relu(tpp_graph *g)
{
    const tpp_map x = map_input(g);
    const tpp_value other =
        tpp_conv2d(g, x, "other", (tpp_conv){.cout = 24, .kernel = 1, .stride = 1}).v;
    tpp_output(g, "y", tpp_activate(g, tpp_add(g, conv_bn(g, x).v, other), TPP_ACT_RELU));
}

static void record_conv_marked(tpp_graph *g)
{
    tpp_map x = map_input(g);
    x = tpp_conv2d(g, x, "conv", (tpp_conv){.cout = 24, .kernel = 3, .stride = 1, .pad = 1});
    tpp_mark(g, x.height, x.width, x.v, "before");
    tpp_output(g, "y", tpp_activate(g, tpp_frozen_bn(g, x, "bn").v, TPP_ACT_RELU));
}

static tpp_value rows_input(tpp_graph *g, const char *name)
{
    return tpp_input(g, name, TPP_F32, TPP_SHAPE(1, 40, 32));
}

static void record_gemm_residual(tpp_graph *g)
{
    const tpp_value x = rows_input(g, "x");
    tpp_output(g, "y", tpp_add(g, x, tpp_linear(g, x, "linear", 32)));
}

static void record_gemm_act(tpp_graph *g)
{
    tpp_output(g, "y",
               tpp_activate(g, tpp_linear(g, rows_input(g, "x"), "wide", 48), TPP_ACT_GELU));
}

static void record_addend(tpp_graph *g)
{
    const tpp_value sum = tpp_add(g, rows_input(g, "x"), rows_input(g, "pos"));
    const tpp_value both[] = {tpp_linear(g, sum, "a", 48), tpp_linear(g, sum, "b", 48)};
    tpp_output(g, "y", tpp_concat(g, 2, 2, both));
}

static void record_addend_read_twice(tpp_graph *g)
{
    const tpp_value sum = tpp_add(g, rows_input(g, "x"), rows_input(g, "pos"));
    const tpp_value both[] = {tpp_linear(g, sum, "a", 32), sum};
    tpp_output(g, "y", tpp_concat(g, 2, 2, both));
}

static void record_two_readers(tpp_graph *g)
{
    const tpp_value h = tpp_linear(g, rows_input(g, "x"), "linear", 32);
    const tpp_value both[] = {tpp_activate(g, h, TPP_ACT_RELU), tpp_activate(g, h, TPP_ACT_TANH)};
    tpp_output(g, "y", tpp_concat(g, 2, 2, both));
}

static void record_doubled(tpp_graph *g)
{
    const tpp_value h = tpp_linear(g, rows_input(g, "x"), "linear", 32);
    tpp_output(g, "y", tpp_add(g, h, h));
}

static void record_through_reshape(tpp_graph *g)
{
    const tpp_value h = tpp_linear(g, rows_input(g, "x"), "linear", 32);
    tpp_output(g, "y", tpp_activate(g, tpp_reshape(g, h, TPP_SHAPE(1280)), TPP_ACT_RELU));
}

static void record_act_then_residual(tpp_graph *g)
{
    const tpp_value x = rows_input(g, "x");
    const tpp_value h = tpp_activate(g, tpp_linear(g, x, "linear", 32), TPP_ACT_RELU);
    tpp_output(g, "y", tpp_add(g, h, x));
}

/* Two convolutions whose weights are slices of one parameter, each followed by a normalisation. */
static void record_computed_weights(tpp_graph *g)
{
    const tpp_map x = map_input(g);
    const tpp_conv c = {.cout = 24, .kernel = 3, .stride = 1, .pad = 1};
    const tpp_value all = tpp_param(g, "two.weight", TPP_SHAPE(48, 16, 3, 3));
    tpp_value both[2];
    for (int i = 0; i < 2; i++) {
        const tpp_value w = tpp_slice(g, all, 0, 24 * i, 24);
        both[i] = tpp_frozen_bn(g, tpp_conv2d_with(g, x, w, TPP_NONE, c), "bn").v;
    }
    tpp_output(g, "y", tpp_concat(g, 2, 2, both));
}

/* A sum that repeats a shorter operand, on either side. */
static void record_repeated_residual(tpp_graph *g)
{
    const tpp_value x = rows_input(g, "x");
    const tpp_value row = tpp_linear(g, tpp_input(g, "one", TPP_F32, TPP_SHAPE(1, 20)), "row", 32);
    tpp_output(g, "y", tpp_add(g, tpp_linear(g, x, "linear", 32), row));
}

/* Two parts of a sum: the first starts where any device lets a sub-buffer start (1024 bytes; an
 * OpenCL device asks for 4096 bits at most in practice), the second in the middle of a vector. */
static void record_slices(tpp_graph *g)
{
    const tpp_value x = tpp_activate(g, rows_input(g, "x"), TPP_ACT_TANH);
    const tpp_value one = tpp_activate(g, tpp_slice(g, x, 1, 8, 24), TPP_ACT_SIGMOID);
    const tpp_value flat = tpp_reshape(g, x, TPP_SHAPE(1280));
    const tpp_value two = tpp_slice(g, flat, 0, 33, 24 * 32);
    tpp_output(g, "y", tpp_mul(g, one, tpp_reshape(g, two, TPP_SHAPE(1, 24, 32))));
}

/* Of columns: their rows lie apart. */
static void record_slice_of_columns(tpp_graph *g)
{
    const tpp_value x = tpp_activate(g, rows_input(g, "x"), TPP_ACT_TANH);
    tpp_output(g, "y", tpp_activate(g, tpp_slice(g, x, 2, 0, 16), TPP_ACT_SIGMOID));
}

/* The first operand is read elsewhere too, through a reshape; a slice is written to its place. */
static void record_concat(tpp_graph *g)
{
    const tpp_value x = rows_input(g, "x");
    const tpp_value a = tpp_reshape(g, tpp_activate(g, x, TPP_ACT_TANH), TPP_SHAPE(1280));
    const tpp_value b = tpp_slice(g, tpp_reshape(g, x, TPP_SHAPE(1280)), 0, 256, 512);
    const tpp_value c = tpp_activate(g, a, TPP_ACT_SIGMOID);
    const tpp_value all = tpp_concat(g, 0, 3, (tpp_value[]){a, b, c});
    tpp_output(g, "y", tpp_activate(g, all, TPP_ACT_TANH));
}

/* An input, and an operand that comes twice, have their own place. */
static void record_concat_of_inputs(tpp_graph *g)
{
    const tpp_value x = rows_input(g, "x"), a = tpp_activate(g, x, TPP_ACT_TANH);
    const tpp_value one = tpp_concat(g, 1, 2, (tpp_value[]){a, x});
    const tpp_value two = tpp_concat(g, 1, 2, (tpp_value[]){one, one});
    tpp_output(g, "y", tpp_activate(g, two, TPP_ACT_TANH));
}

/* A kept mark lies by itself; an output that is joined of parts is written part by part. */
static void record_marked_slice(tpp_graph *g)
{
    const tpp_value x = tpp_activate(g, rows_input(g, "x"), TPP_ACT_TANH);
    const tpp_value part = tpp_slice(g, x, 1, 8, 24);
    tpp_mark(g, 0, 0, part, "part");
    const tpp_value both[] = {tpp_activate(g, x, TPP_ACT_SIGMOID),
                              tpp_activate(g, part, TPP_ACT_SIGMOID)};
    tpp_output(g, "y", tpp_concat(g, 1, 2, both));
}

/* Projections of the same rows, 512 bytes wide: they start where most devices let a sub-buffer
 * start. */
static tpp_value projected(tpp_graph *g, tpp_value x, const char *prefix)
{
    return tpp_linear(g, x, prefix, 128);
}

static tpp_value attended(tpp_graph *g, tpp_value q, tpp_value k, tpp_value v)
{
    const tpp_attention_attr attr = {.heads = 4, .scale = 0.17f};
    return tpp_attention(g, q, k, v, TPP_NONE, TPP_NONE, attr);
}

static void record_projections(tpp_graph *g)
{
    const tpp_value x = rows_input(g, "x");
    tpp_output(g, "y",
               attended(g, projected(g, x, "q"), projected(g, x, "k"), projected(g, x, "v")));
}

/* Queries and keys are of a sum, values are not; another reader of the queries wants whole rows. */
static void record_projections_apart(tpp_graph *g)
{
    const tpp_value x = rows_input(g, "x"), z = tpp_add(g, x, rows_input(g, "pos"));
    const tpp_value q = projected(g, z, "q"), v = projected(g, x, "v");
    const tpp_value y = attended(g, q, projected(g, z, "k"), v);
    tpp_output(g, "y", tpp_mul(g, y, tpp_activate(g, q, TPP_ACT_TANH)));
}

/* Columns of one row lie side by side: anybody may read them. */
static void record_projections_of_a_row(tpp_graph *g)
{
    const tpp_value x = tpp_input(g, "x", TPP_F32, TPP_SHAPE(1, 32));
    const tpp_value a = tpp_activate(g, projected(g, x, "q"), TPP_ACT_RELU);
    const tpp_value b = tpp_activate(g, projected(g, x, "k"), TPP_ACT_RELU);
    const tpp_value c = projected(g, x, "v");
    tpp_output(g, "y", tpp_mul(g, tpp_mul(g, a, b), c));
}

/* The norm of a sum: all of it is one product. What follows the norm is none of it. */
static void record_norm(tpp_graph *g)
{
    const tpp_value x = rows_input(g, "x");
    const tpp_value sum = tpp_add(g, x, tpp_linear(g, x, "linear", 32));
    tpp_output(g, "y", tpp_activate(g, tpp_layernorm(g, sum, "norm", 1e-5f), TPP_ACT_TANH));
}

/* Rows enough for all compute units. */
static void record_norm_of_ffn(tpp_graph *g)
{
    const tpp_value x = tpp_input(g, "x", TPP_F32, TPP_SHAPE(1, 2000, 32));
    const tpp_value h = tpp_ffn(g, x, "linear1", "linear2", 64, TPP_ACT_GELU);
    tpp_output(g, "y", tpp_layernorm(g, h, "norm", 1e-5f));
}

/* Who else reads what is normed finds it as it was. */
static void record_norm_of_a_read_sum(tpp_graph *g)
{
    const tpp_value x = rows_input(g, "x"), h = tpp_linear(g, x, "linear", 32);
    tpp_output(g, "y", tpp_mul(g, h, tpp_layernorm(g, h, "norm", 1e-5f)));
}

typedef struct fusion {
    const char *name;
    record_graph *record;
    bool keep_marks;
    int nodes; /* that run with the registry's own choice, packing aside */
} fusion;

static const fusion fusions[] = {
    {"conv+bn+relu", record_conv_bn_relu, false, 1},
    {"conv+bn+residual+relu", record_conv_bn_residual_relu, false, 2},
    {"conv marked, marks dropped", record_conv_marked, false, 1},
    {"conv marked, marks kept", record_conv_marked, true, 3},
    {"gemm+residual", record_gemm_residual, false, 1},
    {"gemm+gelu", record_gemm_act, false, 1},
    {"addend", record_addend, false, 3},
    {"addend that others read", record_addend_read_twice, false, 3},
    {"two readers", record_two_readers, false, 4},
    {"doubled", record_doubled, false, 2},
    {"through a reshape", record_through_reshape, false, 2},
    {"activation, then residual", record_act_then_residual, false, 2},
    {"computed weights", record_computed_weights, false, 3},
    {"repeated residual", record_repeated_residual, false, 2},
    {"slices", record_slices, false, 4},
    {"slice of columns", record_slice_of_columns, false, 3},
    {"concat", record_concat, false, 4},
    {"concat of inputs", record_concat_of_inputs, false, 4},
    {"slice marked, marks dropped", record_marked_slice, false, 3},
    {"slice marked, marks kept", record_marked_slice, true, 4},
    {"projections", record_projections, false, 2},
    {"norm", record_norm, false, 2},
    {"norm of ffn", record_norm_of_ffn, false, 1},
    {"norm of a sum that is read", record_norm_of_a_read_sum, false, 3},
    {"projections apart", record_projections_apart, false, 6},
    {"projections of a row", record_projections_of_a_row, false, 4},
};
enum { FUSIONS = sizeof(fusions) / sizeof(fusions[0]) };

static planned plan_case(const suite *s, const fusion *f, const char *algorithm, bool no_fusion)
{
    tpp_graph *g = open_graph();
    f->record(g);
    return plan_graph(g, s->store,
                      &(tpp_plan_options){.name = f->name,
                                          .algorithm = algorithm,
                                          .keep_marks = f->keep_marks,
                                          .no_fusion = no_fusion});
}

static void nodes_are_merged_where_they_may_be(void **state)
{
    const suite *s = *state;
    if (!tpp_device_caps(s->device)->is_cpu)
        skip(); /* there the first choice takes all epilogues */
    for (int i = 0; i < FUSIONS; i++) {
        planned p = plan_case(s, &fusions[i], NULL, false);
        const int nodes = count_nodes(p.plan, NULL) - count_nodes(p.plan, "pack");
        if (nodes != fusions[i].nodes)
            fail_msg("%s: %d nodes, wanted %d", fusions[i].name, nodes, fusions[i].nodes);
        planned_close(&p);
    }
}

static void merged_nodes_hold_what_they_swallowed(void **state)
{
    const suite *s = *state;
    if (!tpp_device_caps(s->device)->is_cpu) skip();
    planned p = plan_case(s, &fusions[0], NULL, false);
    const tpp_plan_node *n = only_node(p.plan, "conv2d");
    assert_int_equal(act_of(n), TPP_ACT_RELU);
    assert_true(n->info.in[TPP_GEMM_BIAS] >= 0); /* of the folded normalisation */
    planned_close(&p);
    p = plan_case(s, &fusions[4], NULL, false);
    assert_true(only_node(p.plan, "gemm")->info.in[TPP_GEMM_RESIDUAL] >= 0);
    planned_close(&p);
    p = plan_case(s, &fusions[6], NULL, false);
    assert_int_equal(count_nodes(p.plan, "gemm"), 2);
    assert_int_equal(count_nodes(p.plan, "binary"), 0);
    planned_close(&p);
}

static void an_unfused_plan_runs_every_node(void **state)
{
    const suite *s = *state;
    planned p = plan_case(s, &fusions[1], "plain", true);
    assert_int_equal(count_nodes(p.plan, "conv2d"), 2);
    assert_int_equal(count_nodes(p.plan, "frozen_bn"), 1);
    assert_int_equal(count_nodes(p.plan, "binary"), 1);
    assert_int_equal(count_nodes(p.plan, "activate"), 1);
    assert_int_equal(count_nodes(p.plan, NULL), 5);
    planned_close(&p);
}

static void fusion_does_not_change_results(void **state)
{
    const suite *s = *state;
    for (int i = 0; i < FUSIONS; i++) {
        size_t n = 0, m = 0;
        planned plain = plan_case(s, &fusions[i], "plain", true);
        float *want = run_for(plain.plan, "y", &n);
        for (int a = 0; a < ALGORITHMS; a++) {
            planned p = plan_case(s, &fusions[i], algorithms[a], false);
            float *got = run_for(p.plan, "y", &m);
            assert_int_equal(n, m);
            const double d = difference(got, want, n);
            if (d > 1e-5)
                fail_msg("%s with %s: off by %g", fusions[i].name,
                         algorithms[a] != NULL ? algorithms[a] : "its own choice", d);
            tpp_free(got);
            planned_close(&p);
        }
        tpp_free(want);
        planned_close(&plain);
    }
}

/* ---- what is kept ---- */

static void a_kept_mark_holds_what_was_computed(void **state)
{
    const suite *s = *state;
    size_t n = 0, bytes = 0;
    tpp_plan_result r;
    planned kept = plan_case(s, &fusions[3], NULL, false),
            all = plan_case(s, &fusions[3], NULL, true);
    tpp_free(run_for(kept.plan, "y", &n));
    tpp_free(run_for(all.plan, "y", &n));
    float *a = read_bytes(kept.plan, "before", &bytes), *b = read_bytes(all.plan, "before", &bytes);
    assert_true(difference(a, b, bytes / sizeof(float)) <= 1e-5);
    bool seen = false;
    for (int i = 0; tpp_plan_result_at(kept.plan, i, &r); i++)
        if (r.is_mark) seen = strcmp(r.name, "before") == 0 && r.height == 8 && r.width == 10;
    assert_true(seen);
    tpp_free(a);
    tpp_free(b);
    planned_close(&kept);
    planned_close(&all);
    planned dropped = plan_case(s, &fusions[2], NULL, false);
    assert_null(tpp_plan_buffer(dropped.plan, "before", NULL, NULL));
    planned_close(&dropped);
}

static void an_output_in_the_middle_is_not_merged_away(void **state)
{
    const suite *s = *state;
    size_t n = 0;
    tpp_graph *g = open_graph();
    const tpp_value h = tpp_linear(g, rows_input(g, "x"), "linear", 32);
    tpp_output(g, "h", h);
    tpp_output(g, "y", tpp_activate(g, h, TPP_ACT_RELU));
    planned p = plan_graph(g, s->store, &(tpp_plan_options){.name = "middle"});
    float *y = run_for(p.plan, "y", &n), *before = read_bytes(p.plan, "h", &n);
    int negative = 0;
    for (size_t i = 0; i < n / sizeof(float); i++) {
        negative += before[i] < 0;
        assert_true(y[i] == (before[i] > 0 ? before[i] : 0));
    }
    assert_true(negative > 0);
    tpp_free(y);
    tpp_free(before);
    planned_close(&p);
}

static void what_nothing_reads_is_not_run(void **state)
{
    const suite *s = *state;
    tpp_graph *g = open_graph();
    const tpp_value x = rows_input(g, "x");
    (void)tpp_activate(g, tpp_linear(g, x, "unused", 64), TPP_ACT_RELU);
    tpp_output(g, "y", tpp_activate(g, x, TPP_ACT_TANH));
    const int asked = s->source.asked;
    planned p = plan_graph(g, s->store, &(tpp_plan_options){.name = "dead"});
    assert_int_equal(count_nodes(p.plan, NULL), 1);
    assert_int_equal(s->source.asked, asked); /* nor are its weights loaded */
    planned_close(&p);
}

static void inputs_parameters_and_constants_may_be_outputs(void **state)
{
    const suite *s = *state;
    static const float data[3] = {1, 2, 3};
    tpp_graph *g = open_graph();
    const tpp_value x = tpp_input(g, "x", TPP_F32, TPP_SHAPE(2, 3));
    const tpp_value c = tpp_constant(g, "numbers", TPP_F32, TPP_SHAPE(3), data);
    tpp_output(g, "same", tpp_reshape(g, x, TPP_SHAPE(6)));
    tpp_output(g, "constant", c);
    tpp_output(g, "doubled", tpp_add(g, c, c));
    tpp_output(g, "weights", tpp_param(g, "linear.weight", TPP_SHAPE(32, 32)));
    planned p = plan_graph(g, s->store, &(tpp_plan_options){.name = "leaves"});
    size_t n = 0, bytes = 0;
    float *x6 = run_for(p.plan, "same", &n), *input = read_bytes(p.plan, "x", &bytes);
    assert_int_equal(n, 6);
    assert_memory_equal(x6, input, bytes);
    float *known = read_bytes(p.plan, "constant", &bytes);
    assert_memory_equal(known, data, sizeof(data));
    float *twice = read_bytes(p.plan, "doubled", &bytes),
          *w = read_bytes(p.plan, "weights", &bytes);
    for (int i = 0; i < 3; i++) assert_true(twice[i] == 2 * data[i]);
    assert_true(w[0] ==
                (float)(tpp_synth_value(tpp_synth_key("linear.weight", 1), 0) * sqrt(3.0 / 32)));
    assert_int_equal(count_nodes(p.plan, NULL), 0); /* what is constant is computed once */
    tpp_free(x6);
    tpp_free(input);
    tpp_free(known);
    tpp_free(twice);
    tpp_free(w);
    planned_close(&p);
}

/* ---- algorithms ---- */

static void record_mixed(tpp_graph *g)
{
    const tpp_value many = tpp_linear(g, rows_input(g, "x"), "many", 64);
    const tpp_value few = tpp_linear(g, tpp_input(g, "f", TPP_F32, TPP_SHAPE(1, 4, 32)), "few", 64);
    tpp_output(g, "many", many);
    tpp_output(g, "few", few);
    tpp_output(g, "norm", tpp_layernorm(g, rows_input(g, "x"), "norm", 1e-5f));
}

static const tpp_plan_node *gemm_of_rows(const tpp_plan *p, int64_t rows)
{
    for (int at = 0; at < p->n_order; at++) {
        const tpp_plan_node *n = &p->node[p->order[at]];
        if (!n->constant && n->info.op == &tpp_op_gemm &&
            tpp_shape_rows(&p->value[n->info.out[0]].info.shape) == rows)
            return n;
    }
    fail_msg("no product of %d rows", (int)rows);
    return NULL;
}

static void a_wanted_algorithm_is_taken_where_it_can_be(void **state)
{
    const suite *s = *state;
    const bool clblast = !tpp_device_caps(s->device)->no_clblast;
    for (int a = 0; a < ALGORITHMS; a++) {
        tpp_graph *g = open_graph();
        record_mixed(g);
        planned p = plan_graph(g, s->store,
                               &(tpp_plan_options){.name = "mixed", .algorithm = algorithms[a]});
        const char *many = gemm_of_rows(p.plan, 40)->algorithm->name,
                   *few = gemm_of_rows(p.plan, 4)->algorithm->name,
                   *norm = only_node(p.plan, "layernorm")->algorithm->name;
        if (algorithms[a] == NULL) {
            planned_close(&p);
            continue;
        }
        if (strcmp(algorithms[a], "clblast") == 0) {
            if (clblast) assert_string_equal(many, "clblast");
            assert_string_not_equal(few, "clblast");  /* too few rows for it */
            assert_string_not_equal(norm, "clblast"); /* has none */
        } else {
            assert_string_equal(many, algorithms[a]);
            assert_string_equal(few, algorithms[a]);
            assert_string_equal(norm, algorithms[a]);
        }
        planned_close(&p);
    }
}

static void an_unknown_algorithm_leaves_the_choice_as_it_is(void **state)
{
    const suite *s = *state;
    planned own = plan_case(s, &fusions[1], NULL, false),
            unknown = plan_case(s, &fusions[1], "quantum", false);
    assert_int_equal(own.plan->n_order, unknown.plan->n_order);
    for (int at = 0; at < own.plan->n_order; at++)
        assert_ptr_equal(own.plan->node[own.plan->order[at]].algorithm,
                         unknown.plan->node[unknown.plan->order[at]].algorithm);
    planned_close(&own);
    planned_close(&unknown);
}

/* Of x, read by the last node, an early result may not take the place; the last result may not
 * while it is computed of x, and what comes of that may. */
static void a_result_may_take_the_place_of_what_was_read(void **state)
{
    enum { N = 64 };
    static const char *const names[] = {"early", "late", "last"};
    const suite *s = *state;
    tpp_graph *g = open_graph();
    tpp_plan *p = NULL;
    tpp_buffer *arena = NULL, *place = NULL;
    float x[N], got[N];
    const tpp_value in = tpp_input(g, "x", TPP_F32, TPP_SHAPE(N));
    const tpp_value early = tpp_activate(g, in, TPP_ACT_RELU);
    const tpp_value late = tpp_mul(g, early, in), last = tpp_activate(g, late, TPP_ACT_RELU);
    const tpp_value results[] = {early, late, last};
    for (int i = 0; i < 3; i++) tpp_output(g, names[i], results[i]);
    UNIT_OK(tpp_plan_open(&p, g, s->store, &(tpp_plan_options){.name = "places"}));
    tpp_graph_close(g);
    UNIT_OK(tpp_buffer_open(&place, s->device, sizeof(x)));
    UNIT_OK(tpp_plan_bind(p, "x", place));
    for (int i = 0; i < 3; i++) UNIT_OK(tpp_plan_bind_output(p, names[i], place));
    assert_ptr_not_equal(tpp_plan_buffer(p, "early", NULL, NULL), place);
    assert_ptr_not_equal(tpp_plan_buffer(p, "late", NULL, NULL), place);
    assert_ptr_equal(tpp_plan_buffer(p, "last", NULL, NULL), place);
    UNIT_OK(tpp_buffer_open(&arena, s->device, tpp_plan_arena_bytes(p) + 4));
    UNIT_OK(tpp_plan_record(p, arena));
    UNIT_OK(tpp_plan_copy_out(p, "last", place)); /* nothing to do */
    assert_int_equal(tpp_plan_launches(p), 3);
    for (int i = 0; i < N; i++) x[i] = (float)(i - 20);
    UNIT_OK(tpp_buffer_write(place, 0, x, sizeof(x)));
    UNIT_OK(tpp_plan_run(p));
    UNIT_OK(tpp_device_finish(s->device));
    UNIT_OK(tpp_buffer_read(place, 0, got, sizeof(got)));
    for (int i = 0; i < N; i++) assert_true(got[i] == (x[i] > 0 ? x[i] * x[i] : 0));
    tpp_plan_close(p);
    tpp_buffer_close(arena);
    tpp_buffer_close(place);
}

static void a_copy_to_where_the_original_lies_is_not_run(void **state)
{
    const suite *s = *state;
    const tpp_copy_attr attr = {0};
    tpp_graph *g = open_graph();
    tpp_plan *p = NULL;
    tpp_buffer *place = NULL;
    tpp_value same[TPP_MAX_OUT];
    const tpp_value in = tpp_input(g, "x", TPP_F32, TPP_SHAPE(64));
    UNIT_OK(tpp_node(g, "copy", &attr, 1, &in, same));
    tpp_output(g, "same", same[0]);
    UNIT_OK(tpp_plan_open(&p, g, s->store, &(tpp_plan_options){.name = "copy"}));
    tpp_graph_close(g);
    UNIT_OK(tpp_buffer_open(&place, s->device, 64 * sizeof(float)));
    UNIT_OK(tpp_plan_bind(p, "x", place));
    UNIT_OK(tpp_plan_bind_output(p, "same", place));
    UNIT_OK(tpp_plan_record(p, NULL));
    assert_int_equal(tpp_plan_launches(p), 0);
    assert_ptr_equal(tpp_plan_buffer(p, "same", NULL, NULL), place);
    tpp_plan_close(p);
    tpp_buffer_close(place);
}

static void a_plan_can_be_printed_and_profiled(void **state)
{
    const suite *s = *state;
    planned p = plan_case(s, &fusions[1], NULL, false);
    double *ms = tpp_calloc((size_t)tpp_plan_nodes(p.plan), sizeof(*ms));
    char *text = NULL;
    size_t size = 0;
    UNIT_OK(tpp_plan_profile(p.plan, ms));
    FILE *f = open_memstream(&text, &size);
    assert_non_null(f);
    const tpp_peaks peaks = {.gflops = 1e-3, .copy_gbs = 1e6}; /* arithmetic is what limits */
    tpp_plan_print(p.plan, f, ms, &peaks);
    (void)fclose(f);
    assert_non_null(strstr(text, "plan conv+bn+residual+relu on "));
    assert_non_null(strstr(text, "+residual+relu"));
    assert_non_null(strstr(text, "[1,80,24]"));
    assert_non_null(strstr(text, "output"));
    assert_non_null(strstr(text, " fma "));
    assert_null(strstr(text, " copy  "));
    double total = 0, speed = 0, share = 0;
    const char *line = strstr(text, "total ");
    assert_non_null(line);
    assert_int_equal(sscanf(line, "total %lf ms, %lf GFLOP/s (%lf %%", &total, &speed, &share), 3);
    assert_true(total > 0 && fabs(share - speed / 1e-3 * 100) < 0.1 * share);
    const char *floor_text = strstr(line, "floor ");
    assert_non_null(floor_text);
    const double floor_ms = strtod(floor_text + strlen("floor "), NULL);
    const double wanted_ms = tpp_plan_flops(p.plan) * 1e-6 / peaks.gflops;
    assert_true(fabs(floor_ms - wanted_ms) < 1e-3 * wanted_ms);
    const double flops = 80.0 * 24 * 2 * (16 * 9 + 16); /* a multiply-add is two */
    assert_true(fabs(tpp_plan_flops(p.plan) - flops) < 0.05 * flops);
    free(text);
    tpp_free(ms);
    planned_close(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nodes_are_merged_where_they_may_be),
        cmocka_unit_test(merged_nodes_hold_what_they_swallowed),
        cmocka_unit_test(an_unfused_plan_runs_every_node),
        cmocka_unit_test(fusion_does_not_change_results),
        cmocka_unit_test(a_kept_mark_holds_what_was_computed),
        cmocka_unit_test(an_output_in_the_middle_is_not_merged_away),
        cmocka_unit_test(what_nothing_reads_is_not_run),
        cmocka_unit_test(inputs_parameters_and_constants_may_be_outputs),
        cmocka_unit_test(a_wanted_algorithm_is_taken_where_it_can_be),
        cmocka_unit_test(an_unknown_algorithm_leaves_the_choice_as_it_is),
        cmocka_unit_test(a_result_may_take_the_place_of_what_was_read),
        cmocka_unit_test(a_copy_to_where_the_original_lies_is_not_run),
        cmocka_unit_test(a_plan_can_be_printed_and_profiled),
    };
    return cmocka_run_group_tests_name("nn.plan", tests, open_suite, close_suite);
}
