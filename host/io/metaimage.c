/* Reads MetaImage.
 * SPDX-License-Identifier: MIT */
#include "io/metaimage.h"

#include "core/mem.h"
#include "io/metaimage_header.h"
#include "io/volume_data.h"

#include <math.h>
#include <string.h>

bool tpp_metaimage_begins(const char *bytes, size_t size)
{
    static const char *const first[] = {"ObjectType", "NDims", "Comment", "ObjectSubType"};
    size_t at = 0;
    while (at < size && (bytes[at] == ' ' || bytes[at] == '\t')) at++;
    for (size_t i = 0; i < sizeof first / sizeof *first; i++) {
        const size_t n = strlen(first[i]);
        if (size - at <= n || memcmp(bytes + at, first[i], n) != 0) continue;
        for (at += n; at < size && (bytes[at] == ' ' || bytes[at] == '\t');) at++;
        return at < size && (bytes[at] == '=' || bytes[at] == ':');
    }
    return false;
}

/* Names a set of files, or one that holds the voxels alone. */
static tpp_status find_data(char **out, const tpp_meta_header *h, const char *path)
{
    const char *name = h->value[TPP_META_DATA_FILE];
    if (strncmp(name, "LIST", 4) == 0 && (name[4] == '\0' || name[4] == ' ' || name[4] == '\t'))
        return TPP_FAIL(TPP_EUNSUPPORTED,
                        "%s: ElementDataFile is LIST, a file for each slice; wanted one file: "
                        "convert it, for instance with SimpleITK",
                        path);
    if (strchr(name, '%') != NULL)
        return TPP_FAIL(TPP_EUNSUPPORTED,
                        "%s: ElementDataFile is the pattern \"%.80s\"; wanted one file: convert "
                        "it, for instance with SimpleITK",
                        path, name);
    return tpp_data_path(out, path, name);
}

static tpp_status read_scaling(tpp_volume *v, const tpp_meta_header *h, const char *path)
{
    const char *slope = h->value[TPP_META_SLOPE], *intercept = h->value[TPP_META_INTERCEPT];
    v->slope = 1;
    if ((slope != NULL && tpp_header_numbers(&v->slope, 1, slope) != 1) ||
        (intercept != NULL && tpp_header_numbers(&v->intercept, 1, intercept) != 1) ||
        !isfinite(v->slope) || !isfinite(v->intercept))
        return TPP_FAIL(TPP_EFORMAT, "%s: ElementToIntensityFunctionSlope or -Offset is no number",
                        path);
    if (v->slope == 0) v->slope = 1;
    return TPP_OK;
}

static tpp_status read_voxels(tpp_volume *v, const tpp_meta_header *h, const char *path,
                              const tpp_volume_options *o)
{
    const bool local = strcmp(h->value[TPP_META_DATA_FILE], "LOCAL") == 0;
    char *data_path = NULL;
    if (local && h->header_size > 0)
        return TPP_FAIL(TPP_EFORMAT, "%s: ElementDataFile is LOCAL, and HeaderSize is stated",
                        path);
    if (h->is_clip)
        TPP_TRY(tpp_volume_check_clip(o, path));
    else
        TPP_TRY(tpp_volume_choose_time(&v->time, v->dim[3], o, path));
    if (!local) TPP_TRY(find_data(&data_path, h, path));
    const tpp_data_plan plan = {
        .path = local ? path : data_path,
        .encoding = h->is_text         ? TPP_DATA_TEXT
                    : h->is_compressed ? TPP_DATA_DEFLATED
                                       : TPP_DATA_RAW,
        /* A header before compressed voxels is not compressed with them. */
        .offset = local              ? v->header_size
                  : h->is_compressed ? (uint64_t)h->header_size
                                     : 0,
        .byte_skip = h->is_compressed ? 0 : h->header_size,
        .layout = {.type = h->type,
                   .big = h->big,
                   .inner = (size_t)h->channels,
                   .kept = (size_t)v->channels},
        .times = v->dim[3],
        .time = v->time,
    };
    const tpp_status s = tpp_data_read(v, &plan, o->max_bytes);
    tpp_free(data_path);
    return s;
}

static tpp_status read_file(tpp_volume *v, tpp_meta_header *h, const char *path,
                            const tpp_volume_options *o)
{
    char *text = NULL;
    bool ended = false;
    TPP_TRY(tpp_header_read(&text, &v->header_size, &ended, path, tpp_meta_header_ends));
    v->header = (uint8_t *)text;
    if (!ended)
        return TPP_FAIL(TPP_EFORMAT, "%s: its header has no ElementDataFile at its end", path);
    TPP_TRY(tpp_meta_header_parse(h, text, path));
    v->channels = h->channels > 1 ? 3 : 1;
    v->datatype = h->type->name;
    TPP_TRY(tpp_meta_geometry(v, h, path));
    TPP_TRY(read_scaling(v, h, path));
    return o->header_only ? TPP_OK : read_voxels(v, h, path, o);
}

tpp_status tpp_metaimage_read(tpp_volume *out, const char *path, const tpp_volume_options *o)
{
    static const tpp_volume_options defaults = {.time = -1};
    tpp_volume v = {.format = TPP_VOLUME_METAIMAGE};
    tpp_meta_header h = {0};
    const tpp_status s = read_file(&v, &h, path, o != NULL ? o : &defaults);
    tpp_meta_header_free(&h);
    if (s == TPP_OK)
        *out = v;
    else
        tpp_volume_free(&v);
    return s;
}
