/* Draws contact sheets.
 * SPDX-License-Identifier: MIT */
#include "infer/overlay.h"

#include "core/mem.h"
#include "infer/thumbnail.h"

#include <math.h>
#include <string.h>

enum { LONG_SIDE = 320, SHORTEST = 8, GAP = 4, BAR = 16, RGB = 3, PICKS = 2 };
static const uint8_t background[RGB] = {40, 40, 40};
static const uint8_t white[RGB] = {255, 255, 255}, orange[RGB] = {255, 140, 0};

/* ---- layout ---- */

typedef struct rect {
    int top, left, height, width;
} rect;

static int at_least(double size, int least)
{
    return size < least ? least : (int)lround(size);
}

static void fill(tpp_sheet *s, rect a, const uint8_t colour[RGB])
{
    for (int y = a.top; y < a.top + a.height; y++)
        for (int x = a.left; x < a.left + a.width; x++)
            memcpy(s->picture.pixels + ((int64_t)y * s->picture.width + x) * RGB, colour, RGB);
}

static rect tile_rect(const tpp_sheet *s, int tile)
{
    return (rect){.top = GAP + tile / s->columns * (s->tile_height + GAP),
                  .left = GAP + tile % s->columns * (s->tile_width + GAP),
                  .height = s->tile_height,
                  .width = s->tile_width};
}

/* Equal bars of the targets' colours at the lower edge. */
static void draw_legend(tpp_sheet *s)
{
    const int n = s->targets->count, width = s->picture.width - 2 * GAP;
    for (int t = 0; t < n; t++) {
        const int left = (int)((int64_t)width * t / n), right = (int)((int64_t)width * (t + 1) / n);
        fill(s, (rect){s->picture.height - GAP - BAR, GAP + left, BAR, right - left},
             s->targets->item[t].rgb);
    }
}

static tpp_status make_picture(tpp_sheet *s)
{
    const int rows = (s->tiles + s->columns - 1) / s->columns;
    const int bar = s->targets->count > 1 ? BAR + GAP : 0;
    TPP_NEW(s->shape, (int64_t)s->tile_height * s->tile_width);
    TPP_TRY(tpp_image_init(&s->picture, s->columns * (s->tile_width + GAP) + GAP,
                           rows * (s->tile_height + GAP) + GAP + bar, RGB));
    fill(s, (rect){0, 0, s->picture.height, s->picture.width}, background);
    if (bar > 0) draw_legend(s);
    return TPP_OK;
}

tpp_status tpp_sheet_init(tpp_sheet *s, int64_t frames, int height, int width,
                          const double spacing_mm[2], const tpp_targets *targets)
{
    const bool known = spacing_mm[0] > 0 && spacing_mm[1] > 0;
    const double tall = height * (known ? spacing_mm[0] : 1.0);
    const double wide = width * (known ? spacing_mm[1] : 1.0);
    const double scale = LONG_SIDE / (tall > wide ? tall : wide);
    tpp_sheet made = {.frames = frames, .height = height, .width = width, .targets = targets};
    made.tiles = frames < TPP_SHEET_MAX_TILES ? (int)frames : TPP_SHEET_MAX_TILES;
    made.even = frames > TPP_SHEET_MAX_TILES ? made.tiles - PICKS : made.tiles;
    made.columns = (int)ceil(sqrt(made.tiles));
    made.tile_height = at_least(tall * scale, SHORTEST);
    made.tile_width = at_least(wide * scale, SHORTEST);
    made.largest.frame = made.weakest.frame = -1;
    const tpp_status status = make_picture(&made);
    if (status == TPP_OK)
        *s = made;
    else
        tpp_sheet_free(&made);
    return status;
}

void tpp_sheet_free(tpp_sheet *s)
{
    tpp_image_free(&s->picture);
    tpp_free(s->shape);
    *s = (tpp_sheet){0};
}

/* First and last frame are among them. */
static int64_t frame_of(const tpp_sheet *s, int tile)
{
    const int64_t steps = s->even - 1, at = tile;
    return steps == 0 ? 0 : (2 * at * (s->frames - 1) + steps) / (2 * steps);
}

int tpp_sheet_tile(const tpp_sheet *s, int64_t i)
{
    for (int t = 0; t < s->even; t++)
        if (frame_of(s, t) == i) return t;
    return -1;
}

/* ---- drawing ---- */

static bool in_shape(const tpp_sheet *s, int y, int x)
{
    return y >= 0 && x >= 0 && y < s->tile_height && x < s->tile_width &&
           s->shape[(int64_t)y * s->tile_width + x] != 0;
}

/* The outline is two pixels wide: those on either side of the border, within the tile. */
static bool on_outline(const tpp_sheet *s, int y, int x)
{
    const bool here = in_shape(s, y, x);
    return in_shape(s, y - 1, x) != here || in_shape(s, y + 1, x) != here ||
           in_shape(s, y, x - 1) != here || in_shape(s, y, x + 1) != here;
}

