/* Convolution of token-major maps.
 *
 * `clblast`: a 1x1 convolution of stride 1 is a product as it stands; others write their patches as
 * rows of a matrix into scratch, strip by strip, so that scratch does not grow with the map.
 * SPDX-License-Identifier: MIT */
#include "ops/clblast.h"
#include "ops/gemm.h"
#include "ops/tile.h"
#include "ops/vector.h"

typedef struct sizes {
    int rows, cin, cout, k; /* rows of y; k: values of a patch */
    int out_height, out_width, residual_rows;
} sizes;

static int out_length(int in, const tpp_conv2d_attr *a)
{
    return (in + 2 * a->pad - a->kernel) / a->stride + 1;
}

static sizes sizes_of(const tpp_call *c)
{
    const tpp_conv2d_attr *a = c->attr;
    const tpp_shape *residual = &c->in[TPP_GEMM_RESIDUAL].shape;
    const int cin = tpp_int(c->in[TPP_GEMM_X].shape.d[2]);
    return (sizes){.rows = tpp_int(tpp_shape_rows(&c->out[0].shape)),
                   .cin = cin,
                   .cout = tpp_int(c->out[0].shape.d[2]),
                   .k = cin * a->kernel * a->kernel,
                   .out_height = out_length(a->height, a),
                   .out_width = out_length(a->width, a),
                   .residual_rows = residual->rank > 0 ? tpp_int(tpp_shape_rows(residual)) : 0};
}

static tpp_status check_residual(const tpp_shape *residual, const tpp_shape *y)
{
    if (residual->rank == 0) return TPP_OK;
    const tpp_shape want = TPP_SHAPE(-1, y->d[1], y->d[2]);
    TPP_TRY(tpp_want_shape("conv2d", "residual", residual, want));
    if (residual->d[0] == 1 || residual->d[0] == y->d[0]) return TPP_OK;
    return TPP_FAIL(TPP_ESHAPE, "conv2d: residual %s, 1 or %lld batches are wanted",
                    tpp_shape_text(residual), (long long)y->d[0]);
}

static tpp_status infer(const void *attr, const tpp_shape *in, tpp_shape *out)
{
    const tpp_conv2d_attr *a = attr;
    const tpp_shape *x = &in[TPP_GEMM_X], *w = &in[TPP_GEMM_W];
    if (a->kernel < 1 || a->stride < 1 || a->pad < 0 || a->kernel > a->height + 2 * a->pad ||
        a->kernel > a->width + 2 * a->pad)
        return TPP_FAIL(TPP_ESHAPE, "conv2d: kernel %d, stride %d, pad %d on a map of %d x %d",
                        a->kernel, a->stride, a->pad, a->height, a->width);
    TPP_TRY(tpp_want_shape("conv2d", "x", x, TPP_SHAPE(-1, (int64_t)a->height * a->width, -1)));
    TPP_TRY(tpp_want_shape("conv2d", "w", w, TPP_SHAPE(-1, x->d[2], a->kernel, a->kernel)));
    if (in[TPP_GEMM_BIAS].rank > 0)
        TPP_TRY(tpp_want_shape("conv2d", "bias", &in[TPP_GEMM_BIAS], TPP_SHAPE(w->d[0])));
    if (in[TPP_GEMM_ADDEND].rank > 0)
        return TPP_FAIL(TPP_ESHAPE, "conv2d: takes no addend, %s is given",
                        tpp_shape_text(&in[TPP_GEMM_ADDEND]));
    const tpp_shape y =
        TPP_SHAPE(x->d[0], (int64_t)out_length(a->height, a) * out_length(a->width, a), w->d[0]);
    TPP_TRY(check_residual(&in[TPP_GEMM_RESIDUAL], &y));
    out[0] = y;
    return TPP_OK;
}

static tpp_status record_plain(tpp_steps *s, const tpp_call *c)
{
    const tpp_conv2d_attr *a = c->attr;
    const sizes z = sizes_of(c);
    return tpp_record_2d(
        s, "conv2d", "conv2d_forward_plain", "", (const int64_t[2]){z.cout, z.rows},
        TPP_ARGS(TPP_ARG(c->out[0].mem), TPP_ARG(c->in[TPP_GEMM_X].mem),
                 TPP_ARG(c->in[TPP_GEMM_W].mem), TPP_ARG(c->in[TPP_GEMM_BIAS].mem),
                 TPP_ARG(c->in[TPP_GEMM_RESIDUAL].mem), TPP_ARG(a->act), TPP_ARG(a->height),
                 TPP_ARG(a->width), TPP_ARG(a->kernel), TPP_ARG(a->stride), TPP_ARG(a->pad),
                 TPP_ARG(z.out_height), TPP_ARG(z.out_width), TPP_ARG(z.rows), TPP_ARG(z.cin),
                 TPP_ARG(z.cout), TPP_ARG(z.residual_rows)));
}

/* ---- clblast ---- */

