/* MetaImage headers by one table of keys.
 * SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "io/metaimage_header.h"

#include "core/mem.h"
#include "io/affine.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <strings.h>

const tpp_header_name tpp_meta_names[] = {
    {"NDims", TPP_META_NDIMS},
    {"DimSize", TPP_META_DIM_SIZE},
    {"ElementSpacing", TPP_META_SPACING},
    {"ElementSize", TPP_META_ELEMENT_SIZE},
    {"Offset", TPP_META_OFFSET},
    {"Position", TPP_META_OFFSET},
    {"Origin", TPP_META_OFFSET},
    {"CenterOfRotation", TPP_META_CENTER},
    {"TransformMatrix", TPP_META_MATRIX},
    {"Rotation", TPP_META_MATRIX},
    {"Orientation", TPP_META_MATRIX},
    {"AnatomicalOrientation", TPP_META_ANATOMICAL},
    {"Kinds", TPP_META_KINDS},
    {"ElementNumberOfChannels", TPP_META_CHANNELS},
    {"ElementType", TPP_META_TYPE},
    {"BinaryData", TPP_META_BINARY},
    {"BinaryDataByteOrderMSB", TPP_META_MSB},
    {"ElementByteOrderMSB", TPP_META_MSB},
    {"CompressedData", TPP_META_COMPRESSED},
    {"CompressedDataSize", TPP_META_COMPRESSED_SIZE},
    {"HeaderSize", TPP_META_HEADER_SIZE},
    {"ElementMin", TPP_META_MINIMUM},
    {"ElementMax", TPP_META_MAXIMUM},
    {"ElementToIntensityFunctionSlope", TPP_META_SLOPE},
    {"ElementToIntensityFunctionOffset", TPP_META_INTERCEPT},
    {"Modality", TPP_META_MODALITY},
    {"ObjectType", TPP_META_OBJECT},
    {"UltrasoundImageOrientation", TPP_META_ULTRASOUND},
    {"ElementDataFile", TPP_META_DATA_FILE},
    {NULL, 0},
};

/* MetaIO counts 4 bytes for MET_LONG on every machine. */
static const struct {
    const char *meta, *type;
} types[] = {
    {"MET_CHAR", "int8"},       {"MET_ASCII_CHAR", "int8"},   {"MET_UCHAR", "uint8"},
    {"MET_SHORT", "int16"},     {"MET_USHORT", "uint16"},     {"MET_INT", "int32"},
    {"MET_UINT", "uint32"},     {"MET_LONG", "int32"},        {"MET_ULONG", "uint32"},
    {"MET_LONG_LONG", "int64"}, {"MET_ULONG_LONG", "uint64"}, {"MET_FLOAT", "float32"},
    {"MET_DOUBLE", "float64"},
};

static const char *name_of(tpp_meta_field field)
{
    const tpp_header_name *n = tpp_meta_names;
    while (n->field != (int)field) n++;
    return n->name;
}

void tpp_meta_header_free(tpp_meta_header *h)
{
    for (int i = 0; i < TPP_META_FIELD_COUNT; i++) tpp_free(h->value[i]);
    *h = (tpp_meta_header){0};
}

bool tpp_meta_line_split(tpp_meta_line *out, const char *line, size_t length)
{
    const char *end = line + length, *at = line;
    while (at < end && *at != '=' && *at != ':') at++;
    if (at == end) return false;
    const char *key = line, *key_end = at, *value = at + 1;
    while (key < key_end && tpp_header_is_space(*key)) key++;
    while (key < key_end && tpp_header_is_space(key_end[-1])) key_end--;
    while (value < end && tpp_header_is_space(*value)) value++;
    while (value < end && tpp_header_is_space(end[-1])) end--;
    *out = (tpp_meta_line){key, value, (size_t)(key_end - key), (size_t)(end - value)};
    return out->key_length > 0;
}

bool tpp_meta_header_ends(const char *line, size_t length)
{
    tpp_meta_line split;
    return tpp_meta_line_split(&split, line, length) &&
           tpp_header_find(tpp_meta_names, split.key, split.key_length) == TPP_META_DATA_FILE;
}

