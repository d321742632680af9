/* Activation functions by element, and their slopes: y = act(x), dx = dy act'(x).
 *   y, x, dx, dy [n]; act: a number of tpp_act (activation.clh).
 * One work-item per element.
 * SPDX-License-Identifier: MIT */
#ifndef LOCAL
#define LOCAL 64 /* work-group size */
#endif
#include "activation.clh"

/* act'(x) of the functions that have one; 0 at the kink of ReLU, as in PyTorch. */
static float activate_slope(int act, float x)
{
    switch (act) {
    case ACT_RELU:
        return x > 0.0f ? 1.0f : 0.0f;
    case ACT_GELU: /* Phi(x) + x phi(x), the normal distribution and its density */
        return 0.5f * (1.0f + erf(x * 0.70710678118654752f)) +
               x * 0.39894228040143268f * exp(-0.5f * x * x);
    case ACT_TANH: {
        const float t = tanh(x);
        return 1.0f - t * t;
    }
    case ACT_SIGMOID:
        return sigmoid(x) * sigmoid(-x);
    default:
        return 1.0f;
    }
}

__attribute__((reqd_work_group_size(LOCAL, 1, 1))) kernel void activate_forward_plain(
    global float *restrict y, global const float *restrict x, int act, int n)
{
    const size_t i = get_global_id(0);
    if (i >= (size_t)n) return;
    y[i] = activate(act, x[i]);
}

__attribute__((reqd_work_group_size(LOCAL, 1, 1))) kernel void activate_backward_plain(
    global float *restrict dx, global const float *restrict dy, global const float *restrict x,
    int act, int n)
{
    const size_t i = get_global_id(0);
    if (i >= (size_t)n) return;
    dx[i] = dy[i] * activate_slope(act, x[i]);
}
