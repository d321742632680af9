/* Probability maps.
 * SPDX-License-Identifier: MIT */
#include "infer/probability.h"

#include "core/mem.h"
#include "core/str.h"
#include "infer/masks.h"
#include "io/image.h"
#include "io/png.h"
#include "io/volume_file.h"

#include <math.h>

tpp_status tpp_probabilities_open(tpp_probabilities *p, const tpp_frames *f,
                                  const tpp_targets *targets, const tpp_out_folder *out)
{
    tpp_probabilities made = {.frames = f, .targets = targets, .out = out};
    tpp_status s = TPP_OK;
    if (f->kind == TPP_FRAMES_VOLUME) {
        TPP_NEW_OR(done, s, made.volume, targets->count);
        for (int t = 0; t < targets->count; t++)
            TPP_NEW_OR(done, s, made.volume[t], f->volume.voxel_count);
    }
    *p = made;
    made = (tpp_probabilities){0};
done:
    tpp_probabilities_close(&made);
    return s;
}

static float sigmoid(float x)
{
    return 1.0F / (1.0F + expf(-x));
}

static void put_slice(const tpp_probabilities *p, int t, int64_t i, const float *logits)
{
    const tpp_view *v = &p->frames->view;
    for (int64_t r = 0; r < v->dim[1]; r++)
        for (int64_t c = 0; c < v->dim[0]; c++)
            p->volume[t][tpp_view_index(v, p->frames->first + i, r, c)] =
                sigmoid(logits[r * v->dim[0] + c]);
}

static tpp_status write_picture(const tpp_probabilities *p, int t, int64_t i, const float *logits)
{
    const int64_t pixels = (int64_t)p->frames->width * p->frames->height;
    tpp_image image = {0};
    tpp_str name = {0};
    char *base = tpp_masks_picture_name(p->frames, i), *path = NULL;
    if (base == NULL) return TPP_ENOMEM;
    if (p->targets->count == 1)
        tpp_str_format(&name, "probabilities/%s", base);
    else
        tpp_str_format(&name, "probabilities/%s/%s", p->targets->item[t].name, base);
    tpp_status s = name.status;
    if (s == TPP_OK) s = tpp_out_folder_file(p->out, &path, name.text);
    if (s == TPP_OK) s = tpp_image_init(&image, p->frames->width, p->frames->height, 1);
    if (s == TPP_OK) {
        for (int64_t k = 0; k < pixels; k++)
            image.pixels[k] = (uint8_t)lroundf(sigmoid(logits[k]) * 255);
        s = tpp_png_write(path, &image);
    }
    tpp_image_free(&image);
    tpp_str_free(&name);
    tpp_free(path);
    tpp_free(base);
    return s;
}

tpp_status tpp_probabilities_put(tpp_probabilities *p, int t, int64_t i, const float *logits)
{
    if (p->volume == NULL) return write_picture(p, t, i, logits);
    put_slice(p, t, i, logits);
    return TPP_OK;
}

static tpp_status write_volume(const tpp_probabilities *p, int t)
{
    const tpp_volume *like = &p->frames->volume;
    const bool several = p->targets->count > 1;
    tpp_str name = {0};
    char *path = NULL;
    tpp_str_format(&name, "%s%sprobability%s", several ? p->targets->item[t].name : "",
                   several ? "_" : "", tpp_volume_suffix(like));
    tpp_status s = name.status;
    if (s == TPP_OK) s = tpp_out_folder_file(p->out, &path, name.text);
    if (s == TPP_OK) s = tpp_volume_write_values(path, like, p->volume[t]);
    tpp_str_free(&name);
    tpp_free(path);
    return s;
}

tpp_status tpp_probabilities_finish(tpp_probabilities *p)
{
    for (int t = 0; p->volume != NULL && t < p->targets->count; t++) TPP_TRY(write_volume(p, t));
    return TPP_OK;
}

void tpp_probabilities_close(tpp_probabilities *p)
{
    for (int t = 0; p->volume != NULL && t < p->targets->count; t++) tpp_free(p->volume[t]);
    tpp_free(p->volume);
    *p = (tpp_probabilities){0};
}
