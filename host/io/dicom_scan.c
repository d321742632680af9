/* Walks a DICOM file from element to element (PS3.5, 7) without looking at values. What DCMTK
 * would follow on trust (lengths, nesting) is checked here.
 * SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "io/dicom_scan.h"

#include "core/mem.h"
#include "io/bytes.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum {
    PREAMBLE = 128,
    STEP = 4096,         /* skipped by reading: a seek drops the stream's buffer */
    DELIMITERS = 0xFFFE, /* group of items and their ends */
    ITEM = 0xE000,
    ITEM_END = 0xE00D,
    SEQUENCE_END = 0xE0DD,
    PIXEL_GROUP = 0x7FE0,
    PIXEL_ELEMENT = 0x0010,
    SYNTAX_ELEMENT = 0x0010 /* of group 2 */
};
static const uint32_t undefined_length = UINT32_MAX;

/* One file being walked. */
typedef struct scan {
    FILE *file;
    const char *path;
    uint64_t at; /* position in `file` */
    bool big, implicit;
    size_t fragment_room;
    tpp_dicom_layout layout;
} scan;

/* What stands before an element's value. */
typedef struct head {
    uint16_t group, element;
    char vr[3]; /* "": an item or delimiter, or implicit */
    uint32_t length;
} head;

static tpp_status truncated(const scan *s, uint64_t end, const char *what)
{
    return TPP_FAIL(TPP_EFORMAT,
                    "%s: truncated, or a length lies: %s at byte %" PRIu64 " does not fit before "
                    "byte %" PRIu64,
                    s->path, what, s->at, end);
}

static tpp_status get(scan *s, void *out, size_t size, uint64_t end)
{
    if (end - s->at < size) return truncated(s, end, "an element");
    if (fread(out, 1, size, s->file) != size)
        return TPP_FAIL(TPP_EIO, "%s: cannot be read at byte %" PRIu64, s->path, s->at);
    s->at += size;
    return TPP_OK;
}

static tpp_status go_to(scan *s, uint64_t at)
{
    if (fseeko(s->file, (off_t)at, SEEK_SET) != 0)
        return TPP_FAIL(TPP_EIO, "%s: cannot seek to byte %" PRIu64, s->path, at);
    s->at = at;
    return TPP_OK;
}

static tpp_status skip(scan *s, uint64_t size, uint64_t end)
{
    uint8_t rest[STEP];
    if (end - s->at < size) return truncated(s, end, "a value");
    return size <= STEP ? get(s, rest, (size_t)size, end) : go_to(s, s->at + size);
}

static bool has_long_length(const char vr[3])
{
    static const char list[][3] = {"OB", "OD", "OF", "OL", "OV", "OW", "SQ",
                                   "SV", "UC", "UN", "UR", "UT", "UV"};
    for (size_t i = 0; i < sizeof list / sizeof *list; i++)
        if (strcmp(vr, list[i]) == 0) return true;
    return false;
}

static tpp_status read_head(scan *s, uint64_t end, head *h)
{
    uint8_t bytes[8] = {0};
    TPP_TRY(get(s, bytes, sizeof bytes, end));
    *h = (head){.group = (uint16_t)tpp_bytes_get(bytes, 2, s->big),
                .element = (uint16_t)tpp_bytes_get(bytes + 2, 2, s->big)};
    if (s->implicit || h->group == DELIMITERS) {
        h->length = (uint32_t)tpp_bytes_get(bytes + 4, 4, s->big);
        return TPP_OK;
    }
    if (!isupper(bytes[4]) || !isupper(bytes[5]))
        return TPP_FAIL(TPP_EFORMAT,
                        "%s: the element (%04x,%04x) before byte %" PRIu64 " has no type", s->path,
                        h->group, h->element, s->at);
    memcpy(h->vr, bytes + 4, 2);
    if (!has_long_length(h->vr)) {
        h->length = (uint32_t)tpp_bytes_get(bytes + 6, 2, s->big);
        return TPP_OK;
    }
    TPP_TRY(get(s, bytes, 4, end));
    h->length = (uint32_t)tpp_bytes_get(bytes, 4, s->big);
    return TPP_OK;
}

static tpp_status add_fragment(scan *s, tpp_dicom_span span)
{
    tpp_dicom_layout *l = &s->layout;
    if (l->fragment_count == s->fragment_room) {
        s->fragment_room = s->fragment_room == 0 ? 16 : 2 * s->fragment_room;
        tpp_dicom_span *grown = tpp_realloc(l->fragment, s->fragment_room, sizeof *grown);
        if (grown == NULL) return TPP_ENOMEM;
        l->fragment = grown;
    }
    l->fragment[l->fragment_count++] = span;
    return TPP_OK;
}

