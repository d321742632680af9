/* Contact sheets: which frames they show, and how.
 * SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "infer/overlay.h"
#include "unit.h"

#include <math.h>

enum { N = 320, GAP = 4 };
static tpp_target green_target = {.name = "object", .title = "object", .rgb = {0, 255, 64}};
static const tpp_targets green = {&green_target, 1};
static tpp_target three_target[] = {{.rgb = {255, 0, 0}}, {.rgb = {0, 0, 255}}, {.rgb = {9, 9, 9}}};
static const tpp_targets three = {three_target, 3};
static const double square[2] = {1, 1};

static const uint8_t *pixel(const tpp_sheet *s, int y, int x)
{
    return s->picture.pixels + ((int64_t)y * s->picture.width + x) * 3;
}

static void sheet_takes_first_last_and_even_steps(void **state)
{
    (void)state;
    const double spacing[2] = {0, 0};
    for (int64_t n = 1; n < 100; n++) {
        tpp_sheet s = {0};
        UNIT_OK(tpp_sheet_init(&s, n, 10, 10, spacing, &green));
        int tiles = 0;
        for (int64_t i = 0; i < n; i++) {
            const int tile = tpp_sheet_tile(&s, i);
            if (tile < 0) continue;
            assert_int_equal(tile, tiles);
            tiles++;
        }
        assert_int_equal(tiles, n <= TPP_SHEET_MAX_TILES ? n : TPP_SHEET_MAX_TILES - 2);
        assert_int_equal(tpp_sheet_tile(&s, 0), 0);
        assert_int_equal(tpp_sheet_tile(&s, n - 1), tiles - 1);
        tpp_sheet_free(&s);
    }
}

static void sheet_keeps_the_aspect_of_millimetres(void **state)
{
    (void)state;
    const double spacing[2] = {3, 1};
    tpp_sheet s = {0};
    UNIT_OK(tpp_sheet_init(&s, 1, 10, 15, spacing, &green));
    assert_int_equal(s.tile_height, 320);
    assert_int_equal(s.tile_width, 160);
    tpp_sheet_free(&s);
}

/* A frame of 320 x 320, drawn pixel by pixel: the outline is the border's two sides, not more. */
static void outline_is_drawn_and_not_filled(void **state)
{
    (void)state;
    static uint8_t frame[N * N], mask[N * N];
    const uint8_t *masks[] = {mask};
    tpp_sheet s = {0};
    for (int i = 0; i < N * N; i++) {
        frame[i] = 90;
        mask[i] = i / N >= 100 && i / N < 200 && i % N >= 50 && i % N < 150;
    }
    UNIT_OK(tpp_sheet_init(&s, 1, N, N, square, &green));
    tpp_sheet_add(&s, 0, frame, 1, masks, 10000, 0.5);
    for (int y = 0; y < N; y++)
        for (int x = 0; x < N; x++) {
            const bool in = mask[y * N + x] != 0;
            bool border = false;
            if (y > 0) border = border || (mask[(y - 1) * N + x] != 0) != in;
            if (y < N - 1) border = border || (mask[(y + 1) * N + x] != 0) != in;
            if (x > 0) border = border || (mask[y * N + x - 1] != 0) != in;
            if (x < N - 1) border = border || (mask[y * N + x + 1] != 0) != in;
            const uint8_t *p = pixel(&s, y + GAP, x + GAP);
            assert_int_equal(p[0] == 0 && p[1] == 255, border);
        }
    assert_int_equal(pixel(&s, 150 + GAP, 100 + GAP)[0], 90);
    tpp_sheet_free(&s);
}

static void every_target_has_its_colour_and_a_bar(void **state)
{
    (void)state;
    static uint8_t frame[N * N], left[N * N], right[N * N];
    const uint8_t *masks[] = {left, right, NULL};
    tpp_sheet s = {0};
    for (int i = 0; i < N * N; i++) {
        left[i] = i % N < 100;
        right[i] = i % N >= 200;
    }
    UNIT_OK(tpp_sheet_init(&s, 1, N, N, square, &three));
    tpp_sheet_add(&s, 0, frame, 1, masks, 1, 0.5);
    assert_int_equal(pixel(&s, GAP + 10, GAP + 99)[0], 255);
    assert_int_equal(pixel(&s, GAP + 10, GAP + 200)[2], 255);
    const int bar = s.picture.height - GAP - 1, third = (s.picture.width - 2 * GAP) / 3;
    for (int t = 0; t < 3; t++)
        assert_memory_equal(pixel(&s, bar, GAP + t * third + third / 2), three.item[t].rgb, 3);
    tpp_sheet_free(&s);
}

