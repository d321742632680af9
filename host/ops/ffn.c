/* Feed-forward block: two linear layers and the residual, by strips of rows, so that the hidden
 * rows, the widest tensor of a transformer, never exist all at once.
 * SPDX-License-Identifier: MIT */
#include "ops/ffn.h"

#include "ops/tile.h"
#include "ops/vector.h"

enum { X = TPP_FFN_X, W1 = TPP_FFN_W1, B1 = TPP_FFN_B1, W2 = TPP_FFN_W2, B2 = TPP_FFN_B2 };
/* Rows of a strip. On a CPU its hidden rows should stay in a cache; on a GPU each of the two
 * launches should fill the device: 8192 rows of 2048 hidden values are 67 MB. */
enum { STRIP = 1024, GPU_STRIP = 8192 };
enum { SCRATCH_ALIGN = 4096 }; /* bytes, at least any device's base alignment */

static tpp_status infer(const void *attr, const tpp_shape *in, tpp_shape *out)
{
    (void)attr;
    TPP_TRY(tpp_want_present("ffn", "x", &in[X]));
    const int64_t k = tpp_shape_cols(&in[X]);
    TPP_TRY(tpp_want_shape("ffn", "w1", &in[W1], TPP_SHAPE(-1, k)));
    const int64_t h = in[W1].d[0];
    TPP_TRY(tpp_want_shape("ffn", "b1", &in[B1], TPP_SHAPE(h)));
    TPP_TRY(tpp_want_shape("ffn", "w2", &in[W2], TPP_SHAPE(k, h)));
    TPP_TRY(tpp_want_shape("ffn", "b2", &in[B2], TPP_SHAPE(k)));
    TPP_TRY(tpp_want_norm("ffn", in, k));
    out[0] = in[X];
    return TPP_OK;
}

/* One strip as two calls of gemm: hidden = act(x w1^T + b1), y = hidden w2^T + b2 + x. */
typedef struct strip {
    tpp_gemm_attr attr[2];
    tpp_call call[2];
} strip;

static void strip_of(strip *t, const tpp_call *c, const tpp_operand *x, const tpp_operand *hidden,
                     const tpp_operand *y)
{
    const tpp_ffn_attr *a = c->attr;
    *t = (strip){.attr = {{.act = a->act}, {.eps = a->eps}}};
    t->call[0] =
        (tpp_call){.attr = &t->attr[0], .in = {*x, c->in[W1], c->in[B1]}, .out = {*hidden}};
    t->call[1] =
        (tpp_call){.attr = &t->attr[1], .in = {*hidden, c->in[W2], c->in[B2], *x}, .out = {*y}};
    t->call[1].in[TPP_NORM_GAMMA] = c->in[TPP_NORM_GAMMA];
    t->call[1].in[TPP_NORM_BETA] = c->in[TPP_NORM_BETA];
}

/* Rows of all strips but the last: about as many in each, and such that a sub-buffer can start
 * where one does. */
static int64_t most_rows(const tpp_call *c, const tpp_algorithm *gemm)
{
    const int64_t rows = tpp_shape_rows(&c->in[X].shape), most = gemm->gpu_only ? GPU_STRIP : STRIP;
    const int64_t strips = (rows + most - 1) / most, each = (rows + strips - 1) / strips;
    const size_t row = (size_t)tpp_shape_cols(&c->in[X].shape) * sizeof(float);
    size_t unit = 1;
    while (unit * row % SCRATCH_ALIGN != 0) unit *= 2;
    return strips > 1 ? (int64_t)tpp_round_up((size_t)each, unit) : each;
}

/* Rows of the strip that starts at row `first`. */
static int64_t strip_rows(const tpp_call *c, const tpp_algorithm *gemm, int64_t first)
{
    const int64_t rest = tpp_shape_rows(&c->in[X].shape) - first, most = most_rows(c, gemm);
    return rest < most ? rest : most;
}

static int64_t hidden_cols(const tpp_call *c)
{
    return tpp_shape_count(&c->in[B1].shape);
}

static size_t hidden_bytes(const tpp_call *c, const tpp_algorithm *gemm)
{
    const int64_t count = strip_rows(c, gemm, 0) * hidden_cols(c);
    return tpp_round_up((size_t)count * sizeof(float), SCRATCH_ALIGN);
}

