/* Central differences of references.
 * SPDX-License-Identifier: MIT */
/* cmocka.h needs what stands before it. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

#include "gradient.h"

#include "core/mem.h"

#include <math.h>

/* The truncation error of a central difference is about STEP^2, its rounding error 1e-16 / STEP. */
static const double STEP = 1e-5, TOLERANCE = 1e-8;

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
    *f = (fixture){.forward = {.attr = g->c.attr}, .backward = {.attr = g->backward_attr}};
    if (f->backward.attr == NULL) f->backward.attr = g->c.attr;
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
    assert_int_equal(
        g->backward->infer(f->backward.attr, f->backward.in_shape, f->backward.out_shape), TPP_OK);
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

void gradient_check(const gradient *g)
{
    fixture f;
    fixture_open(&f, g);
    g->backward->ref(&f.backward);
    for (int k = 0; k < g->outputs; k++) {
        const int64_t n = tpp_shape_count(&f.forward.in_shape[g->first + k]);
        double *in = f.in[g->first + k];
        double scale = 0.0;
        assert_int_equal(tpp_shape_count(&f.backward.out_shape[k]), n);
        for (int64_t i = 0; i < n; i++) scale = fmax(scale, fabs(f.grad[k][i]));
        for (int64_t i = 0; i < n; i++) {
            const double x = in[i];
            in[i] = x + STEP;
            const double above = loss(&f, g);
            in[i] = x - STEP;
            const double slope = (above - loss(&f, g)) / (2.0 * STEP);
            in[i] = x;
            if (!(fabs(slope - f.grad[k][i]) <= TOLERANCE * fmax(scale, 1.0)))
                fail_msg("%s/%s: gradient of input %d, element %lld: backward %.12g, difference "
                         "%.12g",
                         g->forward->name, g->c.name, g->first + k, (long long)i, f.grad[k][i],
                         slope);
        }
    }
    fixture_close(&f);
}
