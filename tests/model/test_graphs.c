/* The recorded graphs: they build for every configuration and odd sizes, with the shapes, inputs,
 * outputs and parameters that tpp_model.h and the published checkpoints name.
 * SPDX-License-Identifier: MIT */
#include "core/mem.h"
#include "model/tpp_model.h"
#include "nn/graph_internal.h"

/* clang-format off */
#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */
#include <dirent.h>
#include <stdio.h>
#include <string.h>

#define SETTINGS(...) \
    (const char *const[]){__VA_ARGS__}, sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *)
#define SMALL                                                                                      \
    "backbone.name=tiny", "model.hidden=32", "model.heads=4", "model.ffn=64", "model.mask_dim=16", \
        "model.enc_layers=1", "model.dec_layers=2", "text.layers=1", "text.hidden=32",             \
        "text.heads=2", "text.ffn=64", "text.vocab=100"

enum { PROMPTS = 3, WORDS = 7 };

static struct tpp_model_config configure(const char *const *settings, size_t n)
{
    struct tpp_model_config c;
    if (tpp_model_config_read(&c, NULL, settings, n) != TPP_OK) fail_msg("%s", tpp_error());
    return c;
}

static tpp_model_dims size(const struct tpp_model_config *c, int height, int width)
{
    tpp_model_dims d;
    if (tpp_model_dims_set(&d, c, height, width, c->text.num_prompts, WORDS) != TPP_OK)
        fail_msg("%s", tpp_error());
    return d;
}

static tpp_graph *open_graph(void)
{
    tpp_graph *g = NULL;
    assert_int_equal(tpp_graph_open(&g), TPP_OK);
    return g;
}

static const tpp_value_info *find_output(const tpp_graph *g, const char *name)
{
    for (int i = 0; i < g->n_named; i++)
        if (strcmp(g->named[i].name, name) == 0) return &g->value[g->named[i].value];
    return NULL;
}

static const tpp_value_info *find_leaf(const tpp_graph *g, tpp_value_kind kind, const char *name)
{
    for (int v = 0; v < g->n_values; v++)
        if (g->value[v].kind == kind && strcmp(g->value[v].name, name) == 0) return &g->value[v];
    return NULL;
}

static bool has_input(const tpp_graph *g, const char *name)
{
    return find_leaf(g, TPP_VALUE_INPUT, name) != NULL;
}

static void assert_shape(const tpp_value_info *v, const char *name, tpp_shape want)
{
    if (v == NULL) fail_msg("there is no %s", name);
    if (!tpp_shape_equal(&v->shape, &want))
        fail_msg("%s is %s, wanted %s", name, tpp_shape_text(&v->shape), tpp_shape_text(&want));
}

static void assert_output(const tpp_graph *g, const char *name, tpp_shape want)
{
    assert_shape(find_output(g, name), name, want);
}

static void assert_input(const tpp_graph *g, const char *name, tpp_shape want)
{
    assert_shape(find_leaf(g, TPP_VALUE_INPUT, name), name, want);
}

static void assert_built(tpp_status s)
{
    if (s != TPP_OK) fail_msg("%s", tpp_error());
}

static tpp_graph *build_frame(const tpp_model_dims *d, int queries, int keep, bool all)
{
    tpp_graph *g = open_graph();
    const tpp_frame_spec spec = {.queries = queries, .keep = keep, .all_masks = all};
    assert_built(tpp_build_frame(g, d, &spec));
    return g;
}

/* All graphs of a configuration, one after another. */
static void build_all(const struct tpp_model_config *c, int height, int width)
{
    const tpp_model_dims d = size(c, height, width);
    tpp_graph *text = open_graph(), *image = open_graph(), *encode = open_graph();
    assert_built(tpp_build_text(text, &d));
    assert_built(tpp_build_backbone(image, &d, 1));
    assert_built(tpp_build_encode(encode, &d, 1));
    tpp_graph_close(text);
    tpp_graph_close(image);
    tpp_graph_close(encode);
    int queries = 0, has = c->model.num_queries;
    for (int t = 1; t <= 4 && (t == 1 || tpp_model_propagates(c)); t++) {
        const int keep = tpp_model_config_queries(c, t + 1, has);
        tpp_graph_close(build_frame(&d, queries, keep, t == 1));
        queries = has = keep;
    }
}

