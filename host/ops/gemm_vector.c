/* The `vector` algorithms of gemm and conv2d: implicit GEMM in register tiles. How work is cut, and
 * the launches.
 * SPDX-License-Identifier: MIT */
#include "ops/gemm.h"
#include "ops/vector.h"

#include <stdio.h>

enum { ROWS, STRIPS, BLOCK }; /* of tpp_params: rows of a tile, tiles of a work-item, KB */
enum { MOST_GROUPS = 64 };    /* of columns */

/* Parameters by vector width, the default first. A tile leaves registers for the panel (2) and the
 * broadcast value: AVX-512 has 32, AVX2 16. Measured in bench/README.md. */
static const tpp_params wide[] = {{{10, 6, 256}}, {{8, 8, 256}},  {{7, 8, 256}},  {{14, 4, 256}},
                                  {{14, 8, 128}}, {{12, 5, 256}}, {{8, 12, 128}}, {{8, 4, 512}}};
static const tpp_params narrow[] = {
    {{6, 16, 128}}, {{6, 8, 256}}, {{5, 12, 256}}, {{4, 16, 128}}, {{4, 16, 256}}};

bool tpp_vector_params(const tpp_caps *caps, const tpp_param_sets *sets, int i, tpp_params *out)
{
    const bool is_wide = tpp_vector_width(caps) == 16;
    if (i >= (is_wide ? sets->n_wide : sets->n_narrow)) return false;
    *out = is_wide ? sets->wide[i] : sets->narrow[i];
    return true;
}

int tpp_vector_width(const tpp_caps *caps)
{
    return caps->vector_width >= 16 ? 16 : 8;
}

/* Of gemm_vector.cl: gathered rows and sums of a group of columns, corners of patches, bias. */
static size_t local_bytes(const tpp_tile *t)
{
    enum { GROUP_COLUMNS = 256, PAD = 16 };
    const size_t rows = (size_t)t->rows * (size_t)t->strips;
    return rows * (((size_t)t->block + GROUP_COLUMNS + 2 * PAD) * sizeof(float) + 2 * sizeof(int)) +
           (GROUP_COLUMNS + PAD) * sizeof(float);
}

tpp_tile tpp_tile_of(const tpp_caps *caps, const tpp_params *params)
{
    tpp_tile t = {.vector_width = tpp_vector_width(caps),
                  .rows = params->n[ROWS],
                  .strips = params->n[STRIPS],
                  .block = params->n[BLOCK]};
    while (t.strips > 1 && local_bytes(&t) > caps->local_mem) t.strips--;
    (void)snprintf(t.options, sizeof(t.options), "-DVW=%d -DMR=%d -DSTRIPS=%d -DKB=%d",
                   t.vector_width, t.rows, t.strips, t.block);
    return t;
}

/* Does one tile fit, if no more? */
static bool fits(const tpp_caps *caps, const tpp_params *params)
{
    const tpp_tile t = tpp_tile_of(caps, params);
    return local_bytes(&t) <= caps->local_mem;
}

/* Those that fit, in the table's order. */
bool tpp_gemm_vector_variant(const tpp_call *c, const tpp_caps *caps, int i, tpp_params *out)
{
    (void)c;
    for (int row = 0; tpp_vector_params(caps, &TPP_PARAM_SETS(wide, narrow), row, out); row++)
        if (fits(caps, out) && i-- == 0) return true;
    return false;
}

static bool any_fits(const tpp_caps *caps)
{
    tpp_params first;
    return tpp_gemm_vector_variant(NULL, caps, 0, &first);
}

bool tpp_conv2d_vector_supports(const tpp_call *c, const tpp_caps *caps)
{
    (void)c;
    return any_fits(caps);
}

/* How m rows and n columns are shared out: `row_blocks` by `column_groups` work-items. */
typedef struct cut {
    int strips, panels_each, row_blocks, column_groups;
} cut;

static int ceil_div(int a, int b)
{
    return (a + b - 1) / b;
}

/* Cycles that the busiest compute unit takes with a cut, about: multiply-adds, rows gathered,
 * panels read by each work-item (from the second cache if they fit there), and its start. */
static double cycles_of(const tpp_tile *t, int units, int k, const cut *c)
{
    const double gather = 0.12, near = 48, far = 16, start = 3000; /* a float; bytes a cycle */
    const double panel = 2.0 * t->vector_width * k * sizeof(float);
    const double rows = (double)c->strips * t->rows, bytes = panel * c->panels_each;
    const int gathered = k > t->block ? ceil_div(c->panels_each * 2 * t->vector_width, 256) : 1;
    const bool fits = bytes <= 512 * 1024;
    return ceil_div(c->row_blocks * c->column_groups, units) *
           (rows * c->panels_each * k + gather * rows * k * gathered + bytes / (fits ? near : far) +
            start);
}

static cut cut_work(const tpp_tile *t, const tpp_caps *caps, int m, int n, int k, int most_groups)
{
    const int tiles = ceil_div(m, t->rows), panels = ceil_div(n, 2 * t->vector_width);
    const int units = caps->compute_units > 0 ? caps->compute_units : 1;
    cut best = {0};
    double least = 0;
    for (int strips = t->strips; strips > 0; strips--)
        for (int groups = 1; groups <= panels && groups <= most_groups; groups++) {
            cut c = {.strips = strips,
                     .panels_each = ceil_div(panels, groups),
                     .row_blocks = ceil_div(tiles, strips)};
            c.column_groups = ceil_div(panels, c.panels_each);
            const double cycles = cycles_of(t, units, k, &c);
            if (least > 0 && cycles >= least) continue;
            least = cycles;
            best = c;
        }
    return best;
}

