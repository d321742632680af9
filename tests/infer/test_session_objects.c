/* Sessions: several objects in one sequence share the images and nothing else; sequences that begin
 * later, frames looked at by themselves, probabilities.
 * SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "session_suite.h"

#include <math.h>

enum { OBJECTS = 3, PIXELS = HEIGHT * WIDTH };

/* Object i is described by the prompts from i on. */
static tpp_session *open_object(const suite *s, const tpp_session_options *o, int i)
{
    tpp_session *session = NULL;
    UNIT_OK(tpp_session_open(&session, &s->config, s->store, prompts + i, PROMPTS - i, o));
    return session;
}

static void open_objects(const suite *s, tpp_session **out, const tpp_session_options *o)
{
    tpp_session_options shared = {0};
    for (int i = 0; i < OBJECTS; i++) {
        out[i] = open_object(s, i == 0 ? o : &shared, i);
        shared.images = out[0];
    }
}

static void close_objects(tpp_session **sessions)
{
    for (int i = OBJECTS - 1; i >= 0; i--) tpp_session_close(sessions[i]);
}

/* Takes what there is to take of all; objects of frames before their beginning have no mask. */
static int take_objects(tpp_session **sessions, result (*out)[FRAMES], int taken)
{
    while (tpp_session_can_take(sessions[0])) {
        for (int i = 0; i < OBJECTS; i++) {
            tpp_frame_result r;
            UNIT_OK(tpp_session_take(sessions[i], &r));
            out[i][taken].told = r;
            out[i][taken].told.mask = NULL;
            if (r.mask == NULL) continue;
            out[i][taken].mask = tpp_calloc(PIXELS, 1);
            assert_non_null(out[i][taken].mask);
            memcpy(out[i][taken].mask, r.mask, PIXELS);
        }
        taken++;
    }
    return taken;
}

static void run_objects(tpp_session **sessions, result (*out)[FRAMES])
{
    uint8_t frame[PIXELS * 3];
    int pushed = 0, taken = 0;
    memset(out, 0, sizeof(*out) * OBJECTS);
    while (taken < FRAMES) {
        while (pushed < FRAMES && pushed - taken < tpp_session_depth(sessions[0])) {
            draw_frame(frame, HEIGHT, WIDTH, 3, pushed++);
            UNIT_OK(tpp_session_push(sessions[0], frame));
        }
        if (pushed == FRAMES) UNIT_OK(tpp_session_flush(sessions[0]));
        taken = take_objects(sessions, out, taken);
    }
}

static void objects_are_found_as_if_they_were_alone(void **state)
{
    const suite *s = *state;
    for (int ahead = 1; ahead <= 4; ahead += 3) {
        tpp_session_options o = usual;
        o.ahead = ahead;
        tpp_session *sessions[OBJECTS];
        result together[OBJECTS][FRAMES], again[OBJECTS][FRAMES];
        open_objects(s, sessions, &o);
        run_objects(sessions, together);
        UNIT_OK(tpp_session_reset(sessions[0]));
        run_objects(sessions, again);
        close_objects(sessions);
        for (int i = 0; i < OBJECTS; i++) {
            result alone[FRAMES];
            tpp_session *one = open_object(s, &o, i);
            run_frames(one, &o, alone, FRAMES);
            tpp_session_close(one);
            assert_same(alone, together[i], FRAMES, PIXELS);
            assert_same(alone, again[i], FRAMES, PIXELS);
            free_results(alone, FRAMES);
            free_results(together[i], FRAMES);
            free_results(again[i], FRAMES);
        }
    }
}

/* A chain that begins at frame b is that of a sequence without the frames before. */
static void an_object_may_begin_later(void **state)
{
    const suite *s = *state;
    enum { BEGIN = 3 };
    for (int ahead = 1; ahead <= 4; ahead += 3) {
        tpp_session_options o = usual;
        o.ahead = ahead;
        tpp_session *sessions[OBJECTS];
        result found[OBJECTS][FRAMES], whole[FRAMES];
        open_objects(s, sessions, &o);
        tpp_session_begin(sessions[1], BEGIN);
        run_objects(sessions, found);
        for (int t = 0; t < BEGIN; t++) assert_null(found[1][t].mask);

        tpp_session *late = open_object(s, &o, 1);
        uint8_t frame[PIXELS * 3];
        for (int t = BEGIN; t < FRAMES; t++) {
            draw_frame(frame, HEIGHT, WIDTH, 3, t);
            UNIT_OK(tpp_session_push(late, frame));
            UNIT_OK(tpp_session_flush(late));
            take(late, &whole[t], PIXELS);
            assert_memory_equal(whole[t].mask, found[1][t].mask, PIXELS);
            assert_true(whole[t].told.score == found[1][t].told.score);
            tpp_free(whole[t].mask);
        }
        tpp_session_close(late);
        close_objects(sessions);
        for (int i = 0; i < OBJECTS; i++) free_results(found[i], FRAMES);
    }
}

