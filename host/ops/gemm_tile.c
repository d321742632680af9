/* The `tile` algorithms of gemm and conv2d: which tile, how many splits, and the launches.
 * SPDX-License-Identifier: MIT */
#include "ops/check.h"
#include "ops/first_use.h"
#include "ops/gemm.h"
#include "ops/tile.h"

#include <stdio.h>
#include <string.h>

enum { ROWS, COLUMNS, DEPTH, SPLITS }; /* of tpp_params */
enum { PANEL = TPP_TILE_PANEL };
enum { LEAST_TERMS = 64 };  /* of a split by default: below, its sums cost more */
enum { MOST_SPLITS = 256 }; /* a range has at least 65,535 groups along them */
enum { LONG = 2048 }; /* terms that small tiles read in more time than a launch takes, about */
enum { SHORT = 256 }; /* terms that a tile adds up in the time of another launch, about */

/* Tiles with code of their own: rows, columns, terms in local memory, elements of a work-item, and
 * slices of a group that share out these terms. */
typedef struct tile {
    int rows, columns, depth, item_rows, item_columns, slices;
} tile;

/* The larger, the fewer bytes are read for an element of y. Sizes of items and depth are such that
 * GPUs give no work-item more than 128 registers; the deep one takes more and is for tuning to try,
 * the widest up to 170. The skinny one is for a few queries. Slices are for products of too few
 * tiles: as many work-items as with splits, and no second launch. The widest is for a norm of y
 * alone: it holds whole rows. That of few rows is another kernel (rows_tile.cl), its depth says
 * nothing. Each work-item reads whole fours of both operands: rows * depth and columns * depth are
 * multiples of 4 * group_of. */
static const tile tiles[] = {
    {128, 128, 8, 8, 8, 1}, {128, 64, 16, 8, 4, 1}, {64, 64, 16, 8, 4, 1}, {32, 32, 16, 4, 4, 1},
    {16, 64, 16, 4, 4, 1},  {64, 64, 32, 8, 4, 2},  {32, 32, 64, 4, 4, 4}, {128, 128, 16, 8, 8, 1},
    {64, 256, 16, 8, 8, 1}, {8, 32, 1, 0, 0, 0},
};
enum { LARGE, WIDE, MIDDLE, SMALL, SKINNY, HALVES, QUARTERS, DEEP, WHOLE, FEW, TILES };

/* A product as the kernels see it, of either op. */
typedef struct product {
    int m, n, k;
    bool patches, trans_x, aligned_x, addend;
    bool x_half, w_half, y_half; /* storage */
    bool types_agree;            /* of x and addend, of y and residual */
    bool norm;                   /* of rows of y */
    int act, residual_rows, addend_rows;
    float eps;
} product;

static bool same_type(const tpp_operand *a, const tpp_operand *b)
{
    return a->shape.rank == 0 || a->type == b->type;
}

static product stored_as(product p, const tpp_call *c)
{
    const tpp_operand *x = &c->in[TPP_GEMM_X], *y = &c->out[0];
    p.x_half = x->type == TPP_F16;
    p.w_half = c->in[TPP_GEMM_W].type == TPP_F16;
    p.y_half = y->type == TPP_F16;
    p.types_agree =
        same_type(&c->in[TPP_GEMM_ADDEND], x) && same_type(&c->in[TPP_GEMM_RESIDUAL], y);
    return p;
}

static product gemm_of(const tpp_call *c)
{
    const tpp_gemm_attr *a = c->attr;
    const tpp_gemm_sizes z = tpp_gemm_sizes_of(c);
    const product p = {.m = z.m,
                       .n = z.n,
                       .k = z.k,
                       .trans_x = a->trans_x != 0,
                       .aligned_x = (a->trans_x ? z.m : z.k) % 4 == 0,
                       .addend = z.addend_rows > 0,
                       .addend_rows = z.addend_rows,
                       .norm = c->in[TPP_NORM_GAMMA].shape.rank > 0,
                       .eps = a->eps,
                       .act = a->act,
                       .residual_rows = z.residual_rows};
    return stored_as(p, c);
}

