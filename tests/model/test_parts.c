/* Parts of the model that no golden file reaches, by what must hold of them: the switches that are
 * this project's own, tables, and the choice of queries.
 * SPDX-License-Identifier: MIT */
#include "core/synth.h"
#include "infer/weights.h"
#include "interpret.h"
#include "model/blocks.h"
#include "model/fusion.h"
#include "model/memory.h"
#include "model/pixel_decoder.h"
#include "model/position.h"
#include "model/propagate.h"

/* clang-format off */
#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { C = 32, WORDS = 5 };

static struct tpp_model_config configure(const char *setting)
{
    const char *const settings[] = {"backbone.name=tiny", "model.hidden=32",   "model.heads=4",
                                    "model.ffn=48",       "model.mask_dim=16", setting};
    struct tpp_model_config c;
    if (tpp_model_config_read(&c, NULL, settings, 6) != TPP_OK) fail_msg("%s", tpp_error());
    return c;
}

static tpp_model_dims size(const struct tpp_model_config *c, int prompts)
{
    tpp_model_dims d;
    if (tpp_model_dims_set(&d, c, 40, 56, prompts, WORDS) != TPP_OK) fail_msg("%s", tpp_error());
    return d;
}

static tpp_graph *open_graph(void)
{
    tpp_graph *g = NULL;
    assert_int_equal(tpp_graph_open(&g), TPP_OK);
    return g;
}

/* Numbers by name; the integers that inputs of that name hold. */
static const int valid_words[] = {3, 5, 2};
static void fill(void *context, const tpp_value_info *v, double *out)
{
    uint64_t seed = 9;
    const int64_t n = tpp_shape_count(&v->shape);
    (void)context;
    if (v->type == TPP_I32) {
        for (int64_t i = 0; i < n; i++) out[i] = strcmp(v->name, "valid") == 0 ? valid_words[i] : 0;
        return;
    }
    if (v->kind == TPP_VALUE_PARAM) {
        float *w = calloc((size_t)n, sizeof(*w));
        assert_non_null(w);
        assert_int_equal(tpp_synth_source(&seed, v->name, &v->shape, w), TPP_OK);
        for (int64_t i = 0; i < n; i++) out[i] = (double)w[i];
        free(w);
        return;
    }
    const uint64_t key = tpp_synth_key(v->name, seed);
    for (int64_t i = 0; i < n; i++) out[i] = tpp_synth_value(key, (uint64_t)i);
}

/* A copy of the first `n` numbers of `v` after a run. */
static double *run(const tpp_graph *g, tpp_value v, int64_t n)
{
    double **data = interpret(g, fill, NULL);
    double *copy = calloc((size_t)n, sizeof(*copy));
    assert_non_null(copy);
    memcpy(copy, interpret_get(g, data, v), (size_t)n * sizeof(*copy));
    interpret_free(g, data);
    return copy;
}

static void assert_near(const double *a, const double *b, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        if (!(fabs(a[i] - b[i]) < 1e-9))
            fail_msg("element %lld: %.17g and %.17g", (long long)i, a[i], b[i]);
}

/* ---- tables ---- */

static void places_count_from_two_and_padding_is_one(void **state)
{
    (void)state;
    static const int32_t want[] = {2, 3, 4, 1, 1};
    int32_t places[WORDS];
    tpp_text_places(places, 3, WORDS);
    assert_memory_equal(places, want, sizeof(want));
}

static void packing_puts_all_words_in_front(void **state)
{
    (void)state;
    static const int32_t valid[] = {3, 5, 2},
                         want[] = {0, 1, 2, 5, 6, 7, 8, 9, 10, 11, 0, 0, 0, 0, 0};
    int32_t rows[3 * WORDS];
    assert_int_equal(tpp_text_pack(rows, valid, 3, WORDS), 10);
    assert_memory_equal(rows, want, sizeof(want));
}

