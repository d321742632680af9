/* A contact sheet: some frames side by side with the outlines of their masks.
 *
 *   init; add every frame (in any order) that it wants; finish; write `picture`
 *
 * Up to TPP_SHEET_MAX_TILES frames are all shown. Of more, evenly spaced ones, and in the last two
 * tiles, among the others, the frame with the largest area (framed white) and the one with the
 * lowest score of those where something is found (framed orange): drawn when seen, and again when a
 * later frame exceeds it, so nothing but the sheet is kept. If both are one frame, it stands once.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_INFER_OVERLAY_H
#define TPP_INFER_OVERLAY_H

#include "core/status.h"
#include "infer/target.h"
#include "io/image.h"

#include <stdbool.h>
#include <stdint.h>

enum { TPP_SHEET_MAX_TILES = 16 };

/* What a tile of its own is chosen by. */
typedef struct tpp_sheet_pick {
    int64_t frame; /* -1: none yet */
    double value;
} tpp_sheet_pick;

/* Zero-initialise; free in any state. */
typedef struct tpp_sheet {
    tpp_image picture;
    const tpp_targets *targets; /* borrowed; colours of the outlines */
    int64_t frames;             /* of the sequence */
    int height, width;          /* of a frame */
    int tiles, columns;         /* tiles are laid row by row */
    int even;                   /* the first of them: evenly spaced frames */
    int tile_height, tile_width;
    tpp_sheet_pick largest, weakest;
    uint8_t *shape; /* a mask at the size of a tile */
} tpp_sheet;

/* `spacing_mm` of rows and columns keeps the aspect (0: square pixels). Below the tiles of more
 * than one target lies a bar of their colours, in their order. */
TPP_MUST_CHECK tpp_status tpp_sheet_init(tpp_sheet *s, int64_t frames, int height, int width,
                                         const double spacing_mm[2], const tpp_targets *targets);
void tpp_sheet_free(tpp_sheet *s);

/* Would frame i change the sheet? `area` is that of all masks, `score` the lowest of the targets
 * that are there; with an area of 0 it does not count. */
bool tpp_sheet_wants(const tpp_sheet *s, int64_t i, int64_t area, double score);

/* Draws frame i [height, width, channels] with masks[t] [height, width] of 0 and 1 (NULL: nothing
 * found) where it is wanted. */
void tpp_sheet_add(tpp_sheet *s, int64_t i, const uint8_t *frame, int channels,
                   const uint8_t *const *masks, int64_t area, double score);

/* Clears a tile that shows what another one shows. */
void tpp_sheet_finish(tpp_sheet *s);

/* The tile of evenly spaced frame i, or -1. */
int tpp_sheet_tile(const tpp_sheet *s, int64_t i);

#endif
