/* PNG over libpng. Its errors arrive by longjmp: whatever has to survive one lives in a struct that
 * the function with the setjmp gets by pointer, so no local changes between the two.
 * SPDX-License-Identifier: MIT */
#include "io/png.h"

#include "core/log.h"
#include "core/mem.h"
#include "core/path.h"
#include "io/picture_file.h"

#include <errno.h>
#include <png.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* LIBPNG_SIDE stands before ours, which refuses with the numbers and before rows take memory. */
enum { CHUNK_MEMORY = 8 << 20, CHUNK_COUNT = 128, LIBPNG_SIDE = 1000000, MESSAGE = 192 };

typedef enum wanted { WANT_HEAD, WANT_BYTES, WANT_ANY } wanted;

/* One picture on its way in or out. */
typedef struct transfer {
    wanted want;
    tpp_picture_head head;
    png_structp png;
    png_infop info;
    FILE *file;
    tpp_image image;
    png_bytep *rows; /* into the image's pixels */
    tpp_status status;
    char message[MESSAGE], warning[MESSAGE]; /* the last warning often says why an error follows */
} transfer;

static void on_error(png_structp png, png_const_charp text)
{
    transfer *t = png_get_error_ptr(png);
    if (t->status == TPP_OK) t->status = TPP_EFORMAT;
    if (t->message[0] == '\0')
        (void)snprintf(t->message, sizeof t->message, "%.90s%s%.90s", text,
                       t->warning[0] == '\0' ? "" : "; ", t->warning);
    png_longjmp(png, 1);
}

static void on_warning(png_structp png, png_const_charp text)
{
    transfer *t = png_get_error_ptr(png);
    (void)snprintf(t->warning, sizeof t->warning, "%s", text);
    tpp_log(TPP_LOG_DEBUG, "png", "%s", text);
}

static void read_bytes(png_structp png, png_bytep out, size_t size)
{
    transfer *t = png_get_io_ptr(png);
    if (fread(out, 1, size, t->file) == size) return;
    const bool broken = ferror(t->file) != 0;
    if (broken) t->status = TPP_EIO;
    png_error(png, broken ? strerror(errno) : "the file ends too early");
}

/* Leaves through on_error with a status and message of ours. */
static void refuse(transfer *t, tpp_status status, const char *text)
{
    t->status = status;
    png_error(t->png, text);
}

/* Before libpng takes memory for rows. */
static void check_header(transfer *t)
{
    const png_uint_32 width = png_get_image_width(t->png, t->info);
    const png_uint_32 height = png_get_image_height(t->png, t->info);
    const int color = png_get_color_type(t->png, t->info);
    if (width > TPP_IMAGE_MAX_SIDE || height > TPP_IMAGE_MAX_SIDE ||
        (uint64_t)width * height > TPP_IMAGE_MAX_PIXELS) {
        (void)snprintf(t->message, sizeof t->message,
                       "%lu x %lu pixels, sides to %d and %d pixels in all are read",
                       (unsigned long)width, (unsigned long)height, TPP_IMAGE_MAX_SIDE,
                       TPP_IMAGE_MAX_PIXELS);
        refuse(t, TPP_EFORMAT, t->message);
    }
    t->head.width = (int)width;
    t->head.height = (int)height;
    t->head.channels = (color & PNG_COLOR_MASK_COLOR) != 0 ? 3 : 1;
    t->head.bits = png_get_bit_depth(t->png, t->info) > 8 ? 16 : 8;
    if (t->want == WANT_BYTES && t->head.bits > 8)
        refuse(t, TPP_EUNSUPPORTED, "16 bits a channel, 8 are wanted");
}

static bool is_palette(const transfer *t)
{
    return png_get_color_type(t->png, t->info) == PNG_COLOR_TYPE_PALETTE;
}

/* libpng hands out grey, RGB, or a palette's indices, in whole bytes; returns the bytes of a row.
 * The indices stay because it would make a colour of one that the palette lacks. */
