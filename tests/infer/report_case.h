/* Made-up cases for the tests of reports: targets, and pages with known content.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_TESTS_INFER_REPORT_CASE_H
#define TPP_TESTS_INFER_REPORT_CASE_H

#include "axial_geometry.h"
#include "folder.h"
#include "infer/html.h"
#include "infer/json_file.h"
#include "infer/statistics.h"

#include <math.h>

/* Nothing of these is freed. */
static char *case_prompts[][2] = {
    {"the \"left\" kidney, </script><img src=x onerror=alert(1)> & more",
     "h\xc3\xa9patique \xe2\x86\x92 rein"},
    {"a round lesion", "a bright spot"}};
static tpp_target case_target[] = {{.name = "left_kidney",
                                    .title = "left kidney",
                                    .prompt = case_prompts[0],
                                    .n_prompts = 2,
                                    .category_code = "123037004",
                                    .type_code = "18639004",
                                    .type_meaning = "Left kidney",
                                    .rgb = {255, 196, 0}},
                                   {.name = "lesion",
                                    .title = "lesion \"A\" <b>",
                                    .prompt = case_prompts[1],
                                    .n_prompts = 2,
                                    .rgb = {0, 214, 255}},
                                   {.name = "nothing",
                                    .title = "nothing",
                                    .prompt = case_prompts[1],
                                    .n_prompts = 1,
                                    .rgb = {255, 90, 200}}};
static const tpp_targets case_targets = {case_target, 3};

/* Is (x, y) in target t of frame i of n? The third is never there. */
static inline bool case_inside(int t, double x, double y, int64_t i, int64_t n, int size)
{
    const double z = n > 1 ? 2 * (double)i / (double)(n - 1) - 1 : 0;
    const double r = size * (t == 0 ? 0.22 : 0.08) * sqrt(fmax(0, 1 - z * z * (t == 0 ? 1.2 : 4)));
    const double cx = size * (t == 0 ? 0.38 : 0.62 + 0.1 * z), cy = size * (t == 0 ? 0.5 : 0.36);
    const double a = atan2(y - cy, x - cx), wave = t == 0 ? 1 + 0.18 * cos(3 * a + z) : 1;
    return t < 2 && r > 0 && hypot(x - cx, (y - cy) * 0.8) < r * wave;
}

static inline void case_pixel(uint8_t *out, int channels, double x, double y, int64_t i, int64_t n,
                              int size)
{
    const double body = hypot(x - size * 0.5, (y - size * 0.5) * 1.15) / (size * 0.44);
    double v = body < 1 ? 70 + 30 * sin(x * 0.11 + (double)i * 0.2) * cos(y * 0.09) : 6;
    if (body > 0.9 && body < 1) v = 190;
    if (case_inside(0, x, y, i, n, size)) v = 140 + 10 * sin(x * 0.7 + y);
    if (case_inside(1, x, y, i, n, size)) v = 215;
    for (int c = 0; c < channels; c++)
        out[c] = (uint8_t)fmax(0, fmin(255, channels == 1 ? v
                                                          : v * (c == 0   ? 1
                                                                 : c == 1 ? 0.55
                                                                          : 0.45)));
}

typedef struct made_case {
    int height, width, channels;
    int64_t frames;
    tpp_geometry geometry;
    uint8_t *pixels, *mask[3];
    float *intensity;
    tpp_found *found;
    tpp_statistics statistics[3];
} made_case;

static inline void make_frame(made_case *m, int64_t i)
{
    const int64_t pixels = (int64_t)m->height * m->width;
    for (int64_t p = 0; p < pixels; p++) {
        const double x = (double)(p % m->width) + 0.5, y = (double)(p / m->width) + 0.5;
        case_pixel(m->pixels + p * m->channels, m->channels, x, y, i, m->frames, m->width);
        m->intensity[p] = (float)m->pixels[p * m->channels] * 2 - 150;
        for (int t = 0; t < 3; t++) m->mask[t][p] = case_inside(t, x, y, i, m->frames, m->width);
    }
    for (int t = 0; t < 3; t++) {
        tpp_found *f = &m->found[t * m->frames + i];
        *f = (tpp_found){.box = {0.4f, 0.5f, 0.3f, 0.3f}};
        for (int64_t p = 0; p < pixels; p++) f->area_px += m->mask[t][p];
        f->present = f->area_px > 0;
        f->score = (float)(f->present ? 0.9 - 0.2 * fabs(sin((double)i * 0.3 + t)) : 0.12);
    }
}

