/* frames.csv: a row for each target in each frame (RFC 4180).
 *
 *   open, a row for each, finish; or close, and nothing is left
 *
 * SPDX-License-Identifier: MIT */
#ifndef TPP_INFER_FRAMES_CSV_H
#define TPP_INFER_FRAMES_CSV_H

#include "core/path.h"
#include "core/status.h"
#include "infer/found.h"
#include "infer/out_folder.h"
#include "infer/target.h"

#include <stdbool.h>
#include <stdint.h>

/* Zero-initialise; close in any state. */
typedef struct tpp_frames_csv {
    tpp_out_file file;
    const tpp_targets *targets; /* borrowed until close */
    int height, width;          /* of a frame: boxes are told in its pixels */
    double pixel_mm2;           /* 0: not known, the column stays empty */
    bool has_times; /* without, `ms` stays empty, and the same run gives the same bytes */
} tpp_frames_csv;

/* `c` holds all but the file. */
TPP_MUST_CHECK tpp_status tpp_frames_csv_open(tpp_frames_csv *c, const tpp_out_folder *out);

/* `frame` counts in the input, `name` is that frame's. */
void tpp_frames_csv_row(tpp_frames_csv *c, int64_t frame, const char *name, int target,
                        const tpp_found *found);

/* TPP_EIO also for what a row could not write. */
TPP_MUST_CHECK tpp_status tpp_frames_csv_finish(tpp_frames_csv *c);
void tpp_frames_csv_close(tpp_frames_csv *c);

#endif
