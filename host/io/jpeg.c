/* JPEG: the markers before the pixels are read here, so that sizes and kinds are known before a
 * decoder starts; libjpeg-turbo decodes.
 * SPDX-License-Identifier: MIT */
#include "io/jpeg.h"

#include <stddef.h>

#ifdef TPP_HAS_JPEG

#include "core/mem.h"
#include "core/path.h"
#include "io/bytes.h"
#include "io/picture_file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <turbojpeg.h>

enum { FILE_LIMIT = 256 << 20 };

enum {
    MARKER_SOF0 = 0xC0,
    MARKER_SOF15 = 0xCF,
    MARKER_DHT = 0xC4,
    MARKER_JPG = 0xC8,
    MARKER_DAC = 0xCC,
    MARKER_RST0 = 0xD0,
    MARKER_SOI = 0xD8,
    MARKER_EOI = 0xD9,
    MARKER_SOS = 0xDA,
    MARKER_JPEG_LS = 0xF7,
    MARKER_TEM = 0x01,
};

const char *tpp_jpeg_library(void)
{
    return "libjpeg-turbo " TPP_JPEG_VERSION;
}

static tpp_status ends_early(const char *path, FILE *f)
{
    if (ferror(f) != 0) return TPP_FAIL(TPP_EIO, "%s: cannot read: %s", path, strerror(errno));
    return TPP_FAIL(TPP_EFORMAT, "%s: JPEG: the file ends within its header", path);
}

static bool is_frame_header(int marker)
{
    return (marker >= MARKER_SOF0 && marker <= MARKER_SOF15 && marker != MARKER_DHT &&
            marker != MARKER_JPG && marker != MARKER_DAC) ||
           marker == MARKER_JPEG_LS;
}

static bool stands_alone(int marker)
{
    return marker == MARKER_TEM || (marker >= MARKER_RST0 && marker <= MARKER_SOI);
}

/* The marker at this place, after any number of 0xFF. */
static tpp_status read_marker(int *out, FILE *f, const char *path)
{
    int c = getc(f);
    if (c != EOF && c != 0xFF)
        return TPP_FAIL(TPP_EFORMAT, "%s: JPEG: byte %ld begins no marker", path, ftell(f) - 1);
    while (c == 0xFF) c = getc(f);
    if (c == EOF) return ends_early(path, f);
    *out = c;
    return TPP_OK;
}

static tpp_status check_kind(const char *path, int marker, int precision, int components)
{
    const int process = marker - MARKER_SOF0; /* 0..2 Huffman, 9 and 10 arithmetic */
    if (marker == MARKER_JPEG_LS)
        return TPP_FAIL(TPP_EUNSUPPORTED, "%s: JPEG-LS is not read; convert it to PNG", path);
    if (process > 2 && process != 9 && process != 10)
        return TPP_FAIL(TPP_EUNSUPPORTED,
                        "%s: lossless and hierarchical JPEG (SOF%d) are not read; convert it to "
                        "PNG",
                        path, process);
    if (precision != 8)
        return TPP_FAIL(TPP_EUNSUPPORTED,
                        "%s: JPEG of %d bits a channel, 8 are read; convert it to PNG", path,
                        precision);
    if (components == 4)
        return TPP_FAIL(TPP_EUNSUPPORTED, "%s: JPEG in CMYK is not read; convert it to RGB", path);
    if (components != 1 && components != 3)
        return TPP_FAIL(TPP_EFORMAT, "%s: JPEG of %d channels, 1 and 3 are read", path, components);
    return TPP_OK;
}

static tpp_status read_frame_header(tpp_picture_head *out, FILE *f, int marker, const char *path)
{
    uint8_t b[8]; /* length, precision, height, width, components */
    if (fread(b, 1, sizeof b, f) != sizeof b) return ends_early(path, f);
    const int height = (int)tpp_bytes_get(b + 3, 2, true);
    const int width = (int)tpp_bytes_get(b + 5, 2, true);
    TPP_TRY(check_kind(path, marker, b[2], b[7]));
    if (height < 1 || width < 1)
        return TPP_FAIL(TPP_EFORMAT, "%s: JPEG of %d x %d pixels", path, width, height);
    if (width > TPP_IMAGE_MAX_SIDE || height > TPP_IMAGE_MAX_SIDE ||
        (int64_t)width * height > TPP_IMAGE_MAX_PIXELS)
        return TPP_FAIL(TPP_EFORMAT,
                        "%s: JPEG: %d x %d pixels, sides to %d and %d pixels in all are read", path,
                        width, height, TPP_IMAGE_MAX_SIDE, TPP_IMAGE_MAX_PIXELS);
    *out = (tpp_picture_head){.width = width, .height = height, .channels = b[7], .bits = 8};
    return TPP_OK;
}

