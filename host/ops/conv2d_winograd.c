/* The `winograd` algorithm of conv2d: 3x3, stride 1, pad 1, by minimal filtering. Sizes of its
 * tiles and strips, and the launches; what is computed stands in cl_kernels/conv2d_winograd.cl.
 * SPDX-License-Identifier: MIT */
#include "ops/gemm.h"
#include "ops/vector.h"

#include <limits.h>
#include <stdio.h>

enum { TILE, ROWS, BLOCK, STRIP }; /* of tpp_params; STRIP: MiB of scratch; 0: none, one launch */

/* How a call is cut. Tiles go in groups of `rows`, groups in strips. */
typedef struct cut {
    int batch, height, width, cin, cout, residual_rows;
    int tile, frequencies, rows, block, vector_width;
    int tiles, groups, strip; /* strip: groups of one */
    int blocks, panels;
    int whole;               /* groups of a work-item that does all; 0: strips */
    size_t v_bytes, m_bytes; /* of a strip */
} cut;

static int ceil_div(int a, int b)
{
    return (a + b - 1) / b;
}

int64_t tpp_winograd_tiles(const tpp_call *c, int tile)
{
    const tpp_conv2d_attr *a = c->attr;
    return c->in[TPP_GEMM_X].shape.d[0] * ceil_div(a->height, tile) * ceil_div(a->width, tile);
}

/* Fewer input channels do not pay for the transforms of the outputs. */
enum { LEAST_CHANNELS = 16 };
enum { ROW_PAD = 16, SCRATCH_ALIGN = 4096 }; /* ROW_PAD: of LDA in tile.clh */

/* Groups of a work-item that does all: as many as half the local memory holds, so that the second
 * cache, which it is on CPUs, has room for weights, up to four, and such that compute units get as
 * many each. 0: not one fits. */
static int whole_groups(const cut *z, const tpp_caps *caps)
{
    const size_t panel = (size_t)tpp_panel_width(caps);
    const size_t group = sizeof(float) * (size_t)(z->frequencies * z->rows) *
                         (tpp_round_up((size_t)z->cin, (size_t)z->vector_width) + ROW_PAD + panel);
    const int units = caps->compute_units > 0 ? caps->compute_units : 1;
    int best = group <= caps->local_mem ? 1 : 0, least = ceil_div(z->groups, units);
    for (int i = 2; i <= 4 && group * (size_t)i <= caps->local_mem / 2 + group; i++) {
        const int turns = ceil_div(ceil_div(z->groups, i), units) * i;
        if (turns > least) continue;
        least = turns;
        best = i;
    }
    return best;
}

static cut cut_work(const tpp_call *c, const tpp_caps *caps)
{
    const tpp_conv2d_attr *a = c->attr;
    const tpp_shape *x = &c->in[TPP_GEMM_X].shape, *residual = &c->in[TPP_GEMM_RESIDUAL].shape;
    const int *n = c->params.n;
    cut z = {.batch = tpp_int(x->d[0]),
             .height = a->height,
             .width = a->width,
             .cin = tpp_int(x->d[2]),
             .cout = tpp_int(tpp_shape_cols(&c->out[0].shape)),
             .residual_rows = residual->rank > 0 ? tpp_int(tpp_shape_rows(residual)) : 1,
             .tile = n[TILE],
             .frequencies = (n[TILE] + 2) * (n[TILE] + 2),
             .rows = n[ROWS],
             .vector_width = tpp_vector_width(caps)};
    const int channels = (int)tpp_round_up((size_t)z.cin, (size_t)z.vector_width);
    z.tiles = tpp_int(tpp_winograd_tiles(c, z.tile));
    z.groups = ceil_div(z.tiles, z.rows);
    z.panels = ceil_div(z.cout, tpp_panel_width(caps));
    if (n[STRIP] == 0) {
        z.block = channels;
        z.whole = whole_groups(&z, caps);
        return z;
    }
    z.block = channels < n[BLOCK] ? channels : n[BLOCK];
    z.blocks = ceil_div(z.cin, z.block);
    const size_t row = sizeof(float) * (size_t)z.frequencies * (size_t)z.rows;
    const size_t v = row * (size_t)z.blocks * (size_t)(z.block + ROW_PAD);
    const size_t m = row * (size_t)z.panels * (size_t)tpp_panel_width(caps);
    const size_t most = ((size_t)n[STRIP] << 20) / (v + m);
    const int fit = most < 1 ? 1 : most < (size_t)z.groups ? (int)most : z.groups;
    z.strip = ceil_div(z.groups, ceil_div(z.groups, fit)); /* even strips */
    z.v_bytes = tpp_round_up(v * (size_t)z.strip, SCRATCH_ALIGN);
    z.m_bytes = tpp_round_up(m * (size_t)z.strip, SCRATCH_ALIGN);
    return z;
}

