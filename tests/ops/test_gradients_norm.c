/* Reference backward of layernorm, activate and gather_rows against central differences of their
 * reference forward, in double.
 * SPDX-License-Identifier: MIT */
/* cmocka.h needs what stands before it. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

#include "gradient.h"

#include <math.h>

static const double STEP = 1e-5;

#define S TPP_DIMS

static void layernorm_backward_is_the_slope_of_layernorm(void **state)
{
    (void)state;
    static const tpp_layernorm_attr usual = {.eps = 1e-5f}, coarse = {.eps = 0.5f};
    const gradient rows[] = {
        {.c = {.name = "2x3x5", .attr = &usual, .in = {S(2, 3, 5), S(5), S(5)}}},
        {.c = {.name = "coarse_7x4", .attr = &coarse, .in = {S(7, 4), S(4), S(4)}}},
        {.c = {.name = "one_row", .attr = &usual, .in = {S(31), S(31), S(31)}}},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        gradient g = rows[i];
        g.forward = &tpp_op_layernorm;
        g.backward = &tpp_op_layernorm_backward;
        g.outputs = 3;
        g.passed_on[0] = 0;
        g.passed_on[1] = 1;
        g.passed_on[2] = -1;
        gradient_check(&g);
    }
}

static void activate_backward_is_the_slope_of_activate(void **state)
{
    (void)state;
    for (int act = TPP_ACT_NONE; act <= TPP_ACT_SIGMOID; act++) {
        const tpp_activate_attr attr = {.act = act};
        const gradient g = {
            .forward = &tpp_op_activate,
            .backward = &tpp_op_activate_backward,
            .c = {.name = "by act", .attr = &attr, .in = {S(5, 13)}, .fill = {TPP_FILL_LARGE}},
            .passed_on = {0, -1},
            .outputs = 1,
        };
        gradient_check(&g);
    }
}

static void activate_backward_refuses_what_has_no_gradient(void **state)
{
    (void)state;
    const tpp_shape in[TPP_MAX_IN] = {S(3), S(3)};
    tpp_shape out[TPP_MAX_OUT] = {0};
    for (int act = TPP_ACT_INVERSE_SIGMOID; act <= TPP_ACT_COUNT; act++) {
        const tpp_activate_attr attr = {.act = act};
        assert_int_equal(tpp_op_activate_backward.infer(&attr, in, out), TPP_EUNSUPPORTED);
    }
}

static void scatter_rows_is_the_backward_of_gather_rows(void **state)
{
    (void)state;
    static const tpp_gather_attr attr = {.repeat = 2, .rows = 5};
    const gradient g = {
        .forward = &tpp_op_gather_rows,
        .backward = &tpp_op_scatter_rows,
        .c = {.name = "7_of_5_twice",
              .attr = &attr,
              .in = {S(1, 5, 3), S(7)},
              .fill = {0, TPP_FILL_INDEX},
              .limit = 5},
        .passed_on = {1, -1},
        .outputs = 1,
    };
    gradient_check(&g);
}

/* The slope is also used on its own, for inverse sigmoid too: away from where it clamps. */
static void slope_of_inverse_sigmoid_is_its_difference(void **state)
{
    (void)state;
    const int act = TPP_ACT_INVERSE_SIGMOID;
    for (double x = -0.25; x < 1.3; x += 0.1) {
        const double slope =
            (tpp_ref_act(act, x + STEP) - tpp_ref_act(act, x - STEP)) / (2.0 * STEP);
        assert_true(fabs(slope - tpp_ref_act_slope(act, x)) <= 1e-6 * fmax(fabs(slope), 1.0));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layernorm_backward_is_the_slope_of_layernorm),
        cmocka_unit_test(activate_backward_is_the_slope_of_activate),
        cmocka_unit_test(activate_backward_refuses_what_has_no_gradient),
        cmocka_unit_test(scatter_rows_is_the_backward_of_gather_rows),
        cmocka_unit_test(slope_of_inverse_sigmoid_is_its_difference),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