static tpp_status read_lines(tpp_meta_header *h, const char *text, const char *path)
{
    static const char frame[] = "Seq_Frame";
    const char *line = NULL;
    size_t length = 0;
    while (tpp_header_line(&line, &length, &text)) {
        tpp_meta_line l;
        if (length == 0) continue;
        if (!tpp_meta_line_split(&l, line, length))
            return TPP_FAIL(TPP_EFORMAT, "%s: a line of its header is no \"key = value\": \"%.*s\"",
                            path, length < 40 ? (int)length : 40, line);
        const int field = tpp_header_find(tpp_meta_names, l.key, l.key_length);
        if (field >= 0)
            TPP_TRY(tpp_header_keep(&h->value[field], l.value, l.value_length,
                                    name_of((tpp_meta_field)field), path));
        if (l.key_length >= sizeof frame - 1 && memcmp(l.key, frame, sizeof frame - 1) == 0)
            h->has_frames = true;
    }
    return TPP_OK;
}

/* MetaIO looks at the first letter alone. */
static bool is_true(const char *value)
{
    return value != NULL && (strchr("TtYy1", value[0]) != NULL && value[0] != '\0');
}

static tpp_status read_dims(tpp_meta_header *h, const char *path)
{
    int64_t rank = 0;
    if (h->value[TPP_META_NDIMS] == NULL || h->value[TPP_META_DIM_SIZE] == NULL)
        return TPP_FAIL(TPP_EFORMAT, "%s: its header lacks NDims or DimSize", path);
    TPP_TRY(tpp_header_integer(&rank, h->value[TPP_META_NDIMS], 1, 10, "NDims", path));
    if (rank < 2 || rank > 4)
        return TPP_FAIL(TPP_EUNSUPPORTED, "%s: NDims is %" PRId64 "; 2 to 4 are read", path, rank);
    double size[4];
    if (tpp_header_numbers(size, 4, h->value[TPP_META_DIM_SIZE]) != (int)rank)
        return TPP_FAIL(TPP_EFORMAT, "%s: DimSize is \"%.80s\", wanted %" PRId64 " numbers", path,
                        h->value[TPP_META_DIM_SIZE], rank);
    h->rank = (int)rank;
    for (int i = 0; i < 4; i++) {
        const double n = i < rank ? size[i] : 1;
        if (!(n >= 1 && n <= INT32_MAX) || n != floor(n))
            return TPP_FAIL(TPP_EFORMAT, "%s: DimSize is \"%.80s\", wanted sizes from 1 to %d",
                            path, h->value[TPP_META_DIM_SIZE], INT32_MAX);
        h->dim[i] = (int64_t)n;
    }
    h->is_clip = h->dim[2] == 1 && h->dim[3] > 1;
    return TPP_OK;
}

/* Kinds that are not one for each axis say nothing. */
static void check_kinds(tpp_meta_header *h)
{
    const char *at = h->value[TPP_META_KINDS], *word = NULL;
    size_t length = 0;
    int n = 0;
    if (at == NULL) return;
    while (tpp_header_word(&word, &length, &at)) n++;
    if (n == h->rank) return;
    tpp_free(h->value[TPP_META_KINDS]);
    h->value[TPP_META_KINDS] = NULL;
}

static tpp_status read_type(tpp_meta_header *h, const char *path)
{
    const char *wanted = h->value[TPP_META_TYPE];
    if (wanted == NULL) return TPP_FAIL(TPP_EFORMAT, "%s: its header lacks ElementType", path);
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (strcasecmp(types[i].meta, wanted) == 0) h->type = tpp_voxel_type_find(types[i].type);
    if (h->type == NULL)
        return TPP_FAIL(TPP_EUNSUPPORTED,
                        "%s: ElementType is \"%.40s\"; wanted one number, MET_CHAR to MET_DOUBLE",
                        path, wanted);
    h->channels = 1;
    if (h->value[TPP_META_CHANNELS] != NULL)
        TPP_TRY(tpp_header_integer(&h->channels, h->value[TPP_META_CHANNELS], 1, 1 << 16,
                                   "ElementNumberOfChannels", path));
    const bool colour = h->channels == 3 || h->channels == 4;
    if (h->channels > 1 && !(colour && strcmp(h->type->name, "uint8") == 0))
        return TPP_FAIL(TPP_EUNSUPPORTED,
                        "%s: vectors of %" PRId64 " %s; wanted one number a voxel, or colours: 3 "
                        "or 4 channels of MET_UCHAR",
                        path, h->channels, h->type->name);
    return TPP_OK;
}

