/* Finding the cases of a run, and names for them.
 * SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "infer/cases.h"

#include "core/log.h"
#include "core/mem.h"
#include "core/path.h"
#include "core/str.h"
#include "core/table.h"
#include "io/csv.h"
#include "io/picture.h"
#include "io/video.h"
#include "io/volume_file.h"

#include <dirent.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void tpp_cases_free(tpp_cases *c)
{
    for (size_t i = 0; i < c->count; i++) {
        tpp_free(c->item[i].input);
        tpp_free(c->item[i].name);
    }
    tpp_free(c->item);
    *c = (tpp_cases){0};
}

/* "./a//b/" as "a/b", so that a path is told to be given twice. */
static char *plain_path(const char *path)
{
    char *plain = tpp_calloc(strlen(path) + 2, 1), *to = plain;
    if (plain == NULL) return NULL;
    if (path[0] == '/') *to++ = '/';
    for (const char *p = path; *p != '\0';) {
        const size_t n = strcspn(p, "/");
        if (n > 0 && !(n == 1 && p[0] == '.')) {
            if (to > plain && to[-1] != '/') *to++ = '/';
            memcpy(to, p, n);
            to += n;
        }
        p += n + (p[n] == '/');
    }
    if (to == plain) *to = path[0] != '\0' ? '.' : '\0';
    return plain;
}

static tpp_status add_input(tpp_cases *c, const char *path, const char *name)
{
    if (c->count == TPP_MAX_CASES)
        return TPP_FAIL(TPP_EUSAGE, "more than %d cases", (int)TPP_MAX_CASES);
    tpp_case_input *grown = tpp_realloc(c->item, c->count + 1, sizeof(*grown));
    if (grown == NULL) return TPP_ENOMEM;
    c->item = grown;
    tpp_case_input made = {.input = plain_path(path)};
    if (made.input != NULL && name != NULL) made.name = tpp_strdup(name);
    if (made.input == NULL || (name != NULL && made.name == NULL)) {
        tpp_free(made.input);
        return TPP_ENOMEM;
    }
    c->item[c->count++] = made;
    return TPP_OK;
}

/* ---- folders ---- */

/* Names of everything in a folder but hidden files, as people count. */
static tpp_status list_all(tpp_names *out, const char *folder)
{
    tpp_names found = {0};
    struct dirent **entries = NULL;
    const int n = scandir(folder, &entries, NULL, NULL);
    if (n < 0) return TPP_FAIL(TPP_EIO, "%s: cannot read the folder", folder);
    tpp_status s = TPP_OK;
    found.name = tpp_calloc((size_t)n + 1, sizeof(*found.name));
    if (found.name == NULL) s = TPP_ENOMEM;
    for (int i = 0; i < n; i++) {
        if (s == TPP_OK && entries[i]->d_name[0] != '.') {
            found.name[found.count] = tpp_strdup(entries[i]->d_name);
            if (found.name[found.count] == NULL) s = TPP_ENOMEM;
            found.count += s == TPP_OK;
        }
        free(entries[i]); /* scandir's own memory */
    }
    free(entries);
    if (s != TPP_OK) {
        tpp_names_free(&found);
        return s;
    }
    *out = found;
    return TPP_OK;
}

/* Does the folder hold pictures or DICOM files, which makes it one sequence? */
static bool is_sequence(const char *folder)
{
    tpp_names files = {0};
    bool found = tpp_volume_is(folder);
    if (!found && tpp_path_list(&files, folder, NULL) == TPP_OK)
        for (size_t i = 0; i < files.count; i++)
            found = found || tpp_picture_has_name(files.name[i]);
    tpp_names_free(&files);
    return found;
}

static bool is_case(const char *path)
{
    if (tpp_path_is_folder(path)) return is_sequence(path);
    return tpp_volume_is(path) || tpp_video_has_name(path);
}

/* Adds what is a case; *left_out counts the folders that are none, *one is the first that came. */
static tpp_status add_entry(tpp_cases *c, const char *folder, const char *name, size_t *left_out,
                            const char **one)
{
    tpp_status s = TPP_OK;
    char *path = tpp_path_join(folder, name);
    if (path == NULL) return TPP_ENOMEM;
    if (is_case(path)) {
        s = add_input(c, path, NULL);
    } else if (tpp_path_is_folder(path)) {
        if ((*left_out)++ == 0) *one = name;
    }
    tpp_free(path);
    return s;
}

