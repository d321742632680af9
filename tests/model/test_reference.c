/* The recorded graphs mean what the reference program computes: they are interpreted here with the
 * float64 references of the ops, no device in sight, and every tensor of a golden file is compared.
 * Further golden files can be named on the command line.
 * SPDX-License-Identifier: MIT */
#include "core/synth.h"
#include "infer/weights.h"
#include "interpret.h"
#include "model/position.h"
#include "model/tpp_model.h"

/* clang-format off */
#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Sine tables, scales and epsilons are floats in a graph and doubles in the reference. */
static const double tolerance = 1e-5;

enum { MAX_PROMPTS = 16 };

typedef struct scene {
    struct tpp_model_config config;
    tpp_model_dims dims;
    uint64_t seed;
    int frames, lengths[MAX_PROMPTS];
    double target[4];
    const tpp_safetensors *golden;
    tpp_table tensors;  /* name -> double *: what goes from graph to graph */
    tpp_table compared; /* golden tensors seen so far */
    double worst;       /* relative error */
} scene;

static void check(tpp_status s)
{
    if (s != TPP_OK) fail_msg("%s", tpp_error());
}

static void *zeroed(int64_t count, size_t item)
{
    void *p = calloc((size_t)count, item);
    assert_non_null(p);
    return p;
}

/* Takes `data`. */
static void put(scene *s, const char *name, double *data)
{
    bool is_new = false;
    tpp_table_entry *e = tpp_table_put(&s->tensors, name, &is_new);
    assert_non_null(e);
    free(e->value.pointer);
    e->value.pointer = data;
}

/* ---- comparison ---- */

/* Element i of a mark in the reference's order: maps are [C, h, w] there. */
static double element(const double *x, const tpp_named_value *n, int64_t channels, int64_t i)
{
    if (n->height == 0) return x[i];
    const int64_t tokens = (int64_t)n->height * n->width;
    return x[i % tokens * channels + i / tokens];
}

static double *golden_values(const scene *s, const char *name, const char *suffix, int64_t *count)
{
    char full[160];
    (void)snprintf(full, sizeof(full), "%s%s", name, suffix);
    const tpp_safetensors_tensor *t = tpp_safetensors_find(s->golden, full);
    if (t == NULL) return NULL;
    double *values = zeroed(t->count, sizeof(*values));
    check(tpp_safetensors_doubles(t, values, t->count));
    *count = t->count;
    return values;
}

static void compare(scene *s, const char *prefix, const tpp_named_value *n, const tpp_value_info *v,
                    const double *got)
{
    char name[128];
    int64_t count = 0, four = 0, step = 1;
    const int64_t all = tpp_shape_count(&v->shape);
    double largest = 0, difference = 0;
    (void)snprintf(name, sizeof(name), "%s%s", prefix, n->name);
    double *want = golden_values(s, name, "", &count);
    if (want == NULL) {
        double *stats = golden_values(s, name, "@stats", &four);
        want = golden_values(s, name, "@sample", &count);
        if (want == NULL || stats == NULL) fail_msg("the golden file has no %s", name);
        largest = stats[2];
        step = (int64_t)stats[3];
        free(stats);
    }
    if (count != (all + step - 1) / step)
        fail_msg("%s is %s, the golden file has %lld values in steps of %lld", name,
                 tpp_shape_text(&v->shape), (long long)count, (long long)step);
    for (int64_t i = 0; i < count; i++) {
        const double x = element(got, n, tpp_shape_cols(&v->shape), i * step);
        if (step == 1) largest = fmax(largest, fabs(want[i]));
        difference = fmax(difference, isnan(x) ? HUGE_VAL : fabs(x - want[i]));
    }
    free(want);
    if (difference > tolerance * largest)
        fail_msg("%s differs by %g of %g", name, difference, largest);
    if (largest > 0) s->worst = fmax(s->worst, difference / largest);
    bool is_new = false;
    assert_non_null(tpp_table_put(&s->compared, name, &is_new));
}