static tpp_status read_storage(tpp_meta_header *h, const char *path)
{
    const char *header_size = h->value[TPP_META_HEADER_SIZE];
    h->big = is_true(h->value[TPP_META_MSB]);
    h->is_text = h->value[TPP_META_BINARY] != NULL && !is_true(h->value[TPP_META_BINARY]);
    h->is_compressed = is_true(h->value[TPP_META_COMPRESSED]);
    if (h->is_text && h->is_compressed)
        return TPP_FAIL(TPP_EFORMAT, "%s: CompressedData, and BinaryData = False", path);
    if (header_size != NULL)
        TPP_TRY(
            tpp_header_integer(&h->header_size, header_size, -1, INT32_MAX, "HeaderSize", path));
    if (h->header_size < 0 && (h->is_text || h->is_compressed))
        return TPP_FAIL(TPP_EFORMAT,
                        "%s: HeaderSize = -1 says that voxels end with the file, which only "
                        "uncompressed ones can",
                        path);
    return TPP_OK;
}

tpp_status tpp_meta_header_parse(tpp_meta_header *h, const char *text, const char *path)
{
    TPP_TRY(read_lines(h, text, path));
    const char *object = h->value[TPP_META_OBJECT];
    if (object != NULL && strcasecmp(object, "Image") != 0)
        return TPP_FAIL(TPP_EUNSUPPORTED, "%s: ObjectType is \"%.40s\", wanted an Image", path,
                        object);
    TPP_TRY(read_dims(h, path));
    check_kinds(h);
    TPP_TRY(read_type(h, path));
    return read_storage(h, path);
}

/* ---- geometry ---- */

/* Axes of space that the file has. */
static int space_rank(const tpp_meta_header *h)
{
    return h->rank < 3 ? h->rank : 3;
}

/* Exactly `n` numbers of a field. */
static tpp_status read_numbers(double *out, int n, const tpp_meta_header *h, tpp_meta_field field,
                               const char *path)
{
    const int got = tpp_header_numbers(out, n, h->value[field]);
    if (got == n) return TPP_OK;
    return TPP_FAIL(TPP_EFORMAT, "%s: %s is \"%.80s\", wanted %d numbers", path, name_of(field),
                    h->value[field], n);
}

static tpp_status read_spacing(double spacing[4], const tpp_meta_header *h, const char *path)
{
    const tpp_meta_field field =
        h->value[TPP_META_SPACING] != NULL ? TPP_META_SPACING : TPP_META_ELEMENT_SIZE;
    for (int i = 0; i < 4; i++) spacing[i] = 1;
    if (h->value[field] == NULL) return TPP_OK;
    TPP_TRY(read_numbers(spacing, h->rank, h, field, path));
    for (int i = 0; i < space_rank(h); i++)
        if (!(isfinite(spacing[i]) && spacing[i] > 0))
            return TPP_FAIL(TPP_EFORMAT, "%s: %s is \"%.80s\", wanted spacings above 0", path,
                            name_of(field), h->value[field]);
    return TPP_OK;
}

/* "RAI": x comes from the right. Directions in LPS; false: the letters do not say. */
static bool read_anatomical(double direction[3][3], const char *letters)
{
    static const char from[3][2] = {{'R', 'L'}, {'A', 'P'}, {'I', 'S'}};
    bool seen[3] = {false, false, false};
    if (letters == NULL || strlen(letters) != 3) return false;
    double found[3][3] = {{0}};
    for (int j = 0; j < 3; j++)
        for (int i = 0; i < 3; i++)
            for (int k = 0; k < 2; k++)
                if (letters[j] == from[i][k]) {
                    found[j][i] = k == 0 ? 1 : -1;
                    seen[i] = true;
                }
    if (!seen[0] || !seen[1] || !seen[2]) return false;
    memcpy(direction, found, sizeof found);
    return true;
}

