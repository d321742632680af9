/* Trackers of tpp.h: objects, sequences one after another, options, and what is refused.
 * SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "core/path.h"
#include "infer/tuning_file.h"
#include "infer/tuning_use.h"
#include "tracked.h"

#include <math.h>

static found one[1], many[OBJECTS], again[OBJECTS];

static void models_describe_themselves(void **state)
{
    (void)state;
    tpp_model_info info = {.size = sizeof(info)};
    UNIT_OK(tpp_model_describe(model, &info));
    assert_string_equal(info.folder, in_folder("model"));
    assert_string_equal(info.backbone, "tiny");
    assert_int_equal(info.is_synthetic, 1);
    assert_int_equal(info.short_side, 32);
    assert_int_equal(info.max_side, 64);
    assert_true(info.threshold == 0.5 && info.min_score == 0);
    assert_true(info.num_prompts > 0);
}

static void models_that_cannot_be_opened_say_why(void **state)
{
    (void)state;
    const char *const bad[] = {"infer.shrt=32"};
    tpp_model *m = NULL;
    UNIT_FAILS(tpp_model_open(&m, in_folder("nowhere"), NULL, 0), TPP_EIO, "no such folder");
    UNIT_FAILS(tpp_model_open(&m, in_folder("model"), bad, 1), TPP_EUSAGE, "infer.short");
    UNIT_FAILS(tpp_model_open(&m, NULL, NULL, 0), TPP_EUSAGE, "a folder is wanted");
    UNIT_FAILS(tpp_model_open(&m, in_folder("model"), NULL, 1), TPP_EUSAGE, "settings");
    assert_null(m);
    tpp_model_close(NULL);
    tpp_device_close(NULL);
    tpp_tracker_close(NULL);
}

static void objects_are_found_as_if_they_were_alone(void **state)
{
    (void)state;
    for (int ahead = 1; ahead <= 4; ahead += 3) {
        tpp_tracker_options o = usual;
        o.ahead = ahead;
        tpp_tracker *t = open_tracker(&o, 0, OBJECTS);
        assert_int_equal(tpp_tracker_depth(t), 2 * ahead);
        track(t, many, 0);
        UNIT_OK(tpp_tracker_reset(t));
        track(t, again, 0);
        tpp_tracker_close(t);
        for (int i = 0; i < OBJECTS; i++) {
            t = open_tracker(&o, i, 1);
            track(t, one, 0);
            tpp_tracker_close(t);
            assert_found(one, &many[i], 0);
            assert_found(one, &again[i], 0);
        }
        assert_memory_not_equal(many[0].mask, many[2].mask, sizeof(many[0].mask));
    }
}

static void other_objects_may_follow_in_the_next_sequence(void **state)
{
    (void)state;
    tpp_tracker *t = open_tracker(&usual, 0, 2);
    track(t, many, 0);
    tpp_tracker_clear(t);
    assert_int_equal(tpp_tracker_objects(t), 0);
    assert_int_equal(tpp_tracker_ready(t), 0);
    UNIT_OK(tpp_tracker_add(t, sentences + 1, OBJECTS - 1, NULL));
    track(t, again, 0);
    tpp_tracker_close(t);
    assert_found(&many[1], &again[0], 0);
}

/* Frames in flight, and frames that wait for their batch, are no obstacle. */
static void a_sequence_may_be_left_in_the_middle(void **state)
{
    (void)state;
    tpp_tracker_options o = usual;
    o.ahead = 2;
    tpp_tracker *t = open_tracker(&o, 0, 2);
    track(t, many, 0);
    UNIT_OK(tpp_tracker_reset(t));
    for (int i = 0; i < 3; i++) push(t, i + 2);
    UNIT_OK(tpp_tracker_take(t));
    UNIT_OK(tpp_tracker_reset(t));
    track(t, again, 0);
    assert_found(&many[0], &again[0], 0);
    assert_found(&many[1], &again[1], 0);
    UNIT_OK(tpp_tracker_reset(t));
    for (int i = 0; i < 3; i++) push(t, i);
    tpp_tracker_clear(t);
    UNIT_OK(tpp_tracker_add(t, sentences, OBJECTS, NULL));
    for (int i = 0; i < 3; i++) push(t, i);
    tpp_tracker_close(t);
}

