/* Runs a process's share of a cohort.
 * SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "cli/cohort.h"

#include "cli/cli.h"
#include "cli/cohort_report.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/path.h"
#include "core/str.h"
#include "infer/case_key.h"
#include "infer/out_folder.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* What has come of the cases of this process. */
typedef struct tally {
    const tpp_cohort *c;
    tpp_segmenter *segmenter;
    int64_t run, skipped, failed;
    int code; /* of the last failure */
} tally;

static bool was_stopped(const tpp_cohort *c)
{
    return *c->stop != 0;
}

/* ---- one case ---- */

static void print_results(const tally *t, const char *place, const tpp_segment_result *r)
{
    const tpp_targets *targets = t->c->options->targets;
    const char *means =
        tpp_segmenter_is_synthetic(t->segmenter) ? " (synthetic weights: this means nothing)" : "";
    for (int i = 0; i < targets->count && !t->c->quiet; i++) {
        const tpp_target *x = &targets->item[i];
        if (r->found[i] > 0)
            (void)printf("%s: %s was found in %" PRId64 " of %" PRId64
                         " frames, highest score %.3f%s\n",
                         place, x->title, r->found[i], r->frames, (double)r->best_score[i], means);
        else
            (void)printf("%s: %s was not found in %" PRId64 " frames, highest score %.3f%s\n",
                         place, x->title, r->frames, (double)r->best_score[i], means);
    }
}

static void clear_warnings(tpp_warnings *w)
{
    tpp_warnings_free(w);
}

/* Runs a case into `place`; *on_input as tpp_segmenter_run. */
static tpp_status run_case(tally *t, const tpp_case_input *input, const char *place, bool *on_input)
{
    const tpp_cohort *c = t->c;
    tpp_segment_result result = {0};
    tpp_sha256 key = {""};
    bool done = false;
    *on_input = true;
    if (!tpp_path_exists(input->input))
        return TPP_FAIL(TPP_EIO, "%s: there is no such file or folder", input->input);
    if (c->resume) {
        TPP_TRY(tpp_case_key(&key, t->segmenter, input->input));
        TPP_TRY(tpp_case_is_done(&done, place, &key));
    }
    if (done) {
        t->skipped++;
        tpp_log(TPP_LOG_INFO, "segment", "%s: done already", place);
        return TPP_OK;
    }
    if (c->resume || c->options->overwrite) tpp_out_folder_sweep(place);
    const tpp_case one = {.name = input->name,
                          .input = input->input,
                          .output = place,
                          .key = c->resume ? key.hex : NULL};
    TPP_TRY(tpp_segmenter_run(t->segmenter, &one, &result, on_input));
    t->run++;
    print_results(t, place, &result);
    return TPP_OK;
}

/* A device that was lost does not come back for the cases that are left. */
static bool ends_everything(tpp_status s)
{
    return s == TPP_EDEVICE || s == TPP_EOPENCL;
}

/* In a cohort a failure is written down, and the others go on. */
static tpp_status handle_case(tally *t, size_t i)
{
    const tpp_cohort *c = t->c;
    const tpp_case_input *input = &c->cases->item[i];
    bool on_input = true;
    char *place =
        c->cases->is_cohort ? tpp_path_join(c->output, input->name) : tpp_strdup(c->output);
    if (place == NULL) return TPP_ENOMEM;
    clear_warnings(c->warnings);
    tpp_progress_case(c->progress, input->name);
    const tpp_status s = run_case(t, input, place, &on_input);
    tpp_progress_case_end(c->progress, s == TPP_OK ? NULL : tpp_error());
    tpp_free(place);
    const bool stopped = s != TPP_OK && was_stopped(c);
    if (s != TPP_OK) {
        t->failed++;
        t->code = tpp_exit_with("segment", s, on_input);
    }
    if (!c->cases->is_cohort || stopped) return TPP_OK;
    const tpp_status noted = tpp_cohort_note(c->output, input, s == TPP_OK ? NULL : tpp_error());
    return noted != TPP_OK ? noted : ends_everything(s) ? s : TPP_OK;
}

/* ---- all cases ---- */

/* Results go into folders below `output`, whose own files are only the reports. */
static tpp_status check_output(const tpp_cohort *c)
{
    tpp_names names = {0};
    if (!c->cases->is_cohort || c->resume || c->options->overwrite || c->size > 1) return TPP_OK;
    if (!tpp_path_exists(c->output)) return TPP_OK;
    if (!tpp_path_is_folder(c->output))
        return TPP_FAIL(TPP_EUSAGE, "%s: results go into a folder, and this is a file", c->output);
    TPP_TRY(tpp_path_list(&names, c->output, NULL));
    const size_t files = names.count;
    tpp_names_free(&names);
    if (files == 0) return TPP_OK;
    return TPP_FAIL(TPP_EUSAGE,
                    "%s: the folder is not empty; --continue runs what is missing, --overwrite "
                    "everything",
                    c->output);
}

