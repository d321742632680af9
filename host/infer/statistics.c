/* Measures masks.
 * SPDX-License-Identifier: MIT */
#include "infer/statistics.h"

#include "core/mem.h"
#include "infer/json_file.h"
#include "io/affine.h"

#include <math.h>
#include <string.h>

tpp_geometry tpp_geometry_of_view(const tpp_volume *v, const tpp_view *view, int64_t first,
                                  int64_t count, const char *unit)
{
    tpp_geometry g = {.frames = count, .is_volume = true, .first = first, .affine = v->affine};
    memcpy(g.orientation.axis, view->axis, sizeof(view->axis));
    memcpy(g.orientation.flip, view->flip, sizeof(view->flip));
    memcpy(g.dim, v->dim, sizeof(g.dim));
    g.width = (int)view->dim[0];
    g.height = (int)view->dim[1];
    g.spacing_mm[0] = view->spacing_mm[1];
    g.spacing_mm[1] = view->spacing_mm[0];
    g.spacing_mm[2] = view->spacing_mm[2];
    g.unit = unit;
    return g;
}

tpp_status tpp_statistics_open(tpp_statistics *s, const tpp_geometry *g)
{
    *s = (tpp_statistics){.geometry = *g, .max_values = TPP_STATISTICS_MAX_VALUES};
    TPP_NEW(s->frame, g->frames);
    TPP_NEW(s->run, g->height);
    TPP_NEW(s->corners, 4 * ((int64_t)g->height + 1));
    return TPP_OK;
}

void tpp_statistics_close(tpp_statistics *s)
{
    tpp_free(s->frame);
    tpp_free(s->run);
    tpp_free(s->corners);
    tpp_free(s->values);
    *s = (tpp_statistics){0};
}

/* ---- one frame ---- */

/* Widens the bounds by columns [r.from, r.to) of a row. */
static void widen(tpp_statistics *s, tpp_run r, int64_t y, int64_t i)
{
    const int64_t low[3] = {r.from, y, i}, high[3] = {r.to - 1, y, i};
    const bool is_first = s->n_voxels == 0;
    for (int a = 0; a < 3; a++) {
        if (is_first || low[a] < s->low[a]) s->low[a] = low[a];
        if (is_first || high[a] > s->high[a]) s->high[a] = high[a];
    }
}

static void add_row(tpp_statistics *s, int64_t i, int y, const uint8_t *row)
{
    const int width = s->geometry.width;
    const uint8_t *start = memchr(row, 1, (size_t)width);
    tpp_run r = {0, 0};
    if (start != NULL) {
        int64_t n = 0, columns = 0;
        r.from = (int)(start - row);
        for (int x = r.from; x < width; x++) {
            if (row[x] == 0) continue;
            n++;
            columns += x;
            r.to = x + 1;
        }
        widen(s, r, y, i);
        s->n_voxels += n;
        s->frame[i].area += n;
        s->sum[0] += columns;
        s->sum[1] += n * y;
        s->sum[2] += n * i;
    }
    s->run[y] = r;
}

/* Keeps a value for the median; a frame that exceeds the limit ends that. */
static tpp_status keep(tpp_statistics *s, float value)
{
    if (s->too_many) return TPP_OK;
    if (s->n_values == s->max_values) {
        s->too_many = true;
        return TPP_OK;
    }
    if (s->n_values == s->room) {
        const size_t room = s->room < 512 ? 1024 : 2 * s->room;
        float *grown = tpp_realloc(s->values, room, sizeof(*grown));
        if (grown == NULL) return TPP_ENOMEM;
        s->values = grown;
        s->room = room;
    }
    s->values[s->n_values++] = value;
    return TPP_OK;
}

/* Welford's update. */
static tpp_status add_intensity(tpp_statistics *s, int64_t i, float value)
{
    tpp_frame_statistics *f = &s->frame[i];
    if (!isfinite(value)) return TPP_OK;
    if (s->n_values == 0 && !s->too_many) s->least = s->most = (double)value;
    if ((double)value < s->least) s->least = (double)value;
    if ((double)value > s->most) s->most = (double)value;
    const double off = (double)value - f->mean;
    f->n_values++;
    f->mean += off / (double)f->n_values;
    f->squares += off * ((double)value - f->mean);
    return keep(s, value);
}