static void everything_was_compared(scene *s)
{
    for (size_t i = 0; i < tpp_safetensors_count(s->golden); i++) {
        char name[160];
        (void)snprintf(name, sizeof(name), "%s", tpp_safetensors_get(s->golden, i)->name);
        char *at = strchr(name, '@');
        if (at != NULL) *at = '\0';
        if (tpp_table_find(&s->compared, name) == NULL) fail_msg("no graph made %s", name);
    }
}

/* ---- running a graph ---- */

static void fill_leaf(void *context, const tpp_value_info *v, double *x)
{
    scene *s = context;
    const int64_t n = tpp_shape_count(&v->shape);
    if (v->kind == TPP_VALUE_PARAM) {
        float *w = zeroed(n, sizeof(*w));
        check(tpp_synth_source(&s->seed, v->name, &v->shape, w));
        for (int64_t i = 0; i < n; i++) x[i] = (double)w[i];
        free(w);
        return;
    }
    const tpp_table_entry *e = tpp_table_find(&s->tensors, v->name);
    if (e == NULL) fail_msg("nothing made the input %s", v->name);
    memcpy(x, e->value.pointer, (size_t)n * sizeof(*x));
}

/* Runs `g`, compares its marks (named PREFIX in the golden file) and keeps its outputs. */
static void run_graph(scene *s, const tpp_graph *g, const char *prefix)
{
    double **data = interpret(g, fill_leaf, s);
    for (int i = 0; i < g->n_named; i++) {
        const tpp_named_value *n = &g->named[i];
        const tpp_value_info *v = &g->value[n->value];
        const double *x = interpret_get(g, data, n->value);
        if (n->is_mark) {
            compare(s, prefix, n, v, x);
            continue;
        }
        const int64_t count = tpp_shape_count(&v->shape);
        double *copy = zeroed(count, sizeof(*copy));
        memcpy(copy, x, (size_t)count * sizeof(*copy));
        put(s, n->name, copy);
    }
    interpret_free(g, data);
}

/* ---- the reference's synthetic input ---- */

static void put_integers(scene *s, const char *name, const int32_t *values, int n)
{
    double *x = zeroed(n, sizeof(*x));
    for (int i = 0; i < n; i++) x[i] = values[i];
    put(s, name, x);
}

static void make_prompts(scene *s)
{
    const int p = s->dims.prompts, l = s->dims.length, c = s->config.model.hidden;
    int32_t *ids = zeroed(p * l, sizeof(*ids)), *places = zeroed(p * l, sizeof(*places));
    float *sine = zeroed((int64_t)p * l * c, sizeof(*sine));
    double *pos = zeroed((int64_t)p * l * c, sizeof(*pos));
    for (int i = 0; i < p; i++) {
        char name[24];
        (void)snprintf(name, sizeof(name), "prompt%d", i);
        const uint64_t key = tpp_synth_key(name, s->seed);
        const int n = s->lengths[i];
        for (int k = 0; k < l; k++) {
            const double u = (tpp_synth_value(key, (uint64_t)k) + 1) / 2;
            const int32_t word = (int32_t)(u * (s->config.text.vocab - 104)) + 4;
            ids[i * l + k] = k >= n ? 1 : k == 0 ? 0 : k == n - 1 ? 2 : word;
        }
        tpp_text_places(places + i * l, n, l);
        tpp_sine1d(sine + (size_t)(i * l) * (size_t)c, n, l, c);
    }
    for (int64_t i = 0; i < (int64_t)p * l * c; i++) pos[i] = (double)sine[i];
    put_integers(s, "ids", ids, p * l);
    put_integers(s, "places", places, p * l);
    put_integers(s, "valid", s->lengths, p);
    put(s, "word_pos", pos);
    const int32_t words = tpp_text_pack(places, s->lengths, p, l); /* places are through */
    put_integers(s, "packed", places, p * l);
    put_integers(s, "packed_valid", &words, 1);
    free(ids);
    free(places);
    free(sine);
}

