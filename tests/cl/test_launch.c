/* Step lists: checked arguments and work-groups, order, host steps, profiles.
 * SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "../io/scratch.h"
#include "cl/launch.h"

static const char kernel_text[] =
    "kernel void scale(global int *y, int n, float by)\n"
    "{\n"
    "    const int i = (int)get_global_id(0);\n"
    "    if (i < n) y[i] *= (int)by;\n"
    "}\n"
    "__attribute__((reqd_work_group_size(4, 2, 1))) kernel void grid(global int *y, int width,\n"
    "                                                                int height)\n"
    "{\n"
    "    const int i = (int)get_global_id(0), j = (int)get_global_id(1);\n"
    "    if (i < width && j < height) y[j * width + i] = (int)get_group_id(1);\n"
    "}\n"
    "kernel void turn(global int *y)\n"
    "{\n"
    "    local int t[512];\n"
    "    t[get_local_id(0)] = y[get_local_id(0)];\n"
    "    barrier(CLK_LOCAL_MEM_FENCE);\n"
    "    y[get_local_id(0)] = t[get_local_size(0) - 1 - get_local_id(0)];\n"
    "}\n"
    "kernel void slow(global int *y, int n, float by)\n"
    "{\n"
    "    int x = 1;\n"
    "    for (int i = 0; i < 20000000; i++) x = x * 1664525 + 1013904223;\n"
    "    y[0] = x;\n"
    "}\n";

enum { COUNT = 12 };
static tpp_device *device;
static tpp_steps *steps;
static cl_mem numbers;

static int setup_group(void **state)
{
    if (scratch_setup(state) != 0) return -1;
    (void)put_file("own.cl", kernel_text, sizeof(kernel_text) - 1);
    if (setenv("TPP_KERNEL_DIR", scratch_folder, 1) != 0) return -1;
    if (tpp_device_open(&device, getenv("TPP_TEST_DEVICE")) == TPP_OK) return 0;
    print_error("%s\n", tpp_error());
    return -1;
}

static int teardown_group(void **state)
{
    tpp_device_close(device);
    return scratch_teardown(state);
}

/* A list of no steps, and COUNT zeros. */
static int setup(void **state)
{
    (void)state;
    cl_int code = CL_SUCCESS, zeros[COUNT] = {0};
    numbers = clCreateBuffer(device->context, CL_MEM_READ_WRITE | CL_MEM_COPY_HOST_PTR,
                             sizeof(zeros), zeros, &code);
    return code == CL_SUCCESS && tpp_steps_open(&steps, device) == TPP_OK ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    tpp_steps_close(steps);
    return clReleaseMemObject(numbers) == CL_SUCCESS ? 0 : -1;
}

static void read_numbers(int y[COUNT])
{
    assert_int_equal(clEnqueueReadBuffer(device->compute, numbers, CL_TRUE, 0, COUNT * sizeof(*y),
                                         y, 0, NULL, NULL),
                     CL_SUCCESS);
}

static tpp_status record(const char *kernel, tpp_grid grid, tpp_args args)
{
    return tpp_record(steps, "own", kernel, "", grid, args);
}

static tpp_status record_scale(float by)
{
    return record("scale", (tpp_grid){.global = {COUNT}},
                  TPP_ARGS(TPP_ARG(numbers), TPP_ARG(COUNT), TPP_ARG(by)));
}

/* Adds 1 to all numbers through the queue, as a copy from the host. */
static tpp_status add_one(tpp_device *d, void *context)
{
    int *runs = context;
    const cl_int one[COUNT] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
    TPP_CL(d,
           clEnqueueWriteBuffer(d->compute, numbers, CL_TRUE, 0, sizeof(one), one, 0, NULL, NULL));
    (*runs)++;
    return TPP_OK;
}