static product conv2d_of(const tpp_call *c)
{
    const tpp_conv2d_attr *a = c->attr;
    const tpp_shape *y = &c->out[0].shape, *residual = &c->in[TPP_GEMM_RESIDUAL].shape;
    const int channels = tpp_int(tpp_shape_cols(&c->in[TPP_GEMM_X].shape));
    const product p = {.m = tpp_int(tpp_shape_rows(y)),
                       .n = tpp_int(tpp_shape_cols(y)),
                       .k = channels * a->kernel * a->kernel,
                       .patches = true,
                       .aligned_x = channels % 4 == 0,
                       .act = a->act,
                       .residual_rows = residual->rank > 0 ? tpp_int(tpp_shape_rows(residual)) : 0};
    return stored_as(p, c);
}

static int64_t ceil_div(int64_t a, int64_t b)
{
    return (a + b - 1) / b;
}

static int group_of(const tile *t)
{
    return t->rows / t->item_rows * (t->columns / t->item_columns) * t->slices;
}

static bool fits(const tile *t, const tpp_caps *caps)
{
    const int fours = t->depth * (t->rows / 4 + 1 + t->columns / 4);
    return (size_t)group_of(t) <= caps->max_group &&
           (size_t)fours * 4 * sizeof(float) <= caps->local_mem;
}

/* ---- few rows ---- */

enum { FEW_GROUP = 256, FEW_COLUMNS = 1024, FEW_NORMED = 512 /* terms that one group adds up */ };

/* How rows_tile.cl is launched: a group makes so many rows and columns. */
typedef struct few {
    int group, rows, columns;
} few;

static few few_of(const product *p, const tpp_caps *caps)
{
    few f = {.group = FEW_GROUP, .rows = 1, .columns = PANEL};
    while ((size_t)f.group > caps->max_group) f.group /= 2;
    while (!p->norm && f.rows < p->m && f.rows < tiles[FEW].rows) f.rows *= 2;
    while (p->norm && f.columns < p->n) f.columns *= 2;
    return f;
}

static bool fits_few(const product *p, const tpp_caps *caps)
{
    if (p->patches || p->trans_x || p->m > tiles[FEW].rows) return false;
    if (p->norm && (p->n > FEW_COLUMNS || p->k > FEW_NORMED)) return false;
    const few f = few_of(p, caps);
    const size_t floats = (size_t)(4 * f.group + f.rows * f.columns);
    return f.columns <= 4 * f.group && floats * sizeof(float) <= caps->local_mem;
}

/* ---- which tile ---- */

/* Can the tile make the product on the device? */
static bool is_offered(int number, const product *p, const tpp_caps *caps)
{
    if (number == FEW) return fits_few(p, caps);
    if (number == WHOLE && (!p->norm || p->n % 4 != 0 || p->n > tiles[WHOLE].columns)) return false;
    return fits(&tiles[number], caps);
}

static int64_t groups_of(const tile *t, const product *p)
{
    return ceil_div(p->m, t->rows) * ceil_div(p->n, t->columns);
}

/* Splits of about equal blocks of terms, none empty. */
static int splits_of(const tile *t, const product *p, int wanted)
{
    if (t->slices != 1 || t == &tiles[WHOLE]) return 1;
    if (wanted > MOST_SPLITS) wanted = MOST_SPLITS;
    const int64_t blocks = ceil_div(p->k, t->depth);
    const int64_t each = ceil_div(blocks, wanted < 1 ? 1 : wanted < blocks ? wanted : blocks);
    return (int)ceil_div(blocks, each);
}

static tpp_params params_of(const tile *t, const product *p, int splits)
{
    return (tpp_params){{t->rows, t->columns, t->depth, splits_of(t, p, splits)}};
}

/* The tile that parameters name; what they do not (a tuning file of another version), the smallest.
 */
static const tile *tile_of(const tpp_params *params)
{
    for (int i = 0; i < TILES; i++)
        if (tiles[i].rows == params->n[ROWS] && tiles[i].columns == params->n[COLUMNS] &&
            tiles[i].depth == params->n[DEPTH])
            return &tiles[i];
    return &tiles[SMALL];
}

/* In the registers of sum_norm_tile's work-items. */
static bool can_norm(const product *p, const tpp_caps *caps)
{
    const tpp_tile_rows r = tpp_tile_rows_of(p->n, caps);
    return r.lanes > 0 && (size_t)r.group <= caps->max_group &&
           (p->act == TPP_ACT_NONE || p->act == TPP_ACT_RELU);
}

bool tpp_gemm_tile_runs_on(const tpp_caps *caps)
{
    return tpp_tile_runs_on(caps) && fits(&tiles[SMALL], caps);
}

