/* The `vector` algorithm of ffn: both products in one launch, the hidden layer in local memory.
 * SPDX-License-Identifier: MIT */
#include "ops/ffn.h"
#include "ops/vector.h"

#include <stdio.h>

enum { ROWS, STRIPS, BLOCK }; /* of tpp_params, as gemm's: rows of a tile, most tiles, KB */
enum { PIECES_EACH = 6 };     /* work-items that a compute unit should get at least */

static const tpp_params wide[] = {{{8, 8, 256}}, {{10, 6, 256}}, {{14, 4, 256}}, {{14, 8, 128}}};
static const tpp_params narrow[] = {{{6, 8, 128}}, {{6, 12, 256}}, {{4, 16, 256}}, {{5, 12, 128}}};

bool tpp_ffn_vector_variant(const tpp_call *c, const tpp_caps *caps, int i, tpp_params *out)
{
    (void)c;
    return tpp_vector_params(caps, &TPP_PARAM_SETS(wide, narrow), i, out);
}

static int columns_of(const tpp_call *c, const tpp_caps *caps)
{
    const int panel = tpp_panel_width(caps);
    return (tpp_int(tpp_shape_cols(&c->in[TPP_FFN_X].shape)) + panel - 1) / panel * panel;
}

/* Most tiles of a work-item whose rows, sums and hidden block local memory holds. */
static int most_strips(const tpp_call *c, const tpp_caps *caps)
{
    enum { PAD = 16 };
    const int *p = c->params.n;
    const size_t columns = (size_t)columns_of(c, caps) + PAD, block = (size_t)p[BLOCK] + PAD;
    const size_t tile = sizeof(float) * (2 * columns + block) * (size_t)p[ROWS];
    const size_t fit = caps->local_mem / tile;
    return fit < (size_t)p[STRIPS] ? (int)fit : p[STRIPS];
}

/* Tiles of a work-item: few enough that all compute units have work. 0: too few rows or too little
 * local memory. */
static int strips_of(const tpp_call *c, const tpp_caps *caps)
{
    const int *p = c->params.n, m = tpp_int(tpp_shape_rows(&c->in[TPP_FFN_X].shape));
    const int units = caps->compute_units > 0 ? caps->compute_units : 1;
    const int tiles = (m + p[ROWS] - 1) / p[ROWS];
    int strips = most_strips(c, caps);
    while (strips > 1 && (tiles + strips - 1) / strips < PIECES_EACH * units) strips--;
    return tiles < 2 * units ? 0 : strips;
}

bool tpp_ffn_vector_is_fused(const tpp_call *c, const tpp_caps *caps)
{
    return strips_of(c, caps) > 0;
}

tpp_status tpp_ffn_vector_record(tpp_steps *s, const tpp_call *c)
{
    char options[128];
    const tpp_caps *caps = tpp_device_caps(tpp_steps_device(s));
    const tpp_ffn_attr *a = c->attr;
    const tpp_shape *x = &c->in[TPP_FFN_X].shape;
    const int m = tpp_int(tpp_shape_rows(x)), k = tpp_int(tpp_shape_cols(x));
    const int hidden = tpp_int(tpp_shape_count(&c->in[TPP_FFN_B1].shape));
    const int *p = c->params.n, strips = strips_of(c, caps), rows = strips * p[ROWS];
    (void)snprintf(options, sizeof(options), "-DVW=%d -DMR=%d -DSTRIPS=%d -DKB=%d -DCOLS=%d",
                   tpp_vector_width(caps), p[ROWS], most_strips(c, caps), p[BLOCK],
                   columns_of(c, caps));
    const tpp_grid grid = {.global = {(size_t)((m + rows - 1) / rows)}};
    return tpp_record(s, "ffn_vector", "ffn_vector", options, grid,
                      TPP_ARGS(TPP_ARG(c->out[0].mem), TPP_ARG(c->in[TPP_FFN_X].mem),
                               TPP_ARG(c->in[TPP_FFN_W1].mem), TPP_ARG(c->in[TPP_FFN_B1].mem),
                               TPP_ARG(c->in[TPP_FFN_W2].mem), TPP_ARG(c->in[TPP_FFN_B2].mem),
                               TPP_ARG(a->act), TPP_ARG(m), TPP_ARG(k), TPP_ARG(hidden),
                               TPP_ARG(strips), TPP_ARG(c->in[TPP_NORM_GAMMA].mem),
                               TPP_ARG(c->in[TPP_NORM_BETA].mem), TPP_ARG(a->eps)));
}