static void steps_run_in_order_as_often_as_wanted(void **state)
{
    (void)state;
    int runs = 0, y[COUNT];
    ASSERT_OK(tpp_record_host(steps, "ones", add_one, &runs, NULL));
    ASSERT_OK(record_scale(3.0f));
    ASSERT_OK(record_scale(5.0f));
    assert_int_equal(tpp_steps_count(steps), 3);
    const tpp_device_counts before = tpp_device_count(device);
    for (int i = 0; i < 2; i++) ASSERT_OK(tpp_steps_run(steps));
    const tpp_device_counts after = tpp_device_count(device);
    read_numbers(y);
    for (int i = 0; i < COUNT; i++) assert_int_equal(y[i], 15);
    assert_int_equal(runs, 2);
    assert_int_equal(after.launches - before.launches, 6);
    assert_int_equal(after.finishes, before.finishes);
    assert_int_equal(after.waits, before.waits);
}

static void ranges_are_rounded_up_to_whole_groups(void **state)
{
    (void)state;
    int y[COUNT];
    ASSERT_OK(record("grid", (tpp_grid){.global = {3, 4}, .local = {4, 2}},
                     TPP_ARGS(TPP_ARG(numbers), TPP_ARG(3), TPP_ARG(4))));
    ASSERT_OK(tpp_steps_run(steps));
    read_numbers(y);
    for (int i = 0; i < COUNT; i++) assert_int_equal(y[i], i / 3 / 2);
}

/* Launches in a row are one command where the device has command buffers, in order all the same,
 * also when the next run is enqueued before the last has ended; host steps stand between. */
static void launches_in_a_row_may_be_one_command(void **state)
{
    (void)state;
    int runs = 0, y[COUNT];
    tpp_steps_close(steps);
    device->replays = true;
    ASSERT_OK(tpp_steps_open(&steps, device));
    ASSERT_OK(record("grid", (tpp_grid){.global = {3, 4}, .local = {4, 2}},
                     TPP_ARGS(TPP_ARG(numbers), TPP_ARG(3), TPP_ARG(4))));
    ASSERT_OK(record_scale(3.0f));
    ASSERT_OK(record_scale(5.0f));
    const tpp_device_counts before = tpp_device_count(device);
    for (int i = 0; i < 8; i++) ASSERT_OK(tpp_steps_run(steps));
    const tpp_device_counts after = tpp_device_count(device);
    read_numbers(y);
    for (int i = 0; i < COUNT; i++) assert_int_equal(y[i], i / 3 / 2 * 15);
    assert_int_equal(after.launches - before.launches, device->caps.command_buffers ? 8 : 24);

    tpp_steps_close(steps);
    ASSERT_OK(tpp_steps_open(&steps, device));
    ASSERT_OK(record_scale(0.0f));
    ASSERT_OK(tpp_record_host(steps, "ones", add_one, &runs, NULL));
    ASSERT_OK(record_scale(3.0f));
    ASSERT_OK(record_scale(2.0f));
    for (int i = 0; i < 2; i++) ASSERT_OK(tpp_steps_run(steps));
    read_numbers(y);
    for (int i = 0; i < COUNT; i++) assert_int_equal(y[i], 6);
    assert_int_equal(device->replays, device->caps.command_buffers); /* nothing was refused */
    device->replays = false;
}

static void the_wrong_number_of_arguments_is_named(void **state)
{
    (void)state;
    const tpp_grid grid = {.global = {COUNT}};
    ASSERT_FAILS(record("scale", grid, TPP_ARGS(TPP_ARG(numbers), TPP_ARG(COUNT))), TPP_EKERNEL,
                 "scale", "wants 3 arguments, host passes 2");
    ASSERT_FAILS(record("scale", grid,
                        TPP_ARGS(TPP_ARG(numbers), TPP_ARG(COUNT), TPP_ARG(1.0f), TPP_ARG(1))),
                 TPP_EKERNEL, "scale", "wants 3 arguments, host passes 4");
    assert_int_equal(tpp_steps_count(steps), 0);
}

