/* Writes volumes of results as NRRD, with the lines of the header they belong to.
 * SPDX-License-Identifier: MIT */
#include "core/path.h"
#include "core/str.h"
#include "io/nrrd.h"
#include "io/nrrd_header.h"
#include "io/volume_data.h"

#include <inttypes.h>
#include <string.h>

typedef struct changes {
    const tpp_nrrd_header *header;
    bool keep[TPP_NRRD_MAX_RANK]; /* axes that results have */
    int kept;
    bool values;
} changes;

static changes find_changes(const tpp_nrrd_header *h, bool values)
{
    changes c = {.header = h, .values = values};
    for (int i = 0; i < h->rank; i++) {
        c.keep[i] = i != h->colour && (i != h->time || h->is_clip);
        c.kept += c.keep[i];
    }
    return c;
}

/* Label and line of a field, without what stands behind the colon. */
static void add_name(tpp_str *out, const char *line)
{
    tpp_str_format(out, "%.*s:", (int)(strchr(line, ':') - line), line);
}

/* false: the line stays as it is. */
static bool change_line(tpp_str *out, const changes *c, const char *line, int field,
                        const char *value)
{
    const bool fewer = c->kept < c->header->rank;
    switch (field) {
    case TPP_NRRD_DATA_FILE:
    case TPP_NRRD_LINE_SKIP:
    case TPP_NRRD_BYTE_SKIP:
    case TPP_NRRD_VALUES:
        return true;
    case TPP_NRRD_TYPE:
        add_name(out, line);
        tpp_str_format(out, " %s\n", c->values ? "float" : "uint8");
        return true;
    case TPP_NRRD_ENCODING:
        add_name(out, line);
        tpp_str_format(out, " gzip\n");
        return true;
    case TPP_NRRD_ENDIAN:
        add_name(out, line);
        tpp_str_format(out, " little\n");
        return true;
    case TPP_NRRD_DIMENSION:
        if (!fewer) return false;
        add_name(out, line);
        tpp_str_format(out, " %d\n", c->kept);
        return true;
    default:
        break;
    }
    if (field < TPP_NRRD_SIZES || !fewer) return false;
    add_name(out, line);
    tpp_header_select(out, value, c->keep, (size_t)c->header->rank);
    tpp_str_add(out, "\n", 1);
    return true;
}

/* Without the axes that are left out, those that stay would be guessed to be others. */
static void add_kinds(tpp_str *out, const changes *c)
{
    const tpp_nrrd_header *h = c->header;
    if (c->kept == h->rank || h->value[TPP_NRRD_KINDS] != NULL) return;
    tpp_str_format(out, "kinds:");
    for (int i = 0; i < h->rank; i++)
        if (c->keep[i])
            tpp_str_format(out, h->axis[i].role == TPP_NRRD_SPACE_AXIS ? " domain" : " ???");
    tpp_str_add(out, "\n", 1);
}

/* Lines that stay keep their spaces and their end. */
static void add_lines(tpp_str *out, const changes *c, const char *text)
{
    while (*text != '\0') {
        const char *end = strchr(text, '\n');
        const size_t n = end != NULL ? (size_t)(end - text) : strlen(text);
        const char *at = text, *line = NULL, *value = NULL;
        size_t length = 0, value_length = 0;
        (void)tpp_header_line(&line, &length, &at);
        if (n == 0 || (n == 1 && text[0] == '\r')) break; /* the header's end */
        const int field = tpp_nrrd_line_field(&value, &value_length, line, length);
        const char *kept = field >= 0 && field != TPP_NRRD_VALUES ? c->header->value[field] : NULL;
        if (field < 0 || !change_line(out, c, line, field, kept)) {
            tpp_str_add(out, text, n);
            tpp_str_add(out, "\n", 1);
        }
        text += n + (end != NULL);
    }
    add_kinds(out, c);
    if (c->values && c->header->value[TPP_NRRD_ENDIAN] == NULL)
        tpp_str_format(out, "endian: little\n");
    tpp_str_add(out, "\n", 1);
}

static tpp_status change_header(tpp_str *out, const tpp_volume *like, bool values)
{
    tpp_nrrd_header h = {0};
    const char *text = (const char *)like->header;
    const tpp_status s = tpp_nrrd_header_parse(&h, text, "header kept of the input");
    if (s == TPP_OK) {
        const changes c = find_changes(&h, values);
        add_lines(out, &c, text);
    }
    tpp_nrrd_header_free(&h);
    return s;
}

static void compose_header(tpp_str *out, const tpp_volume *v, bool values)
{
    const double(*m)[4] = v->affine.m;
    tpp_str_format(out,
                   "NRRD0004\ntype: %s\ndimension: 3\nspace: right-anterior-superior\n"
                   "sizes: %" PRId64 " %" PRId64 " %" PRId64 "\nspace directions:",
                   values ? "float" : "uint8", v->dim[0], v->dim[1], v->dim[2]);
    for (int j = 0; j < 3; j++)
        tpp_str_format(out, " (%.17g,%.17g,%.17g)", m[0][j], m[1][j], m[2][j]);
    tpp_str_format(out,
                   "\nkinds: domain domain domain\nendian: little\nencoding: gzip\n"
                   "space origin: (%.17g,%.17g,%.17g)\n\n",
                   m[0][3], m[1][3], m[2][3]);
}

tpp_status tpp_nrrd_write(const char *path, const tpp_volume *like, const uint8_t *labels,
                          const float *values)
{
    if (!tpp_path_has_suffix(path, ".nrrd"))
        return TPP_FAIL(TPP_EUSAGE, "%s: a NRRD of results has a name that ends in .nrrd", path);
    tpp_str header = {0};
    tpp_status s = TPP_OK;
    if (like->header != NULL && like->format == TPP_VOLUME_NRRD)
        s = change_header(&header, like, values != NULL);
    else
        compose_header(&header, like, values != NULL);
    if (s == TPP_OK) s = header.status;
    const tpp_result r = {.header = (const uint8_t *)header.text,
                          .header_size = header.length,
                          .labels = labels,
                          .values = values,
                          .count = (size_t)(like->dim[0] * like->dim[1] * like->dim[2]),
                          .packing = TPP_PACK_DATA_GZIP};
    if (s == TPP_OK) s = tpp_result_write(path, &r);
    tpp_str_free(&header);
    return s;
}
