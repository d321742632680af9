/* NRRD headers: fields by one table, then what each axis is.
 * SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "io/nrrd_header.h"

#include "core/mem.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

const tpp_header_name tpp_nrrd_names[] = {
    {"dimension", TPP_NRRD_DIMENSION},
    {"type", TPP_NRRD_TYPE},
    {"encoding", TPP_NRRD_ENCODING},
    {"endian", TPP_NRRD_ENDIAN},
    {"data file", TPP_NRRD_DATA_FILE},
    {"datafile", TPP_NRRD_DATA_FILE},
    {"line skip", TPP_NRRD_LINE_SKIP},
    {"lineskip", TPP_NRRD_LINE_SKIP},
    {"byte skip", TPP_NRRD_BYTE_SKIP},
    {"byteskip", TPP_NRRD_BYTE_SKIP},
    {"space", TPP_NRRD_SPACE},
    {"space dimension", TPP_NRRD_SPACE_DIMENSION},
    {"space units", TPP_NRRD_SPACE_UNITS},
    {"space origin", TPP_NRRD_ORIGIN},
    {"sizes", TPP_NRRD_SIZES},
    {"spacings", TPP_NRRD_SPACINGS},
    {"units", TPP_NRRD_UNITS},
    {"kinds", TPP_NRRD_KINDS},
    {"space directions", TPP_NRRD_DIRECTIONS},
    {"thicknesses", TPP_NRRD_AXIS},
    {"axis mins", TPP_NRRD_AXIS + 1},
    {"axismins", TPP_NRRD_AXIS + 1},
    {"axis maxs", TPP_NRRD_AXIS + 2},
    {"axismaxs", TPP_NRRD_AXIS + 2},
    {"centers", TPP_NRRD_AXIS + 3},
    {"centerings", TPP_NRRD_AXIS + 3},
    {"labels", TPP_NRRD_AXIS + 4},
    {NULL, 0},
};

/* Fields of values that are no longer there; several may stand in one header. */
static const tpp_header_name ranges[] = {
    {"min", 0},    {"max", 0},        {"old min", 0},   {"oldmin", 0}, {"old max", 0},
    {"oldmax", 0}, {"block size", 0}, {"blocksize", 0}, {NULL, 0},
};

static const struct {
    const char *type, *names[9];
} types[] = {
    {"int8", {"signed char", "int8", "int8_t"}},
    {"uint8", {"uchar", "unsigned char", "uint8", "uint8_t"}},
    {"int16", {"short", "short int", "signed short", "signed short int", "int16", "int16_t"}},
    {"uint16", {"ushort", "unsigned short", "unsigned short int", "uint16", "uint16_t"}},
    {"int32", {"int", "signed int", "int32", "int32_t"}},
    {"uint32", {"uint", "unsigned int", "uint32", "uint32_t"}},
    {"int64",
     {"longlong", "long long", "long long int", "signed long long", "signed long long int", "int64",
      "int64_t"}},
    {"uint64", {"ulonglong", "unsigned long long", "unsigned long long int", "uint64", "uint64_t"}},
    {"float32", {"float"}},
    {"float64", {"double"}},
};

static const char *name_of(int field)
{
    const tpp_header_name *n = tpp_nrrd_names;
    while (n->field != field) n++;
    return n->name;
}

void tpp_nrrd_header_free(tpp_nrrd_header *h)
{
    for (int i = 0; i < TPP_NRRD_FIELD_COUNT; i++) tpp_free(h->value[i]);
    *h = (tpp_nrrd_header){0};
}

/* ---- lines ---- */

