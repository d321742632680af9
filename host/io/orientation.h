/* From a file's voxel order to canonical slices and back, by permuting and flipping axes only.
 * Canonical is LPS+ (column to the patient's left, row to posterior, slice to superior), so slices
 * look as radiologists expect: row 0 is anterior, column 0 is the patient's right.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_IO_ORIENTATION_H
#define TPP_IO_ORIENTATION_H

#include "io/volume.h"

#include <stdbool.h>
#include <stdint.h>

/* Canonical axis a (0 column, 1 row, 2 slice) runs along the file's axis `axis[a]`; `flip[a]`: in
 * the opposite direction. */
typedef struct tpp_orientation {
    int axis[3];
    bool flip[3];
} tpp_orientation;

/* The orientation nearest to `affine`: of the six axis orders that with the
 * largest sum of direction cosines, so that oblique volumes get three different axes. Equal sums:
 * the order that changes least. Meant for affines that the readers have accepted. */
tpp_orientation tpp_orientation_from_affine(const tpp_affine *affine);

/* "RAS": where the file's x, y and z lead. `code` has room for four characters. */
void tpp_orientation_code(char code[4], const tpp_orientation *o);

/* Canonical view of a file's voxels: voxel (slice k, row r, column c) is at
 * origin + c*stride[0] + r*stride[1] + k*stride[2] of the file's order. */
typedef struct tpp_view {
    int64_t dim[3]; /* columns, rows, slices */
    int64_t origin, stride[3];
    double spacing_mm[3]; /* of columns, rows, slices */
    int axis[3];          /* the file's axis that each runs along */
    bool flip[3];         /* in the opposite direction */
} tpp_view;

/* Axial slices. `dim` and `spacing_mm` in the file's order x, y, z. */
tpp_view tpp_orientation_view(const tpp_orientation *o, const int64_t dim[3],
                              const double spacing_mm[3]);

/* The file's own order: columns along x, rows along y, slices along z. */
tpp_view tpp_view_stored(const int64_t dim[3], const double spacing_mm[3]);

/* What slices are cut across. */
typedef enum tpp_axis {
    TPP_AXIS_AUTO,
    TPP_AXIS_AXIAL,
    TPP_AXIS_CORONAL,  /* from anterior on; row 0 is superior, column 0 the patient's right */
    TPP_AXIS_SAGITTAL, /* from the right on; row 0 is superior, column 0 anterior */
    TPP_AXIS_TIME,     /* moments, which the file counts along z */
    TPP_AXIS_COUNT
} tpp_axis;

/* "coronal" */
const char *tpp_axis_text(tpp_axis axis);

/* From axial slices to axial, coronal or sagittal ones. */
tpp_view tpp_view_cut(const tpp_view *axial, tpp_axis axis);

/* The anatomical axis that AUTO means: across the largest spacing when it is more than 1.5 times
 * the smallest, else axial. */
tpp_axis tpp_view_best_axis(const tpp_view *axial);

static inline int64_t tpp_view_index(const tpp_view *v, int64_t slice, int64_t row, int64_t column)
{
    return v->origin + column * v->stride[0] + row * v->stride[1] + slice * v->stride[2];
}

/* Copies slice k as [rows, columns] out of, or into, a whole volume in the file's order. `slice` is
 * in 0..dim[2]-1. */
void tpp_view_get_slice(const tpp_view *v, float *out, const float *voxels, int64_t slice);
void tpp_view_put_slice(const tpp_view *v, uint8_t *voxels, const uint8_t *in, int64_t slice);

#endif
