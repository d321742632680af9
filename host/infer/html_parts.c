/* The parts of the page.
 * SPDX-License-Identifier: MIT */
#include "infer/html_internal.h"
#include "infer/json_file.h"
#include "infer/plot.h"

#include <inttypes.h>
#include <string.h>

/* ---- head and viewer ---- */

static void add_title(tpp_html *h)
{
    tpp_html_add_text(&h->text, h->info.title);
}

static void add_notice(tpp_html *h)
{
    tpp_html_add_text(&h->text, TPP_NOTICE);
}

static void add_banner(tpp_html *h)
{
    if (h->info.is_synthetic)
        tpp_str_format(&h->text, "<p class=\"banner\" role=\"alert\">Synthetic weights: the "
                                 "outlines and numbers on this page mean nothing.</p>");
}

static void add_ratio(tpp_html *h)
{
    tpp_str_format(&h->text, "%.5f", (double)h->size.shown_width / h->size.shown_height);
}

static void add_viewbox(tpp_html *h)
{
    tpp_str_format(&h->text, "0 0 %d %d", 2 * h->size.shown_width, 2 * h->size.shown_height);
}

static void add_outlines(tpp_html *h)
{
    for (int t = 0; t < h->info.targets->count; t++) {
        const uint8_t *c = h->info.targets->item[t].rgb;
        tpp_str_format(&h->text, "<path data-target=\"%d\" stroke=\"#%02x%02x%02x\"/>\n", t, c[0],
                       c[1], c[2]);
    }
}

static void add_sides(tpp_html *h)
{
    static const char *const place[] = {"left", "right", "above", "below"};
    for (size_t k = 0; h->info.sides != NULL && k < 4 && h->info.sides[k] != '\0'; k++) {
        const char letter[] = {h->info.sides[k], '\0'};
        tpp_str_format(&h->text, "<span class=\"side %s\">", place[k]);
        tpp_html_add_text(&h->text, letter);
        tpp_str_format(&h->text, "</span>\n");
    }
}

static void add_swatch(tpp_str *s, const tpp_target *t)
{
    tpp_str_format(s,
                   "<span class=\"swatch\" style=\"background:#%02x%02x%02x\" "
                   "aria-hidden=\"true\"></span>",
                   t->rgb[0], t->rgb[1], t->rgb[2]);
}

static void add_switches(tpp_html *h)
{
    tpp_str *s = &h->text;
    for (int t = 0; t < h->info.targets->count; t++) {
        tpp_str_format(s,
                       "<div class=\"switch\"><input type=\"checkbox\" id=\"target-%d\" "
                       "data-target=\"%d\" checked>",
                       t, t);
        add_swatch(s, &h->info.targets->item[t]);
        tpp_str_format(s, "<label for=\"target-%d\">", t);
        tpp_html_add_text(s, h->info.targets->item[t].title);
        tpp_str_format(s, "</label><output for=\"slider\"></output></div>\n");
    }
}

/* ---- curves ---- */

static double score_of(const tpp_found *found)
{
    return (double)found->score;
}

static double area_of(const tpp_found *found)
{
    return (double)found->area_px;
}

static double pixel_mm2(const tpp_html *h)
{
    return h->info.spacing_mm[0] * h->info.spacing_mm[1];
}

static void add_plots(tpp_html *h)
{
    tpp_plot p = {.title = "Score",
                  .unit = "",
                  .targets = h->info.targets,
                  .found = h->found,
                  .frames = h->info.frames,
                  .first = h->info.first,
                  .most = 1,
                  .scale = 1,
                  .value = score_of};
    const bool known = pixel_mm2(h) > 0;
    tpp_plot_add(&h->text, &p);
    p.title = "Area";
    p.unit = known ? " mm²" : " px";
    p.most = 0;
    p.scale = known ? pixel_mm2(h) : 1;
    p.value = area_of;
    tpp_plot_add(&h->text, &p);
}

/* ---- numbers ---- */

static const char dash[] = "–";

static void add_number(tpp_str *s, const json_t *j, int digits)
{
    if (json_is_number(j))
        tpp_str_format(s, "%.*f", digits, json_number_value(j));
    else
        tpp_str_format(s, "%s", dash);
}

static void add_cell(tpp_str *s, const json_t *of, const char *key, int digits)
{
    tpp_str_format(s, "<td>");
    add_number(s, json_object_get(of, key), digits);
    tpp_str_format(s, "</td>");
}

