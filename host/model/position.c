/* Positional encodings and the tables that sentences need.
 * SPDX-License-Identifier: MIT */
#include "model/position.h"

#include "core/mem.h"
#include "model/blocks.h"

#include <math.h>

static const double two_pi = 6.283185307179586476925;

/* Feature k of n at angle t: sin or cos of t 10000^(-2 floor(k/2) / n). */
static double feature(double t, int k, int n)
{
    const double a = t * pow(10000.0, -2.0 * (double)(k / 2) / (double)n);
    return k % 2 == 0 ? sin(a) : cos(a);
}

void tpp_sine2d(float *out, int h, int w, int c)
{
    const int half = c / 2;
    for (int i = 0; i < h * w; i++) {
        const double y = (i / w + 0.5) / (h + 1e-6) * two_pi;
        const double x = (i % w + 0.5) / (w + 1e-6) * two_pi;
        float *row = out + (size_t)i * (size_t)c;
        for (int k = 0; k < half; k++) {
            row[k] = (float)feature(y, k, half);
            row[half + k] = (float)feature(x, k, half);
        }
    }
}

void tpp_sine1d(float *out, int valid, int length, int c)
{
    for (int i = 0; i < length; i++) {
        const int place = i + 1 < valid ? i + 1 : valid;
        const double t = place / (valid + 1e-6) * two_pi;
        for (int k = 0; k < c; k++)
            out[(size_t)i * (size_t)c + (size_t)k] = (float)feature(t, k, c);
    }
}

void tpp_centres(float *out, const tpp_model_dims *d)
{
    for (int l = 0; l < d->levels; l++) {
        const tpp_map_size *s = &d->level[l];
        for (int i = 0; i < s->height * s->width; i++) {
            *out++ = (float)((i % s->width + 0.5) / s->width);
            *out++ = (float)((i / s->width + 0.5) / s->height);
        }
    }
}

void tpp_text_places(int32_t *out, int valid, int length)
{
    for (int i = 0; i < length; i++) out[i] = i < valid ? i + 2 : 1;
}

int tpp_text_pack(int32_t *rows, const int32_t *valid, int prompts, int length)
{
    int n = 0;
    for (int p = 0; p < prompts; p++)
        for (int i = 0; i < length && i < valid[p]; i++) rows[n++] = p * length + i;
    for (int i = n; i < prompts * length; i++) rows[i] = 0;
    return n;
}

/* A constant that `fill` computes, unless the graph has it. */
typedef void fill_table(float *out, const void *of);
static tpp_value table(tpp_graph *g, const char *key, tpp_shape shape, fill_table *fill,
                       const void *of)
{
    tpp_value v = TPP_NONE;
    if (tpp_graph_status(g) != TPP_OK) return TPP_NONE;
    if (tpp_constant_known(g, key, &v)) return v;
    float *data = tpp_calloc((size_t)tpp_shape_count(&shape), sizeof(*data));
    if (data == NULL) return tpp_graph_fail(g, TPP_ENOMEM, "no memory for %s", key);
    fill(data, of);
    v = tpp_constant(g, key, TPP_F32, shape, data);
    tpp_free(data);
    return v;
}

static void fill_sine2d(float *out, const void *of)
{
    const tpp_map_size *s = of;
    tpp_sine2d(out, s->height, s->width, s->channels);
}

tpp_value tpp_sine2d_value(tpp_graph *g, const tpp_map_size *s)
{
    return table(g, TPP_NAME("sine2d %dx%dx%d", s->height, s->width, s->channels),
                 TPP_SHAPE(1, tpp_map_tokens(s), s->channels), fill_sine2d, s);
}

static void fill_centres(float *out, const void *of)
{
    tpp_centres(out, of);
}

tpp_value tpp_centres_value(tpp_graph *g, const tpp_model_dims *d)
{
    const tpp_map_size *s = d->level; /* levels that are not there have no size */
    return table(g,
                 TPP_NAME("centres %dx%d %dx%d %dx%d %dx%d", s[0].height, s[0].width, s[1].height,
                          s[1].width, s[2].height, s[2].width, s[3].height, s[3].width),
                 TPP_SHAPE(1, d->tokens, 2), fill_centres, d);
}