/* Compressed pixel data: an offset table, then pieces, each of a stated length. */
static tpp_status walk_fragments(scan *s, uint64_t end, bool keep)
{
    for (bool table = true;; table = false) {
        head h;
        TPP_TRY(read_head(s, end, &h));
        if (h.group == DELIMITERS && h.element == SEQUENCE_END && !table) return TPP_OK;
        if (h.group != DELIMITERS || h.element != ITEM || h.length == undefined_length)
            return TPP_FAIL(TPP_EFORMAT,
                            "%s: compressed pixel data are not in pieces at byte %" PRIu64, s->path,
                            s->at);
        const tpp_dicom_span span = {s->at, h.length};
        TPP_TRY(skip(s, h.length, end));
        if (keep && !table) TPP_TRY(add_fragment(s, span));
    }
}

static tpp_status walk_elements(scan *s, uint64_t end, bool until_mark, int depth);

/* The items of a sequence: up to `end`, or to the mark that ends them. */
static tpp_status walk_items(scan *s, uint64_t end, bool until_mark, int depth)
{
    if (depth > TPP_DICOM_MAX_DEPTH)
        return TPP_FAIL(TPP_EFORMAT, "%s: sequences nested more than %d deep at byte %" PRIu64,
                        s->path, TPP_DICOM_MAX_DEPTH, s->at);
    while (until_mark || s->at < end) {
        head h;
        TPP_TRY(read_head(s, end, &h));
        if (until_mark && h.group == DELIMITERS && h.element == SEQUENCE_END) return TPP_OK;
        if (h.group != DELIMITERS || h.element != ITEM)
            return TPP_FAIL(TPP_EFORMAT,
                            "%s: a sequence holds (%04x,%04x) before byte %" PRIu64
                            ", wanted an item",
                            s->path, h.group, h.element, s->at);
        const bool open = h.length == undefined_length;
        if (!open && end - s->at < h.length) return truncated(s, end, "an item");
        TPP_TRY(walk_elements(s, open ? end : s->at + h.length, open, depth));
    }
    return TPP_OK;
}

/* Without types a sequence of stated length is known by the item that it begins with. */
static tpp_status looks_like_items(scan *s, uint64_t length, bool *out)
{
    static const uint8_t item[4] = {0xFE, 0xFF, 0x00, 0xE0};
    uint8_t bytes[8] = {0};
    *out = false;
    if (length < sizeof bytes) return TPP_OK;
    const uint64_t start = s->at;
    TPP_TRY(get(s, bytes, sizeof bytes, start + length));
    const uint64_t first = tpp_bytes_get(bytes + 4, 4, false);
    *out = memcmp(bytes, item, sizeof item) == 0 &&
           (first == undefined_length || first <= length - sizeof bytes);
    return go_to(s, start);
}

static tpp_status walk_value(scan *s, uint64_t end, const head *h, int depth)
{
    const bool pixels = h->group == PIXEL_GROUP && h->element == PIXEL_ELEMENT;
    if (h->length == undefined_length) {
        if (pixels && !s->implicit) return walk_fragments(s, end, depth == 0);
        if (!s->implicit && strcmp(h->vr, "SQ") != 0 && strcmp(h->vr, "UN") != 0)
            return TPP_FAIL(TPP_EFORMAT, "%s: (%04x,%04x) states no length", s->path, h->group,
                            h->element);
        /* What has an unknown type is written without types inside (PS3.5, 6.2.2 note 4). */
        const bool implicit = s->implicit;
        s->implicit = implicit || strcmp(h->vr, "UN") == 0;
        const tpp_status status = walk_items(s, end, true, depth + 1);
        s->implicit = implicit;
        return status;
    }
    if (end - s->at < h->length) return truncated(s, end, "a value");
    if (pixels) return skip(s, h->length, end);
    bool items = strcmp(h->vr, "SQ") == 0;
    if (s->implicit) TPP_TRY(looks_like_items(s, h->length, &items));
    return items ? walk_items(s, s->at + h->length, false, depth + 1) : skip(s, h->length, end);
}

