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
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

/* What has come of the cases of this process. */
typedef struct tally {
    const tpp_cohort *c;
    tpp_segmenter *segmenter;
    int64_t run, skipped, failed;
    int code; /* of the last failure */
    int end;  /* not 0: the code of what ended the run before its last case */
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
    /* A dump is not among the results, so it is made again. */
    if (c->resume && c->options->dump == NULL) {
        TPP_TRY(tpp_case_key(&key, t->segmenter, input->input));
        TPP_TRY(tpp_case_is_done(&done, place, &key));
    }
    if (done) {
        t->skipped++;
        tpp_log(TPP_LOG_INFO, "segment", "%s: done already", place);
        return TPP_OK;
    }
    const tpp_case one = {.name = input->name,
                          .input = input->input,
                          .output = place,
                          .key = key.hex[0] != '\0' ? key.hex : NULL};
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
static void note_end(tally *t, const tpp_case_input *input, tpp_status s, bool on_input)
{
    const tpp_cohort *c = t->c;
    if (s != TPP_OK) t->code = tpp_exit_with("segment", s, on_input);
    if (s != TPP_OK && was_stopped(c)) return; /* it did not fail */
    t->failed += s != TPP_OK;
    if (c->cases->is_cohort) {
        const char *error = s != TPP_OK ? tpp_error() : NULL;
        const tpp_status noted = tpp_cohort_note(c->output, input, error);
        if (noted != TPP_OK) t->end = tpp_exit_with("segment", noted, false);
    }
    if (ends_everything(s)) t->end = t->code;
}

static void handle_case(tally *t, const tpp_case_input *input)
{
    const tpp_cohort *c = t->c;
    bool on_input = true;
    char *place =
        c->cases->is_cohort ? tpp_path_join(c->output, input->name) : tpp_strdup(c->output);
    tpp_warnings_free(c->warnings); /* of the case before */
    tpp_progress_case(c->progress, input->name);
    const tpp_status s = place != NULL ? run_case(t, input, place, &on_input) : TPP_ENOMEM;
    tpp_progress_case_end(c->progress, s == TPP_OK ? NULL : tpp_error());
    tpp_free(place);
    note_end(t, input, s, on_input);
}

/* ---- a process's share ---- */

static int64_t share_of(const tpp_cohort *c)
{
    return ((int64_t)c->cases->count - c->rank + c->size - 1) / c->size;
}

static tpp_status open_tally(tally *t)
{
    TPP_TRY(tpp_segmenter_open(&t->segmenter, t->c->options));
    return t->c->cases->is_cohort ? tpp_path_make_folder(t->c->output) : TPP_OK;
}

static int exit_code(const tally *t)
{
    if (was_stopped(t->c)) return TPP_EXIT_SIGNAL + *t->c->stop;
    if (t->end != 0) return t->end;
    if (t->failed == 0) return TPP_EXIT_OK;
    return t->c->cases->count == 1 ? t->code : TPP_EXIT_SOME_FAILED;
}

static int run_cases(tally *t)
{
    const tpp_cohort *c = t->c;
    tpp_status s = open_tally(t);
    if (s != TPP_OK) return tpp_exit_with("segment", s, true);
    for (size_t i = (size_t)c->rank; i < c->cases->count && t->end == 0 && !was_stopped(c);
         i += (size_t)c->size)
        handle_case(t, &c->cases->item[i]);
    if (!c->cases->is_cohort) return exit_code(t);
    s = tpp_cohort_report(c->output, c->cases, c->options->version);
    if (s != TPP_OK && t->end == 0) t->end = tpp_exit_with("segment", s, false);
    if (!c->quiet)
        (void)printf("%s: %" PRId64 " of %" PRId64 " cases done%s, %" PRId64 " failed\n", c->output,
                     t->run + t->skipped, share_of(c), c->size > 1 ? " by this process" : "",
                     t->failed);
    return exit_code(t);
}

static int run_share(const tpp_cohort *c)
{
    tally t = {.c = c};
    c->progress->cases = share_of(c);
    const int code = run_cases(&t);
    tpp_segmenter_close(t.segmenter);
    return code;
}

/* ---- several devices ---- */

/* Worst first: a signal's, a code of the machine, then that some failed. */
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

static int code_of(int status)
{
    return WIFSIGNALED(status) ? TPP_EXIT_SIGNAL + WTERMSIG(status) : WEXITSTATUS(status);
}

static int child_code(pid_t child)
{
    int status = 0;
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR) return TPP_EXIT_FAILED;
    return code_of(status);
}

