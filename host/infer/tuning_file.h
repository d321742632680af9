/* Tuning files: what `tpp tune` found on a device, as YAML.
 *
 * A file belongs to a device (name, platform, compute units), a driver and a build of this program
 * (version and kernels). For anything else it holds nothing: it is passed over with a warning, and
 * the defaults of the device's class are taken.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_INFER_TUNING_FILE_H
#define TPP_INFER_TUNING_FILE_H

#include "ops/tuning.h"

enum { TPP_TUNING_MAX_ROWS = 256 };

/* Reads a file for a device of these capabilities. *out: a table of the caller, or NULL, with a
 * warning in the log, when the file is another device's, driver's or build's. Rows of an op,
 * algorithm or parameter that there is not are left out, with one warning. TPP_EFORMAT, with file
 * and line, when it is no tuning file; TPP_EIO when it cannot be read. */
TPP_MUST_CHECK tpp_status tpp_tuning_read(tpp_tuning **out, const char *path, const tpp_caps *caps);

/* Writes the file, whole or not at all; makes its folder. */
TPP_MUST_CHECK tpp_status tpp_tuning_write(const tpp_tuning *t, const char *path,
                                           const tpp_caps *caps);

/* "rows=8 strips=8 block=256", or "" without parameters; valid until this thread's next call. */
const char *tpp_params_text(const tpp_algorithm *a, const tpp_params *p);

/* "0.1.0-9f2c71d3": version and kernels of this build; valid for ever. */
const char *tpp_engine_text(void);

#endif