static size_t ask_for_rows(transfer *t)
{
    const uint16_t one = 1;
    png_set_packing(t->png);
    if (png_get_color_type(t->png, t->info) == PNG_COLOR_TYPE_GRAY)
        png_set_expand_gray_1_2_4_to_8(t->png);
    if (t->head.bits == 16 && *(const uint8_t *)&one == 1) png_set_swap(t->png);
    png_set_strip_alpha(t->png);
    (void)png_set_interlace_handling(t->png);
    png_read_update_info(t->png, t->info);
    const size_t values = (size_t)t->head.width * (is_palette(t) ? 1 : (size_t)t->head.channels);
    return values * (size_t)(t->head.bits / 8);
}

static tpp_status point_rows(transfer *t)
{
    const tpp_image *image = &t->image;
    const size_t values = (size_t)image->width * (size_t)image->channels;
    TPP_NEW(t->rows, image->height);
    for (size_t y = 0; y < (size_t)image->height; y++)
        t->rows[y] = image->deep == NULL ? image->pixels + y * values
                                         : (png_bytep)(image->deep + y * values);
    return TPP_OK;
}

static tpp_status take_memory(transfer *t)
{
    const tpp_picture_head *h = &t->head;
    TPP_TRY(h->bits == 16 ? tpp_image_init_deep(&t->image, h->width, h->height, h->channels)
                          : tpp_image_init(&t->image, h->width, h->height, h->channels));
    return point_rows(t);
}

/* From the last pixel on, since a row's indices lie in front of where its colours go. */
static void colour_row(transfer *t, png_bytep row, png_const_colorp palette, int colours)
{
    for (size_t x = (size_t)t->image.width; x-- > 0;) {
        const int index = row[x];
        if (index >= colours) refuse(t, TPP_EFORMAT, "a pixel's colour is not in the palette");
        row[3 * x] = palette[index].red;
        row[3 * x + 1] = palette[index].green;
        row[3 * x + 2] = palette[index].blue;
    }
}

static void colour_rows(transfer *t)
{
    png_colorp palette = NULL;
    int colours = 0;
    (void)png_get_PLTE(t->png, t->info, &palette, &colours);
    for (int y = 0; y < t->image.height; y++) colour_row(t, t->rows[y], palette, colours);
}

static void decode(transfer *t)
{
    if (setjmp(png_jmpbuf(t->png)) != 0) return;
    png_set_read_fn(t->png, t, read_bytes);
    png_set_user_limits(t->png, LIBPNG_SIDE, LIBPNG_SIDE);
    png_set_chunk_malloc_max(t->png, CHUNK_MEMORY);
    png_set_chunk_cache_max(t->png, CHUNK_COUNT);
    /* Profiles, texts and whatever else does not change a stored value: checksum only. */
    png_set_keep_unknown_chunks(t->png, PNG_HANDLE_CHUNK_NEVER, NULL, -1);
    png_set_crc_action(t->png, PNG_CRC_ERROR_QUIT, PNG_CRC_ERROR_QUIT);
    png_read_info(t->png, t->info);
    check_header(t);
    if (t->want == WANT_HEAD) return;
    const size_t row_bytes = ask_for_rows(t);
    if (png_get_rowbytes(t->png, t->info) != row_bytes)
        refuse(t, TPP_EINTERNAL, "libpng would write rows of another length");
    t->status = take_memory(t);
    if (t->status != TPP_OK) return;
    png_read_image(t->png, t->rows);
    png_read_end(t->png, NULL);
    if (is_palette(t)) colour_rows(t);
}