int tpp_nrrd_line_field(const char **value, size_t *value_length, const char *line, size_t length)
{
    const char *colon = memchr(line, ':', length), *end = line + length;
    if (length == 0 || line[0] == '#' || colon == NULL || colon == line) return -1;
    if (colon + 1 < end && colon[1] == '=') return -1;
    const size_t n = (size_t)(colon - line);
    const char *from = colon + 1;
    while (from < end && tpp_header_is_space(*from)) from++;
    while (from < end && tpp_header_is_space(end[-1])) end--;
    *value = from;
    *value_length = (size_t)(end - from);
    if (tpp_header_find(ranges, line, n) == 0) return TPP_NRRD_VALUES;
    return tpp_header_find(tpp_nrrd_names, line, n);
}

/* "key:=value" */
static tpp_status read_key(tpp_nrrd_header *h, const char *line, size_t length, const char *path)
{
    static const char frame[] = "Seq_Frame", ultrasound[] = "ultrasound image orientation:=";
    const size_t n = sizeof ultrasound - 1;
    if (length >= sizeof frame - 1 && memcmp(line, frame, sizeof frame - 1) == 0)
        h->has_frames = true;
    if (length > n && strncasecmp(line, ultrasound, n) == 0)
        return tpp_header_keep(&h->value[TPP_NRRD_ULTRASOUND], line + n, length - n,
                               "ultrasound image orientation", path);
    return TPP_OK;
}

static tpp_status read_lines(tpp_nrrd_header *h, const char *text, const char *path)
{
    const char *line = NULL, *value = NULL;
    size_t length = 0, n = 0;
    if (!tpp_header_line(&line, &length, &text) || length != 8 || memcmp(line, "NRRD000", 7) != 0 ||
        line[7] < '1' || line[7] > '5')
        return TPP_FAIL(TPP_EFORMAT,
                        "%s: begins with \"%.*s\", wanted \"NRRD0001\" to \"NRRD0005\"", path,
                        length < 12 ? (int)length : 12, line);
    while (tpp_header_line(&line, &length, &text)) {
        if (length == 0 || line[0] == '#') continue;
        if (memchr(line, ':', length) == NULL)
            return TPP_FAIL(TPP_EFORMAT,
                            "%s: a line of its header is no \"field: value\": \"%.*s\"", path,
                            length < 40 ? (int)length : 40, line);
        const int field = tpp_nrrd_line_field(&value, &n, line, length);
        if (field >= 0 && field != TPP_NRRD_VALUES)
            TPP_TRY(tpp_header_keep(&h->value[field], value, n, name_of(field), path));
        else
            TPP_TRY(read_key(h, line, length, path));
    }
    return TPP_OK;
}

/* ---- voxels ---- */

static tpp_status want(const tpp_nrrd_header *h, tpp_nrrd_field field, const char *path)
{
    if (h->value[field] != NULL) return TPP_OK;
    return TPP_FAIL(TPP_EFORMAT, "%s: its header lacks \"%s\"", path, name_of((int)field));
}

static tpp_status read_type(tpp_nrrd_header *h, const char *path)
{
    const char *wanted = h->value[TPP_NRRD_TYPE];
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        for (size_t j = 0; types[i].names[j] != NULL; j++)
            if (strcasecmp(types[i].names[j], wanted) == 0)
                h->type = tpp_voxel_type_find(types[i].type);
    if (h->type == NULL)
        return TPP_FAIL(TPP_EUNSUPPORTED,
                        "%s: type \"%.40s\" is not read; wanted an integer or "
                        "real number",
                        path, wanted);
    return TPP_OK;
}

static tpp_status read_encoding(tpp_nrrd_header *h, const char *path)
{
    static const struct {
        const char *name;
        tpp_data_encoding encoding;
    } names[] = {{"raw", TPP_DATA_RAW},  {"gzip", TPP_DATA_DEFLATED}, {"gz", TPP_DATA_DEFLATED},
                 {"txt", TPP_DATA_TEXT}, {"text", TPP_DATA_TEXT},     {"ascii", TPP_DATA_TEXT}};
    const char *wanted = h->value[TPP_NRRD_ENCODING];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcasecmp(names[i].name, wanted) == 0) {
            h->encoding = names[i].encoding;
            return TPP_OK;
        }
    return TPP_FAIL(TPP_EUNSUPPORTED,
                    "%s: encoding \"%.40s\" is not read; convert it: unu save -f nrrd -e gzip",
                    path, wanted);
}

