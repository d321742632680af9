/* Order statistics and spread against numbers worked out by hand.
 * SPDX-License-Identifier: MIT */
#include "infer/samples.h"
#include "unit.h"

#include <math.h>

static void expect(double got, double want)
{
    if (fabs(got - want) > 1e-12) fail_msg("got %.15g, wanted %.15g", got, want);
}

static void one_sample_has_no_spread(void **state)
{
    (void)state;
    const double one[] = {7.5};
    tpp_samples_summary s;
    UNIT_OK(tpp_samples_summarise(&s, one, 1));
    expect(s.median, 7.5);
    expect(s.mean, 7.5);
    expect(s.stddev, 0);
    expect(s.p90, 7.5);
    expect(s.min, 7.5);
    expect(s.max, 7.5);
}

static void ranks_between_samples_are_linear(void **state)
{
    (void)state;
    double values[] = {40, 10, 30, 20}; /* numpy: median 25, percentile(90) 37 */
    tpp_samples_summary s;
    UNIT_OK(tpp_samples_summarise(&s, values, 4));
    expect(s.median, 25);
    expect(s.p90, 37);
    expect(s.mean, 25);
    expect(s.stddev, sqrt(500.0 / 3));
    expect(s.min, 10);
    expect(s.max, 40);
    expect(values[0], 40); /* they keep their order */
    expect(values[3], 20);
}

static void ranks_on_samples_are_those(void **state)
{
    (void)state;
    double values[11];
    for (int i = 0; i < 11; i++) values[i] = (i * 7) % 11; /* 0 .. 10 in some order */
    tpp_samples_summary s;
    UNIT_OK(tpp_samples_summarise(&s, values, 11));
    expect(s.median, 5);
    expect(s.p90, 9);
    expect(s.stddev, sqrt(11));
}

static void an_outlier_moves_the_mean_alone(void **state)
{
    (void)state;
    const double values[] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1001};
    tpp_samples_summary s;
    UNIT_OK(tpp_samples_summarise(&s, values, 11));
    expect(s.median, 1);
    expect(s.p90, 1);
    expect(s.mean, 1011.0 / 11);
    expect(s.max, 1001);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_sample_has_no_spread),
        cmocka_unit_test(ranks_between_samples_are_linear),
        cmocka_unit_test(ranks_on_samples_are_those),
        cmocka_unit_test(an_outlier_moves_the_mean_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