/* The strip that starts at row `first` with shapes only; parameters of the rows of `gemm`. */
static void shape_strip(strip *t, const tpp_call *c, const tpp_algorithm *gemm,
                        const tpp_caps *caps, int64_t first)
{
    const int64_t rows = strip_rows(c, gemm, first), k = tpp_shape_cols(&c->in[X].shape);
    const tpp_operand x = {.shape = TPP_SHAPE(rows, k)};
    const tpp_operand hidden = {.shape = TPP_SHAPE(rows, hidden_cols(c))};
    strip_of(t, c, &x, &hidden, &x);
    for (int i = 0; i < 2; i++) t->call[i].params = tpp_default_params(gemm, &t->call[i], caps);
}

static bool supports(const tpp_call *c, const tpp_caps *caps, const char *name)
{
    const tpp_algorithm *gemm = tpp_op_algorithm(&tpp_op_gemm, name);
    strip t;
    shape_strip(&t, c, gemm, caps, 0);
    return tpp_algorithm_takes(&tpp_op_gemm, gemm, &t.call[0], caps) &&
           tpp_algorithm_takes(&tpp_op_gemm, gemm, &t.call[1], caps);
}

/* The hidden rows of a strip, and what the products want: the last strip, of fewer rows, may be cut
 * otherwise and want more. */
static size_t scratch(const tpp_call *c, const tpp_caps *caps, const char *name)
{
    const tpp_algorithm *gemm = tpp_op_algorithm(&tpp_op_gemm, name);
    const int64_t rows = tpp_shape_rows(&c->in[X].shape), most = most_rows(c, gemm);
    const int64_t starts[2] = {0, (rows - 1) / most * most};
    size_t inner = 0;
    for (int i = 0; i < 4 && gemm->scratch != NULL; i++) {
        strip t;
        shape_strip(&t, c, gemm, caps, starts[i / 2]);
        const size_t bytes = gemm->scratch(&t.call[i % 2], caps);
        if (bytes > inner) inner = bytes;
    }
    return hidden_bytes(c, gemm) + inner;
}

static tpp_status record_strip(tpp_steps *s, const tpp_call *c, const tpp_algorithm *gemm,
                               const tpp_operand *scratch_of[2], int64_t first)
{
    const int64_t rows = strip_rows(c, gemm, first);
    tpp_operand x = {0}, y = {0}, hidden = *scratch_of[0];
    hidden.shape = TPP_SHAPE(rows, hidden_cols(c));
    TPP_TRY(tpp_operand_rows(&c->in[X], first, rows, &x));
    TPP_TRY(tpp_operand_rows(&c->out[0], first, rows, &y));
    strip t;
    strip_of(&t, c, &x, &hidden, &y);
    for (int i = 0; i < 2; i++) {
        t.call[i].scratch = *scratch_of[1];
        t.call[i].params =
            tpp_default_params(gemm, &t.call[i], tpp_device_caps(tpp_steps_device(s)));
        TPP_TRY(gemm->record(s, &t.call[i]));
    }
    return TPP_OK;
}

static tpp_status record(tpp_steps *s, const tpp_call *c, const char *name)
{
    const tpp_algorithm *gemm = tpp_op_algorithm(&tpp_op_gemm, name);
    const int64_t bytes = tpp_shape_count(&c->scratch.shape);
    const int64_t hidden = (int64_t)hidden_bytes(c, gemm), step = most_rows(c, gemm);
    tpp_operand all = c->scratch, rows = {0}, inner = {0};
    all.shape = TPP_SHAPE(bytes, 1);
    TPP_TRY(tpp_operand_rows(&all, 0, hidden, &rows));
    rows.type = TPP_F32;
    if (bytes > hidden) TPP_TRY(tpp_operand_rows(&all, hidden, bytes - hidden, &inner));
    for (int64_t first = 0; first < tpp_shape_rows(&c->in[X].shape); first += step)
        TPP_TRY(record_strip(s, c, gemm, (const tpp_operand *[2]){&rows, &inner}, first));
    return TPP_OK;
}