static tpp_status open_tally(tally *t)
{
    TPP_TRY(check_output(t->c));
    TPP_TRY(tpp_segmenter_open(&t->segmenter, t->c->options));
    return t->c->cases->is_cohort ? tpp_path_make_folder(t->c->output) : TPP_OK;
}

static int exit_code(const tally *t)
{
    if (t->failed == 0) return TPP_EXIT_OK;
    const bool all = t->failed == t->failed + t->run + t->skipped;
    if (!t->c->cases->is_cohort || t->code == TPP_EXIT_DEVICE) return t->code;
    return all && t->failed == 1 ? t->code : TPP_EXIT_SOME_FAILED;
}

static int run_share(tally *t)
{
    const tpp_cohort *c = t->c;
    tpp_status s = open_tally(t);
    if (s != TPP_OK) return tpp_exit_with("segment", s, true);
    for (size_t i = (size_t)c->rank; i < c->cases->count && s == TPP_OK && !was_stopped(c);
         i += (size_t)c->size)
        s = handle_case(t, i);
    if (s != TPP_OK && t->code == 0) t->code = tpp_exit_with("segment", s, false);
    if (c->cases->is_cohort) {
        s = tpp_cohort_report(c->output, c->cases, c->options->version);
        if (s != TPP_OK && t->code == 0) t->code = tpp_exit_with("segment", s, false);
        if (s != TPP_OK && t->failed == 0) return t->code;
    }
    return was_stopped(c) ? TPP_EXIT_SIGNAL + *c->stop : exit_code(t);
}

int tpp_cohort_run(const tpp_cohort *c)
{
    tally t = {.c = c};
    int64_t mine = 0;
    for (size_t i = (size_t)c->rank; i < c->cases->count; i += (size_t)c->size) mine++;
    const int code = run_share(&t);
    if (c->cases->is_cohort && t.segmenter != NULL && !c->quiet)
        (void)printf("%s: %" PRId64 " of %" PRId64 " cases done%s, %" PRId64 " failed\n", c->output,
                     t.run + t.skipped, mine, c->size > 1 ? " by this process" : "", t.failed);
    tpp_segmenter_close(t.segmenter);
    return code;
}

/* ---- several devices ---- */

/* Worst first: a code of the machine, then of a signal, then some or all failed. */
static int join_codes(const int *codes, int n)
{
    int worst = TPP_EXIT_OK;
    bool same = true;
    for (int k = 0; k < n; k++) {
        same = same && codes[k] == codes[0];
        if (codes[k] > worst) worst = codes[k];
    }
    if (same || worst > TPP_EXIT_SOME_FAILED) return worst;
    return TPP_EXIT_SOME_FAILED;
}

static int child_code(pid_t child)
{
    int status = 0;
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR) return TPP_EXIT_FAILED;
    if (WIFSIGNALED(status)) return TPP_EXIT_SIGNAL + WTERMSIG(status);
    return WEXITSTATUS(status);
}

int tpp_cohort_run_devices(const tpp_cohort *c, const char *const *devices, int n)
{
    pid_t child[64] = {0};
    int codes[64] = {0};
    (void)fflush(NULL);
    for (int k = 0; k < n; k++) {
        child[k] = fork();
        if (child[k] == 0) {
            tpp_segment_options options = *c->options;
            tpp_cohort share = *c;
            options.device = devices[k];
            share.options = &options;
            share.rank = c->rank + k * c->size;
            share.size = c->size * n;
            const int code = tpp_cohort_run(&share);
            (void)fflush(NULL);
            _exit(code);
        }
        if (child[k] < 0)
            tpp_log(TPP_LOG_WARN, "segment",
                    "no process for device %s: %s; --continue runs what "
                    "it would have had",
                    devices[k], strerror(errno));
    }
    for (int k = 0; k < n; k++) codes[k] = child[k] > 0 ? child_code(child[k]) : TPP_EXIT_FAILED;
    return join_codes(codes, n);
}

int tpp_cohort_count_devices(void)
{
    int ends[2], count = 0;
    if (pipe(ends) != 0) return 0;
    const pid_t child = fork();
    if (child == 0) {
        tpp_caps *list = NULL;
        if (tpp_device_list(&list, &count) != TPP_OK) count = 0;
        const bool told = write(ends[1], &count, sizeof(count)) == (ssize_t)sizeof(count);
        _exit(told ? 0 : 1);
    }
    (void)close(ends[1]);
    if (child < 0 || read(ends[0], &count, sizeof(count)) != (ssize_t)sizeof(count)) count = 0;
    (void)close(ends[0]);
    if (child > 0) (void)child_code(child);
    return count;
}
