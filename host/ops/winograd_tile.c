/* The `winograd_tile` algorithm of conv2d: 3x3, stride 1, pad 1, by minimal filtering on GPUs; what
 * is computed stands in cl_kernels/winograd_tile.cl. Three launches a strip in place of one, for a
 * half or a fourth of the multiply-adds: tuning alone takes it, and checks it.
 * SPDX-License-Identifier: MIT */
#include "ops/gemm.h"
#include "ops/tile.h"
#include "ops/vector.h"

#include <stdio.h>

enum { TILE }; /* of tpp_params: outputs of a tile, along one axis */
enum { STRIP_BYTES = 16 << 20, SCRATCH_ALIGN = 4096 };

typedef struct cut {
    int height, width, cin, cout, residual_rows;
    int frequencies, tiles, strip; /* strip: tiles of one */
    size_t v_bytes, m_bytes;       /* of a strip */
} cut;

static int64_t ceil_div(int64_t a, int64_t b)
{
    return (a + b - 1) / b;
}

static cut cut_work(const tpp_call *c)
{
    const tpp_conv2d_attr *a = c->attr;
    const tpp_shape *residual = &c->in[TPP_GEMM_RESIDUAL].shape;
    const int tile = c->params.n[TILE];
    cut z = {.height = a->height,
             .width = a->width,
             .cin = tpp_int(c->in[TPP_GEMM_X].shape.d[2]),
             .cout = tpp_int(tpp_shape_cols(&c->out[0].shape)),
             .residual_rows = residual->rank > 0 ? tpp_int(tpp_shape_rows(residual)) : 1,
             .frequencies = (tile + 2) * (tile + 2),
             .tiles = tpp_int(tpp_winograd_tiles(c, tile))};
    const size_t v = sizeof(float) * (size_t)z.frequencies * (size_t)z.cin,
                 m = sizeof(float) * (size_t)z.frequencies * (size_t)z.cout;
    const int64_t most = STRIP_BYTES / (int64_t)(v + m);
    z.strip = (int)ceil_div(z.tiles, ceil_div(z.tiles, most < 1 ? 1 : most)); /* even strips */
    z.v_bytes = tpp_round_up(v * (size_t)z.strip, SCRATCH_ALIGN);
    z.m_bytes = tpp_round_up(m * (size_t)z.strip, SCRATCH_ALIGN);
    return z;
}

bool tpp_winograd_tile_supports(const tpp_call *c, const tpp_caps *caps)
{
    return tpp_gemm_tile_runs_on(caps) && tpp_winograd_takes(c, TPP_TILE_PANEL);
}

bool tpp_winograd_tile_variant(const tpp_call *c, const tpp_caps *caps, int i, tpp_params *out)
{
    (void)c, (void)caps;
    *out = (tpp_params){{i == 0 ? 4 : 2}}; /* errors of tile 4 are five times those of 2 */
    return i < 2;
}

void tpp_winograd_tile_packing(const tpp_call *c, const tpp_caps *caps, tpp_pack_attr *attr)
{
    tpp_tile_packing(c, caps, attr);
    attr->winograd = c->params.n[TILE];
}

size_t tpp_winograd_tile_scratch(const tpp_call *c, const tpp_caps *caps)
{
    (void)caps;
    const cut z = cut_work(c);
    return z.v_bytes + z.m_bytes;
}

static tpp_status record_strip(tpp_steps *s, const tpp_call *c, const cut *z, cl_mem v, cl_mem m,
                               int first)
{
    const tpp_conv2d_attr *a = c->attr;
    const int count = z->tiles - first < z->strip ? z->tiles - first : z->strip;
    char options[16];
    (void)snprintf(options, sizeof(options), "-DTILE=%d", c->params.n[TILE]);
    TPP_TRY(tpp_record_2d(
        s, "winograd_tile", "winograd_windows_tile", options, (const int64_t[2]){z->cin, count},
        TPP_ARGS(TPP_ARG(v), TPP_ARG(c->in[TPP_GEMM_X].mem), TPP_ARG(first), TPP_ARG(count),
                 TPP_ARG(z->height), TPP_ARG(z->width), TPP_ARG(z->cin))));
    const tpp_tile_batch products = {.count = z->frequencies,
                                     .m = count,
                                     .n = z->cout,
                                     .k = z->cin,
                                     .y = m,
                                     .x = v,
                                     .panels = c->in[TPP_GEMM_W].mem};
    TPP_TRY(tpp_gemm_tile_record_batch(s, &products));
    return tpp_record_2d(
        s, "winograd_tile", "winograd_outputs_tile", options, (const int64_t[2]){z->cout, count},
        TPP_ARGS(TPP_ARG(c->out[0].mem), TPP_ARG(m), TPP_ARG(c->in[TPP_GEMM_BIAS].mem),
                 TPP_ARG(c->in[TPP_GEMM_RESIDUAL].mem), TPP_ARG(a->act), TPP_ARG(z->cout),
                 TPP_ARG(z->residual_rows), TPP_ARG(first), TPP_ARG(count), TPP_ARG(z->height),
                 TPP_ARG(z->width)));
}

tpp_status tpp_winograd_tile_record(tpp_steps *s, const tpp_call *c)
{
    const cut z = cut_work(c);
    tpp_operand bytes = c->scratch, v = {0}, m = {0};
    bytes.shape = TPP_SHAPE(tpp_shape_count(&c->scratch.shape), 1);
    TPP_TRY(tpp_operand_rows(&bytes, 0, (int64_t)z.v_bytes, &v));
    TPP_TRY(tpp_operand_rows(&bytes, (int64_t)z.v_bytes, (int64_t)z.m_bytes, &m));
    for (int first = 0; first < z.tiles; first += z.strip)
        TPP_TRY(record_strip(s, c, &z, v.mem, m.mem, first));
    return TPP_OK;
}
