/* Writes volumes of results as MetaImage, with the lines of the header they belong to.
 * SPDX-License-Identifier: MIT */
#include "core/path.h"
#include "core/str.h"
#include "io/metaimage.h"
#include "io/metaimage_header.h"
#include "io/volume_data.h"

#include <inttypes.h>
#include <string.h>

/* What becomes of a field of which one time point was read: rows and columns of three axes. */
static void shorten(tpp_str *out, tpp_meta_field field, const tpp_meta_line *l, const char *value)
{
    static const bool axes[4] = {true, true, true, false};
    bool matrix[16];
    for (int i = 0; i < 16; i++) matrix[i] = axes[i / 4] && axes[i % 4];
    tpp_str_format(out, "%.*s =", (int)l->key_length, l->key);
    if (field == TPP_META_NDIMS)
        tpp_str_format(out, " 3");
    else
        tpp_header_select(out, value, field == TPP_META_MATRIX ? matrix : axes,
                          field == TPP_META_MATRIX ? 16 : 4);
    tpp_str_add(out, "\n", 1);
}

static bool has_axes(tpp_meta_field field)
{
    switch (field) {
    case TPP_META_NDIMS:
    case TPP_META_DIM_SIZE:
    case TPP_META_SPACING:
    case TPP_META_ELEMENT_SIZE:
    case TPP_META_OFFSET:
    case TPP_META_CENTER:
    case TPP_META_MATRIX:
    case TPP_META_KINDS:
        return true;
    default:
        return false;
    }
}

/* Was one time point of several read? */
static bool has_time(const tpp_meta_header *h)
{
    return h->rank > 3 && !h->is_clip;
}

/* The value that a field has in a file of results; "": the field is left out; NULL: as it was. */
static const char *result_value(tpp_meta_field field, bool values)
{
    switch (field) {
    case TPP_META_TYPE:
        return values ? "MET_FLOAT" : "MET_UCHAR";
    case TPP_META_CHANNELS:
        return "1";
    case TPP_META_BINARY:
    case TPP_META_COMPRESSED:
        return "True";
    case TPP_META_MSB:
        return "False";
    case TPP_META_DATA_FILE: /* goes to the end */
    case TPP_META_COMPRESSED_SIZE:
    case TPP_META_HEADER_SIZE:
    case TPP_META_MINIMUM:
    case TPP_META_MAXIMUM:
    case TPP_META_SLOPE:
    case TPP_META_INTERCEPT:
        return "";
    default:
        return NULL;
    }
}

static void add_line(tpp_str *out, const tpp_meta_header *h, const char *line, size_t length,
                     bool values)
{
    tpp_meta_line l;
    if (!tpp_meta_line_split(&l, line, length)) return; /* an empty line */
    const int field = tpp_header_find(tpp_meta_names, l.key, l.key_length);
    const char *value = field < 0 ? NULL : result_value((tpp_meta_field)field, values);
    if (field >= 0 && has_time(h) && has_axes((tpp_meta_field)field)) {
        if (h->value[field] != NULL) shorten(out, (tpp_meta_field)field, &l, h->value[field]);
    } else if (value == NULL) {
        tpp_str_add(out, line, length);
        tpp_str_add(out, "\n", 1);
    } else if (value[0] != '\0') {
        tpp_str_format(out, "%.*s = %s\n", (int)l.key_length, l.key, value);
    }
}

/* MetaIO wants the packed size before packed voxels. The size goes to the byte that is returned. */
static size_t add_end(tpp_str *out)
{
    tpp_str_format(out, "CompressedDataSize = ");
    const size_t at = out->length;
    tpp_str_format(out, "%*s\nElementDataFile = LOCAL\n", TPP_RESULT_DIGITS, "");
    return at;
}

static size_t end_header(tpp_str *out, const tpp_meta_header *h)
{
    /* Without its time axis a volume that has frames would be taken for a clip. */
    if (has_time(h) && h->has_frames && h->value[TPP_META_KINDS] == NULL)
        tpp_str_format(out, "Kinds = domain domain domain\n");
    if (h->value[TPP_META_BINARY] == NULL) tpp_str_format(out, "BinaryData = True\n");
    if (h->value[TPP_META_MSB] == NULL) tpp_str_format(out, "BinaryDataByteOrderMSB = False\n");
    if (h->value[TPP_META_COMPRESSED] == NULL) tpp_str_format(out, "CompressedData = True\n");
    return add_end(out);
}

/* Every line but those that change stands as it was, with its spaces and its end. */
static tpp_status change_header(tpp_str *out, size_t *size_at, const tpp_volume *like, bool values)
{
    tpp_meta_header h = {0};
    const char *at = (const char *)like->header;
    const tpp_status s = tpp_meta_header_parse(&h, at, "header kept of the input");
    while (s == TPP_OK && *at != '\0') {
        const char *end = strchr(at, '\n');
        const size_t n = end != NULL ? (size_t)(end - at) : strlen(at);
        add_line(out, &h, at, n, values);
        at += n + (end != NULL);
    }
    if (s == TPP_OK) *size_at = end_header(out, &h);
    tpp_meta_header_free(&h);
    return s;
}

static size_t compose_header(tpp_str *out, const tpp_volume *v, bool values)
{
    static const double to_lps[3] = {-1, -1, 1};
    tpp_str_format(out, "ObjectType = Image\nNDims = 3\nBinaryData = True\n"
                        "BinaryDataByteOrderMSB = False\nCompressedData = True\n"
                        "TransformMatrix =");
    for (int j = 0; j < 3; j++)
        for (int i = 0; i < 3; i++)
            tpp_str_format(out, " %.17g", to_lps[i] * v->affine.m[i][j] / v->spacing_mm[j] + 0.0);
    tpp_str_format(out, "\nOffset =");
    for (int i = 0; i < 3; i++) tpp_str_format(out, " %.17g", to_lps[i] * v->affine.m[i][3] + 0.0);
    tpp_str_format(out, "\nElementSpacing =");
    for (int j = 0; j < 3; j++) tpp_str_format(out, " %.17g", v->spacing_mm[j]);
    tpp_str_format(out, "\nDimSize = %" PRId64 " %" PRId64 " %" PRId64 "\nElementType = %s\n",
                   v->dim[0], v->dim[1], v->dim[2], values ? "MET_FLOAT" : "MET_UCHAR");
    return add_end(out);
}

tpp_status tpp_metaimage_write(const char *path, const tpp_volume *like, const uint8_t *labels,
                               const float *values)
{
    if (!tpp_path_has_suffix(path, ".mha"))
        return TPP_FAIL(TPP_EUSAGE, "%s: a MetaImage of results has a name that ends in .mha",
                        path);
    tpp_str header = {0};
    tpp_status s = TPP_OK;
    size_t size_at = 0;
    if (like->header != NULL && like->format == TPP_VOLUME_METAIMAGE)
        s = change_header(&header, &size_at, like, values != NULL);
    else
        size_at = compose_header(&header, like, values != NULL);
    if (s == TPP_OK) s = header.status;
    const tpp_result r = {.header = (const uint8_t *)header.text,
                          .header_size = header.length,
                          .labels = labels,
                          .values = values,
                          .count = (size_t)(like->dim[0] * like->dim[1] * like->dim[2]),
                          .packing = TPP_PACK_DATA_ZLIB,
                          .size_at = size_at};
    if (s == TPP_OK) s = tpp_result_write(path, &r);
    tpp_str_free(&header);
    return s;
}
