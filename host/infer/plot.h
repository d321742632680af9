/* Curves over the frames of a sequence, as SVG inside HTML.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_INFER_PLOT_H
#define TPP_INFER_PLOT_H

#include "core/str.h"
#include "infer/found.h"
#include "infer/target.h"

#include <stdint.h>

/* One number of a record. */
typedef double tpp_plot_value(const tpp_found *found);

typedef struct tpp_plot {
    const char *title;
    const char *unit; /* after the largest value: " px" or "" */
    const tpp_targets *targets;
    const tpp_found *found; /* of all targets: found[t * frames + i] */
    int64_t frames, first;  /* frame 0 is the input's frame `first` */
    double most;            /* top of the plot; 0: the largest value */
    double scale;           /* of every value */
    tpp_plot_value *value;
} tpp_plot;

/* A figure with a curve for each target. Long sequences are drawn by the lowest and the highest
 * value of some frames together. */
void tpp_plot_add(tpp_str *html, const tpp_plot *p);

#endif