/* "mean ± std HU", "least to most". */
static void add_intensity_cells(tpp_str *s, const json_t *of)
{
    const json_t *in = json_object_get(of, "intensity");
    if (!json_is_object(in)) {
        tpp_str_format(s, "<td>%s</td><td>%s</td><td>%s</td>", dash, dash, dash);
        return;
    }
    tpp_str_format(s, "<td>");
    add_number(s, json_object_get(in, "mean"), 1);
    tpp_str_format(s, " ± ");
    add_number(s, json_object_get(in, "std"), 1);
    tpp_str_format(s, " ");
    tpp_html_add_text(s, json_string_value(json_object_get(in, "unit")));
    tpp_str_format(s, "</td>");
    add_cell(s, in, "median", 1);
    tpp_str_format(s, "<td>");
    add_number(s, json_object_get(in, "min"), 1);
    tpp_str_format(s, " to ");
    add_number(s, json_object_get(in, "max"), 1);
    tpp_str_format(s, "</td>");
}

static void add_place_cell(tpp_str *s, const json_t *of)
{
    const json_t *mm = json_object_get(of, "centroid_mm");
    const json_t *at = json_is_array(mm) ? mm : json_object_get(of, "centroid_vox");
    tpp_str_format(s, "<td>");
    for (size_t a = 0; a < 3 && json_is_array(at); a++) {
        tpp_str_format(s, a > 0 ? ", " : "");
        add_number(s, json_array_get(at, a), 1);
    }
    tpp_str_format(s, "%s</td>", !json_is_array(at) ? dash : json_is_array(mm) ? " mm" : "");
}

static double highest_score(const tpp_html *h, int t)
{
    double best = 0;
    for (int64_t i = 0; i < h->info.frames; i++) {
        const double score = (double)h->found[t * h->info.frames + i].score;
        if (score > best) best = score;
    }
    return best;
}

static void add_statistics_row(tpp_html *h, int t)
{
    tpp_str *s = &h->text;
    const tpp_target *target = &h->info.targets->item[t];
    const json_t *of = json_object_get(json_object_get(h->statistics, "labels"), target->name);
    const json_t *mm = json_object_get(of, "diameter_mm"),
                 *at = json_object_get(of, "touches_border");
    tpp_str_format(s, "<tr><th scope=\"row\">");
    add_swatch(s, target);
    tpp_str_format(s, " ");
    tpp_html_add_text(s, target->title);
    tpp_str_format(s, "</th>");
    if (!json_is_true(json_object_get(of, "found"))) {
        tpp_str_format(s, "<td colspan=\"10\">not found (highest score %.2f)</td></tr>\n",
                       highest_score(h, t));
        return;
    }
    add_cell(s, of, "volume_ml", 2);
    add_cell(s, of, "n_voxels", 0);
    add_cell(s, of, "n_frames_present", 0);
    tpp_str_format(s, "<td>");
    add_number(s, json_is_number(mm) ? mm : json_object_get(of, "diameter_px"), 1);
    tpp_str_format(s, "%s</td>", json_is_number(mm) ? " mm" : " px");
    add_cell(s, of, "diameter_frame", 0);
    add_intensity_cells(s, of);
    add_place_cell(s, of);
    tpp_str_format(s, "<td>%s</td></tr>\n", json_is_true(at) ? "yes" : "no");
}

static void add_statistics(tpp_html *h)
{
    static const char *const head[] = {"Target",   "Volume (ml)", "Voxels",    "Frames",
                                       "Diameter", "at frame",    "Mean ± SD", "Median",
                                       "Range",    "Centre",      "At border"};
    tpp_str_format(&h->text, "<table class=\"numbers\">\n<thead><tr>");
    for (size_t k = 0; k < sizeof(head) / sizeof(head[0]); k++)
        tpp_str_format(&h->text, "<th scope=\"col\">%s</th>", head[k]);
    tpp_str_format(&h->text, "</tr></thead>\n<tbody>\n");
    for (int t = 0; t < h->info.targets->count; t++) add_statistics_row(h, t);
    tpp_str_format(&h->text,
                   "</tbody>\n</table>\n"
                   "<p class=\"notice\">Diameter: the largest within one frame. Centre in "
                   "mm to the right, anterior, superior; else column, row, frame.</p>\n");
}

/* ---- what it was made with ---- */

static void add_prompts(tpp_html *h)
{
    tpp_str *s = &h->text;
    for (int t = 0; t < h->info.targets->count; t++) {
        const tpp_target *target = &h->info.targets->item[t];
        tpp_str_format(s, "<p>");
        add_swatch(s, target);
        tpp_str_format(s, " <strong>");
        tpp_html_add_text(s, target->title);
        tpp_str_format(s, "</strong></p>\n<ol start=\"0\">\n");
        for (int k = 0; k < target->n_prompts; k++) {
            tpp_str_format(s, "<li>");
            tpp_html_add_text(s, target->prompt[k]);
            tpp_str_format(s, "</li>\n");
        }
        tpp_str_format(s, "</ol>\n");
    }
}

static void add_warnings(tpp_html *h)
{
    const json_t *all = json_object_get(h->report, "warnings");
    if (json_array_size(all) == 0) {
        tpp_str_format(&h->text, "<p>None.</p>\n");
        return;
    }
    tpp_str_format(&h->text, "<ul>\n");
    for (size_t i = 0; i < json_array_size(all); i++) {
        tpp_str_format(&h->text, "<li>");
        tpp_html_add_text(&h->text, json_string_value(json_array_get(all, i)));
        tpp_str_format(&h->text, "</li>\n");
    }
    tpp_str_format(&h->text, "</ul>\n");
}

