/* Matrix product with fused epilogue: the op that linear layers and their gradients are.
 * SPDX-License-Identifier: MIT */
#include "ops/gemm.h"

#include "ops/clblast.h"
#include "ops/tile.h"
#include "ops/vector.h"

/* Leading and trailing part of an operand's shape: a weight [N, ..] has N rows of the rest, so a
 * 1x1 convolution's [N, K, 1, 1] will do as well. */
static int64_t first_axis(const tpp_shape *s)
{
    return s->d[0];
}

static int64_t rest(const tpp_shape *s)
{
    int64_t n = 1;
    for (int i = 1; i < s->rank; i++) n *= s->d[i];
    return n;
}

tpp_gemm_sizes tpp_gemm_sizes_of(const tpp_call *c)
{
    const tpp_gemm_attr *a = c->attr;
    const tpp_shape *x = &c->in[TPP_GEMM_X].shape, *y = &c->out[0].shape;
    const tpp_shape *residual = &c->in[TPP_GEMM_RESIDUAL].shape;
    const tpp_shape *addend = &c->in[TPP_GEMM_ADDEND].shape;
    return (tpp_gemm_sizes){
        .m = tpp_int(tpp_shape_rows(y)),
        .n = tpp_int(tpp_shape_cols(y)),
        .k = tpp_int(a->trans_x ? tpp_shape_rows(x) : tpp_shape_cols(x)),
        .residual_rows = residual->rank > 0 ? tpp_int(tpp_shape_rows(residual)) : 0,
        .addend_rows = addend->rank > 0 ? tpp_int(tpp_shape_rows(addend)) : 0,
    };
}

/* An operand whose rows repeat over the m rows of x or y. */
static tpp_status check_repeated(const char *name, const tpp_shape *s, int64_t m, int64_t cols)
{
    if (s->rank == 0) return TPP_OK;
    const int64_t rows = tpp_shape_rows(s);
    if (tpp_shape_cols(s) == cols && rows > 0 && m % rows == 0) return TPP_OK;
    return TPP_FAIL(TPP_ESHAPE,
                    "gemm: %s has shape %s, [rows,%lld] is wanted, rows a divisor of %lld", name,
                    tpp_shape_text(s), (long long)cols, (long long)m);
}

static tpp_status infer(const void *attr, const tpp_shape *in, tpp_shape *out)
{
    const tpp_gemm_attr *a = attr;
    const tpp_shape *x = &in[TPP_GEMM_X], *w = &in[TPP_GEMM_W];
    if (x->rank == 0 || w->rank == 0 || (a->trans_x && x->rank != 2))
        return TPP_FAIL(TPP_ESHAPE, "gemm: x %s, w %s, %s is wanted", tpp_shape_text(x),
                        tpp_shape_text(w), a->trans_x ? "x of rank 2 and w" : "x and w");
    const int64_t m = a->trans_x ? tpp_shape_cols(x) : tpp_shape_rows(x);
    const int64_t k = a->trans_x ? tpp_shape_rows(x) : tpp_shape_cols(x);
    const int64_t n = a->trans_w ? tpp_shape_cols(w) : first_axis(w);
    const int64_t w_k = a->trans_w ? tpp_shape_rows(w) : rest(w);
    if (k != w_k)
        return TPP_FAIL(TPP_ESHAPE, "gemm: x %s sums over %lld values, w %s over %lld",
                        tpp_shape_text(x), (long long)k, tpp_shape_text(w), (long long)w_k);
    if (in[TPP_GEMM_BIAS].rank > 0)
        TPP_TRY(tpp_want_shape("gemm", "bias", &in[TPP_GEMM_BIAS], TPP_SHAPE(n)));
    TPP_TRY(check_repeated("residual", &in[TPP_GEMM_RESIDUAL], m, n));
    TPP_TRY(check_repeated("addend", &in[TPP_GEMM_ADDEND], m, k));
    if (a->trans_x && in[TPP_GEMM_ADDEND].rank > 0)
        return TPP_FAIL(TPP_ESHAPE, "gemm: addend with trans_x is not defined");
    TPP_TRY(tpp_want_norm("gemm", in, n));
    out[0] = a->trans_x ? TPP_SHAPE(m, n) : *x;
    out[0].d[out[0].rank - 1] = n;
    return TPP_OK;
}

tpp_status tpp_gemm_record_plain(tpp_steps *s, const tpp_call *c)
{
    const tpp_gemm_attr *a = c->attr;
    const tpp_gemm_sizes z = tpp_gemm_sizes_of(c);
    return tpp_record_2d(
        s, "gemm", "gemm_plain", "", (const int64_t[2]){z.n, z.m},
        TPP_ARGS(TPP_ARG(c->out[0].mem), TPP_ARG(c->in[TPP_GEMM_X].mem),
                 TPP_ARG(c->in[TPP_GEMM_W].mem), TPP_ARG(c->in[TPP_GEMM_BIAS].mem),
                 TPP_ARG(c->in[TPP_GEMM_RESIDUAL].mem), TPP_ARG(c->in[TPP_GEMM_ADDEND].mem),
                 TPP_ARG(a->act), TPP_ARG(a->trans_x), TPP_ARG(a->trans_w), TPP_ARG(z.m),
                 TPP_ARG(z.n), TPP_ARG(z.k), TPP_ARG(z.residual_rows), TPP_ARG(z.addend_rows)));
}

