/* Range, percentiles and label counts in a few passes over the values.
 * SPDX-License-Identifier: MIT */
#include "io/statistics.h"

#include <math.h>
#include <string.h>

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

static bool counts(float v, bool skip_zeros)
{
    return isfinite(v) && !(skip_zeros && v == 0);
}

int64_t tpp_values_count(const float *values, int64_t count, bool skip_zeros)
{
    int64_t n = 0;
    for (int64_t i = 0; i < count; i++) n += counts(values[i], skip_zeros);
    return n;
}

/* Number `rank` (from 0) of the counting values in rising order: its bits are found in three
 * passes, from the top, without a copy of the values. */
static double order_statistic(const float *values, int64_t count, bool skip_zeros, int64_t rank)
{
    static const int shifts[] = {21, 10, 0}, widths[] = {11, 11, 10};
    uint32_t found = 0;
    for (int pass = 0; pass < 3; pass++) {
        int64_t histogram[1 << 11] = {0};
        const int above = shifts[pass] + widths[pass];
        for (int64_t i = 0; i < count; i++) {
            if (!counts(values[i], skip_zeros)) continue;
            const uint32_t key = ordered_bits(values[i]);
            if (above < 32 && key >> above != found >> above) continue;
            histogram[key >> shifts[pass] & ((1U << widths[pass]) - 1)]++;
        }
        uint32_t digit = 0;
        while (rank >= histogram[digit]) rank -= histogram[digit++];
        found |= digit << shifts[pass];
    }
    return (double)value_of(found);
}

double tpp_values_percentile(const float *values, int64_t count, bool skip_zeros, double p)
{
    const int64_t n = tpp_values_count(values, count, skip_zeros);
    if (n == 0) return 0;
    const double place = p / 100 * (double)(n - 1);
    const int64_t below = (int64_t)place;
    const double a = order_statistic(values, count, skip_zeros, below);
    if (below + 1 >= n) return a;
    const double b = order_statistic(values, count, skip_zeros, below + 1);
    return a + (place - (double)below) * (b - a);
}

/* ---- labels ---- */

/* Place of `value` among the labels, or where it belongs. */
static int place_of(const tpp_statistics *s, int64_t value)
{
    int low = 0, high = s->n_labels;
    while (low < high) {
        const int middle = (low + high) / 2;
        if (s->label[middle].value < value)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Counts a value; false: no label, or one too many. */
static bool count_label(tpp_statistics *s, float v, int *last)
{
    const float farthest = 1e9F;
    if (!(fabsf(v) <= farthest) || truncf(v) != v) return false;
    const int64_t value = (int64_t)v;
    if (*last >= s->n_labels || s->label[*last].value != value) {
        *last = place_of(s, value);
        if (*last >= s->n_labels || s->label[*last].value != value) {
            if (s->n_labels == TPP_MAX_LABELS) return false;
            memmove(&s->label[*last + 1], &s->label[*last],
                    (size_t)(s->n_labels - *last) * sizeof(s->label[0]));
            s->label[*last].value = value;
            s->label[*last].count = 0;
            s->n_labels++;
        }
    }
    s->label[*last].count++;
    return true;
}

void tpp_statistics_of(tpp_statistics *out, const float *values, int64_t count)
{
    *out = (tpp_statistics){.are_labels = true};
    int last = 0;
    for (int64_t i = 0; i < count; i++) {
        const float v = values[i];
        if (!isfinite(v)) {
            out->are_labels = false;
            continue;
        }
        if (out->count == 0 || (double)v < out->min) out->min = (double)v;
        if (out->count == 0 || (double)v > out->max) out->max = (double)v;
        out->count++;
        out->are_labels = out->are_labels && count_label(out, v, &last);
    }
    out->are_labels = out->are_labels && out->count > 0;
    if (!out->are_labels) out->n_labels = 0;
    if (out->count == 0) return;
    out->low = tpp_values_percentile(values, count, false, low_percentile);
    out->high = tpp_values_percentile(values, count, false, high_percentile);
}
