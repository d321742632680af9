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
    TPP_AFFINE_PIXDIM,
    TPP_AFFINE_FILE /* of a format that has but one */
} tpp_affine_source;

/* Voxel (x, y, z, 1) to millimetres: +x right, +y anterior, +z superior (RAS+). Row 3 is 0 0 0 1.
 */
typedef struct tpp_affine {
    double m[4][4];
} tpp_affine;

/* Type of the file that a volume came from; results go back in the same. */
typedef enum tpp_volume_format {
    TPP_VOLUME_NIFTI,
    TPP_VOLUME_NRRD,
    TPP_VOLUME_METAIMAGE,
    TPP_VOLUME_DICOM
} tpp_volume_format;

/* Zero-initialise; tpp_volume_free releases what readers put in. */
typedef struct tpp_volume {
    tpp_volume_format format;
    int64_t dim[4];   /* x, y, z, t; x is contiguous in `voxels`. t counts what the file has */
    int64_t time;     /* the one of them that `voxels` holds */
    int channels;     /* 1, or 3: red, green, blue from 0 to 255. 0 counts as 1 */
    bool is_sequence; /* the file says that z counts moments, not places: an ultrasound clip */
    char modality[8]; /* as DICOM spells it: "CT", "MR", "US", "PT"; "": not stated */
    double shown_low, shown_high; /* display window that the file states; equal: none */
    double spacing_mm[3]; /* step of one voxel along x, y, z: the lengths of the affine's columns */
    bool spacing_unstated[3]; /* the file does not state that step; 1 stands for it */
    tpp_affine affine;
    tpp_affine_source affine_source;
    bool affines_disagree;   /* sform and qform both stated, more than half a voxel apart */
    const char *datatype;    /* of the file: "int16" */
    double slope, intercept; /* already applied to `voxels` */
    float *voxels;           /* [z,y,x,channels]; NULL when only the header was wanted */
    int64_t voxel_count;     /* x*y*z */
    int64_t nan_count;       /* voxels that are NaN or infinite */
    uint8_t *header;         /* the file's bytes before its voxels; NULL: made, not read */
    size_t header_size;
    void *source; /* what else the format's writer needs; freed by `source_free` */
    void (*source_free)(void *source);
} tpp_volume;

void tpp_volume_free(tpp_volume *v);

/* "sform" */
const char *tpp_affine_source_text(tpp_affine_source source);

#endif
