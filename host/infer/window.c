/* Windows: presets, percentiles, and the guess between them.
 * SPDX-License-Identifier: MIT */
#include "infer/window.h"

#include "core/str.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Hounsfield units; sources: ecosystem.md 5.4. */
static const struct {
    const char *name;
    double low, high;
} presets[] = {
    {"abdomen", -150, 250}, {"liver", -25, 230},  {"pancreas", -100, 200},    {"pelvis", -55, 200},
    {"colon", -68, 187},    {"lung", -1350, 150}, {"mediastinum", -125, 225}, {"kidney", -79, 304},
    {"brain", 0, 80},       {"bone", -350, 1150},
};
enum { PRESET_COUNT = sizeof(presets) / sizeof(presets[0]) };

static const double ct_floor = -500; /* air in Hounsfield units is -1000; MR does not go there */
static const double low_percentile = 0.5, high_percentile = 99.5;

/* ---- order statistics ---- */

/* Floats as integers of the same order. */
static uint32_t ordered_bits(float v)
{
    uint32_t bits = 0;
    memcpy(&bits, &v, sizeof(bits));
    return (bits & 0x80000000U) != 0 ? ~bits : bits | 0x80000000U;
}

static float value_of(uint32_t ordered)
{
    const uint32_t bits = (ordered & 0x80000000U) != 0 ? ordered & 0x7FFFFFFFU : ~ordered;
    float v = 0;
    memcpy(&v, &bits, sizeof(v));
    return v;
}

static bool counts(float v)
{
    return isfinite(v) && v != 0;
}

/* Number `rank` (from 0) of the counting voxels in rising order: its bits are found in three
 * passes, from the top, without a copy of the volume. */
static double order_statistic(const tpp_volume *v, int64_t rank)
{
    static const int shifts[] = {21, 10, 0}, widths[] = {11, 11, 10};
    uint32_t found = 0;
    for (int pass = 0; pass < 3; pass++) {
        int64_t histogram[1 << 11] = {0};
        const int above = shifts[pass] + widths[pass];
        for (int64_t i = 0; i < v->voxel_count; i++) {
            if (!counts(v->voxels[i])) continue;
            const uint32_t key = ordered_bits(v->voxels[i]);
            if (above < 32 && key >> above != found >> above) continue;
            histogram[key >> shifts[pass] & ((1U << widths[pass]) - 1)]++;
        }
        uint32_t digit = 0;
        while (rank >= histogram[digit]) rank -= histogram[digit++];
        found |= digit << shifts[pass];
    }
    return (double)value_of(found);
}

/* Linear between neighbours, as numpy's default. */
static double percentile(const tpp_volume *v, int64_t count, double p)
{
    const double place = p / 100 * (double)(count - 1);
    const int64_t below = (int64_t)place;
    const double a = order_statistic(v, below);
    if (below + 1 >= count) return a;
    return a + (place - (double)below) * (order_statistic(v, below + 1) - a);
}

static tpp_window percentile_window(const tpp_volume *v)
{
    tpp_window w = {.low = 0, .high = 1, .name = "percentile"};
    int64_t count = 0;
    for (int64_t i = 0; i < v->voxel_count; i++) count += counts(v->voxels[i]);
    if (count == 0) return w; /* nothing but zeros: black */
    w.low = percentile(v, count, low_percentile);
    w.high = percentile(v, count, high_percentile);
    if (!(w.high > w.low)) w.low = w.high < 0 ? w.high - 1 : 0; /* one intensity: white on black */
    return w;
}

/* ---- choosing ---- */

const char *tpp_window_preset(int i)
{
    return i >= 0 && i < PRESET_COUNT ? presets[i].name : NULL;
}

static bool find_preset(tpp_window *out, const char *name)
{
    for (int i = 0; i < PRESET_COUNT; i++) {
        if (strcmp(presets[i].name, name) != 0) continue;
        *out = (tpp_window){.low = presets[i].low, .high = presets[i].high};
        (void)snprintf(out->name, sizeof(out->name), "%s", name);
        return true;
    }
    return false;
}

/* By values alone: converters store CT as floats too. */
static bool looks_like_ct(const tpp_volume *v)
{
    for (int64_t i = 0; i < v->voxel_count; i++)
        if (isfinite(v->voxels[i]) && (double)v->voxels[i] <= ct_floor) return true;
    return false;
}

static tpp_status bad_spec(const char *spec)
{
    tpp_str names = {0};
    for (int i = 0; i < PRESET_COUNT; i++) tpp_str_format(&names, ", %s", presets[i].name);
    const tpp_status s =
        TPP_FAIL(TPP_EUSAGE, "window \"%.60s\": wanted LOW:HIGH with LOW below HIGH, percentile%s",
                 spec, names.text == NULL ? "" : names.text);
    tpp_str_free(&names);
    return s;
}

/* "-150:250" */
static tpp_status parse_range(tpp_window *out, const char *spec)
{
    char *end = NULL;
    const double low = strtod(spec, &end);
    if (end == spec || *end != ':') return bad_spec(spec);
    const char *second = end + 1;
    const double high = strtod(second, &end);
    if (end == second || *end != '\0' || !isfinite(low) || !isfinite(high) || !(low < high))
        return bad_spec(spec);
    *out = (tpp_window){.low = low, .high = high};
    (void)snprintf(out->name, sizeof(out->name), "%s", spec);
    return TPP_OK;
}

tpp_status tpp_window_choose(tpp_window *out, const tpp_volume *v, const char *spec)
{
    if (spec == NULL) spec = looks_like_ct(v) ? "abdomen" : "percentile";
    if (strcmp(spec, "percentile") == 0) {
        *out = percentile_window(v);
        return TPP_OK;
    }
    return find_preset(out, spec) ? TPP_OK : parse_range(out, spec);
}

unsigned char tpp_window_apply(const tpp_window *w, float value)
{
    const double v = (double)value;
    if (!isfinite(v) || v <= w->low) return 0;
    if (v >= w->high) return 255;
    return (unsigned char)((v - w->low) / (w->high - w->low) * 255 + 0.5);
}