static tpp_status keep_pixels(scan *s, const head *h)
{
    tpp_dicom_layout *l = &s->layout;
    if (l->has_pixels) return TPP_FAIL(TPP_EFORMAT, "%s: pixel data stand there twice", s->path);
    l->has_pixels = true;
    l->encapsulated = h->length == undefined_length;
    if (!l->encapsulated) l->pixels = (tpp_dicom_span){s->at, h->length};
    return TPP_OK;
}

static tpp_status walk_elements(scan *s, uint64_t end, bool until_mark, int depth)
{
    while (until_mark || s->at < end) {
        head h;
        TPP_TRY(read_head(s, end, &h));
        if (until_mark && h.group == DELIMITERS && h.element == ITEM_END) return TPP_OK;
        if (h.group == DELIMITERS)
            return TPP_FAIL(TPP_EFORMAT,
                            "%s: an item or its end outside a sequence, before byte %" PRIu64,
                            s->path, s->at);
        if (depth == 0 && h.group == PIXEL_GROUP && h.element == PIXEL_ELEMENT)
            TPP_TRY(keep_pixels(s, &h));
        TPP_TRY(walk_value(s, end, &h, depth));
    }
    return TPP_OK;
}

/* Group 2, always explicit and little-endian; stops at the first element of another. */
static tpp_status walk_meta(scan *s)
{
    tpp_dicom_layout *l = &s->layout;
    while (s->at < l->file_size) {
        const uint64_t start = s->at;
        uint8_t group[2] = {0};
        TPP_TRY(get(s, group, sizeof group, l->file_size));
        TPP_TRY(go_to(s, start));
        if (tpp_bytes_get(group, 2, false) != 2) return TPP_OK;
        head h;
        TPP_TRY(read_head(s, l->file_size, &h));
        if (h.element == SYNTAX_ELEMENT && h.length < sizeof l->transfer_syntax) {
            TPP_TRY(get(s, l->transfer_syntax, h.length, l->file_size));
            for (size_t i = h.length; i > 0 && l->transfer_syntax[i - 1] == ' '; i--)
                l->transfer_syntax[i - 1] = '\0';
        } else {
            TPP_TRY(skip(s, h.length, l->file_size));
        }
    }
    return TPP_OK;
}

static tpp_status choose_syntax(scan *s)
{
    tpp_dicom_layout *l = &s->layout;
    if (l->transfer_syntax[0] == '\0') { /* no meta header: what the first element looks like */
        const uint64_t start = s->at;
        uint8_t bytes[8] = {0};
        TPP_TRY(get(s, bytes, sizeof bytes, l->file_size));
        s->implicit = !isupper(bytes[4]) || !isupper(bytes[5]);
        return go_to(s, start);
    }
    if (strcmp(l->transfer_syntax, "1.2.840.10008.1.2.1.99") == 0)
        return TPP_FAIL(TPP_EUNSUPPORTED,
                        "%s: a deflated data set is not read; unpack it with dcmconv +te", s->path);
    s->implicit = strcmp(l->transfer_syntax, "1.2.840.10008.1.2") == 0;
    s->big = strcmp(l->transfer_syntax, "1.2.840.10008.1.2.2") == 0;
    l->big = s->big;
    return TPP_OK;
}

static tpp_status walk_file(scan *s)
{
    struct stat facts;
    if (fstat(fileno(s->file), &facts) != 0 || !S_ISREG(facts.st_mode))
        return TPP_FAIL(TPP_EIO, "%s: not a regular file", s->path);
    s->layout.file_size = (uint64_t)facts.st_size;
    uint8_t start[PREAMBLE + 4] = {0};
    const size_t got = fread(start, 1, sizeof start, s->file);
    const bool marked = got == sizeof start && memcmp(start + PREAMBLE, "DICM", 4) == 0;
    TPP_TRY(go_to(s, marked ? sizeof start : 0));
    TPP_TRY(walk_meta(s));
    TPP_TRY(choose_syntax(s));
    return walk_elements(s, s->layout.file_size, false, 0);
}

tpp_status tpp_dicom_scan(tpp_dicom_layout *out, const char *path)
{
    scan s = {.path = path, .file = fopen(path, "rb")};
    if (s.file == NULL) return TPP_FAIL(TPP_EIO, "%s: cannot open", path);
    const tpp_status status = walk_file(&s);
    (void)fclose(s.file);
    if (status == TPP_OK)
        *out = s.layout;
    else
        tpp_dicom_layout_free(&s.layout);
    return status;
}

void tpp_dicom_layout_free(tpp_dicom_layout *layout)
{
    tpp_free(layout->fragment);
    *layout = (tpp_dicom_layout){0};
}