static bool supports(const product *p, const tpp_caps *caps)
{
    return tpp_gemm_tile_runs_on(caps) && p->types_agree && p->m > 0 && p->n > 0 && p->k > 0 &&
           (!p->norm || can_norm(p, caps));
}

/* Does a tile compute few elements that are not there? */
static bool is_lean(const tile *t, const product *p)
{
    const tile *s = &tiles[SMALL];
    const double least = (double)groups_of(s, p) * s->rows * s->columns;
    return (double)groups_of(t, p) * t->rows * t->columns <= 1.25 * least;
}

static int values_of(const tile *t)
{
    return t->item_rows * t->item_columns;
}

static bool is_held(const tile *t, const tpp_caps *caps)
{
    return tpp_tile_holds(caps, values_of(t));
}

/* Does it pay to make whole rows, which leaves fewer and larger tiles, and saves a launch? */
static bool is_whole(const product *p, const tpp_caps *caps)
{
    const int64_t groups = groups_of(&tiles[WHOLE], p), units = tpp_tile_groups(caps) / 2;
    return is_offered(WHOLE, p, caps) && is_held(&tiles[WHOLE], caps) &&
           (groups >= units || (p->k <= SHORT && 2 * groups >= units));
}

/* A tile in slices, of which there is one for most compute units; NULL: none. Small tiles read
 * more, so they are for sums that are not long. */
static const tile *sliced(const product *p, const tpp_caps *caps)
{
    for (int i = HALVES; i <= QUARTERS; i++) {
        const tile *t = &tiles[i];
        const bool is_long = i == QUARTERS && p->k > LONG;
        if (p->norm || p->k <= t->depth || is_long || !fits(t, caps) || !is_lean(t, p)) continue;
        if (groups_of(t, p) >= tpp_tile_groups(caps) * 3 / 8) return t;
    }
    return NULL;
}

/* The largest tile of which there are two for each compute unit; a product that has not as many is
 * split along k, a short one cut into small tiles. */
static tpp_params choose(const product *p, const tpp_caps *caps)
{
    const int64_t wanted = tpp_tile_groups(caps);
    /* Where a norm needs a second pass, splits cost no other. */
    const bool may_split = p->k > SHORT || p->norm;
    const int most = p->k / LEAST_TERMS < 1 || !may_split ? 1 : p->k / LEAST_TERMS;
    if (is_offered(FEW, p, caps)) return params_of(&tiles[FEW], p, 1);
    if (is_whole(p, caps)) return params_of(&tiles[WHOLE], p, 1);
    if (p->m > tiles[SKINNY].rows)
        for (int i = LARGE; i <= MIDDLE; i++) {
            /* With twice the registers there is room for the deep one. */
            const tile *t = &tiles[i == LARGE && caps->large_grf ? DEEP : i];
            if (!fits(t, caps) || !is_held(t, caps) || !is_lean(t, p)) continue;
            if (groups_of(t, p) >= wanted) return params_of(t, p, 1);
            const int64_t splits = ceil_div(wanted, groups_of(t, p));
            if (i == MIDDLE && sliced(p, caps) != NULL) return params_of(sliced(p, caps), p, 1);
            if (i == MIDDLE && splits <= most) return params_of(t, p, (int)splits);
        }
    const bool is_skinny = p->m <= tiles[SKINNY].rows && fits(&tiles[SKINNY], caps);
    const tile *t = &tiles[is_skinny ? SKINNY : SMALL];
    const int64_t splits = ceil_div(wanted, groups_of(t, p));
    return params_of(t, p, splits < most ? (int)splits : most);
}

/* Number 0: the default. Then every tile as it is, and with splits where it leaves compute units
 * idle. */
static bool variant(const product *p, const tpp_caps *caps, int number, tpp_params *out)
{
    static const int splits[] = {1, 4, 16};
    *out = choose(p, caps);
    for (int i = 0; i < TILES && number > 0; i++) {
        if (!is_offered(i, p, caps)) continue;
        int last = 0;
        for (int j = 0; j < 3 && number > 0; j++) {
            const int got = splits_of(&tiles[i], p, splits[j]);
            if (got == last || (j > 0 && groups_of(&tiles[i], p) >= tpp_tile_groups(caps))) break;
            last = got;
            *out = params_of(&tiles[i], p, got);
            number--;
        }
    }
    return number == 0;
}

