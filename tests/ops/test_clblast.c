/* CLBlast: checked once per device, given up where it is wrong, and never in need of more scratch
 * than was planned.
 * SPDX-License-Identifier: MIT */
/* cmocka.h needs what stands before it. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

#include "ops/check.h"
#include "ops/clblast.h"
#include "ops/first_use.h"
#include "tensor/tensor_internal.h"

#include <stdlib.h>

static int open_device(void **state)
{
    return tpp_device_open((tpp_device **)state, getenv("TPP_TEST_DEVICE")) == TPP_OK ? 0 : -1;
}

static int close_device(void **state)
{
    tpp_device_close(*state);
    return 0;
}

static void device_is_checked_once(void **state)
{
    tpp_device *d = *state;
    assert_int_equal(*tpp_first_use_state(d, "clblast"), 0);
    assert_true(tpp_clblast_usable(d));
    assert_int_equal(*tpp_first_use_state(d, "clblast"), 1);
    const tpp_device_counts before = tpp_device_count(d);
    assert_true(tpp_clblast_usable(d));
    assert_int_equal(tpp_device_count(d).buffers, before.buffers);
    assert_int_equal(tpp_device_count(d).waits, before.waits);
}

/* Where the check failed, recording falls back on plain and the op still gives the right result. */
static void wrong_device_gets_plain_products(void **state)
{
    tpp_device *d = *state;
    *tpp_first_use_state(d, "clblast") = -1;
    const tpp_op *ops[] = {&tpp_op_gemm, &tpp_op_conv2d};
    for (int i = 0; i < 2; i++) {
        const tpp_algorithm *a = tpp_op_algorithm(ops[i], "clblast");
        int passed = 0;
        for (const tpp_case *c = ops[i]->cases; c->name != NULL && passed < 3; c++) {
            tpp_check result;
            assert_int_equal(tpp_check_run(&result, d, ops[i], c, a, 0), TPP_OK);
            assert_true(result.passed);
            passed += result.supported;
        }
        assert_int_equal(passed, 3);
    }
    assert_false(tpp_clblast_usable(d));
    *tpp_first_use_state(d, "clblast") = 0;
}

static void quirk_of_a_driver_rules_it_out(void **state)
{
    (void)state;
    const tpp_gemm_attr attr = {0};
    const tpp_call call = {.attr = &attr,
                           .in = {{.shape = TPP_SHAPE(64, 5)}, {.shape = TPP_SHAPE(4, 5)}},
                           .out = {{.shape = TPP_SHAPE(64, 4)}}};
    const tpp_algorithm *a = tpp_op_algorithm(&tpp_op_gemm, "clblast");
    tpp_caps caps = {.is_gpu = true};
    assert_true(tpp_algorithm_takes(&tpp_op_gemm, a, &call, &caps));
    assert_string_equal(tpp_op_choose(&tpp_op_gemm, NULL, NULL, &call, &caps).algorithm->name,
                        "clblast");
    caps.no_clblast = true;
    assert_false(tpp_algorithm_takes(&tpp_op_gemm, a, &call, &caps));
    assert_string_equal(tpp_op_choose(&tpp_op_gemm, "clblast", NULL, &call, &caps).algorithm->name,
                        "plain");
}

/* With scratch of no bytes CLBlast allocates for itself; the product is the same. */
static void scratch_that_is_too_small_is_not_used(void **state)
{
    enum { N = 131 };
    tpp_device *d = *state;
    static float ones[N * N], y[N * N];
    for (int i = 0; i < N * N; i++) ones[i] = 1.0f;
    tpp_buffer *x = NULL, *out = NULL, *scratch = NULL;
    tpp_steps *steps = NULL;
    assert_int_equal(tpp_buffer_open(&x, d, sizeof(ones)), TPP_OK);
    assert_int_equal(tpp_buffer_open(&out, d, sizeof(y)), TPP_OK);
    assert_int_equal(tpp_buffer_open(&scratch, d, 4), TPP_OK);
    assert_int_equal(tpp_buffer_write(x, 0, ones, sizeof(ones)), TPP_OK);
    const tpp_clblast_gemm p = {.m = N,
                                .n = N,
                                .k = N,
                                .x = x->mem,
                                .w = x->mem,
                                .y = out->mem,
                                .scratch = scratch->mem,
                                .scratch_bytes = 4};
    assert_int_equal(tpp_steps_open(&steps, d), TPP_OK);
    assert_int_equal(tpp_clblast_record(steps, &p), TPP_OK);
    assert_int_equal(tpp_steps_run(steps), TPP_OK);
    assert_int_equal(tpp_buffer_read(out, 0, y, sizeof(y)), TPP_OK);
    for (int i = 0; i < N * N; i++) assert_true(y[i] == (float)N);
    tpp_steps_close(steps);
    tpp_buffer_close(x);
    tpp_buffer_close(out);
    tpp_buffer_close(scratch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(device_is_checked_once),
        cmocka_unit_test(wrong_device_gets_plain_products),
        cmocka_unit_test(quirk_of_a_driver_rules_it_out),
        cmocka_unit_test(scratch_that_is_too_small_is_not_used),
    };
    return cmocka_run_group_tests(tests, open_device, close_device);
}
