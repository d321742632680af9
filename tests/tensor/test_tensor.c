/* Device memory: buffers and what they count, limits, transfers, sub-buffers.
 * SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "tensor/tensor_internal.h"
#include "unit.h"

static void buffers_are_counted_while_they_are_open(void **state)
{
    tpp_device *d = *state;
    tpp_buffer *a = NULL, *b = NULL;
    const size_t before = tpp_device_bytes(d);
    const uint64_t opened = tpp_device_count(d).buffers;
    UNIT_OK(tpp_buffer_open(&a, d, 1000));
    UNIT_OK(tpp_buffer_open(&b, d, 5)); /* whole 32-bit words */
    assert_int_equal(tpp_buffer_bytes(a), 1000);
    assert_int_equal(tpp_buffer_bytes(b), 8);
    assert_int_equal(tpp_device_bytes(d) - before, 1008);
    assert_int_equal(tpp_device_count(d).buffers - opened, 2);
    tpp_buffer_close(a);
    assert_int_equal(tpp_device_bytes(d) - before, 8);
    tpp_buffer_close(b);
    assert_int_equal(tpp_device_bytes(d), before);
    tpp_buffer_close(NULL);
}

static void a_buffer_of_nothing_is_one_word(void **state)
{
    tpp_buffer *b = NULL;
    UNIT_OK(tpp_buffer_open(&b, *state, 0));
    assert_int_equal(tpp_buffer_bytes(b), 4);
    tpp_buffer_close(b);
}

static void bytes_come_back(void **state)
{
    tpp_device *d = *state;
    tpp_buffer *a = NULL, *b = NULL;
    uint8_t in[100], out[100] = {0};
    for (int i = 0; i < 100; i++) in[i] = (uint8_t)(i * 7);
    UNIT_OK(tpp_buffer_open(&a, d, 100));
    UNIT_OK(tpp_buffer_open(&b, d, 50));
    const tpp_device_counts before = tpp_device_count(d);
    UNIT_OK(tpp_buffer_write(a, 0, in, 100));
    UNIT_OK(tpp_buffer_copy(b, 10, a, 60, 40));
    UNIT_OK(tpp_buffer_read(b, 10, out, 40));
    assert_memory_equal(out, in + 60, 40);
    UNIT_OK(tpp_buffer_write(a, 3, in, 1));
    UNIT_OK(tpp_buffer_read(a, 0, out, 5));
    assert_int_equal(out[3], in[0]);
    assert_int_equal(out[4], in[4]);
    const tpp_device_counts after = tpp_device_count(d);
    assert_int_equal(after.bytes_up - before.bytes_up, 101);
    assert_int_equal(after.bytes_down - before.bytes_down, 45);
    assert_int_equal(after.waits - before.waits, 4); /* the copy waits for nothing */
    tpp_buffer_close(a);
    tpp_buffer_close(b);
}

static void transfers_of_nothing_do_nothing(void **state)
{
    tpp_device *d = *state;
    tpp_buffer *b = NULL;
    UNIT_OK(tpp_buffer_open(&b, d, 4));
    const tpp_device_counts before = tpp_device_count(d);
    UNIT_OK(tpp_buffer_write(b, 0, NULL, 0));
    UNIT_OK(tpp_buffer_read(b, 0, NULL, 0));
    UNIT_OK(tpp_buffer_copy(b, 0, b, 0, 0));
    assert_int_equal(tpp_device_count(d).waits, before.waits);
    tpp_buffer_close(b);
}

static void fills_cover_the_whole_buffer(void **state)
{
    tpp_buffer *b = NULL;
    uint32_t words[33] = {0};
    UNIT_OK(tpp_buffer_open(&b, *state, 33 * 4));
    UNIT_OK(tpp_buffer_fill(b, 0x7fc00000));
    UNIT_OK(tpp_buffer_read(b, 0, words, sizeof(words)));
    for (int i = 0; i < 33; i++) assert_int_equal(words[i], 0x7fc00000);
    tpp_buffer_close(b);
}

static void transfers_beyond_the_end_fail(void **state)
{
    tpp_device *d = *state;
    tpp_buffer *b = NULL;
    uint8_t bytes[16] = {0};
    UNIT_OK(tpp_buffer_open(&b, d, 8));
    UNIT_FAILS(tpp_buffer_write(b, 0, bytes, 16), TPP_EOPENCL, "CL_INVALID_VALUE");
    UNIT_FAILS(tpp_buffer_read(b, 4, bytes, 8), TPP_EOPENCL, "CL_INVALID_VALUE");
    tpp_buffer_close(b);
}

static void more_than_one_piece_may_hold_is_refused(void **state)
{
    tpp_device *d = *state;
    tpp_buffer *b = NULL;
    const tpp_caps *c = tpp_device_caps(d);
    const uint64_t opened = tpp_device_count(d).buffers;
    UNIT_FAILS(tpp_buffer_open(&b, d, c->max_alloc + 1), TPP_EDEVMEM, "gives at most");
    assert_non_null(strstr(tpp_error(), c->name));
    UNIT_FAILS(tpp_buffer_open(&b, d, SIZE_MAX), TPP_EDEVMEM, "18446744073709.6 MB wanted");
    assert_null(b);
    assert_int_equal(tpp_device_count(d).buffers, opened);
}

