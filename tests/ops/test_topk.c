/* argmax and topk where the registry's cases do not reach: NaN among the elements. Their results
 * are used as indices of rows, so they must lie within bounds whatever the numbers are.
 * SPDX-License-Identifier: MIT */
/* cmocka.h needs what stands before it. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

#include "ops/op.h"
#include "tensor/tensor_internal.h"

#include <math.h>
#include <stdlib.h>

enum { N = 7, K = N };

/* One row of N values through `op` on the device; `count` indices come back. */
static void run_on_device(const tpp_op *op, const float *x, int32_t *y, int64_t count)
{
    tpp_device *d = NULL;
    tpp_buffer *in = NULL, *out = NULL;
    tpp_steps *steps = NULL;
    const tpp_topk_attr attr = {.k = (int)count};
    if (tpp_device_open(&d, getenv("TPP_TEST_DEVICE")) != TPP_OK) fail_msg("%s", tpp_error());
    assert_int_equal(tpp_buffer_open(&in, d, N * sizeof(float)), TPP_OK);
    assert_int_equal(tpp_buffer_open(&out, d, (size_t)count * sizeof(int32_t)), TPP_OK);
    assert_int_equal(tpp_buffer_write(in, 0, x, N * sizeof(float)), TPP_OK);
    const tpp_call call = {
        .attr = &attr,
        .in = {{.shape = TPP_SHAPE(N), .mem = in->mem, .root = in}},
        .out = {{.shape = TPP_SHAPE(count), .type = TPP_I32, .mem = out->mem, .root = out}},
    };
    assert_int_equal(tpp_steps_open(&steps, d), TPP_OK);
    if (tpp_op_algorithm(op, "plain")->record(steps, &call) != TPP_OK) fail_msg("%s", tpp_error());
    assert_int_equal(tpp_steps_run(steps), TPP_OK);
    assert_int_equal(tpp_buffer_read(out, 0, y, (size_t)count * sizeof(int32_t)), TPP_OK);
    tpp_steps_close(steps);
    tpp_buffer_close(out);
    tpp_buffer_close(in);
    tpp_device_close(d);
}

static void run_reference(const tpp_op *op, const float *x, double *y, int64_t count)
{
    const tpp_topk_attr attr = {.k = (int)count};
    double values[N];
    for (int i = 0; i < N; i++) values[i] = x[i];
    const tpp_ref_call call = {.attr = &attr,
                               .in_shape = {TPP_SHAPE(N)},
                               .out_shape = {TPP_SHAPE(count)},
                               .in = {values},
                               .out = {y}};
    op->ref(&call);
}

static void check(const float *x, const int *order)
{
    int32_t got[K];
    double want[K];
    run_on_device(&tpp_op_topk, x, got, K);
    run_reference(&tpp_op_topk, x, want, K);
    for (int i = 0; i < K; i++) {
        assert_int_equal(got[i], order[i]);
        assert_int_equal((int)want[i], order[i]);
    }
    run_on_device(&tpp_op_argmax, x, got, 1);
    run_reference(&tpp_op_argmax, x, want, 1);
    assert_int_equal(got[0], order[0]);
    assert_int_equal((int)want[0], order[0]);
}

static void nan_counts_as_minus_infinity(void **state)
{
    (void)state;
    const float x[N] = {NAN, 2.0f, NAN, -INFINITY, 2.0f, 5.0f, NAN};
    check(x, (const int[K]){5, 1, 4, 0, 2, 3, 6});
}

static void nothing_but_nan_gives_each_index_once(void **state)
{
    (void)state;
    const float x[N] = {NAN, NAN, NAN, NAN, NAN, NAN, NAN};
    check(x, (const int[K]){0, 1, 2, 3, 4, 5, 6});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nan_counts_as_minus_infinity),
        cmocka_unit_test(nothing_but_nan_gives_each_index_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
