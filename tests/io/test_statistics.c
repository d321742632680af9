/* Range, percentiles and labels of values against what sorting and counting give.
 * SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "io/statistics.h"
#include "scratch.h"

#include <math.h>

static int rising(const void *a, const void *b)
{
    const float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

/* numpy's linear percentile of sorted values. */
static double by_sorting(const float *sorted, int n, double p)
{
    const double place = p / 100 * (n - 1);
    const int below = (int)place;
    const double a = (double)sorted[below];
    return below + 1 < n ? a + (place - below) * ((double)sorted[below + 1] - a) : a;
}

static void percentiles_are_those_of_sorted_values(void **state)
{
    (void)state;
    enum { MOST = 3001 };
    static float v[MOST];
    static const int sizes[] = {1, 2, 3, 200, 201, MOST};
    uint64_t seed = 5;
    for (size_t k = 0; k < sizeof sizes / sizeof sizes[0]; k++) {
        const int n = sizes[k];
        tpp_statistics s;
        for (int i = 0; i < n; i++)
            v[i] = ((float)(next_random(&seed) % 100000) - 40000.5F) / (i % 3 == 0 ? 1.0F : 300.0F);
        tpp_statistics_of(&s, v, n);
        qsort(v, (size_t)n, sizeof *v, rising);
        assert_int_equal(s.count, n);
        assert_true(s.min == (double)v[0] && s.max == (double)v[n - 1]);
        assert_true(fabs(s.low - by_sorting(v, n, 0.5)) < 1e-9);
        assert_true(fabs(s.high - by_sorting(v, n, 99.5)) < 1e-9);
        assert_false(s.are_labels);
    }
}

static void labels_are_counted_in_rising_order(void **state)
{
    (void)state;
    static const float v[] = {3, 0, 0, -1, 3, 3, 0};
    tpp_statistics s;
    tpp_statistics_of(&s, v, 7);
    assert_true(s.are_labels);
    assert_int_equal(s.n_labels, 3);
    assert_int_equal(s.label[0].value, -1);
    assert_int_equal(s.label[0].count, 1);
    assert_int_equal(s.label[1].count, 3);
    assert_int_equal(s.label[2].value, 3);
    assert_int_equal(s.label[2].count, 3);
}

static void what_is_no_label_is_not_counted(void **state)
{
    (void)state;
    static float v[TPP_MAX_LABELS + 1];
    tpp_statistics s;
    for (int i = 0; i <= TPP_MAX_LABELS; i++) v[i] = (float)(TPP_MAX_LABELS - i);
    tpp_statistics_of(&s, v, TPP_MAX_LABELS);
    assert_true(s.are_labels);
    assert_int_equal(s.n_labels, TPP_MAX_LABELS);
    tpp_statistics_of(&s, v, TPP_MAX_LABELS + 1);
    assert_false(s.are_labels);
    v[0] = 0.5F;
    tpp_statistics_of(&s, v, 3);
    assert_false(s.are_labels);
    v[0] = NAN;
    v[1] = INFINITY;
    tpp_statistics_of(&s, v, 3);
    assert_false(s.are_labels);
    assert_int_equal(s.count, 1);
    assert_true(s.min == (double)v[2] && s.max == s.min && s.low == s.min && s.high == s.min);
    tpp_statistics_of(&s, v, 2);
    assert_int_equal(s.count, 0);
    assert_false(s.are_labels);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(percentiles_are_those_of_sorted_values),
        cmocka_unit_test(labels_are_counted_in_rising_order),
        cmocka_unit_test(what_is_no_label_is_not_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
