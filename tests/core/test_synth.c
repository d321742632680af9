/* Synthetic numbers are those of the reference program: synth() in tpp_ref.py made these.
 * SPDX-License-Identifier: MIT */
#include "core/synth.h"
#include "unit.h"

#define STEPS 8388608.0 /* values are whole multiples of 2^-23 */

static const struct {
    const char *name;
    uint64_t seed, first;
    double steps[4];
} streams[] = {
    {"", 0, 0, {4424060, -7336742, -2833499, -5479022}},
    {"image0", 1, 0, {5537513, 407314, 1417090, -3833795}},
    {"backbone.0.body.conv1.weight", 7, 0, {-1506659, -6915924, -7163352, -5243987}},
    {"prompt3", UINT64_C(1099511627781), 0, {-1139156, 7415077, -7717788, 4957071}},
};

static void values_are_the_references(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(streams) / sizeof(streams[0]); i++) {
        const uint64_t key = tpp_synth_key(streams[i].name, streams[i].seed);
        for (uint64_t j = 0; j < 4; j++)
            assert_true(tpp_synth_value(key, j) == streams[i].steps[j] / STEPS);
    }
    assert_true(tpp_synth_value(tpp_synth_key("a", 3), 100000) == 3714814 / STEPS);
}

static void values_fill_their_range(void **state)
{
    (void)state;
    enum { COUNT = 100000 };
    const uint64_t key = tpp_synth_key("spread", 1);
    double low = 1, high = -1, sum = 0;
    for (uint64_t i = 0; i < COUNT; i++) {
        const double v = tpp_synth_value(key, i);
        if (v < low) low = v;
        if (v > high) high = v;
        sum += v;
    }
    assert_true(low >= -1 && low < -0.999);
    assert_true(high < 1 && high > 0.999);
    assert_true(sum / COUNT < 0.01 && sum / COUNT > -0.01);
}

static void streams_differ_by_name_and_seed(void **state)
{
    (void)state;
    assert_true(tpp_synth_key("a", 1) != tpp_synth_key("b", 1));
    assert_true(tpp_synth_key("a", 1) != tpp_synth_key("a", 2));
    assert_true(tpp_synth_key("a", 1) == tpp_synth_key("a", 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_the_references),
        cmocka_unit_test(values_fill_their_range),
        cmocka_unit_test(streams_differ_by_name_and_seed),
    };
    return cmocka_run_group_tests_name("core.synth", tests, NULL, NULL);
}
