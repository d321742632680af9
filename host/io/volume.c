/* Release of volumes, and the names of affine sources.
 * SPDX-License-Identifier: MIT */
#include "io/volume.h"

#include "core/mem.h"

void tpp_volume_free(tpp_volume *v)
{
    tpp_free(v->voxels);
    tpp_free(v->header);
    if (v->source_free != NULL) v->source_free(v->source);
    *v = (tpp_volume){0};
}

const char *tpp_affine_source_text(tpp_affine_source source)
{
    switch (source) {
    case TPP_AFFINE_SFORM:
        return "sform";
    case TPP_AFFINE_QFORM:
        return "qform";
    case TPP_AFFINE_PIXDIM:
        return "pixdim";
    case TPP_AFFINE_FILE:
        return "header";
    }
    return "?";
}
