/* Volumes and folders of pictures as sequences of frames.
 * SPDX-License-Identifier: MIT */
#include "infer/frames.h"

#include "core/log.h"
#include "core/mem.h"
#include "core/str.h"
#include "io/bytes.h"
#include "io/image.h"
#include "io/nifti.h"
#include "io/png.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

void tpp_frames_close(tpp_frames *f)
{
    tpp_volume_free(&f->volume);
    tpp_names_free(&f->names);
    tpp_free(f->folder);
    tpp_free(f->path);
    *f = (tpp_frames){0};
}

/* ---- volumes ---- */

static void warn_volume(const tpp_frames *f)
{
    const tpp_volume *v = &f->volume;
    if (v->nan_count > 0)
        tpp_log(TPP_LOG_WARN, "frames",
                "%s: %" PRId64 " of %" PRId64
                " voxels are NaN or infinite and count as the lowest intensity",
                f->path, v->nan_count, v->voxel_count);
    if (v->affines_disagree)
        tpp_log(TPP_LOG_WARN, "frames", "%s: sform and qform disagree; %s is used", f->path,
                tpp_affine_source_text(v->affine_source));
    if (v->affine_source == TPP_AFFINE_PIXDIM)
        tpp_log(TPP_LOG_WARN, "frames",
                "%s: states no orientation; which side is the patient's "
                "left is a convention here, not knowledge",
                f->path);
}

static tpp_status check_frame_size(const char *path, int64_t height, int64_t width)
{
    if (height <= TPP_IMAGE_MAX_SIDE && width <= TPP_IMAGE_MAX_SIDE &&
        height * width <= TPP_IMAGE_MAX_PIXELS)
        return TPP_OK;
    return TPP_FAIL(TPP_EUSAGE,
                    "%s: frames of %" PRId64 "x%" PRId64 " pixels; at most %d a side and %d in all",
                    path, height, width, (int)TPP_IMAGE_MAX_SIDE, (int)TPP_IMAGE_MAX_PIXELS);
}

static tpp_status open_volume(tpp_frames *f, const char *window)
{
    tpp_volume *v = &f->volume;
    TPP_TRY(tpp_nifti_read(v, f->path, NULL));
    const tpp_orientation o = tpp_orientation_from_affine(&v->affine);
    tpp_orientation_code(f->orientation, &o);
    f->view = tpp_orientation_view(&o, v->dim, v->spacing_mm);
    TPP_TRY(check_frame_size(f->path, f->view.dim[1], f->view.dim[0]));
    TPP_TRY(tpp_window_choose(&f->window, v, window));
    f->is_volume = true;
    f->width = (int)f->view.dim[0];
    f->height = (int)f->view.dim[1];
    f->count = f->view.dim[2];
    f->channels = 1;
    f->spacing_mm[0] = f->view.spacing_mm[1];
    f->spacing_mm[1] = f->view.spacing_mm[0];
    warn_volume(f);
    tpp_log(TPP_LOG_INFO, "frames", "%s: %" PRId64 " slices of %dx%d, %s, window %s: %g to %g",
            f->path, f->count, f->height, f->width, f->orientation, f->window.name, f->window.low,
            f->window.high);
    return TPP_OK;
}

static void get_slice(const tpp_frames *f, int64_t k, uint8_t *out)
{
    for (int64_t r = 0; r < f->height; r++)
        for (int64_t c = 0; c < f->width; c++)
            out[r * f->width + c] =
                tpp_window_apply(&f->window, f->volume.voxels[tpp_view_index(&f->view, k, r, c)]);
}

/* ---- pictures ---- */

/* What a PNG's first chunk says. The rest is tpp_png_read's to check. */
typedef struct png_head {
    int64_t width, height;
    int channels;
} png_head;

static tpp_status read_head(png_head *out, const char *path)
{
    static const uint8_t start[] = {137, 'P', 'N', 'G', 13,  10,  26,  10,
                                    0,   0,   0,   13,  'I', 'H', 'D', 'R'};
    uint8_t bytes[26];
    FILE *file = fopen(path, "rb");
    if (file == NULL) return TPP_FAIL(TPP_EIO, "%s: cannot open: %s", path, strerror(errno));
    const size_t got = fread(bytes, 1, sizeof(bytes), file);
    (void)fclose(file);
    if (got < sizeof(bytes) || memcmp(bytes, start, sizeof(start)) != 0)
        return TPP_FAIL(TPP_EFORMAT, "%s: not a PNG file", path);
    const int depth = bytes[24], colour = bytes[25];
    if (depth > 8)
        return TPP_FAIL(TPP_EUNSUPPORTED, "%s: %d bits a channel; wanted at most 8", path, depth);
    enum { COLOUR_BIT = 2 };
    *out = (png_head){.width = (int64_t)tpp_bytes_get(bytes + 16, 4, true),
                      .height = (int64_t)tpp_bytes_get(bytes + 20, 4, true),
                      .channels = (colour & COLOUR_BIT) != 0 ? 3 : 1};
    return check_frame_size(path, out->height, out->width);
}

static char *picture_path(const tpp_frames *f, int64_t i)
{
    return tpp_path_join(f->folder, f->names.name[i]);
}

static tpp_status add_picture(tpp_frames *f, int64_t i)
{
    png_head head = {0};
    char *path = picture_path(f, i);
    if (path == NULL) return TPP_ENOMEM;
    const tpp_status s = read_head(&head, path);
    tpp_free(path);
    if (s != TPP_OK) return s;
    if (i == 0) {
        f->width = (int)head.width;
        f->height = (int)head.height;
        f->channels = head.channels;
    }
    if (head.width != f->width || head.height != f->height)
        return TPP_FAIL(TPP_EUSAGE,
                        "%s: %s is %" PRId64 "x%" PRId64 " (height x width), %s before "
                        "it is %dx%d; all frames must be of one size",
                        f->path, f->names.name[i], head.height, head.width, f->names.name[0],
                        f->height, f->width);
    if (head.channels > f->channels) f->channels = head.channels;
    return TPP_OK;
}

