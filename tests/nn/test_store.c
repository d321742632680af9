/* Weights on the device: shared between plans, made again when the masters change, trimmed; and
 * what a plan refuses. SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "planned.h"

typedef struct fixture {
    tpp_device *device;
    tpp_store *store;
    numbers source;
} fixture;

static fixture f;

static int open_group(void **state)
{
    (void)state;
    return unit_open_device((void **)&f.device);
}

static int close_group(void **state)
{
    (void)state;
    tpp_device_close(f.device);
    return 0;
}

static int setup(void **state)
{
    (void)state;
    f.source = (numbers){.seed = 1};
    return tpp_store_open(&f.store, f.device, give_numbers, &f.source) == TPP_OK ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    tpp_store_close(f.store);
    return 0;
}

/* A small net with weights that are packed, folded and summed. */
static tpp_graph *build(int64_t batch)
{
    tpp_graph *g = NULL;
    UNIT_OK(tpp_graph_open(&g));
    tpp_map x = {tpp_input(g, "x", TPP_F32, TPP_SHAPE(batch, 35, 16)), 5, 7};
    x = tpp_conv2d(g, x, "conv", (tpp_conv){.cout = 24, .kernel = 3, .stride = 1, .pad = 1});
    x = tpp_frozen_bn(g, x, "bn");
    const tpp_value bias =
        tpp_add(g, tpp_param(g, "b1", TPP_SHAPE(40)), tpp_param(g, "b2", TPP_SHAPE(40)));
    tpp_output(g, "y",
               tpp_gemm(g, tpp_activate(g, x.v, TPP_ACT_RELU), tpp_param(g, "w", TPP_SHAPE(40, 24)),
                        bias));
    return g;
}

static planned plan_net(tpp_store *store, int64_t batch)
{
    return plan_graph(build(batch), store, &(tpp_plan_options){.name = "net"});
}

static void weights_are_shared_between_plans(void **state)
{
    (void)state;
    planned one = plan_net(f.store, 1);
    const int asked = f.source.asked;
    const size_t bytes = tpp_store_bytes(f.store), entries = f.store->entries.count;
    assert_int_equal(asked, 8); /* every parameter once */
    planned two = plan_net(f.store, 3);
    assert_int_equal(f.source.asked, asked);
    assert_int_equal(tpp_store_bytes(f.store), bytes);
    assert_int_equal(f.store->entries.count, entries);
    size_t n = 0, m = 0;
    float *a = run_for(one.plan, "y", &n), *b = run_for(two.plan, "y", &m);
    assert_int_equal(m, 3 * n); /* the first picture of both is the same */
    assert_true(difference(b, a, n) <= 1e-6);
    tpp_free(a);
    tpp_free(b);
    planned_close(&one);
    planned_close(&two);
}

static void masters_go_when_only_what_is_made_of_them_is_read(void **state)
{
    (void)state;
    planned p = plan_net(f.store, 1);
    int gone = 0;
    for (int v = 0; v < p.plan->n_values; v++) {
        const tpp_plan_value *x = &p.plan->value[v];
        if (x->info.kind != TPP_VALUE_PARAM || x->entry == NULL) continue;
        if (strncmp(x->info.name, "bn.", 3) == 0 || x->info.name[0] == 'b') {
            assert_null(x->entry->buffer);
            gone++;
        }
    }
    assert_int_equal(gone, 6);
    planned_close(&p);
    tpp_store_trim(f.store);
    assert_int_equal(tpp_store_bytes(f.store), 0); /* nobody reads anything any more */
    p = plan_net(f.store, 1);                      /* and all comes back */
    size_t n = 0;
    tpp_free(run_for(p.plan, "y", &n));
    planned_close(&p);
}

/* What a new store gives for this seed. */
static float *fresh_result(uint64_t seed, size_t *n)
{
    numbers source = {.seed = seed};
    tpp_store *store = NULL;
    UNIT_OK(tpp_store_open(&store, f.device, give_numbers, &source));
    planned p = plan_net(store, 2);
    float *y = run_for(p.plan, "y", n);
    planned_close(&p);
    tpp_store_close(store);
    return y;
}

static void changed_masters_are_derived_again(void **state)
{
    (void)state;
    size_t n = 0;
    planned p = plan_net(f.store, 2), other = plan_net(f.store, 2);
    float *before = run_for(p.plan, "y", &n), *want = fresh_result(9, &n);
    assert_true(difference(before, want, n) > 0.1);
    const size_t bytes = tpp_store_bytes(f.store);
    f.source.seed = 9;
    float *stale = run_for(p.plan, "y", &n);
    assert_memory_equal(stale, before, n * sizeof(float));
    UNIT_OK(tpp_store_touch(f.store));
    UNIT_OK(tpp_plan_refresh(p.plan));
    float *after = run_for(p.plan, "y", &n);
    assert_memory_equal(after, want, n * sizeof(float));
    const int asked = f.source.asked;
    UNIT_OK(tpp_plan_refresh(other.plan)); /* shares what was made */
    UNIT_OK(tpp_plan_refresh(p.plan));
    assert_int_equal(f.source.asked, asked);
    float *again = run_for(other.plan, "y", &n);
    assert_memory_equal(again, want, n * sizeof(float));
    assert_int_equal(tpp_store_bytes(f.store), bytes);
    tpp_free(before);
    tpp_free(stale);
    tpp_free(after);
    tpp_free(again);
    tpp_free(want);
    planned_close(&p);
    planned_close(&other);
}