/* Waits for all; a signal that this process gets is passed on once. */
static void wait_for(const tpp_cohort *c, const pid_t *child, int *codes, int n)
{
    static const struct timespec pause = {.tv_nsec = 20000000};
    bool passed_on = false, ended[TPP_COHORT_MAX_DEVICES] = {false};
    for (int left = n; left > 0; (void)nanosleep(&pause, NULL)) {
        const bool pass_on = was_stopped(c) && !passed_on;
        for (int k = 0; k < n; k++) {
            int status = 0;
            if (ended[k]) continue;
            if (pass_on && child[k] > 0) (void)kill(child[k], *c->stop);
            const pid_t got = child[k] > 0 ? waitpid(child[k], &status, WNOHANG) : -1;
            if (got == 0 || (got < 0 && errno == EINTR)) continue;
            codes[k] = got > 0 ? code_of(status) : TPP_EXIT_FAILED;
            ended[k] = true;
            left--;
        }
        passed_on = passed_on || pass_on;
    }
}

/* A process that outlived a killed first one would meet the run that continues. */
static void end_with(pid_t parent)
{
#ifdef __linux__
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
    if (getppid() != parent) _exit(TPP_EXIT_FAILED);
}

static int run_on_device(const tpp_cohort *c, const char *device, int k, int n)
{
    tpp_segment_options options = *c->options;
    tpp_cohort share = *c;
    options.device = device;
    share.options = &options;
    share.rank = c->rank + k * c->size;
    share.size = c->size * n;
    /* Bars of several processes would overwrite each other. */
    if (c->progress->kind == TPP_PROGRESS_BAR) c->progress->kind = TPP_PROGRESS_PLAIN;
    return run_share(&share);
}

static int run_on_devices(const tpp_cohort *c, const char *const *devices, int n)
{
    pid_t child[TPP_COHORT_MAX_DEVICES] = {0};
    int codes[TPP_COHORT_MAX_DEVICES] = {0};
    const pid_t parent = getpid();
    (void)fflush(NULL);
    for (int k = 0; k < n; k++) {
        child[k] = fork();
        if (child[k] == 0) {
            end_with(parent);
            const int code = run_on_device(c, devices[k], k, n);
            (void)fflush(NULL);
            _exit(code);
        }
        if (child[k] < 0)
            tpp_log(TPP_LOG_WARN, "segment",
                    "no process for device %s: %s; --continue runs what it would have had",
                    devices[k], strerror(errno));
    }
    wait_for(c, child, codes, n);
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

/* ---- the cohort ---- */

/* Processes that share a cohort begin when others have results already: each looks at its own. */
static tpp_status check_output(const tpp_cohort *c)
{
    if (!c->cases->is_cohort || c->resume || c->options->overwrite) return TPP_OK;
    if (c->size == 1) return tpp_cohort_check_free(c->output, NULL);
    for (size_t i = (size_t)c->rank; i < c->cases->count; i += (size_t)c->size)
        TPP_TRY(tpp_cohort_check_free(c->output, &c->cases->item[i]));
    return TPP_OK;
}

static tpp_status sweep(const tpp_cohort *c)
{
    if (!c->resume && !c->options->overwrite) return TPP_OK;
    if (c->cases->is_cohort) return tpp_cohort_sweep(c->output, c->cases, c->rank, c->size);
    tpp_out_folder_sweep(c->output);
    return TPP_OK;
}

int tpp_cohort_run(const tpp_cohort *c, const char *const *devices, int n)
{
    const int64_t share = share_of(c);
    tpp_status s = check_output(c);
    if (s == TPP_OK) s = sweep(c);
    if (s != TPP_OK) return tpp_exit_with("segment", s, true);
    if (share < n) n = share > 0 ? (int)share : 1;
    return n > 1 ? run_on_devices(c, devices, n) : run_share(c);
}
