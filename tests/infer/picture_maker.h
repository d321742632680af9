/* Pictures as other programs write them: PNG of any kind by libpng.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_TESTS_INFER_PICTURE_MAKER_H
#define TPP_TESTS_INFER_PICTURE_MAKER_H

#include "../io/scratch.h"

#include <png.h>

/* Rows of `values` as the file has them (16 bits: big-endian). A palette is (i, 255 - i, 7). */
static inline void write_png_kind(const char *name, int color, int depth, int width, int height,
                                  const uint8_t *values, size_t row_bytes)
{
    png_color palette[256];
    FILE *f = fopen(scratch(name), "wb");
    assert_non_null(f);
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png_create_info_struct(png);
    png_init_io(png, f);
    png_set_IHDR(png, info, (png_uint_32)width, (png_uint_32)height, depth, color,
                 PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    for (int i = 0; i < 256; i++) palette[i] = (png_color){(png_byte)i, (png_byte)(255 - i), 7};
    if (color == PNG_COLOR_TYPE_PALETTE) png_set_PLTE(png, info, palette, 256);
    png_write_info(png, info);
    for (int y = 0; y < height; y++) png_write_row(png, values + (size_t)y * row_bytes);
    png_write_end(png, info);
    png_destroy_write_struct(&png, &info);
    assert_int_equal(fclose(f), 0);
}

/* 16-bit grey. */
static inline void write_png_deep(const char *name, int width, int height, const uint16_t *values)
{
    uint8_t bytes[4096];
    assert_true((size_t)(width * height) * 2 <= sizeof bytes);
    for (int i = 0; i < width * height; i++) {
        bytes[2 * i] = (uint8_t)(values[i] >> 8);
        bytes[2 * i + 1] = (uint8_t)values[i];
    }
    write_png_kind(name, PNG_COLOR_TYPE_GRAY, 16, width, height, bytes, (size_t)width * 2);
}

/* 8-bit grey, all of one value. */
static inline void write_png_plain(const char *name, int width, int height, uint8_t value)
{
    uint8_t bytes[4096];
    assert_true((size_t)(width * height) <= sizeof bytes);
    memset(bytes, value, sizeof bytes);
    write_png_kind(name, PNG_COLOR_TYPE_GRAY, 8, width, height, bytes, (size_t)width);
}

#endif
