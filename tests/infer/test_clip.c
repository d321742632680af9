/* mode=clip in sessions: a clip of one frame is a first frame, frames of a clip see each other and
 * those of another clip do not, they share one query and one score, and clips are full.
 * SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "core/synth.h"
#include "infer/session.h"
#include "infer/weights.h"
#include "unit.h"

#include <math.h>

enum { HEIGHT = 60, WIDTH = 84, PIXELS = HEIGHT * WIDTH, CLIP = 3, PROMPTS = 2 };

typedef struct suite {
    tpp_device *device;
    tpp_store *store;
    struct tpp_model_config clip, online; /* the same model */
    uint64_t seed;
} suite;

static const int32_t words[PROMPTS][5] = {{0, 11, 12, 13, 2}, {0, 21, 2}};
static const tpp_prompt prompts[PROMPTS] = {{words[0], 5}, {words[1], 3}};

#define MICRO                                                                                      \
    "backbone.name=tiny", "model.hidden=32", "model.heads=4", "model.ffn=64", "model.mask_dim=16", \
        "model.enc_layers=1", "model.dec_layers=2", "text.layers=1", "text.hidden=32",             \
        "text.heads=2", "text.ffn=64", "text.vocab=100", "infer.short=64", "prop.box=false",       \
        "prop.mask=false", "prop.query=false", "model.num_classes=2"

