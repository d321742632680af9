/* tpp tune: the fastest algorithm and parameters for every shape of a configuration, on a device.
 * SPDX-License-Identifier: MIT */
#include "cli/cli.h"
#include "cli/json.h"
#include "cli/trial_options.h"
#include "core/mem.h"
#include "infer/tune.h"
#include "infer/tuning_file.h"
#include "infer/tuning_use.h"

#include <stdio.h>
#include <stdlib.h>

typedef struct tune_arguments {
    tpp_single_arguments trial;
    double limit, budget;
    bool all, dry_run, json, quiet;
} tune_arguments;

/* ---- what is shown while it runs ---- */

static const char *name_of(const tpp_tune_candidate *c, char out[100])
{
    const char *params = tpp_params_text(c->algorithm, &c->params);
    (void)snprintf(out, 100, "%s%s%s", c->algorithm->name, params[0] != '\0' ? " " : "", params);
    return out;
}

static double gain_percent(double before, double after)
{
    return before > 0 ? 100 * (before - after) / before : 0;
}

static void print_refused(const tpp_tune_shape *s)
{
    char name[100];
    for (int i = 0; i < s->n; i++)
        if (s->candidate[i].state == TPP_TUNE_REFUSED)
            (void)printf("    refused %s: %s\n", name_of(&s->candidate[i], name),
                         s->candidate[i].why);
}

static void print_shape(void *context, const tpp_tune_shape *s, int number, int count)
{
    const tune_arguments *a = context;
    char name[100];
    if (a->json || a->quiet) return;
    (void)printf("%3d/%d %-16s %-40s %5.1f %% ", number, count, s->op->name, s->bucket,
                 100 * s->share);
    if (!s->done)
        (void)printf("not tuned: %s\n", s->why);
    else if (s->best == 0)
        (void)printf("%8.3f ms, default: %s\n", s->default_ms, name_of(&s->candidate[0], name));
    else
        (void)printf("%8.3f ms -> %.3f ms, %4.1f %%: %s\n", s->default_ms, s->best_ms,
                     gain_percent(s->default_ms, s->best_ms),
                     name_of(&s->candidate[s->best], name));
    print_refused(s);
    (void)fflush(stdout);
}

static void print_end(const tpp_tune *t, const char *path, bool written, bool dry_run)
{
    int shapes = 0;
    for (int i = 0; i < t->n; i++) shapes += t->shape[i].done;
    (void)printf("%d shapes tuned, %d with another choice than the default", shapes, t->replaced);
    if (t->left_out > 0) (void)printf(", %d left out for want of time", t->left_out);
    if (t->given_up > 0) (void)printf(", %d given up for slower frames", t->given_up);
    (void)putchar('\n');
    if (t->before_ms > 0)
        (void)printf("a frame: %.1f ms before, %.1f ms with these choices (%.1f %%)\n",
                     t->before_ms, t->after_ms, gain_percent(t->before_ms, t->after_ms));
    if (t->replays_ms > 0)
        (void)printf("as command buffers: %.2f ms of %.2f ms (%.1f %%): %s\n", t->replays_ms,
                     t->launches_ms, gain_percent(t->launches_ms, t->replays_ms),
                     t->replays ? "used" : "not used");
    else if (t->replays_tried && !t->replays_right)
        (void)puts("as command buffers results are wrong: not used");
    if (written)
        (void)printf("written: %s\n", path);
    else if (dry_run && (t->faster || t->replays_changed))
        (void)printf("nothing was written (--dry-run); it would be %s\n", path);
    else if (t->changed == 0)
        (void)printf("nothing was written: %s\n",
                     t->replaced == 0 ? "the defaults are best" : "the file has these choices");
    else
        (void)printf("nothing was written: frames are not faster\n");
}

/* ---- as JSON ---- */

static const char *const state_words[] = {"untried", "measured", "slow", "refused"};

static json_t *candidate_json(const tpp_tune_candidate *c)
{
    return json_pack("{s:s, s:s, s:s, s:o, s:o}", "algorithm", c->algorithm->name, "parameters",
                     tpp_params_text(c->algorithm, &c->params), "state", state_words[c->state],
                     "ms", c->ms > 0 ? tpp_json_real(c->ms) : json_null(), "why",
                     c->why[0] != '\0' ? tpp_json_text(c->why) : json_null());
}

static json_t *shape_json(const tpp_tune_shape *s)
{
    json_t *candidates = json_array();
    for (int i = 0; i < s->n; i++) tpp_json_append(&candidates, candidate_json(&s->candidate[i]));
    return json_pack(
        "{s:s, s:s, s:f, s:o, s:o, s:o, s:b, s:o, s:o}", "op", s->op->name, "shapes", s->bucket,
        "share", s->share, "default_ms", s->done ? tpp_json_real(s->default_ms) : json_null(),
        "best_ms", s->done ? tpp_json_real(s->best_ms) : json_null(), "best",
        s->done ? json_integer(s->best) : json_null(), "given_up", s->given_up, "why",
        s->why[0] != '\0' ? tpp_json_text(s->why) : json_null(), "candidates", candidates);
}

static tpp_status print_json(const tpp_tune *t, const char *path, bool written)
{
    json_t *shapes = json_array();
    for (int i = 0; i < t->n; i++) tpp_json_append(&shapes, shape_json(&t->shape[i]));
    const bool compared = t->before_ms > 0, replayed = t->replays_ms > 0;
    return tpp_json_print(json_pack(
        "{s:o, s:i, s:i, s:i, s:i, s:o, s:o, s:o, s:o, s:b, s:o}", "shapes", shapes, "replaced",
        t->replaced, "changed", t->changed, "left_out", t->left_out, "given_up", t->given_up,
        "frame_ms_before", compared ? tpp_json_real(t->before_ms) : json_null(), "frame_ms_after",
        compared ? tpp_json_real(t->after_ms) : json_null(), "frame_ms_launches",
        replayed ? tpp_json_real(t->launches_ms) : json_null(), "frame_ms_command_buffers",
        replayed ? tpp_json_real(t->replays_ms) : json_null(), "command_buffers", t->replays,
        "written", written ? tpp_json_text(path) : json_null()));
}

