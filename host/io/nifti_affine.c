/* From voxel index to millimetres: sform, else qform, else spacing alone (nifti1.h, "3D IMAGE
 * ORIENTATION AND LOCATION IN SPACE", methods 3, 2 and 1).
 * SPDX-License-Identifier: MIT */
#include "io/affine.h"
#include "io/nifti_header.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

/* Millimetres in the header's unit of space. 0 is "unknown", which in practice is millimetres. */
static double unit_mm(const tpp_nifti_header *h, const uint8_t *bytes)
{
    enum { SPACE = 7, METRE = 1, MICRON = 3 };
    const int64_t unit = tpp_nifti_get_int(h, bytes, TPP_NIFTI_XYZT_UNITS, 0) & SPACE;
    return unit == METRE ? 1e3 : unit == MICRON ? 1e-3 : 1;
}

static void read_sform(tpp_affine *a, const tpp_nifti_header *h, const uint8_t *bytes)
{
    for (int i = 0; i < 12; i++)
        a->m[i / 4][i % 4] = tpp_nifti_get_real(h, bytes, TPP_NIFTI_SROW, i);
}

/* Spacing as stated. Along an axis of one voxel it may be left out, and counts as 1. */
static tpp_status read_pixdim(double spacing[3], const tpp_nifti_header *h, const uint8_t *bytes,
                              const char *path)
{
    for (int i = 0; i < 3; i++) {
        spacing[i] = tpp_nifti_get_real(h, bytes, TPP_NIFTI_PIXDIM, i + 1);
        if (isfinite(spacing[i]) && spacing[i] > 0) continue;
        if (h->dim[i] > 1)
            return TPP_FAIL(TPP_EFORMAT, "%s: pixdim[%d] is %g, wanted a spacing above 0", path,
                            i + 1, spacing[i]);
        spacing[i] = 1;
    }
    return TPP_OK;
}

/* Unit quaternion (w, x, y, z), of which the header holds the last three. */
static tpp_status read_quaternion(double q[4], const tpp_nifti_header *h, const uint8_t *bytes,
                                  const char *path)
{
    const double tolerance = 1e-3; /* of the squared length; headers hold rounded floats */
    double square = 0;
    for (int i = 1; i < 4; i++) {
        q[i] = tpp_nifti_get_real(h, bytes, TPP_NIFTI_QUATERN, i - 1);
        square += q[i] * q[i];
    }
    if (!(square <= 1 + tolerance)) /* NaN fails too */
        return TPP_FAIL(TPP_EFORMAT,
                        "%s: qform: (quatern_b, _c, _d) = (%g, %g, %g) is longer than 1", path,
                        q[1], q[2], q[3]);
    q[0] = square < 1 ? sqrt(1 - square) : 0;
    if (square > 1)
        for (int i = 1; i < 4; i++) q[i] /= sqrt(square);
    return TPP_OK;
}

static tpp_status read_qform(tpp_affine *a, const tpp_nifti_header *h, const uint8_t *bytes,
                             const char *path)
{
    double q[4] = {0}, spacing[3] = {0};
    TPP_TRY(read_quaternion(q, h, bytes, path));
    TPP_TRY(read_pixdim(spacing, h, bytes, path));
    if (tpp_nifti_get_real(h, bytes, TPP_NIFTI_PIXDIM, 0) < 0) spacing[2] = -spacing[2]; /* qfac */
    const double w = q[0], x = q[1], y = q[2], z = q[3];
    const double rotation[3][3] = {
        {w * w + x * x - y * y - z * z, 2 * (x * y - w * z), 2 * (x * z + w * y)},
        {2 * (x * y + w * z), w * w + y * y - x * x - z * z, 2 * (y * z - w * x)},
        {2 * (x * z - w * y), 2 * (y * z + w * x), w * w + z * z - x * x - y * y},
    };
    for (int i = 0; i < 3; i++) {
        for (int j = 0; j < 3; j++) a->m[i][j] = rotation[i][j] * spacing[j];
        a->m[i][3] = tpp_nifti_get_real(h, bytes, TPP_NIFTI_QOFFSET, i);
    }
    return TPP_OK;
}

static tpp_status read_spacing_only(tpp_affine *a, const tpp_nifti_header *h, const uint8_t *bytes,
                                    const char *path)
{
    double spacing[3] = {0};
    TPP_TRY(read_pixdim(spacing, h, bytes, path));
    for (int i = 0; i < 3; i++) a->m[i][i] = spacing[i];
    return TPP_OK;
}

/* Is any corner of the volume more than half a voxel apart under the two? */
static bool differ(const tpp_affine *a, const tpp_affine *b, const int64_t dim[3])
{
    double smallest = INFINITY, largest = 0;
    for (int j = 0; j < 3; j++) smallest = fmin(smallest, tpp_affine_column(a, j));
    for (int corner = 0; corner < 8; corner++) {
        double square = 0;
        for (int i = 0; i < 3; i++) {
            double d = a->m[i][3] - b->m[i][3];
            for (int j = 0; j < 3; j++)
                if ((corner >> j & 1) != 0) d += (a->m[i][j] - b->m[i][j]) * (double)dim[j];
            square += d * d;
        }
        largest = fmax(largest, sqrt(square));
    }
    return !(largest <= smallest / 2);
}

tpp_status tpp_nifti_affine_read(tpp_volume *v, const tpp_nifti_header *h, const uint8_t *bytes,
                                 const char *path)
{
    const bool has_sform = tpp_nifti_get_int(h, bytes, TPP_NIFTI_SFORM_CODE, 0) > 0;
    const bool has_qform = tpp_nifti_get_int(h, bytes, TPP_NIFTI_QFORM_CODE, 0) > 0;
    tpp_affine a = {{{0}}}, q = {{{0}}};
    const tpp_affine_source source = has_sform   ? TPP_AFFINE_SFORM
                                     : has_qform ? TPP_AFFINE_QFORM
                                                 : TPP_AFFINE_PIXDIM;
    if (has_sform)
        read_sform(&a, h, bytes);
    else
        TPP_TRY(has_qform ? read_qform(&a, h, bytes, path) : read_spacing_only(&a, h, bytes, path));
    TPP_TRY(tpp_affine_check(&a, source, path));
    /* A qform that cannot be read beside an sform that can is a disagreement, no failure. */
    v->affines_disagree = has_sform && has_qform &&
                          (read_qform(&q, h, bytes, path) != TPP_OK || differ(&a, &q, h->dim));
    tpp_affine_set(v, &a, unit_mm(h, bytes), source);
    return TPP_OK;
}
