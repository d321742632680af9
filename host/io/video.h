/* Frames of a video file, one after another. By libavformat and friends, where the program was
 * built with them; without, a video is refused by name, with what to do.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_IO_VIDEO_H
#define TPP_IO_VIDEO_H

#include "core/status.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct tpp_video tpp_video;

typedef struct tpp_video_info {
    int width, height;
    int channels;  /* 1: a grey stream; 3: RGB */
    int64_t count; /* frames, counted by decoding, not taken from the header */
    double fps;    /* 0: not stated */
} tpp_video_info;

/* Does the name end like that of a video (.mp4, .avi, .mkv, .h264, ...)? */
bool tpp_video_has_name(const char *path);

/* Opens a file and counts its frames: of the first video stream, as they are stored (rotation and
 * the shape of pixels are logged, not applied). TPP_EIO, TPP_EFORMAT, TPP_EUNSUPPORTED with the
 * file's name: also for frames of several sizes, and for one that is damaged with others behind it,
 * because it would be made up or missing and shift the numbers of those. A file that ends within a
 * frame, or begins within a group of frames, gives the whole ones, and a warning. No other file is
 * opened, whatever this one says. */
TPP_MUST_CHECK tpp_status tpp_video_open(tpp_video **out, const char *path, tpp_video_info *info);
void tpp_video_close(tpp_video *v); /* NULL is fine */

/* Frame i (from 0) as [height, width, channels] bytes, the same whenever it is asked for. Colour by
 * the stream's own matrix and range (BT.601, limited, where it names none); the values of an 8-bit
 * grey stream as they are stored. Cheap in rising order; going back starts from a frame before that
 * can be decoded alone, or from the file's start when there are no times to seek by (raw H.264).
 * TPP_EIO: the file is another than when it was opened. */
TPP_MUST_CHECK tpp_status tpp_video_get(tpp_video *v, int64_t i, uint8_t *out);

/* "libavformat 59.27.100", or NULL: not built in. */
const char *tpp_video_library(void);

#endif
