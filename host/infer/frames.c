/* Volumes, folders of pictures and videos as sequences of frames.
 * SPDX-License-Identifier: MIT */
#include "infer/frames.h"

#include "core/log.h"
#include "core/mem.h"
#include "infer/frames_internal.h"
#include "io/image.h"
#include "io/picture.h"
#include "io/volume_file.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void tpp_frames_close(tpp_frames *f)
{
    tpp_volume_free(&f->volume);
    tpp_names_free(&f->names);
    tpp_video_close(f->video);
    tpp_free(f->marks);
    tpp_free(f->folder);
    tpp_free(f->path);
    *f = (tpp_frames){0};
}

tpp_status tpp_frames_check_size(const char *path, int64_t height, int64_t width)
{
    if (height <= TPP_IMAGE_MAX_SIDE && width <= TPP_IMAGE_MAX_SIDE &&
        height * width <= TPP_IMAGE_MAX_PIXELS)
        return TPP_OK;
    return TPP_FAIL(TPP_EUSAGE,
                    "%s: frames of %" PRId64 "x%" PRId64 " pixels; at most %d a side and %d in all",
                    path, height, width, (int)TPP_IMAGE_MAX_SIDE, (int)TPP_IMAGE_MAX_PIXELS);
}

/* ---- videos ---- */

static tpp_status open_video(tpp_frames *f)
{
    tpp_video_info info = {0};
    TPP_TRY(tpp_video_open(&f->video, f->path, &info));
    TPP_TRY(tpp_frames_check_size(f->path, info.height, info.width));
    if (info.count < 1) return TPP_FAIL(TPP_EFORMAT, "%s: the video holds no frame", f->path);
    f->kind = TPP_FRAMES_VIDEO;
    f->width = info.width;
    f->height = info.height;
    f->channels = info.channels;
    f->count = info.count;
    tpp_log(TPP_LOG_INFO, "frames", "%s: %" PRId64 " frames of %dx%d, %s", f->path, f->count,
            f->height, f->width, f->channels == 3 ? "colour" : "grey");
    return TPP_OK;
}

/* ---- whatever it is ---- */

/* Options that mean nothing for this kind of input are mistakes. */
static tpp_status refuse_volume_options(const tpp_frames *f, const tpp_frames_options *o)
{
    if (o->axis != TPP_AXIS_AUTO && o->axis != TPP_AXIS_TIME)
        return TPP_FAIL(TPP_EUSAGE, "%s: --axis %s is for volumes", f->path,
                        tpp_axis_text(o->axis));
    if (o->has_time)
        return TPP_FAIL(TPP_EUSAGE, "%s: --time is for volumes with several time points", f->path);
    return TPP_OK;
}

static tpp_status refuse_window(const tpp_frames *f, const tpp_frames_options *o)
{
    if (o->window == NULL) return TPP_OK;
    return TPP_FAIL(TPP_EUSAGE,
                    "%s: 8-bit pictures and videos are taken as they are; --window is for volumes "
                    "and pictures with 16 bits",
                    f->path);
}

static tpp_status open_any(tpp_frames *f, const tpp_frames_options *o)
{
    if (f->path == NULL) return TPP_ENOMEM;
    if (!tpp_path_exists(f->path))
        return TPP_FAIL(TPP_EIO, "%s: there is no such file or folder", f->path);
    if (tpp_volume_is(f->path)) return tpp_frames_open_volume(f, o);
    TPP_TRY(refuse_volume_options(f, o));
    if (tpp_path_is_folder(f->path) || tpp_picture_has_name(f->path)) {
        TPP_TRY(tpp_frames_open_pictures(f, o));
        return f->window.name[0] == '\0' ? refuse_window(f, o) : TPP_OK;
    }
    TPP_TRY(refuse_window(f, o));
    if (tpp_video_has_name(f->path)) return open_video(f);
    return TPP_FAIL(
        TPP_EUSAGE,
        "%s: wanted a volume (NIfTI, NRRD, MetaImage, DICOM), a folder of DICOM files or "
        "of pictures, a picture (PNG, JPEG) or a video",
        f->path);
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

static tpp_status select_range(tpp_frames *f, const char *range)
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
    f->first = from;
    f->count = to - from;
    return TPP_OK;
}

static tpp_status open_frames(tpp_frames *f, const tpp_frames_options *o)
{
    if (o->modality != NULL) (void)snprintf(f->modality, sizeof(f->modality), "%s", o->modality);
    /* Of a folder the files count: results may be written into it. */
    if (f->path != NULL && !tpp_path_is_folder(f->path)) f->mark = tpp_file_mark_of(f->path);
    TPP_TRY(open_any(f, o));
    TPP_TRY(tpp_frames_unchanged(f));
    f->total = f->count;
    return o->range != NULL ? select_range(f, o->range) : TPP_OK;
}

tpp_status tpp_frames_open(tpp_frames *f, const char *path, const tpp_frames_options *o)
{
    static const tpp_frames_options none = {0};
    tpp_frames opened = {.path = tpp_strdup(path)};
    const tpp_status s = open_frames(&opened, o != NULL ? o : &none);
    if (s == TPP_OK)
        *f = opened;
    else
        tpp_frames_close(&opened);
    return s;
}

tpp_status tpp_frames_get(const tpp_frames *f, int64_t i, uint8_t *out)
{
    switch (f->kind) {
    case TPP_FRAMES_VOLUME:
        tpp_frames_get_slice(f, f->first + i, out);
        return TPP_OK;
    case TPP_FRAMES_PICTURES:
        return tpp_frames_get_picture(f, f->first + i, out);
    default:
        return tpp_video_get(f->video, f->first + i, out);
    }
}

bool tpp_frames_intensities(const tpp_frames *f, int64_t i, float *out)
{
    if (f->kind != TPP_FRAMES_VOLUME || f->channels != 1) return false;
    tpp_view_get_slice(&f->view, out, f->volume.voxels, f->first + i);
    return true;
}

const char *tpp_frames_name(const tpp_frames *f, int64_t i, char *buffer, size_t size)
{
    if (f->kind == TPP_FRAMES_PICTURES) return f->names.name[f->first + i];
    const bool slices = f->kind == TPP_FRAMES_VOLUME && f->axis != TPP_AXIS_TIME;
    (void)snprintf(buffer, size, "%s %" PRId64, slices ? "slice" : "frame", f->first + i);
    return buffer;
}

tpp_status tpp_frames_unchanged(const tpp_frames *f)
{
    const tpp_file_mark now = tpp_file_mark_of(f->path);
    if (f->mark.inode != 0 && !tpp_file_mark_equal(&now, &f->mark))
        return TPP_FAIL(TPP_EIO, "%s: was changed while it was read", f->path);
    for (size_t i = 0; f->marks != NULL && i < f->names.count; i++)
        TPP_TRY(tpp_frames_file_unchanged(f, (int64_t)i));
    return TPP_OK;
}

const char *tpp_frames_kind_text(tpp_frames_kind kind)
{
    return kind == TPP_FRAMES_VOLUME     ? "volume"
           : kind == TPP_FRAMES_PICTURES ? "pictures"
                                         : "video";
}