/* Is it faster to let each work-item have whole rows, and norm them, than to launch a norm? */
static bool norms(const tpp_call *c, const tpp_caps *caps)
{
    enum { LAUNCH = 20000 }; /* cycles, about */
    tpp_params params = {{0}};
    (void)tpp_gemm_vector_variant(c, caps, 0, &params);
    const tpp_gemm_sizes z = tpp_gemm_sizes_of(c);
    const tpp_tile t = tpp_tile_of(caps, &params);
    const int units = caps->compute_units > 0 ? caps->compute_units : 1;
    const cut whole = cut_work(&t, caps, z.m, z.n, z.k, 1);
    const cut any = cut_work(&t, caps, z.m, z.n, z.k, MOST_GROUPS);
    return z.n % t.vector_width == 0 &&
           cycles_of(&t, units, z.k, &whole) <= cycles_of(&t, units, z.k, &any) + LAUNCH;
}

bool tpp_gemm_vector_supports(const tpp_call *c, const tpp_caps *caps)
{
    if (((const tpp_gemm_attr *)c->attr)->trans_x != 0 || !any_fits(caps)) return false;
    return c->in[TPP_NORM_GAMMA].shape.rank == 0 || norms(c, caps);
}

tpp_status tpp_gemm_vector_record(tpp_steps *s, const tpp_call *c)
{
    const tpp_caps *caps = tpp_device_caps(tpp_steps_device(s));
    const tpp_gemm_attr *a = c->attr;
    const tpp_gemm_sizes z = tpp_gemm_sizes_of(c);
    const tpp_tile t = tpp_tile_of(caps, &c->params);
    const cl_mem gamma = c->in[TPP_NORM_GAMMA].mem;
    const cut w = cut_work(&t, caps, z.m, z.n, z.k, gamma != NULL ? 1 : MOST_GROUPS);
    const tpp_grid grid = {.global = {(size_t)w.row_blocks, (size_t)w.column_groups}};
    return tpp_record(s, "gemm_vector", "gemm_vector", t.options, grid,
                      TPP_ARGS(TPP_ARG(c->out[0].mem), TPP_ARG(c->in[TPP_GEMM_X].mem),
                               TPP_ARG(c->in[TPP_GEMM_W].mem), TPP_ARG(c->in[TPP_GEMM_BIAS].mem),
                               TPP_ARG(c->in[TPP_GEMM_RESIDUAL].mem),
                               TPP_ARG(c->in[TPP_GEMM_ADDEND].mem), TPP_ARG(a->act), TPP_ARG(z.m),
                               TPP_ARG(z.n), TPP_ARG(z.k), TPP_ARG(z.residual_rows),
                               TPP_ARG(z.addend_rows), TPP_ARG(w.strips), TPP_ARG(w.panels_each),
                               TPP_ARG(gamma), TPP_ARG(c->in[TPP_NORM_BETA].mem), TPP_ARG(a->eps)));
}

tpp_status tpp_conv2d_vector_record(tpp_steps *s, const tpp_call *c)
{
    const tpp_caps *caps = tpp_device_caps(tpp_steps_device(s));
    const tpp_conv2d_attr *a = c->attr;
    const tpp_shape *x = &c->in[TPP_GEMM_X].shape, *y = &c->out[0].shape;
    const tpp_shape *residual = &c->in[TPP_GEMM_RESIDUAL].shape;
    const int m = tpp_int(tpp_shape_rows(y)), n = tpp_int(tpp_shape_cols(y));
    const int out_height = (a->height + 2 * a->pad - a->kernel) / a->stride + 1;
    const int out_width = (a->width + 2 * a->pad - a->kernel) / a->stride + 1;
    const int residual_rows = residual->rank > 0 ? tpp_int(tpp_shape_rows(residual)) : 1;
    const tpp_tile t = tpp_tile_of(caps, &c->params);
    const cut w =
        cut_work(&t, caps, m, n, tpp_int(tpp_shape_cols(x)) * a->kernel * a->kernel, MOST_GROUPS);
    const tpp_grid grid = {.global = {(size_t)w.row_blocks, (size_t)w.column_groups}};
    return tpp_record(s, "gemm_vector", "conv2d_vector", t.options, grid,
                      TPP_ARGS(TPP_ARG(c->out[0].mem), TPP_ARG(c->in[TPP_GEMM_X].mem),
                               TPP_ARG(c->in[TPP_GEMM_W].mem), TPP_ARG(c->in[TPP_GEMM_BIAS].mem),
                               TPP_ARG(c->in[TPP_GEMM_RESIDUAL].mem), TPP_ARG(a->act), TPP_ARG(m),
                               TPP_ARG(n), TPP_ARG(residual_rows), TPP_ARG(w.strips),
                               TPP_ARG(w.panels_each), TPP_ARG(a->height), TPP_ARG(a->width),
                               TPP_ARG(tpp_int(tpp_shape_cols(x))), TPP_ARG(a->kernel),
                               TPP_ARG(a->stride), TPP_ARG(a->pad), TPP_ARG(out_height),
                               TPP_ARG(out_width)));
}
