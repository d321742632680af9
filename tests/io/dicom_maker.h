/* Makes DICOM files byte by byte, right or wrong ones, without the library under test.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_TESTS_IO_DICOM_MAKER_H
#define TPP_TESTS_IO_DICOM_MAKER_H

#include "core/log.h"
#include "io/bytes.h"
#include "io/dicom.h"
#include "io/volume_file.h"
#include "scratch.h"

#include <math.h>

enum { MAKER_ROOM = 1 << 16, MAKER_ROWS = 3, MAKER_COLUMNS = 4, MAKER_PIXELS = 12 };
static const char MAKER_EXPLICIT[] = "1.2.840.10008.1.2.1";
static const char MAKER_IMPLICIT[] = "1.2.840.10008.1.2";
static const char MAKER_BIG[] = "1.2.840.10008.1.2.2";
static const char MAKER_RUNS[] = "1.2.840.10008.1.2.5";
static const char MAKER_CT[] = "1.2.840.10008.5.1.4.1.1.2";
static const char MAKER_ENHANCED_CT[] = "1.2.840.10008.5.1.4.1.1.2.1";

/* Bytes of a file as it grows. */
typedef struct maker_bytes {
    uint8_t *p;
    size_t size;
    bool implicit, big;
} maker_bytes;

/* One file. What is NULL, or 0 where it says so, is left out. */
typedef struct maker {
    const char *syntax, *sop_class, *sop, *series, *modality, *description, *image_type;
    const char *frame_of_reference, *photometric, *window_centre, *window_width, *slope, *intercept;
    int number, rows, columns, frames, samples, planar, allocated, stored, is_signed;
    bool is_placed, no_mark;
    double position[3], orientation[6], spacing[2], thickness, between;
    const char *frame_time;
    double (*frame_position)[3]; /* of each frame: makes it an enhanced object */
    const uint8_t *extra;        /* bytes of elements between groups 8 and 10 */
    size_t extra_size;
    const uint16_t *palette; /* 3 x 256 entries of 16 bits */
    uint32_t pixel_length;   /* stated instead of the true one, unless 0 */
} maker;

static inline maker maker_default(void)
{
    return (maker){.syntax = MAKER_EXPLICIT,
                   .sop_class = MAKER_CT,
                   .sop = "1.2.3.1",
                   .series = "1.2.3",
                   .modality = "CT",
                   .description = "trunk",
                   .frame_of_reference = "1.2.3.9",
                   .photometric = "MONOCHROME2",
                   .number = 1,
                   .rows = MAKER_ROWS,
                   .columns = MAKER_COLUMNS,
                   .frames = 1,
                   .samples = 1,
                   .allocated = 16,
                   .stored = 16,
                   .is_signed = 1,
                   .is_placed = true,
                   .position = {-10, -20, 30},
                   .orientation = {1, 0, 0, 0, 1, 0},
                   .spacing = {2, 1.5}};
}

static inline void maker_int(maker_bytes *b, uint64_t v, size_t size)
{
    tpp_bytes_put(b->p + b->size, v, size, b->big);
    b->size += size;
}

static inline void maker_head(maker_bytes *b, uint32_t tag, const char *vr, uint32_t length)
{
    maker_int(b, tag >> 16, 2);
    maker_int(b, tag & 0xFFFF, 2);
    if (b->implicit || vr == NULL) {
        maker_int(b, length, 4);
        return;
    }
    memcpy(b->p + b->size, vr, 2);
    b->size += 2;
    if (strstr("OB OW SQ UN", vr) != NULL) {
        maker_int(b, 0, 2);
        maker_int(b, length, 4);
    } else {
        maker_int(b, length, 2);
    }
}

static inline void maker_text(maker_bytes *b, uint32_t tag, const char *vr, const char *text)
{
    if (text == NULL) return;
    const size_t length = strlen(text), even = length + length % 2;
    maker_head(b, tag, vr, (uint32_t)even);
    memcpy(b->p + b->size, text, length);
    if (even > length) b->p[b->size + length] = strcmp(vr, "UI") == 0 ? 0 : ' ';
    b->size += even;
}

static inline void maker_short(maker_bytes *b, uint32_t tag, int v)
{
    maker_head(b, tag, "US", 2);
    maker_int(b, (uint64_t)v, 2);
}

static inline void maker_decimals(maker_bytes *b, uint32_t tag, const double *v, int n)
{
    char text[256] = "";
    for (int i = 0; i < n; i++)
        (void)snprintf(text + strlen(text), sizeof text - strlen(text), "%s%.10g",
                       i == 0 ? "" : "\\", v[i]);
    maker_text(b, tag, "DS", text);
}

static inline void maker_open(maker_bytes *b, uint32_t sequence)
{
    maker_head(b, sequence, "SQ", UINT32_MAX);
    maker_head(b, 0xFFFEE000, NULL, UINT32_MAX);
}
static inline void maker_close(maker_bytes *b)
{
    maker_head(b, 0xFFFEE00D, NULL, 0);
    maker_head(b, 0xFFFEE0DD, NULL, 0);
}

