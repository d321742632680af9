/* What masks measure, against known answers and brute force.
 * SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "axial_geometry.h"
#include "infer/statistics.h"
#include "unit.h"

#include <math.h>

static double number(const json_t *j, const char *key)
{
    const json_t *n = json_object_get(j, key);
    if (!json_is_number(n)) fail_msg("%s is no number", key);
    return json_number_value(n);
}

static double at(const json_t *j, const char *key, size_t i)
{
    return json_number_value(json_array_get(json_object_get(j, key), i));
}

static bool is_null(const json_t *j, const char *key)
{
    return json_is_null(json_object_get(j, key));
}

static void assert_near(double got, double want, double tolerance)
{
    if (!(fabs(got - want) <= tolerance)) fail_msg("got %.9g, wanted %.9g", got, want);
}

/* A volume whose file is in the order x to the left, y to posterior, z to superior, so that its
 * voxels are those of the canonical view; the spacing is 0.5, 2 and 3 mm. */
static tpp_geometry volume_of(int width, int height, int64_t depth)
{
    tpp_volume v = {.dim = {width, height, depth, 1}, .spacing_mm = {0.5, 2, 3}, .modality = "CT"};
    v.affine.m[0][0] = -0.5;
    v.affine.m[1][1] = -2;
    v.affine.m[2][2] = 3;
    v.affine.m[0][3] = 10;
    v.affine.m[3][3] = 1;
    return axial_geometry(&v, 0, depth);
}

/* ---- sizes ---- */

static void a_sphere_has_its_volume(void **state)
{
    (void)state;
    enum { N = 64 };
    static uint8_t mask[N * N];
    tpp_volume v = {.dim = {N, N, N, 1}, .spacing_mm = {1, 1, 1}};
    for (int i = 0; i < 4; i++) v.affine.m[i][i] = 1;
    const tpp_geometry g = axial_geometry(&v, 0, N);
    tpp_statistics s = {0};
    UNIT_OK(tpp_statistics_open(&s, &g));
    int64_t voxels = 0;
    for (int64_t i = 0; i < N; i++) {
        for (int p = 0; p < N * N; p++) {
            const double x = p % N + 0.5 - 32, y = p / N + 0.5 - 32, z = (double)i + 0.5 - 32;
            mask[p] = x * x + y * y + z * z < 25 * 25;
            voxels += mask[p];
        }
        UNIT_OK(tpp_statistics_add(&s, i, mask, NULL));
    }
    json_t *j = tpp_statistics_json(&s);
    assert_near(number(j, "n_voxels"), (double)voxels, 0);
    assert_near(number(j, "volume_ml"), 4.0 / 3 * 3.14159265 * 25 * 25 * 25 / 1000, 0.4);
    assert_near(number(j, "volume_mm3"), 1000 * number(j, "volume_ml"), 1e-6);
    assert_near(number(j, "diameter_mm"), 50, 1.5);
    assert_near(number(j, "n_frames_present"), 50, 0);
    for (size_t a = 0; a < 3; a++) {
        assert_near(at(j, "centroid_vox", a), 31.5, 1e-9);
        assert_near(at(j, "centroid_mm", a), 31.5, 1e-9);
    }
    assert_true(json_is_false(json_object_get(j, "touches_border")));
    assert_true(is_null(j, "intensity"));
    json_decref(j);
    tpp_statistics_close(&s);
}

/* Largest distance between corners of set pixels, all pairs. */
static double brute_diameter(const uint8_t *mask, int h, int w, double row, double column)
{
    double longest = 0;
    for (int a = 0; a < h * w; a++)
        for (int b = 0; b < h * w; b++) {
            if (mask[a] == 0 || mask[b] == 0) continue;
            const double dx = abs(a % w - b % w) + 1, dy = abs(a / w - b / w) + 1;
            longest = fmax(longest, hypot(dx * column, dy * row));
        }
    return longest;
}

static double diameter_of(const uint8_t *mask, int h, int w, double row, double column)
{
    tpp_geometry g = {.height = h, .width = w, .frames = 1, .spacing_mm = {row, column, 0}};
    tpp_statistics s = {0};
    UNIT_OK(tpp_statistics_open(&s, &g));
    UNIT_OK(tpp_statistics_add(&s, 0, mask, NULL));
    const double d = s.diameter;
    tpp_statistics_close(&s);
    return d;
}