/* ---- the command ---- */

static tpp_status tell(const tune_arguments *a, const tpp_tune *t, const char *path, bool written)
{
    if (a->json) return print_json(t, path, written);
    print_end(t, path, written, a->dry_run);
    return TPP_OK;
}

static tpp_status tune(tune_arguments *a, tpp_device *d, const struct tpp_model_config *config,
                       tpp_tune *t, const char *path)
{
    static char *const child[] = {"/proc/self/exe", TPP_TUNE_COMMAND, NULL};
    const char *device = a->trial.device != NULL ? a->trial.device : getenv("TPP_DEVICE");
    const tpp_trial_options trial = tpp_single_trial(&a->trial);
    const tpp_tune_options options = {.child = child,
                                      .device = device,
                                      .limit_s = a->limit,
                                      .budget_s = a->budget,
                                      .command_buffers = true,
                                      .all = a->all,
                                      .told = print_shape,
                                      .context = a};
    TPP_TRY(tpp_tune_run(t, d, config, &trial, &options));
    const bool written = (t->faster || t->replays_changed) && !a->dry_run;
    if (written) TPP_TRY(tpp_tuning_write(t->table, path, tpp_device_caps(d)));
    return tell(a, t, path, written);
}

static tpp_status open_device(tpp_device **out, char **path, const tune_arguments *a)
{
    tpp_device *d = NULL;
    TPP_TRY(tpp_cli_device(&d, a->trial.device, "none"));
    const tpp_status s = tpp_tuning_start(d, a->trial.common.tuning, path);
    if (s != TPP_OK) {
        tpp_device_close(d);
        return s;
    }
    *out = d;
    return TPP_OK;
}

static int run_tune(void *arguments)
{
    tune_arguments *a = arguments;
    struct tpp_model_config config;
    tpp_device *d = NULL;
    tpp_tune t = {0};
    char *path = NULL;
    bool on_input = true;
    tpp_status s = tpp_model_config_read(&config, a->trial.config, a->trial.common.sets.item,
                                         (size_t)a->trial.common.sets.count);
    if (s == TPP_OK) s = open_device(&d, &path, a);
    if (s == TPP_OK) {
        on_input = false;
        s = tune(a, d, &config, &t, path);
    }
    tpp_tune_free(&t);
    tpp_device_close(d);
    tpp_free(path);
    return tpp_exit_with("tune", s, on_input);
}

#define AT(member) offsetof(tune_arguments, member)
static const tpp_option options[] = {
    {0, "tuning", TPP_OPTION_TEXT, AT(trial.common.tuning), "FILE",
     .help = "write this file instead of the user's own; what it holds of other shapes stays",
     .completes = TPP_COMPLETE_FILE},
    {0, "all", TPP_OPTION_FLAG, AT(all), NULL,
     .help = "shapes of less than 0.2 % of a frame's time too"},
    {0, "limit", TPP_OPTION_REAL, AT(limit), "SECONDS",
     .help = "for one step of one candidate, which is refused beyond it", .min = 1, .max = 3600},
    {0, "budget", TPP_OPTION_REAL, AT(budget), "SECONDS",
     .help = "begin no further shape after so long; 0: no end", .min = 0, .max = 1e6},
    {0, "dry-run", TPP_OPTION_FLAG, AT(dry_run), NULL, .help = "measure, but write nothing"},
    {'j', "json", TPP_OPTION_FLAG, AT(json), NULL, .help = "as JSON, at the end"},
    {'q', "quiet", TPP_OPTION_FLAG, AT(quiet), NULL, .help = "the summary only"},
    {0},
};

static const tune_arguments defaults = {.trial = TPP_SINGLE_DEFAULTS, .limit = 30};

const tpp_command tpp_command_tune = {
    .name = "tune",
    .help = "find the fastest algorithms for a device",
    .synopsis = "[--config FILE] [--size HxW]",
    .about =
        "Measures, for the shapes of work in a configuration, every algorithm and tile that the\n"
        "device can run, in a process of its own, against the default. A candidate that differs\n"
        "from `plain`, hangs or crashes is refused; another replaces the default when it takes at\n"
        "least 3 % less time. Then whole frames are run with and without the new choices in turn,\n"
        "once more without the poorer half of them if frames are not faster, and only if they are\n"
        "the choices are written to a file that every command reads. Last, frames are run as\n"
        "command buffers, where the device has them, and the file says so if that is faster.",
    .examples = "  tpp tune --config configs/r50.yaml --size 360x640\n"
                "  tpp tune --config configs/r50.yaml --size 360x640 --ahead 4 --budget 300\n"
                "  tpp bench --config configs/r50.yaml --size 360x640 --tuning none\n",
    .notes = "Takes minutes; leave the machine alone meanwhile. Sizes and --ahead are part of the\n"
             "shapes: tune with those that you run. A file is for one device, driver and build of\n"
             "the program; for any other it is passed over with a warning.\n",
    .options = {&tpp_single_rows[TPP_SINGLE_CHOICE_ROWS], options, tpp_trial_rows},
    .defaults = &defaults,
    .size = sizeof(tune_arguments),
    .run = run_tune};