static void an_object_may_begin_later(void **state)
{
    (void)state;
    enum { BEGIN = 2 };
    tpp_tracker *t = open_tracker(&usual, 0, 2);
    UNIT_OK(tpp_tracker_begin(t, 1, BEGIN));
    track(t, many, 0);
    UNIT_OK(tpp_tracker_reset(t)); /* forgets the beginning */
    track(t, again, 0);
    tpp_tracker_close(t);
    for (int i = 0; i < BEGIN; i++) {
        assert_non_null(many[0].record[i].mask);
        assert_null(many[1].record[i].mask);
        assert_non_null(again[1].record[i].mask);
    }
    t = open_tracker(&usual, 1, 1);
    track(t, one, BEGIN);
    tpp_tracker_close(t);
    assert_found(one, &many[1], BEGIN);
}

static void frames_alone_are_first_frames(void **state)
{
    (void)state;
    tpp_tracker_options o = usual;
    o.alone = 1;
    tpp_tracker *t = open_tracker(&o, 0, 1);
    track(t, many, 0);
    tpp_tracker_close(t);
    t = open_tracker(&usual, 0, 1);
    for (int i = 0; i < FRAMES; i++) {
        tpp_result r = {.size = sizeof(r)};
        push(t, i);
        UNIT_OK(tpp_tracker_take(t));
        UNIT_OK(tpp_tracker_result(t, 0, &r));
        assert_memory_equal(r.mask, many[0].mask[i], PIXELS);
        assert_null(r.logits);
        UNIT_OK(tpp_tracker_reset(t));
    }
    tpp_tracker_close(t);
}

static void logits_agree_with_the_mask(void **state)
{
    (void)state;
    tpp_tracker_options o = usual;
    o.probabilities = 1;
    tpp_tracker *t = open_tracker(&o, 0, 2);
    push(t, 0);
    UNIT_OK(tpp_tracker_take(t));
    for (int i = 0; i < 2; i++) {
        tpp_result r = {.size = sizeof(r)};
        UNIT_OK(tpp_tracker_result(t, i, &r));
        assert_non_null(r.logits);
        for (int p = 0; p < PIXELS; p++)
            if (fabsf(r.logits[p]) > 1e-4F) assert_int_equal(r.mask[p], r.logits[p] > 0);
    }
    tpp_tracker_close(t);
}

/* NaN in the place of all numbers but those of the first half. */
static void damage_weights(const char *path)
{
    FILE *f = fopen(path, "rb+");
    assert_non_null(f);
    assert_int_equal(fseek(f, 0, SEEK_END), 0);
    const long size = ftell(f), start = size / 2 / 4 * 4;
    assert_int_equal(fseek(f, start, SEEK_SET), 0);
    for (long i = start; i < size; i++) assert_int_equal(fputc(0xFF, f), 0xFF);
    assert_int_equal(fclose(f), 0);
}

static void damaged_weights_give_no_result(void **state)
{
    (void)state;
    const struct tpp_model_config config = micro_config();
    tpp_result r = {.size = sizeof(r)};
    tpp_model *damaged = NULL;
    tpp_tracker *t = NULL;
    UNIT_OK(tpp_model_folder_synth(in_folder("damaged"), &config, 3,
                                   TPP_SOURCE_DIR "/weights/vocab", false));
    damage_weights(in_folder("damaged/weights.safetensors"));
    UNIT_OK(tpp_model_open(&damaged, in_folder("damaged"), NULL, 0));
    UNIT_OK(tpp_tracker_open(&t, damaged, device, &usual));
    UNIT_OK(tpp_tracker_add(t, sentences, 1, NULL));
    push(t, 0);
    UNIT_FAILS(tpp_tracker_take(t), TPP_EINTERNAL, "weights may be damaged");
    UNIT_FAILS(tpp_tracker_result(t, 0, &r), TPP_EUSAGE, "no frame was taken");
    push(t, 1); /* the tracker itself goes on */
    UNIT_FAILS(tpp_tracker_take(t), TPP_EINTERNAL, "frame 1, object 0");
    tpp_tracker_close(t);
    tpp_model_close(damaged);
}