static tpp_status skip_segment(FILE *f, const char *path)
{
    uint8_t b[2];
    if (fread(b, 1, sizeof b, f) != sizeof b) return ends_early(path, f);
    const long length = (long)tpp_bytes_get(b, 2, true);
    if (length < 2) return TPP_FAIL(TPP_EFORMAT, "%s: JPEG: a segment of %ld bytes", path, length);
    if (fseek(f, length - 2, SEEK_CUR) != 0) return ends_early(path, f);
    return TPP_OK;
}

static tpp_status find_frame_header(tpp_picture_head *out, FILE *f, const char *path)
{
    int marker = 0;
    TPP_TRY(read_marker(&marker, f, path));
    if (marker != MARKER_SOI) return TPP_FAIL(TPP_EFORMAT, "%s: not a JPEG file", path);
    for (;;) {
        TPP_TRY(read_marker(&marker, f, path));
        if (is_frame_header(marker)) return read_frame_header(out, f, marker, path);
        if (marker == MARKER_SOS || marker == MARKER_EOI || marker == 0)
            return TPP_FAIL(TPP_EFORMAT, "%s: JPEG without a frame header", path);
        if (!stands_alone(marker)) TPP_TRY(skip_segment(f, path));
    }
}

tpp_status tpp_jpeg_read_head(tpp_picture_head *out, const char *path)
{
    FILE *f = NULL;
    tpp_picture_head head = {0};
    TPP_TRY(tpp_picture_file_open(&f, path));
    const tpp_status s = find_frame_header(&head, f, path);
    (void)fclose(f);
    if (s == TPP_OK) *out = head;
    return s;
}

static tpp_status decoder_failed(tjhandle tj, const char *path)
{
    const char *text = tjGetErrorStr2(tj);
    const bool memory = strstr(text, "nsufficient memory") != NULL ||
                        strstr(text, "emory allocation failure") != NULL;
    return TPP_FAIL(memory ? TPP_ENOMEM : TPP_EFORMAT, "%s: JPEG: %s", path, text);
}

/* The head was read from the file before; the bytes have to say the same. */
static tpp_status decode(tpp_image *image, tjhandle tj, const uint8_t *bytes, size_t size,
                         const char *path)
{
    int width = 0, height = 0, subsampling = 0, space = 0;
    /* Fails for subsamplings without a name too, which decode well. */
    (void)tjDecompressHeader3(tj, bytes, (unsigned long)size, &width, &height, &subsampling,
                              &space);
    if (width == 0 && height == 0) return decoder_failed(tj, path);
    if (width != image->width || height != image->height)
        return TPP_FAIL(TPP_EFORMAT, "%s: JPEG: two sizes, %d x %d and %d x %d", path, image->width,
                        image->height, width, height);
    if (tjDecompress2(tj, bytes, (unsigned long)size, image->pixels, width, 0, height,
                      image->channels == 1 ? TJPF_GRAY : TJPF_RGB,
                      TJFLAG_ACCURATEDCT | TJFLAG_LIMITSCANS) != 0)
        return decoder_failed(tj, path);
    return TPP_OK;
}

tpp_status tpp_jpeg_read(tpp_image *out, const char *path)
{
    tpp_picture_head head = {0};
    tpp_image image = {0};
    char *bytes = NULL;
    size_t size = 0;
    tjhandle tj = NULL;
    tpp_status s = TPP_OK;
    TPP_TRY(tpp_jpeg_read_head(&head, path));
    TPP_TRY_OR(done, s, tpp_file_read(&bytes, &size, path, FILE_LIMIT));
    TPP_TRY_OR(done, s, tpp_image_init(&image, head.width, head.height, head.channels));
    tj = tjInitDecompress();
    s = tj == NULL ? TPP_FAIL(TPP_ENOMEM, "%s: no memory for libjpeg-turbo", path)
                   : decode(&image, tj, (const uint8_t *)bytes, size, path);
    if (s == TPP_OK) {
        *out = image;
        image = (tpp_image){0};
    }
done:
    if (tj != NULL) (void)tjDestroy(tj);
    tpp_image_free(&image);
    tpp_free(bytes);
    return s;
}

#else

const char *tpp_jpeg_library(void)
{
    return NULL;
}

static tpp_status refuse(const char *path)
{
    return TPP_FAIL(TPP_EUNSUPPORTED,
                    "%s: a JPEG, and this program was built without libjpeg-turbo; convert it to "
                    "PNG, or install libturbojpeg0-dev and build again",
                    path);
}

tpp_status tpp_jpeg_read_head(tpp_picture_head *out, const char *path)
{
    (void)out;
    return refuse(path);
}

tpp_status tpp_jpeg_read(tpp_image *out, const char *path)
{
    (void)out;
    return refuse(path);
}

#endif