/* Rows of the table, from report.json; what it lacks is left out. */
static const struct {
    const char *name, *group, *key;
} facts[] = {
    {"Input", "input", "path"},
    {"SHA-256 of the input", "input", "sha256"},
    {"Modality", "input", "modality"},
    {"Slices or frames", "input", "axis"},
    {"Orientation of the file", "input", "orientation"},
    {"Window", "input", "window"},
    {"Model", "model", "path"},
    {"SHA-256 of the weights", "model", "weights_sha256"},
    {"Threshold of the mask", "thresholds", "mask"},
    {"Lowest score", "thresholds", "min_score"},
    {"Device", "device", "name"},
    {"OpenCL", "device", "version"},
    {"Driver", "device", "driver"},
    {"Device memory (bytes)", "memory", "peak_device_bytes"},
    {"TPP version", "program", "version"},
};

/* "abdomen (-150 to 250)" */
static void add_window(tpp_str *s, const json_t *window)
{
    tpp_html_add_text(s, json_string_value(json_object_get(window, "name")));
    tpp_str_format(s, " (%.6g to %.6g)", json_number_value(json_object_get(window, "low")),
                   json_number_value(json_object_get(window, "high")));
}

static void add_facts(tpp_html *h)
{
    tpp_str *s = &h->text;
    for (size_t k = 0; k < sizeof(facts) / sizeof(facts[0]); k++) {
        const json_t *j = json_object_get(json_object_get(h->report, facts[k].group), facts[k].key);
        const bool is_window = json_is_string(json_object_get(j, "name"));
        const bool is_empty = json_is_string(j) && json_string_length(j) == 0;
        if (is_empty || (!json_is_string(j) && !json_is_number(j) && !is_window)) continue;
        tpp_str_format(s, "<tr><th scope=\"row\">%s</th><td>", facts[k].name);
        if (json_is_string(j)) tpp_html_add_text(s, json_string_value(j));
        if (is_window) add_window(s, j);
        if (json_is_integer(j)) tpp_str_format(s, "%" JSON_INTEGER_FORMAT, json_integer_value(j));
        if (json_is_real(j)) tpp_str_format(s, "%.6g", json_real_value(j));
        tpp_str_format(s, "</td></tr>\n");
    }
}

/* ---- for the script ---- */

/* Records of the frames that the page holds, in their order. */
static json_t *records_json(const tpp_html *h, int t)
{
    json_t *all = json_array();
    for (int64_t k = 0; k < h->shown; k++) {
        if (h->has[k] == 0) continue;
        const tpp_found *f = &h->found[t * h->info.frames + tpp_html_frame(h, k)];
        tpp_json_append(&all, json_pack("{s:f, s:b, s:I}", "score", (double)f->score, "present",
                                        f->present, "area_px", (json_int_t)f->area_px));
    }
    return all;
}

/* The page opens where the targets together are largest. */
static int64_t largest_frame(const tpp_html *h)
{
    int64_t best = h->info.frames / 2, most = 0;
    for (int64_t i = 0; i < h->info.frames; i++) {
        int64_t area = 0;
        for (int t = 0; t < h->info.targets->count; t++)
            area += h->found[t * h->info.frames + i].area_px;
        if (area > most) {
            most = area;
            best = i;
        }
    }
    return best;
}

static void add_data(tpp_html *h)
{
    json_t *found = json_array();
    for (int t = 0; t < h->info.targets->count; t++) tpp_json_append(&found, records_json(h, t));
    json_t *j = json_pack("{s:I, s:I, s:I, s:f, s:o}", "frames", (json_int_t)h->info.frames,
                          "first", (json_int_t)h->info.first, "start", (json_int_t)largest_frame(h),
                          "pixel_mm2", pixel_mm2(h), "found", found);
    tpp_html_add_json(&h->text, j);
    json_decref(j);
}

static const struct {
    const char *name;
    tpp_html_part *part;
} parts[] = {
    {"title", add_title},           {"notice", add_notice},
    {"banner", add_banner},         {"ratio", add_ratio},
    {"viewbox", add_viewbox},       {"outlines", add_outlines},
    {"sides", add_sides},           {"switches", add_switches},
    {"plots", add_plots},           {"prompts", add_prompts},
    {"statistics", add_statistics}, {"facts", add_facts},
    {"warnings", add_warnings},     {"data", add_data},
};

tpp_html_part *tpp_html_find_part(const char *name, size_t length)
{
    for (size_t k = 0; k < sizeof(parts) / sizeof(parts[0]); k++)
        if (strlen(parts[k].name) == length && memcmp(parts[k].name, name, length) == 0)
            return parts[k].part;
    return NULL;
}
