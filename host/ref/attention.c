/* References of attention and attention_backward: one query of one head at a time.
 * SPDX-License-Identifier: MIT */
#include "ref/ref.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

/* One head of one pair of batches: rows are c apart, the head's d channels are contiguous. */
typedef struct head_view {
    const double *q, *k, *v;
    int64_t nq, nk, c, d, valid;
    double scale;
} head_view;

/* p [nk] = softmax of query i; all zero when no key takes part. */
static void probabilities(double *p, const head_view *h, int64_t i)
{
    double most = -INFINITY, sum = 0.0;
    for (int64_t j = 0; j < h->nk; j++) {
        p[j] = 0.0;
        if (j >= h->valid) continue;
        for (int64_t l = 0; l < h->d; l++) p[j] += h->q[i * h->c + l] * h->k[j * h->c + l];
        p[j] *= h->scale;
        most = fmax(most, p[j]);
    }
    for (int64_t j = 0; j < h->nk && j < h->valid; j++) sum += p[j] = exp(p[j] - most);
    for (int64_t j = 0; j < h->nk && j < h->valid; j++) p[j] /= sum;
}

static double *temporary(int64_t n)
{
    double *p = calloc((size_t)n + 1, sizeof(*p));
    assert(p != NULL);
    return p;
}

void tpp_ref_attention(const tpp_ref_call *c)
{
    const tpp_attention_attr *a = c->attr;
    const double *valid = c->in[3], *index = c->in[4];
    const int64_t bk = c->in_shape[1].d[0], bo = c->out_shape[0].d[0];
    head_view h = {.nq = c->in_shape[0].d[1], .nk = c->in_shape[1].d[1], .scale = a->scale};
    h.c = c->in_shape[0].d[2];
    h.d = h.c / a->heads;
    double *p = temporary(h.nk);
    for (int64_t b = 0; b < bo; b++) {
        const int64_t from = a->mode == TPP_ATTENTION_EACH ? b / bk : b;
        int64_t to = a->mode == TPP_ATTENTION_EACH ? b % bk : b;
        if (a->mode == TPP_ATTENTION_INDEX) to = (int64_t)index[b];
        h.valid = valid ? (int64_t)valid[to] : h.nk;
        for (int64_t head = 0; head < a->heads; head++) {
            h.q = c->in[0] + from * h.nq * h.c + head * h.d;
            h.k = c->in[1] + to * h.nk * h.c + head * h.d;
            h.v = c->in[2] + to * h.nk * h.c + head * h.d;
            for (int64_t i = 0; i < h.nq; i++) {
                double *y = c->out[0] + (b * h.nq + i) * h.c + head * h.d;
                probabilities(p, &h, i);
                for (int64_t l = 0; l < h.d; l++) {
                    y[l] = 0.0;
                    for (int64_t j = 0; j < h.nk; j++) y[l] += p[j] * h.v[j * h.c + l];
                }
            }
        }
    }
    free(p);
}

/* Gradients of one head, laid out as its q, k and v; p, ds [nk] are temporaries. */
typedef struct head_gradients {
    const double *dy;
    double *dq, *dk, *dv, *p, *ds;
} head_gradients;

/* Adds query i's part. ds = p (dp - sum of p dp), dp = dy v^T. */
static void backward_query(const head_view *h, const head_gradients *g, int64_t i)
{
    double *p = g->p, *ds = g->ds;
    double mean = 0.0;
    probabilities(p, h, i);
    for (int64_t j = 0; j < h->nk; j++) {
        ds[j] = 0.0;
        for (int64_t l = 0; l < h->d; l++) ds[j] += g->dy[i * h->c + l] * h->v[j * h->c + l];
        mean += p[j] * ds[j];
    }
    for (int64_t j = 0; j < h->nk; j++) {
        ds[j] = p[j] * (ds[j] - mean);
        for (int64_t l = 0; l < h->d; l++) {
            g->dq[i * h->c + l] += h->scale * ds[j] * h->k[j * h->c + l];
            g->dk[j * h->c + l] += h->scale * ds[j] * h->q[i * h->c + l];
            g->dv[j * h->c + l] += p[j] * g->dy[i * h->c + l];
        }
    }
}

void tpp_ref_attention_backward(const tpp_ref_call *c)
{
    const tpp_attention_attr *a = c->attr;
    const int64_t batches = c->in_shape[1].d[0];
    head_view h = {.nq = c->in_shape[1].d[1], .nk = c->in_shape[2].d[1], .scale = a->scale};
    h.c = c->in_shape[1].d[2];
    h.d = h.c / a->heads;
    h.valid = h.nk;
    double *p = temporary(2 * h.nk);
    for (int o = 0; o < 3; o++)
        for (int64_t i = 0; i < tpp_shape_count(&c->out_shape[o]); i++) c->out[o][i] = 0.0;
    for (int64_t b = 0; b < batches; b++)
        for (int64_t head = 0; head < a->heads; head++) {
            const int64_t q_at = b * h.nq * h.c + head * h.d, k_at = b * h.nk * h.c + head * h.d;
            h.q = c->in[1] + q_at;
            h.k = c->in[2] + k_at;
            h.v = c->in[3] + k_at;
            const head_gradients g = {.dy = c->in[0] + q_at,
                                      .dq = c->out[0] + q_at,
                                      .dk = c->out[1] + k_at,
                                      .dv = c->out[2] + k_at,
                                      .p = p,
                                      .ds = p + h.nk};
            for (int64_t i = 0; i < h.nq; i++) backward_query(&h, &g, i);
        }
    free(p);
}
