/* Pictures of every format that is read: PNG and JPEG, by their content.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_IO_PICTURE_H
#define TPP_IO_PICTURE_H

#include "core/status.h"
#include "io/image.h"

#include <stdbool.h>

/* What a picture's header says. */
typedef struct tpp_picture_head {
    int width, height;
    int channels; /* 1: grey; 3: colour, a palette included */
    int bits;     /* of a channel: 8, or 16 */
} tpp_picture_head;

/* Does the name end like that of a picture that is read? */
bool tpp_picture_has_name(const char *path);

/* Reads the header alone. TPP_EIO, TPP_EFORMAT, TPP_EUNSUPPORTED with the file's name. */
TPP_MUST_CHECK tpp_status tpp_picture_read_head(tpp_picture_head *out, const char *path);

/* Reads the picture: alpha is dropped, palettes become their colours, 1 to 4 bits are stretched to
 * 0..255; 16 bits stay 16 (tpp_image.deep). */
TPP_MUST_CHECK tpp_status tpp_picture_read(tpp_image *out, const char *path);

/* "libjpeg-turbo 2.1.5", or NULL: not built in. */
const char *tpp_jpeg_library(void);

#endif
