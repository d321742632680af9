/* Reads, checks and sorts.
 * SPDX-License-Identifier: MIT */
#include "infer/bench_merge.h"

#include "core/mem.h"
#include "core/path.h"
#include "core/str.h"
#include "infer/bench.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- order ---- */

static int compare_numbers(double a, double b)
{
    if (isnan(a) || isnan(b)) return (int)isnan(a) - (int)isnan(b);
    return (a > b) - (a < b);
}

static int scenario_of(const tpp_bench_row *r)
{
    int s = 0;
    while (s < TPP_SCENARIO_COUNT && strcmp(tpp_scenario_text(s), r->scenario) != 0) s++;
    return s;
}

/* Machines keep their configurations in folders of their own: a file's name and the hash of what it
 * says count. */
static int compare_work(const tpp_bench_row *a, const tpp_bench_row *b)
{
    const double numbers[][2] = {{a->height, b->height},           {a->width, b->width},
                                 {scenario_of(a), scenario_of(b)}, {a->clip, b->clip},
                                 {a->prompts, b->prompts},         {a->tokens, b->tokens}};
    int order = tpp_str_compare_natural(tpp_path_base(a->config), tpp_path_base(b->config));
    if (order == 0) order = strcmp(a->config_sha256, b->config_sha256);
    for (size_t i = 0; order == 0 && i < sizeof(numbers) / sizeof(numbers[0]); i++)
        order = compare_numbers(numbers[i][0], numbers[i][1]);
    return order;
}

bool tpp_bench_same_group(const tpp_bench_row *a, const tpp_bench_row *b)
{
    return compare_work(a, b) == 0;
}

/* A wrong mask is no fast one: what is not ok comes after what is. Names last, so that the order of
 * the files does not matter. */
static int compare_rows(const void *first, const void *second)
{
    const tpp_bench_row *a = first, *b = second;
    const bool a_ok = tpp_bench_status_of(a) == TPP_BENCH_OK,
               b_ok = tpp_bench_status_of(b) == TPP_BENCH_OK;
    int order = compare_work(a, b);
    if (order == 0) order = (int)b_ok - (int)a_ok;
    if (order == 0) order = compare_numbers(a->ms_median, b->ms_median);
    if (order == 0) order = strcmp(a->device, b->device);
    if (order == 0) order = strcmp(a->driver, b->driver);
    if (order == 0) order = strcmp(a->algorithm, b->algorithm);
    return order != 0 ? order : compare_numbers(a->ahead, b->ahead);
}

/* ---- files ---- */

static tpp_status check_row(const tpp_bench_row *r, const char *path, int number)
{
    const bool is_status = tpp_bench_status_of(r) != TPP_BENCH_FAILED ||
                           strcmp(r->status, "failed") == 0; /* what it takes for unknown words */
    if (!is_status)
        return TPP_FAIL(TPP_EFORMAT,
                        "%s: row %d: status \"%s\", wanted ok, invalid, unsupported or failed",
                        path, number, r->status);
    if (scenario_of(r) == TPP_SCENARIO_COUNT)
        return TPP_FAIL(TPP_EFORMAT, "%s: row %d: scenario \"%s\", wanted single, offline or cold",
                        path, number, r->scenario);
    if (!(r->height > 0 && r->width > 0))
        return TPP_FAIL(TPP_EFORMAT, "%s: row %d: height %g and width %g, wanted more than 0", path,
                        number, r->height, r->width);
    if (strcmp(r->status, "ok") == 0 && !(r->ms_median > 0))
        return TPP_FAIL(TPP_EFORMAT, "%s: row %d: status ok with ms_median %g, wanted more than 0",
                        path, number, r->ms_median);
    return TPP_OK;
}

/* Moves the rows of one file to the end of `all`. */
static tpp_status take_rows(tpp_bench_rows *all, tpp_bench_rows *from, int64_t *samples,
                            const char *path)
{
    for (int i = 0; i < from->count; i++) {
        TPP_TRY(check_row(&from->row[i], path, i + 1));
        *samples += from->row[i].n_samples;
        if (all->count == TPP_MERGE_MOST_ROWS || *samples > TPP_MERGE_MOST_SAMPLES)
            return TPP_FAIL(TPP_EFORMAT,
                            "%s: row %d is one too many: %d rows with %d samples can be merged",
                            path, i + 1, (int)TPP_MERGE_MOST_ROWS, (int)TPP_MERGE_MOST_SAMPLES);
        TPP_TRY(tpp_grow(&all->row, all->count, &all->capacity, sizeof(*all->row)));
        all->row[all->count++] = from->row[i];
        from->row[i].samples = NULL; /* the new row's now */
        from->row[i].n_samples = 0;
    }
    return TPP_OK;
}

tpp_status tpp_bench_merge(tpp_bench_rows *out, const char *const *paths, int count)
{
    tpp_bench_rows all = {0};
    int64_t samples = 0;
    tpp_status s = TPP_OK;
    for (int i = 0; s == TPP_OK && i < count; i++) {
        tpp_bench_rows rows = {0};
        s = tpp_bench_rows_read(&rows, paths[i]);
        if (s == TPP_OK) s = take_rows(&all, &rows, &samples, paths[i]);
        tpp_bench_rows_free(&rows);
    }
    if (s != TPP_OK) {
        tpp_bench_rows_free(&all);
        return s;
    }
    if (all.count > 0) qsort(all.row, (size_t)all.count, sizeof(*all.row), compare_rows);
    *out = all;
    return TPP_OK;
}