/* Noise and a bright ellipse that moves; token-major. `t` from 0. */
static void make_image(scene *s, int t)
{
    const int h = s->dims.height, w = s->dims.width;
    const double cx = (s->target[0] + 0.02 * t) * w, cy = (s->target[1] - 0.015 * t) * h;
    const double rx = s->target[2] * w / 2, ry = s->target[3] * h / 2;
    double *image = zeroed((int64_t)h * w * 3, sizeof(*image));
    char name[24];
    (void)snprintf(name, sizeof(name), "image%d", t);
    const uint64_t key = tpp_synth_key(name, s->seed);
    for (int i = 0; i < h * w; i++) {
        const double dx = (i % w + 0.5 - cx) / rx, dy = (i / w + 0.5 - cy) / ry;
        const double inside = dx * dx + dy * dy <= 1.0;
        for (int c = 0; c < 3; c++) {
            const double noise = tpp_synth_value(key, (uint64_t)(c * h * w + i));
            image[i * 3 + c] = (double)(float)(0.5 * noise + 1.5 * inside);
        }
    }
    put(s, "image", image);
}

/* ---- a golden file ---- */

static const char *meta(const scene *s, const char *key)
{
    const char *text = tpp_safetensors_meta(s->golden, key);
    if (text == NULL) fail_msg("the golden file says nothing about %s", key);
    return text;
}

static int read_numbers(const char *text, double *out, int most)
{
    int n = 0;
    for (char *end = NULL; n < most; text = end + 1) {
        out[n++] = strtod(text, &end);
        if (*end != ',') break;
    }
    return n;
}

static void read_scene(scene *s)
{
    double lengths[MAX_PROMPTS] = {0};
    int longest = 0;
    check(tpp_model_config_init(&s->config));
    for (size_t i = 0; i < tpp_safetensors_meta_count(s->golden); i++) {
        const tpp_safetensors_pair pair = tpp_safetensors_meta_get(s->golden, i);
        bool is_mine = false;
        check(tpp_model_config_from_reference(&s->config, pair.key, pair.value, &is_mine));
    }
    if (s->config.mode == TPP_MODE_CLIP)
        fail_msg("frames are interpreted one by one here: golden.* runs files of clips");
    s->seed = strtoull(meta(s, "seed"), NULL, 10);
    const bool has_frames = tpp_safetensors_find(s->golden, "frame1.best") != NULL;
    s->frames = has_frames ? atoi(meta(s, "frames")) : 0; /* text_*: the text alone */
    assert_int_equal(read_numbers(meta(s, "target_box"), s->target, 4), 4);
    const int n = read_numbers(meta(s, "prompt_lengths"), lengths, MAX_PROMPTS);
    for (int i = 0; i < n; i++) {
        s->lengths[i] = (int)lengths[i];
        longest = s->lengths[i] > longest ? s->lengths[i] : longest;
    }
    check(tpp_model_dims_set(&s->dims, &s->config, atoi(meta(s, "height")), atoi(meta(s, "width")),
                             n, longest));
}

typedef tpp_status build_one(tpp_graph *g, const scene *s, const tpp_frame_spec *spec);

static tpp_status build_text(tpp_graph *g, const scene *s, const tpp_frame_spec *spec)
{
    (void)spec;
    return tpp_build_text(g, &s->dims);
}

static tpp_status build_backbone(tpp_graph *g, const scene *s, const tpp_frame_spec *spec)
{
    (void)spec;
    return tpp_build_backbone(g, &s->dims, 1);
}

static tpp_status build_encode(tpp_graph *g, const scene *s, const tpp_frame_spec *spec)
{
    (void)spec;
    return tpp_build_encode(g, &s->dims, 1);
}

static tpp_status build_frame(tpp_graph *g, const scene *s, const tpp_frame_spec *spec)
{
    return tpp_build_frame(g, &s->dims, spec);
}

static void run(scene *s, build_one *build, const tpp_frame_spec *spec, const char *prefix)
{
    tpp_graph *g = NULL;
    check(tpp_graph_open(&g));
    check(build(g, s, spec));
    run_graph(s, g, prefix);
    tpp_graph_close(g);
}

/* What one frame leaves is what the next one reads. */
static void carry_state(scene *s)
{
    static const char *const names[][2] = {
        {"next.ref", "state.ref"},   {"next.content", "state.content"},
        {"next.qpos", "state.qpos"}, {"next.mask", "state.mask"},
        {"memory_key", "state.key"}, {"memory_value", "state.value"}};
    for (int i = 0; i < 6; i++) {
        tpp_table_entry *e = tpp_table_find(&s->tensors, names[i][0]);
        if (e == NULL) continue;
        double *data = e->value.pointer;
        e->value.pointer = NULL;
        put(s, names[i][1], data);
    }
}

