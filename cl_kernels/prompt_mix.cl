/* Prompt-weighted fusion (specification, section 2.6):
 *   W_p(n) = softmax over prompts of u_p(n), y(n) = scale sum_p x(n) A_p(n) W_p(n),
 *   mean_p = mean over the tokens of a level of W_p.
 *   x, y [b, n, c], a [b*prompts, n, c], u [b*prompts, n, 1], mean of each level [b, prompts];
 *   levels lie end to end, level l up to token end_l
 *
 * prompt_mix_forward_plain: one work-item per element of y, grid (c, b*n).
 * prompt_mix_mean: one work-group per level and element of mean, grid (LOCAL, levels*rows), rows =
 * b*prompts; its work-items sum every LOCAL-th token, then a tree in local memory. LOCAL is a power
 * of two; local memory LOCAL floats. SPDX-License-Identifier: MIT */
#ifndef LOCAL
#define LOCAL 64 /* work-group size */
#endif

/* Logit of the first prompt of a token; the next prompt's is n further on. */
static float softmax_at(global const float *u, int prompts, int n, int prompt)
{
    float most = u[0], sum = 0.0f;
    for (int i = 1; i < prompts; i++) most = fmax(most, u[(size_t)i * n]);
    for (int i = 0; i < prompts; i++) sum += exp(u[(size_t)i * n] - most);
    return exp(u[(size_t)prompt * n] - most) / sum;
}

__attribute__((reqd_work_group_size(LOCAL, 1, 1))) kernel void prompt_mix_forward_plain(
    global float *restrict y, global const float *restrict x, global const float *restrict a,
    global const float *restrict u, int prompts, float scale, int b, int n, int c)
{
    const int channel = (int)get_global_id(0), row = (int)get_global_id(1);
    if (channel >= c || row >= b * n) return;
    const int token = row % n, batch = row / n;
    const size_t first = (size_t)batch * prompts * n + token;
    float sum = 0.0f;
    for (int p = 0; p < prompts; p++)
        sum += a[(first + (size_t)p * n) * c + channel] * softmax_at(u + first, prompts, n, p);
    const size_t at = (size_t)row * c + channel;
    y[at] = scale * x[at] * sum;
}

__attribute__((reqd_work_group_size(LOCAL, 1, 1))) kernel void prompt_mix_mean(
    global float *restrict mean0, global float *restrict mean1, global float *restrict mean2,
    global float *restrict mean3, global const float *restrict u, int prompts, int rows, int n,
    int end0, int end1, int end2, int end3)
{
    local float part[LOCAL];
    const int item = (int)get_local_id(0), level = (int)get_global_id(1) / rows,
              at = (int)get_global_id(1) % rows;
    global float *const mean = level == 0 ? mean0 : level == 1 ? mean1 : level == 2 ? mean2 : mean3;
    const int start = level == 0 ? 0 : level == 1 ? end0 : level == 2 ? end1 : end2;
    const int end = level == 0 ? end0 : level == 1 ? end1 : level == 2 ? end2 : end3;
    global const float *first = u + (size_t)(at / prompts) * prompts * n;
    float sum = 0.0f;
    for (int token = start + item; token < end; token += LOCAL)
        sum += softmax_at(first + token, prompts, n, at % prompts);
    part[item] = sum;
    for (int reach = LOCAL / 2; reach > 0; reach /= 2) {
        barrier(CLK_LOCAL_MEM_FENCE);
        if (item < reach) part[item] += part[item + reach];
    }
    if (item == 0) mean[at] = part[0] / (float)(end - start);
}