/* Row j of `direction` is where axis j leads, in LPS. */
static tpp_status read_directions(double direction[3][3], tpp_affine_source *source,
                                  const tpp_meta_header *h, const char *path)
{
    const int n = h->rank;
    double matrix[16] = {0};
    *source = TPP_AFFINE_FILE;
    if (h->value[TPP_META_MATRIX] != NULL) {
        TPP_TRY(read_numbers(matrix, n * n, h, TPP_META_MATRIX, path));
        for (int j = 0; j < space_rank(h); j++)
            for (int i = 0; i < space_rank(h); i++) direction[j][i] = matrix[j * n + i];
        return TPP_OK;
    }
    if (read_anatomical(direction, h->value[TPP_META_ANATOMICAL])) return TPP_OK;
    *source = TPP_AFFINE_PIXDIM;
    for (int j = 0; j < 3; j++) direction[j][j] = 1;
    return TPP_OK;
}

static tpp_status read_affine(tpp_volume *v, const tpp_meta_header *h, const char *path)
{
    static const double to_ras[3] = {-1, -1, 1};
    const int n = space_rank(h);
    double direction[3][3] = {{0}}, spacing[4], offset[4] = {0};
    tpp_affine a = {{{0}}};
    tpp_affine_source source = TPP_AFFINE_FILE;
    TPP_TRY(read_spacing(spacing, h, path));
    TPP_TRY(read_directions(direction, &source, h, path));
    const bool unstated =
        h->value[TPP_META_SPACING] == NULL && h->value[TPP_META_ELEMENT_SIZE] == NULL;
    for (int j = 0; j < 3; j++) v->spacing_unstated[j] = unstated || j >= n;
    if (h->value[TPP_META_OFFSET] != NULL)
        TPP_TRY(read_numbers(offset, h->rank, h, TPP_META_OFFSET, path));
    for (int i = 0; i < 3; i++) {
        for (int j = 0; j < 3; j++) a.m[i][j] = to_ras[i] * direction[j][i] * spacing[j];
        a.m[i][3] = i < n ? to_ras[i] * offset[i] : 0;
    }
    if (n < 3) tpp_affine_complete(&a, 1);
    if (v->is_sequence && h->value[TPP_META_ULTRASOUND] != NULL &&
        tpp_affine_ultrasound(&a, h->value[TPP_META_ULTRASOUND]))
        source = TPP_AFFINE_FILE;
    TPP_TRY(tpp_affine_check(&a, source, path));
    tpp_affine_set(v, &a, 1, source);
    return TPP_OK;
}

/* Does the third axis count moments? */
static bool is_sequence(const tpp_meta_header *h)
{
    const char *at = h->value[TPP_META_KINDS], *word = NULL;
    size_t length = 0;
    for (int i = 0; at != NULL && i < 3; i++)
        if (!tpp_header_word(&word, &length, &at)) at = NULL;
    if (h->is_clip) return true;
    if (h->rank < 3 || at == NULL) return h->has_frames && h->rank < 4;
    return length != 6 || strncasecmp(word, "domain", 6) != 0;
}

tpp_status tpp_meta_geometry(tpp_volume *v, const tpp_meta_header *h, const char *path)
{
    static const char *const modalities[][2] = {
        {"MET_MOD_CT", "CT"}, {"MET_MOD_MR", "MR"}, {"MET_MOD_US", "US"}, {"MET_MOD_NM", "NM"}};
    for (int i = 0; i < 4; i++) v->dim[i] = h->dim[i];
    if (h->is_clip) {
        v->dim[2] = h->dim[3];
        v->dim[3] = 1;
    }
    v->is_sequence = is_sequence(h);
    for (size_t i = 0; i < sizeof modalities / sizeof *modalities; i++)
        if (h->value[TPP_META_MODALITY] != NULL &&
            strcasecmp(h->value[TPP_META_MODALITY], modalities[i][0]) == 0)
            memcpy(v->modality, modalities[i][1], 3);
    if (h->has_frames || h->value[TPP_META_ULTRASOUND] != NULL) memcpy(v->modality, "US", 3);
    return read_affine(v, h, path);
}
