/* What a run found of one target in one frame.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_INFER_FOUND_H
#define TPP_INFER_FOUND_H

#include <stdbool.h>
#include <stdint.h>

/* Of a whole run: found[t * frames + i] is target t in frame i. */
typedef struct tpp_found {
    float score;
    float box[4];     /* cx, cy, w, h in [0, 1] of the frame */
    bool present;     /* the mask is not empty */
    int best, prompt; /* query and prompt that were chosen, from 0 */
    int64_t area_px;
    double ms; /* it took; 0: not measured */
} tpp_found;

#endif