static void frames_alone_are_all_first_frames(void **state)
{
    const suite *s = *state;
    result alone[FRAMES], first;
    uint8_t frame[PIXELS * 3];
    tpp_session *session = open_session(s, &usual);
    tpp_session_alone(session, true);
    run_frames(session, &usual, alone, FRAMES);
    UNIT_OK(tpp_session_reset(session));
    tpp_session_alone(session, false);
    for (int t = 0; t < FRAMES; t++) {
        draw_frame(frame, HEIGHT, WIDTH, 3, t);
        UNIT_OK(tpp_session_push(session, frame));
        take(session, &first, PIXELS);
        assert_memory_equal(first.mask, alone[t].mask, PIXELS);
        assert_true(first.told.score == alone[t].told.score);
        tpp_free(first.mask);
        UNIT_OK(tpp_session_reset(session));
    }
    tpp_session_close(session);
    free_results(alone, FRAMES);
}

/* Probability above the threshold is what the mask says; only rounding at the threshold may differ.
 */
static void probabilities_agree_with_the_mask(void **state)
{
    const suite *s = *state;
    tpp_session_options o = usual;
    o.probabilities = true;
    uint8_t frame[PIXELS * 3];
    tpp_session *session = open_session(s, &o);
    tpp_frame_result r;
    for (int t = 0; t < 2; t++) {
        draw_frame(frame, HEIGHT, WIDTH, 3, t);
        UNIT_OK(tpp_session_push(session, frame));
        UNIT_OK(tpp_session_take(session, &r));
        assert_non_null(r.logits);
        for (int i = 0; i < PIXELS; i++) {
            assert_true(isfinite(r.logits[i]));
            if (fabsf(r.logits[i]) > 1e-4F) assert_int_equal(r.mask[i], r.logits[i] > 0);
        }
    }
    tpp_session_close(session);
}

static void misuse_is_refused(void **state)
{
    const suite *s = *state;
    tpp_session *sessions[OBJECTS], *more = NULL;
    uint8_t frame[PIXELS * 3];
    tpp_frame_result r;
    open_objects(s, sessions, &usual);
    draw_frame(frame, HEIGHT, WIDTH, 3, 0);
    UNIT_FAILS(tpp_session_push(sessions[1], frame), TPP_EUSAGE, "pushed to the session");
    UNIT_FAILS(tpp_session_reset(sessions[1]), TPP_EUSAGE, "has the images");
    const tpp_session_options nested = {.images = sessions[1]}, late = {.images = sessions[0]};
    UNIT_FAILS(tpp_session_open(&more, &s->config, s->store, prompts, 1, &nested), TPP_EUSAGE,
               "has none to give");
    UNIT_OK(tpp_session_push(sessions[0], frame));
    UNIT_FAILS(tpp_session_open(&more, &s->config, s->store, prompts, 1, &late), TPP_EUSAGE,
               "pushed before");
    UNIT_OK(tpp_session_take(sessions[0], &r));
    UNIT_FAILS(tpp_session_reset(sessions[0]), TPP_EUSAGE, "1 frames were not taken");
    for (int i = 1; i < OBJECTS; i++) UNIT_OK(tpp_session_take(sessions[i], &r));
    UNIT_OK(tpp_session_reset(sessions[0]));
    close_objects(sessions);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(objects_are_found_as_if_they_were_alone),
        cmocka_unit_test(an_object_may_begin_later),
        cmocka_unit_test(frames_alone_are_all_first_frames),
        cmocka_unit_test(probabilities_agree_with_the_mask),
        cmocka_unit_test(misuse_is_refused),
    };
    return cmocka_run_group_tests(tests, open_suite, close_suite);
}
