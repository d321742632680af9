/* A picture in memory, of 8 or 16 bits a channel.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_IO_IMAGE_H
#define TPP_IO_IMAGE_H

#include "core/status.h"

#include <stdint.h>

/* Largest side, and most pixels, that readers and writers accept. */
enum { TPP_IMAGE_MAX_SIDE = 16384, TPP_IMAGE_MAX_PIXELS = 64 << 20 };

/* Zero-initialise. pixels: [height, width, channels]; channels 1 is grey, 3 is RGB. Of a picture
 * with 16 bits a channel `pixels` is NULL and `deep` holds them, in the machine's byte order. */
typedef struct tpp_image {
    int width, height, channels;
    uint8_t *pixels;
    uint16_t *deep;
} tpp_image;

/* Black pixels of 8 bits a channel, or of 16. TPP_EUSAGE for sizes that no picture may have. */
TPP_MUST_CHECK tpp_status tpp_image_init(tpp_image *out, int width, int height, int channels);
TPP_MUST_CHECK tpp_status tpp_image_init_deep(tpp_image *out, int width, int height, int channels);
void tpp_image_free(tpp_image *image); /* of either kind */

#endif