static int actual_splits(const product *p, const tpp_params *params)
{
    return splits_of(tile_of(params), p, params->n[SPLITS]);
}

/* Is there a second pass, over sums that the first left in scratch? */
static bool has_sums(const product *p, const tpp_params *params)
{
    const tile *t = tile_of(params);
    return actual_splits(p, params) > 1 || (p->norm && t != &tiles[WHOLE] && t != &tiles[FEW]);
}

static size_t scratch(const product *p, const tpp_params *params)
{
    const size_t splits = (size_t)actual_splits(p, params);
    return has_sums(p, params) ? splits * (size_t)p->m * (size_t)p->n * sizeof(float) : 0;
}

/* A launch of the first or only pass. */
typedef struct pass {
    char options[256];
    tpp_grid grid;
    bool sums; /* another pass adds them up */
    int splits, k_each;
    tpp_operand y, bias, residual; /* absent ones where another pass sees to them */
    int act;
} pass;

static tpp_status make_pass(pass *out, const product *p, const tpp_call *c, const tpp_caps *caps)
{
    const tile *t = tile_of(&c->params);
    const int splits = actual_splits(p, &c->params);
    pass w = {.splits = splits,
              .sums = has_sums(p, &c->params),
              .k_each = (int)ceil_div(ceil_div(p->k, t->depth), splits) * t->depth};
    if (!w.sums) {
        w.y = c->out[0];
        w.bias = c->in[TPP_GEMM_BIAS];
        w.residual = c->in[TPP_GEMM_RESIDUAL];
        w.act = p->act;
    } else {
        w.y = c->scratch;
    }
    const int n =
        snprintf(w.options, sizeof(w.options),
                 "-DBM=%d -DBN=%d -DBK=%d -DTM=%d -DTN=%d -DSLICES=%d%s%s%s%s%s%s%s%s%s", t->rows,
                 t->columns, t->depth / t->slices, t->item_rows, t->item_columns, t->slices,
                 p->patches ? " -DPATCHES=1" : "", p->trans_x ? " -DTRANS_X=1" : "",
                 p->addend ? " -DADDEND=1" : "", p->aligned_x ? " -DALIGN_X=1" : "",
                 p->x_half ? " -DX_HALF=1" : "", p->w_half ? " -DW_HALF=1" : "",
                 p->y_half && !w.sums ? " -DY_HALF=1" : "", p->norm && !w.sums ? " -DNORM=1" : "",
                 tpp_tile_registers(caps, values_of(t)));
    if (n < 0 || (size_t)n >= sizeof(w.options))
        return TPP_FAIL(TPP_EINTERNAL, "gemm_tile: build options are too long");
    w.grid = (tpp_grid){.global = {(size_t)groups_of(t, p) * (size_t)group_of(t), (size_t)splits},
                        .local = {(size_t)group_of(t)}};
    *out = w;
    return TPP_OK;
}

/* Adds up what the splits left in scratch, and norms rows. */
static tpp_status record_sum(tpp_steps *s, const product *p, const tpp_call *c, const pass *w)
{
    char options[160], more[80];
    const tpp_arg y = TPP_ARG(c->out[0].mem), part = TPP_ARG(c->scratch.mem),
                  bias = TPP_ARG(c->in[TPP_GEMM_BIAS].mem),
                  residual = TPP_ARG(c->in[TPP_GEMM_RESIDUAL].mem);
    if (!w->sums) return TPP_OK;
    if (!p->norm)
        return tpp_record_2d(s, "sum_tile", "sum_tile", p->y_half ? "-DY_HALF=1" : "",
                             (const int64_t[2]){p->n, p->m},
                             TPP_ARGS(y, part, bias, residual, TPP_ARG(p->act), TPP_ARG(w->splits),
                                      TPP_ARG(p->m), TPP_ARG(p->n), TPP_ARG(p->residual_rows)));
    const tpp_caps *caps = tpp_device_caps(tpp_steps_device(s));
    const tpp_tile_rows r = tpp_tile_rows_of(p->n, caps);
    (void)snprintf(more, sizeof(more), "%s%s", p->y_half ? " -DY_HALF=1" : "",
                   tpp_tile_sub_group_options(caps));
    tpp_tile_rows_options(&r, more, options, sizeof(options));
    return tpp_record(s, "sum_tile", "sum_norm_tile", options, tpp_tile_rows_grid(&r, p->m),
                      TPP_ARGS(y, part, bias, residual, TPP_ARG(c->in[TPP_NORM_GAMMA].mem),
                               TPP_ARG(c->in[TPP_NORM_BETA].mem), TPP_ARG(p->eps), TPP_ARG(p->act),
                               TPP_ARG(w->splits), TPP_ARG(p->m), TPP_ARG(p->n),
                               TPP_ARG(p->residual_rows)));
}

