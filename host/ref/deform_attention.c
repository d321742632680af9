/* References of deform_attention and deform_attention_backward: one sample at a time.
 * SPDX-License-Identifier: MIT */
#include "ref/ref.h"

#include <math.h>

/* Operand positions of the forward op; the backward's are one later. */
typedef struct problem {
    const tpp_deform_attr *a;
    const double *value, *offsets, *logits, *ref;
    int64_t b, s, c, d, nq, ref_batches, ref_size, samples; /* samples: of a head */
} problem;

/* Where a sample lies: pixel, its level, and pixels per unit of offset. */
typedef struct place {
    double x, y, scale_x, scale_y;
    int64_t height, width, first; /* first token of the level */
} place;

static problem problem_of(const tpp_ref_call *c, int at)
{
    const tpp_shape *value = &c->in_shape[at], *ref = &c->in_shape[at + 3];
    problem p = {.a = c->attr};
    p.value = c->in[at];
    p.offsets = c->in[at + 1];
    p.logits = c->in[at + 2];
    p.ref = c->in[at + 3];
    p.b = value->d[0];
    p.s = value->d[1];
    p.c = value->d[2];
    p.d = p.c / p.a->heads;
    p.nq = c->in_shape[at + 1].d[1];
    p.ref_batches = ref->d[0];
    p.ref_size = ref->d[2];
    p.samples = (int64_t)p.a->levels * p.a->points;
    return p;
}

/* Softmax weight of sample i of a head whose logits start at `logits`. */
static double weight(const problem *p, const double *logits, int64_t i)
{
    double most = -INFINITY, sum = 0.0;
    for (int64_t j = 0; j < p->samples; j++) most = fmax(most, logits[j]);
    for (int64_t j = 0; j < p->samples; j++) sum += exp(logits[j] - most);
    return exp(logits[i] - most) / sum;
}

static place place_of(const problem *p, int64_t batch, int64_t query, int64_t i, const double *o)
{
    const double *r = p->ref + (batch % p->ref_batches * p->nq + query) * p->ref_size;
    const int64_t level = i / p->a->points;
    place at = {.height = p->a->height[level], .width = p->a->width[level]};
    for (int64_t l = 0; l < level; l++) at.first += (int64_t)p->a->height[l] * p->a->width[l];
    const double w = (double)at.width, h = (double)at.height;
    at.scale_x = p->ref_size == 2 ? 1.0 : 0.5 * r[2] / p->a->points * w;
    at.scale_y = p->ref_size == 2 ? 1.0 : 0.5 * r[3] / p->a->points * h;
    at.x = r[0] * w + o[0] * at.scale_x - 0.5;
    at.y = r[1] * h + o[1] * at.scale_y - 0.5;
    return at;
}

/* Index into value of channel `channel` of the corner (dy, dx) of a sample, or -1 outside. */
static int64_t corner(const problem *p, const place *at, int64_t batch, int64_t channel, int dy,
                      int dx)
{
    const int64_t x = (int64_t)floor(at->x) + dx, y = (int64_t)floor(at->y) + dy;
    if (x < 0 || x >= at->width || y < 0 || y >= at->height) return -1;
    return (batch * p->s + at->first + y * at->width + x) * p->c + channel;
}

/* One sample of one head: what it adds to y, or with dy the gradients of all it read. */
typedef struct gradients {
    const double *dy; /* of this query and head, d values */
    double *dvalue, *doffset, *dweight;
} gradients;

static void add_sample(const problem *p, const place *at, int64_t batch, int64_t head, double a,
                       double *y)
{
    for (int k = 0; k < 4; k++) {
        const int dy = k / 2, dx = k % 2;
        const double fx = at->x - floor(at->x), fy = at->y - floor(at->y);
        const double part = (dx ? fx : 1.0 - fx) * (dy ? fy : 1.0 - fy);
        for (int64_t i = 0; i < p->d; i++) {
            const int64_t from = corner(p, at, batch, head * p->d + i, dy, dx);
            if (from >= 0) y[i] += a * part * p->value[from];
        }
    }
}

static void add_sample_backward(const problem *p, const place *at, int64_t batch, int64_t head,
                                double a, const gradients *g)
{
    for (int k = 0; k < 4; k++) {
        const int dy = k / 2, dx = k % 2;
        const double fx = at->x - floor(at->x), fy = at->y - floor(at->y);
        const double part_x = dx ? fx : 1.0 - fx, part_y = dy ? fy : 1.0 - fy;
        for (int64_t i = 0; i < p->d; i++) {
            const int64_t from = corner(p, at, batch, head * p->d + i, dy, dx);
            if (from < 0) continue;
            const double gv = g->dy[i] * p->value[from];
            g->dvalue[from] += a * part_x * part_y * g->dy[i];
            g->doffset[0] += a * (dx ? 1.0 : -1.0) * part_y * at->scale_x * gv;
            g->doffset[1] += a * (dy ? 1.0 : -1.0) * part_x * at->scale_y * gv;
            *g->dweight += part_x * part_y * gv;
        }
    }
}

void tpp_ref_deform_attention(const tpp_ref_call *c)
{
    const problem p = problem_of(c, 0);
    for (int64_t row = 0; row < p.b * p.nq; row++)
        for (int64_t head = 0; head < p.a->heads; head++) {
            const int64_t first = (row * p.a->heads + head) * p.samples;
            double *y = c->out[0] + row * p.c + head * p.d;
            for (int64_t i = 0; i < p.d; i++) y[i] = 0.0;
            for (int64_t i = 0; i < p.samples; i++) {
                const place at =
                    place_of(&p, row / p.nq, row % p.nq, i, p.offsets + 2 * (first + i));
                add_sample(&p, &at, row / p.nq, head, weight(&p, p.logits + first, i), y);
            }
        }
}

/* dlogits held the gradients of the weights: dl_i = a_i (da_i - sum of a da). */
static void softmax_backward(const problem *p, const double *logits, double *dlogits)
{
    double mean = 0.0;
    for (int64_t i = 0; i < p->samples; i++) mean += weight(p, logits, i) * dlogits[i];
    for (int64_t i = 0; i < p->samples; i++)
        dlogits[i] = weight(p, logits, i) * (dlogits[i] - mean);
}

void tpp_ref_deform_attention_backward(const tpp_ref_call *c)
{
    const problem p = problem_of(c, 1);
    for (int o = 0; o < 3; o++)
        for (int64_t i = 0; i < tpp_shape_count(&c->out_shape[o]); i++) c->out[o][i] = 0.0;
    for (int64_t row = 0; row < p.b * p.nq; row++)
        for (int64_t head = 0; head < p.a->heads; head++) {
            const int64_t first = (row * p.a->heads + head) * p.samples;
            for (int64_t i = 0; i < p.samples; i++) {
                const int64_t n = first + i;
                const place at = place_of(&p, row / p.nq, row % p.nq, i, p.offsets + 2 * n);
                const gradients g = {.dy = c->in[0] + row * p.c + head * p.d,
                                     .dvalue = c->out[0],
                                     .doffset = c->out[1] + 2 * n,
                                     .dweight = c->out[2] + n};
                add_sample_backward(&p, &at, row / p.nq, head, weight(&p, p.logits + first, i), &g);
            }
            softmax_backward(&p, p.logits + first, c->out[2] + first);
        }
}