static tpp_status add_folder(tpp_cases *c, const char *folder)
{
    const size_t before = c->count;
    const char *one = NULL;
    size_t left_out = 0;
    tpp_names names = {0};
    if (is_sequence(folder)) return add_input(c, folder, NULL);
    TPP_TRY(list_all(&names, folder));
    tpp_status s = TPP_OK;
    for (size_t i = 0; i < names.count && s == TPP_OK; i++)
        s = add_entry(c, folder, names.name[i], &left_out, &one);
    if (s == TPP_OK && left_out > 0 && c->count > before)
        tpp_log(TPP_LOG_WARN, "cases",
                "%s: folders in it that hold no DICOM files and no pictures are left out: %zu, "
                "among them %s (a pattern such as '%s/*/*.nii.gz' names what is below them)",
                folder, left_out, one, folder);
    const size_t entries = names.count;
    tpp_names_free(&names);
    c->is_cohort = true;
    if (s != TPP_OK || c->count > before) return s;
    if (entries == 0) return TPP_FAIL(TPP_EUSAGE, "%s: the folder is empty", folder);
    return TPP_FAIL(TPP_EUSAGE,
                    "%s: the folder holds no DICOM files, pictures, volumes or videos, and no "
                    "folder of DICOM files or pictures%s",
                    folder,
                    left_out > 0 ? "; a pattern such as 'FOLDER/*/*.nii.gz' names what is further "
                                   "below"
                                 : "");
}

/* ---- patterns and lists ---- */

static tpp_status add_pattern(tpp_cases *c, const char *pattern)
{
    glob_t found = {0};
    tpp_status s = TPP_OK;
    const int code = glob(pattern, 0, NULL, &found);
    if (code == GLOB_NOSPACE)
        s = TPP_ENOMEM;
    else if (code != 0)
        s = TPP_FAIL(TPP_EUSAGE, "%s: nothing fits the pattern", pattern);
    for (size_t i = 0; code == 0 && i < found.gl_pathc && s == TPP_OK; i++)
        s = add_input(c, found.gl_pathv[i], NULL);
    globfree(&found);
    c->is_cohort = true;
    return s;
}

static tpp_status add_row(tpp_cases *c, const tpp_csv *csv, size_t row, const char *list)
{
    const int input = tpp_csv_column(csv, "input"), name = tpp_csv_column(csv, "case");
    const char *path = csv->field[row * csv->columns + (size_t)input];
    const char *called = name < 0 ? "" : csv->field[row * csv->columns + (size_t)name];
    if (path[0] == '\0')
        return TPP_FAIL(TPP_EFORMAT, "%s:%d: the input is empty", list, csv->line[row]);
    tpp_str full = {0};
    if (path[0] != '/') tpp_str_format(&full, "%.*s", (int)(tpp_path_base(list) - list), list);
    tpp_str_format(&full, "%s", path);
    tpp_status s = full.status;
    if (s == TPP_OK) s = add_input(c, full.text, called[0] != '\0' ? called : NULL);
    tpp_str_free(&full);
    return s;
}

static tpp_status add_list(tpp_cases *c, const char *path)
{
    tpp_csv csv = {0};
    TPP_TRY(tpp_csv_read(&csv, path));
    tpp_status s = TPP_OK;
    if (tpp_csv_column(&csv, "input") < 0)
        s = TPP_FAIL(TPP_EFORMAT, "%s:1: wanted a column called \"input\" (and maybe \"case\")",
                     path);
    else if (csv.rows < 2)
        s = TPP_FAIL(TPP_EUSAGE, "%s: the list holds no case", path);
    for (size_t row = 1; row < csv.rows && s == TPP_OK; row++) s = add_row(c, &csv, row, path);
    tpp_csv_free(&csv);
    c->is_cohort = true;
    return s;
}

tpp_status tpp_cases_add(tpp_cases *c, const char *text)
{
    if (tpp_path_is_folder(text)) return add_folder(c, text);
    if (tpp_path_exists(text) && tpp_path_has_suffix(text, ".csv")) return add_list(c, text);
    if (!tpp_path_exists(text) && strpbrk(text, "*?[") != NULL) return add_pattern(c, text);
    return add_input(c, text, NULL);
}

/* ---- names ---- */

/* "img.nii.gz" to "img": one ending, and a .gz behind it. Dots of a series number stay. */
static size_t stem_length(const char *base)
{
    static const char *const ends[] = {".nii", ".nrrd", ".nhdr", ".mha", ".mhd", ".hdr",
                                       ".img", ".dcm",  ".png",  ".jpg", ".jpeg"};
    size_t n = strlen(base);
    if (n > 3 && tpp_path_has_suffix(base, ".gz")) n -= 3;
    char cut[512];
    (void)snprintf(cut, sizeof(cut), "%.*s", (int)n, base);
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
        if (n > strlen(ends[i]) && tpp_path_has_suffix(cut, ends[i])) return n - strlen(ends[i]);
    const char *dot = strrchr(cut, '.');
    return tpp_video_has_name(base) && dot != NULL && dot != cut ? (size_t)(dot - cut) : n;
}

/* Where the name that takes `above` more folders begins; the start of the path when there are no
 * more. */
static const char *begin_of_name(const char *path, int above)
{
    const char *at = path + strlen(path);
    for (int slashes = 0; at > path; at--)
        if (at[-1] == '/' && slashes++ == above) break;
    return at;
}

enum { LONGEST_NAME = 200 }; /* files get endings, and a file system allows 255 */

static bool may_stand_in_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("._-", c) != NULL);
}