/* Section 2.3 by hand: h = 2, so that rows are at 0.25 and 0.75 of 2 pi. */
static void sine_tables_are_the_formula(void **state)
{
    (void)state;
    const double pi = 3.14159265358979323846;
    float map[2 * 3 * 8], words[4 * 4];
    tpp_sine2d(map, 2, 3, 8);
    tpp_sine1d(words, 3, 4, 4);
    const float *last = map + 5 * 8; /* y = 1, x = 2 */
    assert_float_equal(last[0], sin(1.5 / (2 + 1e-6) * 2 * pi), 1e-6);
    assert_float_equal(last[3], cos(1.5 / (2 + 1e-6) * 2 * pi / 100), 1e-6);
    assert_float_equal(last[4], sin(2.5 / (3 + 1e-6) * 2 * pi), 1e-6);
    assert_float_equal(last[5], cos(2.5 / (3 + 1e-6) * 2 * pi), 1e-6);
    assert_float_equal(words[0], sin(1 / (3 + 1e-6) * 2 * pi), 1e-6);
    assert_float_equal(words[2], sin(1 / (3 + 1e-6) * 2 * pi / 100), 1e-6);
    assert_memory_equal(words + 2 * 4, words + 3 * 4, 4 * sizeof(float)); /* padding stays */
}

/* ---- queries ---- */

static void a_query_of_zeros_reads_the_mean(void **state)
{
    (void)state;
    tpp_graph *g = open_graph();
    const tpp_value x = tpp_input(g, "x", TPP_F32, TPP_SHAPE(3, WORDS, C));
    const tpp_value valid = tpp_input(g, "valid", TPP_I32, TPP_SHAPE(3));
    double *got = run(g, tpp_mean_tokens(g, x, valid, 4), 3 * C);
    double *in = run(g, x, 3 * WORDS * C);
    double want[3 * C] = {0};
    for (int p = 0; p < 3; p++)
        for (int i = 0; i < valid_words[p]; i++)
            for (int c = 0; c < C; c++)
                want[p * C + c] += in[(p * WORDS + i) * C + c] / valid_words[p];
    assert_near(got, want, 3 * C);
    free(got);
    free(in);
    tpp_graph_close(g);
}

static void the_best_query_has_the_largest_class_score(void **state)
{
    (void)state;
    enum { Q = 11, K = 6 };
    tpp_graph *g = open_graph();
    const tpp_value logit = tpp_input(g, "logit", TPP_F32, TPP_SHAPE(1, Q, K));
    double *best = run(g, tpp_best_query(g, logit), 1);
    double *x = run(g, logit, Q * K);
    int want = 0;
    for (int i = 1; i < Q * K; i++) want = x[i] > x[want] ? i : want;
    assert_int_equal((int)best[0], want / K);
    free(best);
    free(x);
    tpp_graph_close(g);
}

/* ---- switches ---- */

/* The fused tokens [2, S, C] of all levels. */
static double *fuse(const char *setting)
{
    const struct tpp_model_config c = configure(setting);
    const tpp_model_dims d = size(&c, 3);
    tpp_graph *g = open_graph();
    const tpp_text text = {.fusion_key = tpp_input(g, "key", TPP_F32, TPP_SHAPE(3, WORDS, C)),
                           .fusion_value = tpp_input(g, "value", TPP_F32, TPP_SHAPE(3, WORDS, C)),
                           .valid = tpp_input(g, "valid", TPP_I32, TPP_SHAPE(3))};
    const tpp_value x = tpp_input(g, "x", TPP_F32, TPP_SHAPE(2, d.tokens, C));
    double *y = run(g, tpp_fusion(g, &d, x, &text).x, 2 * d.tokens * C);
    tpp_graph_close(g);
    return y;
}

