/* A sequence of 8-bit frames: the axial slices of a volume, or the pictures of a folder; and where
 * the masks of its frames go.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_INFER_FRAMES_H
#define TPP_INFER_FRAMES_H

#include "core/path.h"
#include "core/status.h"
#include "infer/out_folder.h"
#include "infer/window.h"
#include "io/orientation.h"
#include "io/volume.h"

#include <stdbool.h>
#include <stdint.h>

/* Zero-initialise; close in any state. */
typedef struct tpp_frames {
    char *path;
    int64_t first, count;        /* frame 0 is the input's frame `first` */
    int height, width, channels; /* of every frame; channels 1 or 3 */
    double spacing_mm[2];        /* of rows and columns; 0: not known */
    bool is_volume;
    /* of a volume: slices from the feet up, row 0 anterior, column 0 the patient's right */
    tpp_volume volume;
    tpp_view view;
    tpp_window window;
    char orientation[4]; /* of the file: "RAS" */
    /* of a folder */
    char *folder;
    tpp_names names;
} tpp_frames;

/* Opens a NIfTI volume, a folder of PNG files (in the order of their names), or one PNG file. Grey
 * and colour pictures together become colour. `window`: tpp_window_choose, volumes only. What is
 * odd about the input is logged as a warning, the choice of window as information.
 * TPP_EIO, TPP_EFORMAT, TPP_EUSAGE, TPP_EUNSUPPORTED with the file's name. */
TPP_MUST_CHECK tpp_status tpp_frames_open(tpp_frames *f, const char *path, const char *window);
void tpp_frames_close(tpp_frames *f);

/* Keeps frames A to B - 1 of what was opened, counted from 0, for `range` "A:B"; either may be left
 * out. The masks of a volume's other slices stay empty. TPP_EUSAGE. */
TPP_MUST_CHECK tpp_status tpp_frames_select(tpp_frames *f, const char *range);

/* Frame i as [height, width, channels]. */
TPP_MUST_CHECK tpp_status tpp_frames_get(const tpp_frames *f, int64_t i, uint8_t *out);

/* Name of frame i: of its file, or "slice 12". `buffer` may hold it. */
const char *tpp_frames_name(const tpp_frames *f, int64_t i, char *buffer, size_t size);

/* ---- masks ---- */

/* Takes masks frame by frame. A volume's are gathered and written as OUT/seg.nii.gz in the file's
 * own geometry; a folder's are written as OUT/masks/NAME.png with 0 and 255. */
typedef struct tpp_masks {
    const tpp_frames *frames;
    const tpp_out_folder *out;
    uint8_t *labels; /* of a volume, in the file's order */
    char *name;      /* of the result below OUT: "seg.nii.gz", "masks" */
} tpp_masks;

TPP_MUST_CHECK tpp_status tpp_masks_open(tpp_masks *m, const tpp_frames *f,
                                         const tpp_out_folder *out);
/* `mask` is [height, width], 0 or 1. */
TPP_MUST_CHECK tpp_status tpp_masks_put(tpp_masks *m, int64_t i, const uint8_t *mask);
TPP_MUST_CHECK tpp_status tpp_masks_finish(tpp_masks *m);
void tpp_masks_close(tpp_masks *m);

#endif
