/* What the files of ops share: shape checks, ranges of work-items, costs, views.
 * SPDX-License-Identifier: MIT */
#include "ops/op.h"
#include "tensor/tensor_internal.h"

#include <assert.h>
#include <limits.h>
#include <stdio.h>

int tpp_int(int64_t n)
{
    assert(n >= INT_MIN && n <= INT_MAX);
    return (int)n;
}

tpp_status tpp_want_present(const char *op, const char *operand, const tpp_shape *s)
{
    if (s->rank > 0) return TPP_OK;
    return TPP_FAIL(TPP_ESHAPE, "%s: operand %s is missing", op, operand);
}

tpp_status tpp_want_rank(const char *op, const char *operand, const tpp_shape *s, int rank)
{
    if (s->rank == rank) return TPP_OK;
    return TPP_FAIL(TPP_ESHAPE, "%s: %s has shape %s, rank %d is wanted", op, operand,
                    tpp_shape_text(s), rank);
}

tpp_status tpp_want_shape(const char *op, const char *operand, const tpp_shape *s, tpp_shape want)
{
    bool same = s->rank == want.rank;
    for (int i = 0; same && i < want.rank; i++) same = want.d[i] < 0 || want.d[i] == s->d[i];
    if (same) return TPP_OK;
    return TPP_FAIL(TPP_ESHAPE, "%s: %s has shape %s, %s is wanted (-1: any)", op, operand,
                    tpp_shape_text(s), tpp_shape_text(&want));
}

/* Work-groups of 64 suit the GPUs of all vendors and PoCL's loops over work-items alike. */
static size_t group_size(const tpp_steps *s)
{
    const size_t most = tpp_device_caps(tpp_steps_device(s))->max_group;
    size_t local = 64;
    while (local > most && local > 1) local /= 2;
    return local;
}

tpp_status tpp_record_2d(tpp_steps *s, const char *file, const char *kernel, const char *options,
                         const int64_t range[2], tpp_args args)
{
    char all[256];
    const size_t local = group_size(s);
    const int n = snprintf(all, sizeof(all), "-DLOCAL=%zu %s", local, options);
    if (n < 0 || (size_t)n >= sizeof(all))
        return TPP_FAIL(TPP_EINTERNAL, "%s: build options are too long", kernel);
    const size_t most = tpp_device_caps(tpp_steps_device(s))->max_groups;
    for (size_t y = 0; y < (size_t)range[1] || y == 0; y += most) {
        const size_t rest = (size_t)range[1] - y;
        const tpp_grid grid = {.global = {(size_t)range[0], rest < most ? rest : most},
                               .local = {local},
                               .offset = {0, y}};
        TPP_TRY(tpp_record(s, file, kernel, all, grid, args));
    }
    return TPP_OK;
}

tpp_status tpp_record_1d(tpp_steps *s, const char *file, const char *kernel, const char *options,
                         int64_t x, tpp_args args)
{
    return tpp_record_2d(s, file, kernel, options, (const int64_t[2]){x, 1}, args);
}

tpp_status tpp_want_norm(const char *op, const tpp_shape *in, int64_t cols)
{
    if (in[TPP_NORM_GAMMA].rank == 0 && in[TPP_NORM_BETA].rank == 0) return TPP_OK;
    TPP_TRY(tpp_want_shape(op, "gamma", &in[TPP_NORM_GAMMA], TPP_SHAPE(cols)));
    return tpp_want_shape(op, "beta", &in[TPP_NORM_BETA], TPP_SHAPE(cols));
}

int tpp_pitch(const tpp_operand *x)
{
    return tpp_int(x->pitch > 0 ? x->pitch : tpp_shape_cols(&x->shape));
}

double tpp_bytes_moved(const tpp_shape *in, const tpp_shape *out)
{
    int64_t n = 0;
    for (int i = 0; i < TPP_MAX_IN; i++) n += tpp_shape_count(&in[i]);
    for (int i = 0; i < TPP_MAX_OUT; i++) n += tpp_shape_count(&out[i]);
    return 4.0 * (double)n;
}

tpp_cost tpp_cost_pointwise(double flops_per_output, const tpp_shape *in, const tpp_shape *out)
{
    return (tpp_cost){.flops = flops_per_output * (double)tpp_shape_count(&out[0]),
                      .bytes = tpp_bytes_moved(in, out)};
}

tpp_status tpp_operand_rows(const tpp_operand *x, int64_t start, int64_t count, tpp_operand *out)
{
    const size_t row = (size_t)tpp_shape_cols(&x->shape) * tpp_dtype_size(x->type);
    tpp_operand view = *x;
    view.shape = TPP_SHAPE(count, tpp_shape_cols(&x->shape));
    view.offset = x->offset + (size_t)start * row;
    TPP_TRY(tpp_sub_buffer(&view.mem, x->root, view.offset, (size_t)count * row));
    *out = view;
    return TPP_OK;
}
