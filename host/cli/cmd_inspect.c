/* tpp inspect: what a volume, picture, video or folder of pictures is, as the program sees it.
 * SPDX-License-Identifier: MIT */
#include "cli/cli.h"
#include "cli/json.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/path.h"
#include "io/orientation.h"
#include "io/picture.h"
#include "io/statistics.h"
#include "io/video.h"
#include "io/volume_file.h"

#include <inttypes.h>
#include <string.h>

typedef struct inspect_arguments {
    tpp_list files;
    bool json, header;
} inspect_arguments;
#define AT(member) offsetof(inspect_arguments, member)

/* The facts are gathered as a JSON object; the text form prints the same one. */
typedef struct inspection {
    json_t *facts, *warnings;
    bool header; /* alone: values are not read */
} inspection;

static void set(inspection *x, const char *key, json_t *value)
{
    (void)json_object_set_new(x->facts, key, value);
}

static void warn(inspection *x, const char *text)
{
    (void)json_array_append_new(x->warnings, tpp_json_text(text));
}

/* Takes the readers' warnings. */
static void take_log(void *context, tpp_log_level level, const char *module, const char *text)
{
    (void)module;
    if (level <= TPP_LOG_WARN) warn(context, text);
}

static void drop_log(void *context, tpp_log_level level, const char *module, const char *text)
{
    (void)context;
    (void)level;
    (void)module;
    (void)text;
}

static json_t *numbers(const double *values, int n)
{
    json_t *list = json_array();
    for (int i = 0; i < n; i++) (void)json_array_append_new(list, tpp_json_real(values[i]));
    return list;
}

/* ---- values ---- */

static void set_values(inspection *x, const float *values, int64_t count)
{
    tpp_statistics s;
    tpp_statistics_of(&s, values, count);
    if (s.count == 0) {
        set(x, "range", json_null());
        return;
    }
    set(x, "range",
        json_pack("{s:o, s:o, s:o, s:o}", "min", tpp_json_real(s.min), "max", tpp_json_real(s.max),
                  "p0.5", tpp_json_real(s.low), "p99.5", tpp_json_real(s.high)));
    if (!s.are_labels) return;
    json_t *labels = json_object();
    for (int i = 0; i < s.n_labels; i++) {
        char key[24];
        (void)snprintf(key, sizeof(key), "%" PRId64, s.label[i].value);
        (void)json_object_set_new(labels, key, json_integer(s.label[i].count));
    }
    set(x, "labels", labels);
}

/* ---- volumes ---- */

static void set_place(inspection *x, const tpp_volume *v)
{
    char code[4];
    const tpp_orientation o = tpp_orientation_from_affine(&v->affine);
    tpp_orientation_code(code, &o);
    json_t *rows = json_array();
    for (int i = 0; i < 4; i++) (void)json_array_append_new(rows, numbers(v->affine.m[i], 4));
    set(x, "spacing_mm", numbers(v->spacing_mm, 3));
    set(x, "orientation", json_string(code));
    set(x, "affine_source", json_string(tpp_affine_source_text(v->affine_source)));
    set(x, "affine", rows);
    if (v->affines_disagree)
        warn(x, v->affine_source == TPP_AFFINE_QFORM ? "sform and qform disagree; qform is used"
                                                     : "sform and qform disagree; sform is used");
    if (v->affine_source == TPP_AFFINE_PIXDIM)
        warn(x, "states no orientation; which side is the patient's left is a convention, not "
                "knowledge");
}

static void set_volume(inspection *x, const tpp_volume *v)
{
    set(x, "kind", json_string("volume"));
    set(x, "format", json_string(tpp_volume_format_text(v->format)));
    set(x, "datatype", tpp_json_text(v->datatype));
    set(x, "dims",
        json_pack("[I, I, I]", (json_int_t)v->dim[0], (json_int_t)v->dim[1],
                  (json_int_t)v->dim[2]));
    set(x, "time_points", json_integer(v->dim[3] > 0 ? v->dim[3] : 1));
    set(x, "channels", json_integer(v->channels == 3 ? 3 : 1));
    set(x, "is_sequence", json_boolean(v->is_sequence));
    set(x, "modality", v->modality[0] != '\0' ? tpp_json_text(v->modality) : json_null());
    set_place(x, v);
    set(x, "slope", tpp_json_real(v->slope));
    set(x, "intercept", tpp_json_real(v->intercept));
    if (v->shown_high > v->shown_low)
        set(x, "display_window", json_pack("[f, f]", v->shown_low, v->shown_high));
    if (v->voxels == NULL) return;
    set(x, "not_finite", json_integer(v->nan_count));
    if (v->nan_count > 0) warn(x, "some voxels are NaN or infinite");
    set_values(x, v->voxels, v->voxel_count * (v->channels == 3 ? 3 : 1));
}