tpp_status tpp_gemm_record_epilogue(tpp_steps *s, const tpp_call *c, int act)
{
    const tpp_operand *bias = &c->in[TPP_GEMM_BIAS], *residual = &c->in[TPP_GEMM_RESIDUAL];
    if (bias->shape.rank == 0 && residual->shape.rank == 0 && act == TPP_ACT_NONE) return TPP_OK;
    const int m = tpp_int(tpp_shape_rows(&c->out[0].shape));
    const int n = tpp_int(tpp_shape_cols(&c->out[0].shape));
    const int repeat = residual->shape.rank > 0 ? tpp_int(tpp_shape_rows(&residual->shape)) : 0;
    return tpp_record_2d(s, "gemm", "gemm_epilogue", "", (const int64_t[2]){n, m},
                         TPP_ARGS(TPP_ARG(c->out[0].mem), TPP_ARG(bias->mem),
                                  TPP_ARG(residual->mem), TPP_ARG(act), TPP_ARG(m), TPP_ARG(n),
                                  TPP_ARG(repeat)));
}

/* Rows before their norm. */
static size_t scratch_plain(const tpp_call *c, const tpp_caps *caps)
{
    (void)caps;
    const bool norm = c->in[TPP_NORM_GAMMA].shape.rank > 0;
    return norm ? (size_t)tpp_shape_count(&c->out[0].shape) * sizeof(float) : 0;
}

/* What a plan has fused always has an algorithm, whatever is given up. */
static tpp_status record_plain(tpp_steps *s, const tpp_call *c)
{
    const tpp_gemm_attr *a = c->attr;
    const int rows = tpp_int(tpp_shape_rows(&c->out[0].shape));
    const int cols = tpp_int(tpp_shape_cols(&c->out[0].shape));
    if (c->in[TPP_NORM_GAMMA].shape.rank == 0) return tpp_gemm_record_plain(s, c);
    tpp_call product = *c;
    product.out[0].mem = c->scratch.mem;
    TPP_TRY(tpp_gemm_record_plain(s, &product));
    return tpp_record_1d(s, "layernorm", "layernorm_forward_plain", "", rows,
                         TPP_ARGS(TPP_ARG(c->out[0].mem), TPP_ARG(c->scratch.mem),
                                  TPP_ARG(c->in[TPP_NORM_GAMMA].mem),
                                  TPP_ARG(c->in[TPP_NORM_BETA].mem), TPP_ARG(a->eps), TPP_ARG(rows),
                                  TPP_ARG(cols)));
}

/* ---- clblast ---- */

static tpp_clblast_gemm product_of(const tpp_call *c)
{
    const tpp_gemm_attr *a = c->attr;
    const tpp_gemm_sizes z = tpp_gemm_sizes_of(c);
    return (tpp_clblast_gemm){.m = (size_t)z.m,
                              .n = (size_t)z.n,
                              .k = (size_t)z.k,
                              .trans_x = a->trans_x != 0,
                              .trans_w = a->trans_w != 0,
                              .x = c->in[TPP_GEMM_X].mem,
                              .w = c->in[TPP_GEMM_W].mem,
                              .y = c->out[0].mem,
                              .scratch = c->scratch.mem,
                              .scratch_bytes = (size_t)tpp_shape_count(&c->scratch.shape)};
}

static size_t scratch_clblast(const tpp_call *c, const tpp_caps *caps)
{
    (void)caps;
    const tpp_clblast_gemm p = product_of(c);
    return tpp_clblast_scratch(p.m, p.n, p.k);
}

static tpp_status record_clblast(tpp_steps *s, const tpp_call *c)
{
    if (!tpp_clblast_usable(tpp_steps_device(s))) return tpp_gemm_record_plain(s, c);
    const tpp_clblast_gemm p = product_of(c);
    TPP_TRY(tpp_clblast_record(s, &p));
    return tpp_gemm_record_epilogue(s, c, ((const tpp_gemm_attr *)c->attr)->act);
}

static const tpp_algorithm algorithms[] = {
    TPP_GEMM_VECTOR_ROW,
    TPP_GEMM_TILE_ROW,
    {.name = "clblast",
     .fuses = TPP_FUSE_BIAS | TPP_FUSE_ACT | TPP_FUSE_RESIDUAL,
     .supports = tpp_clblast_supports,
     .scratch = scratch_clblast,
     .record = record_clblast},
    {.name = "plain",
     .fuses = TPP_FUSE_ALL | TPP_FUSE_NORM,
     .scratch = scratch_plain,
     .record = record_plain},
    {.name = NULL},
};