static inline void maker_identity(maker_bytes *b, const maker *m)
{
    char number[16];
    (void)snprintf(number, sizeof number, "%d", m->number);
    maker_text(b, 0x00080008, "CS", m->image_type);
    maker_text(b, 0x00080016, "UI", m->sop_class);
    maker_text(b, 0x00080018, "UI", m->sop);
    maker_text(b, 0x00080020, "DA", "20200102");
    maker_text(b, 0x00080030, "TM", "101112");
    maker_text(b, 0x00080060, "CS", m->modality);
    maker_text(b, 0x0008103E, "LO", m->description);
    if (m->extra != NULL) {
        memcpy(b->p + b->size, m->extra, m->extra_size);
        b->size += m->extra_size;
    }
    maker_text(b, 0x00100010, "PN", "Secret^Name");
    maker_text(b, 0x00100020, "LO", "SECRETID");
    if (m->thickness > 0) maker_decimals(b, 0x00180050, &m->thickness, 1);
    if (m->between > 0) maker_decimals(b, 0x00180088, &m->between, 1);
    maker_text(b, 0x00181063, "DS", m->frame_time);
    maker_text(b, 0x0020000D, "UI", "1.2.3.4");
    maker_text(b, 0x0020000E, "UI", m->series);
    maker_text(b, 0x00200013, "IS", number);
    if (m->is_placed && m->frame_position == NULL) {
        maker_decimals(b, 0x00200032, m->position, 3);
        maker_decimals(b, 0x00200037, m->orientation, 6);
    }
    maker_text(b, 0x00200052, "UI", m->frame_of_reference);
}

static inline void maker_form(maker_bytes *b, const maker *m)
{
    char frames[16];
    (void)snprintf(frames, sizeof frames, "%d", m->frames);
    maker_short(b, 0x00280002, m->samples);
    maker_text(b, 0x00280004, "CS", m->photometric);
    if (m->samples > 1) maker_short(b, 0x00280006, m->planar);
    if (m->frames > 1) maker_text(b, 0x00280008, "IS", frames);
    maker_short(b, 0x00280010, m->rows);
    maker_short(b, 0x00280011, m->columns);
    if (m->frame_position == NULL && m->spacing[0] > 0)
        maker_decimals(b, 0x00280030, m->spacing, 2);
    maker_short(b, 0x00280100, m->allocated);
    maker_short(b, 0x00280101, m->stored);
    maker_short(b, 0x00280102, m->stored - 1);
    maker_short(b, 0x00280103, m->is_signed);
    maker_text(b, 0x00281050, "DS", m->window_centre);
    maker_text(b, 0x00281051, "DS", m->window_width);
    maker_text(b, 0x00281052, "DS", m->intercept);
    maker_text(b, 0x00281053, "DS", m->slope);
    for (uint32_t c = 0; m->palette != NULL && c < 3; c++) {
        maker_head(b, 0x00281101 + c, "US", 6);
        maker_int(b, 256, 2);
        maker_int(b, 0, 2);
        maker_int(b, 16, 2);
    }
    for (uint32_t c = 0; m->palette != NULL && c < 3; c++) {
        maker_head(b, 0x00281201 + c, "OW", 512);
        for (int i = 0; i < 256; i++) maker_int(b, m->palette[256 * c + (uint32_t)i], 2);
    }
}

/* Functional groups of an enhanced object: orientation and spacing shared, positions by frame. */
static inline void maker_groups(maker_bytes *b, const maker *m)
{
    maker_open(b, 0x52009229);
    maker_open(b, 0x00209116);
    maker_decimals(b, 0x00200037, m->orientation, 6);
    maker_close(b);
    maker_open(b, 0x00289110);
    maker_decimals(b, 0x00280030, m->spacing, 2);
    maker_close(b);
    maker_close(b);
    maker_head(b, 0x52009230, "SQ", UINT32_MAX);
    for (int i = 0; i < m->frames; i++) {
        maker_head(b, 0xFFFEE000, NULL, UINT32_MAX);
        maker_open(b, 0x00209113);
        maker_decimals(b, 0x00200032, m->frame_position[i], 3);
        maker_close(b);
        maker_open(b, 0x00289145);
        const double scale[2] = {100 * i, 1 + i};
        maker_decimals(b, 0x00281052, &scale[0], 1);
        maker_decimals(b, 0x00281053, &scale[1], 1);
        maker_close(b);
        maker_head(b, 0xFFFEE00D, NULL, 0);
    }
    maker_head(b, 0xFFFEE0DD, NULL, 0);
}