static tpp_status read_endian(tpp_nrrd_header *h, const char *path)
{
    const char *endian = h->value[TPP_NRRD_ENDIAN];
    h->big = endian != NULL && strcasecmp(endian, "big") == 0;
    if (endian != NULL && !h->big && strcasecmp(endian, "little") != 0)
        return TPP_FAIL(TPP_EFORMAT, "%s: endian is \"%.40s\", wanted little or big", path, endian);
    if (endian == NULL && h->type->size > 1 && h->encoding != TPP_DATA_TEXT)
        return TPP_FAIL(TPP_EFORMAT, "%s: its header lacks \"endian\", which %s needs", path,
                        h->type->name);
    return TPP_OK;
}

static tpp_status read_skips(tpp_nrrd_header *h, const char *path)
{
    if (h->value[TPP_NRRD_LINE_SKIP] != NULL)
        TPP_TRY(tpp_header_integer(&h->line_skip, h->value[TPP_NRRD_LINE_SKIP], 0, INT32_MAX,
                                   "line skip", path));
    if (h->value[TPP_NRRD_BYTE_SKIP] != NULL)
        TPP_TRY(tpp_header_integer(&h->byte_skip, h->value[TPP_NRRD_BYTE_SKIP], -1,
                                   INT64_C(1) << 40, "byte skip", path));
    if (h->byte_skip < 0 && h->encoding != TPP_DATA_RAW)
        return TPP_FAIL(TPP_EFORMAT,
                        "%s: byte skip is -1: voxels end with the file, which only raw ones can",
                        path);
    return TPP_OK;
}

/* ---- axes ---- */

static tpp_status read_sizes(tpp_nrrd_header *h, const char *path)
{
    double size[TPP_NRRD_MAX_RANK];
    int64_t rank = 0;
    TPP_TRY(tpp_header_integer(&rank, h->value[TPP_NRRD_DIMENSION], 1, 16, "dimension", path));
    if (rank < 2 || rank > TPP_NRRD_MAX_RANK)
        return TPP_FAIL(TPP_EUNSUPPORTED, "%s: dimension %" PRId64 "; 2 to %d are read", path, rank,
                        TPP_NRRD_MAX_RANK);
    h->rank = (int)rank;
    if (tpp_header_numbers(size, TPP_NRRD_MAX_RANK, h->value[TPP_NRRD_SIZES]) != h->rank)
        return TPP_FAIL(TPP_EFORMAT, "%s: sizes are \"%.80s\", wanted %d numbers", path,
                        h->value[TPP_NRRD_SIZES], h->rank);
    for (int i = 0; i < h->rank; i++) {
        if (!(size[i] >= 1 && size[i] <= INT32_MAX) || size[i] != floor(size[i]))
            return TPP_FAIL(TPP_EFORMAT, "%s: sizes are \"%.80s\", wanted 1 to %d", path,
                            h->value[TPP_NRRD_SIZES], INT32_MAX);
        h->axis[i].size = (int64_t)size[i];
    }
    return TPP_OK;
}

/* "(1,0,0)": 2 or 3 numbers; how many, or -1. */
static int read_vector(double out[3], const char *word, size_t length)
{
    char text[128];
    if (length < 3 || length >= sizeof text || word[0] != '(' || word[length - 1] != ')') return -1;
    memcpy(text, word + 1, length - 2);
    text[length - 2] = '\0';
    for (char *p = text; *p != '\0'; p++)
        if (*p == ',') *p = ' ';
    return tpp_header_numbers(out, 3, text);
}

static bool word_is(const char *word, size_t length, const char *text)
{
    return strlen(text) == length && strncasecmp(word, text, length) == 0;
}

