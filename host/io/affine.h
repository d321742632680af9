/* Affines of volumes: checks that every format shares.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_IO_AFFINE_H
#define TPP_IO_AFFINE_H

#include "core/status.h"
#include "io/volume.h"

#include <stdbool.h>

/* Length of column j: the step of one voxel. */
double tpp_affine_column(const tpp_affine *a, int j);

/* What one voxel takes up: less than the product of its steps where slices are sheared. */
double tpp_affine_voxel(const tpp_affine *a);

/* TPP_EFORMAT when it holds what is no number, or its axes do not span space. */
TPP_MUST_CHECK tpp_status tpp_affine_check(const tpp_affine *a, tpp_affine_source source,
                                           const char *path);

/* Sets affine, affine_source and spacing_mm of `v`; `mm`: millimetres in the unit of `a`. */
void tpp_affine_set(tpp_volume *v, const tpp_affine *a, double mm, tpp_affine_source source);

/* Column 2 of an affine that knows the other two: at right angles to them, `length` long. */
void tpp_affine_complete(tpp_affine *a, double length);

/* Turns columns 0 and 1 the way that PLUS's letters say: M, U along the picture's columns (towards
 * the marked side, or away), F, N along its rows (far from the probe, or near). As "MF" it is how
 * ultrasound is looked at. Letters that say something else change nothing; false then. */
bool tpp_affine_ultrasound(tpp_affine *a, const char *letters);

#endif
