/* PNG to memory over libpng. Its errors arrive by longjmp: whatever has to survive one lives in a
 * struct that the function with the setjmp gets by pointer.
 * SPDX-License-Identifier: MIT */
#include "io/png_encode.h"

#include "io/image.h"

#include <png.h>
#include <setjmp.h>

typedef struct encoder {
    png_structp png;
    png_infop info;
    tpp_str *out;
    const uint8_t *pixels;
    int width, height, channels;
} encoder;

static void on_error(png_structp png, png_const_charp text)
{
    encoder *e = png_get_error_ptr(png);
    e->out->status = TPP_FAIL(TPP_ENOMEM, "PNG in memory: %s", text);
    png_longjmp(png, 1);
}

static void on_warning(png_structp png, png_const_charp text)
{
    (void)png;
    (void)text;
}

static void add_bytes(png_structp png, png_bytep bytes, size_t size)
{
    const encoder *e = png_get_io_ptr(png);
    tpp_str_add(e->out, (const char *)bytes, size);
}

static void flush_nothing(png_structp png)
{
    (void)png;
}

static void encode(const encoder *e)
{
    if (setjmp(png_jmpbuf(e->png)) != 0) return;
    png_set_write_fn(e->png, (png_voidp)e, add_bytes, flush_nothing);
    png_set_IHDR(e->png, e->info, (png_uint_32)e->width, (png_uint_32)e->height, 8,
                 e->channels == 1 ? PNG_COLOR_TYPE_GRAY : PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE,
                 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_write_info(e->png, e->info);
    for (int y = 0; y < e->height; y++)
        png_write_row(e->png, e->pixels + (int64_t)y * e->width * e->channels);
    png_write_end(e->png, NULL);
}

tpp_status tpp_png_encode(tpp_str *out, const uint8_t *pixels, int width, int height, int channels)
{
    encoder e = {
        .out = out, .pixels = pixels, .width = width, .height = height, .channels = channels};
    if (width < 1 || height < 1 || width > TPP_IMAGE_MAX_SIDE || height > TPP_IMAGE_MAX_SIDE ||
        (int64_t)width * height > TPP_IMAGE_MAX_PIXELS || (channels != 1 && channels != 3))
        return TPP_FAIL(TPP_EUSAGE, "cannot make a PNG of %d x %d pixels of %d channels", width,
                        height, channels);
    e.png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &e, on_error, on_warning);
    if (e.png != NULL) e.info = png_create_info_struct(e.png);
    if (e.info == NULL)
        out->status = TPP_FAIL(TPP_ENOMEM, "no memory for libpng");
    else
        encode(&e);
    png_destroy_write_struct(&e.png, &e.info);
    return out->status;
}