static tpp_status read_direction(tpp_nrrd_axis *a, const char *word, size_t length,
                                 const char *path)
{
    if (word_is(word, length, "none")) return TPP_OK;
    if (read_vector(a->direction, word, length) < 2)
        return TPP_FAIL(TPP_EUNSUPPORTED,
                        "%s: a space direction is \"%.*s\", wanted (x,y,z), (x,y) or none", path,
                        length < 60 ? (int)length : 60, word);
    a->has_direction = true;
    return TPP_OK;
}

static tpp_status read_spacing(tpp_nrrd_axis *a, const char *word, size_t length, const char *path)
{
    char text[64];
    if (length >= sizeof text) length = sizeof text - 1;
    memcpy(text, word, length);
    text[length] = '\0';
    if (tpp_header_numbers(&a->spacing, 1, text) == 1) return TPP_OK;
    return TPP_FAIL(TPP_EFORMAT, "%s: a spacing is \"%s\", wanted a number", path, text);
}

static bool is_any(const char *word, size_t length, const char *const *names)
{
    for (; *names != NULL; names++)
        if (word_is(word, length, *names)) return true;
    return false;
}

/* The role that an axis has by its kind; one whose kind says nothing is left without. */
static tpp_status read_kind(tpp_nrrd_axis *a, const char *word, size_t length, const char *path)
{
    static const char *const space[] = {"domain", "space", NULL};
    static const char *const moments[] = {"time", "list", NULL};
    static const char *const colours[] = {"vector",  "3-vector",   "4-vector", "RGB-color",
                                          "3-color", "RGBA-color", "4-color",  NULL};
    static const char *const nothing[] = {"none", "???", "scalar", "stub", NULL};
    if (is_any(word, length, space)) {
        a->role = TPP_NRRD_SPACE_AXIS;
    } else if (is_any(word, length, moments)) {
        a->role = TPP_NRRD_TIME_AXIS;
    } else if (is_any(word, length, colours)) {
        a->role = TPP_NRRD_COLOUR_AXIS;
    } else if (!is_any(word, length, nothing) && a->size > 1) {
        return TPP_FAIL(TPP_EUNSUPPORTED, "%s: an axis of kind \"%.*s\" is not read", path,
                        length < 40 ? (int)length : 40, word);
    }
    return TPP_OK;
}

typedef tpp_status read_word(tpp_nrrd_axis *a, const char *word, size_t length, const char *path);

static tpp_status for_each_axis(tpp_nrrd_header *h, tpp_nrrd_field field, read_word *read,
                                const char *path)
{
    const char *at = h->value[field], *word = NULL;
    size_t length = 0;
    if (at == NULL) return TPP_OK;
    int n = 0;
    for (; tpp_header_word(&word, &length, &at); n++)
        if (n < h->rank) TPP_TRY(read(&h->axis[n], word, length, path));
    if (n == h->rank) return TPP_OK;
    return TPP_FAIL(TPP_EFORMAT, "%s: \"%s\" has %d words, wanted one for each of %d axes", path,
                    name_of((int)field), n, h->rank);
}

/* Roles of axes whose kind says nothing: those with a direction are of space; without directions
 * the first three are. */
static void guess_roles(tpp_nrrd_header *h)
{
    const bool directions = h->value[TPP_NRRD_DIRECTIONS] != NULL;
    int n = 0;
    for (int i = 0; i < h->rank; i++) n += h->axis[i].role == TPP_NRRD_SPACE_AXIS;
    for (int i = 0; i < h->rank; i++) {
        tpp_nrrd_axis *a = &h->axis[i];
        if (a->role != TPP_NRRD_NO_ROLE) continue;
        if (directions ? a->has_direction : n < 3) {
            a->role = TPP_NRRD_SPACE_AXIS;
            n++;
        } else if (a->size > 1) {
            a->role = TPP_NRRD_TIME_AXIS;
        }
    }
}