static tpp_status inspect_volume(inspection *x, const char *path)
{
    tpp_volume_options o = {.time = -1, .header_only = true};
    tpp_volume v = {0};
    if (!x->header) tpp_log_set(TPP_LOG_ERROR, drop_log, NULL); /* told by the second reading */
    tpp_status s = tpp_volume_read(&v, path, &o);
    tpp_log_set(TPP_LOG_WARN, take_log, x);
    if (s == TPP_OK && !x->header) {
        const int64_t times = v.dim[3];
        tpp_volume_free(&v);
        o = (tpp_volume_options){.time = times > 1 ? 0 : -1};
        if (times > 1) warn(x, "values are those of time point 0");
        s = tpp_volume_read(&v, path, &o);
    }
    if (s == TPP_OK) set_volume(x, &v);
    tpp_volume_free(&v);
    return s;
}

/* ---- pictures and videos ---- */

static void set_picture(inspection *x, const char *kind, const tpp_picture_head *h, int64_t frames)
{
    set(x, "kind", json_string(kind));
    set(x, "width", json_integer(h->width));
    set(x, "height", json_integer(h->height));
    set(x, "channels", json_integer(h->channels));
    set(x, "bits", json_integer(h->bits));
    set(x, "frames", json_integer(frames));
}

static tpp_status inspect_picture(inspection *x, const char *path)
{
    tpp_picture_head head = {0};
    tpp_image image = {0};
    TPP_TRY(tpp_picture_read_head(&head, path));
    set_picture(x, "picture", &head, 1);
    if (x->header) return TPP_OK;
    TPP_TRY(tpp_picture_read(&image, path));
    const size_t count = (size_t)image.width * (size_t)image.height * (size_t)image.channels;
    float *values = tpp_calloc(count, sizeof(*values));
    for (size_t i = 0; i < count && values != NULL; i++)
        values[i] = image.pixels != NULL ? (float)image.pixels[i] : (float)image.deep[i];
    if (values != NULL) set_values(x, values, (int64_t)count);
    const tpp_status s = values != NULL ? TPP_OK : TPP_ENOMEM;
    tpp_free(values);
    tpp_image_free(&image);
    return s;
}

static tpp_status inspect_names(inspection *x, const char *path, const tpp_names *names)
{
    tpp_picture_head first = {0};
    int64_t frames = 0;
    bool differ = false;
    for (size_t i = 0; i < names->count; i++) {
        tpp_picture_head head = {0};
        if (!tpp_picture_has_name(names->name[i])) continue;
        char *file = tpp_path_join(path, names->name[i]);
        if (file == NULL) return TPP_ENOMEM;
        const tpp_status s = tpp_picture_read_head(&head, file);
        tpp_free(file);
        if (s != TPP_OK) return s;
        if (frames++ == 0) first = head;
        differ = differ || head.width != first.width || head.height != first.height;
        if (head.channels > first.channels) first.channels = head.channels;
        if (head.bits > first.bits) first.bits = head.bits;
    }
    if (frames == 0)
        return TPP_FAIL(TPP_EUSAGE, "%s: the folder holds no volume and no picture", path);
    set_picture(x, "pictures", &first, frames);
    if (differ) warn(x, "the pictures are not all of one size; width and height are the first's");
    return TPP_OK;
}

static tpp_status inspect_folder(inspection *x, const char *path)
{
    tpp_names names = {0};
    TPP_TRY(tpp_path_list(&names, path, NULL));
    const tpp_status s = inspect_names(x, path, &names);
    tpp_names_free(&names);
    return s;
}

static tpp_status inspect_video(inspection *x, const char *path)
{
    tpp_video *v = NULL;
    tpp_video_info i = {0};
    TPP_TRY(tpp_video_open(&v, path, &i));
    tpp_video_close(v);
    const tpp_picture_head head = {i.width, i.height, i.channels, 8};
    set_picture(x, "video", &head, i.count);
    set(x, "frames_per_second", i.fps > 0 ? tpp_json_real(i.fps) : json_null());
    return TPP_OK;
}

static tpp_status inspect_path(inspection *x, const char *path)
{
    if (!tpp_path_exists(path)) return TPP_FAIL(TPP_EIO, "%s: there is no such file", path);
    set(x, "file", tpp_json_text(path));
    if (tpp_volume_is(path)) return inspect_volume(x, path);
    if (tpp_path_is_folder(path)) return inspect_folder(x, path);
    if (tpp_video_has_name(path)) return inspect_video(x, path);
    if (tpp_picture_has_name(path)) return inspect_picture(x, path);
    return TPP_FAIL(TPP_EUSAGE, "%s: wanted a volume, a picture, a video, or a folder of pictures",
                    path);
}

/* ---- the text form ---- */

