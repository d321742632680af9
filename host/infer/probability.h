/* Probability maps of a case: float volumes in the input's geometry, or 8-bit pictures.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_INFER_PROBABILITY_H
#define TPP_INFER_PROBABILITY_H

#include "core/status.h"
#include "infer/frames.h"
#include "infer/out_folder.h"
#include "infer/target.h"

/* Zero-initialise; close in any state. Frames, folder and targets are borrowed until close. */
typedef struct tpp_probabilities {
    const tpp_frames *frames;
    const tpp_out_folder *out;
    const tpp_targets *targets;
    float **volume; /* [targets], in the file's order; of volumes */
} tpp_probabilities;

TPP_MUST_CHECK tpp_status tpp_probabilities_open(tpp_probabilities *p, const tpp_frames *f,
                                                 const tpp_targets *targets,
                                                 const tpp_out_folder *out);

/* `logits` [height, width] of target t in frame i. Pictures are written at once, as
 * probabilities/[TARGET/]NAME.png with 255 for 1. */
TPP_MUST_CHECK tpp_status tpp_probabilities_put(tpp_probabilities *p, int t, int64_t i,
                                                const float *logits);

/* Writes probability.nii.gz (of several targets TARGET_probability.nii.gz), or as the input is. */
TPP_MUST_CHECK tpp_status tpp_probabilities_finish(tpp_probabilities *p);
void tpp_probabilities_close(tpp_probabilities *p);

#endif
