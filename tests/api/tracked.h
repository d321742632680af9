/* A small model folder, a device, frames and what trackers find in them.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_TESTS_API_TRACKED_H
#define TPP_TESTS_API_TRACKED_H

/* clang-format off */
#include "../infer/folder.h"
#include "infer/model_folder.h"
#include "core/log.h"
#include "tpp.h"
/* clang-format on */

enum { HEIGHT = 30, WIDTH = 40, CHANNELS = 3, PIXELS = HEIGHT * WIDTH, FRAMES = 6, OBJECTS = 3 };

static const char *const sentences[] = {"a bright disc", "the round thing that moves",
                                        "the dark ground"};

static tpp_device *device;
static tpp_model *model;

static inline int open_all(void **state)
{
    const char *const settings[] = {"infer.min_score=0"};
    if (folder_setup(state) != 0) return -1;
    tpp_log_set(TPP_LOG_ERROR, NULL, NULL); /* not that the weights are synthetic */
    const struct tpp_model_config config = micro_config();
    if (tpp_model_folder_synth(in_folder("model"), &config, 3, TPP_SOURCE_DIR "/weights/vocab",
                               false) == TPP_OK &&
        tpp_device_open(&device, getenv("TPP_TEST_DEVICE")) == TPP_OK &&
        tpp_model_open(&model, in_folder("model"), settings, 1) == TPP_OK)
        return 0;
    print_error("%s\n", tpp_error());
    return -1;
}

static inline int close_all(void **state)
{
    tpp_model_close(model);
    tpp_device_close(device);
    return folder_teardown(state);
}

static const tpp_tracker_options usual = {
    .size = sizeof(usual), .height = HEIGHT, .width = WIDTH, .channels = CHANNELS};

/* A tracker in which object i is described by the sentences from `first` + i on. */
static inline tpp_tracker *open_tracker(const tpp_tracker_options *o, int first, int objects)
{
    tpp_tracker *t = NULL;
    UNIT_OK(tpp_tracker_open(&t, model, device, o));
    for (int i = 0; i < objects; i++) {
        int object = -1;
        UNIT_OK(tpp_tracker_add(t, sentences + first + i, OBJECTS - first - i, &object));
        assert_int_equal(object, i);
    }
    assert_int_equal(tpp_tracker_objects(t), objects);
    return t;
}

static inline void draw(uint8_t *out, int t)
{
    for (int i = 0; i < PIXELS; i++) {
        const int dx = i % WIDTH - WIDTH / 2 - t, dy = i / WIDTH - HEIGHT / 2;
        for (int c = 0; c < CHANNELS; c++)
            out[i * CHANNELS + c] = (uint8_t)(dx * dx + dy * dy < 100 ? 200 : 30 + 20 * c + i % 7);
    }
}

static inline void push(tpp_tracker *t, int frame)
{
    uint8_t pixels[PIXELS * CHANNELS];
    draw(pixels, frame);
    UNIT_OK(tpp_tracker_push(t, pixels, sizeof(pixels)));
}

/* Masks and records of one object in every frame. */
typedef struct found {
    uint8_t mask[FRAMES][PIXELS];
    tpp_result record[FRAMES];
} found;

/* Runs the frames from `first` on, as many in flight as can be. */
static inline void track(tpp_tracker *t, found *out, int first)
{
    int pushed = first, taken = first;
    while (taken < FRAMES) {
        while (pushed < FRAMES && pushed - taken < tpp_tracker_depth(t)) push(t, pushed++);
        if (pushed == FRAMES) UNIT_OK(tpp_tracker_flush(t));
        for (; tpp_tracker_ready(t); taken++) {
            UNIT_OK(tpp_tracker_take(t));
            for (int i = 0; i < tpp_tracker_objects(t); i++) {
                tpp_result *r = &out[i].record[taken];
                *r = (tpp_result){.size = sizeof(*r)};
                UNIT_OK(tpp_tracker_result(t, i, r));
                assert_int_equal(r->object, i);
                assert_int_equal(r->frame, taken - first);
                if (r->mask != NULL) memcpy(out[i].mask[taken], r->mask, PIXELS);
            }
        }
    }
}

/* The same masks and numbers in frames `first` to the end. */
static inline void assert_found(const found *a, const found *b, int first)
{
    for (int i = first; i < FRAMES; i++) {
        const tpp_result *x = &a->record[i], *y = &b->record[i];
        assert_memory_equal(a->mask[i], b->mask[i], PIXELS);
        assert_memory_equal(x->box, y->box, sizeof(x->box));
        assert_true(x->score == y->score);
        assert_int_equal(x->best, y->best);
        assert_int_equal(x->prompt, y->prompt);
    }
}

#endif
