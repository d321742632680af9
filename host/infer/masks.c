/* Label volumes, DICOM-SEG and mask pictures.
 * SPDX-License-Identifier: MIT */
#include "infer/masks.h"

#include "core/mem.h"
#include "core/str.h"
#include "io/dicom.h"
#include "io/image.h"
#include "io/png.h"
#include "io/volume_file.h"
#include "text/snomed.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { ALL = -1, WHITE = 255 };

/* ---- names ---- */

char *tpp_masks_name(const tpp_masks *m, int t)
{
    const bool volume = m->frames->kind == TPP_FRAMES_VOLUME;
    const char *suffix = volume ? tpp_volume_suffix(&m->frames->volume) : "";
    tpp_str s = {0};
    if (volume)
        tpp_str_format(&s, "%s%s", t == ALL ? "seg" : m->targets->item[t].name, suffix);
    else
        tpp_str_format(&s, "masks%s%s", t == ALL ? "" : "/",
                       t == ALL ? "" : m->targets->item[t].name);
    return s.text;
}

static const char *extension(const char *name)
{
    const char *dot = strrchr(name, '.');
    return dot != NULL ? dot : name + strlen(name);
}

static bool has_name(const tpp_frames *f, const char *name)
{
    for (size_t i = 0; i < f->names.count; i++)
        if (strcmp(f->names.name[i], name) == 0) return true;
    return false;
}

/* a.jpg and a.png of one folder must not become the same a.png. */
static bool has_one_extension(const tpp_frames *f)
{
    for (size_t i = 1; i < f->names.count; i++)
        if (strcmp(extension(f->names.name[0]), extension(f->names.name[i])) != 0) return false;
    return true;
}

char *tpp_masks_picture_name(const tpp_frames *f, int64_t i)
{
    tpp_str s = {0};
    const int64_t k = f->first + i;
    if (f->kind != TPP_FRAMES_PICTURES) {
        tpp_str_format(&s, "%05" PRId64 ".png", k);
        return s.text;
    }
    const char *name = f->names.name[k], *end = extension(name);
    if (tpp_path_has_suffix(name, ".png"))
        tpp_str_format(&s, "%s", name);
    else if (has_one_extension(f))
        tpp_str_format(&s, "%.*s.png", (int)(end - name), name);
    else
        tpp_str_format(&s, "%s.png", name);
    while (s.status == TPP_OK && strcmp(s.text, name) != 0 && has_name(f, s.text))
        tpp_str_format(&s, ".png"); /* a.jpg beside a.jpg.png */
    return s.text;
}

/* ---- labels ---- */

/* Label that target t has in a file of its own, or in one for all. */
static uint8_t label_of(int only, int t)
{
    return (uint8_t)(only == ALL ? t + 1 : 1);
}

/* Labels of frame i, of one target or of all; `mask` is scratch of the same size. */
static void draw_labels(const tpp_masks *m, int64_t i, int only, uint8_t *labels, uint8_t *mask)
{
    const int64_t frames = m->frames->count, pixels = m->store[0].pixels;
    float best[TPP_MAX_TARGETS + 1] = {0}; /* by label: the score of what has the pixel */
    memset(labels, 0, (size_t)pixels);
    for (int t = only == ALL ? 0 : only; t < m->targets->count; t++) {
        const uint8_t label = label_of(only, t);
        const float score = m->found[t * frames + i].score;
        best[label] = score;
        tpp_mask_store_get(&m->store[t], i, mask);
        for (int64_t p = 0; p < pixels; p++)
            if (mask[p] != 0 && (labels[p] == 0 || score > best[labels[p]])) labels[p] = label;
        if (only != ALL) return;
    }
}

/* Buffers of a frame, and of a whole volume. */
typedef struct canvas {
    uint8_t *labels, *mask, *volume;
} canvas;

static tpp_status open_canvas(canvas *c, const tpp_masks *m)
{
    const size_t pixels = (size_t)m->store[0].pixels;
    TPP_NEW(c->labels, pixels);
    TPP_NEW(c->mask, pixels);
    if (m->frames->kind == TPP_FRAMES_VOLUME) TPP_NEW(c->volume, m->frames->volume.voxel_count);
    return TPP_OK;
}

static void close_canvas(canvas *c)
{
    tpp_free(c->labels);
    tpp_free(c->mask);
    tpp_free(c->volume);
}

/* ---- volumes ---- */

static void fill_volume(const tpp_masks *m, int only, canvas *c)
{
    const tpp_frames *f = m->frames;
    memset(c->volume, 0, (size_t)f->volume.voxel_count);
    for (int64_t i = 0; i < f->count; i++) {
        draw_labels(m, i, only, c->labels, c->mask);
        tpp_view_put_slice(&f->view, c->volume, c->labels, f->first + i);
    }
}