static void run_scene(scene *s, bool all_masks)
{
    const struct tpp_model_config *c = &s->config;
    int has = c->model.num_queries;
    make_prompts(s);
    run(s, build_text, NULL, "");
    for (int t = 1; t <= s->frames; t++) {
        char prefix[24];
        (void)snprintf(prefix, sizeof(prefix), "frame%d.", t);
        const bool first = t == 1 || !tpp_model_propagates(c);
        const tpp_frame_spec spec = {.queries = first ? 0 : has,
                                     .keep = tpp_model_config_queries(c, t + 1, has),
                                     .all_masks = all_masks};
        make_image(s, t - 1);
        run(s, build_backbone, NULL, prefix);
        run(s, build_encode, NULL, prefix);
        run(s, build_frame, &spec, prefix);
        carry_state(s);
        has = spec.keep;
    }
}

static void close_scene(scene *s)
{
    for (size_t i = 0; i < s->tensors.count; i++) free(s->tensors.entries[i].value.pointer);
    tpp_table_free(&s->tensors);
    tpp_table_free(&s->compared);
}

static void check_golden(const char *path)
{
    tpp_safetensors *f = NULL;
    check(tpp_safetensors_open(&f, path));
    scene s = {.golden = f};
    read_scene(&s);
    run_scene(&s, true);
    everything_was_compared(&s);
    print_message("%s: largest error %.1e\n", path, s.worst);
    close_scene(&s);
    tpp_safetensors_close(f);
}

static void smallest_golden_file(void **state)
{
    (void)state;
    check_golden(TPP_SOURCE_DIR "/tests/golden/forward_micro.safetensors");
}

/* Switches of model.md 7 and 9 that no other golden file turns. */
static void golden_files_of_switches(void **state)
{
    (void)state;
    check_golden(TPP_SOURCE_DIR "/tests/golden/forward_switch_query.safetensors");
    check_golden(TPP_SOURCE_DIR "/tests/golden/forward_switch_memory.safetensors");
    check_golden(TPP_SOURCE_DIR "/tests/golden/forward_switch_mask.safetensors");
    check_golden(TPP_SOURCE_DIR "/tests/golden/forward_switch_heads.safetensors");
    check_golden(TPP_SOURCE_DIR "/tests/golden/forward_switch_no_text.safetensors");
}

static void golden_files_of_the_command_line(void **state)
{
    const char *const *paths = *state;
    if (*paths == NULL) skip();
    for (; *paths != NULL; paths++) check_golden(*paths);
}

/* The mask of the best query alone is that query's row of all masks. */
static void one_mask_is_the_same_as_among_all(void **state)
{
    (void)state;
    tpp_safetensors *f = NULL;
    check(tpp_safetensors_open(&f, TPP_SOURCE_DIR "/tests/golden/forward_micro.safetensors"));
    double *mask[2] = {NULL, NULL};
    int64_t pixels = 0;
    for (int all = 0; all < 2; all++) {
        scene s = {.golden = f};
        read_scene(&s);
        run_scene(&s, all == 1);
        tpp_table_entry *e = tpp_table_find(&s.tensors, "best_mask");
        assert_non_null(e);
        mask[all] = e->value.pointer;
        e->value.pointer = NULL;
        pixels = tpp_map_tokens(&s.dims.res[0]);
        close_scene(&s);
    }
    for (int64_t i = 0; i < pixels; i++) assert_true(fabs(mask[0][i] - mask[1][i]) < 1e-9);
    free(mask[0]);
    free(mask[1]);
    tpp_safetensors_close(f);
}

int main(int argc, char **argv)
{
    (void)argc;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(smallest_golden_file),
        cmocka_unit_test(golden_files_of_switches),
        cmocka_unit_test(one_mask_is_the_same_as_among_all),
        cmocka_unit_test_prestate(golden_files_of_the_command_line, argv + 1),
    };
    return cmocka_run_group_tests_name("model.reference", tests, NULL, NULL);
}