static void diameter_is_that_of_brute_force(void **state)
{
    (void)state;
    enum { H = 23, W = 31 };
    uint8_t mask[H * W];
    uint32_t seed = 7;
    for (int k = 0; k < 60; k++) {
        const double turn = k * 0.37, long_axis = 3 + k % 9, short_axis = 1 + k % 4;
        for (int p = 0; p < H * W; p++) { /* ellipses, then dust, then both */
            const double x = p % W - 15, y = p / W - 11;
            const double u = x * cos(turn) + y * sin(turn), v = y * cos(turn) - x * sin(turn);
            seed = seed * 1664525U + 1013904223U;
            mask[p] = k < 40 && pow(u / long_axis, 2) + pow(v / short_axis, 2) <= 1;
            if (k >= 30) mask[p] = mask[p] != 0 || seed >> 26 == 0;
        }
        const double row = 0.7 + 0.1 * (k % 5), column = 1.3 - 0.2 * (k % 3);
        assert_near(diameter_of(mask, H, W, row, column), brute_diameter(mask, H, W, row, column),
                    1e-12);
    }
}

static void one_pixel_is_measured_from_corner_to_corner(void **state)
{
    (void)state;
    const tpp_geometry g = volume_of(4, 3, 2);
    uint8_t mask[12] = {0};
    const float intensity[12] = {[6] = -7};
    tpp_statistics s = {0};
    mask[6] = 1; /* row 1, column 2 */
    UNIT_OK(tpp_statistics_open(&s, &g));
    UNIT_OK(tpp_statistics_add(&s, 1, mask, intensity));
    json_t *j = tpp_statistics_json(&s);
    assert_near(number(j, "diameter_mm"), hypot(0.5, 2), 1e-12);
    assert_near(number(j, "diameter_frame"), 1, 0);
    assert_near(number(j, "volume_mm3"), 3, 1e-12);
    assert_near(at(j, "area_mm2", 1), 1, 1e-12);
    assert_near(at(j, "area_mm2", 0), 0, 0);
    assert_near(at(j, "centroid_mm", 0), 10 - 0.5 * 2, 1e-12);
    assert_near(at(j, "centroid_mm", 1), -2, 1e-12);
    assert_near(at(j, "centroid_mm", 2), 3, 1e-12);
    const json_t *in = json_object_get(j, "intensity");
    assert_near(number(in, "mean"), -7, 0);
    assert_near(number(in, "median"), -7, 0);
    assert_near(number(in, "std"), 0, 0);
    assert_string_equal(json_string_value(json_object_get(in, "unit")), "HU");
    json_decref(j);
    tpp_statistics_close(&s);
}

static void an_empty_mask_is_not_found_and_has_no_numbers(void **state)
{
    (void)state;
    const tpp_geometry g = volume_of(4, 3, 2);
    const uint8_t mask[12] = {0};
    tpp_statistics s = {0};
    UNIT_OK(tpp_statistics_open(&s, &g));
    for (int64_t i = 0; i < 2; i++) UNIT_OK(tpp_statistics_add(&s, i, mask, NULL));
    json_t *j = tpp_statistics_json(&s);
    static const char *const missing[] = {
        "volume_ml", "volume_mm3",  "diameter_mm",  "diameter_px", "diameter_frame",
        "intensity", "centroid_mm", "centroid_vox", "bbox_vox",    "touches_border"};
    assert_true(json_is_false(json_object_get(j, "found")));
    for (size_t i = 0; i < sizeof missing / sizeof *missing; i++)
        assert_true(is_null(j, missing[i]));
    assert_near(number(j, "n_voxels"), 0, 0);
    assert_near(number(j, "n_frames_present"), 0, 0);
    json_decref(j);
    tpp_statistics_close(&s);
}

/* ---- places ---- */

static bool touches(const tpp_geometry *g, int64_t frame, int row, int column)
{
    static uint8_t mask[25];
    tpp_statistics s = {0};
    memset(mask, 0, sizeof mask);
    mask[row * 5 + column] = 1;
    UNIT_OK(tpp_statistics_open(&s, g));
    UNIT_OK(tpp_statistics_add(&s, frame, mask, NULL));
    json_t *j = tpp_statistics_json(&s);
    const bool yes = json_is_true(json_object_get(j, "touches_border"));
    json_decref(j);
    tpp_statistics_close(&s);
    return yes;
}