static tpp_status refuse_w(void *context, const char *name, const tpp_shape *shape, float *out)
{
    if (strcmp(name, "w") == 0) return TPP_FAIL(TPP_EFORMAT, "model.safetensors: %s is torn", name);
    return give_numbers(context, name, shape, out);
}

static void a_parameter_that_cannot_be_had_ends_the_plan(void **state)
{
    (void)state;
    tpp_store *store = NULL;
    tpp_plan *p = NULL;
    UNIT_OK(tpp_store_open(&store, f.device, refuse_w, &f.source));
    tpp_graph *g = build(1);
    UNIT_FAILS(tpp_plan_open(&p, g, store, &(tpp_plan_options){.name = "net"}), TPP_EFORMAT,
               "model.safetensors: w is torn");
    assert_null(p);
    tpp_graph_close(g);
    tpp_store_trim(store);
    assert_int_equal(tpp_store_bytes(store), 0);
    tpp_store_close(store);
    tpp_store_close(NULL);
}

/* ---- what a plan refuses ---- */

static void bindings_are_checked(void **state)
{
    (void)state;
    tpp_plan *p = NULL;
    tpp_buffer *x = NULL, *small = NULL, *arena = NULL;
    tpp_graph *g = build(1);
    UNIT_OK(tpp_plan_open(&p, g, f.store, &(tpp_plan_options){.name = "net"}));
    tpp_graph_close(g);
    UNIT_OK(tpp_buffer_open(&x, f.device, 35 * 16 * 4));
    UNIT_OK(tpp_buffer_open(&small, f.device, 35 * 16 * 4 - 4));
    assert_true(tpp_plan_has_input(p, "x"));
    assert_false(tpp_plan_has_input(p, "y"));
    UNIT_FAILS(tpp_plan_bind(p, "z", x), TPP_EINTERNAL, "net has no input z");
    UNIT_FAILS(tpp_plan_bind(p, "y", x), TPP_EINTERNAL, "net has no input y");
    UNIT_FAILS(tpp_plan_bind(p, "x", small), TPP_EINTERNAL, "input x wants 2240 bytes");
    UNIT_OK(tpp_plan_bind(p, "x", x));
    assert_ptr_equal(tpp_plan_buffer(p, "x", NULL, NULL), x);
    UNIT_OK(tpp_buffer_open(&arena, f.device, tpp_plan_arena_bytes(p)));
    UNIT_OK(tpp_plan_record(p, arena));
    UNIT_FAILS(tpp_plan_bind(p, "x", x), TPP_EINTERNAL, "before it is recorded");
    tpp_plan_close(p);
    tpp_buffer_close(x);
    tpp_buffer_close(small);
    tpp_buffer_close(arena);
}

static void plans_are_recorded_once_into_enough_room_and_then_run(void **state)
{
    (void)state;
    tpp_plan *p = NULL;
    tpp_buffer *small = NULL, *arena = NULL;
    double ms[16] = {0};
    tpp_graph *g = build(1);
    UNIT_OK(tpp_plan_open(&p, g, f.store, &(tpp_plan_options){.name = "net"}));
    tpp_graph_close(g);
    assert_true(tpp_plan_arena_bytes(p) > 4 && tpp_plan_nodes(p) <= 16);
    UNIT_OK(tpp_buffer_open(&small, f.device, tpp_plan_arena_bytes(p) - 4));
    UNIT_OK(tpp_buffer_open(&arena, f.device, tpp_plan_arena_bytes(p)));
    UNIT_FAILS(tpp_plan_run(p), TPP_EINTERNAL, "net is not recorded");
    UNIT_FAILS(tpp_plan_profile(p, ms), TPP_EINTERNAL, "net is not recorded");
    UNIT_FAILS(tpp_plan_copy_out(p, "y", arena), TPP_EINTERNAL, "no recorded output y");
    UNIT_FAILS(tpp_plan_record(p, NULL), TPP_EINTERNAL, "the arena is too small");
    UNIT_FAILS(tpp_plan_record(p, small), TPP_EINTERNAL, "the arena is too small");
    UNIT_OK(tpp_plan_record(p, arena));
    UNIT_FAILS(tpp_plan_record(p, arena), TPP_EINTERNAL, "net is recorded");
    UNIT_FAILS(tpp_plan_copy_out(p, "z", arena), TPP_EINTERNAL, "no recorded output z");
    tpp_buffer_close(small);
    UNIT_OK(tpp_buffer_open(&small, f.device, 4));
    UNIT_FAILS(tpp_plan_copy_out(p, "y", small), TPP_EINTERNAL, "output y does not fit");
    UNIT_OK(tpp_plan_run(p));
    tpp_plan_close(p);
    tpp_buffer_close(small);
    tpp_buffer_close(arena);
    tpp_plan_close(NULL);
}

