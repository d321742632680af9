/* Outlines as SVG paths, and pictures of frames and masks at the size at which they are shown.
 * SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "infer/contour.h"
#include "infer/thumbnail.h"
#include "unit.h"

#include <math.h>

static void assert_path(const char *rows, int height, int width, const char *want)
{
    uint8_t mask[64];
    tpp_str s = {0};
    for (int i = 0; i < height * width; i++) mask[i] = rows[i] == '#';
    UNIT_OK(tpp_contour_svg(&s, mask, height, width));
    assert_string_equal(s.text == NULL ? "" : s.text, want);
    tpp_str_free(&s);
}

static void small_masks_have_known_paths(void **state)
{
    (void)state;
    assert_path("......", 2, 3, "");
    assert_path("#", 1, 1, "M1 0l1 1-1 1-1-1z");
    assert_path("....#....", 3, 3, "M3 2l1 1-1 1-1-1z");
    assert_path("#..#", 2, 2, "M1 0l1 1-1 1-1-1zM3 2l1 1-1 1-1-1z"); /* apart */
}

static void a_hole_is_a_loop_of_its_own(void **state)
{
    (void)state;
    uint8_t mask[5 * 5];
    tpp_str s = {0};
    memset(mask, 1, sizeof mask);
    mask[12] = 0;
    UNIT_OK(tpp_contour_svg(&s, mask, 5, 5));
    int loops = 0;
    for (const char *p = s.text; *p != '\0'; p++) loops += *p == 'z';
    assert_int_equal(loops, 2);
    assert_non_null(strstr(s.text, "M5 6l")); /* the lower side of the hole is an upper edge */
    tpp_str_free(&s);
}

/* Follows a path; its area, and its largest distance from a circle. */
static double area_of(const char *path, double cx, double cy, double r, double *farthest)
{
    double twice = 0;
    char *p = NULL;
    const double x0 = strtod(path + 1, &p), y0 = strtod(p, &p);
    double x = x0, y = y0;
    *farthest = 0;
    for (p++; *p != 'z';) {
        const double dx = strtod(p, &p), dy = strtod(p, &p);
        twice += x * (y + dy) - (x + dx) * y;
        x += dx;
        y += dy;
        *farthest = fmax(*farthest, fabs(hypot(x / 2 - cx, y / 2 - cy) - r));
    }
    return (twice + x * y0 - x0 * y) / 8; /* half pixels twice */
}

static void a_disc_keeps_its_area_with_few_corners(void **state)
{
    (void)state;
    enum { N = 200 };
    static uint8_t mask[N * N];
    tpp_str s = {0};
    double farthest = 0;
    for (int i = 0; i < N * N; i++) mask[i] = hypot(i % N + 0.5 - 100, i / N + 0.5 - 90) < 60;
    UNIT_OK(tpp_contour_svg(&s, mask, N, N));
    const double area = area_of(s.text, 100, 90, 60, &farthest), want = 3.14159265 * 60 * 60;
    assert_true(fabs(area - want) < 0.01 * want);
    assert_true(farthest < 1);
    assert_true(s.length < 800);
    tpp_str_free(&s);
}

static void frames_are_averaged_and_small_masks_stay(void **state)
{
    (void)state;
    const tpp_thumbnail t = {.height = 4, .width = 4, .shown_height = 2, .shown_width = 2};
    const uint8_t frame[16] = {0, 4, 9, 9, 8, 12, 9, 9, 1, 1, 0, 0, 1, 1, 0, 255};
    uint8_t out[12], mask[16] = {0};
    tpp_thumbnail_frame(&t, out, 1, frame, 1);
    const uint8_t want[] = {6, 9, 1, 64};
    assert_memory_equal(out, want, 4);
    tpp_thumbnail_frame(&t, out, 3, frame, 1); /* grey as colour */
    const uint8_t rgb[] = {6, 6, 6, 9, 9, 9, 1, 1, 1, 64, 64, 64};
    assert_memory_equal(out, rgb, 12);
    mask[5] = 1; /* a quarter of a shown pixel */
    const uint8_t first[] = {1, 0, 0, 0}, third[] = {0, 0, 1, 0};
    tpp_thumbnail_any(&t, out, mask);
    assert_memory_equal(out, first, 4);
    tpp_thumbnail_half(&t, out, mask); /* would vanish */
    assert_memory_equal(out, first, 4);
    mask[8] = mask[9] = 1;
    tpp_thumbnail_half(&t, out, mask);
    assert_memory_equal(out, third, 4);
}

static void memory_may_end_anywhere(void **state)
{
    (void)state;
    const uint8_t mask[9] = {1, 1, 0, 1, 0, 1, 0, 1, 1};
    tpp_status s = TPP_ENOMEM;
    int n = 0;
    for (; s != TPP_OK && n < 50; n++) {
        tpp_str text = {0};
        tpp_alloc_fail_after(n);
        s = tpp_contour_svg(&text, mask, 3, 3);
        tpp_alloc_fail_after(-1);
        if (s != TPP_OK) assert_int_equal(s, TPP_ENOMEM);
        tpp_str_free(&text);
    }
    assert_int_equal(s, TPP_OK);
    assert_true(n > 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(small_masks_have_known_paths),
        cmocka_unit_test(a_hole_is_a_loop_of_its_own),
        cmocka_unit_test(a_disc_keeps_its_area_with_few_corners),
        cmocka_unit_test(frames_are_averaged_and_small_masks_stay),
        cmocka_unit_test(memory_may_end_anywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