static int open_suite(void **state)
{
    static suite s = {.seed = 1};
    static const char *const settings[] = {MICRO, "mode=clip"};
    enum { COUNT = sizeof(settings) / sizeof(settings[0]) };
    *state = &s;
    if (unit_open_device((void **)&s.device) == 0 &&
        tpp_model_config_read(&s.clip, NULL, settings, COUNT) == TPP_OK &&
        tpp_model_config_read(&s.online, NULL, settings, COUNT - 1) == TPP_OK &&
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

static tpp_session_options of_clips(int frames)
{
    return (tpp_session_options){.height = HEIGHT, .width = WIDTH, .channels = 1, .clip = frames};
}

static tpp_session *open_session(const suite *s, const struct tpp_model_config *c, int clip)
{
    tpp_session *session = NULL;
    const tpp_session_options o = of_clips(clip);
    UNIT_OK(tpp_session_open(&session, c, s->store, prompts, PROMPTS, &o));
    return session;
}

static void push(tpp_session *s, int picture)
{
    char name[16];
    uint8_t frame[PIXELS];
    (void)snprintf(name, sizeof(name), "frame%d", picture);
    const uint64_t key = tpp_synth_key(name, 1);
    for (int i = 0; i < PIXELS; i++) {
        const int dx = i % WIDTH - WIDTH / 2 - 3 * picture, dy = i / WIDTH - HEIGHT / 2;
        frame[i] = (uint8_t)((dx * dx + 2 * dy * dy < PIXELS / 12 ? 150 : 20) +
                             40 * tpp_synth_value(key, (uint64_t)i));
    }
    UNIT_OK(tpp_session_push(s, frame));
}

typedef struct result {
    uint8_t mask[PIXELS];
    tpp_frame_result told;
} result;

static void take(tpp_session *s, result *r)
{
    UNIT_OK(tpp_session_take(s, &r->told));
    memcpy(r->mask, r->told.mask, PIXELS);
    r->told.mask = NULL;
}

/* Pushes these pictures and takes what comes of them. */
static void run(tpp_session *s, const int *pictures, int n, result *out)
{
    for (int i = 0; i < n; i++) push(s, pictures[i]);
    for (int i = 0; i < n; i++) take(s, &out[i]);
}

static void run_clip(const suite *s, const int *pictures, int n, result *out)
{
    tpp_session *session = open_session(s, &s->clip, n);
    run(session, pictures, n, out);
    tpp_session_close(session);
}

static void assert_same(const result *a, const result *b)
{
    assert_memory_equal(a->mask, b->mask, PIXELS);
    assert_memory_equal(a->told.box, b->told.box, sizeof(a->told.box));
    assert_true(fabsf(a->told.score - b->told.score) < 1e-6f);
    assert_int_equal(a->told.best, b->told.best);
    assert_int_equal(a->told.prompt, b->told.prompt);
}

/* ---- what the frames of a clip have to do with each other ---- */

static void a_clip_of_one_frame_is_a_first_frame(void **state)
{
    const suite *s = *state;
    for (int picture = 0; picture < 4; picture++) {
        result clip, first;
        run_clip(s, &picture, 1, &clip);
        tpp_session *online = open_session(s, &s->online, 0);
        run(online, &picture, 1, &first);
        tpp_session_close(online);
        assert_same(&clip, &first);
    }
}

static void frames_share_a_query_and_a_score_and_see_each_other(void **state)
{
    const suite *s = *state;
    static const int pictures[] = {0, 1, 2}, others[] = {0, 1, 7};
    result a[CLIP], b[CLIP], alone;
    run_clip(s, pictures, CLIP, a);
    run_clip(s, others, CLIP, b);
    run_clip(s, pictures, 1, &alone);
    for (int t = 0; t < CLIP; t++) {
        assert_int_equal(a[t].told.best, a[0].told.best);
        assert_true(a[t].told.score == a[0].told.score);
        assert_true(a[t].told.score > 0 && a[t].told.score < 1);
        assert_int_equal(a[t].told.frame, t);
    }
    assert_memory_not_equal(a[0].told.box, a[1].told.box, sizeof(a[0].told.box));
    /* The pixel decoder looks at the other frames: masks of the same frame differ. */
    assert_memory_not_equal(a[0].mask, b[0].mask, PIXELS);
    assert_memory_not_equal(a[0].mask, alone.mask, PIXELS);
}

/* Three clips through one session, each as if it were alone. */
static void clips_know_nothing_of_each_other(void **state)
{
    const suite *s = *state;
    static const int pictures[3][CLIP] = {{0, 1, 2}, {3, 4, 5}, {6, 7, 8}};
    result all[3 * CLIP], one[CLIP];
    tpp_session *session = open_session(s, &s->clip, CLIP);
    assert_int_equal(tpp_session_depth(session), CLIP);
    int taken = 0;
    for (int pushed = 0; pushed < 3 * CLIP; pushed++) { /* as many in flight as can be */
        if (pushed - taken == tpp_session_depth(session)) take(session, &all[taken++]);
        push(session, pictures[pushed / CLIP][pushed % CLIP]);
    }
    while (taken < 3 * CLIP) take(session, &all[taken++]);
    UNIT_OK(tpp_session_reset(session));
    for (int i = 0; i < 3; i++) {
        run(session, pictures[i], CLIP, one);
        for (int t = 0; t < CLIP; t++) assert_same(&all[i * CLIP + t], &one[t]);
    }
    tpp_session_close(session);
}

static void a_score_below_the_least_leaves_all_masks_empty(void **state)
{
    suite s = *(const suite *)*state;
    static const int pictures[] = {0, 1, 2};
    static const uint8_t blank[PIXELS];
    result r[CLIP];
    s.clip.infer.min_score = 1;
    run_clip(&s, pictures, CLIP, r);
    for (int t = 0; t < CLIP; t++) assert_memory_equal(r[t].mask, blank, PIXELS);
}

/* ---- cost ---- */

static void between_clips_nothing_is_made(void **state)
{
    const suite *s = *state;
    static const int pictures[] = {0, 1, 2};
    static result r[CLIP];
    tpp_session *session = open_session(s, &s->clip, CLIP);
    run(session, pictures, CLIP, r);
    const uint64_t allocations = tpp_alloc_count();
    const tpp_device_counts before = tpp_device_count(s->device);
    for (int i = 0; i < 3; i++) run(session, pictures, CLIP, r);
    const tpp_device_counts after = tpp_device_count(s->device);
    assert_true(tpp_alloc_count() == allocations);
    assert_int_equal(after.buffers, before.buffers);
    assert_int_equal(after.finishes, before.finishes);
    assert_int_equal(after.waits - before.waits, 3 * CLIP);
    tpp_session_close(session);
}

/* ---- refusals ---- */

static void clips_are_full_and_fit_the_mode(void **state)
{
    const suite *s = *state;
    tpp_session *session = open_session(s, &s->clip, CLIP), *none = NULL;
    tpp_frame_result r;
    UNIT_OK(tpp_session_flush(session));
    push(session, 0);
    UNIT_FAILS(tpp_session_take(session, &r), TPP_EUSAGE, "no frame to take");
    UNIT_FAILS(tpp_session_flush(session), TPP_EUSAGE, "a clip wants 3 frames, only 1 were pushed");
    tpp_session_close(session);
    tpp_session_options o = of_clips(0);
    UNIT_FAILS(tpp_session_open(&none, &s->clip, s->store, prompts, PROMPTS, &o), TPP_EUSAGE,
               "clips of 0 frames, mode clip wants at least 1");
    o = of_clips(2);
    UNIT_FAILS(tpp_session_open(&none, &s->online, s->store, prompts, PROMPTS, &o), TPP_EUSAGE,
               "clips of 2 frames, mode online wants none");
    o.ahead = 2;
    UNIT_FAILS(tpp_session_open(&none, &s->clip, s->store, prompts, PROMPTS, &o), TPP_EUSAGE,
               "infer.clip");
}

/* The whole sequence at once on a device for a few frames: refused with numbers before it runs. */
static void a_clip_that_does_not_fit_is_refused_by_its_length(void **state)
{
    const suite *s = *state;
    tpp_device *d = NULL;
    tpp_store *store = NULL;
    tpp_session *session = NULL;
    uint64_t seed = s->seed;
    assert_int_equal(setenv("TPP_DEVICE_MEMORY_MB", "20", 1), 0);
    UNIT_OK(tpp_device_open(&d, getenv("TPP_TEST_DEVICE")));
    assert_int_equal(unsetenv("TPP_DEVICE_MEMORY_MB"), 0);
    UNIT_OK(tpp_store_open(&store, d, tpp_synth_source, &seed));
    const tpp_session_options few = of_clips(2), many = of_clips(60), endless = of_clips(200000);
    UNIT_FAILS(tpp_session_open(&session, &s->clip, store, prompts, PROMPTS, &many), TPP_EDEVMEM,
               "64x89, 60 frames together, wants");
    assert_non_null(strstr(tpp_error(), "shorter clips (infer.clip)"));
    UNIT_FAILS(tpp_session_open(&session, &s->clip, store, prompts, PROMPTS, &endless), TPP_EDEVMEM,
               "200000 frames of 64x89 together are too much for any device");
    UNIT_OK(tpp_session_open(&session, &s->clip, store, prompts, PROMPTS, &few));
    tpp_session_close(session);
    tpp_store_close(store);
    tpp_device_close(d);
}

/* A second object in the images of the first is found as if it were alone. */
static void objects_share_the_images_of_a_clip(void **state)
{
    const suite *s = *state;
    static const int pictures[] = {0, 1, 2};
    result together[2][CLIP], alone[CLIP];
    tpp_session *first = open_session(s, &s->clip, CLIP), *second = NULL, *single = NULL;
    const tpp_session_options shared = {.images = first}, own = of_clips(CLIP);
    UNIT_OK(tpp_session_open(&second, &s->clip, s->store, prompts + 1, 1, &shared));
    for (int i = 0; i < CLIP; i++) push(first, pictures[i]);
    for (int i = 0; i < CLIP; i++) take(first, &together[0][i]);
    for (int i = 0; i < CLIP; i++) take(second, &together[1][i]);
    tpp_session_close(second);
    tpp_session_close(first);
    UNIT_OK(tpp_session_open(&single, &s->clip, s->store, prompts + 1, 1, &own));
    run(single, pictures, CLIP, alone);
    tpp_session_close(single);
    for (int i = 0; i < CLIP; i++) assert_same(&alone[i], &together[1][i]);
    run_clip(s, pictures, CLIP, alone);
    for (int i = 0; i < CLIP; i++) assert_same(&alone[i], &together[0][i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_clip_of_one_frame_is_a_first_frame),
        cmocka_unit_test(frames_share_a_query_and_a_score_and_see_each_other),
        cmocka_unit_test(clips_know_nothing_of_each_other),
        cmocka_unit_test(a_score_below_the_least_leaves_all_masks_empty),
        cmocka_unit_test(between_clips_nothing_is_made),
        cmocka_unit_test(clips_are_full_and_fit_the_mode),
        cmocka_unit_test(a_clip_that_does_not_fit_is_refused_by_its_length),
        cmocka_unit_test(objects_share_the_images_of_a_clip),
    };
    return cmocka_run_group_tests_name("infer.clip", tests, open_suite, close_suite);
}
