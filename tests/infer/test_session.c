/* Sessions: the same frames give the same masks however they are batched, nothing is made or waited
 * for between frames, odd sizes are input, too little memory is said before anything runs.
 * SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "session_suite.h"

enum { SIDES = 2 };

static void run_new(const suite *s, const tpp_session_options *o, result *out, int n)
{
    tpp_session *session = open_session(s, o);
    run_frames(session, o, out, n);
    tpp_session_close(session);
}

/* ---- the same numbers ---- */

/* What the other tests compare is worth comparing: masks of both kinds of pixels that change. */
static void masks_follow_the_frames(void **state)
{
    const suite *s = *state;
    result r[FRAMES];
    run_new(s, &usual, r, FRAMES);
    int mixed = 0, changed = 0;
    for (int t = 0; t < FRAMES; t++) {
        int64_t inside = 0;
        for (int i = 0; i < HEIGHT * WIDTH; i++) {
            assert_true(r[t].mask[i] <= 1);
            inside += r[t].mask[i];
        }
        mixed += inside > 0 && inside < HEIGHT * WIDTH;
        changed += t > 0 && memcmp(r[t].mask, r[t - 1].mask, HEIGHT * WIDTH) != 0;
        assert_true(r[t].told.score > 0 && r[t].told.score < 1);
        assert_in_range(r[t].told.best, 0, s->config.model.num_queries - 1);
        assert_in_range(r[t].told.prompt, 0, PROMPTS - 1);
        for (int i = 0; i < 4; i++) assert_true(r[t].told.box[i] >= 0 && r[t].told.box[i] <= 1);
    }
    assert_true(mixed > 0 && changed > 0);
    free_results(r, FRAMES);
}

static void the_same_run_gives_the_same_bytes(void **state)
{
    const suite *s = *state;
    result a[FRAMES], b[FRAMES];
    run_new(s, &usual, a, FRAMES);
    run_new(s, &usual, b, FRAMES);
    assert_same(a, b, FRAMES, HEIGHT * WIDTH);
    free_results(a, FRAMES);
    free_results(b, FRAMES);
}

/* Seven frames: the last batch of two, four and sixteen is not full. */
static void frames_encoded_ahead_give_the_same_masks(void **state)
{
    const suite *s = *state;
    static const int ahead[] = {2, 4, 16};
    result one[FRAMES], more[FRAMES];
    run_new(s, &usual, one, FRAMES);
    for (size_t i = 0; i < sizeof(ahead) / sizeof(ahead[0]); i++) {
        tpp_session_options o = usual;
        o.ahead = ahead[i];
        run_new(s, &o, more, FRAMES);
        assert_same(one, more, FRAMES, HEIGHT * WIDTH);
        free_results(more, FRAMES);
    }
    free_results(one, FRAMES);
}

/* A flush in the middle of a sequence, and of nothing. */
static void batches_may_be_flushed_at_any_time(void **state)
{
    const suite *s = *state;
    tpp_session_options o = usual;
    o.ahead = 4;
    uint8_t frame[HEIGHT * WIDTH * 3];
    result one[FRAMES], flushed[FRAMES];
    run_new(s, &usual, one, FRAMES);
    tpp_session *session = open_session(s, &o);
    UNIT_OK(tpp_session_flush(session));
    for (int t = 0, taken = 0; t < FRAMES; t++) {
        draw_frame(frame, HEIGHT, WIDTH, 3, t);
        UNIT_OK(tpp_session_push(session, frame));
        if (t % 3 != 1 && t + 1 < FRAMES) continue;
        UNIT_OK(tpp_session_flush(session));
        UNIT_OK(tpp_session_flush(session));
        while (tpp_session_can_take(session)) take(session, &flushed[taken++], HEIGHT * WIDTH);
    }
    tpp_session_close(session);
    assert_same(one, flushed, FRAMES, HEIGHT * WIDTH);
    free_results(one, FRAMES);
    free_results(flushed, FRAMES);
}

static void a_reset_is_as_good_as_a_new_session(void **state)
{
    const suite *s = *state;
    for (int ahead = 1; ahead <= 4; ahead += 3) {
        tpp_session_options o = usual;
        o.ahead = ahead;
        result first[FRAMES], second[FRAMES];
        tpp_session *session = open_session(s, &o);
        run_frames(session, &o, first, FRAMES);
        UNIT_OK(tpp_session_reset(session));
        run_frames(session, &o, second, FRAMES);
        assert_same(first, second, FRAMES, HEIGHT * WIDTH);
        tpp_session_close(session);
        free_results(first, FRAMES);
        free_results(second, FRAMES);
    }
}