/* Names that lie in the output folder for other reasons. */
static bool is_reserved(const char *name)
{
    return strcmp(name, "report.json") == 0 || tpp_path_has_suffix(name, ".failed.json") ||
           strstr(name, ".tmp.") != NULL;
}

/* Name of a case from its path: its stem, and `above` folders before it. */
static tpp_status make_name(tpp_case_input *x, int above)
{
    const char *base = begin_of_name(x->input, 0), *from = begin_of_name(x->input, above);
    const size_t stem = tpp_path_is_folder(x->input) ? strlen(base) : stem_length(base);
    tpp_free(x->name);
    x->name = tpp_strndup(from, (size_t)(base - from) + stem);
    if (x->name == NULL) return TPP_ENOMEM;
    const bool reserved = is_reserved(x->name);
    for (char *p = x->name; *p != '\0'; p++)
        if (!may_stand_in_name(*p) || (reserved && *p == '.')) *p = '_';
    if (x->name[0] == '.') x->name[0] = '_'; /* no hidden folders, no way up */
    if (x->name[0] == '\0') return TPP_FAIL(TPP_EUSAGE, "\"%s\" gives a case no name", x->input);
    if (strlen(x->name) <= LONGEST_NAME) return TPP_OK;
    return TPP_FAIL(TPP_EUSAGE,
                    "%s: would be a case with a name of %zu characters, at most %d may be; a list "
                    "(.csv) can give it another",
                    x->input, strlen(x->name), (int)LONGEST_NAME);
}

static int compare_names(const void *a, const void *b)
{
    const tpp_case_input *x = a, *y = b;
    const int order = tpp_str_compare_natural(x->name, y->name);
    return order != 0 ? order : strcmp(x->input, y->input);
}

static void sort(tpp_cases *c)
{
    if (c->count > 1) qsort(c->item, c->count, sizeof(*c->item), compare_names);
}

static tpp_status check_given_name(const tpp_case_input *x)
{
    const char *p = x->name;
    while (may_stand_in_name(*p)) p++;
    if (is_reserved(x->name))
        return TPP_FAIL(TPP_EUSAGE, "case \"%.60s\": files of the run itself are called so",
                        x->name);
    if (*p == '\0' && x->name[0] != '.' && p - x->name <= LONGEST_NAME) return TPP_OK;
    return TPP_FAIL(TPP_EUSAGE,
                    "case \"%.60s\": a name is made of up to %d letters, digits, '.', '_' and '-', "
                    "and does not begin with '.'",
                    x->name, (int)LONGEST_NAME);
}

/* Lengthens the names of cases that share one; *again: there were any. */
static tpp_status lengthen(tpp_cases *c, const bool *given, int *above, bool *again)
{
    tpp_table seen = {0};
    tpp_status s = TPP_OK;
    *again = false;
    for (size_t i = 0; i < c->count && s == TPP_OK; i++) {
        tpp_table_entry *e = tpp_table_put(&seen, c->item[i].name, NULL);
        if (e == NULL) s = TPP_ENOMEM;
        if (s == TPP_OK) e->value.number++;
    }
    for (size_t i = 0; i < c->count && s == TPP_OK; i++) {
        const tpp_table_entry *e = tpp_table_find(&seen, c->item[i].name);
        if (e->value.number < 2) continue;
        const char *before = begin_of_name(c->item[i].input, above[i]);
        if (given[i] || before == c->item[i].input)
            s = TPP_FAIL(TPP_EUSAGE, "two cases are called %s; one of them is %s", c->item[i].name,
                         c->item[i].input);
        else
            *again = true;
        if (s == TPP_OK) s = make_name(&c->item[i], ++above[i]);
    }
    tpp_table_free(&seen);
    return s;
}

static tpp_status check_twice(tpp_cases *c)
{
    tpp_table seen = {0};
    tpp_status s = TPP_OK;
    for (size_t i = 0; i < c->count && s == TPP_OK; i++) {
        bool fresh = false;
        if (tpp_table_put(&seen, c->item[i].input, &fresh) == NULL) s = TPP_ENOMEM;
        if (s == TPP_OK && !fresh) s = TPP_FAIL(TPP_EUSAGE, "%s: given twice", c->item[i].input);
    }
    tpp_table_free(&seen);
    return s;
}

tpp_status tpp_cases_name(tpp_cases *c)
{
    tpp_status s = check_twice(c);
    bool *given = NULL, again = true;
    int *above = NULL;
    if (s != TPP_OK) return s;
    TPP_NEW_OR(done, s, given, c->count + 1);
    TPP_NEW_OR(done, s, above, c->count + 1);
    for (size_t i = 0; i < c->count; i++) {
        given[i] = c->item[i].name != NULL;
        TPP_TRY_OR(done, s, given[i] ? check_given_name(&c->item[i]) : make_name(&c->item[i], 0));
    }
    while (again) TPP_TRY_OR(done, s, lengthen(c, given, above, &again));
    sort(c);
    if (c->count > 1) c->is_cohort = true;
done:
    tpp_free(given);
    tpp_free(above);
    return s;
}
