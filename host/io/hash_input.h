/* SHA-256 of whatever a case is read from.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_IO_HASH_INPUT_H
#define TPP_IO_HASH_INPUT_H

#include "core/status.h"
#include "core/str.h"
#include "io/hash.h"

/* Of the content of a file, of the file that a header names beside itself (.mhd, .nhdr, .hdr), or
 * of every file of a folder with its name. TPP_EIO. */
TPP_MUST_CHECK tpp_status tpp_hash_input(tpp_sha256 *out, const char *path);

/* Adds "HASH NAME" and a line end for one file. */
TPP_MUST_CHECK tpp_status tpp_hash_add_file(tpp_str *all, const char *name, const char *path);

#endif