/* ---- shapes ---- */

typedef struct odd_size {
    int height, width;
    int64_t res[4], level0, tokens; /* counted by hand from model.md 0.4 */
} odd_size;

static const odd_size odd_sizes[] = {
    {75, 118, {19 * 30, 10 * 15, 5 * 8, 3 * 4}, 150, 150 + 40 + 12 + 4},
    {203, 270, {51 * 68, 26 * 34, 13 * 17, 7 * 9}, 884, 884 + 221 + 63 + 20},
    {32, 32, {64, 16, 4, 1}, 16, 16 + 4 + 1 + 1},
    {360, 640, {14400, 3600, 920, 240}, 3600, 4820},
};

static void backbone_gives_four_stages(void **state)
{
    (void)state;
    const struct tpp_model_config c = configure(SETTINGS("backbone.name=resnet50"));
    for (size_t i = 0; i < sizeof(odd_sizes) / sizeof(odd_sizes[0]); i++) {
        const odd_size *o = &odd_sizes[i];
        const tpp_model_dims d = size(&c, o->height, o->width);
        tpp_graph *g = open_graph();
        assert_built(tpp_build_backbone(g, &d, 2));
        assert_input(g, "image", TPP_SHAPE(2, (int64_t)o->height * o->width, 3));
        assert_output(g, "res2", TPP_SHAPE(2, o->res[0], 256));
        assert_output(g, "res3", TPP_SHAPE(2, o->res[1], 512));
        assert_output(g, "res4", TPP_SHAPE(2, o->res[2], 1024));
        assert_output(g, "res5", TPP_SHAPE(2, o->res[3], 2048));
        tpp_graph_close(g);
    }
}

static void encode_gives_levels_and_mask_features(void **state)
{
    (void)state;
    const struct tpp_model_config c = configure(SETTINGS("backbone.name=resnet101"));
    for (size_t i = 0; i < sizeof(odd_sizes) / sizeof(odd_sizes[0]); i++) {
        const odd_size *o = &odd_sizes[i];
        const tpp_model_dims d = size(&c, o->height, o->width);
        tpp_graph *g = open_graph();
        assert_built(tpp_build_encode(g, &d, 3));
        assert_input(g, "fpn1.key", TPP_SHAPE(PROMPTS, WORDS, 256));
        assert_output(g, "encoder", TPP_SHAPE(3, o->tokens, 256));
        assert_output(g, "mask_features", TPP_SHAPE(3, o->res[0], 256));
        assert_output(g, "memory_key", TPP_SHAPE(3, o->level0, 256));
        assert_output(g, "memory_value", TPP_SHAPE(3, o->level0, 256));
        assert_output(g, "prompt", TPP_SHAPE(3));
        assert_int_equal(find_output(g, "prompt")->type, TPP_I32);
        assert_output(g, "prompt_weight2", TPP_SHAPE(3, PROMPTS));
        assert_output(g, "fpn1", TPP_SHAPE(3, o->res[0], 256));
        tpp_graph_close(g);
    }
}

static void text_gives_words_sentence_and_keys(void **state)
{
    (void)state;
    const struct tpp_model_config c = configure(NULL, 0);
    const tpp_model_dims d = size(&c, 64, 64);
    tpp_graph *g = open_graph();
    assert_built(tpp_build_text(g, &d));
    assert_output(g, "words", TPP_SHAPE(PROMPTS, WORDS, 256));
    assert_output(g, "sentence", TPP_SHAPE(1, PROMPTS, 256));
    assert_output(g, "fusion.value", TPP_SHAPE(PROMPTS, WORDS, 256));
    assert_output(g, "fpn4.key", TPP_SHAPE(PROMPTS, WORDS, 256));
    assert_output(g, "text.hidden", TPP_SHAPE(PROMPTS, WORDS, 768));
    assert_output(g, "text.pooled", TPP_SHAPE(1, PROMPTS, 768));
    assert_int_equal(find_leaf(g, TPP_VALUE_INPUT, "ids")->type, TPP_I32);
    tpp_graph_close(g);
}

