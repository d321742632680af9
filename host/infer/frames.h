/* A sequence of 8-bit frames: the slices of a volume, the pictures of a folder, the frames of a
 * video.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_INFER_FRAMES_H
#define TPP_INFER_FRAMES_H

#include "core/path.h"
#include "core/status.h"
#include "infer/window.h"
#include "io/orientation.h"
#include "io/video.h"
#include "io/volume.h"

#include <stdbool.h>
#include <stdint.h>

typedef enum tpp_frames_kind {
    TPP_FRAMES_VOLUME,
    TPP_FRAMES_PICTURES,
    TPP_FRAMES_VIDEO
} tpp_frames_kind;

typedef struct tpp_frames_options {
    const char *window;   /* tpp_window_choose; of volumes and 16-bit pictures */
    const char *modality; /* "CT", "MR", ...; NULL: what the file says, or a guess */
    tpp_axis axis;        /* of a volume */
    bool has_time;        /* of a volume with several time points take number `time` */
    int time;
    const char *range; /* "A:B": frames A to B - 1, from 0; either may be left out; NULL: all */
} tpp_frames_options;

/* Zero-initialise; close in any state. */
typedef struct tpp_frames {
    char *path;
    tpp_frames_kind kind;
    int64_t first, count;        /* frame 0 is the input's frame `first` */
    int64_t total;               /* frames of the input */
    int height, width, channels; /* of every frame; channels 1 or 3 */
    double spacing_mm[2];        /* of rows and columns; 0: not known */
    double step_mm;              /* between frames; 0: not known, or frames are moments */
    char modality[8];            /* as DICOM spells it; "": not known */
    tpp_window window;           /* of volumes and of 16-bit pictures; `name` "": as stored */
    tpp_file_mark mark;          /* of `path`, if it is a file, when it was opened */
    /* of a volume */
    tpp_volume volume;
    tpp_view view;
    tpp_axis axis;       /* never AUTO */
    char orientation[4]; /* of the file: "RAS" */
    /* of pictures, and of a series of DICOM files: the files */
    char *folder; /* "": the current one */
    tpp_names names;
    tpp_file_mark *marks;
    /* of a video */
    tpp_video *video;
} tpp_frames;

/* Opens whatever is at `path`: a volume or DICOM series, a folder of pictures (in the order of
 * their names, numbers by value), one picture, or a video. Grey and colour pictures together become
 * colour. What is odd about the input is logged as a warning, the choice of window as information.
 * TPP_EIO, TPP_EFORMAT, TPP_EUSAGE, TPP_EUNSUPPORTED with the file's name. `o` may be NULL. */
TPP_MUST_CHECK tpp_status tpp_frames_open(tpp_frames *f, const char *path,
                                          const tpp_frames_options *o);
void tpp_frames_close(tpp_frames *f);

/* Frame i as [height, width, channels]. */
TPP_MUST_CHECK tpp_status tpp_frames_get(const tpp_frames *f, int64_t i, uint8_t *out);

/* Intensities of frame i before windowing, [height, width]; of grey volumes only, else false. */
bool tpp_frames_intensities(const tpp_frames *f, int64_t i, float *out);

/* Name of frame i: of its file, or "slice 12", "frame 12". `buffer` may hold it. */
const char *tpp_frames_name(const tpp_frames *f, int64_t i, char *buffer, size_t size);

/* TPP_EIO when a file of the input was changed since it was opened. */
TPP_MUST_CHECK tpp_status tpp_frames_unchanged(const tpp_frames *f);

/* "volume", "pictures", "video" */
const char *tpp_frames_kind_text(tpp_frames_kind kind);

#endif