static void grey_frames_are_those_of_three_equal_channels(void **state)
{
    const suite *s = *state;
    tpp_session_options grey = usual;
    grey.channels = 1;
    result a[FRAMES], b[FRAMES];
    run_new(s, &usual, a, FRAMES);
    run_new(s, &grey, b, FRAMES);
    assert_same(a, b, FRAMES, HEIGHT * WIDTH);
    free_results(a, FRAMES);
    free_results(b, FRAMES);
}

static void queries_may_grow_fewer_along_a_sequence(void **state)
{
    suite s = *(const suite *)*state;
    static const char *const settings[] = {"prop.topk=[5,3,1]"};
    struct tpp_model_config read;
    UNIT_OK(tpp_model_config_read(&read, NULL, settings, 1));
    s.config.prop = read.prop;
    result one[FRAMES], more[FRAMES];
    tpp_session_options o = usual;
    run_new(&s, &o, one, FRAMES);
    o.ahead = 4;
    run_new(&s, &o, more, FRAMES);
    assert_same(one, more, FRAMES, HEIGHT * WIDTH);
    free_results(one, FRAMES);
    free_results(more, FRAMES);
}

static void a_poisoned_arena_changes_nothing(void **state)
{
    const suite *s = *state;
    result a[FRAMES], b[FRAMES];
    tpp_session_options o = usual;
    o.ahead = 2;
    run_new(s, &o, a, FRAMES);
    assert_int_equal(setenv("TPP_POISON", "1", 1), 0);
    run_new(s, &o, b, FRAMES);
    assert_int_equal(unsetenv("TPP_POISON"), 0);
    assert_same(a, b, FRAMES, HEIGHT * WIDTH);
    free_results(a, FRAMES);
    free_results(b, FRAMES);
}

/* ---- what a frame costs ---- */

static void between_frames_nothing_is_made_and_little_waited_for(void **state)
{
    const suite *s = *state;
    for (int ahead = 1; ahead <= 4; ahead += 3) {
        tpp_session_options o = usual;
        o.ahead = ahead;
        result warm[8];
        tpp_frame_result r;
        uint8_t frame[HEIGHT * WIDTH * 3];
        tpp_session *session = open_session(s, &o);
        run_frames(session, &o, warm, 2 * ahead);
        free_results(warm, 2 * ahead);
        const uint64_t allocations = tpp_alloc_count();
        const tpp_device_counts before = tpp_device_count(s->device);
        enum { ROUNDS = 3 };
        for (int round = 0; round < ROUNDS; round++) {
            for (int i = 0; i < ahead; i++) {
                draw_frame(frame, HEIGHT, WIDTH, 3, round + i);
                UNIT_OK(tpp_session_push(session, frame));
            }
            assert_int_equal(tpp_device_count(s->device).waits - before.waits, round * ahead);
            for (int i = 0; i < ahead; i++) UNIT_OK(tpp_session_take(session, &r));
        }
        const tpp_device_counts after = tpp_device_count(s->device);
        const uint64_t frames = (uint64_t)ROUNDS * (uint64_t)ahead, pixels = HEIGHT * WIDTH;
        assert_true(tpp_alloc_count() == allocations);
        assert_int_equal(after.buffers, before.buffers);
        assert_int_equal(after.finishes, before.finishes);
        assert_true(after.waits - before.waits <= frames);
        assert_int_equal(after.bytes_up - before.bytes_up, frames * pixels * 3);
        assert_true(after.bytes_down - before.bytes_down <= frames * (pixels + 256));
        assert_true(after.bytes_down - before.bytes_down >= frames * pixels);
        tpp_session_close(session);
    }
}

static void everything_is_given_back(void **state)
{
    const suite *s = *state;
    tpp_session_close(open_session(s, &usual));
    tpp_store_trim(s->store);
    assert_int_equal(tpp_store_bytes(s->store), 0);
    assert_int_equal(tpp_device_bytes(s->device), 0);
    tpp_session_close(NULL);
}

static void the_sizes_are_those_of_the_device(void **state)
{
    const suite *s = *state;
    tpp_session *session = open_session(s, &usual);
    const tpp_session_info info = tpp_session_info_of(session);
    assert_int_equal(info.net_height, 64);
    assert_int_equal(info.net_width, 89); /* floor(64 * 84 / 60) */
    assert_true(info.arena_bytes > 0 && info.own_bytes > 0 && info.launches > 50);
    assert_int_equal(info.store_bytes, tpp_store_bytes(s->store));
    /* Beside these there is the state from frame to frame. */
    const size_t known = info.arena_bytes + info.own_bytes + info.store_bytes + info.ring_bytes;
    assert_true(tpp_device_bytes(s->device) >= known);
    assert_true(tpp_device_bytes(s->device) - known < info.own_bytes);
    tpp_session_close(session);
}

/* ---- odd sizes ---- */

