/* Compares the tensors of a run with those of a golden file.
 * SPDX-License-Identifier: MIT */
#include "core/mem.h"
#include "infer/golden.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What float32 holds over four propagated frames: shared reference, README. */
static const double tolerance = 1e-4, mask_tolerance = 2e-4;

static bool ends_with(const char *text, const char *end)
{
    const size_t n = strlen(text), m = strlen(end);
    return n >= m && strcmp(text + n - m, end) == 0;
}

/* Indices are chosen, not computed: there is no error in them. */
static bool is_index(const char *name)
{
    return ends_with(name, ".best") || ends_with(name, ".prompt");
}

double tpp_golden_tolerance(const char *name)
{
    if (is_index(name)) return 0;
    return ends_with(name, ".mask") ? mask_tolerance : tolerance;
}

tpp_status tpp_golden_report_init(tpp_golden_report *r, const tpp_golden *g)
{
    tpp_golden_row *rows = NULL;
    TPP_NEW(rows, g->count);
    for (size_t i = 0; i < g->count; i++) {
        rows[i].name = g->items[i].name;
        rows[i].tolerance = tpp_golden_tolerance(rows[i].name);
    }
    *r = (tpp_golden_report){.golden = g, .rows = rows};
    return TPP_OK;
}

void tpp_golden_report_free(tpp_golden_report *r)
{
    tpp_free(r->rows);
    *r = (tpp_golden_report){0};
}

static void fail(tpp_golden_row *row, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void fail(tpp_golden_row *row, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)vsnprintf(row->why, sizeof(row->why), format, args);
    va_end(args);
    row->passed = false;
    row->error = INFINITY;
}

/* The shape without axes of one, which the two sides do not share. */
static tpp_shape squeeze(const tpp_shape *s)
{
    tpp_shape out = {0};
    for (int i = 0; i < s->rank; i++)
        if (s->d[i] != 1) out.d[out.rank++] = s->d[i];
    return out;
}

static bool check_shape(tpp_golden_row *row, const tpp_expected *want, const tpp_traced *got,
                        int sample)
{
    const int64_t n = tpp_shape_count(&got->shape);
    const tpp_shape shape = squeeze(&got->shape);
    const int64_t kept = n < 1 ? 0 : (n - 1) / want->step + 1;
    const bool stated = want->shape.rank > 0 || want->count == 1;
    if (stated && !tpp_shape_equal(&shape, &want->shape))
        fail(row, "the run has shape %s, the file %s", tpp_shape_text(&got->shape),
             tpp_shape_text(&want->shape));
    else if (kept != want->count)
        fail(row,
             "the run has %" PRId64 " values, %" PRId64 " at steps of %" PRId64
             ", the file %" PRId64,
             n, kept, want->step, want->count);
    else if (want->has_stats && sample > 0 && want->step != (n < sample ? 1 : n / sample))
        fail(row, "steps of %" PRId64 " over %" PRId64 " values do not give %d samples", want->step,
             n, sample);
    else
        return true;
    return false;
}

/* Mean, mean magnitude, largest magnitude; false when a value is not finite. */
static bool measure(double stats[3], const double *values, int64_t n, int64_t *where)
{
    double sum = 0, sum_abs = 0, largest = 0;
    for (int64_t i = 0; i < n; i++) {
        *where = i;
        if (!isfinite(values[i])) return false;
        const double magnitude = fabs(values[i]);
        sum += values[i];
        sum_abs += magnitude;
        if (magnitude > largest) largest = magnitude;
    }
    stats[0] = sum / (double)n;
    stats[1] = sum_abs / (double)n;
    stats[2] = largest;
    return true;
}

static double largest_magnitude(const tpp_expected *want)
{
    double largest = want->has_stats ? want->stats[2] : 0;
    for (int64_t i = 0; i < want->count; i++)
        if (!want->has_stats && fabs(want->values[i]) > largest) largest = fabs(want->values[i]);
    return largest;
}

static void judge(tpp_golden_row *row, const char *what, double difference, double scale)
{
    /* A tensor of zeros has no scale of its own. */
    const double error = scale > 0 ? difference / scale : difference;
    if (error <= row->error) return;
    row->error = error;
    if (error <= row->tolerance) return;
    row->passed = false;
    (void)snprintf(row->why, sizeof(row->why), "%s is off by %.3g of the largest magnitude %.4g",
                   what, error, scale);
}

static void compare(tpp_golden_row *row, const tpp_expected *want, const tpp_traced *got,
                    int sample)
{
    static const char *const stat_names[] = {"mean", "mean magnitude", "largest magnitude"};
    double stats[3];
    int64_t where = 0;
    char what[48];
    row->passed = true;
    if (!check_shape(row, want, got, sample)) return;
    if (!measure(stats, got->values, tpp_shape_count(&got->shape), &where)) {
        fail(row, "value %" PRId64 " is not finite", where);
        return;
    }
    const double scale = row->tolerance > 0 ? largest_magnitude(want) : 1;
    for (int64_t i = 0; i < want->count; i++) {
        const double difference = fabs(got->values[i * want->step] - want->values[i]);
        if (difference <= row->error * scale) continue;
        (void)snprintf(what, sizeof(what), "value %" PRId64, i * want->step);
        judge(row, what, difference, scale);
    }
    for (int k = 0; want->has_stats && k < 3; k++)
        judge(row, stat_names[k], fabs(stats[k] - want->stats[k]), scale);
}

tpp_status tpp_golden_sink(void *report, const tpp_traced *t)
{
    tpp_golden_report *r = report;
    const tpp_table_entry *e = tpp_table_find(&r->golden->index, t->name);
    if (e == NULL) return TPP_OK;
    tpp_golden_row *row = &r->rows[e->value.number];
    if (row->seen && !row->passed) return TPP_OK; /* seen again: the first failure stays */
    row->seen = true;
    compare(row, &r->golden->items[e->value.number], t, r->golden->sample);
    return TPP_OK;
}

static int by_error(const void *a, const void *b)
{
    const tpp_golden_row *x = a, *y = b;
    if (x->passed != y->passed) return x->passed ? 1 : -1;
    if (x->error != y->error) return x->error > y->error ? -1 : 1;
    return strcmp(x->name, y->name);
}

void tpp_golden_report_finish(tpp_golden_report *r)
{
    r->passed = r->failed = 0;
    for (size_t i = 0; i < r->golden->count; i++) {
        tpp_golden_row *row = &r->rows[i];
        if (r->golden->items[i].count == 0)
            fail(row, "the file names its shape and does not hold it");
        else if (!row->seen)
            fail(row, "the run did not produce it");
        r->passed += row->passed;
        r->failed += !row->passed;
    }
    if (r->golden->count > 1) qsort(r->rows, r->golden->count, sizeof(*r->rows), by_error);
}
