/* report.html: one page that shows a case without a network: its frames with the outlines, curves,
 * numbers, and what it was made with.
 *
 *   open, add_frame for frames that it wants (in any order), finish; or close, and nothing is left
 *
 * Frames are written as they come; memory does not grow with their number.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_INFER_HTML_H
#define TPP_INFER_HTML_H

#include "core/path.h"
#include "core/status.h"
#include "core/str.h"
#include "infer/found.h"
#include "infer/out_folder.h"
#include "infer/target.h"
#include "infer/thumbnail.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* Strings and targets are borrowed until close. */
typedef struct tpp_html_info {
    const char *title;           /* of the case */
    int height, width, channels; /* of a frame; channels 1 or 3 */
    int64_t frames, first;       /* frame 0 is the input's frame `first` */
    double spacing_mm[2];        /* of rows and columns; 0: not known, square pixels */
    const char *sides;           /* what lies left, right, above, below: "RLAP"; NULL: not known */
    const tpp_targets *targets;
    bool is_synthetic;        /* the weights are: the page says that its masks mean nothing */
    int max_frames, max_side; /* 0: 400 evenly spaced, 512 pixels (less for many frames) */
} tpp_html_info;

/* Zero-initialise; close in any state. */
typedef struct tpp_html {
    tpp_html_info info;
    tpp_out_file file;
    const char *rest; /* of the page's template */
    int64_t shown;    /* frames that it wants */
    uint8_t *has;     /* those of them that came */
    tpp_thumbnail size;
    uint8_t *picture, *mask; /* at the size that is shown */
    tpp_str text;            /* scratch */
    /* while it finishes */
    const tpp_found *found;
    const json_t *statistics, *report;
} tpp_html;

TPP_MUST_CHECK tpp_status tpp_html_open(tpp_html *h, const tpp_html_info *info,
                                        const tpp_out_folder *out);

/* Is frame i among those that the page shows? */
bool tpp_html_wants(const tpp_html *h, int64_t i);

/* Frame i [height, width, channels], which it wants, once; masks[t] [height, width] of 0 and 1, or
 * NULL: nothing found. */
TPP_MUST_CHECK tpp_status tpp_html_add_frame(tpp_html *h, int64_t i, const char *name,
                                             const uint8_t *frame, const uint8_t *const *masks);

/* The rest of the page. found[t * frames + i]; `statistics` of tpp_statistics_report, `report` of
 * tpp_report_json. */
TPP_MUST_CHECK tpp_status tpp_html_finish(tpp_html *h, const tpp_found *found,
                                          const json_t *statistics, const json_t *report);
void tpp_html_close(tpp_html *h);

#endif