static tpp_status check_colour(const tpp_nrrd_header *h, int i, const char *path)
{
    const int64_t size = h->axis[i].size;
    if (i == 0 && (size == 3 || size == 4) && strcmp(h->type->name, "uint8") == 0) return TPP_OK;
    return TPP_FAIL(TPP_EUNSUPPORTED,
                    "%s: axis %d is a vector of %" PRId64 " %s; wanted colours: a first axis of 3 "
                    "or 4 uint8",
                    path, i, size, h->type->name);
}

static tpp_status sort_axes(tpp_nrrd_header *h, const char *path)
{
    h->time = h->colour = -1;
    for (int i = 0; i < h->rank; i++) {
        tpp_nrrd_axis *a = &h->axis[i];
        if (a->role == TPP_NRRD_COLOUR_AXIS && a->size == 1) a->role = TPP_NRRD_NO_ROLE;
        if (a->role == TPP_NRRD_COLOUR_AXIS) {
            TPP_TRY(check_colour(h, i, path));
            h->colour = i;
        } else if (a->role == TPP_NRRD_SPACE_AXIS && h->n_space < 3) {
            h->space[h->n_space++] = i;
        } else if (a->role == TPP_NRRD_TIME_AXIS && h->time < 0) {
            h->time = i;
        } else if (a->role != TPP_NRRD_NO_ROLE) {
            return TPP_FAIL(TPP_EUNSUPPORTED,
                            "%s: axis %d is one too many; wanted up to three of space, one of "
                            "time, and one of colour",
                            path, i);
        }
    }
    if (h->n_space < 2)
        return TPP_FAIL(TPP_EUNSUPPORTED, "%s: %d axes of space, wanted 2 or 3", path, h->n_space);
    return TPP_OK;
}

/* Time has to be the slowest axis, or with volumes the fastest. */
static tpp_status check_time(tpp_nrrd_header *h, const char *path)
{
    if (h->time < 0) return TPP_OK;
    const bool last = h->time > h->space[h->n_space - 1];
    const bool flat = h->n_space == 2 || h->axis[h->space[2]].size == 1;
    h->is_clip = h->n_space == 2 || (flat && last && h->axis[h->time].size > 1);
    if (last || (h->time < h->space[0] && h->colour < 0 && !h->is_clip)) return TPP_OK;
    return TPP_FAIL(TPP_EUNSUPPORTED,
                    "%s: axis %d counts moments; they are read from the last axis, or from the "
                    "first one before three of space",
                    path, h->time);
}

static tpp_status read_axes(tpp_nrrd_header *h, const char *path)
{
    for (int i = 0; i < TPP_NRRD_MAX_RANK; i++) h->axis[i].spacing = NAN;
    TPP_TRY(read_sizes(h, path));
    TPP_TRY(for_each_axis(h, TPP_NRRD_DIRECTIONS, read_direction, path));
    TPP_TRY(for_each_axis(h, TPP_NRRD_SPACINGS, read_spacing, path));
    TPP_TRY(for_each_axis(h, TPP_NRRD_KINDS, read_kind, path));
    guess_roles(h);
    TPP_TRY(sort_axes(h, path));
    return check_time(h, path);
}

tpp_status tpp_nrrd_header_parse(tpp_nrrd_header *h, const char *text, const char *path)
{
    static const tpp_nrrd_field needed[] = {TPP_NRRD_DIMENSION, TPP_NRRD_TYPE, TPP_NRRD_ENCODING,
                                            TPP_NRRD_SIZES};
    TPP_TRY(read_lines(h, text, path));
    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++) TPP_TRY(want(h, needed[i], path));
    TPP_TRY(read_type(h, path));
    TPP_TRY(read_encoding(h, path));
    TPP_TRY(read_endian(h, path));
    TPP_TRY(read_skips(h, path));
    return read_axes(h, path);
}