/* One weight a map and one a token are the same on a level of one token, and only there. */
static void global_weights_come_from_the_mean_of_tokens(void **state)
{
    (void)state;
    const struct tpp_model_config c = configure("fusion.weight_scope=token");
    const tpp_model_dims d = size(&c, 3);
    double *token = fuse("fusion.weight_scope=token");
    double *global = fuse("fusion.weight_scope=global");
    assert_int_equal(tpp_map_tokens(&d.level[d.levels - 1]), 1);
    for (int l = 0; l < d.levels; l++) {
        double difference = 0;
        for (int64_t b = 0; b < 2; b++)
            for (int64_t i = 0; i < tpp_map_tokens(&d.level[l]) * C; i++) {
                const int64_t at = (b * d.tokens + d.level_start[l]) * C + i;
                difference = fmax(difference, fabs(token[at] - global[at]));
            }
        if (tpp_map_tokens(&d.level[l]) == 1)
            assert_true(difference < 1e-9);
        else
            assert_true(difference > 1e-4);
    }
    free(token);
    free(global);
}

/* Mask features from a text of one prompt, given as `setting` says. */
static double *decode_pixels(const char *setting, bool all, int64_t *count)
{
    const struct tpp_model_config c = configure(setting);
    const tpp_model_dims d = size(&c, 1);
    tpp_graph *g = open_graph();
    tpp_text text = {.valid = tpp_input(g, "valid", TPP_I32, TPP_SHAPE(1)),
                     .packed_valid = TPP_NONE};
    for (int s = 0; s < TPP_STAGES; s++) {
        text.fpn_key[s] = tpp_input(g, TPP_NAME("key%d", s), TPP_F32, TPP_SHAPE(1, WORDS, C));
        text.fpn_value[s] = tpp_input(g, TPP_NAME("value%d", s), TPP_F32, TPP_SHAPE(1, WORDS, C));
    }
    if (all) {
        text.packed_valid = text.valid;
        text.valid = TPP_NONE;
    }
    const tpp_value encoder = tpp_input(g, "encoder", TPP_F32, TPP_SHAPE(2, d.tokens, C));
    const tpp_value prompt = tpp_input(g, "prompt", TPP_I32, TPP_SHAPE(2));
    const tpp_map res2 = {
        .v = tpp_input(g, "res2", TPP_F32, TPP_SHAPE(2, tpp_map_tokens(&d.res[0]), 64)),
        .height = d.res[0].height,
        .width = d.res[0].width};
    *count = 2 * tpp_map_tokens(&d.res[0]) * 16;
    double *y = run(g, tpp_pixel_decoder(g, &d, encoder, res2, &text, prompt), *count);
    tpp_graph_close(g);
    return y;
}

static void all_words_of_one_prompt_are_those_of_the_chosen_one(void **state)
{
    (void)state;
    int64_t n = 0;
    double *selected = decode_pixels("fpn.text=selected", false, &n);
    double *all = decode_pixels("fpn.text=all", true, &n);
    assert_near(selected, all, n);
    free(selected);
    free(all);
}

/* Decoder value of level 0 after a memory read; `act` is applied to the mask beforehand. */
static double *read_memory(const char *setting, tpp_act act, double **encoder, int64_t *count)
{
    const struct tpp_model_config c = configure(setting);
    const tpp_model_dims d = size(&c, 3);
    const int64_t hw = tpp_map_tokens(&d.level[0]);
    tpp_graph *g = open_graph();
    const tpp_value e = tpp_input(g, "encoder", TPP_F32, TPP_SHAPE(1, d.tokens, C));
    const tpp_value key = tpp_input(g, "key", TPP_F32, TPP_SHAPE(1, hw, C));
    const tpp_value value = tpp_input(g, "value", TPP_F32, TPP_SHAPE(1, hw, C));
    tpp_value mask = tpp_input(g, "mask", TPP_F32, TPP_SHAPE(1, hw, 1));
    if (act != TPP_ACT_NONE) mask = tpp_activate(g, mask, act);
    *count = d.tokens * C;
    double *y = run(g, tpp_memory_read(g, &d, e, mask, key, value), *count);
    if (encoder != NULL) *encoder = run(g, e, *count);
    tpp_graph_close(g);
    return y;
}