static inline void make_case(made_case *m, const tpp_geometry *g, int channels)
{
    const size_t pixels = (size_t)g->height * (size_t)g->width;
    *m = (made_case){.height = g->height,
                     .width = g->width,
                     .channels = channels,
                     .frames = g->frames,
                     .geometry = *g};
    m->pixels = tpp_calloc(pixels, (size_t)channels);
    m->intensity = tpp_calloc(pixels, sizeof(float));
    m->found = tpp_calloc((size_t)g->frames * 3, sizeof(tpp_found));
    for (int t = 0; t < 3; t++) {
        m->mask[t] = tpp_calloc(pixels, 1);
        UNIT_OK(tpp_statistics_open(&m->statistics[t], g));
    }
}

static inline void free_case(made_case *m)
{
    for (int t = 0; t < 3; t++) {
        tpp_statistics_close(&m->statistics[t]);
        tpp_free(m->mask[t]);
    }
    tpp_free(m->pixels);
    tpp_free(m->intensity);
    tpp_free(m->found);
}

/* A volume of 1 x 1 x 3 mm whose file is in the order LPS. */
static inline tpp_geometry case_volume(int size, int64_t frames)
{
    tpp_volume v = {.dim = {size, size, frames, 1}, .spacing_mm = {0.8, 0.8, 3}, .modality = "CT"};
    v.affine.m[0][0] = v.affine.m[1][1] = -0.8;
    v.affine.m[2][2] = 3;
    v.affine.m[0][3] = v.affine.m[1][3] = 0.4 * size;
    v.affine.m[3][3] = 1;
    return axial_geometry(&v, 0, frames);
}

static inline json_t *case_report(void)
{
    return json_pack(
        "{s:{s:s}, s:{s:s, s:s, s:s}, s:{s:s, s:s}, s:{s:s, s:s, s:s}, s:{s:f, s:f}, s:[s, s]}",
        "program", "version", "0.2.0", "device", "name", "cpu-haswell <&>", "version",
        "OpenCL 3.0 PoCL", "driver", "3.1", "model", "path", "out/tiny-model", "weights_sha256",
        "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", "input", "path",
        "cases/ct_012.nii.gz", "orientation", "LPS", "sha256",
        "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae", "thresholds", "mask",
        0.5, "min_score", 0.3, "warnings", "ct_012.nii.gz: no CT window is stated; \"abdomen\"",
        "the weights are synthetic; the masks mean nothing");
}

/* Makes report.html of a case in `out`, with the frames from the last to the first. */
static inline tpp_status make_page(made_case *m, const char *title, const tpp_out_folder *out)
{
    const tpp_html_info info = {
        .title = title,
        .height = m->height,
        .width = m->width,
        .channels = m->channels,
        .frames = m->frames,
        .first = m->geometry.first,
        .spacing_mm = {m->geometry.spacing_mm[0], m->geometry.spacing_mm[1]},
        .sides = m->geometry.is_volume ? "RLAP" : NULL,
        .targets = &case_targets,
        .is_synthetic = true};
    tpp_html h = {0};
    json_t *numbers = NULL, *report = case_report();
    char name[32];
    tpp_status s = tpp_html_open(&h, &info, out);
    for (int64_t i = m->frames - 1; i >= 0 && s == TPP_OK; i--) {
        make_frame(m, i);
        for (int t = 0; t < 3 && s == TPP_OK; t++)
            s = tpp_statistics_add(&m->statistics[t], i, m->mask[t],
                                   m->channels == 1 ? m->intensity : NULL);
        (void)snprintf(name, sizeof name, "slice %d", (int)i);
        const uint8_t *masks[] = {m->mask[0], m->mask[1], NULL};
        if (s == TPP_OK && tpp_html_wants(&h, i))
            s = tpp_html_add_frame(&h, i, name, m->pixels, masks);
    }
    if (s == TPP_OK) {
        numbers = tpp_statistics_report(&case_targets, m->statistics);
        s = tpp_html_finish(&h, m->found, numbers, report);
    }
    json_decref(numbers);
    json_decref(report);
    tpp_html_close(&h);
    return s;
}

#endif
