/* Masks of a sequence, back in the form that its frames came in.
 * SPDX-License-Identifier: MIT */
#include "core/mem.h"
#include "core/path.h"
#include "infer/frames.h"
#include "io/image.h"
#include "io/nifti.h"
#include "io/png.h"

tpp_status tpp_masks_open(tpp_masks *m, const tpp_frames *f, const tpp_out_folder *out)
{
    tpp_masks made = {.frames = f, .out = out};
    made.name = tpp_strdup(f->is_volume ? "seg.nii.gz" : "masks");
    if (made.name == NULL) return TPP_ENOMEM;
    if (f->is_volume) {
        made.labels = tpp_calloc((size_t)f->volume.voxel_count, 1);
        if (made.labels == NULL) {
            tpp_masks_close(&made);
            return TPP_ENOMEM;
        }
    }
    *m = made;
    return TPP_OK;
}

/* "masks/NAME", NAME being the frame's. */
static tpp_status mask_path(const tpp_masks *m, char **out, int64_t i)
{
    char *name = tpp_path_join(m->name, m->frames->names.name[m->frames->first + i]);
    if (name == NULL) return TPP_ENOMEM;
    const tpp_status s = tpp_out_folder_file(m->out, out, name);
    tpp_free(name);
    return s;
}

static tpp_status put_picture(const tpp_masks *m, int64_t i, const uint8_t *mask)
{
    tpp_image image = {0};
    char *path = NULL;
    tpp_status s = tpp_image_init(&image, m->frames->width, m->frames->height, 1);
    if (s == TPP_OK) s = mask_path(m, &path, i);
    if (s == TPP_OK) {
        const size_t n = (size_t)image.width * (size_t)image.height;
        for (size_t p = 0; p < n; p++) image.pixels[p] = mask[p] != 0 ? 255 : 0;
        s = tpp_png_write(path, &image);
    }
    tpp_free(path);
    tpp_image_free(&image);
    return s;
}

tpp_status tpp_masks_put(tpp_masks *m, int64_t i, const uint8_t *mask)
{
    if (!m->frames->is_volume) return put_picture(m, i, mask);
    tpp_view_put_slice(&m->frames->view, m->labels, mask, m->frames->first + i);
    return TPP_OK;
}

tpp_status tpp_masks_finish(tpp_masks *m)
{
    if (!m->frames->is_volume) return TPP_OK;
    char *path = NULL;
    TPP_TRY(tpp_out_folder_file(m->out, &path, m->name));
    const tpp_status s = tpp_nifti_write_labels(path, &m->frames->volume, m->labels);
    tpp_free(path);
    return s;
}

void tpp_masks_close(tpp_masks *m)
{
    tpp_free(m->labels);
    tpp_free(m->name);
    *m = (tpp_masks){0};
}