static void print_value(const json_t *j, const char *indent)
{
    size_t i = 0;
    json_t *item = NULL;
    const char *key = NULL, *between = "";
    if (json_is_string(j)) {
        (void)fputs(json_string_value(j), stdout);
    } else if (json_is_integer(j)) {
        (void)printf("%" JSON_INTEGER_FORMAT, json_integer_value(j));
    } else if (json_is_real(j)) {
        (void)printf("%.6g", json_real_value(j));
    } else if (json_is_boolean(j)) {
        (void)fputs(json_is_true(j) ? "yes" : "no", stdout);
    } else if (json_is_null(j)) {
        (void)fputs("not stated", stdout);
    } else if (json_is_array(j)) {
        json_array_foreach(j, i, item)
        {
            const bool is_number = json_is_number(item);
            (void)printf("%s", i == 0 ? "" : is_number ? " " : indent);
            print_value(item, indent);
        }
    } else {
        json_object_foreach((json_t *)j, key, item)
        {
            (void)printf("%s%s: ", between, key);
            print_value(item, indent);
            between = ", ";
        }
    }
}

static void print_labels(const json_t *labels, const char *indent)
{
    enum { MOST = 32 }; /* more are a picture's grey levels */
    if (json_object_size(labels) <= MOST)
        print_value(labels, indent);
    else
        (void)printf("%zu different whole numbers; --json counts them", json_object_size(labels));
}

static void print_facts(json_t *facts)
{
    enum { COLUMN = 18 };
    char indent[COLUMN + 2];
    const char *key = NULL;
    json_t *value = NULL;
    (void)snprintf(indent, sizeof(indent), "\n%*s", COLUMN, "");
    json_object_foreach(facts, key, value)
    {
        char name[COLUMN];
        if (json_is_array(value) && json_array_size(value) == 0) continue; /* no warnings */
        (void)snprintf(name, sizeof(name), "%s", key);
        for (char *p = name; *p != '\0'; p++)
            if (*p == '_') *p = ' ';
        (void)printf("%-*s", (int)COLUMN, name);
        if (strcmp(key, "labels") == 0)
            print_labels(value, indent);
        else
            print_value(value, indent);
        (void)putchar('\n');
    }
}

/* ---- the command ---- */

/* Adds the facts of one file to `all`, or prints them. */
static tpp_status inspect_one(json_t *all, const char *path, const inspect_arguments *a)
{
    inspection x = {json_object(), json_array(), a->header};
    tpp_log_set(TPP_LOG_WARN, take_log, &x);
    tpp_status s = inspect_path(&x, path);
    tpp_log_set(TPP_LOG_WARN, NULL, NULL);
    set(&x, "warnings", x.warnings);
    if (s == TPP_OK && a->json)
        s = json_array_append(all, x.facts) == 0 ? TPP_OK : TPP_ENOMEM;
    else if (s == TPP_OK)
        print_facts(x.facts);
    json_decref(x.facts);
    return s;
}

static int run_inspect(void *arguments)
{
    const inspect_arguments *a = arguments;
    tpp_status s = TPP_OK;
    if (a->files.count == 0) s = TPP_FAIL(TPP_EUSAGE, "a file or folder is wanted");
    json_t *all = json_array();
    for (int i = 0; i < a->files.count && s == TPP_OK; i++) {
        if (i > 0 && !a->json) (void)putchar('\n');
        s = inspect_one(all, a->files.item[i], a);
    }
    if (s == TPP_OK && a->json) {
        json_t *printed = a->files.count == 1 ? json_array_get(all, 0) : all;
        s = tpp_json_print(json_incref(printed));
    }
    json_decref(all);
    return tpp_exit_with("inspect", s, true);
}

static const tpp_option options[] = {
    {'j', "json", TPP_OPTION_FLAG, AT(json), NULL,
     .help = "as JSON: an object, or a list of them for several files"},
    {0, "header", TPP_OPTION_FLAG, AT(header), NULL,
     .help = "the header alone: no range, no labels"},
    {0},
};

const tpp_command tpp_command_inspect = {
    .name = "inspect",
    .help = "tell what a volume, picture or video is: geometry, range, labels",
    .synopsis = "FILE... [--json]",
    .about =
        "Prints what the program understands of its input: format, type, size, spacing, where\n"
        "the axes lead, the affine and what it was taken from, range, and of volumes with few\n"
        "whole numbers how often each occurs. Needs no device.",
    .examples = "  tpp inspect ct.nii.gz\n"
                "  tpp inspect out/seg.nii.gz --json\n"
                "  tpp inspect frames/\n",
    .notes = "Orientation: where x, y and z lead: R or L, A or P, S or I. The affine leads from\n"
             "voxels to millimetres: x to the right, y to the front, z up.\n",
    .options = {options},
    .rest = "FILE",
    .rest_offset = AT(files),
    .rest_completes = TPP_COMPLETE_FILE,
    .size = sizeof(inspect_arguments),
    .run = run_inspect};