/* Next to the outline, outside. */
static bool beside_outline(const tpp_sheet *s, int y, int x)
{
    if (in_shape(s, y, x) || on_outline(s, y, x)) return false;
    return (y > 0 && on_outline(s, y - 1, x)) || (x > 0 && on_outline(s, y, x - 1)) ||
           on_outline(s, y + 1, x) || on_outline(s, y, x + 1);
}

static void darken(tpp_sheet *s, int y, int x)
{
    uint8_t *p = s->picture.pixels + ((int64_t)y * s->picture.width + x) * RGB;
    for (int c = 0; c < RGB; c++) p[c] /= 3;
}

static tpp_thumbnail tile_size(const tpp_sheet *s)
{
    return (tpp_thumbnail){s->height, s->width, s->tile_height, s->tile_width};
}

/* In `colour`; NULL: its dark edge, without which it is lost on tissue of its own colour. */
static void draw_outline(tpp_sheet *s, rect a, const uint8_t *mask, const uint8_t *colour)
{
    const tpp_thumbnail size = tile_size(s);
    if (memchr(mask, 1, (size_t)s->height * (size_t)s->width) == NULL) return;
    tpp_thumbnail_any(&size, s->shape, mask);
    for (int y = 0; y < a.height; y++)
        for (int x = 0; x < a.width; x++)
            if (colour == NULL && beside_outline(s, y, x))
                darken(s, a.top + y, a.left + x);
            else if (colour != NULL && on_outline(s, y, x))
                fill(s, (rect){a.top + y, a.left + x, 1, 1}, colour);
}

static void draw(tpp_sheet *s, int tile, const uint8_t *frame, int channels,
                 const uint8_t *const *masks)
{
    const rect a = tile_rect(s, tile);
    for (int y = 0; y < a.height; y++) {
        const tpp_thumbnail size = tile_size(s);
        uint8_t *row = s->picture.pixels + ((int64_t)(a.top + y) * s->picture.width + a.left) * RGB;
        tpp_thumbnail_row(&size, row, RGB, frame, channels, y);
    }
    for (int t = 0; t < s->targets->count && masks != NULL; t++)
        if (masks[t] != NULL) draw_outline(s, a, masks[t], NULL);
    for (int t = 0; t < s->targets->count && masks != NULL; t++)
        if (masks[t] != NULL) draw_outline(s, a, masks[t], s->targets->item[t].rgb);
}

/* Half of the gap around a tile. */
static void draw_rim(tpp_sheet *s, int tile, const uint8_t colour[RGB])
{
    const rect a = tile_rect(s, tile);
    const int w = GAP / 2;
    fill(s, (rect){a.top - w, a.left - w, w, a.width + 2 * w}, colour);
    fill(s, (rect){a.top + a.height, a.left - w, w, a.width + 2 * w}, colour);
    fill(s, (rect){a.top, a.left - w, a.height, w}, colour);
    fill(s, (rect){a.top, a.left + a.width, a.height, w}, colour);
}

/* ---- the choice ---- */

/* The earlier of equal frames, whichever way they come. */
static bool is_better(const tpp_sheet_pick *p, int64_t i, double value)
{
    if (p->frame < 0) return true;
    return value > p->value || (value >= p->value && i < p->frame);
}

static bool is_largest(const tpp_sheet *s, int64_t i, int64_t area)
{
    return s->even < s->tiles && area > 0 && is_better(&s->largest, i, (double)area);
}

static bool is_weakest(const tpp_sheet *s, int64_t i, int64_t area, double score)
{
    return s->even < s->tiles && area > 0 && is_better(&s->weakest, i, -score);
}

bool tpp_sheet_wants(const tpp_sheet *s, int64_t i, int64_t area, double score)
{
    return tpp_sheet_tile(s, i) >= 0 || is_largest(s, i, area) || is_weakest(s, i, area, score);
}

void tpp_sheet_add(tpp_sheet *s, int64_t i, const uint8_t *frame, int channels,
                   const uint8_t *const *masks, int64_t area, double score)
{
    const int tile = tpp_sheet_tile(s, i);
    if (tile >= 0) {
        draw(s, tile, frame, channels, masks);
        return;
    }
    if (is_largest(s, i, area)) {
        s->largest = (tpp_sheet_pick){i, (double)area};
        draw(s, s->even, frame, channels, masks);
        draw_rim(s, s->even, white);
    }
    if (is_weakest(s, i, area, score)) {
        s->weakest = (tpp_sheet_pick){i, -score};
        draw(s, s->even + 1, frame, channels, masks);
        draw_rim(s, s->even + 1, orange);
    }
}

void tpp_sheet_finish(tpp_sheet *s)
{
    if (s->weakest.frame < 0 || s->weakest.frame != s->largest.frame) return;
    fill(s, tile_rect(s, s->even + 1), background);
    draw_rim(s, s->even + 1, background);
}