/* ---- a check at first use ---- */

typedef struct trial {
    const tpp_op *op;
    const tpp_case *c;
    const tpp_check_how *how;
} trial;

static tpp_status run_trial(tpp_device *d, const void *context, bool *right)
{
    const trial *t = context;
    tpp_check check = {0};
    TPP_TRY(tpp_check_as(&check, d, t->op, t->c, tpp_op_algorithm(t->op, "tile"), t->how));
    *right = check.supported && check.passed;
    return TPP_OK;
}

bool tpp_tile_try_part(tpp_device *d, const char *part, bool *off, const char *key,
                       const tpp_op *op, const tpp_case *c, const tpp_check_how *how)
{
    const trial t = {.op = op, .c = c, .how = how};
    return tpp_first_use(d, part, key, off, run_trial, &t);
}

bool tpp_tile_try(tpp_device *d, const char *key, const tpp_op *op, const tpp_case *c,
                  const tpp_check_how *how)
{
    return tpp_tile_try_part(d, "tile", &d->caps.no_tile, key, op, c, how);
}

bool tpp_tile_try_with(tpp_device *d, int values, const char *key, const tpp_op *op,
                       const tpp_case *c, const tpp_check_how *how)
{
    char large[160];
    if (tpp_tile_registers(&d->caps, values)[0] == '\0') return tpp_tile_try(d, key, op, c, how);
    (void)snprintf(large, sizeof(large), "large %s", key);
    return tpp_tile_try_part(d, "large register file", &d->caps.no_large_grf, large, op, c, how);
}

/* Each tile of each op once, alone and split: a tile and a bit, the path that most products take.
 */
static bool usable(tpp_device *d, const tpp_op *op, const product *p, const tpp_params *params)
{
    char key[64];
    if (p->norm) tpp_tile_try_sub_groups(d);
    const tile *t = tile_of(params);
    const int splits = actual_splits(p, params) > 1 ? 2 : 1;
    const unsigned halves = (p->x_half ? 1u << TPP_GEMM_X : 0u) |
                            (p->w_half ? 1u << TPP_GEMM_W : 0u) |
                            (p->y_half ? 1u << TPP_GEMM_RESIDUAL | TPP_HALF_OUT : 0u);
    const bool is_few = t == &tiles[FEW];
    /* These are compiled by the size of a product. */
    const int rows = is_few ? p->m : 0, columns = p->norm ? p->n : 0;
    (void)snprintf(key, sizeof(key), "tile %s %dx%dx%d/%d %x norm %d/%d", op->name, t->rows,
                   t->columns, t->depth, splits, halves, rows, columns);
    enum { HEIGHT = 8 };
    const int width = t->rows / HEIGHT + 1;
    const int64_t m = is_few ? rows : (int64_t)HEIGHT * width;
    const int64_t n = p->norm ? columns : t->columns + 4, channels = 12, k = 9 * channels;
    const tpp_gemm_attr gemm = {.act = TPP_ACT_RELU, .eps = 1e-5f};
    const tpp_conv2d_attr conv2d = {
        .act = TPP_ACT_RELU, .height = HEIGHT, .width = width, .kernel = 3, .stride = 1, .pad = 1};
    const tpp_params tried_params = {{t->rows, t->columns, t->depth, splits}};
    const tpp_check_how how = {.params = &tried_params, .halves = halves};
    tpp_case tried = {.name = "first_use",
                      .attr = p->patches ? (const void *)&conv2d : (const void *)&gemm};
    tpp_shape *in = tried.in;
    in[TPP_GEMM_X] = p->patches ? TPP_SHAPE(1, m, channels) : TPP_SHAPE(m, k);
    in[TPP_GEMM_W] = p->patches ? TPP_SHAPE(n, channels, 3, 3) : TPP_SHAPE(n, k);
    in[TPP_GEMM_BIAS] = TPP_SHAPE(n);
    if (p->norm) in[TPP_NORM_GAMMA] = in[TPP_NORM_BETA] = TPP_SHAPE(n);
    in[TPP_GEMM_RESIDUAL] = p->patches ? TPP_SHAPE(1, m, n) : TPP_SHAPE(m, n);
    return tpp_tile_try_with(d, values_of(t), key, op, &tried, &how);
}

