/* The `vector` algorithms of ops on rows: binary, slice, concat, embedding, activate.
 * SPDX-License-Identifier: MIT */
#include "ops/vector.h"

#include <stdio.h>

enum { PIECE = 8192 }; /* elements that a work-item gets about: 32 KiB */

/* How [rows, cols] is shared out. */
typedef struct cut {
    int rows, cols, rows_each, cols_each;
    tpp_grid grid;
    char options[16];
} cut;

static cut cut_rows(const tpp_steps *s, int64_t rows, int64_t cols)
{
    const int64_t cols_each = cols < PIECE ? cols : PIECE;
    const int64_t rows_each = PIECE / cols_each > 0 ? PIECE / cols_each : 1;
    cut c = {.rows = tpp_int(rows),
             .cols = tpp_int(cols),
             .rows_each = tpp_int(rows_each),
             .cols_each = tpp_int(cols_each),
             .grid = {.global = {(size_t)((cols + cols_each - 1) / cols_each),
                                 (size_t)((rows + rows_each - 1) / rows_each)}}};
    (void)snprintf(c.options, sizeof(c.options), "-DVW=%d",
                   tpp_vector_width(tpp_device_caps(tpp_steps_device(s))));
    return c;
}

#define CUT_ARGS(w) \
    TPP_ARG((w).rows), TPP_ARG((w).cols), TPP_ARG((w).rows_each), TPP_ARG((w).cols_each)

/* With rows of b that repeat, all rows of b are one row of the kernel. */
tpp_status tpp_binary_vector_record(tpp_steps *s, const tpp_call *c)
{
    const tpp_binary_attr *a = c->attr;
    const int64_t n = tpp_shape_count(&c->in[0].shape);
    const int64_t cols =
        a->by_row ? tpp_shape_cols(&c->in[0].shape) : tpp_shape_count(&c->in[1].shape);
    const cut w = cut_rows(s, n / cols, cols);
    return tpp_record(s, "row_vector", "binary_vector", w.options, w.grid,
                      TPP_ARGS(TPP_ARG(c->out[0].mem), TPP_ARG(c->in[0].mem), TPP_ARG(c->in[1].mem),
                               TPP_ARG(a->op), TPP_ARG(a->by_row), CUT_ARGS(w)));
}

tpp_status tpp_slice_vector_record(tpp_steps *s, const tpp_call *c)
{
    const tpp_slice_attr *a = c->attr;
    const int width = tpp_int(a->count * a->inner);
    const cut w = cut_rows(s, a->outer, width);
    return tpp_record(s, "row_vector", "copy_rows_vector", w.options, w.grid,
                      TPP_ARGS(TPP_ARG(c->out[0].mem), TPP_ARG(c->in[0].mem), TPP_ARG(0),
                               TPP_ARG(width), TPP_ARG(tpp_int(a->start * a->inner)),
                               TPP_ARG(tpp_int(a->n * a->inner)), CUT_ARGS(w)));
}

/* One launch per operand: each writes its own part. */
tpp_status tpp_concat_vector_record(tpp_steps *s, const tpp_call *c)
{
    const tpp_concat_attr *a = c->attr;
    const int pitch = tpp_int(tpp_shape_count(&c->out[0].shape) / a->outer);
    int start = 0;
    for (int i = 0; i < TPP_MAX_IN && c->in[i].shape.rank > 0; i++) {
        const int width = tpp_int(tpp_shape_count(&c->in[i].shape) / a->outer);
        const cut w = cut_rows(s, a->outer, width);
        TPP_TRY(tpp_record(s, "row_vector", "copy_rows_vector", w.options, w.grid,
                           TPP_ARGS(TPP_ARG(c->out[0].mem), TPP_ARG(c->in[i].mem), TPP_ARG(start),
                                    TPP_ARG(pitch), TPP_ARG(0), TPP_ARG(width), CUT_ARGS(w))));
        start += width;
    }
    return TPP_OK;
}

tpp_status tpp_embedding_vector_record(tpp_steps *s, const tpp_call *c)
{
    const cut w = cut_rows(s, tpp_shape_count(&c->in[0].shape), c->in[2].shape.d[1]);
    return tpp_record(s, "row_vector", "embedding_vector", w.options, w.grid,
                      TPP_ARGS(TPP_ARG(c->out[0].mem), TPP_ARG(c->in[0].mem), TPP_ARG(c->in[1].mem),
                               TPP_ARG(c->in[2].mem), TPP_ARG(c->in[3].mem), TPP_ARG(c->in[4].mem),
                               CUT_ARGS(w)));
}

tpp_status tpp_activate_vector_record(tpp_steps *s, const tpp_call *c)
{
    const tpp_activate_attr *a = c->attr;
    const cut w = cut_rows(s, 1, tpp_shape_count(&c->in[0].shape));
    return tpp_record(
        s, "row_vector", "activate_vector", w.options, w.grid,
        TPP_ARGS(TPP_ARG(c->out[0].mem), TPP_ARG(c->in[0].mem), TPP_ARG(a->act), CUT_ARGS(w)));
}
