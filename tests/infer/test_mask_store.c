/* Run lengths of masks: every small mask comes back, in any order, and areas are right.
 * SPDX-License-Identifier: MIT */
#include "core/mem.h"
#include "infer/mask_store.h"
#include "unit.h"

enum { BITS = 11, MASKS = 1 << BITS };

/* All masks of eleven pixels, put from the last to the first. */
static void every_small_mask_comes_back(void **state)
{
    (void)state;
    tpp_mask_store m = {0};
    UNIT_OK(tpp_mask_store_open(&m, MASKS, BITS));
    uint8_t mask[BITS], got[BITS];
    for (int n = MASKS - 1; n >= 0; n--) {
        for (int b = 0; b < BITS; b++) mask[b] = (uint8_t)((n >> b & 1) * 255);
        UNIT_OK(tpp_mask_store_put(&m, n, mask));
    }
    for (int n = 0; n < MASKS; n++) {
        int area = 0;
        tpp_mask_store_get(&m, n, got);
        for (int b = 0; b < BITS; b++) {
            assert_int_equal(got[b], n >> b & 1);
            area += n >> b & 1;
        }
        assert_int_equal(tpp_mask_store_area(&m, n), area);
    }
    tpp_mask_store_close(&m);
}

static void a_frame_may_be_put_again_or_never(void **state)
{
    (void)state;
    tpp_mask_store m = {0};
    uint8_t got[4];
    UNIT_OK(tpp_mask_store_open(&m, 2, 4));
    UNIT_OK(tpp_mask_store_put(&m, 0, (const uint8_t[]){1, 1, 0, 1}));
    UNIT_OK(tpp_mask_store_put(&m, 0, (const uint8_t[]){0, 0, 7, 0}));
    tpp_mask_store_get(&m, 0, got);
    assert_memory_equal(got, ((uint8_t[]){0, 0, 1, 0}), 4);
    tpp_mask_store_get(&m, 1, got);
    assert_memory_equal(got, ((uint8_t[]){0, 0, 0, 0}), 4);
    assert_int_equal(tpp_mask_store_area(&m, 1), 0);
    tpp_mask_store_close(&m);
    tpp_mask_store_close(&m);
}

static void sizes_that_cannot_be_are_refused(void **state)
{
    (void)state;
    tpp_mask_store m = {0};
    UNIT_FAILS(tpp_mask_store_open(&m, -1, 4), TPP_EUSAGE, "-1 frames");
    UNIT_FAILS(tpp_mask_store_open(&m, 1, 0), TPP_EUSAGE, "0 pixels");
    UNIT_FAILS(tpp_mask_store_open(&m, 1, (int64_t)1 << 33), TPP_EUSAGE, "pixels");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_small_mask_comes_back),
        cmocka_unit_test(a_frame_may_be_put_again_or_never),
        cmocka_unit_test(sizes_that_cannot_be_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