static void six_sides_of_a_volume_and_four_of_a_frame(void **state)
{
    (void)state;
    tpp_geometry g = volume_of(5, 5, 7);
    assert_false(touches(&g, 1, 2, 2));
    assert_true(touches(&g, 0, 2, 2) && touches(&g, 6, 2, 2));
    assert_true(touches(&g, 1, 0, 2) && touches(&g, 1, 4, 2));
    assert_true(touches(&g, 1, 2, 0) && touches(&g, 1, 2, 4));
    g.first = 2; /* slices 2 to 6: the first that was run is not the volume's */
    g.frames = 5;
    assert_false(touches(&g, 0, 2, 2));
    assert_true(touches(&g, 4, 2, 2));
    const tpp_geometry sequence = {.height = 5, .width = 5, .frames = 3};
    assert_false(touches(&sequence, 0, 2, 2));
    assert_true(touches(&sequence, 0, 0, 2));
}

/* The file runs z, x, y of the canonical view, partly backwards: places index the file. */
static void places_are_those_of_the_file(void **state)
{
    (void)state;
    tpp_volume v = {.dim = {6, 5, 4, 1}, .spacing_mm = {3, 1, 2}};
    v.affine.m[2][0] = -3; /* x of the file leads to inferior */
    v.affine.m[0][1] = 1;  /* y to the right */
    v.affine.m[1][2] = -2; /* z to posterior */
    v.affine.m[3][3] = 1;
    const tpp_geometry g = axial_geometry(&v, 1, 3);
    assert_int_equal(g.width, 5);
    assert_int_equal(g.height, 4);
    uint8_t mask[20] = {0};
    tpp_statistics s = {0};
    mask[2 * 5 + 1] = mask[2 * 5 + 2] = 1; /* row 2, columns 1 and 2, slice 1 + 1 */
    UNIT_OK(tpp_statistics_open(&s, &g));
    UNIT_OK(tpp_statistics_add(&s, 1, mask, NULL));
    json_t *j = tpp_statistics_json(&s);
    const json_t *box = json_object_get(j, "bbox_vox");
    const double low[] = {3, 2, 2}, high[] = {3, 3, 2}, mm[] = {2.5, -4, -9};
    for (size_t a = 0; a < 3; a++) {
        assert_near(at(box, "first", a), low[a], 0);
        assert_near(at(box, "last", a), high[a], 0);
        assert_near(at(j, "centroid_mm", a), mm[a], 1e-12);
    }
    json_decref(j);
    tpp_statistics_close(&s);
}

static void places_of_a_sequence_count_in_the_input(void **state)
{
    (void)state;
    const tpp_geometry g = {.height = 2, .width = 3, .frames = 4, .first = 10};
    const uint8_t mask[6] = {0, 1, 1, 0, 0, 0};
    tpp_statistics s = {0};
    UNIT_OK(tpp_statistics_open(&s, &g));
    UNIT_OK(tpp_statistics_add(&s, 3, mask, NULL));
    json_t *j = tpp_statistics_json(&s);
    const double want[] = {1.5, 0, 13};
    for (size_t a = 0; a < 3; a++) assert_near(at(j, "centroid_vox", a), want[a], 0);
    assert_near(number(j, "diameter_frame"), 13, 0);
    assert_true(is_null(j, "centroid_mm") && is_null(j, "volume_ml") && is_null(j, "area_mm2"));
    json_decref(j);
    tpp_statistics_close(&s);
}

/* ---- intensities ---- */

