/* Windows: presets, percentiles, and the guess between them.
 * SPDX-License-Identifier: MIT */
#include "infer/window.h"

#include "core/str.h"
#include "io/statistics.h"

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

/* Air in Hounsfield units is -1000. MR goes there at most in a few voxels, where it was resampled.
 */
static const double ct_floor = -500, air_share = 1e-3;
static const double low_percentile = 0.5, high_percentile = 99.5;

/* ---- percentiles ---- */

/* Values that can be asked for percentiles, zeros aside. */
typedef struct values {
    const tpp_volume *volume; /* or */
    const int64_t *counts;    /* [TPP_WINDOW_LEVELS] */
} values;

static int64_t count_values(const values *x)
{
    if (x->volume != NULL) return tpp_values_count(x->volume->voxels, x->volume->voxel_count, true);
    int64_t n = 0;
    for (int v = 1; v < TPP_WINDOW_LEVELS; v++) n += x->counts[v];
    return n;
}

/* The value at a rank, from 0. */
static double counted_value(const int64_t *counts, int64_t rank)
{
    int v = 1;
    while (rank >= counts[v]) rank -= counts[v++];
    return v;
}

/* Linear between neighbours, as numpy's default. */
static double percentile(const values *x, int64_t count, double p)
{
    if (x->volume != NULL)
        return tpp_values_percentile(x->volume->voxels, x->volume->voxel_count, true, p);
    const double place = p / 100 * (double)(count - 1);
    const int64_t below = (int64_t)place;
    const double a = counted_value(x->counts, below);
    if (below + 1 >= count) return a;
    return a + (place - (double)below) * (counted_value(x->counts, below + 1) - a);
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
bool tpp_window_looks_like_ct(const tpp_volume *v)
{
    int64_t air = 0;
    for (int64_t i = 0; i < v->voxel_count; i++)
        air += isfinite(v->voxels[i]) && (double)v->voxels[i] <= ct_floor;
    return (double)air > air_share * (double)v->voxel_count;
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
    return modality[0] == '\0' && tpp_window_looks_like_ct(v) ? "abdomen" : "percentile";
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
    if (spec != NULL && strcmp(spec, "dicom") == 0)
        return TPP_FAIL(TPP_EUSAGE, "window dicom: pictures state no window");
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