static void frames_give_one_mask_and_a_record(void **state)
{
    (void)state;
    const struct tpp_model_config c = configure(NULL, 0);
    for (size_t i = 0; i < sizeof(odd_sizes) / sizeof(odd_sizes[0]); i++) {
        const odd_size *o = &odd_sizes[i];
        const tpp_model_dims d = size(&c, o->height, o->width);
        tpp_graph *first = build_frame(&d, 0, 1, false), *next = build_frame(&d, 1, 1, false);
        assert_output(first, "hs3", TPP_SHAPE(1, 5, 256));
        assert_output(first, "box0", TPP_SHAPE(1, 5, 4));
        assert_output(first, "logit3", TPP_SHAPE(1, 5, 1));
        assert_output(next, "hs3", TPP_SHAPE(1, 1, 256));
        assert_output(next, "memory_read", TPP_SHAPE(1, o->level0, 256));
        assert_null(find_output(first, "memory_read"));
        assert_null(find_output(first, "mask"));
        for (int k = 0; k < 2; k++) {
            const tpp_graph *g = k == 0 ? first : next;
            assert_output(g, "best_mask", TPP_SHAPE(1, o->res[0], 1));
            assert_output(g, "record", TPP_SHAPE(8));
            assert_output(g, "next.mask", TPP_SHAPE(1, o->level0, 1));
        }
        tpp_graph_close(first);
        tpp_graph_close(next);
    }
}

static void all_masks_keeps_every_query(void **state)
{
    (void)state;
    const struct tpp_model_config c = configure(SETTINGS(SMALL));
    const tpp_model_dims d = size(&c, 75, 118);
    tpp_graph *g = build_frame(&d, 0, 1, true);
    assert_output(g, "mask", TPP_SHAPE(5, 19, 30));
    assert_output(g, "best_mask", TPP_SHAPE(1, 19 * 30, 1));
    tpp_graph_close(g);
}

/* ---- state ---- */

static void topk_decides_the_queries_that_go_on(void **state)
{
    (void)state;
    const struct tpp_model_config c = configure(SETTINGS(SMALL, "prop.topk=[5,3,1]"));
    const tpp_model_dims d = size(&c, 32, 48);
    static const struct {
        int queries, keep;
    } frames[] = {{0, 5}, {0, 3}, {0, 1}, {5, 5}, {3, 3}, {3, 1}, {1, 1}};
    for (size_t i = 0; i < sizeof(frames) / sizeof(frames[0]); i++) {
        tpp_graph *g = build_frame(&d, frames[i].queries, frames[i].keep, false);
        const int64_t k = frames[i].keep;
        assert_output(g, "next.ref", TPP_SHAPE(1, k, 4));
        assert_output(g, "next.content", TPP_SHAPE(1, k, 32));
        assert_output(g, "next.qpos", TPP_SHAPE(1, k, 32));
        assert_output(g, "next.mask", TPP_SHAPE(1, 24, 1));
        if (frames[i].queries > 0)
            assert_input(g, "state.ref", TPP_SHAPE(1, frames[i].queries, 4));
        else
            assert_false(has_input(g, "state.ref"));
        tpp_graph_close(g);
    }
}

/* A result of the graph that is an input as it came could not be copied back to where it lies. */
static void next_state_has_memory_of_its_own(void **state)
{
    (void)state;
    static const char *const names[] = {"next.ref", "next.qpos", "next.content", "next.mask"};
    const struct tpp_model_config c = configure(SETTINGS(SMALL, "prop.box=false"));
    const tpp_model_dims d = size(&c, 32, 32);
    tpp_graph *g = build_frame(&d, 1, 1, false);
    for (int i = 0; i < 4; i++) {
        const tpp_value_info *v = find_output(g, names[i]);
        assert_non_null(v);
        while (v->alias >= 0) v = &g->value[v->alias];
        assert_true(v->kind == TPP_VALUE_NODE);
    }
    tpp_graph_close(g);
}

typedef struct propagation {
    const char *setting;
    int ref;
    bool content, mask, key, sentence, current;
} propagation;