static void mask_activation_is_applied_to_the_mask(void **state)
{
    (void)state;
    static const struct {
        const char *setting;
        tpp_act act;
    } cases[] = {{"mem.mask_act=sigmoid", TPP_ACT_SIGMOID},
                 {"mem.mask_act=binary", TPP_ACT_BINARY}};
    for (int i = 0; i < 2; i++) {
        int64_t n = 0;
        double *inside = read_memory(cases[i].setting, TPP_ACT_NONE, NULL, &n);
        double *before = read_memory("mem.mask_act=none", cases[i].act, NULL, &n);
        double *plain = read_memory("mem.mask_act=none", TPP_ACT_NONE, NULL, &n);
        assert_near(inside, before, n);
        assert_true(fabs(inside[0] - plain[0]) > 1e-9);
        free(inside);
        free(before);
        free(plain);
    }
}

/* With mem.residual level 0 is kept, and the other levels are never touched. */
static void a_residual_memory_adds_to_level_zero(void **state)
{
    (void)state;
    int64_t n = 0;
    double *encoder = NULL;
    double *replaced = read_memory("mem.residual=false", TPP_ACT_NONE, &encoder, &n);
    double *added = read_memory("mem.residual=true", TPP_ACT_NONE, NULL, &n);
    const int64_t hw = 5 * 7 * C;
    for (int64_t i = 0; i < hw; i++) replaced[i] += encoder[i];
    assert_near(replaced, added, n);
    assert_near(added + hw, encoder + hw, n - hw);
    free(replaced);
    free(added);
    free(encoder);
}

static void a_fixed_prompt_is_the_configured_one(void **state)
{
    (void)state;
    struct tpp_model_config c = configure("prompt.select=fixed");
    const tpp_value weight[TPP_MAX_LEVELS] = {TPP_NONE, TPP_NONE, TPP_NONE, TPP_NONE};
    for (c.prompt.fixed_index = 0; c.prompt.fixed_index < 3; c.prompt.fixed_index++) {
        const tpp_model_dims d = size(&c, 3);
        tpp_graph *g = open_graph();
        double *prompt = run(g, tpp_choose_prompt(g, &d, 2, weight), 2);
        assert_int_equal((int)prompt[0], c.prompt.fixed_index);
        assert_int_equal((int)prompt[1], c.prompt.fixed_index);
        free(prompt);
        tpp_graph_close(g);
    }
}

/* select_level=-1: the largest mean over all levels, which no single level need have. */
static void the_mean_over_levels_can_choose(void **state)
{
    (void)state;
    const struct tpp_model_config c = configure("prompt.select_level=-1");
    const tpp_model_dims d = size(&c, 3);
    static const float of_level[4][3] = {
        {0.5f, 0.1f, 0.4f}, {0.1f, 0.5f, 0.4f}, {0.5f, 0.1f, 0.4f}, {0.1f, 0.5f, 0.4f}};
    tpp_graph *g = open_graph();
    tpp_value weight[TPP_MAX_LEVELS];
    for (int l = 0; l < 4; l++)
        weight[l] = tpp_constant(g, TPP_NAME("w%d", l), TPP_F32, TPP_SHAPE(1, 3), of_level[l]);
    double *prompt = run(g, tpp_choose_prompt(g, &d, 1, weight), 1);
    assert_int_equal((int)prompt[0], 2);
    free(prompt);
    tpp_graph_close(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(places_count_from_two_and_padding_is_one),
        cmocka_unit_test(packing_puts_all_words_in_front),
        cmocka_unit_test(sine_tables_are_the_formula),
        cmocka_unit_test(a_query_of_zeros_reads_the_mean),
        cmocka_unit_test(the_best_query_has_the_largest_class_score),
        cmocka_unit_test(global_weights_come_from_the_mean_of_tokens),
        cmocka_unit_test(all_words_of_one_prompt_are_those_of_the_chosen_one),
        cmocka_unit_test(mask_activation_is_applied_to_the_mask),
        cmocka_unit_test(a_residual_memory_adds_to_level_zero),
        cmocka_unit_test(a_fixed_prompt_is_the_configured_one),
        cmocka_unit_test(the_mean_over_levels_can_choose),
    };
    return cmocka_run_group_tests_name("model.parts", tests, NULL, NULL);
}