static void graphs_that_failed_or_repeat_a_name_are_refused(void **state)
{
    (void)state;
    tpp_plan *p = NULL;
    tpp_graph *g = build(1);
    const tpp_value x = tpp_input(g, "x2", TPP_F32, TPP_SHAPE(3));
    tpp_output(g, "y", x);
    UNIT_FAILS(tpp_plan_open(&p, g, f.store, &(tpp_plan_options){.name = "net"}), TPP_EINTERNAL,
               "two outputs are called y");
    (void)tpp_graph_fail(g, TPP_EUNSUPPORTED, "no such model");
    assert_int_equal(tpp_plan_open(&p, g, f.store, &(tpp_plan_options){.name = "net"}),
                     TPP_EUNSUPPORTED);
    assert_null(p);
    tpp_graph_close(g);
}

/* State that a run leaves for the next: y = tanh(x + 1) with y copied to x. */
static void outputs_can_feed_the_next_run(void **state)
{
    (void)state;
    static const float one[1] = {1};
    tpp_graph *g = NULL;
    tpp_plan *p = NULL;
    tpp_buffer *x = NULL, *arena = NULL;
    float value = 0;
    UNIT_OK(tpp_graph_open(&g));
    const tpp_value in = tpp_input(g, "x", TPP_F32, TPP_SHAPE(1));
    const tpp_value c = tpp_constant(g, "the number one", TPP_F32, TPP_SHAPE(1), one);
    tpp_output(g, "y", tpp_activate(g, tpp_add(g, in, c), TPP_ACT_TANH));
    UNIT_OK(tpp_plan_open(&p, g, f.store, &(tpp_plan_options){.name = "loop"}));
    tpp_graph_close(g);
    UNIT_OK(tpp_buffer_open(&x, f.device, 4));
    UNIT_OK(tpp_buffer_write(x, 0, &value, 4));
    UNIT_OK(tpp_plan_bind(p, "x", x));
    UNIT_OK(tpp_buffer_open(&arena, f.device, tpp_plan_arena_bytes(p)));
    UNIT_OK(tpp_plan_record(p, arena));
    UNIT_OK(tpp_plan_copy_out(p, "y", x));
    const uint64_t allocations = tpp_alloc_count();
    const tpp_device_counts before = tpp_device_count(f.device);
    for (int i = 0; i < 3; i++) UNIT_OK(tpp_plan_run(p));
    assert_true(tpp_alloc_count() == allocations); /* running makes nothing */
    assert_int_equal(tpp_device_count(f.device).buffers, before.buffers);
    assert_int_equal(tpp_device_count(f.device).waits, before.waits);
    assert_int_equal(tpp_device_count(f.device).finishes, before.finishes);
    UNIT_OK(tpp_buffer_read(x, 0, &value, 4));
    assert_true(fabs((double)value - tanh(tanh(tanh(1) + 1) + 1)) < 1e-6);
    tpp_plan_close(p);
    tpp_buffer_close(x);
    tpp_buffer_close(arena);
}

static void planning_survives_any_failed_allocation(void **state)
{
    (void)state;
    tpp_graph *g = build(1);
    tpp_buffer *arena = NULL;
    UNIT_OK(tpp_buffer_open(&arena, f.device, 1 << 20));
    const size_t before = tpp_device_bytes(f.device);
    int64_t n = 0;
    for (;; n++) {
        tpp_plan *p = NULL;
        tpp_alloc_fail_after(n);
        tpp_status s = tpp_plan_open(&p, g, f.store, &(tpp_plan_options){.name = "net"});
        if (s == TPP_OK) s = tpp_plan_record(p, arena);
        tpp_alloc_fail_after(-1);
        tpp_plan_close(p);
        tpp_store_trim(f.store);
        assert_int_equal(tpp_device_bytes(f.device), before);
        if (s == TPP_OK) break;
        if (s != TPP_ENOMEM) fail_msg("after %d: %d, %s", (int)n, (int)s, tpp_error());
    }
    assert_true(n > 50);
    tpp_graph_close(g);
    tpp_buffer_close(arena);
}

#define STORE_TEST(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(weights_are_shared_between_plans),
        STORE_TEST(masters_go_when_only_what_is_made_of_them_is_read),
        STORE_TEST(changed_masters_are_derived_again),
        STORE_TEST(a_parameter_that_cannot_be_had_ends_the_plan),
        STORE_TEST(bindings_are_checked),
        STORE_TEST(plans_are_recorded_once_into_enough_room_and_then_run),
        STORE_TEST(graphs_that_failed_or_repeat_a_name_are_refused),
        STORE_TEST(outputs_can_feed_the_next_run),
        STORE_TEST(planning_survives_any_failed_allocation),
    };
    return cmocka_run_group_tests_name("nn.store", tests, open_group, close_group);
}