static void frames_read_only_what_is_propagated(void **state)
{
    (void)state;
    static const propagation cases[] = {
        {"preset=paper", 4, true, true, true, false, false},
        {"mem.source=current", 4, true, true, false, false, true},
        {"prop.box=false", 2, true, true, true, false, false},
        {"prop.mask=false", 4, true, false, false, false, false},
        {"prop.query=false", 4, false, true, true, true, false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const propagation *p = &cases[i];
        const struct tpp_model_config c = configure(SETTINGS(SMALL, p->setting));
        const tpp_model_dims d = size(&c, 32, 32);
        tpp_graph *g = build_frame(&d, 1, 1, false);
        assert_input(g, "state.ref", TPP_SHAPE(1, 1, p->ref));
        assert_output(g, "next.ref", TPP_SHAPE(1, 1, p->ref));
        assert_true(has_input(g, "state.qpos"));
        assert_int_equal(has_input(g, "state.content"), p->content);
        assert_int_equal(find_output(g, "next.content") != NULL, p->content);
        assert_int_equal(has_input(g, "state.mask"), p->mask);
        assert_int_equal(find_output(g, "next.mask") != NULL, p->mask);
        assert_int_equal(find_output(g, "memory_read") != NULL, p->mask);
        assert_int_equal(has_input(g, "state.key"), p->key);
        assert_int_equal(has_input(g, "sentence"), p->sentence);
        assert_int_equal(has_input(g, "memory_key"), p->current);
        tpp_graph_close(g);
    }
}

static void without_propagation_every_frame_is_a_first_one(void **state)
{
    (void)state;
    const struct tpp_model_config c =
        configure(SETTINGS(SMALL, "prop.box=false", "prop.mask=false", "prop.query=false"));
    const tpp_model_dims d = size(&c, 32, 32);
    tpp_graph *g = build_frame(&d, 0, 5, false), *next = open_graph();
    assert_null(find_output(g, "next.ref"));
    assert_null(find_output(g, "next.qpos"));
    assert_int_equal(tpp_build_frame(next, &d, &(tpp_frame_spec){.queries = 5, .keep = 5}),
                     TPP_EUSAGE);
    tpp_graph_close(g);
    tpp_graph_close(next);
}

#define CLIP "mode=clip", "prop.box=false", "prop.mask=false", "prop.query=false"

/* All frames of a clip in one graph, whatever the fusion; the pixel decoder joins their tokens. */
static void a_clip_is_one_frame_graph_with_a_batch_axis(void **state)
{
    (void)state;
    static const char *const cases[] = {"fusion.mode=prompt_weighted",
                                        "mem.fpn=true",
                                        "fpn.text=all",
                                        "query.init=zeros",
                                        "model.num_queries=1",
                                        "model.num_classes=3",
                                        "text.ablate=true",
                                        "model.box_refine=false"};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct tpp_model_config c = configure(SETTINGS(SMALL, CLIP, cases[i]));
        const tpp_model_dims d = size(&c, 64, 96);
        const int64_t q = c.model.num_queries, k = c.model.num_classes;
        const tpp_frame_spec spec = {.keep = (int)q, .all_masks = true, .frames = 4};
        tpp_graph *encode = open_graph(), *g = open_graph();
        assert_built(tpp_build_encode(encode, &d, 4));
        assert_built(tpp_build_frame(g, &d, &spec));
        assert_output(encode, "encoder", TPP_SHAPE(4, 128, 32));
        assert_input(g, "encoder", TPP_SHAPE(4, 128, 32));
        assert_output(g, "hs1", TPP_SHAPE(4, q, 32));
        assert_output(g, "box1", TPP_SHAPE(4, q, 4));
        assert_output(g, "logit1", TPP_SHAPE(4, q, k));
        assert_output(g, "best", TPP_SHAPE(1));
        assert_output(g, "mask", TPP_SHAPE(4 * q, 16, 24));
        assert_output(g, "best_mask", TPP_SHAPE(4, 384, 1));
        assert_output(g, "record", TPP_SHAPE(32));
        assert_null(find_output(g, "next.ref"));
        tpp_graph_close(encode);
        tpp_graph_close(g);
    }
    const struct tpp_model_config online = configure(SETTINGS(SMALL));
    const tpp_model_dims d = size(&online, 64, 96);
    tpp_graph *g = open_graph();
    assert_int_equal(tpp_build_frame(g, &d, &(tpp_frame_spec){.keep = 1, .frames = 2}), TPP_EUSAGE);
    assert_non_null(strstr(tpp_error(), "one by one"));
    tpp_graph_close(g);
}