static void options_out_of_range_are_refused(void **state)
{
    (void)state;
    tpp_tracker *t = NULL;
    tpp_tracker_options o = usual;
    o.channels = 2;
    UNIT_FAILS(tpp_tracker_open(&t, model, device, &o), TPP_EUSAGE, "2 channels");
    o = usual, o.height = 0;
    UNIT_FAILS(tpp_tracker_open(&t, model, device, &o), TPP_EUSAGE, "at least 1x1");
    o = usual, o.ahead = 17;
    UNIT_FAILS(tpp_tracker_open(&t, model, device, &o), TPP_EUSAGE, "1 to 16");
    o = usual, o.size = 0;
    UNIT_FAILS(tpp_tracker_open(&t, model, device, &o), TPP_EUSAGE, "sizeof(tpp_tracker_options)");
    UNIT_FAILS(tpp_tracker_open(&t, NULL, device, &usual), TPP_EUSAGE, "an open model");
    UNIT_FAILS(tpp_tracker_open(&t, model, NULL, &usual), TPP_EUSAGE, "an open device");
    UNIT_FAILS(tpp_tracker_open(&t, model, device, NULL), TPP_EUSAGE, "NULL");
    o = usual, o.algorithm = "no such";
    UNIT_FAILS(tpp_tracker_open(&t, model, device, &o), TPP_EUSAGE, "no such");
    assert_null(t);
}

/* What a newer header's caller sets, and this library does not know, is not ignored. */
static void options_of_a_newer_header_are_taken_where_unset(void **state)
{
    (void)state;
    struct {
        tpp_tracker_options o;
        int32_t more[2];
    } later = {.o = usual};
    tpp_tracker *t = NULL;
    later.o.size = sizeof(later);
    UNIT_OK(tpp_tracker_open(&t, model, device, &later.o));
    tpp_tracker_close(t);
    t = NULL;
    later.more[1] = 1;
    UNIT_FAILS(tpp_tracker_open(&t, model, device, &later.o), TPP_EUNSUPPORTED, "does not know");
    assert_null(t);
}

