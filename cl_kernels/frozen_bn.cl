/* Batch normalisation with constant statistics, applied (frozen_bn) or folded into a weight
 * (fold_bn): a = gamma / sqrt(var + eps), b = beta - mean a.
 *   frozen_bn: y = x a + b, as (x - mean) a + beta; x, y [rows, cols], the rest [cols]
 *   fold_bn:   w' = w a by output channel, bias' = b; w, w' [cout, each], the rest [cout]
 * Source: specification, section 2.2. One work-item per element of y, grid (cols, rows), or of w',
 * grid (each, cout); there the first of a row also writes the bias.
 * SPDX-License-Identifier: MIT */
#ifndef LOCAL
#define LOCAL 64 /* work-group size along a row */
#endif

__attribute__((reqd_work_group_size(LOCAL, 1, 1))) kernel void frozen_bn_plain(
    global float *restrict y, global const float *restrict x, global const float *restrict gamma,
    global const float *restrict beta, global const float *restrict mean,
    global const float *restrict var, float eps, int rows, int cols)
{
    const int col = (int)get_global_id(0), row = (int)get_global_id(1);
    if (col >= cols || row >= rows) return;
    const size_t at = (size_t)row * cols + col;
    y[at] = (x[at] - mean[col]) * (gamma[col] / sqrt(var[col] + eps)) + beta[col];
}

__attribute__((reqd_work_group_size(LOCAL, 1, 1))) kernel void fold_bn_plain(
    global float *restrict w_out, global float *restrict bias_out, global const float *restrict w,
    global const float *restrict gamma, global const float *restrict beta,
    global const float *restrict mean, global const float *restrict var, float eps, int cout,
    int each)
{
    const int i = (int)get_global_id(0), channel = (int)get_global_id(1);
    if (i >= each || channel >= cout) return;
    const float a = gamma[channel] / sqrt(var[channel] + eps);
    w_out[(size_t)channel * each + i] = w[(size_t)channel * each + i] * a;
    if (i == 0) bias_out[channel] = beta[channel] - mean[channel] * a;
}
