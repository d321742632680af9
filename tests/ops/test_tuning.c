/* The table of tuned choices, and the choice by it.
 * SPDX-License-Identifier: MIT */
#include "ops/tuning.h"
#include "unit.h"

static const tpp_caps caps = {.is_cpu = true, .vector_width = 16, .local_mem = 1 << 20};
static const tpp_gemm_attr attr; /* no act */

static tpp_call call_of(int64_t rows)
{
    tpp_call c = {.attr = &attr};
    c.in[0].shape = TPP_SHAPE(1, rows, 32);
    c.in[1].shape = TPP_SHAPE(48, 32);
    c.out[0].shape = TPP_SHAPE(1, rows, 48);
    return c;
}

static tpp_tuned row_of(const tpp_call *c, const char *algorithm)
{
    tpp_tuned row = {.op = &tpp_op_gemm, .algorithm = tpp_op_algorithm(&tpp_op_gemm, algorithm)};
    row.params = tpp_default_params(row.algorithm, c, &caps);
    tpp_tuning_bucket(row.bucket, c);
    return row;
}

static void rows_of_a_bucket_differ_by_a_quarter_at_most(void **state)
{
    (void)state;
    char a[TPP_BUCKET_BYTES], b[TPP_BUCKET_BYTES];
    for (int64_t rows = 1; rows < 3000; rows++) {
        const tpp_call c = call_of(rows);
        tpp_tuning_bucket(a, &c);
        const long long bound = strtoll(a, NULL, 10);
        assert_true(bound >= rows && (bound - rows) * 4 < rows + 4);
        const tpp_call most = call_of(bound);
        tpp_tuning_bucket(b, &most);
        assert_string_equal(a, b);
    }
    const tpp_call c = call_of(4820);
    tpp_tuning_bucket(a, &c);
    assert_string_equal(a, "5120x32 48x32 5120x48");
}

static void rows_are_set_replaced_copied_and_dropped(void **state)
{
    (void)state;
    tpp_tuning *t = NULL, *copy = NULL;
    const tpp_call few = call_of(10), many = call_of(1000);
    const tpp_tuned first = row_of(&few, "plain"), second = row_of(&many, "plain"),
                    again = row_of(&few, "vector");
    UNIT_OK(tpp_tuning_open(&t));
    UNIT_OK(tpp_tuning_set(t, &first));
    UNIT_OK(tpp_tuning_set(t, &second));
    UNIT_OK(tpp_tuning_set(t, &again));
    assert_string_equal(tpp_tuning_find(t, &tpp_op_gemm, &few)->algorithm->name, "vector");
    assert_null(tpp_tuning_find(t, &tpp_op_conv2d, &few));
    UNIT_OK(tpp_tuning_copy(&copy, t));
    tpp_tuning_drop(t, &tpp_op_gemm, first.bucket);
    assert_null(tpp_tuning_get(t, &tpp_op_gemm, first.bucket));
    assert_string_equal(tpp_tuning_at(t, 0)->bucket, second.bucket);
    assert_null(tpp_tuning_at(t, 1));
    assert_non_null(tpp_tuning_at(copy, 1));
    tpp_tuning_close(copy);
    tpp_tuning_close(t);
}

static const char *chosen(const tpp_tuning *t, const char *wanted, tpp_params *params)
{
    const tpp_call c = call_of(100);
    const tpp_choice choice = tpp_op_choose(&tpp_op_gemm, wanted, t, &c, &caps);
    *params = choice.params;
    return choice.algorithm->name;
}

static void parameters_that_are_not_offered_are_not_taken(void **state)
{
    (void)state;
    tpp_tuning *t = NULL;
    tpp_params params;
    const tpp_call c = call_of(100);
    tpp_tuned row = row_of(&c, "vector");
    const tpp_params standard = row.params;
    UNIT_OK(tpp_tuning_open(&t));
    assert_true(row.algorithm->variant(&c, &caps, 1, &row.params));
    UNIT_OK(tpp_tuning_set(t, &row));
    assert_string_equal(chosen(t, NULL, &params), "vector");
    assert_memory_equal(&params, &row.params, sizeof params);
    assert_string_equal(chosen(t, "plain", &params), "plain"); /* the user's word counts first */
    row.params.n[0] = 0;
    UNIT_OK(tpp_tuning_set(t, &row));
    assert_string_equal(chosen(t, NULL, &params), "vector");
    assert_memory_equal(&params, &standard, sizeof params);
    row = row_of(&c, "plain");
    UNIT_OK(tpp_tuning_set(t, &row));
    assert_string_equal(chosen(t, NULL, &params), "plain");
    tpp_tuning_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_of_a_bucket_differ_by_a_quarter_at_most),
        cmocka_unit_test(rows_are_set_replaced_copied_and_dropped),
        cmocka_unit_test(parameters_that_are_not_offered_are_not_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