/* The op's algorithm NAME is gemm's algorithm NAME. */
#define DEFINE_ALGORITHM(name)                                            \
    static bool supports_##name(const tpp_call *c, const tpp_caps *caps)  \
    {                                                                     \
        return supports(c, caps, #name);                                  \
    }                                                                     \
    static size_t scratch_##name(const tpp_call *c, const tpp_caps *caps) \
    {                                                                     \
        return scratch(c, caps, #name);                                   \
    }                                                                     \
    static tpp_status record_##name(tpp_steps *s, const tpp_call *c)      \
    {                                                                     \
        return record(s, c, #name);                                       \
    }
DEFINE_ALGORITHM(vector)
DEFINE_ALGORITHM(tile)
DEFINE_ALGORITHM(clblast)
DEFINE_ALGORITHM(plain)
#define ROW(id) .name = #id, .supports = supports_##id

static bool usable_tile(tpp_device *d, const tpp_call *c)
{
    strip t;
    shape_strip(&t, c, tpp_op_algorithm(&tpp_op_gemm, "tile"), tpp_device_caps(d), 0);
    return tpp_gemm_tile_usable(d, &t.call[0]) && tpp_gemm_tile_usable(d, &t.call[1]);
}

/* With a norm only in one launch: two products would give the second to few work-items. */
static bool supports_fused(const tpp_call *c, const tpp_caps *caps)
{
    if (c->in[TPP_NORM_GAMMA].shape.rank == 0) return supports_vector(c, caps);
    tpp_call call = *c;
    (void)tpp_ffn_vector_variant(c, caps, 0, &call.params);
    return tpp_shape_cols(&c->in[X].shape) % tpp_vector_width(caps) == 0 &&
           tpp_ffn_vector_is_fused(&call, caps);
}

static size_t scratch_fused(const tpp_call *c, const tpp_caps *caps)
{
    return tpp_ffn_vector_is_fused(c, caps) ? 0 : scratch_vector(c, caps);
}

static tpp_status record_fused(tpp_steps *s, const tpp_call *c)
{
    const bool fused = tpp_ffn_vector_is_fused(c, tpp_device_caps(tpp_steps_device(s)));
    return fused ? tpp_ffn_vector_record(s, c) : record_vector(s, c);
}

static const tpp_algorithm algorithms[] = {
    {.name = "vector",
     .supports = supports_fused,
     .fuses = TPP_FUSE_NORM,
     .packs = 1u << W1 | 1u << W2,
     .cpu_only = true,
     .param = {"rows", "strips", "block"},
     .variant = tpp_ffn_vector_variant,
     .scratch = scratch_fused,
     .record = record_fused},
    {ROW(tile), .fuses = TPP_FUSE_NORM, .gpu_only = true, .packs = 1u << W1 | 1u << W2,
     .packing = tpp_tile_packing, .usable = usable_tile, .scratch = scratch_tile,
     .record = record_tile},
    {ROW(clblast), .scratch = scratch_clblast, .record = record_clblast},
    {ROW(plain), .fuses = TPP_FUSE_NORM, .scratch = scratch_plain, .record = record_plain},
    {.name = NULL},
};

static tpp_cost cost(const void *attr, const tpp_shape *in, const tpp_shape *out)
{
    (void)attr;
    return tpp_cost_pointwise(4.0 * (double)in[W1].d[0], in, out);
}

#define ATTR(a)                  \
    &(const tpp_ffn_attr)        \
    {                            \
        .act = (a), .eps = 1e-5f \
    }
#define S TPP_DIMS

static const tpp_case cases[] = {
    {.name = "tiny", .attr = ATTR(TPP_ACT_RELU), .in = {S(2, 3), S(5, 3), S(5), S(3, 5), S(3)}},
    {.name = "one_row",
     .attr = ATTR(TPP_ACT_GELU),
     .in = {S(1, 1, 33), S(64, 33), S(64), S(33, 64), S(33)}},
    {.name = "batches",
     .attr = ATTR(TPP_ACT_RELU),
     .in = {S(3, 31, 32), S(65, 32), S(65), S(32, 65), S(32)}},
    {.name = "three_strips",
     .attr = ATTR(TPP_ACT_RELU),
     .in = {S(2, 1031, 16), S(40, 16), S(40), S(16, 40), S(16)}},
    {.name = "two_strips_on_a_gpu",
     .attr = ATTR(TPP_ACT_RELU),
     .in = {S(1, 8209, 8), S(24, 8), S(24), S(8, 24), S(8)}},
    {.name = "norm",
     .attr = ATTR(TPP_ACT_RELU),
     .in = {S(3, 131, 48), S(65, 48), S(65), S(48, 65), S(48), S(48), S(48)},
     .fill = {TPP_FILL_LARGE}},
    {.name = "model",
     .attr = ATTR(TPP_ACT_RELU),
     .in = {S(1, 37, 256), S(512, 256), S(512), S(256, 512), S(256)}},
    {.name = NULL},
};

const tpp_op tpp_op_ffn = {
    .name = "ffn",
    .attr_size = sizeof(tpp_ffn_attr),
    .normable = true,
    .infer = infer,
    .algorithms = algorithms,
    .ref = tpp_ref_ffn,
    .cost = cost,
    .cases = cases,
};