static tpp_cost cost(const void *attr, const tpp_shape *in, const tpp_shape *out)
{
    const tpp_gemm_attr *a = attr;
    const int64_t k =
        a->trans_x ? tpp_shape_rows(&in[TPP_GEMM_X]) : tpp_shape_cols(&in[TPP_GEMM_X]);
    return tpp_cost_pointwise(2.0 * (double)k, in, out);
}

#define ATTR(...)          \
    &(const tpp_gemm_attr) \
    {                      \
        __VA_ARGS__        \
    }
#define S TPP_DIMS
enum { ANY = TPP_FILL_UNIFORM, LARGE = TPP_FILL_LARGE };

static const tpp_case cases[] = {
    {.name = "tiny", .attr = ATTR(.act = TPP_ACT_RELU), .in = {S(3, 5), S(4, 5), S(4)}},
    {.name = "around_32",
     .attr = ATTR(.act = TPP_ACT_GELU),
     .in = {S(2, 31, 33), S(32, 33), S(32), S(2, 31, 32), S(2, 31, 33)}},
    {.name = "one", .attr = ATTR(0), .in = {S(1, 1), S(1, 1)}},
    {.name = "vector", .attr = ATTR(.act = TPP_ACT_SIGMOID), .in = {S(257), S(33, 257), S(33)}},
    {.name = "around_64",
     .attr = ATTR(.act = TPP_ACT_TANH),
     .in = {S(63, 65), S(64, 65), S(64), S(63, 64)}},
    {.name = "repeated_rows",
     .attr = ATTR(.act = TPP_ACT_RELU),
     .in = {S(3, 7, 29), S(13, 29), S(13), S(7, 13), S(7, 29)}},
    {.name = "one_row_repeated",
     .attr = ATTR(.act = TPP_ACT_NONE),
     .in = {S(67, 96), S(17, 96), {0}, S(17), S(1, 96)}},
    {.name = "no_bias", .attr = ATTR(.act = TPP_ACT_RELU), .in = {S(4, 16, 48), S(40, 48)}},
    {.name = "inverse_sigmoid",
     .attr = ATTR(.act = TPP_ACT_INVERSE_SIGMOID),
     .in = {S(5, 9), S(4, 9), S(4)},
     .fill = {TPP_FILL_UNIT, TPP_FILL_UNIFORM, TPP_FILL_UNIT}},
    {.name = "binary", .attr = ATTR(.act = TPP_ACT_BINARY), .in = {S(11, 13), S(7, 13), S(7)}},
    {.name = "trans_x", .attr = ATTR(.trans_x = 1), .in = {S(65, 31), S(33, 65)}},
    {.name = "trans_w",
     .attr = ATTR(.trans_w = 1, .act = TPP_ACT_RELU),
     .in = {S(2, 33, 63), S(63, 31), S(31), S(33, 31), S(33, 63)}},
    {.name = "trans_both",
     .attr = ATTR(.trans_x = 1, .trans_w = 1),
     .in = {S(127, 37), S(127, 61)}},
    {.name = "weight_of_1x1_convolution", .attr = ATTR(0), .in = {S(10, 24), S(8, 24, 1, 1)}},
    {.name = "long_sum", .attr = ATTR(0), .in = {S(9, 4099), S(18, 4099), S(18)}},
    {.name = "wide",
     .attr = ATTR(.act = TPP_ACT_RELU),
     .in = {S(150, 128), S(260, 128), S(260), S(150, 260)}},
    {.name = "norm",
     .attr = ATTR(.act = TPP_ACT_NONE, .eps = 1e-5f),
     .in = {S(2, 35, 65), S(64, 65), S(64), S(70, 64), S(35, 65), S(64), S(64)},
     .fill = {ANY, ANY, ANY, LARGE}},
    {.name = "norm_of_256",
     .attr = ATTR(.act = TPP_ACT_RELU, .eps = 1e-5f),
     .in = {S(131, 96), S(256, 96), S(256), S(131, 256), {0}, S(256), S(256)},
     .fill = {ANY, ANY, ANY, LARGE}},
    {.name = "norm_of_a_row",
     .attr = ATTR(.act = TPP_ACT_RELU, .eps = 1e-5f),
     .in = {S(1, 1, 256), S(256, 256), {0}, {0}, {0}, S(256), S(256)}},
    {.name = "norm_of_groups_of_columns",
     .attr = ATTR(.act = TPP_ACT_NONE, .eps = 1e-5f),
     .in = {S(131, 300), S(544, 300), S(544), {0}, {0}, S(544), S(544)}},
    {.name = NULL},
};

const tpp_op tpp_op_gemm = {
    .name = "gemm",
    .attr_size = sizeof(tpp_gemm_attr),
    .fusable = true,
    .normable = true,
    .infer = infer,
    .algorithms = algorithms,
    .ref = tpp_ref_gemm,
    .cost = cost,
    .cases = cases,
};
