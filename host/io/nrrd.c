/* Reads NRRD.
 * SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "io/nrrd.h"

#include "core/mem.h"
#include "io/nrrd_header.h"
#include "io/volume_data.h"

#include <string.h>
#include <strings.h>

bool tpp_nrrd_begins(const char *bytes, size_t size)
{
    return size >= 9 && memcmp(bytes, "NRRD000", 7) == 0 && (bytes[8] == '\n' || bytes[8] == '\r');
}

static bool is_empty(const char *line, size_t length)
{
    (void)line;
    return length == 0;
}

static tpp_status find_data(char **out, const tpp_nrrd_header *h, const char *path)
{
    const char *name = h->value[TPP_NRRD_DATA_FILE];
    if (strncmp(name, "LIST", 4) == 0 && (name[4] == '\0' || name[4] == ' '))
        return TPP_FAIL(TPP_EUNSUPPORTED,
                        "%s: its voxels are in a LIST of files; wanted one: unu save -f nrrd -e "
                        "gzip makes it",
                        path);
    if (strchr(name, '%') != NULL)
        return TPP_FAIL(TPP_EUNSUPPORTED,
                        "%s: its voxels are in the files \"%.80s\"; wanted one: unu save -f nrrd "
                        "-e gzip makes it",
                        path, name);
    return tpp_data_path(out, path, name);
}

static tpp_voxel_layout layout_of(const tpp_nrrd_header *h, const tpp_volume *v)
{
    tpp_voxel_layout l = {.type = h->type, .big = h->big, .inner = 1, .kept = (size_t)v->channels};
    if (h->colour >= 0) l.inner = (size_t)h->axis[h->colour].size;
    if (h->time >= 0 && h->time < h->space[0]) { /* time is the fastest axis */
        l.inner = (size_t)v->dim[3];
        l.first = (size_t)v->time;
    }
    return l;
}

static tpp_status read_voxels(tpp_volume *v, const tpp_nrrd_header *h, bool attached,
                              const char *path, const tpp_volume_options *o)
{
    char *data_path = NULL;
    if (h->is_clip)
        TPP_TRY(tpp_volume_check_clip(o, path));
    else
        TPP_TRY(tpp_volume_choose_time(&v->time, v->dim[3], o, path));
    if (!attached) TPP_TRY(find_data(&data_path, h, path));
    const bool inner = h->time >= 0 && h->time < h->space[0];
    const tpp_data_plan plan = {
        .path = attached ? path : data_path,
        .encoding = h->encoding,
        .offset = attached ? v->header_size : 0,
        .line_skip = (uint64_t)h->line_skip,
        .byte_skip = h->byte_skip,
        .layout = layout_of(h, v),
        .times = inner ? 1 : v->dim[3],
        .time = inner ? 0 : v->time,
    };
    const tpp_status s = tpp_data_read(v, &plan, o->max_bytes);
    tpp_free(data_path);
    return s;
}

/* Dimensions and what the axes mean. */
static void describe(tpp_volume *v, const tpp_nrrd_header *h)
{
    for (int i = 0; i < 4; i++) v->dim[i] = 1;
    for (int i = 0; i < h->n_space; i++) v->dim[i] = h->axis[h->space[i]].size;
    if (h->time >= 0) v->dim[h->is_clip ? 2 : 3] = h->axis[h->time].size;
    v->channels = h->colour >= 0 ? 3 : 1;
    v->datatype = h->type->name;
    v->slope = 1;
    const bool frames = h->n_space == 2 || h->value[TPP_NRRD_KINDS] == NULL;
    v->is_sequence = h->is_clip || (h->has_frames && h->time < 0 && frames);
    if (h->has_frames || h->value[TPP_NRRD_ULTRASOUND] != NULL) memcpy(v->modality, "US", 3);
}

static tpp_status read_file(tpp_volume *v, tpp_nrrd_header *h, const char *path,
                            const tpp_volume_options *o)
{
    char *text = NULL;
    bool ended = false;
    TPP_TRY(tpp_header_read(&text, &v->header_size, &ended, path, is_empty));
    v->header = (uint8_t *)text;
    TPP_TRY(tpp_nrrd_header_parse(h, text, path));
    const bool attached = h->value[TPP_NRRD_DATA_FILE] == NULL;
    if (attached && !ended)
        return TPP_FAIL(TPP_EFORMAT,
                        "%s: the file ends with its header: neither voxels nor a \"data file\"",
                        path);
    describe(v, h);
    TPP_TRY(tpp_nrrd_geometry(v, h, path));
    return o->header_only ? TPP_OK : read_voxels(v, h, attached, path, o);
}

tpp_status tpp_nrrd_read(tpp_volume *out, const char *path, const tpp_volume_options *o)
{
    static const tpp_volume_options defaults = {.time = -1};
    tpp_volume v = {.format = TPP_VOLUME_NRRD};
    tpp_nrrd_header h = {0};
    const tpp_status s = read_file(&v, &h, path, o != NULL ? o : &defaults);
    tpp_nrrd_header_free(&h);
    if (s == TPP_OK)
        *out = v;
    else
        tpp_volume_free(&v);
    return s;
}
