/* Frames and masks at the size at which they are shown.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_INFER_THUMBNAIL_H
#define TPP_INFER_THUMBNAIL_H

#include <stdint.h>

/* From height x width to shown_height x shown_width. */
typedef struct tpp_thumbnail {
    int height, width, shown_height, shown_width;
} tpp_thumbnail;

/* Mean over the pixels that each shown one covers (along an axis that grows, the nearest one), of
 * [height, width, channels]. `out` has `out_channels`: the same, or 3 of grey. */
void tpp_thumbnail_frame(const tpp_thumbnail *t, uint8_t *out, int out_channels,
                         const uint8_t *frame, int channels);

/* Row y of the same. */
void tpp_thumbnail_row(const tpp_thumbnail *t, uint8_t *out, int out_channels, const uint8_t *frame,
                       int channels, int y);

/* 0 and 1: where any covered pixel is set, so that nothing small is lost. */
void tpp_thumbnail_any(const tpp_thumbnail *t, uint8_t *out, const uint8_t *mask);

/* 0 and 1: where half the covered pixels are set; a mask that would vanish, where any is. */
void tpp_thumbnail_half(const tpp_thumbnail *t, uint8_t *out, const uint8_t *mask);

#endif
