/* Writes volumes of results as NIfTI, plain or gzip.
 * SPDX-License-Identifier: MIT */
#include "core/mem.h"
#include "core/path.h"
#include "io/nifti.h"
#include "io/nifti_header.h"
#include "io/volume_data.h"

static tpp_status write_result(const char *path, const tpp_volume *like, tpp_result r)
{
    const bool gzip = tpp_path_has_suffix(path, ".nii.gz");
    if (!gzip && !tpp_path_has_suffix(path, ".nii"))
        return TPP_FAIL(TPP_EUSAGE, "%s: a label volume's name ends in .nii or .nii.gz", path);
    uint8_t *header = NULL;
    TPP_TRY(tpp_nifti_result_header(&header, &r.header_size, &r.big, like, r.values != NULL));
    r.header = header;
    r.count = (size_t)(like->dim[0] * like->dim[1] * like->dim[2]);
    r.packing = gzip ? TPP_PACK_GZIP : TPP_PACK_NONE;
    const tpp_status s = tpp_result_write(path, &r);
    tpp_free(header);
    return s;
}

tpp_status tpp_nifti_write_labels(const char *path, const tpp_volume *like, const uint8_t *labels)
{
    return write_result(path, like, (tpp_result){.labels = labels});
}

tpp_status tpp_nifti_write_values(const char *path, const tpp_volume *like, const float *values)
{
    return write_result(path, like, (tpp_result){.values = values});
}