/* ---- gemm ---- */

bool tpp_gemm_tile_supports(const tpp_call *c, const tpp_caps *caps)
{
    const product p = gemm_of(c);
    return supports(&p, caps);
}

bool tpp_gemm_tile_variant(const tpp_call *c, const tpp_caps *caps, int i, tpp_params *out)
{
    const product p = gemm_of(c);
    return variant(&p, caps, i, out);
}

size_t tpp_gemm_tile_scratch(const tpp_call *c, const tpp_caps *caps)
{
    (void)caps;
    const product p = gemm_of(c);
    return scratch(&p, &c->params);
}

bool tpp_gemm_tile_usable(tpp_device *d, const tpp_call *c)
{
    const product p = gemm_of(c);
    return usable(d, &tpp_op_gemm, &p, &c->params);
}

static tpp_status record_few(tpp_steps *s, const product *p, const tpp_call *c)
{
    char options[160];
    const tpp_caps *caps = tpp_device_caps(tpp_steps_device(s));
    const few f = few_of(p, caps);
    const int n =
        snprintf(options, sizeof(options), "-DLOCAL=%d -DROWS=%d -DCOLUMNS=%d%s%s%s%s%s%s", f.group,
                 f.rows, f.columns, p->addend ? " -DADDEND=1" : "", p->norm ? " -DNORM=1" : "",
                 p->x_half ? " -DX_HALF=1" : "", p->w_half ? " -DW_HALF=1" : "",
                 p->y_half ? " -DY_HALF=1" : "", p->norm ? tpp_tile_sub_group_options(caps) : "");
    if (n < 0 || (size_t)n >= sizeof(options))
        return TPP_FAIL(TPP_EINTERNAL, "gemm_tile: build options are too long");
    const tpp_grid grid = {.global = {(size_t)ceil_div(p->n, f.columns) * (size_t)f.group,
                                      (size_t)ceil_div(p->m, f.rows)},
                           .local = {(size_t)f.group}};
    return tpp_record(
        s, "rows_tile", "gemm_rows_tile", options, grid,
        TPP_ARGS(TPP_ARG(c->out[0].mem), TPP_ARG(c->in[TPP_GEMM_X].mem),
                 TPP_ARG(c->in[TPP_GEMM_W].mem), TPP_ARG(c->in[TPP_GEMM_BIAS].mem),
                 TPP_ARG(c->in[TPP_GEMM_RESIDUAL].mem), TPP_ARG(c->in[TPP_GEMM_ADDEND].mem),
                 TPP_ARG(c->in[TPP_NORM_GAMMA].mem), TPP_ARG(c->in[TPP_NORM_BETA].mem),
                 TPP_ARG(p->eps), TPP_ARG(p->act), TPP_ARG(p->m), TPP_ARG(p->n), TPP_ARG(p->k),
                 TPP_ARG(p->residual_rows), TPP_ARG(p->addend_rows)));
}

tpp_status tpp_gemm_tile_record(tpp_steps *s, const tpp_call *c)
{
    const product p = gemm_of(c);
    if (tile_of(&c->params) == &tiles[FEW]) return record_few(s, &p, c);
    pass w = {.splits = 1};
    TPP_TRY(make_pass(&w, &p, c, tpp_device_caps(tpp_steps_device(s))));
    TPP_TRY(tpp_record(
        s, "gemm_tile", "gemm_tile", w.options, w.grid,
        TPP_ARGS(TPP_ARG(w.y.mem), TPP_ARG(c->in[TPP_GEMM_X].mem), TPP_ARG(c->in[TPP_GEMM_W].mem),
                 TPP_ARG(w.bias.mem), TPP_ARG(w.residual.mem), TPP_ARG(c->in[TPP_GEMM_ADDEND].mem),
                 TPP_ARG(c->in[TPP_NORM_GAMMA].mem), TPP_ARG(c->in[TPP_NORM_BETA].mem),
                 TPP_ARG(p.eps), TPP_ARG(w.act), TPP_ARG(p.m), TPP_ARG(p.n), TPP_ARG(p.k),
                 TPP_ARG(p.residual_rows), TPP_ARG(p.addend_rows), TPP_ARG(w.k_each))));
    return record_sum(s, &p, c, &w);
}