static tpp_status write_volume(const tpp_masks *m, int only, canvas *c, const tpp_out_folder *out)
{
    char *path = NULL, *name = tpp_masks_name(m, m->targets->count == 1 ? ALL : only);
    if (name == NULL) return TPP_ENOMEM;
    tpp_status s = tpp_out_folder_file(out, &path, name);
    if (s == TPP_OK) {
        fill_volume(m, only, c);
        s = tpp_volume_write_labels(path, &m->frames->volume, c->volume);
    }
    tpp_free(path);
    tpp_free(name);
    return s;
}

/* The left kidney is the type "Kidney" with the modifier "Left". */
static tpp_dicom_segment describe(const tpp_target *x, int label)
{
    const char *of_type = tpp_snomed_meaning(x->type_code);
    tpp_dicom_segment s = {.label = label,
                           .name = x->title,
                           .category_code = x->category_code,
                           .category_meaning = tpp_snomed_meaning(x->category_code),
                           .type_code = x->type_code,
                           .type_meaning = of_type != NULL ? of_type : x->type_meaning,
                           .modifier_code = x->modifier_code,
                           .modifier_meaning = tpp_snomed_meaning(x->modifier_code),
                           .site_code = x->site_code,
                           .site_meaning = tpp_snomed_meaning(x->site_code)};
    memcpy(s.rgb, x->rgb, sizeof(s.rgb));
    return s;
}

/* All targets as segments of one object. */
static tpp_status write_dicom(const tpp_masks *m, canvas *c, const tpp_out_folder *out)
{
    const int n = m->targets->count;
    tpp_dicom_segment *segment = NULL;
    char *path = NULL;
    TPP_NEW(segment, n);
    for (int t = 0; t < n; t++) {
        const tpp_target *x = &m->targets->item[t];
        segment[t] = describe(x, t + 1);
    }
    tpp_status s = tpp_out_folder_file(out, &path, "seg.dcm");
    if (s == TPP_OK) {
        fill_volume(m, ALL, c);
        s = tpp_dicom_write_seg(path, &m->frames->volume, c->volume, segment, n, m->version);
    }
    tpp_free(path);
    tpp_free(segment);
    return s;
}

static tpp_status write_volumes(const tpp_masks *m, canvas *c, const tpp_out_folder *out)
{
    if (m->multilabel)
        TPP_TRY(write_volume(m, ALL, c, out));
    else
        for (int t = 0; t < m->targets->count; t++) TPP_TRY(write_volume(m, t, c, out));
    return m->frames->volume.format == TPP_VOLUME_DICOM ? write_dicom(m, c, out) : TPP_OK;
}

/* ---- pictures ---- */

static tpp_status write_picture(const tpp_masks *m, int64_t i, const char *folder,
                                const uint8_t *pixels, const tpp_out_folder *out)
{
    tpp_image image = {0};
    char *base = tpp_masks_picture_name(m->frames, i), *path = NULL;
    char *name = base != NULL ? tpp_path_join(folder, base) : NULL;
    tpp_status s = name != NULL ? TPP_OK : TPP_ENOMEM;
    if (s == TPP_OK) s = tpp_out_folder_file(out, &path, name);
    if (s == TPP_OK) s = tpp_image_init(&image, m->frames->width, m->frames->height, 1);
    if (s == TPP_OK) {
        memcpy(image.pixels, pixels, (size_t)m->store[0].pixels);
        s = tpp_png_write(path, &image);
    }
    tpp_image_free(&image);
    tpp_free(path);
    tpp_free(name);
    tpp_free(base);
    return s;
}

static tpp_status write_pictures(const tpp_masks *m, int only, canvas *c, const tpp_out_folder *out)
{
    tpp_status s = TPP_OK;
    char *folder = tpp_masks_name(m, m->targets->count == 1 ? ALL : only);
    if (folder == NULL) return TPP_ENOMEM;
    for (int64_t i = 0; i < m->frames->count && s == TPP_OK; i++) {
        draw_labels(m, i, only, c->labels, c->mask);
        if (!m->multilabel)
            for (int64_t p = 0; p < m->store[0].pixels; p++)
                c->labels[p] = c->labels[p] != 0 ? WHITE : 0;
        s = write_picture(m, i, folder, c->labels, out);
    }
    tpp_free(folder);
    return s;
}

tpp_status tpp_masks_write(const tpp_masks *m, const tpp_out_folder *out)
{
    canvas c = {0};
    tpp_status s = open_canvas(&c, m);
    if (s == TPP_OK && m->frames->kind == TPP_FRAMES_VOLUME)
        s = write_volumes(m, &c, out);
    else if (s == TPP_OK && m->multilabel)
        s = write_pictures(m, ALL, &c, out);
    else
        for (int t = 0; t < m->targets->count && s == TPP_OK; t++)
            s = write_pictures(m, t, &c, out);
    close_canvas(&c);
    return s;
}
