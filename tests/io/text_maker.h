/* Makes NRRD and MetaImage files for the tests: a header of text, and voxels of every type.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_TESTS_IO_TEXT_MAKER_H
#define TPP_TESTS_IO_TEXT_MAKER_H

#include "io/bytes.h"
#include "io/gzip.h"
#include "io/volume_file.h"
#include "scratch.h"

/* A file of a header and voxels behind it. */
static inline const char *put_text(const char *name, const char *header, const void *data,
                                   size_t size)
{
    const size_t n = strlen(header);
    uint8_t *bytes = tpp_calloc(n + size, 1);
    memcpy(bytes, header, n);
    if (size > 0) memcpy(bytes + n, data, size);
    const char *path = put_file(name, bytes, n + size);
    tpp_free(bytes);
    return path;
}

/* Deflates; the result is the caller's. */
static inline uint8_t *pack(size_t *packed, const void *data, size_t size, bool zlib)
{
    const char *path = scratch("packed");
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    tpp_gzip_out g = {0};
    ASSERT_OK((zlib ? tpp_zlib_begin : tpp_gzip_begin)(&g, f, path));
    ASSERT_OK(tpp_gzip_write(&g, data, size));
    ASSERT_OK(tpp_gzip_finish(&g));
    assert_int_equal(fclose(f), 0);
    return get_file(path, packed);
}

/* Every type: its names in the formats, and two values that need its whole range. */
typedef struct voxel_case {
    const char *name, *nrrd, *meta;
    size_t size;
    bool real;
    double value[2];
} voxel_case;

static const voxel_case voxel_cases[] = {
    {"uint8", "unsigned char", "MET_UCHAR", 1, false, {0, 255}},
    {"int8", "signed char", "MET_CHAR", 1, false, {-128, 127}},
    {"int16", "short", "MET_SHORT", 2, false, {-32768, 32767}},
    {"uint16", "uint16_t", "MET_USHORT", 2, false, {0, 65535}},
    {"int32", "int", "MET_INT", 4, false, {-2147483648.0, 2147483647.0}},
    {"uint32", "unsigned int", "MET_UINT", 4, false, {1, 4294967295.0}},
    {"int64",
     "long long int",
     "MET_LONG_LONG",
     8,
     false,
     {-9007199254740992.0, 9007199254740992.0}},
    {"uint64", "ulonglong", "MET_ULONG_LONG", 8, false, {3, 9007199254740992.0}},
    {"float32", "float", "MET_FLOAT", 4, true, {-1.5e-30, 3.25}},
    {"float64", "double", "MET_DOUBLE", 8, true, {0.1, -1e30}},
};
enum { VOXEL_CASES = sizeof voxel_cases / sizeof *voxel_cases };

/* The two values of a case, as bytes. */
static inline void put_values(uint8_t out[16], const voxel_case *c, bool big)
{
    for (size_t i = 0; i < 2; i++) {
        const float narrow = (float)c->value[i];
        uint32_t bits32 = 0;
        uint64_t bits = c->real ? 0 : (uint64_t)(int64_t)c->value[i];
        memcpy(&bits32, &narrow, sizeof bits32);
        if (c->real) memcpy(&bits, &c->value[i], sizeof bits);
        if (c->real && c->size == 4) bits = bits32;
        tpp_bytes_put(out + i * c->size, bits, c->size, big);
    }
}

/* Reads; a failure ends the test. */
static inline void read_volume(tpp_volume *v, const char *path)
{
    tpp_volume_free(v);
    ASSERT_OK(tpp_volume_read(v, path, NULL));
}

static inline void assert_affine(const tpp_volume *v, const double want[12])
{
    for (int i = 0; i < 12; i++) {
        const double d = v->affine.m[i / 4][i % 4] - want[i];
        if (!(d < 1e-6 && d > -1e-6))
            fail_msg("affine %d is %g, wanted %g", i, v->affine.m[i / 4][i % 4], want[i]);
    }
}

/* Whole file as text; the caller frees. */
static inline char *get_text(const char *path)
{
    size_t size = 0;
    return (char *)get_file(path, &size); /* a NUL is behind it */
}

#endif
