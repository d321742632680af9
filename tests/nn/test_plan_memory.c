/* Where a plan's tensors lie: on all graphs of the model no two that live at once overlap, and what
 * is dead gives its place away; a poisoned arena changes nothing.
 * SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "model/tpp_model.h"
#include "planned.h"

enum { HEIGHT = 64, WIDTH = 96, WORDS = 7 };

typedef struct suite {
    tpp_device *device;
    tpp_store *store;
    numbers source;
    struct tpp_model_config config;
    tpp_model_dims dims;
} suite;

static int open_suite(void **state)
{
    static suite s;
    static const char *const settings[] = {
        "backbone.name=tiny", "model.hidden=32",    "model.heads=4",      "model.ffn=64",
        "model.mask_dim=16",  "model.enc_layers=2", "model.dec_layers=2", "text.layers=2",
        "text.hidden=32",     "text.heads=2",       "text.ffn=64",        "text.vocab=100"};
    s.source.seed = 1;
    *state = &s;
    if (unit_open_device((void **)&s.device) != 0 ||
        tpp_store_open(&s.store, s.device, give_numbers, &s.source) != TPP_OK ||
        tpp_model_config_read(&s.config, NULL, settings, sizeof(settings) / sizeof(settings[0])) !=
            TPP_OK)
        return -1;
    return tpp_model_dims_set(&s.dims, &s.config, HEIGHT, WIDTH, s.config.text.num_prompts,
                              WORDS) == TPP_OK
               ? 0
               : -1;
}

static int close_suite(void **state)
{
    const suite *s = *state;
    tpp_store_close(s->store);
    tpp_device_close(s->device);
    return 0;
}

/* ---- the model's graphs ---- */

enum { TEXT, BACKBONE, BACKBONE_AHEAD, ENCODE, ENCODE_AHEAD, FIRST, NEXT, GRAPHS };
static const char *const graph_names[] = {"text",        "backbone", "backbone of 3", "encode",
                                          "encode of 3", "first",    "next"};

static tpp_graph *build(const suite *s, int which)
{
    tpp_graph *g = NULL;
    UNIT_OK(tpp_graph_open(&g));
    const tpp_model_dims *d = &s->dims;
    const tpp_frame_spec first = {.keep = 1}, next = {.queries = 1, .keep = 1, .all_masks = true};
    switch (which) {
    case TEXT:
        UNIT_OK(tpp_build_text(g, d));
        break;
    case BACKBONE:
    case BACKBONE_AHEAD:
        UNIT_OK(tpp_build_backbone(g, d, which == BACKBONE ? 1 : 3));
        break;
    case ENCODE:
    case ENCODE_AHEAD:
        UNIT_OK(tpp_build_encode(g, d, which == ENCODE ? 1 : 3));
        break;
    default:
        UNIT_OK(tpp_build_frame(g, d, which == FIRST ? &first : &next));
    }
    return g;
}

/* ---- lifetimes, counted anew from the order of nodes ---- */

typedef struct range {
    size_t start, end; /* bytes of the arena */
    int from, to;      /* positions in the run order, inclusive */
    int value;         /* -1: scratch */
} range;

static size_t bytes_of(const tpp_value_info *info)
{
    return (size_t)tpp_shape_count(&info->shape) * tpp_dtype_size(info->type);
}

/* The value that `v` shows a part of, from byte *before on. */
static int root_of(const tpp_plan *p, int v, size_t *before)
{
    for (; v >= 0 && p->value[v].info.alias >= 0; v = p->value[v].info.alias)
        *before += p->value[v].view_at;
    return v;
}

static range *find_range(range *r, int n, int value)
{
    for (int j = 0; j < n; j++)
        if (r[j].value == value) return &r[j];
    return NULL;
}

/* A tensor that several nodes write, part by part, lives from the first on. */
static int add_outputs(const tpp_plan *p, int at, range *r, int n)
{
    const tpp_plan_node *node = &p->node[p->order[at]];
    for (int i = 0; i < TPP_MAX_OUT; i++) {
        size_t before = 0;
        const int v = root_of(p, node->info.out[i], &before);
        if (v < 0 || p->value[v].place != TPP_PLACE_ARENA) continue;
        if (before + bytes_of(&p->value[node->info.out[i]].info) > bytes_of(&p->value[v].info))
            fail_msg("node %d (%s) writes beyond its tensor", at, node->info.op->name);
        const size_t start = p->value[v].offset;
        if (!find_range(r, n, v))
            r[n++] = (range){start, start + bytes_of(&p->value[v].info), at, at, v};
    }
    if (node->scratch > 0)
        r[n++] = (range){node->scratch_offset, node->scratch_offset + node->scratch, at, at, -1};
    return n;
}

