/* PNG pictures: reading of every kind, writing of 8 bits a channel.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_IO_PNG_H
#define TPP_IO_PNG_H

#include "core/status.h"
#include "io/image.h"
#include "io/picture.h"

/* Reads what stands before the pixels. Fails like the readers below. */
TPP_MUST_CHECK tpp_status tpp_png_read_head(tpp_picture_head *out, const char *path);

/* Reads a grey picture as 1 channel, RGB and palette pictures as 3 (a palette's colours, not its
 * indices). 1-, 2- and 4-bit grey is stretched to 0..255; 16 bits stay 16 (`deep`). Alpha and
 * transparency are dropped, and stored values are taken as they are (no gamma or colour profile).
 * TPP_EIO: cannot be read. TPP_EFORMAT: no PNG, cut off, a chunk with a wrong checksum, a pixel
 * whose colour the palette lacks, or larger than image.h allows. */
TPP_MUST_CHECK tpp_status tpp_png_read_any(tpp_image *out, const char *path);

/* The same for a caller that has no use for 16 bits a channel: they are TPP_EUNSUPPORTED. */
TPP_MUST_CHECK tpp_status tpp_png_read(tpp_image *out, const char *path);

/* Writes 8-bit grey or RGB; the file appears whole or not at all. */
TPP_MUST_CHECK tpp_status tpp_png_write(const char *path, const tpp_image *image);

#endif
