/* Slices of volumes.
 * SPDX-License-Identifier: MIT */
#include "core/log.h"
#include "core/mem.h"
#include "infer/frames_internal.h"
#include "io/volume_file.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static void warn(const tpp_frames *f)
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
    if (v->affine_source == TPP_AFFINE_PIXDIM && f->axis != TPP_AXIS_TIME)
        tpp_log(TPP_LOG_WARN, "frames",
                "%s: states no orientation; which side is the patient's "
                "left is a convention here, not knowledge",
                f->path);
}

/* Moments are frames in the order of the file; left, right, up and down by its affine, where z
 * counts them. */
static tpp_view moments(const tpp_volume *v, tpp_orientation o)
{
    enum { Z = 2 };
    if (o.axis[Z] != Z) return tpp_view_stored(v->dim, v->spacing_mm);
    o.flip[Z] = false;
    return tpp_orientation_view(&o, v->dim, v->spacing_mm);
}

/* Slices by anatomy, or moments. */
static void choose_view(tpp_frames *f, tpp_axis wanted)
{
    const tpp_volume *v = &f->volume;
    const tpp_orientation o = tpp_orientation_from_affine(&v->affine);
    if (wanted == TPP_AXIS_AUTO && v->is_sequence) wanted = TPP_AXIS_TIME;
    f->axis = wanted;
    if (wanted == TPP_AXIS_TIME) {
        f->view = moments(v, o);
        return;
    }
    const tpp_view axial = tpp_orientation_view(&o, v->dim, v->spacing_mm);
    tpp_orientation_code(f->orientation, &o);
    if (wanted == TPP_AXIS_AUTO) f->axis = tpp_view_best_axis(&axial);
    f->view = tpp_view_cut(&axial, f->axis);
}

static tpp_status choose_window(tpp_frames *f, const char *window)
{
    if (f->channels == 1) {
        if (f->modality[0] == '\0' && !f->volume.is_sequence &&
            tpp_window_looks_like_ct(&f->volume))
            (void)snprintf(f->modality, sizeof(f->modality), "CT");
        return tpp_window_choose(&f->window, &f->volume, window, f->modality);
    }
    if (window == NULL) return TPP_OK;
    return TPP_FAIL(TPP_EUSAGE, "%s: colours are taken as they are; --window is for grey volumes",
                    f->path);
}

static void log_volume(const tpp_frames *f)
{
    char window[120] = "";
    if (f->channels == 1)
        (void)snprintf(window, sizeof(window), ", window %s: %g to %g", f->window.name,
                       f->window.low, f->window.high);
    tpp_log(TPP_LOG_INFO, "frames", "%s: %s, %" PRId64 " %s %s of %dx%d%s%s%s%s", f->path,
            tpp_volume_format_text(f->volume.format), f->count, tpp_axis_text(f->axis),
            f->axis == TPP_AXIS_TIME ? "frames" : "slices", f->height, f->width,
            f->orientation[0] != '\0' ? ", " : "", f->orientation,
            f->channels == 3 ? ", colour" : "", window);
}

/* Of a series: slices may still be arriving while it is read. */
static tpp_status mark_files(tpp_frames *f)
{
    if (!tpp_path_is_folder(f->path)) return TPP_OK;
    f->folder = tpp_strdup(f->path);
    if (f->folder == NULL) return TPP_ENOMEM;
    TPP_TRY(tpp_path_list(&f->names, f->path, NULL));
    TPP_NEW(f->marks, f->names.count);
    for (size_t i = 0; i < f->names.count; i++) {
        char *path = tpp_frames_file_path(f, (int64_t)i);
        if (path == NULL) return TPP_ENOMEM;
        f->marks[i] = tpp_file_mark_of(path);
        tpp_free(path);
    }
    return TPP_OK;
}

tpp_status tpp_frames_open_volume(tpp_frames *f, const tpp_frames_options *o)
{
    tpp_volume *v = &f->volume;
    const tpp_volume_options options = {.time = o->has_time ? o->time : -1};
    TPP_TRY(mark_files(f));
    TPP_TRY(tpp_volume_read(v, f->path, &options));
    f->kind = TPP_FRAMES_VOLUME;
    if (f->modality[0] == '\0') memcpy(f->modality, v->modality, sizeof(f->modality));
    choose_view(f, o->axis);
    TPP_TRY(tpp_frames_check_size(f->path, f->view.dim[1], f->view.dim[0]));
    f->width = (int)f->view.dim[0];
    f->height = (int)f->view.dim[1];
    f->count = f->view.dim[2];
    f->channels = v->channels == 3 ? 3 : 1;
    for (int a = 0; a < 3; a++)
        if (v->spacing_unstated[f->view.axis[a]]) f->view.spacing_mm[a] = 0;
    f->spacing_mm[0] = f->view.spacing_mm[1];
    f->spacing_mm[1] = f->view.spacing_mm[0];
    f->step_mm = f->axis == TPP_AXIS_TIME ? 0 : f->view.spacing_mm[2];
    TPP_TRY(choose_window(f, o->window));
    warn(f);
    log_volume(f);
    return TPP_OK;
}

static uint8_t colour_value(float v)
{
    return v >= 255 ? 255 : v > 0 ? (uint8_t)lroundf(v) : 0; /* NaN is 0 */
}

void tpp_frames_get_slice(const tpp_frames *f, int64_t i, uint8_t *out)
{
    const float *voxels = f->volume.voxels;
    const int channels = f->channels;
    for (int64_t r = 0; r < f->height; r++)
        for (int64_t c = 0; c < f->width; c++) {
            const float *voxel = voxels + tpp_view_index(&f->view, i, r, c) * channels;
            if (channels == 1)
                *out++ = tpp_window_apply(&f->window, *voxel);
            else
                for (int k = 0; k < channels; k++) *out++ = colour_value(voxel[k]);
        }
}
