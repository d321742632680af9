/* Run lengths of masks.
 * SPDX-License-Identifier: MIT */
#include "infer/mask_store.h"

#include "core/mem.h"

#include <stdbool.h>
#include <string.h>

tpp_status tpp_mask_store_open(tpp_mask_store *m, int64_t frames, int64_t pixels)
{
    if (frames < 0 || pixels < 1 || pixels > UINT32_MAX)
        return TPP_FAIL(TPP_EUSAGE, "masks of %lld frames with %lld pixels", (long long)frames,
                        (long long)pixels);
    tpp_mask_store made = {.frames = frames, .pixels = pixels};
    TPP_NEW(made.frame, frames);
    *m = made;
    return TPP_OK;
}

void tpp_mask_store_close(tpp_mask_store *m)
{
    for (int64_t i = 0; m->frame != NULL && i < m->frames; i++) tpp_free(m->frame[i].length);
    tpp_free(m->frame);
    *m = (tpp_mask_store){0};
}

/* Pixel after the run that begins at `from`. */
static int64_t end_of_run(const uint8_t *mask, int64_t from, int64_t n, bool inside)
{
    while (from < n && (mask[from] != 0) == inside) from++;
    return from;
}

/* Counts the runs, or with `out` writes their lengths. What is outside after the last is left out.
 */
static size_t find_runs(uint32_t *out, const uint8_t *mask, int64_t n)
{
    size_t count = 0, kept = 0;
    for (int64_t at = 0; at < n;) {
        const bool inside = count % 2 == 1;
        const int64_t end = end_of_run(mask, at, n, inside);
        if (out != NULL && (inside || end < n)) out[count] = (uint32_t)(end - at);
        count++;
        if (inside) kept = count;
        at = end;
    }
    return kept;
}

tpp_status tpp_mask_store_put(tpp_mask_store *m, int64_t i, const uint8_t *mask)
{
    tpp_runs runs = {.count = find_runs(NULL, mask, m->pixels)};
    if (runs.count > 0) {
        TPP_NEW(runs.length, runs.count);
        (void)find_runs(runs.length, mask, m->pixels);
    }
    tpp_free(m->frame[i].length);
    m->frame[i] = runs;
    return TPP_OK;
}

void tpp_mask_store_get(const tpp_mask_store *m, int64_t i, uint8_t *out)
{
    const tpp_runs *r = &m->frame[i];
    memset(out, 0, (size_t)m->pixels);
    int64_t at = 0;
    for (size_t k = 0; k < r->count; k++) {
        if (k % 2 == 1) memset(out + at, 1, r->length[k]);
        at += r->length[k];
    }
}

int64_t tpp_mask_store_area(const tpp_mask_store *m, int64_t i)
{
    int64_t area = 0;
    for (size_t k = 1; k < m->frame[i].count; k += 2) area += m->frame[i].length[k];
    return area;
}
