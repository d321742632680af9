/* Attention by heads, y = softmax(scale q k^T) v, and its backward (Vaswani et al. 2017,
 * arXiv:1706.03762). Shapes and modes: host/ref/ref.h.
 *   q [bq, nq, c], k, v [bk, nk, c], c = heads * d; valid? [bk], index? [bq]; y [bo, nq, c]
 *   p [bo, heads, count, nk]: scores, then probabilities, of queries first .. first + count - 1
 *   Rows of q, k and v may lie apart: *_pitch elements from one to the next.
 * Without a key that takes part, probabilities and y are 0.
 *
 * Plain algorithm, three kernels, one work-item per element unless said otherwise:
 *   attention_scores   p = scale q k^T, -inf where a key takes no part; grid (nk, bo*heads*count)
 *   attention_softmax  over the rows of p in place; one work-item per row
 *   attention_values   y = p v; grid (c, bo*count)
 * Backward (first 0, count nq, no valid): p as above, and after it in the same buffer ds:
 *   attention_backward_scores   ds = dy v^T; grid (nk, b*heads*nq)
 *   attention_backward_softmax  ds = p (ds - sum of p ds); one work-item per row
 *   attention_backward_query    dq = scale ds k; grid (c, b*nq)
 *   attention_backward_key      dk = scale ds^T q, dv = p^T dy; grid (c, b*nk)
 * Sums run in blocks of BLOCK, so that rounding errors do not grow with the length.
 * SPDX-License-Identifier: MIT */
#ifndef LOCAL
#define LOCAL 64 /* work-group size along the first axis */
#endif
#ifndef BLOCK
#define BLOCK 64 /* terms of a partial sum */
#endif

enum { MODE_SAME, MODE_EACH, MODE_INDEX };

static int query_batch(int mode, int batch, int bk)
{
    return mode == MODE_EACH ? batch / bk : batch;
}

static int key_batch(int mode, int batch, int bk, global const int *index)
{
    if (mode == MODE_INDEX) return index[batch];
    return mode == MODE_EACH ? batch % bk : batch;
}

/* Sum of a[i a_step] b[i b_step], i < n. */
static float dot_strided(global const float *a, int a_step, global const float *b, int b_step,
                         int n)
{
    float sum = 0.0f;
    for (int from = 0; from < n; from += BLOCK) {
        float part = 0.0f;
        for (int i = from; i < min(from + BLOCK, n); i++)
            part += a[(size_t)i * a_step] * b[(size_t)i * b_step];
        sum += part;
    }
    return sum;
}

__attribute__((reqd_work_group_size(LOCAL, 1, 1))) kernel void attention_scores(
    global float *restrict p, global const float *restrict q, global const float *restrict k,
    global const int *restrict valid, global const int *restrict index, int mode, int heads,
    float scale, int first, int count, int bo, int nq, int bk, int nk, int c, int q_pitch,
    int k_pitch)
{
    const int key = (int)get_global_id(0), row = (int)get_global_id(1);
    if (key >= nk || row >= bo * heads * count) return;
    const int query = first + row % count, head = row / count % heads, batch = row / count / heads;
    const int from = query_batch(mode, batch, bk), to = key_batch(mode, batch, bk, index);
    const int d = c / heads;
    const size_t q_at = ((size_t)from * nq + query) * q_pitch + head * d;
    const size_t k_at = ((size_t)to * nk + key) * k_pitch + head * d;
    const bool masked = valid && key >= valid[to];
    p[(size_t)row * nk + key] =
        masked ? -INFINITY : scale * dot_strided(q + q_at, 1, k + k_at, 1, d);
}

__attribute__((reqd_work_group_size(LOCAL, 1, 1))) kernel void attention_softmax(
    global float *restrict p, int rows, int nk)
{
    const int row = (int)get_global_id(0);
    if (row >= rows) return;
    global float *x = p + (size_t)row * nk;
    float most = -INFINITY, sum = 0.0f;
    for (int i = 0; i < nk; i++) most = fmax(most, x[i]);
    for (int from = 0; from < nk; from += BLOCK) {
        float part = 0.0f;
        for (int i = from; i < min(from + BLOCK, nk); i++) {
            x[i] = most == -INFINITY ? 0.0f : exp(x[i] - most);
            part += x[i];
        }
        sum += part;
    }
    const float share = most == -INFINITY ? 0.0f : 1.0f / sum;
    for (int i = 0; i < nk; i++) x[i] *= share;
}

