/* One converter per type of number.
 * SPDX-License-Identifier: MIT */
#include "io/voxels.h"

#include "io/bytes.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* The byte order is decided outside the arithmetic. */
#define CONVERTER(name, bytes, value)                                                          \
    static void convert_##name(float *out, const uint8_t *p, size_t n, bool big, double slope, \
                               double intercept)                                               \
    {                                                                                          \
        for (size_t i = 0; i < n; i++) {                                                       \
            const uint64_t bits = big ? tpp_bytes_get(p + i * (bytes), bytes, true)            \
                                      : tpp_bytes_get(p + i * (bytes), bytes, false);          \
            out[i] = (float)(slope * (double)(value) + intercept);                             \
        }                                                                                      \
    }
CONVERTER(uint8, 1, bits)
CONVERTER(int16, 2, (int16_t)bits)
CONVERTER(int32, 4, (int32_t)bits)
CONVERTER(float32, 4, tpp_bits_float((uint32_t)bits))
CONVERTER(float64, 8, tpp_bits_double(bits))
CONVERTER(int8, 1, (int8_t)bits)
CONVERTER(uint16, 2, bits)
CONVERTER(uint32, 4, bits)
CONVERTER(int64, 8, (int64_t)bits)
CONVERTER(uint64, 8, bits)
#undef CONVERTER

static const tpp_voxel_type types[] = {
    {"uint8", 1, 0, UINT8_MAX, convert_uint8},
    {"int8", 1, INT8_MIN, INT8_MAX, convert_int8},
    {"int16", 2, INT16_MIN, INT16_MAX, convert_int16},
    {"uint16", 2, 0, UINT16_MAX, convert_uint16},
    {"int32", 4, INT32_MIN, INT32_MAX, convert_int32},
    {"uint32", 4, 0, UINT32_MAX, convert_uint32},
    {"int64", 8, -0x1p63, 0x1p63, convert_int64},
    {"uint64", 8, 0, 0x1p64, convert_uint64},
    {"float32", 4, -FLT_MAX, FLT_MAX, convert_float32},
    {"float64", 8, -DBL_MAX, DBL_MAX, convert_float64},
};

const tpp_voxel_type *tpp_voxel_type_find(const char *name)
{
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (strcmp(types[i].name, name) == 0) return &types[i];
    return NULL;
}

void tpp_voxels_put(tpp_volume *v, const tpp_voxel_layout *l, int64_t at, const uint8_t *p,
                    size_t n)
{
    float *out = v->voxels + (size_t)at * l->kept;
    const size_t step = l->inner * l->type->size;
    if (l->kept == l->inner) {
        l->type->convert(out, p, n * l->kept, l->big, v->slope, v->intercept);
    } else {
        p += l->first * l->type->size;
        for (size_t i = 0; i < n; i++)
            l->type->convert(out + i * l->kept, p + i * step, l->kept, l->big, v->slope,
                             v->intercept);
    }
    for (size_t i = 0; i < n * l->kept; i++) v->nan_count += !isfinite(out[i]);
}
