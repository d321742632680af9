/* Masks of a whole sequence, kept small: frame by frame as the lengths of their runs. Frames may be
 * put in any order, as propagation to both ends needs, and are read in any.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_INFER_MASK_STORE_H
#define TPP_INFER_MASK_STORE_H

#include "core/status.h"

#include <stddef.h>
#include <stdint.h>

/* Runs of one mask, in row order: so many pixels outside, so many inside, and so on. */
typedef struct tpp_runs {
    uint32_t *length;
    size_t count;
} tpp_runs;

/* Zero-initialise; close in any state. */
typedef struct tpp_mask_store {
    tpp_runs *frame;
    int64_t frames;
    int64_t pixels; /* of a frame */
} tpp_mask_store;

TPP_MUST_CHECK tpp_status tpp_mask_store_open(tpp_mask_store *m, int64_t frames, int64_t pixels);
void tpp_mask_store_close(tpp_mask_store *m);

/* Keeps a mask of `pixels` bytes (0 or not) in place of what frame i had. */
TPP_MUST_CHECK tpp_status tpp_mask_store_put(tpp_mask_store *m, int64_t i, const uint8_t *mask);

/* Frame i as 0 and 1; a frame that was never put is empty. */
void tpp_mask_store_get(const tpp_mask_store *m, int64_t i, uint8_t *out);

/* Pixels inside. */
int64_t tpp_mask_store_area(const tpp_mask_store *m, int64_t i);

#endif
