/* PNG: every colour type at every depth, plain and interlaced, with and without transparency,
 * written by libpng and held against pixels that are computed here.
 * SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "io/picture.h"
#include "io/png.h"
#include "scratch.h"

#include <png.h>
#include <stdbool.h>
#include <zlib.h>

enum { MAX_SIDE = 40, MAX_CHANNELS = 4, COLOURS = 256 };

typedef struct kind {
    int color, depth, interlace;
    bool transparent; /* a tRNS chunk, where the colour type may have one */
    int width, height;
} kind;

static uint16_t values[MAX_SIDE][MAX_SIDE][MAX_CHANNELS]; /* as they are stored */
static png_color palette[COLOURS];

static int stored_channels(int color)
{
    switch (color) {
    case PNG_COLOR_TYPE_GRAY_ALPHA:
        return 2;
    case PNG_COLOR_TYPE_RGB:
        return 3;
    case PNG_COLOR_TYPE_RGB_ALPHA:
        return 4;
    default:
        return 1;
    }
}

static int shown_channels(int color)
{
    return color == PNG_COLOR_TYPE_GRAY || color == PNG_COLOR_TYPE_GRAY_ALPHA ? 1 : 3;
}

static void make_values(const kind *k)
{
    uint64_t seed = (uint64_t)(1 + k->color * 100 + k->depth);
    for (int y = 0; y < k->height; y++)
        for (int x = 0; x < k->width; x++)
            for (int c = 0; c < MAX_CHANNELS; c++)
                values[y][x][c] = (uint16_t)(next_random(&seed) & ((1u << k->depth) - 1));
    for (int i = 0; i < COLOURS; i++)
        palette[i] = (png_color){(png_byte)(i * 7 + 1), (png_byte)(255 - i), (png_byte)(i ^ 0x5A)};
}

/* A row as the file has it: the first pixel in the high bits, 16-bit values big-endian. */
static void pack_row(png_bytep row, int y, const kind *k)
{
    const int channels = stored_channels(k->color);
    int bit = 0;
    memset(row, 0, (size_t)MAX_SIDE * MAX_CHANNELS * 2);
    for (int x = 0; x < k->width; x++)
        for (int c = 0; c < channels; c++)
            for (int b = k->depth - 1; b >= 0; b--, bit++)
                if ((values[y][x][c] >> b & 1) != 0)
                    row[bit / 8] = (png_byte)(row[bit / 8] | 0x80 >> bit % 8);
}

static void write_transparency(png_structp png, png_infop info, const kind *k)
{
    png_byte alpha[2] = {0, 77};
    png_color_16 colour = {.gray = values[0][0][0],
                           .red = values[0][0][0],
                           .green = values[0][0][1],
                           .blue = values[0][0][2]};
    if (k->color == PNG_COLOR_TYPE_PALETTE)
        png_set_tRNS(png, info, alpha, 2, NULL);
    else
        png_set_tRNS(png, info, NULL, 0, &colour);
}