static bool is_product(const tpp_conv2d_attr *a)
{
    return a->kernel == 1 && a->stride == 1 && a->pad == 0;
}

/* Rows of a strip: a multiple of STRIP_UNIT, so that a strip of y starts where a sub-buffer may. */
enum { STRIP_UNIT = 1024, STRIP_BYTES = 32 << 20, SCRATCH_ALIGN = 4096 };

static int strip_of(const sizes *z)
{
    const int64_t units = STRIP_BYTES / ((int64_t)STRIP_UNIT * z->k * (int64_t)sizeof(float));
    const int64_t strip = STRIP_UNIT * (units < 1 ? 1 : units);
    return strip < z->rows ? (int)strip : z->rows;
}

static size_t column_bytes(const sizes *z)
{
    return tpp_round_up((size_t)strip_of(z) * (size_t)z->k * sizeof(float), SCRATCH_ALIGN);
}

static size_t scratch_clblast(const tpp_call *c, const tpp_caps *caps)
{
    (void)caps;
    const sizes z = sizes_of(c);
    if (is_product(c->attr))
        return tpp_clblast_scratch((size_t)z.rows, (size_t)z.cout, (size_t)z.k);
    return column_bytes(&z) +
           tpp_clblast_scratch((size_t)strip_of(&z), (size_t)z.cout, (size_t)z.k);
}

/* One strip: patches of rows first .. first + p->m - 1 into p->x, then their product. */
static tpp_status record_strip(tpp_steps *s, const tpp_call *c, const sizes *z, tpp_clblast_gemm *p,
                               int first)
{
    const tpp_conv2d_attr *a = c->attr;
    const int count = (int)p->m;
    tpp_operand y = {0};
    TPP_TRY(tpp_record_2d(
        s, "conv2d", "conv2d_columns", "", (const int64_t[2]){z->k, count},
        TPP_ARGS(TPP_ARG(p->x), TPP_ARG(c->in[TPP_GEMM_X].mem), TPP_ARG(first), TPP_ARG(count),
                 TPP_ARG(a->height), TPP_ARG(a->width), TPP_ARG(a->kernel), TPP_ARG(a->stride),
                 TPP_ARG(a->pad), TPP_ARG(z->out_height), TPP_ARG(z->out_width), TPP_ARG(z->cin))));
    TPP_TRY(tpp_operand_rows(&c->out[0], first, count, &y));
    p->y = y.mem;
    return tpp_clblast_record(s, p);
}

static tpp_status record_strips(tpp_steps *s, const tpp_call *c, const sizes *z)
{
    const size_t columns = column_bytes(z);
    const int64_t rest = tpp_shape_count(&c->scratch.shape) - (int64_t)columns;
    tpp_operand bytes = c->scratch, matrix = {0}, temporary = {0};
    bytes.shape = TPP_SHAPE(tpp_shape_count(&c->scratch.shape), 1);
    TPP_TRY(tpp_operand_rows(&bytes, 0, (int64_t)columns, &matrix));
    TPP_TRY(tpp_operand_rows(&bytes, (int64_t)columns, rest, &temporary));
    const int strip = strip_of(z);
    for (int first = 0; first < z->rows; first += strip) {
        const int count = z->rows - first < strip ? z->rows - first : strip;
        tpp_clblast_gemm p = {.m = (size_t)count,
                              .n = (size_t)z->cout,
                              .k = (size_t)z->k,
                              .x = matrix.mem,
                              .w = c->in[TPP_GEMM_W].mem,
                              .scratch = temporary.mem,
                              .scratch_bytes = (size_t)rest};
        TPP_TRY(record_strip(s, c, z, &p, first));
    }
    return TPP_OK;
}

static tpp_status record_product(tpp_steps *s, const tpp_call *c, const sizes *z)
{
    const tpp_clblast_gemm p = {.m = (size_t)z->rows,
                                .n = (size_t)z->cout,
                                .k = (size_t)z->k,
                                .x = c->in[TPP_GEMM_X].mem,
                                .w = c->in[TPP_GEMM_W].mem,
                                .y = c->out[0].mem,
                                .scratch = c->scratch.mem,
                                .scratch_bytes = (size_t)tpp_shape_count(&c->scratch.shape)};
    return tpp_clblast_record(s, &p);
}

static tpp_status record_clblast(tpp_steps *s, const tpp_call *c)
{
    if (!tpp_clblast_usable(tpp_steps_device(s))) return record_plain(s, c);
    const tpp_conv2d_attr *a = c->attr;
    const sizes z = sizes_of(c);
    TPP_TRY(is_product(a) ? record_product(s, c, &z) : record_strips(s, c, &z));
    return tpp_gemm_record_epilogue(s, c, a->act);
}

