/* A contact sheet: some frames side by side with the outline of the mask.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_INFER_OVERLAY_H
#define TPP_INFER_OVERLAY_H

#include "core/status.h"
#include "io/image.h"

#include <stdbool.h>
#include <stdint.h>

enum { TPP_SHEET_MAX_TILES = 16 };

/* Zero-initialise; free in any state. */
typedef struct tpp_sheet {
    tpp_image picture;
    int64_t frames;     /* of the sequence */
    int height, width;  /* of a frame */
    int tiles, columns; /* tiles are laid row by row */
    int tile_height, tile_width;
} tpp_sheet;

/* A sheet for evenly spaced frames of a sequence of `frames`, at most TPP_SHEET_MAX_TILES.
 * `spacing_mm` of rows and columns keeps the aspect (0: square pixels). */
TPP_MUST_CHECK tpp_status tpp_sheet_init(tpp_sheet *s, int64_t frames, int height, int width,
                                         const double spacing_mm[2]);
void tpp_sheet_free(tpp_sheet *s);

/* The tile that frame i has, or -1. */
int tpp_sheet_tile(const tpp_sheet *s, int64_t i);

/* Draws a frame [height, width, channels] and the outline of its mask [height, width] (0 or not)
 * into a tile. */
void tpp_sheet_draw(tpp_sheet *s, int tile, const uint8_t *frame, int channels,
                    const uint8_t *mask);

#endif