/* Frames are grey by their number, so a tile tells which frame it shows. */
static void add_grey(tpp_sheet *s, int64_t i, int64_t area, double score)
{
    uint8_t frame[16];
    const uint8_t *masks[] = {NULL};
    memset(frame, (int)i, sizeof frame);
    if (tpp_sheet_wants(s, i, area, score)) tpp_sheet_add(s, i, frame, 1, masks, area, score);
}

static int shown_in(const tpp_sheet *s, int tile)
{
    const int side = s->tile_height + GAP;
    return pixel(s, GAP + tile / s->columns * side + 5, GAP + tile % s->columns * side + 5)[0];
}

static int rim_of(const tpp_sheet *s, int tile)
{
    const int side = s->tile_height + GAP;
    return pixel(s, tile / s->columns * side + GAP - 1, tile % s->columns * side + GAP + 5)[1];
}

static int64_t area_of(int64_t i)
{
    return i == 0 ? 9999 : i == 99 ? 0 : 1000 - llabs(i - 52) * 10; /* 0 is shown anyway */
}

static double score_of(int64_t i)
{
    return i == 50 ? 0 : i == 71 ? 0.1 : 0.6; /* nothing is found in frame 50 */
}

static void largest_and_weakest_get_tiles_whichever_way_frames_come(void **state)
{
    (void)state;
    for (int way = 0; way < 2; way++) {
        tpp_sheet s = {0};
        UNIT_OK(tpp_sheet_init(&s, 100, 4, 4, square, &green));
        for (int64_t k = 0; k < 100; k++) {
            const int64_t i = way == 0 ? k : 99 - k;
            add_grey(&s, i, i == 50 ? 0 : area_of(i), score_of(i));
        }
        tpp_sheet_finish(&s);
        assert_int_equal(tpp_sheet_tile(&s, 52), -1);
        assert_int_equal(tpp_sheet_tile(&s, 71), -1);
        assert_int_equal(shown_in(&s, 14), 52);
        assert_int_equal(shown_in(&s, 15), 71);
        assert_int_equal(rim_of(&s, 14), 255);
        assert_int_equal(rim_of(&s, 15), 140);
        for (int t = 0; t < 14; t++) assert_int_equal(tpp_sheet_tile(&s, shown_in(&s, t)), t);
        tpp_sheet_free(&s);
    }
}

static void one_frame_is_not_shown_twice(void **state)
{
    (void)state;
    tpp_sheet s = {0};
    UNIT_OK(tpp_sheet_init(&s, 100, 4, 4, square, &green));
    for (int64_t i = 0; i < 100; i++) add_grey(&s, i, i == 52, 0.5);
    tpp_sheet_finish(&s);
    assert_int_equal(shown_in(&s, 14), 52);
    assert_int_equal(shown_in(&s, 15), 40); /* background */
    assert_int_equal(rim_of(&s, 15), 40);
    tpp_sheet_free(&s);
}

static void memory_may_end_anywhere(void **state)
{
    (void)state;
    tpp_status s = TPP_ENOMEM;
    int n = 0;
    for (; s != TPP_OK && n < 10; n++) {
        tpp_sheet sheet = {0};
        tpp_alloc_fail_after(n);
        s = tpp_sheet_init(&sheet, 3, 4, 4, square, &green);
        tpp_alloc_fail_after(-1);
        if (s != TPP_OK) assert_int_equal(s, TPP_ENOMEM);
        tpp_sheet_free(&sheet);
    }
    assert_int_equal(s, TPP_OK);
    assert_true(n > 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sheet_takes_first_last_and_even_steps),
        cmocka_unit_test(sheet_keeps_the_aspect_of_millimetres),
        cmocka_unit_test(outline_is_drawn_and_not_filled),
        cmocka_unit_test(every_target_has_its_colour_and_a_bar),
        cmocka_unit_test(largest_and_weakest_get_tiles_whichever_way_frames_come),
        cmocka_unit_test(one_frame_is_not_shown_twice),
        cmocka_unit_test(memory_may_end_anywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
