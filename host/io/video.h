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

/* Opens a file and counts its frames. TPP_EIO, TPP_EFORMAT, TPP_EUNSUPPORTED with the file's name;
 * a file that ends within a frame gives the frames before it, and a warning. */
TPP_MUST_CHECK tpp_status tpp_video_open(tpp_video **out, const char *path, tpp_video_info *info);
void tpp_video_close(tpp_video *v); /* NULL is fine */

/* Frame i (from 0) as [height, width, channels] bytes. Cheap in rising order; going back starts
 * again from the frame before that can be decoded alone. */
TPP_MUST_CHECK tpp_status tpp_video_get(tpp_video *v, int64_t i, uint8_t *out);

/* "libavformat 59.27.100", or NULL: not built in. */
const char *tpp_video_library(void);

#endif
