/* Makes NIfTI files for the tests, right or wrong ones, from the layouts of nifti1.h and nifti2.h.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_TESTS_IO_NIFTI_MAKER_H
#define TPP_TESTS_IO_NIFTI_MAKER_H

#include "io/bytes.h"
#include "io/gzip.h"
#include "io/nifti.h"
#include "scratch.h"

typedef struct maker {
    int version;
    bool big, pair;
    int datatype, bitpix;
    int64_t dim[8];
    double pixdim[8];
    double vox_offset;
    double slope, intercept;
    int units, qform_code, sform_code;
    double quatern[3], qoffset[3], srow[12];
} maker;

/* 4 x 3 x 2 int16 with a plain sform of 2 x 3 x 5 mm. */
static inline maker make_default(void)
{
    return (maker){.version = 1,
                   .datatype = 4,
                   .bitpix = 16,
                   .dim = {3, 4, 3, 2, 1, 1, 1, 1},
                   .pixdim = {1, 2, 3, 5, 1, 1, 1, 1},
                   .vox_offset = 352,
                   .units = 2,
                   .sform_code = 1,
                   .srow = {2, 0, 0, -10, 0, 3, 0, 20, 0, 0, 5, 30}};
}

static inline void make_int(uint8_t *p, int64_t v, size_t size, bool big)
{
    tpp_bytes_put(p, (uint64_t)v, size, big);
}

static inline void make_real(uint8_t *p, double v, size_t size, bool big)
{
    const float narrow = (float)v;
    uint32_t bits32 = 0;
    uint64_t bits = 0;
    memcpy(&bits32, &narrow, sizeof bits32);
    memcpy(&bits, &v, sizeof bits);
    tpp_bytes_put(p, size == 4 ? bits32 : bits, size, big);
}

static inline void make_header1(uint8_t *h, const maker *m)
{
    make_int(h, 348, 4, m->big);
    for (size_t i = 0; i < 8; i++) make_int(h + 40 + 2 * i, m->dim[i], 2, m->big);
    make_int(h + 70, m->datatype, 2, m->big);
    make_int(h + 72, m->bitpix, 2, m->big);
    for (size_t i = 0; i < 8; i++) make_real(h + 76 + 4 * i, m->pixdim[i], 4, m->big);
    make_real(h + 108, m->vox_offset, 4, m->big);
    make_real(h + 112, m->slope, 4, m->big);
    make_real(h + 116, m->intercept, 4, m->big);
    h[123] = (uint8_t)m->units;
    make_real(h + 124, 99, 4, m->big); /* cal_max */
    make_real(h + 128, 1, 4, m->big);  /* cal_min */
    memcpy(h + 148, "a description", 13);
    make_int(h + 252, m->qform_code, 2, m->big);
    make_int(h + 254, m->sform_code, 2, m->big);
    for (size_t i = 0; i < 3; i++) make_real(h + 256 + 4 * i, m->quatern[i], 4, m->big);
    for (size_t i = 0; i < 3; i++) make_real(h + 268 + 4 * i, m->qoffset[i], 4, m->big);
    for (size_t i = 0; i < 12; i++) make_real(h + 280 + 4 * i, m->srow[i], 4, m->big);
    memcpy(h + 344, m->pair ? "ni1" : "n+1", 4);
}

static inline void make_header2(uint8_t *h, const maker *m)
{
    make_int(h, 540, 4, m->big);
    memcpy(h + 4, m->pair ? "ni2\0\r\n\032\n" : "n+2\0\r\n\032\n", 8);
    make_int(h + 12, m->datatype, 2, m->big);
    make_int(h + 14, m->bitpix, 2, m->big);
    for (size_t i = 0; i < 8; i++) make_int(h + 16 + 8 * i, m->dim[i], 8, m->big);
    for (size_t i = 0; i < 8; i++) make_real(h + 104 + 8 * i, m->pixdim[i], 8, m->big);
    make_int(h + 168, (int64_t)m->vox_offset, 8, m->big);
    make_real(h + 176, m->slope, 8, m->big);
    make_real(h + 184, m->intercept, 8, m->big);
    make_real(h + 192, 99, 8, m->big);
    make_real(h + 200, 1, 8, m->big);
    memcpy(h + 240, "a description", 13);
    make_int(h + 344, m->qform_code, 4, m->big);
    make_int(h + 348, m->sform_code, 4, m->big);
    for (size_t i = 0; i < 3; i++) make_real(h + 352 + 8 * i, m->quatern[i], 8, m->big);
    for (size_t i = 0; i < 3; i++) make_real(h + 376 + 8 * i, m->qoffset[i], 8, m->big);
    for (size_t i = 0; i < 12; i++) make_real(h + 400 + 8 * i, m->srow[i], 8, m->big);
    make_int(h + 500, m->units, 4, m->big);
}

static inline size_t make_start(const maker *m)
{
    return m->version == 1 ? 352 : 544;
}

/* Header, extension flag, and `size` bytes of voxels; returns the length. `out` is zeroed. */
static inline size_t make_bytes(uint8_t *out, const maker *m, const void *voxels, size_t size)
{
    (m->version == 1 ? make_header1 : make_header2)(out, m);
    memcpy(out + make_start(m), voxels, size);
    return make_start(m) + size;
}

/* A .nii file of the recipe. */
static inline const char *make_file(const char *name, const maker *m, const void *voxels,
                                    size_t size)
{
    uint8_t *bytes = tpp_calloc(make_start(m) + size, 1);
    const char *path = put_file(name, bytes, make_bytes(bytes, m, voxels, size));
    tpp_free(bytes);
    return path;
}

/* The bytes, deflated. */
static inline const char *make_gzip(const char *name, const void *bytes, size_t size)
{
    const char *path = scratch(name);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    tpp_gzip_out g = {0};
    ASSERT_OK(tpp_gzip_begin(&g, f, path));
    ASSERT_OK(tpp_gzip_write(&g, bytes, size));
    ASSERT_OK(tpp_gzip_finish(&g));
    assert_int_equal(fclose(f), 0);
    return path;
}

/* Values 0, 1, 2, ... as int16. */
static inline void make_ramp(uint8_t *out, size_t count, bool big)
{
    for (size_t i = 0; i < count; i++) make_int(out + 2 * i, (int64_t)i, 2, big);
}

#endif