static void an_argument_of_the_wrong_type_is_named(void **state)
{
    (void)state;
    if (tpp_device_caps(device)->no_arg_info) skip();
    const tpp_grid grid = {.global = {COUNT}};
    ASSERT_FAILS(record("scale", grid, TPP_ARGS(TPP_ARG(numbers), TPP_ARG(COUNT), TPP_ARG(COUNT))),
                 TPP_EKERNEL, "scale", "argument 2 (by): kernel wants float, host passes int");
    ASSERT_FAILS(record("scale", grid, TPP_ARGS(TPP_ARG(numbers), TPP_ARG(2.0f), TPP_ARG(2.0f))),
                 TPP_EKERNEL, "scale", "argument 1 (n): kernel wants int, host passes float");
    ASSERT_FAILS(record("scale", grid, TPP_ARGS(TPP_ARG(1), TPP_ARG(COUNT), TPP_ARG(2.0f))),
                 TPP_EKERNEL, "scale", "argument 0 (y): kernel wants int*, host passes int");
    ASSERT_FAILS(record("scale", grid, TPP_ARGS(TPP_ARG(numbers), TPP_ARG(numbers), TPP_ARG(2.0f))),
                 TPP_EKERNEL, "scale", "argument 1 (n): kernel wants int, host passes a buffer");
    assert_int_equal(tpp_steps_count(steps), 0);
}

static void local_arrays_that_do_not_fit_are_refused(void **state)
{
    (void)state;
    const size_t whole = device->caps.local_mem;
    const tpp_grid grid = {.global = {4}, .local = {4}};
    device->caps.local_mem = 2047;
    const tpp_status s = tpp_record(steps, "own", "turn", "", grid, TPP_ARGS(TPP_ARG(numbers)));
    device->caps.local_mem = whole;
    assert_int_equal(s, TPP_EUNSUPPORTED);
    assert_non_null(strstr(tpp_error(), "turn: 2048 bytes of local memory"));
    assert_int_equal(tpp_steps_count(steps), 0);
    assert_int_equal(tpp_record(steps, "own", "turn", "", grid, TPP_ARGS(TPP_ARG(numbers))),
                     TPP_OK);
}

static void work_groups_that_do_not_fit_are_refused(void **state)
{
    (void)state;
    const size_t most = tpp_device_caps(device)->max_group;
    const tpp_args args = TPP_ARGS(TPP_ARG(numbers), TPP_ARG(COUNT), TPP_ARG(1.0f)),
                   grid_args = TPP_ARGS(TPP_ARG(numbers), TPP_ARG(3), TPP_ARG(4));
    ASSERT_FAILS(record("scale", (tpp_grid){.global = {most * 2}, .local = {most + 1}}, args),
                 TPP_EUNSUPPORTED, "scale", "work-group of");
    ASSERT_FAILS(record("scale", (tpp_grid){.global = {most, 2, 2}, .local = {most, 2, 2}}, args),
                 TPP_EUNSUPPORTED, "scale", "at most");
    ASSERT_FAILS(record("grid", (tpp_grid){.global = {8, 8}, .local = {2, 4}}, grid_args),
                 TPP_EKERNEL, "grid", "compiled for work-groups of 4 x 2 x 1");
    assert_int_equal(tpp_steps_count(steps), 0);
}

static tpp_status refuse(tpp_device *d, void *context)
{
    (void)d;
    (void)context;
    return TPP_FAIL(TPP_EUNSUPPORTED, "refused by the host step");
}

static void count_down(void *context)
{
    (*(int *)context)--;
}

static void a_failing_host_step_ends_the_run(void **state)
{
    (void)state;
    int runs = 0;
    ASSERT_OK(tpp_record_host(steps, "refuse", refuse, NULL, NULL));
    ASSERT_OK(tpp_record_host(steps, "ones", add_one, &runs, NULL));
    assert_int_equal(tpp_steps_run(steps), TPP_EUNSUPPORTED);
    assert_string_equal(tpp_error(), "refused by the host step");
    assert_int_equal(runs, 0);
}

