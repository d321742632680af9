/* Folders of pictures, and single pictures.
 * SPDX-License-Identifier: MIT */
#include "core/log.h"
#include "core/mem.h"
#include "infer/frames_internal.h"
#include "io/picture.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* As the user named it: a picture alone may have no folder before its name. */
char *tpp_frames_file_path(const tpp_frames *f, int64_t i)
{
    return f->folder[0] == '\0' ? tpp_strdup(f->names.name[i])
                                : tpp_path_join(f->folder, f->names.name[i]);
}

/* ---- headers ---- */

static tpp_status compare_head(const tpp_frames *f, int64_t i, const tpp_picture_head *head)
{
    if (head->width == f->width && head->height == f->height) return TPP_OK;
    return TPP_FAIL(TPP_EUSAGE,
                    "%s: %s is %dx%d (height x width), %s before it is %dx%d; all frames must be "
                    "of one size",
                    f->path, f->names.name[i], head->height, head->width, f->names.name[0],
                    f->height, f->width);
}

static tpp_status add_picture(tpp_frames *f, int64_t i, bool *deep)
{
    tpp_picture_head head = {0};
    char *path = tpp_frames_file_path(f, i);
    if (path == NULL) return TPP_ENOMEM;
    f->marks[i] = tpp_file_mark_of(path);
    tpp_status s = tpp_picture_read_head(&head, path);
    if (s == TPP_OK) s = tpp_frames_check_size(path, head.height, head.width);
    tpp_free(path);
    if (s != TPP_OK) return s;
    if (i == 0) {
        f->width = head.width;
        f->height = head.height;
        f->channels = head.channels;
    }
    if (head.channels > f->channels) f->channels = head.channels;
    *deep = *deep || head.bits > 8;
    return compare_head(f, i, &head);
}

/* ---- pixels ---- */

static tpp_status read_picture(const tpp_frames *f, int64_t i, tpp_image *image)
{
    char *path = tpp_frames_file_path(f, i);
    if (path == NULL) return TPP_ENOMEM;
    tpp_status s = tpp_frames_file_unchanged(f, i);
    if (s == TPP_OK) s = tpp_picture_read(image, path);
    if (s == TPP_OK &&
        (image->width != f->width || image->height != f->height || image->channels > f->channels))
        s = TPP_FAIL(TPP_EIO, "%s: the file has changed since the run began", path);
    tpp_free(path);
    return s;
}

/* Pictures of 8 bits among those of 16 are stretched: 255 is 65535. */
static unsigned deep_value(const tpp_image *image, int64_t k)
{
    enum { STRETCH = 257 };
    return image->deep != NULL ? image->deep[k] : image->pixels[k] * (unsigned)STRETCH;
}

static tpp_status count_values(const tpp_frames *f, int64_t *counts)
{
    for (int64_t i = 0; i < f->count; i++) {
        tpp_image image = {0};
        TPP_TRY(read_picture(f, i, &image));
        const int64_t n = (int64_t)image.width * image.height * image.channels;
        for (int64_t k = 0; k < n; k++) counts[deep_value(&image, k)]++;
        tpp_image_free(&image);
    }
    return TPP_OK;
}

/* One window for the whole sequence: one for each picture would flicker. */
static tpp_status choose_window(tpp_frames *f, const char *spec)
{
    int64_t *counts = NULL;
    tpp_status s = TPP_OK;
    if (tpp_window_looks(spec)) {
        TPP_NEW(counts, TPP_WINDOW_LEVELS);
        s = count_values(f, counts);
    }
    if (s == TPP_OK) s = tpp_window_of_counts(&f->window, counts, spec);
    tpp_free(counts);
    return s;
}

static void convert(const tpp_frames *f, const tpp_image *image, uint8_t *out)
{
    const int64_t values = (int64_t)f->width * f->height * f->channels;
    const int repeat = f->channels / image->channels; /* grey among colours: three times */
    for (int64_t k = 0; k < values; k++) {
        const int64_t from = k / repeat;
        out[k] = f->window.name[0] != '\0'
                     ? tpp_window_apply(&f->window, (float)deep_value(image, from))
                     : image->pixels[from];
    }
}

tpp_status tpp_frames_get_picture(const tpp_frames *f, int64_t i, uint8_t *out)
{
    tpp_image image = {0};
    TPP_TRY(read_picture(f, i, &image));
    const bool fits = f->window.name[0] != '\0' || image.pixels != NULL;
    if (fits) convert(f, &image, out);
    tpp_image_free(&image);
    return fits ? TPP_OK
                : TPP_FAIL(TPP_EIO, "%s: %s has changed since the run began", f->path,
                           f->names.name[i]);
}

tpp_status tpp_frames_file_unchanged(const tpp_frames *f, int64_t i)
{
    char *path = tpp_frames_file_path(f, i);
    if (path == NULL) return TPP_ENOMEM;
    const tpp_file_mark now = tpp_file_mark_of(path);
    tpp_status s = TPP_OK;
    if (!tpp_file_mark_equal(&now, &f->marks[i]))
        s = TPP_FAIL(TPP_EIO, "%s: the file has changed since the run began", path);
    tpp_free(path);
    return s;
}

/* ---- opening ---- */

/* Keeps the names of pictures, drops the others. */
static void keep_pictures(tpp_names *names)
{
    size_t kept = 0;
    for (size_t i = 0; i < names->count; i++)
        if (tpp_picture_has_name(names->name[i]))
            names->name[kept++] = names->name[i];
        else
            tpp_free(names->name[i]);
    names->count = kept;
}

static tpp_status list_folder(tpp_frames *f)
{
    f->folder = tpp_strdup(f->path);
    if (f->folder == NULL) return TPP_ENOMEM;
    TPP_TRY(tpp_path_list(&f->names, f->path, NULL));
    const size_t files = f->names.count;
    keep_pictures(&f->names);
    if (f->names.count > 0) return TPP_OK;
    if (files == 0) return TPP_FAIL(TPP_EUSAGE, "%s: the folder is empty", f->path);
    return TPP_FAIL(TPP_EUSAGE,
                    "%s: none of the folder's %zu files is a DICOM file or a picture (PNG, JPEG)",
                    f->path, files);
}

static tpp_status list_one(tpp_frames *f)
{
    const char *base = tpp_path_base(f->path);
    const size_t n = (size_t)(base - f->path);
    f->folder = tpp_strndup(f->path, n);
    TPP_NEW(f->names.name, 1);
    f->names.count = 1;
    f->names.name[0] = tpp_strdup(base);
    return f->folder != NULL && f->names.name[0] != NULL ? TPP_OK : TPP_ENOMEM;
}

tpp_status tpp_frames_open_pictures(tpp_frames *f, const tpp_frames_options *o)
{
    bool deep = false;
    f->kind = TPP_FRAMES_PICTURES;
    TPP_TRY(tpp_path_is_folder(f->path) ? list_folder(f) : list_one(f));
    f->count = (int64_t)f->names.count;
    TPP_NEW(f->marks, f->count);
    for (int64_t i = 0; i < f->count; i++) TPP_TRY(add_picture(f, i, &deep));
    f->total = f->count;
    if (deep) TPP_TRY(choose_window(f, o->window));
    tpp_log(TPP_LOG_INFO, "frames", "%s: %" PRId64 " pictures of %dx%d, %s%s", f->path, f->count,
            f->height, f->width, f->channels == 3 ? "colour" : "grey", deep ? ", 16 bits" : "");
    return TPP_OK;
}