/* Every read comes after the write; extends lifetimes to the last one. */
static void add_inputs(const tpp_plan *p, int at, range *r, int n)
{
    const tpp_plan_node *node = &p->node[p->order[at]];
    for (int i = 0; i < TPP_MAX_IN; i++) {
        size_t before = 0;
        const int v = root_of(p, node->info.in[i], &before);
        if (v < 0 || p->value[v].place != TPP_PLACE_ARENA) continue;
        range *of = find_range(r, n, v);
        if (of == NULL)
            fail_msg("node %d (%s) reads what was not written", at, node->info.op->name);
        of->to = at;
    }
}

/* Fails on an overlap; gives the bytes of all ranges together. */
static size_t check_places(const tpp_plan *p)
{
    range *r = tpp_calloc((size_t)(p->n_values + p->n_nodes), sizeof(*r));
    assert_non_null(r);
    int n = 0;
    size_t total = 0;
    for (int at = 0; at < p->n_order; at++) {
        if (p->node[p->order[at]].constant) continue;
        add_inputs(p, at, r, n);
        n = add_outputs(p, at, r, n);
    }
    for (int i = 0; i < n; i++) {
        total += r[i].end - r[i].start;
        if (r[i].end > p->arena_bytes) fail_msg("%s: beyond the arena", p->options.name);
        assert_int_equal(r[i].start % p->caps->base_align, 0);
        for (int j = 0; j < i; j++)
            if (r[i].from <= r[j].to && r[j].from <= r[i].to && r[i].start < r[j].end &&
                r[j].start < r[i].end)
                fail_msg("%s: [%zu,%zu) of nodes %d..%d and [%zu,%zu) of %d..%d", p->options.name,
                         r[i].start, r[i].end, r[i].from, r[i].to, r[j].start, r[j].end, r[j].from,
                         r[j].to);
    }
    tpp_free(r);
    return total;
}

static void no_two_tensors_that_live_at_once_overlap(void **state)
{
    static const char *const algorithms[] = {NULL, "plain", "clblast"};
    const suite *s = *state;
    for (int which = 0; which < GRAPHS; which++)
        for (int a = 0; a < 6; a++) {
            tpp_plan *p = NULL;
            tpp_graph *g = build(s, which);
            const tpp_plan_options options = {.name = graph_names[which],
                                              .algorithm = algorithms[a / 2],
                                              .keep_marks = a % 2 == 1,
                                              .no_fusion = a == 3};
            UNIT_OK(tpp_plan_open(&p, g, s->store, &options));
            tpp_graph_close(g);
            (void)check_places(p);
            tpp_plan_close(p);
        }
}

static void memory_of_dead_tensors_is_used_again(void **state)
{
    const suite *s = *state;
    const int large[] = {BACKBONE, ENCODE};
    for (int i = 0; i < 2; i++) {
        tpp_plan *p = NULL;
        tpp_graph *g = build(s, large[i]);
        UNIT_OK(tpp_plan_open(&p, g, s->store,
                              &(tpp_plan_options){.name = "reuse", .no_fusion = true}));
        tpp_graph_close(g);
        const size_t all = check_places(p);
        if (tpp_plan_arena_bytes(p) * 3 > all)
            fail_msg("%s: %zu bytes for %zu of tensors", graph_names[large[i]],
                     tpp_plan_arena_bytes(p), all);
        tpp_plan_close(p);
    }
}

/* Twenty steps in a row: two tensors live at a time. */
static void a_chain_takes_the_room_of_two(void **state)
{
    const suite *s = *state;
    tpp_graph *g = NULL;
    tpp_plan *p = NULL;
    UNIT_OK(tpp_graph_open(&g));
    tpp_value x = tpp_input(g, "x", TPP_F32, TPP_SHAPE(1024));
    for (int i = 0; i < 20; i++) x = tpp_activate(g, x, TPP_ACT_TANH);
    tpp_output(g, "y", x);
    UNIT_OK(tpp_plan_open(&p, g, s->store, &(tpp_plan_options){.name = "chain"}));
    tpp_graph_close(g);
    assert_int_equal(tpp_plan_arena_bytes(p), 2 * 1024 * 4);
    assert_int_equal(tpp_plan_own_bytes(p), 2 * 1024 * 4); /* the input and the output */
    tpp_plan_close(p);
}

/* ---- numbers ---- */