/* Training's use: two frames in one graph, the second reads the first's state. */
static void frames_unroll_in_one_graph(void **state)
{
    (void)state;
    const struct tpp_model_config c = configure(SETTINGS(SMALL));
    const tpp_model_dims d = size(&c, 64, 96);
    tpp_graph *g = open_graph();
    const tpp_text_inputs in = {
        .ids = tpp_input(g, "ids", TPP_I32, TPP_SHAPE(PROMPTS, WORDS)),
        .places = tpp_input(g, "places", TPP_I32, TPP_SHAPE(PROMPTS, WORDS)),
        .valid = tpp_input(g, "valid", TPP_I32, TPP_SHAPE(PROMPTS)),
        .word_pos = tpp_input(g, "word_pos", TPP_F32, TPP_SHAPE(PROMPTS, WORDS, 32)),
        .packed = TPP_NONE,
        .packed_valid = TPP_NONE};
    const tpp_text text = tpp_encode_text(g, &d, &in);
    tpp_track track = tpp_first_track(g, &d);
    tpp_frame_outputs out = {0};
    for (int t = 0; t < 2; t++) {
        char name[16];
        tpp_map res[TPP_STAGES];
        (void)snprintf(name, sizeof(name), "image%d", t);
        tpp_backbone(g, &d, tpp_input(g, name, TPP_F32, TPP_SHAPE(1, 64 * 96, 3)), res);
        const tpp_frame_inputs frame = {.image = tpp_encode(g, &d, res, &text),
                                        .sentence = text.sentence,
                                        .res2 = res[0].v,
                                        .text = text,
                                        .keep = 1};
        out = tpp_frame(g, &d, &frame, &track);
        track = out.next;
    }
    tpp_output(g, "hs", out.hs[1]);
    assert_built(tpp_graph_status(g));
    assert_output(g, "hs", TPP_SHAPE(1, 1, 32));
    assert_int_not_equal(track.key, TPP_NONE);
    tpp_graph_close(g);
}

/* ---- switches ---- */

static void every_switch_builds(void **state)
{
    (void)state;
    static const char *const switches[] = {"prompt.select_level=-1",   "prompt.select_level=0",
                                           "prompt.select=fixed",      "fusion.weight_scope=global",
                                           "fusion.divide_by_np=true", "query.text=mean_words",
                                           "query.init=zeros",         "prop.update_pos=true",
                                           "prop.query_net=mlp3",      "fpn.text=all",
                                           "model.box_refine=false",   "model.rel_coord=false",
                                           "mask.coord_scale=stride",  "model.num_classes=5",
                                           "mem.mask_act=sigmoid",     "mem.mask_act=binary",
                                           "mem.residual=true",        "mem.fpn=true",
                                           "text.ablate=true",         "text.num_prompts=1",
                                           "prop.topk=[5,5,5]",        "model.num_queries=1",
                                           "preset=official",          "model.dyn_channels=4"};
    for (size_t i = 0; i < sizeof(switches) / sizeof(switches[0]); i++) {
        const bool one = strcmp(switches[i], "model.num_queries=1") == 0;
        const struct tpp_model_config c =
            configure(SETTINGS(SMALL, switches[i], one ? "prop.topk=1" : "mode=online"));
        build_all(&c, 50, 70);
    }
    const struct tpp_model_config levels =
        configure(SETTINGS(SMALL, "model.levels=3", "prompt.select_level=2"));
    build_all(&levels, 50, 70);
    const struct tpp_model_config all = configure(
        SETTINGS(SMALL, "fpn.text=all", "mem.fpn=true", "model.num_classes=3", "mem.source=current",
                 "prop.topk=[5,3,1]", "fusion.weight_scope=global", "query.text=mean_words"));
    build_all(&all, 33, 65);
}

