/* Shapes: counts, comparison, printing.
 * SPDX-License-Identifier: MIT */
#include "core/shape.h"

#include <inttypes.h>
#include <stdio.h>

#define TPP_DTYPE_SIZE(name, bytes) bytes,
static const size_t sizes[] = {TPP_DTYPE_MAP(TPP_DTYPE_SIZE)};
#undef TPP_DTYPE_SIZE
#define TPP_DTYPE_NAME(name, bytes) #name,
static const char *const names[] = {TPP_DTYPE_MAP(TPP_DTYPE_NAME)};
#undef TPP_DTYPE_NAME

size_t tpp_dtype_size(tpp_dtype type)
{
    return sizes[type];
}

const char *tpp_dtype_text(tpp_dtype type)
{
    return names[type];
}

/* Product of the first `axes` axes. A shape may come from a file: what is too large, or negative,
 * saturates instead of overflowing. */
static int64_t product(const tpp_shape *s, int axes)
{
    int64_t n = s->rank > 0;
    for (int i = 0; i < axes; i++) {
        const int64_t d = s->d[i] < 0 ? 0 : s->d[i];
        n = d != 0 && n > INT64_MAX / d ? INT64_MAX : n * d;
    }
    return n;
}

int64_t tpp_shape_count(const tpp_shape *s)
{
    return product(s, s->rank);
}

int64_t tpp_shape_cols(const tpp_shape *s)
{
    return s->rank > 0 ? s->d[s->rank - 1] : 0;
}

int64_t tpp_shape_rows(const tpp_shape *s)
{
    return product(s, s->rank - 1);
}

bool tpp_shape_equal(const tpp_shape *a, const tpp_shape *b)
{
    if (a->rank != b->rank) return false;
    for (int i = 0; i < a->rank; i++)
        if (a->d[i] != b->d[i]) return false;
    return true;
}

const char *tpp_shape_text(const tpp_shape *s)
{
    static _Thread_local char texts[4][96];
    static _Thread_local unsigned next;
    char *text = texts[next++ % 4];
    size_t at = (size_t)snprintf(text, sizeof(texts[0]), "[");
    for (int i = 0; i < s->rank; i++)
        at +=
            (size_t)snprintf(text + at, sizeof(texts[0]) - at, "%s%" PRId64, i ? "," : "", s->d[i]);
    (void)snprintf(text + at, sizeof(texts[0]) - at, "]");
    return text;
}
