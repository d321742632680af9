/* Which tuning file a device has, and where they lie.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_INFER_TUNING_USE_H
#define TPP_INFER_TUNING_USE_H

#include "cl/device.h"

/* Where `tpp tune` writes for a device: TPP_TUNING if it names a file, or a folder that there is;
 * else XDG_CONFIG_HOME/tpp/tuning, else ~/.config/tpp/tuning, there NAME-PLATFORM.yaml. New memory
 * of the caller; NULL: out of memory, or no such place is known. `spec` as for tpp_tuning_use. */
char *tpp_tuning_place(const char *spec, const tpp_caps *caps);

/* Gives the device its table. `spec`: a file, a folder with a file for the device, or "none"; NULL:
 * what TPP_TUNING says, else the user's own file, else the one below TPP_HOME or where the program
 * was installed. A file that was asked for (by `spec` or TPP_TUNING) must be there and be one; any
 * other that cannot be used is passed over with a warning. */
TPP_MUST_CHECK tpp_status tpp_tuning_use(tpp_device *d, const char *spec);

/* For `tpp tune`: gives the device what lies at tpp_tuning_place, if anything does, and *path is
 * that place, of the caller. Only a file that was asked for must be one. */
TPP_MUST_CHECK tpp_status tpp_tuning_start(tpp_device *d, const char *spec, char **path);

/* "12 choices, 9f2c71d3": what the device's table chooses, for records; valid until this thread's
 * next call. NULL: it has none. */
const char *tpp_tuning_text(const tpp_device *d);

/* tpp_tuning_use(d, NULL), unless the device was given a table (or none) before. */
TPP_MUST_CHECK tpp_status tpp_tuning_use_default(tpp_device *d);

#endif
