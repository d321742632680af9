/* How the readers of pictures and videos get at a file: one that can be read again from its start.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_IO_PICTURE_FILE_H
#define TPP_IO_PICTURE_FILE_H

#include "core/status.h"

#include <stdio.h>

/* Opens a regular file for reading; the caller closes it. TPP_EIO with the path for anything else,
 * and without waiting for a pipe's other end. */
TPP_MUST_CHECK tpp_status tpp_picture_file_open(FILE **out, const char *path);

#endif
