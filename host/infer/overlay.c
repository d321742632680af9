/* Draws contact sheets.
 * SPDX-License-Identifier: MIT */
#include "infer/overlay.h"

#include <math.h>
#include <string.h>

enum { LONG_SIDE = 320, SHORTEST = 8, GAP = 4, RGB = 3 };
static const uint8_t outline[RGB] = {0, 255, 64}, background[RGB] = {40, 40, 40};

/* ---- layout ---- */

static int at_least(double size, int least)
{
    return size < least ? least : (int)lround(size);
}

static void fill(tpp_image *image, const uint8_t colour[RGB])
{
    const size_t n = (size_t)image->width * (size_t)image->height;
    for (size_t p = 0; p < n; p++) memcpy(image->pixels + RGB * p, colour, RGB);
}

tpp_status tpp_sheet_init(tpp_sheet *s, int64_t frames, int height, int width,
                          const double spacing_mm[2])
{
    const bool known = spacing_mm[0] > 0 && spacing_mm[1] > 0;
    const double tall = height * (known ? spacing_mm[0] : 1.0);
    const double wide = width * (known ? spacing_mm[1] : 1.0);
    const double scale = LONG_SIDE / (tall > wide ? tall : wide);
    tpp_sheet made = {.frames = frames, .height = height, .width = width};
    made.tiles = frames < TPP_SHEET_MAX_TILES ? (int)frames : TPP_SHEET_MAX_TILES;
    made.columns = (int)ceil(sqrt(made.tiles));
    made.tile_height = at_least(tall * scale, SHORTEST);
    made.tile_width = at_least(wide * scale, SHORTEST);
    const int rows = (made.tiles + made.columns - 1) / made.columns;
    TPP_TRY(tpp_image_init(&made.picture, made.columns * (made.tile_width + GAP) + GAP,
                           rows * (made.tile_height + GAP) + GAP, RGB));
    fill(&made.picture, background);
    *s = made;
    return TPP_OK;
}

void tpp_sheet_free(tpp_sheet *s)
{
    tpp_image_free(&s->picture);
    *s = (tpp_sheet){0};
}

/* First and last frame are among them. */
static int64_t frame_of(const tpp_sheet *s, int tile)
{
    const int64_t steps = s->tiles - 1, at = tile;
    return steps == 0 ? 0 : (2 * at * (s->frames - 1) + steps) / (2 * steps);
}

int tpp_sheet_tile(const tpp_sheet *s, int64_t i)
{
    for (int t = 0; t < s->tiles; t++)
        if (frame_of(s, t) == i) return t;
    return -1;
}

/* ---- drawing ---- */

/* Source pixels [*from, *to) that pixel `i` of `n` covers. */
static void span(int i, int n, int source, int *from, int *to)
{
    *from = (int)((int64_t)i * source / n);
    *to = (int)(((int64_t)i + 1) * source / n);
    if (*to <= *from) *to = *from + 1;
}

/* Mean of the covered pixels; where the tile is larger than the frame, the nearest one. */
static void draw_pixel(const tpp_sheet *s, uint8_t *out, const uint8_t *frame, int channels, int y,
                       int x)
{
    int top = 0, bottom = 0, left = 0, right = 0;
    span(y, s->tile_height, s->height, &top, &bottom);
    span(x, s->tile_width, s->width, &left, &right);
    for (int c = 0; c < RGB; c++) {
        int64_t sum = 0;
        for (int r = top; r < bottom; r++)
            for (int q = left; q < right; q++)
                sum += frame[((int64_t)r * s->width + q) * channels + (channels == RGB ? c : 0)];
        const int64_t n = (int64_t)(bottom - top) * (right - left);
        out[c] = (uint8_t)((sum + n / 2) / n);
    }
}

/* Is any covered pixel of the mask set? So nothing small is lost where the tile is smaller. */
static bool in_mask(const tpp_sheet *s, const uint8_t *mask, int y, int x)
{
    int top = 0, bottom = 0, left = 0, right = 0;
    if (y < 0 || x < 0 || y >= s->tile_height || x >= s->tile_width) return false;
    span(y, s->tile_height, s->height, &top, &bottom);
    span(x, s->tile_width, s->width, &left, &right);
    for (int r = top; r < bottom; r++)
        for (int q = left; q < right; q++)
            if (mask[(int64_t)r * s->width + q] != 0) return true;
    return false;
}

/* The outline is two pixels wide: those on either side of the border, within the tile. */
static bool on_outline(const tpp_sheet *s, const uint8_t *mask, int y, int x)
{
    const bool here = in_mask(s, mask, y, x);
    return in_mask(s, mask, y - 1, x) != here || in_mask(s, mask, y + 1, x) != here ||
           in_mask(s, mask, y, x - 1) != here || in_mask(s, mask, y, x + 1) != here;
}

void tpp_sheet_draw(tpp_sheet *s, int tile, const uint8_t *frame, int channels, const uint8_t *mask)
{
    const int top = GAP + tile / s->columns * (s->tile_height + GAP);
    const int left = GAP + tile % s->columns * (s->tile_width + GAP);
    for (int y = 0; y < s->tile_height; y++)
        for (int x = 0; x < s->tile_width; x++) {
            uint8_t *out =
                s->picture.pixels + ((int64_t)(top + y) * s->picture.width + left + x) * RGB;
            if (on_outline(s, mask, y, x))
                memcpy(out, outline, RGB);
            else
                draw_pixel(s, out, frame, channels, y, x);
        }
}
