/* Reference of activate and its backward: the activation functions in double.
 * SPDX-License-Identifier: MIT */
#include "ref/ref.h"

#include <math.h>

static const double FLOOR = 1e-5; /* of the inverse sigmoid */

static double sigmoid(double x)
{
    return 1.0 / (1.0 + exp(-x));
}

double tpp_ref_act(int act, double x)
{
    const double c = fmin(fmax(x, 0.0), 1.0);
    switch (act) {
    case TPP_ACT_RELU:
        return x > 0.0 ? x : 0.0;
    case TPP_ACT_GELU:
        return 0.5 * x * (1.0 + erf(x / sqrt(2.0)));
    case TPP_ACT_TANH:
        return tanh(x);
    case TPP_ACT_SIGMOID:
        return sigmoid(x);
    case TPP_ACT_INVERSE_SIGMOID:
        return log(fmax(c, FLOOR) / fmax(1.0 - c, FLOOR));
    case TPP_ACT_BINARY:
        return x > 0.0 ? 1.0 : 0.0;
    default:
        return x;
    }
}

double tpp_ref_act_slope(int act, double x)
{
    const double two_pi = 6.283185307179586;
    switch (act) {
    case TPP_ACT_RELU:
        return x > 0.0 ? 1.0 : 0.0;
    case TPP_ACT_GELU:
        return 0.5 * (1.0 + erf(x / sqrt(2.0))) + x * exp(-0.5 * x * x) / sqrt(two_pi);
    case TPP_ACT_TANH:
        return 1.0 - tanh(x) * tanh(x);
    case TPP_ACT_SIGMOID:
        return sigmoid(x) * (1.0 - sigmoid(x));
    case TPP_ACT_INVERSE_SIGMOID:
        return (x > FLOOR && x < 1.0 ? 1.0 / x : 0.0) +
               (x > 0.0 && x < 1.0 - FLOOR ? 1.0 / (1.0 - x) : 0.0);
    case TPP_ACT_BINARY:
        return 0.0;
    default:
        return 1.0;
    }
}

void tpp_ref_activate(const tpp_ref_call *c)
{
    const tpp_activate_attr *a = c->attr;
    const int64_t n = tpp_shape_count(&c->in_shape[0]);
    for (int64_t i = 0; i < n; i++) c->out[0][i] = tpp_ref_act(a->act, c->in[0][i]);
}

void tpp_ref_activate_backward(const tpp_ref_call *c)
{
    const tpp_activate_attr *a = c->attr;
    const double *dy = c->in[0], *x = c->in[1];
    const int64_t n = tpp_shape_count(&c->in_shape[1]);
    for (int64_t i = 0; i < n; i++) c->out[0][i] = dy[i] * tpp_ref_act_slope(a->act, x[i]);
}