static void more_than_the_device_has_is_refused(void **state)
{
    (void)state;
    tpp_device *d = NULL;
    tpp_buffer *a = NULL, *b = NULL;
    assert_int_equal(setenv("TPP_DEVICE_MEMORY_MB", "3", 1), 0);
    UNIT_OK(tpp_device_open(&d, getenv("TPP_TEST_DEVICE")));
    assert_int_equal(unsetenv("TPP_DEVICE_MEMORY_MB"), 0);
    UNIT_FAILS(tpp_buffer_open(&a, d, 3000001), TPP_EDEVMEM, "gives at most 3.0 MB");
    UNIT_OK(tpp_buffer_open(&a, d, 2000000));
    UNIT_FAILS(tpp_buffer_open(&b, d, 1500000), TPP_EDEVMEM, "1.5 MB wanted beside 2.0 MB in use");
    UNIT_OK(tpp_buffer_open(&b, d, 1000000)); /* all there is */
    tpp_buffer_close(a);
    UNIT_OK(tpp_buffer_open(&a, d, 1500000));
    tpp_buffer_close(a);
    tpp_buffer_close(b);
    tpp_device_close(d);
}

static void opening_survives_a_failed_allocation(void **state)
{
    tpp_device *d = *state;
    tpp_buffer *b = NULL;
    const size_t before = tpp_device_bytes(d);
    tpp_alloc_fail_after(0);
    const tpp_status s = tpp_buffer_open(&b, d, 100);
    tpp_alloc_fail_after(-1);
    assert_int_equal(s, TPP_ENOMEM);
    assert_null(b);
    assert_int_equal(tpp_device_bytes(d), before);
}

static void sub_buffers_start_at_aligned_offsets(void **state)
{
    tpp_device *d = *state;
    const size_t align = tpp_device_caps(d)->base_align;
    tpp_buffer *b = NULL;
    cl_mem part = NULL;
    uint32_t in[3] = {5, 6, 7}, out[3] = {0};
    UNIT_OK(tpp_buffer_open(&b, d, 4 * align));
    UNIT_OK(tpp_sub_buffer(&part, b, align, 3 * align));
    assert_int_equal(
        clEnqueueWriteBuffer(d->compute, part, CL_TRUE, 0, sizeof(in), in, 0, NULL, NULL),
        CL_SUCCESS);
    UNIT_OK(tpp_buffer_read(b, align, out, sizeof(out)));
    assert_memory_equal(out, in, sizeof(in));
    part = NULL;
    UNIT_FAILS(tpp_sub_buffer(&part, b, 4 * align, 4), TPP_EOPENCL, "clCreateSubBuffer");
    UNIT_FAILS(tpp_sub_buffer(&part, b, align, 4 * align), TPP_EOPENCL, "CL_INVALID");
    assert_null(part);
    tpp_buffer_close(b);
}

/* Numbers of sub-buffers in the order they went. */
static int gone[3], n_gone;

static void CL_CALLBACK note_gone(cl_mem m, void *number)
{
    (void)m;
    gone[n_gone++] = *(const int *)number;
}

/* A driver that is used here crashes in any other order. */
static void sub_buffers_are_one_a_region_and_the_last_goes_first(void **state)
{
    tpp_device *d = *state;
    static const int number[3] = {0, 1, 2};
    const size_t align = tpp_device_caps(d)->base_align;
    tpp_buffer *b = NULL;
    cl_mem part[3], again = NULL;
    UNIT_OK(tpp_buffer_open(&b, d, 8 * align));
    for (int i = 0; i < 3; i++) {
        UNIT_OK(tpp_sub_buffer(&part[i], b, (size_t)i * align, 4 * align));
        assert_int_equal(
            clSetMemObjectDestructorCallback(part[i], note_gone, (void *)(size_t)&number[i]),
            CL_SUCCESS);
    }
    UNIT_OK(tpp_sub_buffer(&again, b, align, 4 * align));
    assert_ptr_equal(again, part[1]);
    UNIT_OK(tpp_sub_buffer(&again, b, align, 2 * align));
    assert_ptr_not_equal(again, part[1]);
    n_gone = 0;
    tpp_buffer_close(b);
    assert_int_equal(n_gone, 3);
    for (int i = 0; i < 3; i++) assert_int_equal(gone[i], 2 - i);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(buffers_are_counted_while_they_are_open),
        cmocka_unit_test(a_buffer_of_nothing_is_one_word),
        cmocka_unit_test(bytes_come_back),
        cmocka_unit_test(transfers_of_nothing_do_nothing),
        cmocka_unit_test(fills_cover_the_whole_buffer),
        cmocka_unit_test(transfers_beyond_the_end_fail),
        cmocka_unit_test(more_than_one_piece_may_hold_is_refused),
        cmocka_unit_test(more_than_the_device_has_is_refused),
        cmocka_unit_test(opening_survives_a_failed_allocation),
        cmocka_unit_test(sub_buffers_start_at_aligned_offsets),
        cmocka_unit_test(sub_buffers_are_one_a_region_and_the_last_goes_first),
    };
    return cmocka_run_group_tests_name("tensor.tensor", tests, unit_open_device, unit_close_device);
}