tpp_status tpp_statistics_add(tpp_statistics *s, int64_t i, const uint8_t *mask,
                              const float *intensity)
{
    const tpp_geometry *g = &s->geometry;
    const bool known = g->spacing_mm[0] > 0 && g->spacing_mm[1] > 0;
    s->frame[i] = (tpp_frame_statistics){0};
    for (int y = 0; y < g->height; y++) add_row(s, i, y, mask + (size_t)y * (size_t)g->width);
    if (s->frame[i].area == 0) return TPP_OK;
    const double d = tpp_caliper_diameter(s->run, g->height, known ? g->spacing_mm[0] : 1,
                                          known ? g->spacing_mm[1] : 1, s->corners);
    if (d > s->diameter || (d >= s->diameter && i < s->diameter_frame)) {
        s->diameter = d;
        s->diameter_frame = i;
    }
    for (int y = 0; y < g->height && intensity != NULL; y++) {
        const size_t row = (size_t)y * (size_t)g->width;
        for (int x = s->run[y].from; x < s->run[y].to; x++)
            if (mask[row + (size_t)x] != 0)
                TPP_TRY(add_intensity(s, i, intensity[row + (size_t)x]));
    }
    return TPP_OK;
}

/* ---- intensities ---- */

/* Puts the k-th smallest of n values (from 0) at place k, nothing larger before it. Three parts, so
 * that many equal values, as in CT, take linear time. */
static float kth(float *v, size_t n, size_t k)
{
    size_t from = 0, to = n;
    while (to - from > 1) {
        const float pivot = v[from + (to - from) / 2];
        size_t low = from, at = from, high = to;
        while (at < high) {
            const float x = v[at];
            if (x < pivot) {
                v[at++] = v[low];
                v[low++] = x;
            } else if (x > pivot) {
                v[at] = v[--high];
                v[high] = x;
            } else {
                at++;
            }
        }
        if (k >= low && k < high) return v[k];
        from = k < low ? from : high;
        to = k < low ? low : to;
    }
    return v[k];
}

/* Orders `values`, which nothing else reads. */
static double median(const tpp_statistics *s)
{
    const size_t n = s->n_values;
    if (s->too_many || n == 0) return (double)NAN;
    const double upper = (double)kth(s->values, n, n / 2);
    if (n % 2 == 1) return upper;
    float lower = s->values[0];
    for (size_t i = 1; i < n / 2; i++)
        if (s->values[i] > lower) lower = s->values[i];
    return ((double)lower + upper) / 2;
}

/* All frames together: Chan's formula, in the frames' order. */
static tpp_frame_statistics join(const tpp_statistics *s)
{
    tpp_frame_statistics all = {0};
    for (int64_t i = 0; i < s->geometry.frames; i++) {
        const tpp_frame_statistics *f = &s->frame[i];
        if (f->n_values == 0) continue;
        const double na = (double)all.n_values, nb = (double)f->n_values;
        const double off = f->mean - all.mean;
        all.n_values += f->n_values;
        all.mean += off * nb / (na + nb);
        all.squares += f->squares + off * off * na * nb / (na + nb);
    }
    return all;
}

static json_t *intensity_json(const tpp_statistics *s)
{
    const tpp_frame_statistics all = join(s);
    if (all.n_values == 0) return json_null();
    return json_pack("{s:I, s:o, s:o, s:o, s:o, s:o, s:s}", "n_values", (json_int_t)all.n_values,
                     "mean", tpp_json_real(all.mean), "median", tpp_json_real(median(s)), "std",
                     tpp_json_real(sqrt(all.squares / (double)all.n_values)), "min",
                     tpp_json_real(s->least), "max", tpp_json_real(s->most), "unit",
                     s->geometry.unit != NULL ? s->geometry.unit : "");
}

/* ---- places ---- */

/* From (column, row, frame) to what is told: for a volume, the file's voxel. */
static void place(const tpp_geometry *g, double out[3], const double at[3])
{
    for (int a = 0; a < 3; a++) {
        const double canonical = at[a] + (a == 2 ? (double)g->first : 0);
        const int to = g->is_volume ? g->orientation.axis[a] : a;
        const bool flip = g->is_volume && g->orientation.flip[a];
        out[to] = flip ? (double)g->dim[to] - 1 - canonical : canonical;
    }
}

static void centroid(const tpp_statistics *s, double out[3])
{
    double at[3];
    for (int a = 0; a < 3; a++) at[a] = (double)s->sum[a] / (double)s->n_voxels;
    place(&s->geometry, out, at);
}

static json_t *centroid_mm_json(const tpp_statistics *s)
{
    double at[3], mm[3];
    if (s->n_voxels == 0 || !s->geometry.is_volume) return json_null();
    centroid(s, at);
    for (int r = 0; r < 3; r++) {
        const double *m = s->geometry.affine.m[r];
        mm[r] = m[0] * at[0] + m[1] * at[1] + m[2] * at[2] + m[3];
    }
    return json_pack("[o,o,o]", tpp_json_real(mm[0]), tpp_json_real(mm[1]), tpp_json_real(mm[2]));
}

static json_t *centroid_vox_json(const tpp_statistics *s)
{
    double at[3];
    if (s->n_voxels == 0) return json_null();
    centroid(s, at);
    return json_pack("[f,f,f]", at[0], at[1], at[2]);
}

