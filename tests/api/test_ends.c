/* When host memory ends, at whichever allocation, calls of tpp.h fail with TPP_ENOMEM or succeed,
 * and what was open still works; two trackers run in two threads.
 * SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "tracked.h"

#include <pthread.h>

static tpp_tracker *tracker;

static tpp_status open_one_model(void)
{
    tpp_model *m = NULL;
    const tpp_status s = tpp_model_open(&m, in_folder("model"), NULL, 0);
    assert_int_equal(m != NULL, s == TPP_OK);
    tpp_model_close(m);
    return s;
}

static tpp_status open_one_tracker(void)
{
    tpp_tracker_options o = usual;
    tpp_tracker *t = NULL;
    o.algorithm = "plain";
    const tpp_status s = tpp_tracker_open(&t, model, device, &o);
    assert_int_equal(t != NULL, s == TPP_OK);
    tpp_tracker_close(t);
    return s;
}

static tpp_status add_second_object(void)
{
    int object = 77;
    const tpp_status s = tpp_tracker_add(tracker, sentences + 1, OBJECTS - 1, &object);
    assert_int_equal(object, s == TPP_OK ? 1 : 77);
    assert_int_equal(tpp_tracker_objects(tracker), s == TPP_OK ? 2 : 1);
    return s;
}

static tpp_status list_devices(void)
{
    tpp_device_info info = {.size = sizeof(info)};
    int count = 0;
    const tpp_status s = tpp_devices_count(&count);
    return s == TPP_OK ? tpp_devices_get(0, &info) : s;
}

/* Fails allocation 0, step, 2 step, ... until the call succeeds. */
static void fail_each(tpp_status (*call)(void), int step)
{
    tpp_status s = TPP_ENOMEM;
    int n = 0;
    for (; s != TPP_OK && n < 200000; n += step) {
        tpp_alloc_fail_after(n);
        s = call();
        tpp_alloc_fail_after(-1);
        if (s != TPP_OK && s != TPP_ENOMEM)
            fail_msg("allocation %d fails: %d, %s", n, (int)s, tpp_error());
    }
    assert_int_equal(s, TPP_OK);
    assert_true(n > step); /* it did allocate */
}

static void what_opens_little(void **state)
{
    (void)state;
    fail_each(list_devices, 1);
    fail_each(open_one_tracker, 1);
    fail_each(open_one_model, 97);
}

static found alone[1], together[2];

/* Most allocations record graphs and plans: a sample of them, and the first ones all. */
static void an_object_that_cannot_be_added(void **state)
{
    (void)state;
    tracker = open_tracker(&usual, 0, 1);
    track(tracker, alone, 0);
    UNIT_OK(tpp_tracker_reset(tracker));
    for (int n = 0; n < 12; n++) {
        tpp_alloc_fail_after(n);
        const tpp_status s = add_second_object();
        tpp_alloc_fail_after(-1);
        assert_int_equal(s, TPP_ENOMEM);
    }
    fail_each(add_second_object, 211);
    track(tracker, together, 0);
    tpp_tracker_close(tracker);
    assert_found(alone, &together[0], 0);
}

/* A frame takes no memory: nothing can be missing. */
static void frames_allocate_nothing(void **state)
{
    (void)state;
    static found warm[2];
    tracker = open_tracker(&usual, 0, 2);
    track(tracker, warm, 0);
    UNIT_OK(tpp_tracker_reset(tracker));
    tpp_alloc_fail_after(0);
    track(tracker, together, 0);
    tpp_alloc_fail_after(-1);
    tpp_tracker_close(tracker);
    assert_found(&warm[1], &together[1], 0);
}

/* ---- threads ---- */

typedef struct job {
    tpp_device *device;
    found found[1];
    tpp_status status;
    char message[256];
} job;

/* cmocka's assertions belong to its own thread. */
static tpp_status run_frames(tpp_tracker *t, found *out)
{
    for (int i = 0; i < FRAMES; i++) {
        uint8_t pixels[PIXELS * CHANNELS];
        tpp_result *r = &out->record[i];
        *r = (tpp_result){.size = sizeof(*r)};
        draw(pixels, i);
        TPP_TRY(tpp_tracker_push(t, pixels, sizeof(pixels)));
        TPP_TRY(tpp_tracker_take(t));
        TPP_TRY(tpp_tracker_result(t, 0, r));
        memcpy(out->mask[i], r->mask, PIXELS);
    }
    return TPP_OK;
}

static void *run_job(void *context)
{
    job *j = context;
    tpp_tracker *t = NULL;
    j->status = tpp_tracker_open(&t, model, j->device, &usual);
    if (j->status == TPP_OK) j->status = tpp_tracker_add(t, sentences, OBJECTS, NULL);
    if (j->status == TPP_OK) j->status = run_frames(t, j->found);
    (void)snprintf(j->message, sizeof(j->message), "%s", tpp_error());
    tpp_tracker_close(t);
    return NULL;
}

static void two_devices_in_two_threads(void **state)
{
    (void)state;
    static job jobs[2];
    pthread_t threads[2];
    tracker = open_tracker(&usual, 0, 1);
    track(tracker, alone, 0);
    tpp_tracker_close(tracker);
    for (int i = 0; i < 2; i++) {
        UNIT_OK(tpp_device_open(&jobs[i].device, getenv("TPP_TEST_DEVICE")));
        assert_int_equal(pthread_create(&threads[i], NULL, run_job, &jobs[i]), 0);
    }
    for (int i = 0; i < 2; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        tpp_device_close(jobs[i].device);
        if (jobs[i].status != TPP_OK) fail_msg("%d: %s", (int)jobs[i].status, jobs[i].message);
        assert_found(alone, jobs[i].found, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_opens_little),
        cmocka_unit_test(an_object_that_cannot_be_added),
        cmocka_unit_test(frames_allocate_nothing),
        cmocka_unit_test(two_devices_in_two_threads),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
