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
    {"brain", 0, 80},       {"bone", -350, 1150}, {"stored", 0, 255},
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

/* Values that can be asked for the one at a rank, zeros aside. */
typedef struct values {
    const tpp_volume *volume; /* or */
    const int64_t *counts;    /* [TPP_WINDOW_LEVELS] */
} values;

static int64_t count_values(const values *x)
{
    int64_t n = 0;
    if (x->volume != NULL)
        for (int64_t i = 0; i < x->volume->voxel_count; i++) n += counts(x->volume->voxels[i]);
    else
        for (int v = 1; v < TPP_WINDOW_LEVELS; v++) n += x->counts[v];
    return n;
}

static double value_at_rank(const values *x, int64_t rank)
{
    if (x->volume != NULL) return order_statistic(x->volume, rank);
    int v = 1;
    while (rank >= x->counts[v]) rank -= x->counts[v++];
    return v;
}

/* Linear between neighbours, as numpy's default. */
static double percentile(const values *x, int64_t count, double p)
{
    const double place = p / 100 * (double)(count - 1);
    const int64_t below = (int64_t)place;
    const double a = value_at_rank(x, below);
    if (below + 1 >= count) return a;
    return a + (place - (double)below) * (value_at_rank(x, below + 1) - a);
}

static tpp_window percentile_window(const values *x, double low, double high)
{
    tpp_window w = {.low = 0, .high = 1};
    const int64_t count = count_values(x);
    if (count == 0) return w; /* nothing but zeros: black */
    w.low = percentile(x, count, low);
    w.high = percentile(x, count, high);
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
        TPP_FAIL(TPP_EUSAGE,
                 "window \"%.60s\": wanted LOW:HIGH with LOW below HIGH, LOW%%:HIGH%%, "
                 "percentile, dicom%s",
                 spec, names.text == NULL ? "" : names.text);
    tpp_str_free(&names);
    return s;
}

/* "-150:250", "1%:99%" */
static tpp_status parse_range(double out[2], bool *is_percentile, const char *spec)
{
    char *end = NULL;
    out[0] = strtod(spec, &end);
    *is_percentile = end != spec && *end == '%';
    end += *is_percentile;
    if (end == spec || *end != ':') return bad_spec(spec);
    const char *second = end + 1;
    out[1] = strtod(second, &end);
    const bool both = *is_percentile == (end != second && *end == '%');
    if (*is_percentile && both) end++;
    if (end == second || !both || *end != '\0' || !isfinite(out[0]) || !isfinite(out[1]) ||
        !(out[0] < out[1]) || (*is_percentile && (out[0] < 0 || out[1] > 100)))
        return bad_spec(spec);
    return TPP_OK;
}

/* Everything that needs no volume. */
static tpp_status choose(tpp_window *out, const values *x, const char *spec)
{
    double range[2] = {low_percentile, high_percentile};
    bool is_percentile = strcmp(spec, "percentile") == 0;
    if (find_preset(out, spec)) return TPP_OK;
    if (!is_percentile) TPP_TRY(parse_range(range, &is_percentile, spec));
    *out = is_percentile ? percentile_window(x, range[0], range[1])
                         : (tpp_window){.low = range[0], .high = range[1]};
    (void)snprintf(out->name, sizeof(out->name), "%s", spec);
    return TPP_OK;
}

static tpp_status shown_by_file(tpp_window *out, const tpp_volume *v)
{
    if (!(v->shown_low < v->shown_high))
        return TPP_FAIL(TPP_EUSAGE, "window dicom: the file states no window");
    *out = (tpp_window){.low = v->shown_low, .high = v->shown_high, .name = "dicom"};
    return TPP_OK;
}

/* Cameras and ultrasound store what is to be seen. */
static bool is_stored_for_viewing(const tpp_volume *v, const char *modality)
{
    static const char *const kinds[] = {"US", "ES", "XC", "GM", "IVUS", "OP"};
    bool known = v->is_sequence;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        known = known || strcmp(modality, kinds[i]) == 0;
    for (int64_t i = 0; known && i < v->voxel_count; i++)
        if (v->voxels[i] < 0 || v->voxels[i] > 255) return false;
    return known;
}

static const char *by_modality(const tpp_volume *v, const char *modality)
{
    if (modality == NULL || modality[0] == '\0') modality = v->modality;
    if (strcmp(modality, "CT") == 0) return "abdomen";
    if (is_stored_for_viewing(v, modality)) return "stored";
    return modality[0] == '\0' && looks_like_ct(v) ? "abdomen" : "percentile";
}

tpp_status tpp_window_choose(tpp_window *out, const tpp_volume *v, const char *spec,
                             const char *modality)
{
    if (spec == NULL) spec = by_modality(v, modality);
    if (strcmp(spec, "dicom") == 0) return shown_by_file(out, v);
    return choose(out, &(values){.volume = v}, spec);
}

tpp_status tpp_window_of_counts(tpp_window *out, const int64_t *counts_of, const char *spec)
{
    return choose(out, &(values){.counts = counts_of}, spec == NULL ? "percentile" : spec);
}

bool tpp_window_looks(const char *spec)
{
    return spec == NULL || strcmp(spec, "percentile") == 0 || strchr(spec, '%') != NULL;
}

unsigned char tpp_window_apply(const tpp_window *w, float value)
{
    const double v = (double)value;
    if (!isfinite(v) || v <= w->low) return 0;
    if (v >= w->high) return 255;
    return (unsigned char)((v - w->low) / (w->high - w->low) * 255 + 0.5);
}
