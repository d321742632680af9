/* DICOM in a build without DCMTK: refused by name.
 * SPDX-License-Identifier: MIT */
#include "io/dicom.h"

#include <stddef.h>

bool tpp_dicom_is(const char *path)
{
    (void)path;
    return false;
}

tpp_status tpp_dicom_read(tpp_volume *out, const char *path, const struct tpp_volume_options *o)
{
    (void)out;
    (void)o;
    return TPP_FAIL(TPP_EUNSUPPORTED, "%s: DICOM is not read by this build", path);
}

const char *tpp_dicom_library(void)
{
    return NULL;
}
