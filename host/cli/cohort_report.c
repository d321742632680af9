/* Failures and the report of a cohort.
 * SPDX-License-Identifier: MIT */
#define _DEFAULT_SOURCE /* flock */
#include "cli/cohort_report.h"

#include "core/mem.h"
#include "core/path.h"
#include "core/str.h"
#include "infer/json_file.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

enum { MAX_NOTE = 1 << 20 };

static char *note_path(const char *output, const char *name)
{
    tpp_str s = {0};
    tpp_str_format(&s, "%s/%s.failed.json", output, name);
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
    } else if (unlink(path) != 0 && errno != ENOENT) {
        s = TPP_FAIL(TPP_EIO, "%s: cannot remove: %s", path, strerror(errno));
    }
    tpp_free(path);
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
    tpp_str_format(&s, "%s/%s/report.json", output, name);
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
    char *path = tpp_path_join(output, "report.json");
    const tpp_status s = path != NULL ? tpp_json_write_file(path, j) : TPP_ENOMEM;
    tpp_free(path);
    json_decref(j);
    return s;
}

tpp_status tpp_cohort_report(const char *output, const tpp_cases *cases, const char *version)
{
    const int lock = open(output, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (lock < 0) return TPP_FAIL(TPP_EIO, "%s: cannot open: %s", output, strerror(errno));
    (void)flock(lock, LOCK_EX); /* where the file system has no locks, the last to write wins */
    const tpp_status s = write_report(output, cases, version);
    (void)close(lock);
    return s;
}
