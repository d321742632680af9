/* Finds the base of a row and weighs the difference.
 * SPDX-License-Identifier: MIT */
#include "infer/bench_compare.h"

#include "infer/samples.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* What tells the cells of a grid apart; the configuration counts by name or hash. */
static const char *const cell_fields[] = {"height",   "width",     "clip",
                                          "prompts",  "tokens",    "ahead",
                                          "scenario", "algorithm", "kernel_cache"};
/* What must be equal as well for times to mean the same; what differs is named. */
static const char *const same_fields[] = {"device", "platform", "config_sha256", "precision",
                                          "weights"};

static const tpp_bench_field *field_of(const char *name)
{
    const tpp_bench_field *f = tpp_bench_fields;
    while (strcmp(f->name, name) != 0) f++;
    return f;
}

static bool equal(const tpp_bench_row *a, const tpp_bench_row *b, const char *name)
{
    const tpp_bench_field *f = field_of(name);
    if (f->kind == TPP_BENCH_TEXT)
        return strcmp(tpp_bench_text_of(a, f), tpp_bench_text_of(b, f)) == 0;
    const double x = tpp_bench_number_of(a, f), y = tpp_bench_number_of(b, f);
    return x == y || (isnan(x) && isnan(y));
}

static bool same_cell(const tpp_bench_row *a, const tpp_bench_row *b)
{
    if (!equal(a, b, "config_sha256") && !equal(a, b, "config")) return false;
    for (size_t i = 0; i < sizeof(cell_fields) / sizeof(cell_fields[0]); i++)
        if (!equal(a, b, cell_fields[i])) return false;
    return true;
}

/* The first of same_fields that differs, or NULL. */
static const char *difference(const tpp_bench_row *a, const tpp_bench_row *b)
{
    for (size_t i = 0; i < sizeof(same_fields) / sizeof(same_fields[0]); i++)
        if (!equal(a, b, same_fields[i])) return same_fields[i];
    return NULL;
}

/* The row of the same cell, one of the same device if there is one. */
static const tpp_bench_row *find_base(const tpp_bench_row *r, const tpp_bench_rows *base)
{
    const tpp_bench_row *found = NULL;
    for (int i = 0; i < base->count; i++) {
        const tpp_bench_row *b = &base->row[i];
        if (!same_cell(r, b)) continue;
        if (difference(r, b) == NULL) return b;
        if (found == NULL) found = b;
    }
    return found;
}

static void refuse(tpp_bench_row *r, const char *verdict, const char *reason)
{
    TPP_BENCH_SET(r->compare.verdict, verdict);
    TPP_BENCH_SET(r->compare.reason, reason);
}

static void refuse_difference(tpp_bench_row *r, const tpp_bench_row *base, const char *name)
{
    const tpp_bench_field *f = field_of(name);
    char reason[256];
    (void)snprintf(reason, sizeof(reason), "%s: the base has %.80s, this row %.80s", name,
                   tpp_bench_text_of(base, f), tpp_bench_text_of(r, f));
    refuse(r, "not comparable", reason);
}

/* ---- the difference ---- */

/* Of the median of n values that vary as normal ones with this deviation do, as a share of it:
 * sqrt(pi / 2) times the error of their mean. */
static double error_of_median(const tpp_samples_summary *s, int n)
{
    const double of_normal = 1.2533;
    return of_normal * s->stddev / sqrt(n) / s->median;
}

/* How much faster one machine was than the other, 1 or more. */
static double machine_factor(const tpp_bench_row *a, const tpp_bench_row *b)
{
    if (!(a->peak_gflops > 0 && b->peak_gflops > 0)) return 1;
    const double ratio = a->peak_gflops / b->peak_gflops;
    return ratio > 1 ? ratio : 1 / ratio;
}

static tpp_status weigh(tpp_bench_row *r, const tpp_bench_row *base)
{
    const double least = 0.01;
    tpp_samples_summary now, then;
    TPP_TRY(tpp_samples_summarise(&now, r->samples, r->n_samples));
    TPP_TRY(tpp_samples_summarise(&then, base->samples, base->n_samples));
    const double chance =
        2 * hypot(error_of_median(&now, r->n_samples), error_of_median(&then, base->n_samples));
    const double factor = (1 + (chance > least ? chance : least)) * machine_factor(r, base);
    r->compare.margin = factor - 1;
    r->compare.ratio = then.median / now.median;
    r->compare.base_ms = then.median;
    TPP_BENCH_SET(r->compare.verdict, r->compare.ratio > factor       ? "faster"
                                      : r->compare.ratio < 1 / factor ? "slower"
                                                                      : "same");
    return TPP_OK;
}

static bool has_times(const tpp_bench_row *r)
{
    for (int i = 0; i < r->n_samples; i++)
        if (!(r->samples[i] > 0)) return false;
    return strcmp(r->status, "ok") == 0 && r->n_samples > 0;
}

tpp_status tpp_bench_compare(tpp_bench_row *r, const tpp_bench_rows *base)
{
    enum { FEWEST = 3 }; /* samples that tell a spread */
    const tpp_bench_row *b = find_base(r, base);
    if (b == NULL) {
        refuse(r, "no base", "the file has no row of this cell");
        return TPP_OK;
    }
    const char *differs = difference(r, b);
    if (differs != NULL)
        refuse_difference(r, b, differs);
    else if (!has_times(b) || !has_times(r))
        refuse(r, "not comparable", has_times(r) ? "the base is not ok" : "this row is not ok");
    else if (b->n_samples < FEWEST || r->n_samples < FEWEST)
        refuse(r, "not comparable", "fewer than 3 samples tell no spread");
    else
        return weigh(r, b);
    return TPP_OK;
}
