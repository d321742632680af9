/* Writes label files.
 * SPDX-License-Identifier: MIT */
#include "infer/labels_file.h"

#include "core/mem.h"
#include "core/path.h"
#include "core/str.h"
#include "infer/json_file.h"

#include <stdbool.h>
#include <stdio.h>

/* ---- labels.json ---- */

static json_t *snomed_json(const tpp_target *t)
{
    if (t->category_code == NULL && t->type_code == NULL) return json_null();
    return json_pack("{s:o, s:o, s:o, s:o, s:o}", "modifier", tpp_json_text(t->modifier_code),
                     "site", tpp_json_text(t->site_code), "category",
                     tpp_json_text(t->category_code), "type", tpp_json_text(t->type_code),
                     "meaning", tpp_json_text(t->type_meaning));
}

static json_t *label_json(const tpp_target *t)
{
    json_t *prompts = json_array();
    for (int i = 0; i < t->n_prompts; i++) tpp_json_append(&prompts, tpp_json_text(t->prompt[i]));
    return json_pack("{s:o, s:o, s:o, s:o, s:[i,i,i]}", "name", tpp_json_text(t->name), "title",
                     tpp_json_text(t->title), "prompt", prompts, "snomed", snomed_json(t), "rgb",
                     t->rgb[0], t->rgb[1], t->rgb[2]);
}

static tpp_status write_json(const tpp_targets *targets, const tpp_out_folder *out)
{
    json_t *j = json_object();
    char key[16];
    for (int i = 0; i < targets->count; i++) {
        (void)snprintf(key, sizeof(key), "%d", i + 1);
        tpp_json_set(&j, key, label_json(&targets->item[i]));
    }
    const tpp_status s = tpp_json_write(out, "labels.json", j);
    json_decref(j);
    return s;
}

/* ---- tables of viewers ---- */

/* Both formats have lines, and ITK-SNAP's quotes its names without an escape. */
static void add_title(tpp_str *s, const tpp_target *t)
{
    for (const char *p = t->title; *p != '\0'; p++) {
        const bool is_control = (unsigned char)*p < ' ';
        tpp_str_add(s, *p == '"' ? "'" : is_control ? " " : p, 1);
    }
}

static void add_itksnap(tpp_str *s, const tpp_targets *targets)
{
    static const char head[] = "# ITK-SnAP Label Description File\n"
                               "# IDX   R   G   B   A  VIS MSH  LABEL\n"
                               "    0     0    0    0        0  0  0    \"Clear Label\"\n";
    tpp_str_add(s, head, sizeof(head) - 1);
    for (int i = 0; i < targets->count; i++) {
        const tpp_target *t = &targets->item[i];
        tpp_str_format(s, "%5d   %3d  %3d  %3d        1  1  1    \"", i + 1, t->rgb[0], t->rgb[1],
                       t->rgb[2]);
        add_title(s, t);
        tpp_str_add(s, "\"\n", 2);
    }
}

/* Columns are parted by spaces: the name, which has none. */
static void add_slicer(tpp_str *s, const tpp_targets *targets)
{
    tpp_str_format(s, "# Color table file labels.ctbl\n# %d values\n0 background 0 0 0 0\n",
                   targets->count + 1);
    for (int i = 0; i < targets->count; i++) {
        const tpp_target *t = &targets->item[i];
        tpp_str_format(s, "%d %s %d %d %d 255\n", i + 1, t->name, t->rgb[0], t->rgb[1], t->rgb[2]);
    }
}

static tpp_status write_table(const tpp_targets *targets, const tpp_out_folder *out,
                              const char *name, void (*add)(tpp_str *, const tpp_targets *))
{
    tpp_str text = {0};
    char *path = NULL;
    add(&text, targets);
    tpp_status s = text.status;
    if (s == TPP_OK) s = tpp_out_folder_file(out, &path, name);
    if (s == TPP_OK) s = tpp_file_write(path, text.text, text.length);
    tpp_free(path);
    tpp_str_free(&text);
    return s;
}

tpp_status tpp_labels_write(const tpp_targets *targets, const tpp_out_folder *out)
{
    TPP_TRY(write_json(targets, out));
    TPP_TRY(write_table(targets, out, "labels.txt", add_itksnap));
    return write_table(targets, out, "labels.ctbl", add_slicer);
}