static void all_words_are_packed_for_the_pixel_decoder(void **state)
{
    (void)state;
    const struct tpp_model_config c = configure(SETTINGS(SMALL, "fpn.text=all"));
    const tpp_model_dims d = size(&c, 32, 32);
    tpp_graph *text = open_graph(), *encode = open_graph();
    assert_built(tpp_build_text(text, &d));
    assert_built(tpp_build_encode(encode, &d, 2));
    assert_input(text, "packed", TPP_SHAPE(PROMPTS * WORDS));
    assert_input(text, "packed_valid", TPP_SHAPE(1));
    assert_output(text, "fpn1.key", TPP_SHAPE(1, PROMPTS * WORDS, 32));
    assert_input(encode, "fpn1.key", TPP_SHAPE(1, PROMPTS * WORDS, 32));
    assert_input(encode, "packed_valid", TPP_SHAPE(1));
    tpp_graph_close(text);
    tpp_graph_close(encode);
}

static void a_pixel_decoder_that_reads_memory_moves_into_the_frame(void **state)
{
    (void)state;
    const struct tpp_model_config c = configure(SETTINGS(SMALL, "mem.fpn=true"));
    const tpp_model_dims d = size(&c, 32, 32);
    tpp_graph *encode = open_graph(), *next = build_frame(&d, 1, 1, false);
    assert_built(tpp_build_encode(encode, &d, 1));
    assert_null(find_output(encode, "mask_features"));
    assert_false(has_input(encode, "res2"));
    assert_false(has_input(next, "mask_features"));
    assert_input(next, "res2", TPP_SHAPE(1, 64, 64));
    assert_true(has_input(next, "fpn4.value"));
    tpp_graph_close(encode);
    tpp_graph_close(next);
}

static void build_configuration(const char *path)
{
    struct tpp_model_config c;
    if (tpp_model_config_read(&c, path, NULL, 0) != TPP_OK) fail_msg("%s", tpp_error());
    tpp_model_dims d;
    const tpp_status s = tpp_model_dims_set(&d, &c, 75, 118, c.text.num_prompts, WORDS);
    if (s == TPP_EUNSUPPORTED)
        print_message("%s: %s\n", path, tpp_error());
    else
        build_all(&c, 75, 118);
}

static void every_file_of_configs_builds(void **state)
{
    (void)state;
    static const char folder[] = TPP_SOURCE_DIR "/configs";
    int files = 0;
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    for (const struct dirent *e = readdir(dir); e != NULL; e = readdir(dir)) {
        char path[512];
        const char *dot = strrchr(e->d_name, '.');
        if (dot == NULL || strcmp(dot, ".yaml") != 0 || strcmp(e->d_name, "prompts.yaml") == 0)
            continue;
        (void)snprintf(path, sizeof(path), "%s/%s", folder, e->d_name);
        build_configuration(path);
        files++;
    }
    (void)closedir(dir);
    assert_int_not_equal(files, 0);
}

/* ---- refusals ---- */

static void assert_refused(const char *setting, const int sizes[4], tpp_status want,
                           const char *said)
{
    struct tpp_model_config c = configure(SETTINGS(SMALL, setting));
    tpp_model_dims d = {.height = -7};
    assert_int_equal(tpp_model_dims_set(&d, &c, sizes[0], sizes[1], sizes[2], sizes[3]), want);
    if (strstr(tpp_error(), said) == NULL) fail_msg("%s: said %s", setting, tpp_error());
    assert_int_equal(d.height, -7);
}

