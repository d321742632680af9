/* The ring of staging buffers: bytes arrive in order, several slots in flight do not mix, and
 * nothing waits but `take`.
 * SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "tensor/ring.h"
#include "tensor/tensor_internal.h"
#include "unit.h"

enum { UP = 1000, DOWN = 4096, ROUNDS = 40 };

static void fill_frame(uint8_t *frame, int number)
{
    for (int i = 0; i < UP; i++) frame[i] = (uint8_t)(number * 31 + i * 7);
}

static void a_frame_goes_up_and_comes_back(void **state)
{
    tpp_device *d = *state;
    tpp_ring *r = NULL;
    tpp_buffer *b = NULL;
    uint8_t frame[UP];
    const uint8_t *back = NULL;
    UNIT_OK(tpp_ring_open(&r, d, 1, UP, DOWN));
    UNIT_OK(tpp_buffer_open(&b, d, 2 * UP));
    fill_frame(frame, 1);
    UNIT_OK(tpp_ring_up(r, 0, frame, (tpp_piece){.buffer = b, .offset = 500, .bytes = UP}));
    UNIT_OK(tpp_ring_down(r, 0, &(tpp_piece){.buffer = b, .offset = 500, .bytes = UP}, 1));
    UNIT_OK(tpp_ring_take(r, 0, &back));
    assert_memory_equal(back, frame, UP);
    tpp_ring_close(r);
    tpp_buffer_close(b);
}

/* Every slot is in flight before the first is taken, while all frames share one device buffer. */
static void slots_in_flight_keep_their_order(void **state)
{
    tpp_device *d = *state;
    static const int slots[] = {1, 2, 3, 8};
    for (size_t k = 0; k < sizeof(slots) / sizeof(slots[0]); k++) {
        tpp_ring *r = NULL;
        tpp_buffer *b = NULL;
        UNIT_OK(tpp_ring_open(&r, d, slots[k], UP, DOWN));
        UNIT_OK(tpp_buffer_open(&b, d, UP));
        const tpp_piece piece = {.buffer = b, .bytes = UP};
        for (int pushed = 0, taken = 0; taken < ROUNDS;) {
            uint8_t frame[UP];
            const uint8_t *back = NULL;
            while (pushed < ROUNDS && pushed - taken < slots[k]) {
                fill_frame(frame, pushed);
                UNIT_OK(tpp_ring_up(r, pushed % slots[k], frame, piece));
                memset(frame, 0, sizeof(frame)); /* it was copied */
                UNIT_OK(tpp_ring_down(r, pushed % slots[k], &piece, 1));
                pushed++;
            }
            fill_frame(frame, taken);
            UNIT_OK(tpp_ring_take(r, taken % slots[k], &back));
            assert_memory_equal(back, frame, UP);
            taken++;
        }
        tpp_ring_close(r);
        tpp_buffer_close(b);
    }
}

static void pieces_lie_at_multiples_of_64(void **state)
{
    tpp_device *d = *state;
    tpp_ring *r = NULL;
    tpp_buffer *a = NULL, *b = NULL;
    uint8_t bytes[200];
    const uint8_t *back = NULL;
    for (int i = 0; i < 200; i++) bytes[i] = (uint8_t)i;
    UNIT_OK(tpp_ring_open(&r, d, 2, UP, DOWN));
    UNIT_OK(tpp_buffer_open(&a, d, 200));
    UNIT_OK(tpp_buffer_open(&b, d, 200));
    UNIT_OK(tpp_buffer_write(a, 0, bytes, 200));
    UNIT_OK(tpp_buffer_write(b, 0, bytes, 200));
    const tpp_piece pieces[] = {{.buffer = a, .offset = 20, .bytes = 65},
                                {.buffer = b, .offset = 100, .bytes = 32},
                                {.buffer = a, .bytes = 1}};
    UNIT_OK(tpp_ring_down(r, 1, pieces, 3));
    UNIT_OK(tpp_ring_take(r, 1, &back));
    assert_memory_equal(back, bytes + 20, 65);
    assert_memory_equal(back + 128, bytes + 100, 32);
    assert_int_equal(back[192], 0);
    tpp_ring_close(r);
    tpp_buffer_close(a);
    tpp_buffer_close(b);
}

static void only_take_waits(void **state)
{
    tpp_device *d = *state;
    tpp_ring *r = NULL;
    tpp_buffer *b = NULL;
    uint8_t frame[UP] = {0};
    const uint8_t *back = NULL;
    UNIT_OK(tpp_ring_open(&r, d, 2, UP, DOWN));
    UNIT_OK(tpp_buffer_open(&b, d, UP));
    const tpp_piece piece = {.buffer = b, .bytes = 600};
    const tpp_device_counts before = tpp_device_count(d);
    const uint64_t allocations = tpp_alloc_count();
    for (int i = 0; i < 10; i++) {
        UNIT_OK(tpp_ring_up(r, i % 2, frame, piece));
        UNIT_OK(tpp_ring_down(r, i % 2, &piece, 1));
        assert_int_equal(tpp_device_count(d).waits - before.waits, i);
        UNIT_OK(tpp_ring_take(r, i % 2, &back));
    }
    const tpp_device_counts after = tpp_device_count(d);
    assert_int_equal(after.waits - before.waits, 10);
    assert_int_equal(after.finishes, before.finishes);
    assert_int_equal(after.buffers, before.buffers);
    assert_int_equal(after.bytes_up - before.bytes_up, 6000);
    assert_int_equal(after.bytes_down - before.bytes_down, 6000);
    assert_true(tpp_alloc_count() == allocations);
    tpp_ring_close(r);
    tpp_buffer_close(b);
}

