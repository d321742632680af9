/* A small model on one device, frames for it and their results: for the tests of sessions.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_TESTS_INFER_SESSION_SUITE_H
#define TPP_TESTS_INFER_SESSION_SUITE_H

#include "core/synth.h"
#include "infer/session.h"
#include "infer/weights.h"
#include "unit.h"

enum { HEIGHT = 60, WIDTH = 84, FRAMES = 7, PROMPTS = 3 };

typedef struct suite {
    tpp_device *device;
    tpp_store *store;
    struct tpp_model_config config;
    uint64_t seed;
} suite;

static const int32_t words[PROMPTS][6] = {{0, 11, 12, 13, 14, 2}, {0, 21, 22, 2}, {0, 31, 2}};
static const tpp_prompt prompts[PROMPTS] = {{words[0], 6}, {words[1], 4}, {words[2], 3}};

static tpp_status configure(struct tpp_model_config *c)
{
    static const char *const settings[] = {
        "backbone.name=tiny", "model.hidden=32",    "model.heads=4",      "model.ffn=64",
        "model.mask_dim=16",  "model.enc_layers=1", "model.dec_layers=2", "text.layers=1",
        "text.hidden=32",     "text.heads=2",       "text.ffn=64",        "text.vocab=100",
        "infer.short=64",     "infer.max=96",       "infer.min_score=0"};
    return tpp_model_config_read(c, NULL, settings, sizeof(settings) / sizeof(settings[0]));
}

static int open_suite(void **state)
{
    static suite s;
    s.seed = 3;
    *state = &s;
    if (unit_open_device((void **)&s.device) == 0 && configure(&s.config) == TPP_OK &&
        tpp_store_open(&s.store, s.device, tpp_synth_source, &s.seed) == TPP_OK)
        return 0;
    print_error("%s\n", tpp_error());
    return -1;
}

static int close_suite(void **state)
{
    const suite *s = *state;
    tpp_store_close(s->store);
    tpp_device_close(s->device);
    return 0;
}

/* ---- frames and results ---- */

static void draw_frame(uint8_t *out, int height, int width, int channels, int t)
{
    char name[16];
    (void)snprintf(name, sizeof(name), "frame%d", t);
    const uint64_t key = tpp_synth_key(name, 1);
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            const int i = y * width + x, dx = x - width / 2 - 3 * t, dy = y - height / 2;
            const int bright = dx * dx + 2 * dy * dy < width * height / 12 ? 150 : 20;
            const double noise = tpp_synth_value(key, (uint64_t)i);
            for (int c = 0; c < channels; c++)
                out[i * channels + c] = (uint8_t)(bright + 40 * noise);
        }
}

typedef struct result {
    uint8_t *mask;
    tpp_frame_result told;
} result;

static void take(tpp_session *s, result *r, size_t pixels)
{
    UNIT_OK(tpp_session_take(s, &r->told));
    r->mask = tpp_calloc(pixels, 1);
    assert_non_null(r->mask);
    memcpy(r->mask, r->told.mask, pixels);
    r->told.mask = NULL;
}

/* Runs `n` frames, as many in flight as can be. */
static void run_frames(tpp_session *s, const tpp_session_options *o, result *out, int n)
{
    const size_t pixels = (size_t)o->height * (size_t)o->width;
    uint8_t *frame = tpp_calloc(pixels, (size_t)o->channels);
    assert_non_null(frame);
    int pushed = 0, taken = 0;
    while (taken < n) {
        while (pushed < n && pushed - taken < tpp_session_depth(s)) {
            draw_frame(frame, o->height, o->width, o->channels, pushed++);
            UNIT_OK(tpp_session_push(s, frame));
        }
        if (pushed == n) UNIT_OK(tpp_session_flush(s));
        while (tpp_session_can_take(s)) take(s, &out[taken++], pixels);
    }
    tpp_free(frame);
}

static void free_results(result *r, int n)
{
    for (int i = 0; i < n; i++) tpp_free(r[i].mask);
}

static void assert_same(const result *a, const result *b, int n, size_t pixels)
{
    for (int i = 0; i < n; i++) {
        assert_memory_equal(a[i].mask, b[i].mask, pixels);
        assert_memory_equal(a[i].told.box, b[i].told.box, sizeof(a[i].told.box));
        assert_true(a[i].told.score == b[i].told.score);
        assert_int_equal(a[i].told.best, b[i].told.best);
        assert_int_equal(a[i].told.prompt, b[i].told.prompt);
        assert_int_equal(a[i].told.frame, i);
        assert_int_equal(b[i].told.frame, i);
    }
}

static tpp_session *open_session(const suite *s, const tpp_session_options *o)
{
    tpp_session *session = NULL;
    UNIT_OK(tpp_session_open(&session, &s->config, s->store, prompts, PROMPTS, o));
    return session;
}

static const tpp_session_options usual = {.height = HEIGHT, .width = WIDTH, .channels = 3};

#endif
