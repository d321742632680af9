/* What a NIfTI header says, checked, and the header of a volume of results. For nifti*.c only.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_IO_NIFTI_HEADER_H
#define TPP_IO_NIFTI_HEADER_H

#include "core/status.h"
#include "io/volume.h"
#include "io/voxels.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of the two headers, and of the flag that says whether extensions follow. */
enum { TPP_NIFTI1_SIZE = 348, TPP_NIFTI2_SIZE = 540, TPP_NIFTI_FLAG_SIZE = 4 };

typedef struct tpp_nifti_datatype {
    int code;
    const char *name;
    const char *element; /* tpp_voxel_type of its numbers; NULL: known, but not read */
    size_t elements;     /* numbers of a voxel */
} tpp_nifti_datatype;

/* NULL: a code that the format does not have. */
const tpp_nifti_datatype *tpp_nifti_datatype_find(int64_t code);

typedef struct tpp_nifti_header {
    int version; /* 1 or 2 */
    bool big;    /* byte order */
    bool pair;   /* voxels are in an .img beside the .hdr */
    int rank;    /* dim[0] */
    int64_t dim[7];
    const tpp_nifti_datatype *datatype;
    const tpp_voxel_type *type;
    uint64_t offset; /* of the voxels */
    double slope, intercept;
} tpp_nifti_header;

/* Size of the header that starts with these TPP_NIFTI1_SIZE bytes, by its magic text; 0: none. */
size_t tpp_nifti_header_size(const uint8_t *bytes);

/* Reads and checks everything but the affine; `bytes` are a whole header. */
TPP_MUST_CHECK tpp_status tpp_nifti_header_parse(tpp_nifti_header *out, const uint8_t *bytes,
                                                 const char *path);

/* Sets affine, affine_source, affines_disagree and spacing_mm of `v`. */
TPP_MUST_CHECK tpp_status tpp_nifti_affine_read(tpp_volume *v, const tpp_nifti_header *h,
                                                const uint8_t *bytes, const char *path);

/* Does the header hold a clip: one slice, several moments? They are read along z. */
bool tpp_nifti_is_clip(const tpp_nifti_header *h);

/* In new memory of the caller: all bytes of a single-file volume of results that come before its
 * voxels, in the geometry of `like`, and the byte order that those need. `values`: float32, else
 * uint8. */
TPP_MUST_CHECK tpp_status tpp_nifti_result_header(uint8_t **out, size_t *size, bool *big,
                                                  const tpp_volume *like, bool values);

/* Fields by name, for the affine. `i` counts in the field's array. */
typedef enum tpp_nifti_field {
    TPP_NIFTI_DATATYPE,
    TPP_NIFTI_BITPIX,
    TPP_NIFTI_DIM,
    TPP_NIFTI_PIXDIM,
    TPP_NIFTI_VOX_OFFSET,
    TPP_NIFTI_SCL_SLOPE,
    TPP_NIFTI_SCL_INTER,
    TPP_NIFTI_CAL_MAX,
    TPP_NIFTI_CAL_MIN,
    TPP_NIFTI_XYZT_UNITS,
    TPP_NIFTI_QFORM_CODE,
    TPP_NIFTI_SFORM_CODE,
    TPP_NIFTI_QUATERN,
    TPP_NIFTI_QOFFSET,
    TPP_NIFTI_SROW,
    TPP_NIFTI_FIELD_COUNT
} tpp_nifti_field;
int64_t tpp_nifti_get_int(const tpp_nifti_header *h, const uint8_t *bytes, tpp_nifti_field f,
                          int i);
double tpp_nifti_get_real(const tpp_nifti_header *h, const uint8_t *bytes, tpp_nifti_field f,
                          int i);

#endif
