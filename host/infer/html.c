/* Puts the page together: its template as it stands, with parts in between.
 * SPDX-License-Identifier: MIT */
#include "infer/html.h"

#include "core/mem.h"
#include "infer/contour.h"
#include "infer/html_internal.h"
#include "infer/json_file.h"
#include "io/png_encode.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

enum { MAX_FRAMES = 400, MAX_SIDE = 512, MIN_SIDE = 128, GREY = 1, RGB = 3 };
/* Bytes of all pictures before they are compressed: beyond, they get smaller. */
static const double budget = 96 << 20;

/* ---- what is shown ---- */

/* First and last frame are among them. */
int64_t tpp_html_frame(const tpp_html *h, int64_t k)
{
    const int64_t steps = h->shown - 1;
    return steps == 0 ? 0 : (2 * k * (h->info.frames - 1) + steps) / (2 * steps);
}

/* Which of them is frame i; -1: none. */
static int64_t place_of(const tpp_html *h, int64_t i)
{
    const int64_t last = h->info.frames - 1;
    const int64_t guess = last == 0 ? 0 : i * (h->shown - 1) / last;
    for (int64_t k = guess - 1; k <= guess + 1; k++)
        if (k >= 0 && k < h->shown && tpp_html_frame(h, k) == i) return k;
    return -1;
}

bool tpp_html_wants(const tpp_html *h, int64_t i)
{
    return place_of(h, i) >= 0;
}

static int at_least_one(double size)
{
    return size < 1 ? 1 : (int)lround(size);
}

/* Square pixels in millimetres, none finer than the finer of the frame's two. */
static void choose_size(tpp_html *h)
{
    const tpp_html_info *info = &h->info;
    const bool known = info->spacing_mm[0] > 0 && info->spacing_mm[1] > 0;
    const double row = known ? info->spacing_mm[0] : 1, column = known ? info->spacing_mm[1] : 1;
    const double tall = info->height * row, wide = info->width * column;
    const double most = info->max_side > 0 ? info->max_side : MAX_SIDE;
    const double share = sqrt(budget / (double)h->shown / info->channels);
    const double side = fmin(most, fmax(share, MIN_SIDE));
    const double step = fmax(fmin(row, column), fmax(tall, wide) / side);
    h->size = (tpp_thumbnail){.height = info->height,
                              .width = info->width,
                              .shown_height = at_least_one(tall / step),
                              .shown_width = at_least_one(wide / step)};
}

/* ---- the template ---- */

static tpp_status flush_text(tpp_html *h)
{
    const tpp_status s = h->text.status;
    if (h->text.length > 0) (void)fwrite(h->text.text, 1, h->text.length, h->file.stream);
    h->text.length = 0;
    return s;
}

/* Writes the template to its end, or to the place of the frames. */
static tpp_status write_template(tpp_html *h)
{
    static const char open[] = "{{", close[] = "}}", frames[] = "frames";
    for (;;) {
        const char *at = strstr(h->rest, open);
        if (at == NULL) {
            (void)fputs(h->rest, h->file.stream);
            return TPP_OK;
        }
        (void)fwrite(h->rest, 1, (size_t)(at - h->rest), h->file.stream);
        const char *name = at + strlen(open), *end = strstr(name, close);
        if (end == NULL) return TPP_FAIL(TPP_EINTERNAL, "report.html.in: an open brace");
        const size_t length = (size_t)(end - name);
        h->rest = end + strlen(close);
        if (length == strlen(frames) && memcmp(name, frames, length) == 0) return TPP_OK;
        tpp_html_part *part = tpp_html_find_part(name, length);
        if (part == NULL)
            return TPP_FAIL(TPP_EINTERNAL, "report.html.in: no part %.*s", (int)length, name);
        part(h);
        TPP_TRY(flush_text(h));
    }
}

/* ---- the page ---- */

static tpp_status start(tpp_html *h, const tpp_out_folder *out)
{
    char *path = NULL;
    const int64_t pixels = (int64_t)h->size.shown_height * h->size.shown_width;
    TPP_NEW(h->has, h->shown);
    TPP_NEW(h->picture, pixels * h->info.channels);
    TPP_NEW(h->mask, pixels);
    TPP_TRY(tpp_out_folder_file(out, &path, "report.html"));
    const tpp_status s = tpp_out_open(&h->file, path);
    tpp_free(path);
    return s == TPP_OK ? write_template(h) : s;
}