static void what_cannot_be_built_is_refused_by_name(void **state)
{
    (void)state;
    static const int good[] = {64, 64, PROMPTS, WORDS}, low[] = {31, 64, PROMPTS, WORDS},
                     narrow[] = {64, 31, PROMPTS, WORDS}, huge[] = {64, 40000, PROMPTS, WORDS},
                     none[] = {64, 64, 0, WORDS}, two[] = {64, 64, 2, WORDS},
                     empty[] = {64, 64, PROMPTS, 0}, wordy[] = {64, 64, PROMPTS, 513};
    assert_refused("backbone.name=swin_t", good, TPP_EUNSUPPORTED, "backbone.name: swin_t");
    assert_refused("backbone.name=video_swin_b", good, TPP_EUNSUPPORTED, "video_swin_b");
    assert_refused("mode=online", low, TPP_EUSAGE, "31 x 64");
    assert_refused("mode=online", narrow, TPP_EUSAGE, "64 x 31");
    assert_refused("mode=online", huge, TPP_EUSAGE, "64 x 40000");
    assert_refused("mode=online", none, TPP_EUSAGE, "0 prompts");
    assert_refused("prompt.fixed_index=1", empty, TPP_EUSAGE, "0 tokens");
    assert_refused("mode=online", wordy, TPP_EUSAGE, "513 tokens");
    struct tpp_model_config c =
        configure(SETTINGS(SMALL, "prompt.select=fixed", "prompt.fixed_index=2"));
    tpp_model_dims d;
    assert_int_equal(tpp_model_dims_set(&d, &c, 64, 64, 2, WORDS), TPP_EUSAGE);
    assert_non_null(strstr(tpp_error(), "prompt.fixed_index"));
    c = configure(SETTINGS(SMALL, "fusion.mode=single", "text.num_prompts=1"));
    assert_int_equal(tpp_model_dims_set(&d, &c, two[0], two[1], two[2], two[3]), TPP_EUSAGE);
    assert_non_null(strstr(tpp_error(), "fusion.mode"));
}

static void more_queries_cannot_go_on_than_there_are(void **state)
{
    (void)state;
    const struct tpp_model_config c = configure(SETTINGS(SMALL));
    const tpp_model_dims d = size(&c, 32, 32);
    static const int keeps[] = {0, 6};
    for (int i = 0; i < 2; i++) {
        tpp_graph *g = open_graph();
        assert_int_equal(tpp_build_frame(g, &d, &(tpp_frame_spec){.keep = keeps[i]}), TPP_EUSAGE);
        tpp_graph_close(g);
    }
}

/* Whatever allocation fails, building says so and everything is freed (address sanitizer). */
static void building_survives_any_failed_allocation(void **state)
{
    (void)state;
    const struct tpp_model_config c = configure(SETTINGS(SMALL, "fusion.weight_scope=global"));
    const tpp_model_dims d = size(&c, 32, 32);
    bool built = false;
    for (int64_t n = 0; !built; n += 3) {
        tpp_graph *g = NULL;
        tpp_alloc_fail_after(n);
        tpp_status s = tpp_graph_open(&g);
        if (s == TPP_OK) s = tpp_build_text(g, &d);
        if (s == TPP_OK) s = tpp_build_encode(g, &d, 1);
        if (s == TPP_OK) s = tpp_build_frame(g, &d, &(tpp_frame_spec){.keep = 1});
        tpp_alloc_fail_after(-1);
        built = s == TPP_OK;
        if (!built) assert_int_equal(s, TPP_ENOMEM);
        tpp_graph_close(g);
        assert_true(n < 100000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(backbone_gives_four_stages),
        cmocka_unit_test(encode_gives_levels_and_mask_features),
        cmocka_unit_test(text_gives_words_sentence_and_keys),
        cmocka_unit_test(frames_give_one_mask_and_a_record),
        cmocka_unit_test(all_masks_keeps_every_query),
        cmocka_unit_test(topk_decides_the_queries_that_go_on),
        cmocka_unit_test(next_state_has_memory_of_its_own),
        cmocka_unit_test(frames_read_only_what_is_propagated),
        cmocka_unit_test(without_propagation_every_frame_is_a_first_one),
        cmocka_unit_test(a_clip_is_one_frame_graph_with_a_batch_axis),
        cmocka_unit_test(frames_unroll_in_one_graph),
        cmocka_unit_test(every_switch_builds),
        cmocka_unit_test(all_words_are_packed_for_the_pixel_decoder),
        cmocka_unit_test(a_pixel_decoder_that_reads_memory_moves_into_the_frame),
        cmocka_unit_test(every_file_of_configs_builds),
        cmocka_unit_test(what_cannot_be_built_is_refused_by_name),
        cmocka_unit_test(more_queries_cannot_go_on_than_there_are),
        cmocka_unit_test(building_survives_any_failed_allocation),
    };
    return cmocka_run_group_tests_name("model.graphs", tests, NULL, NULL);
}
