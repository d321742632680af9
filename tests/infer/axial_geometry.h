/* Geometry of a volume's axial slices, as runs without an axis of their own have it.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_TESTS_INFER_AXIAL_GEOMETRY_H
#define TPP_TESTS_INFER_AXIAL_GEOMETRY_H

#include "infer/statistics.h"

#include <string.h>

static inline tpp_geometry axial_geometry(const tpp_volume *v, int64_t first, int64_t count)
{
    const tpp_orientation o = tpp_orientation_from_affine(&v->affine);
    const tpp_view view = tpp_orientation_view(&o, v->dim, v->spacing_mm);
    return tpp_geometry_of_view(v, &view, first, count, strcmp(v->modality, "CT") == 0 ? "HU" : "");
}

#endif
