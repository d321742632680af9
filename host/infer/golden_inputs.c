/* Synthetic images and prompts of golden files: synth_inputs() of the shared reference program.
 * SPDX-License-Identifier: MIT */
#include "core/synth.h"
#include "infer/golden.h"

#include <stdio.h>

enum { RGB = 3, NAME_SIZE = 32 };

/* Is the pixel's centre within the target's ellipse? In double, in the reference's order. */
static bool in_target(const tpp_golden *g, int t, int y, int x)
{
    const double cx = (g->target[0] + 0.02 * t) * g->width;
    const double cy = (g->target[1] - 0.015 * t) * g->height;
    const double dx = (x + 0.5 - cx) / (g->target[2] * g->width / 2);
    const double dy = (y + 0.5 - cy) / (g->target[3] * g->height / 2);
    return dx * dx + dy * dy <= 1.0;
}

void tpp_golden_image(float *out, const tpp_golden *g, int t)
{
    char name[NAME_SIZE];
    (void)snprintf(name, sizeof(name), "image%d", t);
    const uint64_t key = tpp_synth_key(name, g->seed);
    const int64_t plane = (int64_t)g->height * g->width;
    for (int y = 0; y < g->height; y++)
        for (int x = 0; x < g->width; x++) {
            const bool target = t != g->invalid_frame && in_target(g, t, y, x);
            const int64_t i = (int64_t)y * g->width + x;
            for (int c = 0; c < RGB; c++) /* the stream is [3, height, width] */
                out[i * RGB + c] = (float)(0.5 * tpp_synth_value(key, (uint64_t)(c * plane + i)) +
                                           (target ? 1.5 : 0.0));
        }
}

/* Words are drawn from the ids between the special tokens and the last hundred. */
void tpp_golden_prompt(int32_t *out, const tpp_golden *g, int i)
{
    char name[NAME_SIZE];
    (void)snprintf(name, sizeof(name), "prompt%d", i);
    const uint64_t key = tpp_synth_key(name, g->seed);
    const int n = g->length[i];
    for (int j = 0; j < n; j++)
        out[j] =
            (int32_t)((tpp_synth_value(key, (uint64_t)j) + 1) / 2 * (g->config.text.vocab - 104)) +
            4;
    out[0] = 0;
    out[n - 1] = 2;
}