__attribute__((reqd_work_group_size(LOCAL, 1, 1))) kernel void attention_values(
    global float *restrict y, global const float *restrict p, global const float *restrict v,
    global const int *restrict index, int mode, int heads, int first, int count, int bo, int nq,
    int bk, int nk, int c, int v_pitch)
{
    const int channel = (int)get_global_id(0), row = (int)get_global_id(1);
    if (channel >= c || row >= bo * count) return;
    const int at = row % count, batch = row / count, head = channel / (c / heads);
    const int from = key_batch(mode, batch, bk, index);
    const size_t p_at = (((size_t)batch * heads + head) * count + at) * nk;
    const float sum =
        dot_strided(p + p_at, 1, v + (size_t)from * nk * v_pitch + channel, v_pitch, nk);
    y[((size_t)batch * nq + first + at) * c + channel] = sum;
}

__attribute__((reqd_work_group_size(LOCAL, 1, 1))) kernel void attention_backward_scores(
    global float *restrict scratch, global const float *restrict dy, global const float *restrict v,
    int heads, int b, int nq, int nk, int c)
{
    const int key = (int)get_global_id(0), row = (int)get_global_id(1);
    if (key >= nk || row >= b * heads * nq) return;
    global float *ds = scratch + (size_t)b * heads * nq * nk;
    const int query = row % nq, head = row / nq % heads, batch = row / nq / heads, d = c / heads;
    ds[(size_t)row * nk + key] = dot_strided(dy + ((size_t)batch * nq + query) * c + head * d, 1,
                                             v + ((size_t)batch * nk + key) * c + head * d, 1, d);
}

__attribute__((reqd_work_group_size(LOCAL, 1, 1))) kernel void attention_backward_softmax(
    global float *restrict scratch, int rows, int nk)
{
    const int row = (int)get_global_id(0);
    if (row >= rows) return;
    global const float *p = scratch + (size_t)row * nk;
    global float *ds = scratch + (size_t)rows * nk + (size_t)row * nk;
    const float mean = dot_strided(p, 1, ds, 1, nk);
    for (int i = 0; i < nk; i++) ds[i] = p[i] * (ds[i] - mean);
}

__attribute__((reqd_work_group_size(LOCAL, 1, 1))) kernel void attention_backward_query(
    global float *restrict dq, global const float *restrict scratch, global const float *restrict k,
    int heads, float scale, int b, int nq, int nk, int c)
{
    const int channel = (int)get_global_id(0), row = (int)get_global_id(1);
    if (channel >= c || row >= b * nq) return;
    const int query = row % nq, batch = row / nq, head = channel / (c / heads);
    global const float *ds = scratch + (size_t)b * heads * nq * nk;
    const size_t at = (((size_t)batch * heads + head) * nq + query) * nk;
    const float sum = dot_strided(ds + at, 1, k + (size_t)batch * nk * c + channel, c, nk);
    dq[(size_t)row * c + channel] = scale * sum;
}

__attribute__((reqd_work_group_size(LOCAL, 1, 1))) kernel void attention_backward_key(
    global float *restrict dk, global float *restrict dv, global const float *restrict scratch,
    global const float *restrict dy, global const float *restrict q, int heads, float scale, int b,
    int nq, int nk, int c)
{
    const int channel = (int)get_global_id(0), row = (int)get_global_id(1);
    if (channel >= c || row >= b * nk) return;
    const int key = row % nk, batch = row / nk, head = channel / (c / heads);
    global const float *p = scratch + ((size_t)batch * heads + head) * nq * nk + key;
    global const float *ds = p + (size_t)b * heads * nq * nk;
    const size_t from = (size_t)batch * nq * c + channel;
    dk[(size_t)row * c + channel] = scale * dot_strided(ds, nk, q + from, c, nq);
    dv[(size_t)row * c + channel] = dot_strided(p, nk, dy + from, c, nq);
}
