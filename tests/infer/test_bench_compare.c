/* Verdicts about hand-made rows: faster, slower, the same within the spread, or not to be compared.
 * SPDX-License-Identifier: MIT */
#include "infer/bench_compare.h"
#include "unit.h"

#include <math.h>

enum { SAMPLES = 11 };

/* A row whose times lie around `ms`, evenly spread over +-`spread`. */
static void make_row(tpp_bench_row *r, double ms, double spread)
{
    tpp_bench_row_init(r);
    TPP_BENCH_SET(r->config, "configs/a.yaml");
    TPP_BENCH_SET(r->config_sha256, "0123");
    TPP_BENCH_SET(r->device, "card");
    TPP_BENCH_SET(r->platform, "vendor's");
    TPP_BENCH_SET(r->precision, "float32");
    TPP_BENCH_SET(r->scenario, "offline");
    TPP_BENCH_SET(r->algorithm, "auto");
    TPP_BENCH_SET(r->kernel_cache, "warm");
    TPP_BENCH_SET(r->status, "ok");
    r->height = 64;
    r->width = 96;
    r->ahead = 1;
    r->clip = 0;
    r->prompts = 3;
    r->tokens = 28;
    r->peak_gflops = 100;
    r->samples = tpp_calloc(SAMPLES, sizeof(*r->samples));
    assert_non_null(r->samples);
    r->n_samples = SAMPLES;
    for (int i = 0; i < SAMPLES; i++)
        r->samples[i] = ms + spread * (2.0 * ((i * 4) % SAMPLES) / (SAMPLES - 1) - 1);
}

/* Compares with one base and says the verdict; frees both. */
static const char *verdict(tpp_bench_row *r, tpp_bench_row *base)
{
    static char text[300];
    const tpp_bench_rows rows = {.row = base, .count = 1};
    UNIT_OK(tpp_bench_compare(r, &rows));
    (void)snprintf(text, sizeof(text), "%s%s%s", r->compare.verdict,
                   r->compare.reason[0] != '\0' ? ": " : "", r->compare.reason);
    tpp_bench_row_free(r);
    tpp_bench_row_free(base);
    return text;
}

static void medians_apart_are_faster_or_slower(void **state)
{
    (void)state;
    tpp_bench_row r, base;
    make_row(&base, 10, 0.1);
    make_row(&r, 8, 0.1);
    assert_string_equal(verdict(&r, &base), "faster");
    assert_true(fabs(r.compare.ratio - 1.25) < 1e-9);
    assert_true(r.compare.base_ms == 10);
    assert_true(r.compare.margin >= 0.01 && r.compare.margin < 0.03);
    make_row(&base, 8, 0.1);
    make_row(&r, 10, 0.1);
    assert_string_equal(verdict(&r, &base), "slower");
    assert_true(fabs(r.compare.ratio - 0.8) < 1e-9);
}

static void medians_within_the_spread_are_the_same(void **state)
{
    (void)state;
    tpp_bench_row r, base;
    make_row(&base, 10, 6); /* a twentieth less, of times that vary by half of themselves */
    make_row(&r, 9.5, 6);
    assert_string_equal(verdict(&r, &base), "same");
    assert_true(r.compare.margin > 0.05);
    make_row(&base, 10, 6); /* the spread of either side counts */
    make_row(&r, 9.5, 0.01);
    assert_string_equal(verdict(&r, &base), "same");
    make_row(&base, 10, 0.01);
    make_row(&r, 9.5, 6);
    assert_string_equal(verdict(&r, &base), "same");
    make_row(&base, 10, 0.01); /* the same medians without the spread */
    make_row(&r, 9.5, 0.01);
    assert_string_equal(verdict(&r, &base), "faster");
    make_row(&base, 10, 0);
    make_row(&r, 9.95, 0); /* half a hundredth is nothing to speak of */
    assert_string_equal(verdict(&r, &base), "same");
}

static void a_slower_machine_is_no_slower_program(void **state)
{
    (void)state;
    tpp_bench_row r, base;
    make_row(&base, 10, 0.1);
    make_row(&r, 12, 0.1);
    r.peak_gflops = 75;
    assert_string_equal(verdict(&r, &base), "same");
    make_row(&base, 10, 0.1);
    make_row(&r, 15, 0.1);
    r.peak_gflops = 75;
    assert_string_equal(verdict(&r, &base), "slower");
    make_row(&base, 10, 0.1);
    make_row(&r, 12, 0.1);
    base.peak_gflops = (double)NAN; /* not measured: scenario cold */
    assert_string_equal(verdict(&r, &base), "slower");
}

static void what_differs_is_named(void **state)
{
    (void)state;
    tpp_bench_row r, base;
    make_row(&base, 10, 0.1);
    make_row(&r, 8, 0.1);
    TPP_BENCH_SET(base.device, "another card");
    assert_string_equal(verdict(&r, &base),
                        "not comparable: device: the base has another card, this row card");
    assert_true(isnan(r.compare.ratio));
    make_row(&base, 10, 0.1);
    make_row(&r, 8, 0.1);
    TPP_BENCH_SET(base.config_sha256, "4567"); /* the file of this name was changed */
    assert_string_equal(verdict(&r, &base),
                        "not comparable: config_sha256: the base has 4567, this row 0123");
    make_row(&base, 10, 0.1);
    make_row(&r, 8, 0.1);
    TPP_BENCH_SET(base.status, "invalid");
    assert_string_equal(verdict(&r, &base), "not comparable: the base is not ok");
    make_row(&base, 10, 0.1);
    make_row(&r, 8, 0.1);
    TPP_BENCH_SET(r.status, "failed");
    assert_string_equal(verdict(&r, &base), "not comparable: this row is not ok");
    make_row(&base, 10, 0.1);
    make_row(&r, 8, 0.1);
    base.n_samples = 2;
    assert_string_equal(verdict(&r, &base), "not comparable: fewer than 3 samples tell no spread");
    make_row(&base, 10, 0.1);
    make_row(&r, 8, 0.1);
    base.width = 640;
    assert_string_equal(verdict(&r, &base), "no base: the file has no row of this cell");
}

static void the_base_of_the_same_device_is_taken(void **state)
{
    (void)state;
    tpp_bench_row r, base[3];
    make_row(&base[0], 20, 0.1);
    TPP_BENCH_SET(base[0].device, "another card");
    make_row(&base[1], 10, 0.1);
    make_row(&base[2], 5, 0.1);
    base[2].ahead = 4;
    make_row(&r, 8, 0.1);
    const tpp_bench_rows rows = {.row = base, .count = 3};
    UNIT_OK(tpp_bench_compare(&r, &rows));
    assert_true(r.compare.base_ms == 10);
    assert_string_equal(r.compare.verdict, "faster");
    tpp_bench_row_free(&r);
    for (int i = 0; i < 3; i++) tpp_bench_row_free(&base[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(medians_apart_are_faster_or_slower),
        cmocka_unit_test(medians_within_the_spread_are_the_same),
        cmocka_unit_test(a_slower_machine_is_no_slower_program),
        cmocka_unit_test(what_differs_is_named),
        cmocka_unit_test(the_base_of_the_same_device_is_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