static void misuse_is_refused(void **state)
{
    (void)state;
    uint8_t pixels[PIXELS * CHANNELS] = {0};
    const char *const blank[] = {"a disc", "  "}, *const none[] = {NULL};
    tpp_result r = {.size = sizeof(r), .best = 77};
    tpp_tracker *t = open_tracker(&usual, 0, 0);
    UNIT_FAILS(tpp_tracker_push(t, pixels, sizeof(pixels)), TPP_EUSAGE, "an object is added");
    UNIT_FAILS(tpp_tracker_take(t), TPP_EUSAGE, "no frame to take");
    UNIT_OK(tpp_tracker_flush(t));
    UNIT_OK(tpp_tracker_reset(t));
    UNIT_FAILS(tpp_tracker_add(t, sentences, 0, NULL), TPP_EUSAGE, "0 sentences");
    UNIT_FAILS(tpp_tracker_add(t, blank, 2, NULL), TPP_EUSAGE, "sentence 2");
    UNIT_FAILS(tpp_tracker_add(t, none, 1, NULL), TPP_EUSAGE, "sentence 1");
    UNIT_OK(tpp_tracker_add(t, sentences, 1, NULL));
    UNIT_FAILS(tpp_tracker_begin(t, 1, 0), TPP_EUSAGE, "object 1");
    UNIT_FAILS(tpp_tracker_begin(t, 0, -1), TPP_EUSAGE, "frame -1");
    UNIT_FAILS(tpp_tracker_push(t, pixels, 7), TPP_EUSAGE, "3600 bytes, got 7");
    UNIT_FAILS(tpp_tracker_push(t, NULL, sizeof(pixels)), TPP_EUSAGE, "got 0");
    UNIT_FAILS(tpp_tracker_result(t, 0, &r), TPP_EUSAGE, "no frame was taken");
    for (int i = 0; i < tpp_tracker_depth(t); i++) push(t, i);
    UNIT_FAILS(tpp_tracker_push(t, pixels, sizeof(pixels)), TPP_EUSAGE, "in flight");
    UNIT_FAILS(tpp_tracker_add(t, sentences, 1, NULL), TPP_EUSAGE, "before the first frame");
    UNIT_FAILS(tpp_tracker_begin(t, 0, 1), TPP_EUSAGE, "before the first");
    UNIT_OK(tpp_tracker_take(t)); /* misuse does no harm */
    UNIT_FAILS(tpp_tracker_result(t, 1, &r), TPP_EUSAGE, "object 1");
    r.size = 0;
    UNIT_FAILS(tpp_tracker_result(t, 0, &r), TPP_EUSAGE, "sizeof(tpp_result)");
    assert_int_equal(r.best, 77);
    r.size = sizeof(r);
    UNIT_OK(tpp_tracker_result(t, 0, &r));
    tpp_tracker_close(t);
}

/* A device of its own, since a device keeps the choices that it was given first. */
static tpp_status add_with(const char *tuning)
{
    tpp_device *usual_device = device;
    tpp_tracker *t = NULL;
    UNIT_OK(tpp_device_open(&device, getenv("TPP_TEST_DEVICE")));
    assert_int_equal(setenv("TPP_TUNING", tuning, 1), 0);
    UNIT_OK(tpp_tracker_open(&t, model, device, &usual));
    const tpp_status s = tpp_tracker_add(t, sentences, 1, NULL);
    assert_int_equal(tpp_tuning_text(device) != NULL, s == TPP_OK && strcmp(tuning, "none") != 0);
    tpp_tracker_close(t);
    tpp_device_close(device);
    device = usual_device;
    return s;
}

static void a_tracker_takes_what_was_tuned(void **state)
{
    (void)state;
    tpp_tuning *empty = NULL;
    UNIT_OK(tpp_tuning_open(&empty));
    UNIT_OK(tpp_tuning_write(empty, in_folder("tuning.yaml"), tpp_device_caps(device)));
    tpp_tuning_close(empty);
    UNIT_OK(add_with(in_folder("tuning.yaml")));
    UNIT_OK(add_with("none"));
    UNIT_FAILS(add_with(in_folder("absent.yaml")), TPP_EIO, "absent.yaml");
    UNIT_OK(tpp_file_write(in_folder("bad.yaml"), "rows: 7", 7));
    UNIT_FAILS(add_with(in_folder("bad.yaml")), TPP_EFORMAT, "bad.yaml:1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(models_describe_themselves),
        cmocka_unit_test(models_that_cannot_be_opened_say_why),
        cmocka_unit_test(objects_are_found_as_if_they_were_alone),
        cmocka_unit_test(other_objects_may_follow_in_the_next_sequence),
        cmocka_unit_test(a_sequence_may_be_left_in_the_middle),
        cmocka_unit_test(an_object_may_begin_later),
        cmocka_unit_test(frames_alone_are_first_frames),
        cmocka_unit_test(logits_agree_with_the_mask),
        cmocka_unit_test(damaged_weights_give_no_result),
        cmocka_unit_test(options_out_of_range_are_refused),
        cmocka_unit_test(options_of_a_newer_header_are_taken_where_unset),
        cmocka_unit_test(misuse_is_refused),
        cmocka_unit_test(a_tracker_takes_what_was_tuned),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