static const tpp_algorithm algorithms[] = {
    TPP_CONV2D_WINOGRAD_ROW,
    TPP_CONV2D_VECTOR_ROW,
    TPP_CONV2D_TILE_ROW,
    TPP_WINOGRAD_TILE_ROW,
    {.name = "clblast",
     .fuses = TPP_FUSE_BIAS | TPP_FUSE_ACT | TPP_FUSE_RESIDUAL,
     .supports = tpp_clblast_supports,
     .scratch = scratch_clblast,
     .record = record_clblast},
    {.name = "plain",
     .fuses = TPP_FUSE_BIAS | TPP_FUSE_ACT | TPP_FUSE_RESIDUAL,
     .record = record_plain},
    {.name = NULL},
};

static tpp_cost cost(const void *attr, const tpp_shape *in, const tpp_shape *out)
{
    (void)attr;
    const tpp_shape *w = &in[TPP_GEMM_W];
    return tpp_cost_pointwise(2.0 * (double)tpp_shape_count(w) / (double)w->d[0], in, out);
}

#define ATTR(...)            \
    &(const tpp_conv2d_attr) \
    {                        \
        __VA_ARGS__          \
    }
#define S TPP_DIMS

static const tpp_case cases[] = {
    {.name = "tiny_3x3",
     .attr = ATTR(TPP_ACT_RELU, 3, 4, 3, 1, 1),
     .in = {S(1, 12, 2), S(3, 2, 3, 3), S(3)}},
    {.name = "one_pixel", .attr = ATTR(0, 1, 1, 3, 1, 1), .in = {S(1, 1, 5), S(7, 5, 3, 3)}},
    {.name = "1x1",
     .attr = ATTR(TPP_ACT_RELU, 9, 7, 1, 1, 0),
     .in = {S(2, 63, 33), S(65, 33, 1, 1), S(65), S(2, 63, 65)}},
    {.name = "1x1_stride_2",
     .attr = ATTR(0, 9, 14, 1, 2, 0),
     .in = {S(2, 126, 24), S(31, 24, 1, 1), S(31)}},
    {.name = "3x3",
     .attr = ATTR(TPP_ACT_RELU, 11, 17, 3, 1, 1),
     .in = {S(2, 187, 32), S(33, 32, 3, 3), S(33)}},
    {.name = "3x3_shared_residual",
     .attr = ATTR(TPP_ACT_NONE, 8, 13, 3, 1, 1),
     .in = {S(3, 104, 17), S(32, 17, 3, 3), {0}, S(1, 104, 32)}},
    {.name = "3x3_stride_2",
     .attr = ATTR(TPP_ACT_RELU, 12, 15, 3, 2, 1),
     .in = {S(1, 180, 64), S(48, 64, 3, 3), S(48), S(1, 48, 48)}},
    {.name = "7x7_stem",
     .attr = ATTR(TPP_ACT_RELU, 33, 31, 7, 2, 3),
     .in = {S(2, 1023, 3), S(16, 3, 7, 7), S(16)}},
    {.name = "no_padding", .attr = ATTR(0, 7, 5, 5, 1, 0), .in = {S(1, 35, 4), S(6, 4, 5, 5)}},
    {.name = "wide_padding",
     .attr = ATTR(TPP_ACT_GELU, 3, 5, 3, 1, 3),
     .in = {S(1, 15, 7), S(9, 7, 3, 3), S(9)}},
    {.name = "deep",
     .attr = ATTR(TPP_ACT_RELU, 5, 4, 3, 1, 1),
     .in = {S(1, 20, 512), S(31, 512, 3, 3), S(31)}},
    {.name = "3x3_line",
     .attr = ATTR(TPP_ACT_RELU, 1, 13, 3, 1, 1),
     .in = {S(1, 13, 24), S(40, 24, 3, 3), S(40)}},
    {.name = "3x3_column",
     .attr = ATTR(TPP_ACT_NONE, 9, 1, 3, 1, 1),
     .in = {S(2, 9, 16), S(16, 16, 3, 3)}},
    {.name = "3x3_odd",
     .attr = ATTR(TPP_ACT_GELU, 5, 7, 3, 1, 1),
     .in = {S(2, 35, 40), S(70, 40, 3, 3), S(70), S(2, 35, 70)}},
    {.name = "3x3_whole_tiles",
     .attr = ATTR(TPP_ACT_RELU, 8, 12, 3, 1, 1),
     .in = {S(2, 96, 64), S(64, 64, 3, 3), S(64), S(1, 96, 64)}},
    {.name = "3x3_small_map_512",
     .attr = ATTR(TPP_ACT_RELU, 12, 20, 3, 1, 1),
     .in = {S(1, 240, 512), S(96, 512, 3, 3), S(96)}},
    {.name = "strips",
     .attr = ATTR(TPP_ACT_RELU, 37, 61, 3, 1, 1),
     .in = {S(1, 2257, 608), S(2, 608, 3, 3), S(2)}},
    {.name = NULL},
};

const tpp_op tpp_op_conv2d = {
    .name = "conv2d",
    .attr_size = sizeof(tpp_conv2d_attr),
    .fusable = true,
    .infer = infer,
    .algorithms = algorithms,
    .ref = tpp_ref_conv2d,
    .cost = cost,
    .cases = cases,
};