/* The largest tile of which all products together have two for each compute unit, without splits.
 */
static const tile *tile_of_batch(const product *p, int count, const tpp_caps *caps)
{
    for (int i = LARGE; i <= MIDDLE; i++) {
        const tile *t = &tiles[i];
        if (!fits(t, caps) || !is_held(t, caps) || !is_lean(t, p)) continue;
        if (groups_of(t, p) * count >= tpp_tile_groups(caps)) return t;
    }
    return &tiles[SMALL];
}

tpp_status tpp_gemm_tile_record_batch(tpp_steps *s, const tpp_tile_batch *b)
{
    const tpp_caps *caps = tpp_device_caps(tpp_steps_device(s));
    const cl_mem none = NULL;
    const product p = {.m = b->m, .n = b->n, .k = b->k, .aligned_x = b->k % 4 == 0};
    const tpp_call c = {.params = params_of(tile_of_batch(&p, b->count, caps), &p, 1)};
    pass w = {.splits = 1};
    TPP_TRY(make_pass(&w, &p, &c, caps));
    const size_t used = strlen(w.options);
    (void)snprintf(w.options + used, sizeof(w.options) - used, " -DBATCH=1");
    w.grid.global[2] = (size_t)b->count;
    return tpp_record(s, "gemm_tile", "gemm_tile", w.options, w.grid,
                      TPP_ARGS(TPP_ARG(b->y), TPP_ARG(b->x), TPP_ARG(b->panels), TPP_ARG(none),
                               TPP_ARG(none), TPP_ARG(none), TPP_ARG(none), TPP_ARG(none),
                               TPP_ARG(p.eps), TPP_ARG(p.act), TPP_ARG(p.m), TPP_ARG(p.n),
                               TPP_ARG(p.k), TPP_ARG(p.residual_rows), TPP_ARG(p.addend_rows),
                               TPP_ARG(w.k_each)));
}

/* ---- conv2d ---- */

bool tpp_conv2d_tile_supports(const tpp_call *c, const tpp_caps *caps)
{
    const product p = conv2d_of(c);
    return supports(&p, caps);
}

bool tpp_conv2d_tile_variant(const tpp_call *c, const tpp_caps *caps, int i, tpp_params *out)
{
    const product p = conv2d_of(c);
    return variant(&p, caps, i, out);
}

size_t tpp_conv2d_tile_scratch(const tpp_call *c, const tpp_caps *caps)
{
    (void)caps;
    const product p = conv2d_of(c);
    return scratch(&p, &c->params);
}

bool tpp_conv2d_tile_usable(tpp_device *d, const tpp_call *c)
{
    const product p = conv2d_of(c);
    return usable(d, &tpp_op_conv2d, &p, &c->params);
}

tpp_status tpp_conv2d_tile_record(tpp_steps *s, const tpp_call *c)
{
    const tpp_conv2d_attr *a = c->attr;
    const product p = conv2d_of(c);
    const int out_height = (a->height + 2 * a->pad - a->kernel) / a->stride + 1;
    const int out_width = (a->width + 2 * a->pad - a->kernel) / a->stride + 1;
    pass w = {.splits = 1};
    TPP_TRY(make_pass(&w, &p, c, tpp_device_caps(tpp_steps_device(s))));
    TPP_TRY(tpp_record(
        s, "gemm_tile", "conv2d_tile", w.options, w.grid,
        TPP_ARGS(TPP_ARG(w.y.mem), TPP_ARG(c->in[TPP_GEMM_X].mem), TPP_ARG(c->in[TPP_GEMM_W].mem),
                 TPP_ARG(w.bias.mem), TPP_ARG(w.residual.mem), TPP_ARG(w.act), TPP_ARG(p.m),
                 TPP_ARG(p.n), TPP_ARG(p.residual_rows), TPP_ARG(w.k_each), TPP_ARG(a->height),
                 TPP_ARG(a->width), TPP_ARG(p.k / (a->kernel * a->kernel)), TPP_ARG(a->kernel),
                 TPP_ARG(a->stride), TPP_ARG(a->pad), TPP_ARG(out_height), TPP_ARG(out_width))));
    return record_sum(s, &p, c, &w);
}

void tpp_tile_packing(const tpp_call *c, const tpp_caps *caps, tpp_pack_attr *attr)
{
    (void)c, (void)caps;
    attr->panel = PANEL;
}
