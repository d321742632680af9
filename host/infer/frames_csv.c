/* Writes frames.csv.
 * SPDX-License-Identifier: MIT */
#include "infer/frames_csv.h"

#include "core/mem.h"

#include <inttypes.h>
#include <stdio.h>

tpp_status tpp_frames_csv_open(tpp_frames_csv *c, const tpp_out_folder *out)
{
    char *path = NULL;
    TPP_TRY(tpp_out_folder_file(out, &path, "frames.csv"));
    const tpp_status s = tpp_out_open(&c->file, path);
    tpp_free(path);
    if (s == TPP_OK)
        (void)fputs("frame,name,target,score,present,area_px,area_mm2,box_x0,box_y0,box_x1,box_y1,"
                    "prompt,prompt_text,best,ms\r\n",
                    c->file.stream);
    return s;
}

/* Quoted always: names and sentences may hold commas, quotes and line ends. */
static void put_quoted(FILE *to, const char *text)
{
    (void)fputc('"', to);
    for (const char *p = text; *p != '\0'; p++) {
        if (*p == '"') (void)fputc('"', to);
        (void)fputc(*p, to);
    }
    (void)fputc('"', to);
}

/* Corners of the box in pixels. */
static void put_box(const tpp_frames_csv *c, const float box[4])
{
    const double w = c->width, h = c->height, cx = (double)box[0], cy = (double)box[1];
    const double half_w = (double)box[2] / 2, half_h = (double)box[3] / 2;
    (void)fprintf(c->file.stream, ",%.2f,%.2f,%.2f,%.2f", (cx - half_w) * w, (cy - half_h) * h,
                  (cx + half_w) * w, (cy + half_h) * h);
}

/* What fails is sticky in the stream; finish tells. */
void tpp_frames_csv_row(tpp_frames_csv *c, int64_t frame, const char *name, int target,
                        const tpp_found *found)
{
    FILE *to = c->file.stream;
    const tpp_target *t = &c->targets->item[target];
    (void)fprintf(to, "%" PRId64 ",", frame);
    put_quoted(to, name);
    (void)fprintf(to, ",%s,%.6f,%d,%" PRId64 ",", t->name, (double)found->score, found->present,
                  found->area_px);
    if (c->pixel_mm2 > 0) (void)fprintf(to, "%.3f", (double)found->area_px * c->pixel_mm2);
    put_box(c, found->box);
    (void)fprintf(to, ",%d,", found->prompt);
    if (found->prompt >= 0 && found->prompt < t->n_prompts)
        put_quoted(to, t->prompt[found->prompt]);
    (void)fprintf(to, ",%d,", found->best);
    if (c->has_times) (void)fprintf(to, "%.3f", found->ms);
    (void)fputs("\r\n", to);
}

tpp_status tpp_frames_csv_finish(tpp_frames_csv *c)
{
    return tpp_out_commit(&c->file);
}

void tpp_frames_csv_close(tpp_frames_csv *c)
{
    tpp_out_discard(&c->file);
    *c = (tpp_frames_csv){0};
}
