/* Layer normalisation over the last axis, and its backward (Ba et al. 2016, arXiv:1607.06450).
 *   y = n gamma + beta, n = (x - E[x]) rstd, rstd = 1 / sqrt(Var[x] + eps), biased variance
 *   dx = rstd (g - E[g] - n E[g n]), g = dy gamma; dgamma = sum over rows of dy n, dbeta of dy
 *   x, y, dx, dy [rows, cols]; gamma, beta, dgamma, dbeta [cols]; statistics [rows, 2] mean, rstd.
 *
 * Forward and layernorm_backward_plain (which also leaves the statistics): one work-item per row.
 * layernorm_backward_parameters_plain: one work-item per column.
 * The mean is taken first and the variance around it: E[x^2] - E[x]^2 cancels for large means.
 * SPDX-License-Identifier: MIT */
#ifndef LOCAL
#define LOCAL 64 /* work-group size */
#endif
#ifndef BLOCK
#define BLOCK 64 /* terms of a partial sum: the rounding error grows with n / BLOCK + BLOCK */
#endif

static float row_mean(global const float *x, int cols)
{
    float sum = 0.0f;
    for (int from = 0; from < cols; from += BLOCK) {
        float part = 0.0f;
        for (int i = from; i < min(from + BLOCK, cols); i++) part += x[i];
        sum += part;
    }
    return sum / cols;
}

static float row_rstd(global const float *x, float mean, float eps, int cols)
{
    float sum = 0.0f;
    for (int from = 0; from < cols; from += BLOCK) {
        float part = 0.0f;
        for (int i = from; i < min(from + BLOCK, cols); i++) part += (x[i] - mean) * (x[i] - mean);
        sum += part;
    }
    return 1.0f / sqrt(sum / cols + eps);
}

__attribute__((reqd_work_group_size(LOCAL, 1, 1))) kernel void layernorm_forward_plain(
    global float *restrict y, global const float *restrict x, global const float *restrict gamma,
    global const float *restrict beta, float eps, int rows, int cols)
{
    const size_t row = get_global_id(0);
    if (row >= (size_t)rows) return;
    x += row * cols;
    y += row * cols;
    const float mean = row_mean(x, cols), rstd = row_rstd(x, mean, eps, cols);
    for (int i = 0; i < cols; i++) y[i] = (x[i] - mean) * rstd * gamma[i] + beta[i];
}

__attribute__((reqd_work_group_size(LOCAL, 1, 1))) kernel void layernorm_backward_plain(
    global float *restrict dx, global float *restrict statistics, global const float *restrict dy,
    global const float *restrict x, global const float *restrict gamma, float eps, int rows,
    int cols)
{
    const size_t row = get_global_id(0);
    if (row >= (size_t)rows) return;
    dx += row * cols;
    dy += row * cols;
    x += row * cols;
    const float mean = row_mean(x, cols), rstd = row_rstd(x, mean, eps, cols);
    float mean_g = 0.0f, mean_gn = 0.0f;
    for (int from = 0; from < cols; from += BLOCK) {
        float part_g = 0.0f, part_gn = 0.0f;
        for (int i = from; i < min(from + BLOCK, cols); i++) {
            const float g = dy[i] * gamma[i];
            part_g += g;
            part_gn += g * ((x[i] - mean) * rstd);
        }
        mean_g += part_g / cols;
        mean_gn += part_gn / cols;
    }
    for (int i = 0; i < cols; i++)
        dx[i] = rstd * (dy[i] * gamma[i] - mean_g - (x[i] - mean) * rstd * mean_gn);
    statistics[2 * row] = mean;
    statistics[2 * row + 1] = rstd;
}

__attribute__((reqd_work_group_size(LOCAL, 1, 1))) kernel void layernorm_backward_parameters_plain(
    global float *restrict dgamma, global float *restrict dbeta, global const float *restrict dy,
    global const float *restrict x, global const float *restrict statistics, int rows, int cols)
{
    const size_t col = get_global_id(0);
    if (col >= (size_t)cols) return;
    float sum_gamma = 0.0f, sum_beta = 0.0f;
    for (int from = 0; from < rows; from += BLOCK) {
        float part_gamma = 0.0f, part_beta = 0.0f;
        for (int row = from; row < min(from + BLOCK, rows); row++) {
            const size_t at = (size_t)row * cols + col;
            const float mean = statistics[2 * row], rstd = statistics[2 * row + 1];
            part_gamma += dy[at] * ((x[at] - mean) * rstd);
            part_beta += dy[at];
        }
        sum_gamma += part_gamma;
        sum_beta += part_beta;
    }
    dgamma[col] = sum_gamma;
    dbeta[col] = sum_beta;
}