static void bytes_of_a_slot_stay_until_its_next_down(void **state)
{
    tpp_device *d = *state;
    tpp_ring *r = NULL;
    tpp_buffer *b = NULL;
    const uint8_t *first = NULL, *second = NULL;
    UNIT_OK(tpp_ring_open(&r, d, 2, UP, DOWN));
    UNIT_OK(tpp_buffer_open(&b, d, 64));
    const tpp_piece piece = {.buffer = b, .bytes = 64};
    UNIT_OK(tpp_buffer_fill(b, 0x01010101));
    UNIT_OK(tpp_ring_down(r, 0, &piece, 1));
    UNIT_OK(tpp_ring_take(r, 0, &first));
    UNIT_OK(tpp_buffer_fill(b, 0x02020202));
    UNIT_OK(tpp_ring_down(r, 1, &piece, 1));
    UNIT_OK(tpp_ring_take(r, 1, &second));
    assert_int_equal(first[63], 1);
    assert_int_equal(second[63], 2);
    tpp_ring_close(r);
    tpp_buffer_close(b);
}

static void what_does_not_fit_a_slot_is_refused(void **state)
{
    tpp_device *d = *state;
    tpp_ring *r = NULL;
    tpp_buffer *b = NULL;
    uint8_t frame[UP + 1] = {0};
    const uint8_t *back = NULL;
    UNIT_OK(tpp_ring_open(&r, d, 1, UP, 128));
    UNIT_OK(tpp_buffer_open(&b, d, 2 * UP));
    UNIT_FAILS(tpp_ring_take(r, 0, &back), TPP_EINTERNAL, "nothing was brought down");
    UNIT_FAILS(tpp_ring_up(r, 0, frame, (tpp_piece){.buffer = b, .bytes = UP + 1}), TPP_EINTERNAL,
               "1001 bytes up, slots hold 1000");
    const tpp_piece long_one = {.buffer = b, .bytes = 129},
                    two[] = {{.buffer = b, .bytes = 65}, {.buffer = b, .bytes = 1}};
    UNIT_FAILS(tpp_ring_down(r, 0, &long_one, 1), TPP_EINTERNAL, "slots hold 128 bytes down");
    UNIT_FAILS(tpp_ring_down(r, 0, two, 2), TPP_EINTERNAL, "slots hold 128 bytes down");
    tpp_ring_close(r);
    tpp_buffer_close(b);
}

static void a_ring_counts_its_bytes_and_gives_them_back(void **state)
{
    tpp_device *d = *state;
    tpp_ring *r = NULL;
    const size_t before = tpp_device_bytes(d);
    UNIT_OK(tpp_ring_open(&r, d, 3, UP, DOWN));
    assert_int_equal(tpp_ring_bytes(r), 3 * (UP + DOWN));
    assert_int_equal(tpp_device_bytes(d) - before, 3 * (UP + DOWN));
    tpp_ring_close(r);
    assert_int_equal(tpp_device_bytes(d), before);
    tpp_ring_close(NULL);
}

static void opening_survives_any_failure(void **state)
{
    tpp_device *d = *state, *small = NULL;
    tpp_ring *r = NULL;
    const size_t before = tpp_device_bytes(d);
    for (int64_t n = 0;; n++) {
        tpp_alloc_fail_after(n);
        const tpp_status s = tpp_ring_open(&r, d, 2, UP, DOWN);
        tpp_alloc_fail_after(-1);
        if (s == TPP_OK) {
            assert_true(n >= 6); /* the ring, its slots, four buffers */
            break;
        }
        assert_int_equal(s, TPP_ENOMEM);
        assert_null(r);
        assert_int_equal(tpp_device_bytes(d), before);
    }
    tpp_ring_close(r);
    assert_int_equal(setenv("TPP_DEVICE_MEMORY_MB", "1", 1), 0);
    UNIT_OK(tpp_device_open(&small, getenv("TPP_TEST_DEVICE")));
    assert_int_equal(unsetenv("TPP_DEVICE_MEMORY_MB"), 0);
    r = NULL;
    UNIT_FAILS(tpp_ring_open(&r, small, 3, 300000, 300000), TPP_EDEVMEM, "0.3 MB wanted");
    assert_null(r);
    assert_int_equal(tpp_device_bytes(small), 0);
    tpp_device_close(small);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_frame_goes_up_and_comes_back),
        cmocka_unit_test(slots_in_flight_keep_their_order),
        cmocka_unit_test(pieces_lie_at_multiples_of_64),
        cmocka_unit_test(only_take_waits),
        cmocka_unit_test(bytes_of_a_slot_stay_until_its_next_down),
        cmocka_unit_test(what_does_not_fit_a_slot_is_refused),
        cmocka_unit_test(a_ring_counts_its_bytes_and_gives_them_back),
        cmocka_unit_test(opening_survives_any_failure),
    };
    return cmocka_run_group_tests_name("tensor.ring", tests, unit_open_device, unit_close_device);
}