static const char *write_kind(const kind *k)
{
    static png_byte rows[MAX_SIDE][MAX_SIDE * MAX_CHANNELS * 2];
    png_bytep pointers[MAX_SIDE];
    const char *path = scratch("kind.png");
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png_create_info_struct(png);
    png_init_io(png, f);
    png_set_IHDR(png, info, (png_uint_32)k->width, (png_uint_32)k->height, k->depth, k->color,
                 k->interlace, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    if (k->color == PNG_COLOR_TYPE_PALETTE) png_set_PLTE(png, info, palette, 1 << k->depth);
    if (k->transparent) write_transparency(png, info, k);
    for (int y = 0; y < k->height; y++) {
        pack_row(rows[y], y, k);
        pointers[y] = rows[y];
    }
    png_write_info(png, info);
    png_write_image(png, pointers);
    png_write_end(png, info);
    png_destroy_write_struct(&png, &info);
    assert_int_equal(fclose(f), 0);
    return path;
}

static unsigned expected(const kind *k, int y, int x, int c)
{
    const unsigned v = values[y][x][c];
    if (k->color == PNG_COLOR_TYPE_PALETTE) {
        const png_color p = palette[values[y][x][0]];
        return c == 0 ? p.red : c == 1 ? p.green : p.blue;
    }
    return k->depth < 8 ? v * 255 / ((1u << k->depth) - 1) : v;
}

static void check_kind(const kind *k)
{
    make_values(k);
    const char *path = write_kind(k);
    tpp_picture_head head = {0};
    tpp_image image = {0};
    ASSERT_OK(tpp_picture_read_head(&head, path));
    ASSERT_OK(tpp_picture_read(&image, path));
    assert_true(head.width == k->width && head.height == k->height);
    assert_int_equal(head.channels, shown_channels(k->color));
    assert_int_equal(head.bits, k->depth == 16 ? 16 : 8);
    assert_true(image.width == k->width && image.height == k->height);
    assert_int_equal(image.channels, head.channels);
    assert_true((image.deep != NULL) == (k->depth == 16));
    assert_true((image.pixels != NULL) == (k->depth != 16));
    size_t i = 0;
    for (int y = 0; y < k->height; y++)
        for (int x = 0; x < k->width; x++)
            for (int c = 0; c < image.channels; c++, i++) {
                const unsigned got = image.deep != NULL ? image.deep[i] : image.pixels[i];
                if (got != expected(k, y, x, c))
                    fail_msg("colour type %d, depth %d, interlace %d, pixel %d,%d,%d: got %u, "
                             "wanted %u",
                             k->color, k->depth, k->interlace, y, x, c, got, expected(k, y, x, c));
            }
    tpp_image_free(&image);
    assert_null(image.deep);
}

static void every_kind_has_its_pixels(void **state)
{
    (void)state;
    static const struct {
        int color, depths;
    } kinds[] = {{PNG_COLOR_TYPE_GRAY, 1 | 2 | 4 | 8 | 16},
                 {PNG_COLOR_TYPE_RGB, 8 | 16},
                 {PNG_COLOR_TYPE_PALETTE, 1 | 2 | 4 | 8},
                 {PNG_COLOR_TYPE_GRAY_ALPHA, 8 | 16},
                 {PNG_COLOR_TYPE_RGB_ALPHA, 8 | 16}};
    static const int sizes[][2] = {{1, 1}, {13, 11}, {40, 3}, {2, 40}, {5, 8}};
    int checked = 0;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        for (int depth = 1; depth <= 16; depth *= 2)
            for (int variant = 0; variant < 4 && (kinds[i].depths & depth) != 0; variant++)
                for (size_t j = 0; j < sizeof sizes / sizeof *sizes; j++) {
                    const kind k = {.color = kinds[i].color,
                                    .depth = depth,
                                    .interlace = variant & 1,
                                    .transparent = variant >= 2,
                                    .width = sizes[j][0],
                                    .height = sizes[j][1]};
                    if (k.transparent && (k.color & PNG_COLOR_MASK_ALPHA) != 0) continue;
                    check_kind(&k);
                    checked++;
                }
    assert_int_equal(checked, 5 * (4 * 11 + 2 * 4)); /* 11 kinds without alpha, 4 with */
}

/* One who wants bytes is told, and gets nothing. */
static void deep_pictures_are_no_bytes(void **state)
{
    (void)state;
    const kind k = {.color = PNG_COLOR_TYPE_RGB, .depth = 16, .width = 3, .height = 2};
    make_values(&k);
    const char *path = write_kind(&k);
    tpp_image image = {.width = -5};
    ASSERT_FAILS(tpp_png_read(&image, path), TPP_EUNSUPPORTED, path, "16 bits a channel");
    assert_true(image.width == -5 && image.pixels == NULL && image.deep == NULL);
    ASSERT_OK(tpp_png_read_any(&image, path));
    ASSERT_FAILS(tpp_png_write(scratch("deep.png"), &image), TPP_EUSAGE, "deep.png",
                 "cannot write");
    tpp_image_free(&image);
}

/* libpng would make black of it. */
static void a_colour_outside_the_palette_is_damage(void **state)
{
    (void)state;
    for (int interlace = 0; interlace < 2; interlace++) {
        kind k = {.color = PNG_COLOR_TYPE_PALETTE, .depth = 4, .width = 9, .height = 7};
        k.interlace = interlace;
        make_values(&k);
        values[6][8][0] = 15;
        const char *path = write_kind(&k);
        size_t size = 0;
        uint8_t *bytes = get_file(path, &size);
        /* PLTE of 16 colours stands right behind IHDR: 15 of them are left, and a new checksum */
        enum { PLTE = 8 + 25, FULL = 48, LESS = 45 };
        assert_memory_equal(bytes + PLTE + 4, "PLTE", 4);
        memmove(bytes + PLTE + 8 + LESS + 4, bytes + PLTE + 8 + FULL + 4,
                size - (PLTE + 8 + FULL + 4));
        png_save_uint_32(bytes + PLTE, LESS);
        png_save_uint_32(bytes + PLTE + 8 + LESS,
                         (png_uint_32)crc32(0, bytes + PLTE + 4, 4 + LESS));
        tpp_image image = {.width = -5};
        path = put_file("palette.png", bytes, size - 3);
        ASSERT_FAILS(tpp_picture_read(&image, path), TPP_EFORMAT, path, "not in the palette");
        assert_int_equal(image.width, -5);
        tpp_free(bytes);
    }
}

static void memory_may_run_out_anywhere(void **state)
{
    (void)state;
    const kind k = {.color = PNG_COLOR_TYPE_GRAY, .depth = 16, .width = 9, .height = 7};
    make_values(&k);
    const char *path = write_kind(&k);
    tpp_image image = {0};
    int64_t n = 0;
    for (tpp_status s = TPP_ENOMEM; s != TPP_OK; n++) {
        tpp_alloc_fail_after(n);
        s = tpp_picture_read(&image, path);
        tpp_alloc_fail_after(-1);
        assert_true(s == TPP_OK || (s == TPP_ENOMEM && image.deep == NULL));
    }
    assert_int_equal(n, 3); /* pixels, rows, and the call that worked */
    tpp_image_free(&image);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_has_its_pixels),
        cmocka_unit_test(deep_pictures_are_no_bytes),
        cmocka_unit_test(a_colour_outside_the_palette_is_damage),
        cmocka_unit_test(memory_may_run_out_anywhere),
    };
    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