static void any_size_of_frame_is_input(void **state)
{
    const suite *s = *state;
    static const int sizes[][SIDES] = {{1, 1}, {1, 50}, {50, 1}, {33, 47}, {200, 30}};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
        for (int channels = 1; channels <= 3; channels += 2) {
            const tpp_session_options o = {
                .height = sizes[i][0], .width = sizes[i][1], .channels = channels, .ahead = 2};
            const size_t pixels = (size_t)o.height * (size_t)o.width;
            tpp_session_options single = o;
            single.ahead = 1;
            result a[3], b[3];
            run_new(s, &o, a, 3);
            run_new(s, &single, b, 3);
            assert_same(a, b, 3, pixels);
            for (size_t p = 0; p < pixels; p++) assert_true(a[2].mask[p] <= 1);
            free_results(a, 3);
            free_results(b, 3);
        }
}

static void network_sizes_follow_the_configuration(void **state)
{
    static const int cases[][4] = {{60, 84, 64, 89},   {84, 60, 89, 64}, {50, 50, 64, 64},
                                   {100, 300, 32, 96}, {1, 50, 32, 96},  {50, 1, 96, 32}};
    const suite *s = *state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int height = 0, width = 0;
        tpp_net_size(&s->config, cases[i][0], cases[i][1], &height, &width);
        assert_int_equal(height, cases[i][2]);
        assert_int_equal(width, cases[i][3]);
    }
}

/* ---- refusals ---- */

static void pushing_and_taking_keep_their_order(void **state)
{
    const suite *s = *state;
    static const uint8_t frame[HEIGHT * WIDTH * 3];
    tpp_session_options o = usual;
    tpp_frame_result r = {.frame = -5};
    o.ahead = 2;
    tpp_session *session = open_session(s, &o);
    assert_int_equal(tpp_session_depth(session), 4);
    UNIT_FAILS(tpp_session_take(session, &r), TPP_EUSAGE, "no frame to take");
    UNIT_OK(tpp_session_push(session, frame));
    assert_false(tpp_session_can_take(session)); /* its batch is not full */
    UNIT_FAILS(tpp_session_take(session, &r), TPP_EUSAGE, "no frame to take");
    assert_int_equal(r.frame, -5);
    UNIT_FAILS(tpp_session_reset(session), TPP_EUSAGE, "1 frames were not taken");
    for (int i = 1; i < 4; i++) UNIT_OK(tpp_session_push(session, frame));
    UNIT_FAILS(tpp_session_push(session, frame), TPP_EUSAGE, "4 frames are in flight");
    for (int i = 0; i < 4; i++) {
        UNIT_OK(tpp_session_take(session, &r));
        assert_int_equal(r.frame, i);
    }
    UNIT_FAILS(tpp_session_take(session, &r), TPP_EUSAGE, "no frame to take");
    UNIT_OK(tpp_session_reset(session));
    tpp_session_close(session);
}

static void refuse(const suite *s, const tpp_session_options *o, const tpp_prompt *p, int n,
                   const char *fact)
{
    tpp_session *session = NULL;
    UNIT_FAILS(tpp_session_open(&session, &s->config, s->store, p, n, o), TPP_EUSAGE, fact);
    assert_null(session);
}

static void options_and_prompts_are_checked(void **state)
{
    const suite *s = *state;
    static const int32_t foreign[] = {0, 100, 2}, negative[] = {0, -1, 2}, lone[] = {0};
    const tpp_prompt unknown[] = {{foreign, 3}}, below[] = {{negative, 3}}, small[] = {{lone, 1}};
    tpp_session_options o = usual;
    refuse(s, &o, prompts, 0, "at least one prompt");
    refuse(s, &o, unknown, 1, "token 100, the model's vocabulary ends at 99");
    refuse(s, &o, below, 1, "token -1");
    refuse(s, &o, small, 1, "prompt 1 has 1 tokens");
    o.ahead = 17;
    refuse(s, &o, prompts, PROMPTS, "17 frames ahead");
    o = usual;
    o.channels = 4;
    refuse(s, &o, prompts, PROMPTS, "with 4 channels");
    o = usual;
    o.width = 0;
    refuse(s, &o, prompts, PROMPTS, "frames of 60x0");
}

static void dumps_want_a_session_that_keeps_them(void **state)
{
    const suite *s = *state;
    tpp_session *session = open_session(s, &usual);
    UNIT_FAILS(tpp_session_dump(session, false, NULL, NULL), TPP_EUSAGE, "not opened for dumps");
    UNIT_FAILS(tpp_session_print(session, stdout, true, NULL), TPP_EUSAGE, "two frames");
    tpp_session_close(session);
}

/* ---- memory ---- */