static tpp_status open_pictures(tpp_frames *f)
{
    f->count = (int64_t)f->names.count;
    for (int64_t i = 0; i < f->count; i++) TPP_TRY(add_picture(f, i));
    tpp_log(TPP_LOG_INFO, "frames", "%s: %" PRId64 " pictures of %dx%d, %s", f->path, f->count,
            f->height, f->width, f->channels == 3 ? "colour" : "grey");
    return TPP_OK;
}

static tpp_status open_folder(tpp_frames *f)
{
    f->folder = tpp_strdup(f->path);
    if (f->folder == NULL) return TPP_ENOMEM;
    TPP_TRY(tpp_path_list(&f->names, f->path, ".png"));
    if (f->names.count == 0)
        return TPP_FAIL(TPP_EUSAGE, "%s: the folder holds no PNG file", f->path);
    return open_pictures(f);
}

static tpp_status open_picture(tpp_frames *f)
{
    const char *base = tpp_path_base(f->path);
    const size_t n = (size_t)(base - f->path);
    f->folder = n == 0 ? tpp_strdup(".") : tpp_strndup(f->path, n);
    TPP_NEW(f->names.name, 1);
    f->names.count = 1;
    f->names.name[0] = tpp_strdup(base);
    if (f->folder == NULL || f->names.name[0] == NULL) return TPP_ENOMEM;
    return open_pictures(f);
}

static tpp_status get_picture(const tpp_frames *f, int64_t i, uint8_t *out)
{
    tpp_image image = {0};
    char *path = picture_path(f, i);
    if (path == NULL) return TPP_ENOMEM;
    tpp_status s = tpp_png_read(&image, path);
    if (s == TPP_OK &&
        (image.width != f->width || image.height != f->height || image.channels > f->channels))
        s = TPP_FAIL(TPP_EIO, "%s: the file has changed since the run began", path);
    const int64_t pixels = (int64_t)f->width * f->height;
    if (s == TPP_OK && image.channels == f->channels)
        memcpy(out, image.pixels, (size_t)pixels * (size_t)f->channels);
    else if (s == TPP_OK)
        for (int64_t p = 0; p < 3 * pixels; p++) out[p] = image.pixels[p / 3];
    tpp_image_free(&image);
    tpp_free(path);
    return s;
}

/* ---- either ---- */

static bool is_nifti_name(const char *path)
{
    static const char *const ends[] = {".nii", ".nii.gz", ".hdr", ".img", ".hdr.gz", ".img.gz"};
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
        if (tpp_path_has_suffix(path, ends[i])) return true;
    return false;
}

static tpp_status open_any(tpp_frames *f, const char *window)
{
    if (f->path == NULL) return TPP_ENOMEM;
    if (!tpp_path_exists(f->path))
        return TPP_FAIL(TPP_EIO, "%s: there is no such file or folder", f->path);
    const bool folder = tpp_path_is_folder(f->path);
    if (!folder && is_nifti_name(f->path)) return open_volume(f, window);
    if (window != NULL)
        return TPP_FAIL(TPP_EUSAGE, "%s: pictures are taken as they are; --window is for volumes",
                        f->path);
    if (folder) return open_folder(f);
    if (tpp_path_has_suffix(f->path, ".png")) return open_picture(f);
    return TPP_FAIL(TPP_EUSAGE,
                    "%s: wanted a NIfTI volume (.nii, .nii.gz, .hdr/.img), a folder of "
                    "PNG files, or a PNG file",
                    f->path);
}

tpp_status tpp_frames_open(tpp_frames *f, const char *path, const char *window)
{
    tpp_frames opened = {.path = tpp_strdup(path)};
    const tpp_status s = open_any(&opened, window);
    if (s == TPP_OK)
        *f = opened;
    else
        tpp_frames_close(&opened);
    return s;
}

/* Digits up to `end`; *value stays as it is when there are none. */
static bool read_bound(int64_t *value, const char *from, const char *end)
{
    if (from == end) return true;
    int64_t n = 0;
    for (; from < end; from++) {
        if (*from < '0' || *from > '9' || n > INT32_MAX) return false;
        n = 10 * n + (*from - '0');
    }
    *value = n;
    return true;
}

tpp_status tpp_frames_select(tpp_frames *f, const char *range)
{
    int64_t from = 0, to = f->count;
    const char *colon = strchr(range, ':');
    if (colon == NULL || !read_bound(&from, range, colon) ||
        !read_bound(&to, colon + 1, range + strlen(range)))
        return TPP_FAIL(TPP_EUSAGE, "--frames wants FIRST:END, such as 80:96, not \"%.40s\"",
                        range);
    if (from >= to || to > f->count)
        return TPP_FAIL(TPP_EUSAGE,
                        "--frames %.40s: %s has frames 0 to %" PRId64
                        "; wanted at least one of them",
                        range, f->path, f->count - 1);
    f->first += from;
    f->count = to - from;
    return TPP_OK;
}

tpp_status tpp_frames_get(const tpp_frames *f, int64_t i, uint8_t *out)
{
    if (!f->is_volume) return get_picture(f, f->first + i, out);
    get_slice(f, f->first + i, out);
    return TPP_OK;
}

const char *tpp_frames_name(const tpp_frames *f, int64_t i, char *buffer, size_t size)
{
    if (!f->is_volume) return f->names.name[f->first + i];
    (void)snprintf(buffer, size, "slice %" PRId64, f->first + i);
    return buffer;
}
