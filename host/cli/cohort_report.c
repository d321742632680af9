/* Failures, leftovers and the report of a cohort.
 * SPDX-License-Identifier: MIT */
#define _DEFAULT_SOURCE /* flock */
#include "cli/cohort_report.h"

#include "core/mem.h"
#include "core/path.h"
#include "core/str.h"
#include "core/table.h"
#include "infer/json_file.h"
#include "infer/out_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

enum { MAX_NOTE = 1 << 20, NAME_SIZE = 256 };

static const char report_name[] = "report.json", note_ending[] = ".failed.json";

static char *note_path(const char *output, const char *name)
{
    tpp_str s = {0};
    tpp_str_format(&s, "%s/%s%s", output, name, note_ending);
    return s.text;
}

tpp_status tpp_cohort_note(const char *output, const tpp_case_input *c, const char *error)
{
    char *path = note_path(output, c->name);
    if (path == NULL) return TPP_ENOMEM;
    tpp_status s = TPP_OK;
    if (error != NULL) {
        json_t *j = json_pack("{s:o, s:o, s:o}", "case", tpp_json_text(c->name), "input",
                              tpp_json_text(c->input), "error", tpp_json_text(error));
        s = tpp_json_write_file(path, j);
        json_decref(j);
    } else if (tpp_path_exists(path) && (tpp_path_step(), unlink(path)) != 0) {
        s = TPP_FAIL(TPP_EIO, "%s: cannot remove: %s", path, strerror(errno));
    }
    tpp_free(path);
    return s;
}

/* ---- before the run ---- */

static tpp_status check_entries(const char *folder)
{
    bool empty = true;
    if (!tpp_path_exists(folder)) return TPP_OK;
    if (!tpp_path_is_folder(folder))
        return TPP_FAIL(TPP_EUSAGE, "%s: results go into a folder, and this is a file", folder);
    TPP_TRY(tpp_path_is_empty(&empty, folder));
    if (empty) return TPP_OK;
    return TPP_FAIL(TPP_EUSAGE,
                    "%s: the folder is not empty; --continue runs what is missing, --overwrite "
                    "everything",
                    folder);
}

tpp_status tpp_cohort_check_free(const char *output, const tpp_case_input *c)
{
    if (c == NULL) return check_entries(output);
    char *place = tpp_path_join(output, c->name);
    if (place == NULL) return TPP_ENOMEM;
    const tpp_status s = check_entries(place);
    tpp_free(place);
    return s;
}

/* `name` is a case's or, of a file, that of its note. */
static bool is_mine(const void *context, const char *name, bool is_folder)
{
    char of[NAME_SIZE];
    const size_t n = strlen(name), m = sizeof(note_ending) - 1;
    const bool is_note = n > m && strcmp(name + n - m, note_ending) == 0;
    if (n >= sizeof(of) || is_folder == is_note) return false;
    (void)snprintf(of, sizeof(of), "%.*s", (int)(is_note ? n - m : n), name);
    return tpp_table_find(context, of) != NULL;
}

tpp_status tpp_cohort_sweep(const char *output, const tpp_cases *cases, int rank, int size)
{
    tpp_table mine = {0};
    tpp_status s = TPP_OK;
    for (size_t i = (size_t)rank; i < cases->count && s == TPP_OK; i += (size_t)size)
        if (tpp_table_put(&mine, cases->item[i].name, NULL) == NULL) s = TPP_ENOMEM;
    if (s == TPP_OK) tpp_out_folder_sweep_in(output, is_mine, &mine);
    tpp_table_free(&mine);
    return s;
}

/* ---- the report ---- */

static json_t *failure_of(const char *output, const char *name)
{
    char *path = note_path(output, name), *text = NULL;
    size_t size = 0;
    json_t *note = NULL, *error = NULL;
    if (path != NULL && tpp_path_exists(path) &&
        tpp_file_read(&text, &size, path, MAX_NOTE) == TPP_OK)
        note = json_loadb(text, size, 0, NULL);
    error = json_incref(json_object_get(note, "error"));
    json_decref(note);
    tpp_free(text);
    tpp_free(path);
    return error;
}

static bool has_results(const char *output, const char *name)
{
    tpp_str s = {0};
    tpp_str_format(&s, "%s/%s/%s", output, name, report_name);
    const bool there = s.text != NULL && tpp_path_exists(s.text);
    tpp_str_free(&s);
    return there;
}

/* What has come of a case, by what lies in the folder. */
static json_t *case_json(const char *output, const tpp_case_input *c, int counts[3])
{
    static const char *const states[] = {"done", "failed", "missing"};
    json_t *error = failure_of(output, c->name);
    const int state = error != NULL ? 1 : has_results(output, c->name) ? 0 : 2;
    counts[state]++;
    return json_pack("{s:o, s:o, s:s, s:o*}", "case", tpp_json_text(c->name), "input",
                     tpp_json_text(c->input), "state", states[state], "error", error);
}

static tpp_status write_report(const char *output, const tpp_cases *cases, const char *version)
{
    int counts[3] = {0};
    json_t *list = json_array();
    for (size_t i = 0; i < cases->count; i++)
        tpp_json_append(&list, case_json(output, &cases->item[i], counts));
    json_t *j =
        json_pack("{s:s, s:b, s:s, s:s, s:i, s:i, s:i, s:o}", "schema", "tpp-cohort-1",
                  "not_for_clinical_use", 1, "notice", TPP_NOTICE, "version", version, "done",
                  counts[0], "failed", counts[1], "missing", counts[2], "cases", list);
    char *path = tpp_path_join(output, report_name);
    const tpp_status s = path != NULL ? tpp_json_write_file(path, j) : TPP_ENOMEM;
    tpp_free(path);
    json_decref(j);
    return s;
}

static bool is_report(const void *context, const char *name, bool is_folder)
{
    (void)context;
    return !is_folder && strcmp(name, report_name) == 0;
}

tpp_status tpp_cohort_report(const char *output, const tpp_cases *cases, const char *version)
{
    const int lock = open(output, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (lock < 0) return TPP_FAIL(TPP_EIO, "%s: cannot open: %s", output, strerror(errno));
    /* Where the file system has no locks, the last to write wins. */
    if (flock(lock, LOCK_EX) == 0) tpp_out_folder_sweep_in(output, is_report, NULL);
    const tpp_status s = write_report(output, cases, version);
    (void)close(lock);
    return s;
}