/* Opens a session on a device of so many MB and returns what became of it. */
static tpp_status open_on(const suite *s, size_t mb, const tpp_session_options *o,
                          uint64_t *launches)
{
    char text[16];
    tpp_device *d = NULL;
    tpp_store *store = NULL;
    tpp_session *session = NULL;
    uint64_t seed = s->seed;
    (void)snprintf(text, sizeof(text), "%zu", mb);
    assert_int_equal(setenv("TPP_DEVICE_MEMORY_MB", text, 1), 0);
    UNIT_OK(tpp_device_open(&d, getenv("TPP_TEST_DEVICE")));
    assert_int_equal(unsetenv("TPP_DEVICE_MEMORY_MB"), 0);
    UNIT_OK(tpp_store_open(&store, d, tpp_synth_source, &seed));
    const tpp_status status = tpp_session_open(&session, &s->config, store, prompts, PROMPTS, o);
    *launches = tpp_device_count(d).launches;
    if (status != TPP_OK) {
        assert_null(session);
        tpp_store_trim(store);
        assert_int_equal(tpp_device_bytes(d), 0);
    }
    tpp_session_close(session);
    tpp_store_close(store);
    tpp_device_close(d);
    return status;
}

/* From far too little to enough: every refusal is one of memory, and the last of them comes from
 * the plans, before a graph has run. */
static void too_little_memory_is_said_before_anything_runs(void **state)
{
    const suite *s = *state;
    const tpp_session_options o = {.height = 250,
                                   .width = 350,
                                   .channels = 3,
                                   .net_height = 250,
                                   .net_width = 350,
                                   .ahead = 4};
    char last[1024] = "";
    int refused = 0;
    uint64_t launches = 0, ran = 0;
    for (size_t mb = 1; mb < 2000; mb += mb / 4 + 1) {
        const tpp_status status = open_on(s, mb, &o, &ran);
        if (status == TPP_OK) break;
        if (status != TPP_EDEVMEM) fail_msg("%zu MB: %d, %s", mb, (int)status, tpp_error());
        (void)snprintf(last, sizeof(last), "%s", tpp_error());
        launches = ran;
        refused++;
    }
    assert_true(refused > 3);
    assert_non_null(strstr(last, "a network input of 250x350 wants"));
    assert_non_null(strstr(last, "infer.short"));
    assert_true(launches < ran); /* weights were derived, but no prompt encoded */
}

static void opening_survives_failed_allocations(void **state)
{
    const suite *s = *state;
    const tpp_session_options o = {.height = 32, .width = 32, .channels = 1};
    tpp_session *session = NULL;
    const uint64_t before = tpp_alloc_count();
    tpp_session_close(open_session(s, &o));
    const int64_t all = (int64_t)(tpp_alloc_count() - before);
    for (int64_t n = 0; n < all; n += 1 + all / 40) { /* forty places, first to last */
        tpp_alloc_fail_after(n);
        const tpp_status status =
            tpp_session_open(&session, &s->config, s->store, prompts, PROMPTS, &o);
        tpp_alloc_fail_after(-1);
        if (status == TPP_OK)
            tpp_session_close(session); /* what failed was a favour: a cache */
        else if (status != TPP_ENOMEM)
            fail_msg("after %d: %d, %s", (int)n, (int)status, tpp_error());
        session = NULL;
    }
    tpp_store_trim(s->store);
    assert_int_equal(tpp_device_bytes(s->device), 0);
    tpp_session_close(open_session(s, &o));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(masks_follow_the_frames),
        cmocka_unit_test(the_same_run_gives_the_same_bytes),
        cmocka_unit_test(frames_encoded_ahead_give_the_same_masks),
        cmocka_unit_test(batches_may_be_flushed_at_any_time),
        cmocka_unit_test(a_reset_is_as_good_as_a_new_session),
        cmocka_unit_test(grey_frames_are_those_of_three_equal_channels),
        cmocka_unit_test(queries_may_grow_fewer_along_a_sequence),
        cmocka_unit_test(a_poisoned_arena_changes_nothing),
        cmocka_unit_test(between_frames_nothing_is_made_and_little_waited_for),
        cmocka_unit_test(everything_is_given_back),
        cmocka_unit_test(the_sizes_are_those_of_the_device),
        cmocka_unit_test(any_size_of_frame_is_input),
        cmocka_unit_test(network_sizes_follow_the_configuration),
        cmocka_unit_test(pushing_and_taking_keep_their_order),
        cmocka_unit_test(options_and_prompts_are_checked),
        cmocka_unit_test(dumps_want_a_session_that_keeps_them),
        cmocka_unit_test(too_little_memory_is_said_before_anything_runs),
        cmocka_unit_test(opening_survives_failed_allocations),
    };
    return cmocka_run_group_tests_name("infer.session", tests, open_suite, close_suite);
}
