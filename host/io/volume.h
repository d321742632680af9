/* A volume in memory: voxels as the file orders them, and where they lie in the patient.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_IO_VOLUME_H
#define TPP_IO_VOLUME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the affine was taken from. PIXDIM: the file states spacing only, and which side of the
 * image is the patient's left is a convention, not knowledge. */
typedef enum tpp_affine_source {
    TPP_AFFINE_SFORM,
    TPP_AFFINE_QFORM,
    TPP_AFFINE_PIXDIM
} tpp_affine_source;

/* Voxel (x, y, z, 1) to millimetres: +x right, +y anterior, +z superior (RAS+). Row 3 is 0 0 0 1.
 */
typedef struct tpp_affine {
    double m[4][4];
} tpp_affine;

/* Zero-initialise; tpp_volume_free releases what readers put in. */
typedef struct tpp_volume {
    int64_t dim[4];       /* x, y, z, t; x is contiguous in `voxels`. t counts what the file has */
    double spacing_mm[3]; /* step of one voxel along x, y, z: the lengths of the affine's columns */
    tpp_affine affine;
    tpp_affine_source affine_source;
    bool affines_disagree;   /* sform and qform both stated, more than half a voxel apart */
    const char *datatype;    /* of the file: "int16" */
    double slope, intercept; /* already applied to `voxels` */
    float *voxels;           /* [z,y,x] of the first t; NULL when only the header was wanted */
    int64_t voxel_count;     /* x*y*z */
    int64_t nan_count;       /* voxels that are NaN or infinite */
    uint8_t *header;         /* the file's bytes before its voxels; NULL: made, not read */
    size_t header_size;
} tpp_volume;

void tpp_volume_free(tpp_volume *v);

/* "sform" */
const char *tpp_affine_source_text(tpp_affine_source source);

#endif