tpp_status tpp_html_open(tpp_html *h, const tpp_html_info *info, const tpp_out_folder *out)
{
    const int64_t most = info->max_frames > 0 ? info->max_frames : MAX_FRAMES;
    *h = (tpp_html){.info = *info, .rest = (const char *)tpp_report_template};
    h->shown = info->frames < most ? info->frames : most;
    choose_size(h);
    const tpp_status s = start(h, out);
    if (s != TPP_OK) tpp_html_close(h);
    return s;
}

void tpp_html_close(tpp_html *h)
{
    tpp_out_discard(&h->file);
    tpp_free(h->has);
    tpp_free(h->picture);
    tpp_free(h->mask);
    tpp_str_free(&h->text);
    *h = (tpp_html){0};
}

static void add_base64(tpp_str *s, const char *bytes, size_t size)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < size; i += 3) {
        uint32_t word = 0;
        char four[4];
        for (size_t k = 0; k < 3; k++)
            word = word << 8 | (i + k < size ? (unsigned char)bytes[i + k] : 0U);
        for (int k = 0; k < 4; k++) four[k] = digits[word >> (18 - 6 * k) & 63];
        if (i + 1 >= size) four[2] = '=';
        if (i + 2 >= size) four[3] = '=';
        tpp_str_add(s, four, sizeof(four));
    }
}

static tpp_status add_picture(tpp_html *h, const uint8_t *frame)
{
    const tpp_thumbnail *t = &h->size;
    tpp_str png = {0};
    const int channels = h->info.channels;
    tpp_thumbnail_frame(t, h->picture, channels, frame, channels);
    const tpp_status s =
        tpp_png_encode(&png, h->picture, t->shown_width, t->shown_height, channels);
    if (s == TPP_OK) {
        tpp_str_format(&h->text, "\"data:image/png;base64,");
        add_base64(&h->text, png.text, png.length);
        tpp_str_format(&h->text, "\"");
    }
    tpp_str_free(&png);
    return s;
}

static tpp_status add_outlines(tpp_html *h, const uint8_t *const *masks)
{
    const tpp_thumbnail *t = &h->size;
    tpp_str_format(&h->text, "[");
    for (int k = 0; k < h->info.targets->count; k++) {
        tpp_str_format(&h->text, k > 0 ? ",\"" : "\"");
        if (masks != NULL && masks[k] != NULL) {
            tpp_thumbnail_half(t, h->mask, masks[k]);
            TPP_TRY(tpp_contour_svg(&h->text, h->mask, t->shown_height, t->shown_width));
        }
        tpp_str_format(&h->text, "\"");
    }
    tpp_str_format(&h->text, "]");
    return TPP_OK;
}

tpp_status tpp_html_add_frame(tpp_html *h, int64_t i, const char *name, const uint8_t *frame,
                              const uint8_t *const *masks)
{
    json_t *text = tpp_json_text(name);
    tpp_str_format(&h->text,
                   "<script type=\"application/json\" class=\"frame\" data-frame=\"%" PRId64
                   "\">{\"name\":",
                   i);
    tpp_html_add_json(&h->text, text);
    json_decref(text);
    tpp_str_format(&h->text, ",\"image\":");
    TPP_TRY(add_picture(h, frame));
    tpp_str_format(&h->text, ",\"outlines\":");
    TPP_TRY(add_outlines(h, masks));
    tpp_str_format(&h->text, "}</script>\n");
    h->has[place_of(h, i)] = 1;
    return flush_text(h);
}

tpp_status tpp_html_finish(tpp_html *h, const tpp_found *found, const json_t *statistics,
                           const json_t *report)
{
    h->found = found;
    h->statistics = statistics;
    h->report = report;
    TPP_TRY(write_template(h));
    const tpp_status s = tpp_out_commit(&h->file);
    if (s == TPP_OK) tpp_html_close(h);
    return s;
}
