/* Element types of safetensors: their names and sizes, and their values as float and double.
 * SPDX-License-Identifier: MIT */
#include "io/bytes.h"
#include "io/safetensors.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#define ROW(name, bytes) {#name, bytes},
static const struct {
    const char *text;
    size_t size;
} dtypes[] = {TPP_SAFETENSORS_MAP(ROW)};
#undef ROW

const char *tpp_safetensors_dtype_text(tpp_safetensors_dtype type)
{
    return (unsigned)type < TPP_SAFETENSORS_DTYPE_COUNT ? dtypes[type].text : "?";
}

size_t tpp_safetensors_dtype_size(tpp_safetensors_dtype type)
{
    return (unsigned)type < TPP_SAFETENSORS_DTYPE_COUNT ? dtypes[type].size : 0;
}

const char *tpp_safetensors_shape_text(const tpp_safetensors_tensor *t)
{
    enum { SLOTS = 4, LONGEST = TPP_SAFETENSORS_MAX_RANK * 21 + 3 };
    static _Thread_local char text[SLOTS][LONGEST];
    static _Thread_local unsigned next;
    char *out = text[next++ % SLOTS];
    int n = snprintf(out, LONGEST, "[");
    for (int i = 0; i < t->rank; i++)
        n += snprintf(out + n, (size_t)(LONGEST - n), "%s%" PRId64, i > 0 ? "," : "", t->dims[i]);
    (void)snprintf(out + n, (size_t)(LONGEST - n), "]");
    return out;
}

/* binary16: 1 sign, 5 exponent (bias 15), 10 fraction bits. */
static float half_float(uint32_t bits)
{
    const uint32_t sign = (bits & 0x8000U) << 16, fraction = bits & 0x3FFU;
    const uint32_t exponent = bits >> 10 & 0x1FU;
    if (exponent == 31) return tpp_bits_float(sign | 0x7F800000U | fraction << 13);
    if (exponent > 0) return tpp_bits_float(sign | (exponent + 127 - 15) << 23 | fraction << 13);
    const float tiny = ldexpf((float)fraction, -24); /* subnormal, or zero */
    return sign != 0 ? -tiny : tiny;
}

/* The value at `p`; the type is one that is_number() accepts. */
static double value_at(tpp_safetensors_dtype type, const uint8_t *p)
{
    const uint64_t bits = tpp_bytes_get(p, dtypes[type].size, false);
    switch (type) {
    case TPP_SAFETENSORS_F64:
        return tpp_bits_double(bits);
    case TPP_SAFETENSORS_F16:
        return (double)half_float((uint32_t)bits);
    case TPP_SAFETENSORS_BF16:
        return (double)tpp_bits_float((uint32_t)bits << 16);
    case TPP_SAFETENSORS_I64:
        return (double)(int64_t)bits;
    case TPP_SAFETENSORS_I32:
        return (double)(int32_t)bits;
    case TPP_SAFETENSORS_U8:
        return (double)bits;
    default:
        return (double)tpp_bits_float((uint32_t)bits);
    }
}

static tpp_status check_conversion(const tpp_safetensors_tensor *t, int64_t count, int integers)
{
    int known = 0;
    switch (t->type) {
    case TPP_SAFETENSORS_F64:
    case TPP_SAFETENSORS_F32:
    case TPP_SAFETENSORS_F16:
    case TPP_SAFETENSORS_BF16:
        known = 1;
        break;
    case TPP_SAFETENSORS_I64:
    case TPP_SAFETENSORS_I32:
    case TPP_SAFETENSORS_U8:
        known = integers;
        break;
    default:
        break;
    }
    if (!known)
        return TPP_FAIL(TPP_EUNSUPPORTED, "%s: wanted a tensor of F32, F16, BF16 or F64%s, got %s",
                        t->name, integers ? ", I64, I32 or U8" : "", dtypes[t->type].text);
    if (t->count != count)
        return TPP_FAIL(TPP_ESHAPE, "%s: wanted %" PRId64 " values, the file has %s = %" PRId64,
                        t->name, count, tpp_safetensors_shape_text(t), t->count);
    return TPP_OK;
}

tpp_status tpp_safetensors_floats(const tpp_safetensors_tensor *t, float *out, int64_t count)
{
    TPP_TRY(check_conversion(t, count, 0));
    const uint8_t *p = t->bytes;
    const size_t step = dtypes[t->type].size;
    if (t->type == TPP_SAFETENSORS_F32) /* the usual one: no way through double */
        for (int64_t i = 0; i < count; i++)
            out[i] = tpp_bits_float((uint32_t)tpp_bytes_get(p + (size_t)i * 4, 4, false));
    else
        for (int64_t i = 0; i < count; i++) out[i] = (float)value_at(t->type, p + (size_t)i * step);
    return TPP_OK;
}

tpp_status tpp_safetensors_doubles(const tpp_safetensors_tensor *t, double *out, int64_t count)
{
    TPP_TRY(check_conversion(t, count, 1));
    const uint8_t *p = t->bytes;
    const size_t step = dtypes[t->type].size;
    for (int64_t i = 0; i < count; i++) out[i] = value_at(t->type, p + (size_t)i * step);
    return TPP_OK;
}
