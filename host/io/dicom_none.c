/* DICOM in a program that was built without DCMTK: refused, with what to do.
 * SPDX-License-Identifier: MIT */
#include "io/dicom.h"

tpp_status tpp_dicom_read(tpp_volume *out, const char *path, const struct tpp_volume_options *o)
{
    (void)out, (void)o;
    return TPP_FAIL(TPP_EUNSUPPORTED,
                    "%s: DICOM, which this program was built without; build it where libdcmtk-dev "
                    "is installed, or convert the series with dcm2niix",
                    path);
}

tpp_status tpp_dicom_write_seg(const char *path, const tpp_volume *like, const uint8_t *labels,
                               const tpp_dicom_segment *segments, int n_segments,
                               const char *version)
{
    (void)like, (void)labels, (void)segments, (void)n_segments, (void)version;
    return TPP_FAIL(TPP_EUNSUPPORTED,
                    "%s: DICOM, which this program was built without; build it where libdcmtk-dev "
                    "is installed",
                    path);
}

const char *tpp_dicom_library(void)
{
    return NULL;
}
