/* JPEG pictures of 8 bits a channel, baseline and progressive, by libjpeg-turbo where the program
 * was built with it; without, a JPEG is refused by name, with what to do.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_IO_JPEG_H
#define TPP_IO_JPEG_H

#include "core/status.h"
#include "io/image.h"
#include "io/picture.h"

/* Reads the markers up to the frame header. Fails like tpp_jpeg_read. */
TPP_MUST_CHECK tpp_status tpp_jpeg_read_head(tpp_picture_head *out, const char *path);

/* Reads grey as 1 channel, YCbCr and RGB as 3. The pixels come as they are stored: Exif's
 * orientation is not applied, because a mask has to lie on the stored pixels; nor is a colour
 * profile. TPP_EIO: cannot be read. TPP_EFORMAT: no JPEG, cut off, larger than image.h allows, or
 * anything else that the decoder would only warn of, since pixels are guessed from there on.
 * TPP_EUNSUPPORTED: CMYK, 12 bits a channel, lossless, no library. */
TPP_MUST_CHECK tpp_status tpp_jpeg_read(tpp_image *out, const char *path);

#endif