static planned plan_of(const suite *s, int which, bool no_fusion)
{
    return plan_graph(build(s, which), s->store,
                      &(tpp_plan_options){.name = graph_names[which], .no_fusion = no_fusion});
}

static void fusion_does_not_change_the_backbone(void **state)
{
    const suite *s = *state;
    static const char *const stages[] = {"res2", "res3", "res4", "res5"};
    planned fused = plan_of(s, BACKBONE, false), whole = plan_of(s, BACKBONE, true);
    assert_true(count_nodes(fused.plan, NULL) < count_nodes(whole.plan, NULL) / 2);
    assert_int_equal(count_nodes(fused.plan, "frozen_bn"), 0);
    UNIT_OK(tpp_plan_run(fused.plan));
    UNIT_OK(tpp_plan_run(whole.plan));
    for (int i = 0; i < 4; i++) {
        size_t bytes = 0;
        float *got = read_bytes(fused.plan, stages[i], &bytes),
              *want = read_bytes(whole.plan, stages[i], &bytes);
        assert_true(difference(got, want, bytes / sizeof(float)) <= 1e-5);
        tpp_free(got);
        tpp_free(want);
    }
    planned_close(&fused);
    planned_close(&whole);
}

/* Bytes of all outputs of one run, one after another; the caller frees. */
static uint8_t *run_all(const planned *p, size_t *total)
{
    tpp_plan_result r;
    uint8_t *all = NULL;
    *total = 0;
    UNIT_OK(tpp_plan_run(p->plan));
    for (int i = 0; tpp_plan_result_at(p->plan, i, &r); i++) {
        size_t bytes = 0;
        void *one = read_bytes(p->plan, r.name, &bytes);
        all = tpp_realloc(all, *total + bytes, 1);
        assert_non_null(all);
        memcpy(all + *total, one, bytes);
        *total += bytes;
        tpp_free(one);
    }
    return all;
}

static void a_poisoned_arena_changes_nothing(void **state)
{
    const suite *s = *state;
    for (int which = 0; which < GRAPHS; which++) {
        size_t n = 0, m = 0;
        planned p = plan_of(s, which, false);
        uint8_t *first = run_all(&p, &n);
        UNIT_OK(tpp_buffer_fill(p.arena, 0x3f800000)); /* ones, then NaN: neither is read */
        uint8_t *second = run_all(&p, &m);
        assert_int_equal(n, m);
        assert_memory_equal(first, second, n);
        tpp_free(second);
        assert_int_equal(setenv("TPP_POISON", "1", 1), 0);
        second = run_all(&p, &m);
        assert_int_equal(unsetenv("TPP_POISON"), 0);
        assert_memory_equal(first, second, n);
        tpp_free(first);
        tpp_free(second);
        planned_close(&p);
    }
}

static void poison_reaches_the_arena(void **state)
{
    const suite *s = *state;
    float word = 0;
    planned p = plan_of(s, BACKBONE, false);
    tpp_buffer *larger = NULL;
    const size_t bytes = tpp_plan_arena_bytes(p.plan);
    planned_close(&p);
    UNIT_OK(tpp_buffer_open(&larger, s->device, bytes + 4096));
    tpp_graph *g = build(s, BACKBONE);
    tpp_plan *plan = NULL;
    UNIT_OK(tpp_plan_open(&plan, g, s->store, &(tpp_plan_options){.name = "backbone"}));
    tpp_graph_close(g);
    UNIT_OK(tpp_plan_record(plan, larger));
    UNIT_OK(tpp_buffer_fill(larger, 0));
    assert_int_equal(setenv("TPP_POISON", "1", 1), 0);
    const tpp_status status = tpp_plan_run(plan);
    assert_int_equal(unsetenv("TPP_POISON"), 0);
    UNIT_OK(status);
    UNIT_OK(tpp_buffer_read(larger, bytes + 4000, &word, sizeof(word))); /* where nobody writes */
    assert_true(isnan(word));
    tpp_plan_close(plan);
    tpp_buffer_close(larger);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_two_tensors_that_live_at_once_overlap),
        cmocka_unit_test(memory_of_dead_tensors_is_used_again),
        cmocka_unit_test(a_chain_takes_the_room_of_two),
        cmocka_unit_test(fusion_does_not_change_the_backbone),
        cmocka_unit_test(a_poisoned_arena_changes_nothing),
        cmocka_unit_test(poison_reaches_the_arena),
    };
    return cmocka_run_group_tests_name("nn.plan_memory", tests, open_suite, close_suite);
}
