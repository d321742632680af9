/* Reference backward of layernorm, activate and gather_rows against central differences of their
 * reference forward, in double: with L = sum(dy y), backward must give dL/dx.
 * SPDX-License-Identifier: MIT */
/* cmocka.h needs what stands before it. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

#include "core/mem.h"
#include "ops/check.h"

#include <math.h>

/* The truncation error of a central difference is about STEP^2, its rounding error 1e-16 / STEP. */
static const double STEP = 1e-5, TOLERANCE = 1e-8;

typedef struct gradient {
    const tpp_op *forward, *backward;
    tpp_case c;                /* of forward */
    int passed_on[TPP_MAX_IN]; /* backward's in[1 + k] is forward's in[passed_on[k]]; -1 ends */
    int outputs;               /* backward's out[k] is the gradient of forward's in[k] */
} gradient;

/* Arrays of one check; the operands of both calls point into them. */
typedef struct fixture {
    tpp_ref_call forward, backward;
    double *in[TPP_MAX_IN], *y, *dy, *grad[TPP_MAX_OUT];
} fixture;

static double *new_values(const tpp_shape *s)
{
    double *v = tpp_calloc((size_t)tpp_shape_count(s), sizeof(*v));
    assert_non_null(v);
    return v;
}

static void fixture_open(fixture *f, const gradient *g)
{
    *f = (fixture){.forward = {.attr = g->c.attr}, .backward = {.attr = g->c.attr}};
    for (int i = 0; i < TPP_MAX_IN; i++) {
        f->forward.in_shape[i] = g->c.in[i];
        if (g->c.in[i].rank == 0) continue;
        assert_int_equal(tpp_case_input(&f->in[i], g->forward, &g->c, i), TPP_OK);
        f->forward.in[i] = f->in[i];
    }
    assert_int_equal(g->forward->infer(g->c.attr, f->forward.in_shape, f->forward.out_shape),
                     TPP_OK);
    f->forward.out[0] = f->y = new_values(&f->forward.out_shape[0]);

    tpp_case seed = {.name = "dy", .in = {f->forward.out_shape[0]}};
    assert_int_equal(tpp_case_input(&f->dy, g->backward, &seed, 0), TPP_OK);
    f->backward.in[0] = f->dy;
    f->backward.in_shape[0] = f->forward.out_shape[0];
    for (int k = 0; k + 1 < TPP_MAX_IN && g->passed_on[k] >= 0; k++) {
        f->backward.in[k + 1] = f->in[g->passed_on[k]];
        f->backward.in_shape[k + 1] = g->c.in[g->passed_on[k]];
    }
    assert_int_equal(g->backward->infer(g->c.attr, f->backward.in_shape, f->backward.out_shape),
                     TPP_OK);
    for (int k = 0; k < g->outputs; k++)
        f->backward.out[k] = f->grad[k] = new_values(&f->backward.out_shape[k]);
}

static void fixture_close(fixture *f)
{
    for (int i = 0; i < TPP_MAX_IN; i++) tpp_free(f->in[i]);
    for (int k = 0; k < TPP_MAX_OUT; k++) tpp_free(f->grad[k]);
    tpp_free(f->y);
    tpp_free(f->dy);
}

static double loss(fixture *f, const gradient *g)
{
    double sum = 0.0;
    const int64_t n = tpp_shape_count(&f->forward.out_shape[0]);
    g->forward->ref(&f->forward);
    for (int64_t i = 0; i < n; i++) sum += f->dy[i] * f->y[i];
    return sum;
}

static void check(const gradient *g)
{
    fixture f;
    fixture_open(&f, g);
    g->backward->ref(&f.backward);
    for (int k = 0; k < g->outputs; k++) {
        const int64_t n = tpp_shape_count(&f.forward.in_shape[k]);
        double scale = 0.0;
        assert_int_equal(tpp_shape_count(&f.backward.out_shape[k]), n);
        for (int64_t i = 0; i < n; i++) scale = fmax(scale, fabs(f.grad[k][i]));
        for (int64_t i = 0; i < n; i++) {
            const double x = f.in[k][i];
            f.in[k][i] = x + STEP;
            const double above = loss(&f, g);
            f.in[k][i] = x - STEP;
            const double slope = (above - loss(&f, g)) / (2.0 * STEP);
            f.in[k][i] = x;
            if (!(fabs(slope - f.grad[k][i]) <= TOLERANCE * fmax(scale, 1.0)))
                fail_msg("%s/%s: gradient of input %d, element %lld: backward %.12g, difference "
                         "%.12g",
                         g->forward->name, g->c.name, k, (long long)i, f.grad[k][i], slope);
        }
    }
    fixture_close(&f);
}

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
        check(&g);
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
        check(&g);
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
    check(&g);
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
