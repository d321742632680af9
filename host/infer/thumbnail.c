/* Scales by areas of whole pixels.
 * SPDX-License-Identifier: MIT */
#include "infer/thumbnail.h"

#include <stdbool.h>
#include <string.h>

typedef struct area {
    int top, bottom, left, right;
} area;

/* Source pixels [*from, *to) that pixel `i` of `n` covers. */
static void span(int i, int n, int source, int *from, int *to)
{
    *from = (int)((int64_t)i * source / n);
    *to = (int)(((int64_t)i + 1) * source / n);
    if (*to <= *from) *to = *from + 1;
}

static area covered(const tpp_thumbnail *t, int y, int x)
{
    area a;
    span(y, t->shown_height, t->height, &a.top, &a.bottom);
    span(x, t->shown_width, t->width, &a.left, &a.right);
    return a;
}

static int64_t size_of(area a)
{
    return (int64_t)(a.bottom - a.top) * (a.right - a.left);
}

static uint8_t mean_of(area a, const uint8_t *frame, int64_t width, int channels, int c)
{
    int64_t sum = 0;
    for (int64_t r = a.top; r < a.bottom; r++)
        for (int q = a.left; q < a.right; q++) sum += frame[(r * width + q) * channels + c];
    return (uint8_t)((sum + size_of(a) / 2) / size_of(a));
}

void tpp_thumbnail_row(const tpp_thumbnail *t, uint8_t *out, int out_channels, const uint8_t *frame,
                       int channels, int y)
{
    for (int x = 0; x < t->shown_width; x++) {
        const area a = covered(t, y, x);
        for (int c = 0; c < out_channels; c++)
            out[c] = c < channels ? mean_of(a, frame, t->width, channels, c) : out[c - 1];
        out += out_channels;
    }
}

void tpp_thumbnail_frame(const tpp_thumbnail *t, uint8_t *out, int out_channels,
                         const uint8_t *frame, int channels)
{
    const int64_t row = (int64_t)t->shown_width * out_channels;
    for (int y = 0; y < t->shown_height; y++)
        tpp_thumbnail_row(t, out + y * row, out_channels, frame, channels, y);
}

/* How many covered pixels are set. */
static int64_t count_in(area a, const uint8_t *mask, int64_t width)
{
    int64_t n = 0;
    for (int64_t r = a.top; r < a.bottom; r++)
        for (int q = a.left; q < a.right; q++) n += mask[r * width + q] != 0;
    return n;
}

void tpp_thumbnail_any(const tpp_thumbnail *t, uint8_t *out, const uint8_t *mask)
{
    for (int y = 0; y < t->shown_height; y++)
        for (int x = 0; x < t->shown_width; x++)
            *out++ = count_in(covered(t, y, x), mask, t->width) > 0;
}

void tpp_thumbnail_half(const tpp_thumbnail *t, uint8_t *out, const uint8_t *mask)
{
    uint8_t *to = out;
    bool any = false;
    for (int y = 0; y < t->shown_height; y++)
        for (int x = 0; x < t->shown_width; x++) {
            const area a = covered(t, y, x);
            *to = 2 * count_in(a, mask, t->width) >= size_of(a);
            any = any || *to != 0;
            to++;
        }
    if (!any) tpp_thumbnail_any(t, out, mask);
}