/* The caller frees t->image. */
static tpp_status read_file(transfer *t, const char *path)
{
    TPP_TRY(tpp_picture_file_open(&t->file, path));
    t->png = png_create_read_struct(PNG_LIBPNG_VER_STRING, t, on_error, on_warning);
    if (t->png != NULL) t->info = png_create_info_struct(t->png);
    if (t->info == NULL)
        t->status = TPP_FAIL(TPP_ENOMEM, "%s: no memory for libpng", path);
    else
        decode(t);
    if (t->message[0] != '\0') t->status = TPP_FAIL(t->status, "%s: PNG: %s", path, t->message);
    png_destroy_read_struct(&t->png, &t->info, NULL);
    tpp_free(t->rows);
    (void)fclose(t->file);
    return t->status;
}

tpp_status tpp_png_read_head(tpp_picture_head *out, const char *path)
{
    transfer t = {.want = WANT_HEAD};
    TPP_TRY(read_file(&t, path));
    *out = t.head;
    return TPP_OK;
}

static tpp_status read_image(tpp_image *out, const char *path, wanted want)
{
    transfer t = {.want = want};
    const tpp_status s = read_file(&t, path);
    if (s == TPP_OK)
        *out = t.image;
    else
        tpp_image_free(&t.image);
    return s;
}

tpp_status tpp_png_read_any(tpp_image *out, const char *path)
{
    return read_image(out, path, WANT_ANY);
}

tpp_status tpp_png_read(tpp_image *out, const char *path)
{
    return read_image(out, path, WANT_BYTES);
}

static void write_bytes(png_structp png, png_bytep bytes, size_t size)
{
    const transfer *t = png_get_io_ptr(png);
    if (fwrite(bytes, 1, size, t->file) != size) png_error(png, strerror(errno));
}

static void flush_nothing(png_structp png)
{
    (void)png; /* the commit flushes */
}

static void encode(transfer *t)
{
    if (setjmp(png_jmpbuf(t->png)) != 0) return;
    const tpp_image *image = &t->image;
    png_set_write_fn(t->png, t, write_bytes, flush_nothing);
    png_set_IHDR(t->png, t->info, (png_uint_32)image->width, (png_uint_32)image->height, 8,
                 image->channels == 1 ? PNG_COLOR_TYPE_GRAY : PNG_COLOR_TYPE_RGB,
                 PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_write_info(t->png, t->info);
    png_write_image(t->png, t->rows);
    png_write_end(t->png, NULL);
}

static tpp_status check_picture(const char *path, const tpp_image *image)
{
    if (image->pixels != NULL && image->width >= 1 && image->height >= 1 &&
        image->width <= TPP_IMAGE_MAX_SIDE && image->height <= TPP_IMAGE_MAX_SIDE &&
        (int64_t)image->width * image->height <= TPP_IMAGE_MAX_PIXELS &&
        (image->channels == 1 || image->channels == 3))
        return TPP_OK;
    return TPP_FAIL(TPP_EUSAGE, "%s: cannot write %d x %d pixels of %d channels as PNG", path,
                    image->width, image->height, image->channels);
}

tpp_status tpp_png_write(const char *path, const tpp_image *image)
{
    TPP_TRY(check_picture(path, image));
    transfer t = {.image = *image}; /* borrows the pixels */
    tpp_out_file file = {0};
    TPP_TRY_OR(done, t.status, tpp_out_open(&file, path));
    TPP_TRY_OR(done, t.status, point_rows(&t));
    t.file = file.stream;
    t.png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &t, on_error, on_warning);
    if (t.png != NULL) t.info = png_create_info_struct(t.png);
    if (t.info == NULL) {
        t.status = TPP_FAIL(TPP_ENOMEM, "%s: no memory for libpng", path);
        goto done;
    }
    encode(&t);
    if (t.message[0] != '\0')
        t.status = TPP_FAIL(TPP_EIO, "%s: cannot write: %s", path, t.message);
    else
        t.status = tpp_out_commit(&file);
done:
    png_destroy_write_struct(&t.png, &t.info);
    tpp_free(t.rows);
    tpp_out_discard(&file);
    return t.status;
}
