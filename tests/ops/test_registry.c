/* Every op, case and algorithm on every device that can be opened, against the float64 reference.
 *
 * TPP_TEST_DEVICE names one device; TPP_TEST_OP one op; TPP_TEST_SMALLEST=1 runs first cases only;
 * TPP_TEST_ALGORITHM one algorithm. So the same program serves PoCL, rusticl and oclgrind.
 * SPDX-License-Identifier: MIT */
/* cmocka.h needs what stands before it. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
/* clang-format on */

#include "ops/check.h"

static bool wanted(const char *variable, const char *name)
{
    const char *only = getenv(variable);
    return only == NULL || strcmp(only, name) == 0;
}

typedef struct tally {
    int passed, failed, unsupported;
} tally;

/* One case as `how` says; false: there are no such parameters. */
static bool run_how(tpp_device *d, const tpp_op *op, const tpp_algorithm *a, const tpp_case *c,
                    const tpp_check_how *how, tally *t)
{
    tpp_check result;
    if (tpp_check_as(&result, d, op, c, a, how) != TPP_OK) {
        print_error("%s/%s/%s#%d/%x/%x: %s\n", op->name, c->name, a->name, how->variant,
                    how->halves, how->pitches, tpp_error());
        t->failed++;
    } else if (!result.supported) {
        t->unsupported += how->variant == 0;
        return false;
    } else if (!result.passed) {
        print_error("%s/%s/%s#%d/%x/%x: %s (error %.3g, tolerance %.3g)\n", op->name, c->name,
                    a->name, how->variant, how->halves, how->pitches, result.why, result.error,
                    result.tolerance);
        t->failed++;
    } else {
        t->passed++;
    }
    return true;
}

/* The same with `halves` of its operands stored as half. */
static bool run_variant(tpp_device *d, const tpp_op *op, const tpp_algorithm *a, const tpp_case *c,
                        int variant, unsigned halves, tally *t)
{
    return run_how(d, op, a, c, &(tpp_check_how){.variant = variant, .halves = halves}, t);
}

/* Rows apart in all operands that may have them so, and in each alone. */
static void run_pitches(tpp_device *d, const tpp_op *op, const tpp_algorithm *a, const tpp_case *c,
                        tally *t)
{
    if (a->pitches == 0) return;
    (void)run_how(d, op, a, c, &(tpp_check_how){.pitches = a->pitches}, t);
    for (int i = 0; i < TPP_MAX_IN; i++)
        if (((a->pitches >> i) & 1u) != 0)
            (void)run_how(d, op, a, c, &(tpp_check_how){.pitches = 1u << i}, t);
}

/* Half storage of all operands that may have it; in the first case also of x, w and y alone. */
static void run_halves(tpp_device *d, const tpp_op *op, const tpp_algorithm *a, const tpp_case *c,
                       tally *t)
{
    const unsigned alone[] = {1u << TPP_GEMM_X | 1u << TPP_GEMM_ADDEND, 1u << TPP_GEMM_W,
                              1u << TPP_GEMM_RESIDUAL | TPP_HALF_OUT};
    if (a->halves == 0) return;
    (void)run_variant(d, op, a, c, 0, a->halves, t);
    for (int i = 0; i < 3 && c == op->cases; i++) (void)run_variant(d, op, a, c, 0, alone[i], t);
}

static void run_algorithm(tpp_device *d, const tpp_op *op, const tpp_algorithm *a, tally *t)
{
    for (const tpp_case *c = op->cases; c->name != NULL; c++) {
        for (int variant = 0; run_variant(d, op, a, c, variant, 0, t); variant++)
            if (a->variant == NULL) break;
        run_halves(d, op, a, c, t);
        run_pitches(d, op, a, c, t);
        if (getenv("TPP_TEST_SMALLEST") != NULL) break;
    }
}

static void run_device(tpp_device *d)
{
    tally t = {0};
    for (const tpp_op *const *op = tpp_ops; *op != NULL; op++)
        for (const tpp_algorithm *a = (*op)->algorithms; a->name != NULL; a++)
            if (wanted("TPP_TEST_OP", (*op)->name) && wanted("TPP_TEST_ALGORITHM", a->name))
                run_algorithm(d, *op, a, &t);
    print_message("%s (%s): %d passed, %d failed, %d not supported\n", tpp_device_caps(d)->name,
                  tpp_device_caps(d)->platform, t.passed, t.failed, t.unsupported);
    assert_int_equal(t.failed, 0);
    assert_true(t.passed > 0);
}

static void every_op_agrees_with_its_reference(void **state)
{
    (void)state;
    tpp_device *d = NULL;
    if (tpp_device_open(&d, getenv("TPP_TEST_DEVICE")) != TPP_OK) fail_msg("%s", tpp_error());
    run_device(d);
    tpp_device_close(d);
}

static void every_op_has_a_plain_algorithm_and_cases(void **state)
{
    (void)state;
    for (const tpp_op *const *op = tpp_ops; *op != NULL; op++) {
        if (tpp_op_algorithm(*op, "plain") == NULL) fail_msg("%s has no plain", (*op)->name);
        if ((*op)->cases[0].name == NULL) fail_msg("%s has no cases", (*op)->name);
        assert_true((*op)->attr_size <= TPP_MAX_ATTR_BYTES);
        assert_non_null((*op)->infer);
        assert_non_null((*op)->ref);
        assert_non_null((*op)->cost);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_op_has_a_plain_algorithm_and_cases),
        cmocka_unit_test(every_op_agrees_with_its_reference),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
