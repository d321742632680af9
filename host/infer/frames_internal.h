/* Kinds of sequences, for frames*.c.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_INFER_FRAMES_INTERNAL_H
#define TPP_INFER_FRAMES_INTERNAL_H

#include "infer/frames.h"

/* TPP_EUSAGE for frames that are too large. */
TPP_MUST_CHECK tpp_status tpp_frames_check_size(const char *path, int64_t height, int64_t width);

/* Open f->path as one kind; the caller closes `f` when they fail. */
TPP_MUST_CHECK tpp_status tpp_frames_open_volume(tpp_frames *f, const tpp_frames_options *o);
TPP_MUST_CHECK tpp_status tpp_frames_open_pictures(tpp_frames *f, const tpp_frames_options *o);

/* Frame i of the input. */
void tpp_frames_get_slice(const tpp_frames *f, int64_t i, uint8_t *out);
TPP_MUST_CHECK tpp_status tpp_frames_get_picture(const tpp_frames *f, int64_t i, uint8_t *out);
TPP_MUST_CHECK tpp_status tpp_frames_file_unchanged(const tpp_frames *f, int64_t i);

/* Path of file i of `names`, as the user began it; the caller frees. NULL: out of memory. */
char *tpp_frames_file_path(const tpp_frames *f, int64_t i);

#endif