/* Run-length coding of 8-bit frames (PS3.5, G), all of it literal runs. */
static inline void maker_runs(maker_bytes *b, const maker *m, const uint8_t *pixels)
{
    const size_t frame = (size_t)(m->rows * m->columns), longest = 128;
    maker_head(b, 0x7FE00010, "OB", UINT32_MAX);
    maker_head(b, 0xFFFEE000, NULL, 0);
    for (int i = 0; i < m->frames; i++) {
        const size_t start = b->size;
        maker_head(b, 0xFFFEE000, NULL, 0);
        memset(b->p + b->size, 0, 64);
        tpp_bytes_put(b->p + b->size, 1, 4, false);
        tpp_bytes_put(b->p + b->size + 4, 64, 4, false);
        b->size += 64;
        for (size_t at = 0; at < frame; at += longest) {
            const size_t n = frame - at < longest ? frame - at : longest;
            b->p[b->size++] = (uint8_t)(n - 1);
            memcpy(b->p + b->size, pixels + (size_t)i * frame + at, n);
            b->size += n;
        }
        if ((b->size - start) % 2 == 1) b->p[b->size++] = 0;
        tpp_bytes_put(b->p + start + 4, b->size - start - 8, 4, false);
    }
    maker_head(b, 0xFFFEE0DD, NULL, 0);
}

/* Pixels are `count` numbers, each written in `allocated` bits. Returns the file's size; `out` has
 * MAKER_ROOM bytes. */
static inline size_t maker_make(uint8_t *out, const maker *m, const int32_t *pixels, size_t count)
{
    maker_bytes b = {.p = out};
    if (!m->no_mark) {
        memset(out, 0, 128);
        memcpy(out + 128, "DICM", 4);
        b.size = 132;
        maker_text(&b, 0x00020002, "UI", m->sop_class);
        maker_text(&b, 0x00020003, "UI", m->sop);
        maker_text(&b, 0x00020010, "UI", m->syntax);
    }
    b.implicit = strcmp(m->syntax, MAKER_IMPLICIT) == 0;
    b.big = strcmp(m->syntax, MAKER_BIG) == 0;
    maker_identity(&b, m);
    maker_form(&b, m);
    if (m->frame_position != NULL) maker_groups(&b, m);
    const size_t size = (size_t)m->allocated / 8, bytes = count * size;
    if (strcmp(m->syntax, MAKER_RUNS) == 0) {
        uint8_t small[4096];
        for (size_t i = 0; i < count; i++) small[i] = (uint8_t)pixels[i];
        maker_runs(&b, m, small);
        return b.size;
    }
    const uint32_t length = (uint32_t)(bytes + bytes % 2);
    maker_head(&b, 0x7FE00010, "OW", m->pixel_length > 0 ? m->pixel_length : length);
    const size_t start = b.size;
    for (size_t i = 0; i < count; i++) maker_int(&b, (uint32_t)pixels[i], size);
    if (bytes % 2 == 1) b.p[b.size++] = 0;
    for (size_t i = start; size == 1 && b.big && i < b.size; i += 2) { /* words of bytes */
        const uint8_t swap = b.p[i];
        b.p[i] = b.p[i + 1];
        b.p[i + 1] = swap;
    }
    return b.size;
}

/* Pixels that tell their place: 100 * first + index. */
static inline void maker_pixels(int32_t *out, int first, size_t count)
{
    for (size_t i = 0; i < count; i++) out[i] = 100 * first + (int32_t)i;
}

/* Writes the file with maker_pixels(first), or with `pixels`. */
static inline const char *maker_put(const char *name, const maker *m, int first,
                                    const int32_t *pixels)
{
    static uint8_t bytes[MAKER_ROOM];
    int32_t ramp[4096];
    const size_t count = (size_t)(m->rows * m->columns * m->frames * m->samples);
    assert_true(count <= sizeof ramp / sizeof *ramp);
    maker_pixels(ramp, first, count);
    return put_file(name, bytes, maker_make(bytes, m, pixels != NULL ? pixels : ramp, count));
}

/* ---- what the program says ---- */

static char maker_log_text[8192];

static inline void maker_log_sink(void *context, tpp_log_level level, const char *module,
                                  const char *text)
{
    (void)context, (void)level, (void)module;
    const size_t used = strlen(maker_log_text);
    (void)snprintf(maker_log_text + used, sizeof maker_log_text - used, "%s\n", text);
}

static inline void maker_log_clear(void)
{
    maker_log_text[0] = '\0';
    tpp_log_set(TPP_LOG_INFO, maker_log_sink, NULL);
}

static inline void assert_said(const char *fact)
{
    if (strstr(maker_log_text, fact) == NULL)
        fail_msg("wanted \"%s\" in the log, which has: %s", fact, maker_log_text);
}

static inline void assert_not_said(const char *fact)
{
    if (strstr(maker_log_text, fact) != NULL)
        fail_msg("the log has \"%s\": %s", fact, maker_log_text);
}

/* A fresh folder under the scratch folder; its path stays valid as scratch()'s do. */
static inline const char *maker_folder(const char *name)
{
    const char *path = scratch(name);
    assert_int_equal(tpp_path_make_folder(path), TPP_OK);
    return path;
}

#endif