bool tpp_winograd_takes(const tpp_call *c, int panel)
{
    const tpp_conv2d_attr *a = c->attr;
    const tpp_shape *w = &c->in[TPP_GEMM_W].shape;
    if (a->kernel != 3 || a->stride != 1 || a->pad != 1) return false;
    if (w->d[1] < LEAST_CHANNELS) return false;
    /* Packed weights and tiles are counted with ints. */
    const int64_t n = (int64_t)tpp_round_up((size_t)w->d[0], (size_t)panel);
    return tpp_winograd_tiles(c, 2) <= INT_MAX / 16 && 36 * n <= INT_MAX / w->d[1];
}

bool tpp_conv2d_winograd_supports(const tpp_call *c, const tpp_caps *caps)
{
    return tpp_winograd_takes(c, tpp_panel_width(caps));
}

/* Rows of a register tile by vector width, the fastest first: with two vectors of sums each they
 * keep the multipliers busy, and leave registers (32 or 16) for the panel. */
static const int wide_rows[] = {8, 12, 10, 0}, narrow_rows[] = {6, 5, 0};

/* The rows that fill this many tiles up with the fewest more. */
static int best_rows(const int *rows, int64_t tiles)
{
    int best = rows[0];
    for (int i = 1; rows[i] > 0; i++)
        if ((tiles + rows[i] - 1) / rows[i] * rows[i] < (tiles + best - 1) / best * best)
            best = rows[i];
    return best;
}

/* MiB of scratch: a strip reads all weights, so large ones want long strips; short ones stay in a
 * nearer cache. */
static int best_strip(const tpp_call *c, int tile)
{
    const int64_t values = (int64_t)(tile + 2) * (tile + 2) * c->in[TPP_GEMM_X].shape.d[2] *
                           tpp_shape_cols(&c->out[0].shape);
    return values < 1 << 20 ? 8 : 16; /* 4 MiB */
}

enum { BEST = -1 }; /* a strip by the sizes */

/* A set of parameters with what the sizes decide; false: this device cannot. */
static bool complete(const tpp_call *c, const tpp_caps *caps, tpp_params set, tpp_params *out)
{
    const bool wide = caps->vector_width >= 16;
    tpp_call call = *c;
    int *n = set.n;
    if (n[ROWS] == 0)
        n[ROWS] = best_rows(wide ? wide_rows : narrow_rows, tpp_winograd_tiles(c, n[TILE]));
    if (!wide && n[ROWS] > narrow_rows[0]) n[ROWS] = 4;
    if (n[STRIP] == BEST) n[STRIP] = best_strip(c, n[TILE]);
    call.params = *out = set;
    return n[STRIP] > 0 || cut_work(&call, caps).whole > 0;
}

/* Does a launch of whole groups keep compute units equally busy, with weights that stay in the
 * second cache or are read for several groups? */
static bool suits_whole(const tpp_call *c, const tpp_caps *caps, const tpp_params *params)
{
    enum { TURNS = 4 };
    tpp_call call = *c;
    call.params = *params;
    const cut z = cut_work(&call, caps);
    const size_t weights = sizeof(float) * (size_t)(z.frequencies * z.panels) * (size_t)z.cin *
                           (size_t)tpp_panel_width(caps);
    return z.whole > (weights <= caps->local_mem ? 0 : 1) &&
           z.groups >= TURNS * z.whole * caps->compute_units;
}

bool tpp_conv2d_winograd_variant(const tpp_call *c, const tpp_caps *caps, int i, tpp_params *out)
{
    /* 0 rows: the best by the sizes. Errors of tile 4 are five times those of 2. */
    static const tpp_params whole = {{4, 0, 0, 0}};
    static const tpp_params sets[] = {
        {{4, 0, 256, BEST}}, {{4, 0, 0, 0}}, {{2, 0, 256, BEST}},  {{4, 0, 128, BEST}},
        {{2, 0, 128, BEST}}, {{2, 0, 0, 0}}, {{4, 14, 128, BEST}}, {{4, 0, 256, 4}}};
    const bool first = complete(c, caps, whole, out) && suits_whole(c, caps, out);
    if (first && i == 0) return true;
    if (first) i--;
    for (int j = 0; j < (int)(sizeof(sets) / sizeof(*sets)); j++) {
        if ((first && j == 1) || !complete(c, caps, sets[j], out)) continue;
        if (i-- == 0) return true;
    }
    return false;
}

void tpp_conv2d_winograd_packing(const tpp_call *c, const tpp_caps *caps, tpp_pack_attr *attr)
{
    (void)caps;
    attr->winograd = c->params.n[TILE];
}

size_t tpp_conv2d_winograd_scratch(const tpp_call *c, const tpp_caps *caps)
{
    const cut z = cut_work(c, caps);
    return z.v_bytes + z.m_bytes;
}

/* A strip: where its matrices are, and which groups it has. */
typedef struct strip {
    const char *options;
    cl_mem v, m;
    int first_tile, groups;
} strip;

