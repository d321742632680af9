/* Measures one target over a case: size, place, intensities. Frames may come in any order, and the
 * order does not change a number.
 *
 *   open, add every frame, json; then tpp_statistics_report for all targets together
 *
 * SPDX-License-Identifier: MIT */
#ifndef TPP_INFER_STATISTICS_H
#define TPP_INFER_STATISTICS_H

#include "core/status.h"
#include "infer/caliper.h"
#include "infer/target.h"
#include "io/orientation.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* Most intensities that are kept for the median (of one target): 256 MB. */
enum { TPP_STATISTICS_MAX_VALUES = 64 << 20 };

typedef struct tpp_geometry {
    int height, width;    /* of a frame */
    int64_t frames;       /* of the run */
    double spacing_mm[3]; /* of rows, columns, frames; 0: not known */
    bool is_volume;
    const char *unit; /* of intensities: "HU", or ""; static */
    int64_t first;    /* frame 0 is the input's frame (a volume's canonical slice) `first` */
    /* Of a volume: where its voxels lie. Places are told in the file's own order, so that they
     * index what is read from seg.nii.gz. */
    tpp_orientation orientation; /* of columns, rows, frames */
    int64_t dim[3];              /* of the file: x, y, z */
    tpp_affine affine;
} tpp_geometry;

/* Slices [first, first + count) of a view of a volume. `unit` of its intensities, static. */
tpp_geometry tpp_geometry_of_view(const tpp_volume *v, const tpp_view *view, int64_t first,
                                  int64_t count, const char *unit);

/* Of one frame; intensities are summed a frame at a time and joined in the frames' order. */
typedef struct tpp_frame_statistics {
    int64_t area, n_values; /* pixels of the mask; those of them with a finite intensity */
    double mean, squares;   /* of the intensities; sum of squared distances from the mean */
} tpp_frame_statistics;

/* Zero-initialise; close in any state. */
typedef struct tpp_statistics {
    tpp_geometry geometry;
    tpp_frame_statistics *frame;
    int64_t n_voxels, low[3], high[3]; /* bounds of columns, rows, frames; both are inside */
    int64_t sum[3];                    /* of those coordinates */
    double diameter;                   /* in mm, or in pixels where the spacing is not known */
    int64_t diameter_frame;
    double least, most; /* intensity */
    float *values;      /* all of them, for the median */
    size_t n_values, room;
    size_t max_values; /* beyond it there is no median; may be lowered after open */
    bool too_many;
    tpp_run *run;        /* of one frame */
    tpp_corner *corners; /* scratch of the calliper */
} tpp_statistics;

TPP_MUST_CHECK tpp_status tpp_statistics_open(tpp_statistics *s, const tpp_geometry *g);
void tpp_statistics_close(tpp_statistics *s);

/* Frame i, once: `mask` [height, width] of 0 and 1, `intensity` [height, width] or NULL. Values
 * that are not finite are left out of the intensities, not out of the size. */
TPP_MUST_CHECK tpp_status tpp_statistics_add(tpp_statistics *s, int64_t i, const uint8_t *mask,
                                             const float *intensity);

/* Everything that was measured. An empty mask has "found": false and null for numbers that it does
 * not have. NULL: out of memory. */
json_t *tpp_statistics_json(const tpp_statistics *s);

/* What statistics.json holds: item[i] measured targets->item[i]. NULL: out of memory. */
json_t *tpp_statistics_report(const tpp_targets *targets, const tpp_statistics *item);

#endif