static int by_value(const void *a, const void *b)
{
    const float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

/* Large values with a small spread: sums of squares would lose it. */
static void intensities_are_exact_in_any_order_of_frames(void **state)
{
    (void)state;
    enum { F = 9, P = 60, ODD = F * P - 1 };
    const tpp_geometry g = {.height = 6, .width = 10, .frames = F, .spacing_mm = {1, 1, 0}};
    float value[F * P];
    uint32_t seed = 3;
    for (int i = 0; i < F * P; i++) {
        seed = seed * 1664525U + 1013904223U;
        value[i] = 1e6f + (float)(seed >> 27);
    }
    for (int n = ODD; n <= F * P; n++) { /* an odd and an even count */
        double sum = 0, squares = 0;
        json_t *j[2];
        for (int i = 0; i < n; i++) sum += (double)value[i];
        for (int i = 0; i < n; i++) squares += pow((double)value[i] - sum / n, 2);
        for (int way = 0; way < 2; way++) {
            tpp_statistics s = {0};
            UNIT_OK(tpp_statistics_open(&s, &g));
            for (int k = 0; k < F; k++) {
                const int i = way == 0 ? k : F - 1 - k;
                uint8_t mask[P];
                for (int p = 0; p < P; p++) mask[p] = i * P + p < n;
                UNIT_OK(tpp_statistics_add(&s, i, mask, value + i * P));
            }
            j[way] = tpp_statistics_json(&s);
            tpp_statistics_close(&s);
        }
        assert_true(json_equal(j[0], j[1]));
        const json_t *in = json_object_get(j[0], "intensity");
        float sorted[F * P];
        memcpy(sorted, value, sizeof sorted);
        qsort(sorted, (size_t)n, sizeof *sorted, by_value);
        assert_near(number(in, "mean"), sum / n, 1e-6);
        assert_near(number(in, "std"), sqrt(squares / n), 1e-6);
        assert_near(number(in, "min"), (double)sorted[0], 0);
        assert_near(number(in, "max"), (double)sorted[n - 1], 0);
        assert_near(number(in, "median"), ((double)sorted[n / 2] + (double)sorted[(n - 1) / 2]) / 2,
                    0);
        json_decref(j[0]);
        json_decref(j[1]);
    }
}

static void values_that_are_not_finite_do_not_count(void **state)
{
    (void)state;
    const tpp_geometry g = {.height = 1, .width = 4, .frames = 1};
    const uint8_t mask[4] = {1, 1, 1, 1};
    const float value[4] = {NAN, 2, INFINITY, 4};
    tpp_statistics s = {0};
    UNIT_OK(tpp_statistics_open(&s, &g));
    UNIT_OK(tpp_statistics_add(&s, 0, mask, value));
    json_t *j = tpp_statistics_json(&s);
    const json_t *in = json_object_get(j, "intensity");
    assert_near(number(j, "n_voxels"), 4, 0);
    assert_near(number(in, "n_values"), 2, 0);
    assert_near(number(in, "mean"), 3, 0);
    assert_true(is_null(j, "diameter_mm")); /* no spacing */
    assert_near(number(j, "diameter_px"), hypot(4, 1), 1e-12);
    json_decref(j);
    tpp_statistics_close(&s);
}

static void beyond_the_limit_there_is_no_median(void **state)
{
    (void)state;
    const tpp_geometry g = {.height = 1, .width = 4, .frames = 1};
    const uint8_t mask[4] = {1, 1, 1, 1};
    const float value[4] = {1, 2, 3, 10};
    for (size_t most = 0; most <= 4; most++) {
        tpp_statistics s = {0};
        UNIT_OK(tpp_statistics_open(&s, &g));
        s.max_values = most;
        UNIT_OK(tpp_statistics_add(&s, 0, mask, value));
        json_t *j = tpp_statistics_json(&s);
        const json_t *in = json_object_get(j, "intensity");
        assert_int_equal(is_null(in, "median"), most < 4);
        assert_near(number(in, "mean"), 4, 1e-12);
        assert_near(number(in, "min"), 1, 0);
        json_decref(j);
        tpp_statistics_close(&s);
    }
}

/* ---- memory ---- */

static void memory_may_end_anywhere(void **state)
{
    (void)state;
    const tpp_geometry g = volume_of(4, 3, 1);
    const uint8_t mask[12] = {0, 1};
    const float value[12] = {0};
    tpp_target target = {.name = "a", .title = "a"};
    const tpp_targets targets = {&target, 1};
    tpp_status status = TPP_ENOMEM;
    int n = 0;
    for (; status != TPP_OK && n < 50; n++) {
        tpp_statistics s = {0};
        json_t *j = NULL;
        tpp_alloc_fail_after(n);
        status = tpp_statistics_open(&s, &g);
        if (status == TPP_OK) status = tpp_statistics_add(&s, 0, mask, value);
        if (status == TPP_OK && (j = tpp_statistics_report(&targets, &s)) == NULL)
            status = TPP_ENOMEM;
        tpp_alloc_fail_after(-1);
        if (status != TPP_OK) assert_int_equal(status, TPP_ENOMEM);
        json_decref(j);
        tpp_statistics_close(&s);
    }
    assert_int_equal(status, TPP_OK);
    assert_true(n > 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sphere_has_its_volume),
        cmocka_unit_test(diameter_is_that_of_brute_force),
        cmocka_unit_test(one_pixel_is_measured_from_corner_to_corner),
        cmocka_unit_test(an_empty_mask_is_not_found_and_has_no_numbers),
        cmocka_unit_test(six_sides_of_a_volume_and_four_of_a_frame),
        cmocka_unit_test(places_are_those_of_the_file),
        cmocka_unit_test(places_of_a_sequence_count_in_the_input),
        cmocka_unit_test(intensities_are_exact_in_any_order_of_frames),
        cmocka_unit_test(values_that_are_not_finite_do_not_count),
        cmocka_unit_test(beyond_the_limit_there_is_no_median),
        cmocka_unit_test(memory_may_end_anywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