static tpp_status record_windows(tpp_steps *s, const tpp_call *c, const cut *z, const strip *at)
{
    const tpp_grid grid = {.global = {(size_t)at->groups, (size_t)z->blocks}};
    return tpp_record(s, "conv2d_winograd", "conv2d_windows_winograd", at->options, grid,
                      TPP_ARGS(TPP_ARG(at->v), TPP_ARG(c->in[TPP_GEMM_X].mem),
                               TPP_ARG(at->first_tile), TPP_ARG(z->tiles), TPP_ARG(z->height),
                               TPP_ARG(z->width), TPP_ARG(z->cin)));
}

static tpp_status record_products(tpp_steps *s, const tpp_call *c, const cut *z, const strip *at)
{
    enum { PIECES_EACH = 10 }; /* work-items a compute unit should get at least */
    const int units = tpp_device_caps(tpp_steps_device(s))->compute_units;
    const int parts = ceil_div(PIECES_EACH * (units > 0 ? units : 1), z->frequencies);
    const int panels_each = ceil_div(z->panels, parts < z->panels ? parts : z->panels);
    const tpp_grid grid = {
        .global = {(size_t)z->frequencies, (size_t)ceil_div(z->panels, panels_each)}};
    return tpp_record(s, "conv2d_winograd", "conv2d_products_winograd", at->options, grid,
                      TPP_ARGS(TPP_ARG(at->m), TPP_ARG(at->v), TPP_ARG(c->in[TPP_GEMM_W].mem),
                               TPP_ARG(z->cin), TPP_ARG(z->panels), TPP_ARG(at->groups),
                               TPP_ARG(panels_each)));
}

static tpp_status record_tiles(tpp_steps *s, const tpp_call *c, const cut *z, const strip *at)
{
    const tpp_conv2d_attr *a = c->attr;
    const tpp_grid grid = {.global = {(size_t)at->groups, (size_t)z->panels}};
    return tpp_record(s, "conv2d_winograd", "conv2d_tiles_winograd", at->options, grid,
                      TPP_ARGS(TPP_ARG(c->out[0].mem), TPP_ARG(at->m),
                               TPP_ARG(c->in[TPP_GEMM_BIAS].mem),
                               TPP_ARG(c->in[TPP_GEMM_RESIDUAL].mem), TPP_ARG(a->act),
                               TPP_ARG(z->cout), TPP_ARG(z->residual_rows), TPP_ARG(at->first_tile),
                               TPP_ARG(z->tiles), TPP_ARG(z->height), TPP_ARG(z->width)));
}

static tpp_status record_whole(tpp_steps *s, const tpp_call *c, const cut *z, const char *options)
{
    const tpp_conv2d_attr *a = c->attr;
    const tpp_grid grid = {.global = {(size_t)ceil_div(z->groups, z->whole)}};
    return tpp_record(s, "conv2d_winograd", "conv2d_whole_winograd", options, grid,
                      TPP_ARGS(TPP_ARG(c->out[0].mem), TPP_ARG(c->in[TPP_GEMM_X].mem),
                               TPP_ARG(c->in[TPP_GEMM_W].mem), TPP_ARG(c->in[TPP_GEMM_BIAS].mem),
                               TPP_ARG(c->in[TPP_GEMM_RESIDUAL].mem), TPP_ARG(a->act),
                               TPP_ARG(z->cout), TPP_ARG(z->residual_rows), TPP_ARG(z->tiles),
                               TPP_ARG(z->height), TPP_ARG(z->width), TPP_ARG(z->cin)));
}

tpp_status tpp_conv2d_winograd_record(tpp_steps *s, const tpp_call *c)
{
    const cut z = cut_work(c, tpp_device_caps(tpp_steps_device(s)));
    char options[96];
    (void)snprintf(options, sizeof(options), "-DTILE=%d -DVW=%d -DMR=%d -DKB=%d -DGROUPS=%d",
                   z.tile, z.vector_width, z.rows, z.block, z.whole);
    if (z.whole > 0) return record_whole(s, c, &z, options);
    tpp_operand bytes = c->scratch, v = {0}, m = {0};
    bytes.shape = TPP_SHAPE(tpp_shape_count(&c->scratch.shape), 1);
    TPP_TRY(tpp_operand_rows(&bytes, 0, (int64_t)z.v_bytes, &v));
    TPP_TRY(tpp_operand_rows(&bytes, (int64_t)z.v_bytes, (int64_t)z.m_bytes, &m));
    for (int first = 0; first < z.groups; first += z.strip) {
        const strip at = {.options = options,
                          .v = v.mem,
                          .m = m.mem,
                          .first_tile = first * z.rows,
                          .groups = z.groups - first < z.strip ? z.groups - first : z.strip};
        TPP_TRY(record_windows(s, c, &z, &at));
        TPP_TRY(record_products(s, c, &z, &at));
        TPP_TRY(record_tiles(s, c, &z, &at));
    }
    return TPP_OK;
}
