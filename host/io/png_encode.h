/* PNG in memory, for pictures inside other files.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_IO_PNG_ENCODE_H
#define TPP_IO_PNG_ENCODE_H

#include "core/status.h"
#include "core/str.h"

#include <stdint.h>

/* Adds [height, width, channels] as the bytes of an 8-bit grey (1 channel) or RGB (3) PNG. A
 * failure is in out->status too. TPP_EUSAGE for sizes that image.h does not allow. */
TPP_MUST_CHECK tpp_status tpp_png_encode(tpp_str *out, const uint8_t *pixels, int width, int height,
                                         int channels);

#endif