static void contexts_are_destroyed_once(void **state)
{
    (void)state;
    int lives = 3;
    tpp_steps *s = NULL;
    ASSERT_OK(tpp_steps_open(&s, device));
    ASSERT_OK(tpp_record_host(s, "a", refuse, &lives, count_down));
    ASSERT_OK(tpp_record_host(s, "b", refuse, &lives, count_down));
    assert_int_equal(lives, 3);
    tpp_steps_close(s);
    assert_int_equal(lives, 1);
    ASSERT_OK(tpp_steps_open(&s, device));
    tpp_alloc_fail_after(0); /* a list that cannot grow destroys what it was given */
    const tpp_status status = tpp_record_host(s, "c", refuse, &lives, count_down);
    tpp_alloc_fail_after(-1);
    assert_int_equal(status, TPP_ENOMEM);
    assert_int_equal(lives, 0);
    tpp_steps_close(s);
    assert_int_equal(lives, 0);
    tpp_steps_close(NULL);
}

static void a_failing_launch_names_the_last_kernels(void **state)
{
    (void)state;
    ASSERT_OK(record_scale(1.0f));
    ASSERT_OK(tpp_record_copy(steps, numbers, numbers, COUNT * sizeof(int) + 4));
    const tpp_status s = tpp_steps_run(steps);
    assert_int_not_equal(s, TPP_OK);
    assert_non_null(strstr(tpp_error(), "last kernels: copy < scale"));
    assert_non_null(strstr(tpp_error(), "CL_"));
    ASSERT_OK(tpp_device_finish(device));
}

static void times_go_to_the_nodes(void **state)
{
    (void)state;
    double ms[3] = {0};
    const tpp_args args = TPP_ARGS(TPP_ARG(numbers), TPP_ARG(COUNT), TPP_ARG(1.0f));
    ASSERT_OK(record("slow", (tpp_grid){.global = {1}}, args)); /* of no node */
    tpp_steps_set_node(steps, 2);
    ASSERT_OK(record("slow", (tpp_grid){.global = {1}}, args));
    ASSERT_OK(record("slow", (tpp_grid){.global = {1}}, args));
    tpp_steps_set_node(steps, 0);
    ASSERT_OK(record_scale(1.0f));
    tpp_steps_set_node(steps, 3); /* beyond the array */
    ASSERT_OK(record_scale(1.0f));
    ASSERT_OK(tpp_steps_profile(steps, ms, 3));
    assert_true(ms[2] > 0.1); /* twice twenty million dependent steps */
    assert_true(ms[0] >= 0 && ms[0] < ms[2]);
    assert_true(ms[1] == 0);
    const double once = ms[2];
    ASSERT_OK(tpp_steps_profile(steps, ms, 3));
    assert_true(ms[2] > once); /* times are added */
}

static void recording_survives_any_failed_allocation(void **state)
{
    (void)state;
    for (int64_t n = 0;; n++) {
        const int before = tpp_steps_count(steps);
        tpp_alloc_fail_after(n);
        const tpp_status s = record_scale(2.0f);
        tpp_alloc_fail_after(-1);
        assert_int_equal(tpp_steps_count(steps), before + (s == TPP_OK));
        if (s == TPP_OK) break;
        assert_int_equal(s, TPP_ENOMEM);
    }
    ASSERT_OK(tpp_steps_run(steps));
    ASSERT_OK(tpp_device_finish(device));
}

#define STEP_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STEP_TEST(steps_run_in_order_as_often_as_wanted),
        STEP_TEST(ranges_are_rounded_up_to_whole_groups),
        STEP_TEST(launches_in_a_row_may_be_one_command),
        STEP_TEST(the_wrong_number_of_arguments_is_named),
        STEP_TEST(an_argument_of_the_wrong_type_is_named),
        STEP_TEST(work_groups_that_do_not_fit_are_refused),
        STEP_TEST(local_arrays_that_do_not_fit_are_refused),
        STEP_TEST(a_failing_host_step_ends_the_run),
        STEP_TEST(contexts_are_destroyed_once),
        STEP_TEST(a_failing_launch_names_the_last_kernels),
        STEP_TEST(times_go_to_the_nodes),
        STEP_TEST(recording_survives_any_failed_allocation),
    };
    return cmocka_run_group_tests_name("cl.launch", tests, setup_group, teardown_group);
}