static json_t *bbox_json(const tpp_statistics *s)
{
    double ends[2][3], at[3];
    if (s->n_voxels == 0) return json_null();
    for (int a = 0; a < 3; a++) at[a] = (double)s->low[a];
    place(&s->geometry, ends[0], at);
    for (int a = 0; a < 3; a++) at[a] = (double)s->high[a];
    place(&s->geometry, ends[1], at);
    json_int_t low[3], high[3];
    for (int a = 0; a < 3; a++) {
        low[a] = (json_int_t)fmin(ends[0][a], ends[1][a]);
        high[a] = (json_int_t)fmax(ends[0][a], ends[1][a]);
    }
    return json_pack("{s:[I,I,I], s:[I,I,I]}", "first", low[0], low[1], low[2], "last", high[0],
                     high[1], high[2]);
}

/* Six sides of a volume, four of a frame. */
static json_t *touches_json(const tpp_statistics *s)
{
    const tpp_geometry *g = &s->geometry;
    if (s->n_voxels == 0) return json_null();
    bool touches = s->low[0] == 0 || s->low[1] == 0 || s->high[0] == g->width - 1 ||
                   s->high[1] == g->height - 1;
    if (g->is_volume)
        touches = touches || s->low[2] + g->first == 0 ||
                  s->high[2] + g->first == g->dim[g->orientation.axis[2]] - 1;
    return json_boolean(touches);
}

/* ---- sizes ---- */

static double pixel_mm2(const tpp_geometry *g)
{
    return g->spacing_mm[0] * g->spacing_mm[1];
}

/* null where an empty mask, or a spacing that is not known, leaves nothing to say. */
static json_t *size_json(const tpp_statistics *s, double value, bool known)
{
    return s->n_voxels > 0 && known ? tpp_json_real(value) : json_null();
}

/* Area of every frame in mm2, or with a pixel's area of 0 in pixels. */
static json_t *areas_json(const tpp_statistics *s, double mm2)
{
    json_t *all = json_array();
    for (int64_t i = 0; i < s->geometry.frames; i++) {
        const int64_t area = s->frame[i].area;
        tpp_json_append(&all,
                        mm2 > 0 ? json_real((double)area * mm2) : json_integer((json_int_t)area));
    }
    return all;
}

static json_int_t frames_present(const tpp_statistics *s)
{
    json_int_t n = 0;
    for (int64_t i = 0; i < s->geometry.frames; i++) n += s->frame[i].area > 0;
    return n;
}

json_t *tpp_statistics_json(const tpp_statistics *s)
{
    const tpp_geometry *g = &s->geometry;
    const double mm2 = pixel_mm2(g), n = (double)s->n_voxels;
    const bool solid = g->is_volume && mm2 * g->spacing_mm[2] > 0;
    const double mm3 = solid ? n * tpp_affine_voxel(&g->affine) : 0;
    json_t *j = json_pack(
        "{s:b, s:I, s:I, s:o, s:o, s:o, s:o, s:o}", "found", s->n_voxels > 0, "n_voxels",
        (json_int_t)s->n_voxels, "n_frames_present", frames_present(s), "volume_ml",
        size_json(s, mm3 / 1000, solid), "volume_mm3", size_json(s, mm3, solid), "diameter_mm",
        size_json(s, s->diameter, mm2 > 0), "diameter_px", size_json(s, s->diameter, !(mm2 > 0)),
        "diameter_frame",
        s->n_voxels > 0 ? json_integer((json_int_t)g->first + s->diameter_frame) : json_null());
    tpp_json_merge(&j, json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "intensity",
                                 intensity_json(s), "centroid_mm", centroid_mm_json(s),
                                 "centroid_vox", centroid_vox_json(s), "bbox_vox", bbox_json(s),
                                 "touches_border", touches_json(s), "area_px", areas_json(s, 0),
                                 "area_mm2", mm2 > 0 ? areas_json(s, mm2) : json_null()));
    return j;
}

json_t *tpp_statistics_report(const tpp_targets *targets, const tpp_statistics *item)
{
    json_t *labels = json_object();
    for (int t = 0; t < targets->count; t++) {
        json_t *one = tpp_statistics_json(&item[t]);
        tpp_json_set(&one, "label", json_integer(t + 1));
        tpp_json_set(&labels, targets->item[t].name, one);
    }
    const bool is_volume = targets->count > 0 && item[0].geometry.is_volume;
    return json_pack("{s:s, s:b, s:s, s:s, s:o, s:I, s:o}", "schema", "tpp-statistics-1",
                     "not_for_clinical_use", 1, "notice", TPP_NOTICE, "voxels",
                     is_volume ? "x, y, z of the file, from 0" : "column, row, frame, from 0",
                     "millimetres", is_volume ? json_string("RAS+") : json_null(), "first_frame",
                     (json_int_t)(targets->count > 0 ? item[0].geometry.first : 0), "labels",
                     labels);
}
