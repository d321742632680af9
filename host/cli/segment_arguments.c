/* From the command line of `segment` to targets, cases and devices.
 * SPDX-License-Identifier: MIT */
#include "cli/segment_arguments.h"

#include "cli/cli.h"
#include "core/mem.h"
#include "core/str.h"
#include "infer/selftest.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void segment_plan_free(segment_plan *p)
{
    tpp_targets_free(&p->targets);
    tpp_cases_free(&p->cases);
    tpp_free(p->devices);
    *p = (segment_plan){0};
}

/* ---- kinds of pictures ---- */

/* What people say, what DICOM says, and the library's view. */
static const struct {
    const char *word, *dicom, *view;
} modalities[] = {
    {"ct", "CT", "ct"},  {"mri", "MR", "mri"},       {"mr", "MR", "mri"},
    {"us", "US", "us"},  {"ultrasound", "US", "us"}, {"endoscopy", "ES", "endoscopy"},
    {"pet", "PT", NULL},
};
enum { MODALITIES = sizeof(modalities) / sizeof(modalities[0]) };

const char *tpp_modality_word(int i)
{
    return i < MODALITIES ? modalities[i].word : NULL;
}

const char *tpp_axis_word(int i)
{
    return i < TPP_AXIS_COUNT ? tpp_axis_text((tpp_axis)i) : NULL;
}

static int find_modality(const char *word)
{
    int i = 0;
    while (i < MODALITIES && strcmp(modalities[i].word, word) != 0) i++;
    return i;
}

/* ---- what to look for ---- */

/* Of the prompt library; NULL: the one that there is. */
static const char *view_of(const segment_arguments *a)
{
    return a->modality != NULL ? modalities[find_modality(a->modality)].view : NULL;
}

static tpp_status add_structures(segment_plan *p, const segment_arguments *a)
{
    tpp_prompts library = {0};
    const char *view = view_of(a);
    if (a->structures.count == 0) return TPP_OK;
    if (a->modality != NULL && view == NULL)
        return TPP_FAIL(TPP_EUSAGE, "the prompt library has no sentences for --modality %s",
                        a->modality);
    char *path = tpp_cli_data("configs/prompts.yaml", "configs/prompts.yaml", NULL);
    if (path == NULL)
        return TPP_FAIL(TPP_EIO, "the prompt library (configs/prompts.yaml) was not found");
    tpp_status s = tpp_prompts_read(&library, path);
    for (int i = 0; i < a->structures.count && s == TPP_OK; i++)
        s = tpp_targets_add_structure(&p->targets, &library, a->structures.item[i], view);
    tpp_prompts_free(&library);
    tpp_free(path);
    return s;
}

static tpp_status add_targets(segment_plan *p, const segment_arguments *a)
{
    if (a->prompts.count > 0)
        TPP_TRY(tpp_targets_add_sentences(&p->targets, NULL, a->prompts.item, a->prompts.count));
    TPP_TRY(add_structures(p, a));
    for (int i = 0; i < a->prompt_files.count; i++)
        TPP_TRY(tpp_targets_read(&p->targets, a->prompt_files.item[i], view_of(a)));
    if (p->targets.count > 0) return TPP_OK;
    return TPP_FAIL(TPP_EUSAGE, "nothing to look for: wanted --prompt \"a sentence\", --structure "
                                "NAME or --prompts FILE");
}

/* ---- cases ---- */

static tpp_status add_cases(segment_plan *p, const segment_arguments *a)
{
    for (int i = 0; i < a->inputs.count; i++) TPP_TRY(tpp_cases_add(&p->cases, a->inputs.item[i]));
    TPP_TRY(tpp_cases_name(&p->cases));
    if (a->job.dump != NULL && p->cases.is_cohort)
        return TPP_FAIL(TPP_EUSAGE, "--dump follows one case");
    return TPP_OK;
}

static bool read_number(int *out, const char *text)
{
    char *end = NULL;
    if (text == NULL) return false;
    errno = 0;
    const long v = strtol(text, &end, 10);
    if (end == text || *end != '\0' || errno != 0 || v < 0 || v > 1000000) return false;
    *out = (int)v;
    return true;
}

/* What Slurm says, of a step's tasks or else of a job array. */
static void ask_slurm(int *rank, int *size)
{
    int r = 0, n = 0, first = 0;
    if (read_number(&r, getenv("SLURM_PROCID")) && read_number(&n, getenv("SLURM_NTASKS")) &&
        n > 1 && r < n) {
        *rank = r;
        *size = n;
    } else if (read_number(&r, getenv("SLURM_ARRAY_TASK_ID")) &&
               read_number(&first, getenv("SLURM_ARRAY_TASK_MIN")) &&
               read_number(&n, getenv("SLURM_ARRAY_TASK_COUNT")) && n > 1 && r >= first &&
               r - first < n) {
        *rank = r - first;
        *size = n;
    }
}

static tpp_status choose_share(segment_arguments *a)
{
    if ((a->rank < 0) != (a->size == 0))
        return TPP_FAIL(TPP_EUSAGE, "--rank and --size go together");
    if (a->size > 0 && a->rank >= a->size)
        return TPP_FAIL(TPP_EUSAGE, "--rank %d of --size %d: ranks are 0 to %d", a->rank, a->size,
                        a->size - 1);
    if (a->size > 0) return TPP_OK;
    a->rank = 0;
    a->size = 1;
    ask_slurm(&a->rank, &a->size);
    return TPP_OK;
}

/* ---- devices ---- */

static tpp_status add_device(segment_plan *p, const char *text)
{
    if (p->n_devices == TPP_COHORT_MAX_DEVICES)
        return TPP_FAIL(TPP_EUSAGE, "more than %d devices", (int)TPP_COHORT_MAX_DEVICES);
    if (text[0] == '\0') return TPP_FAIL(TPP_EUSAGE, "--device: an empty name between two commas");
    p->device[p->n_devices++] = text;
    return TPP_OK;
}

static tpp_status list_all_devices(segment_plan *p)
{
    tpp_str text = {0};
    const int n = tpp_cohort_count_devices();
    if (n < 1) return TPP_FAIL(TPP_EDEVICE, "--device all: no OpenCL device was found");
    for (int i = 0; i < n && i < TPP_COHORT_MAX_DEVICES; i++)
        tpp_str_format(&text, "%s%d", i > 0 ? "," : "", i);
    p->devices = text.text;
    return text.status;
}

/* "0,1" and "all" are several; everything else is one, and tpp_device_open's to understand. */
static tpp_status choose_devices(segment_plan *p, segment_arguments *a)
{
    if (a->job.device == NULL) a->job.device = getenv("TPP_DEVICE");
    if (a->job.device == NULL) return TPP_OK;
    if (strcmp(a->job.device, "all") == 0) {
        TPP_TRY(list_all_devices(p));
    } else {
        p->devices = tpp_strdup(a->job.device);
        if (p->devices == NULL) return TPP_ENOMEM;
    }
    for (char *at = p->devices; at != NULL;) {
        char *comma = strchr(at, ',');
        if (comma != NULL) *comma = '\0';
        TPP_TRY(add_device(p, at));
        at = comma != NULL ? comma + 1 : NULL;
    }
    a->job.device = p->device[0];
    return TPP_OK;
}

/* ---- the job ---- */

static tpp_status add_setting(segment_arguments *a, const char *text)
{
    if (a->sets.count == TPP_MAX_REPEATS)
        return TPP_FAIL(TPP_EUSAGE, "--set: given more than %d times", (int)TPP_MAX_REPEATS);
    a->sets.item[a->sets.count++] = text;
    return TPP_OK;
}

static tpp_status choose_window(segment_plan *p, segment_arguments *a)
{
    if (a->percentile == NULL) return TPP_OK;
    if (a->job.frames.window != NULL)
        return TPP_FAIL(TPP_EUSAGE, "--window and --percentile: one of them");
    const char *colon = strchr(a->percentile, ':');
    if (colon == NULL || strlen(a->percentile) > 40)
        return TPP_FAIL(TPP_EUSAGE, "--percentile wants LOW:HIGH, such as 1:99, not \"%.40s\"",
                        a->percentile);
    (void)snprintf(p->window, sizeof(p->window), "%.*s%%:%s%%", (int)(colon - a->percentile),
                   a->percentile, colon + 1);
    a->job.frames.window = p->window;
    return TPP_OK;
}

static tpp_status choose_start(segment_arguments *a)
{
    int frame = 0;
    if (a->start == NULL) return TPP_OK;
    if (strcmp(a->start, "auto") == 0) {
        a->job.start.kind = TPP_START_AUTO;
    } else if (read_number(&frame, a->start)) {
        a->job.start = (tpp_start){.kind = TPP_START_FRAME, .frame = frame};
    } else {
        return TPP_FAIL(TPP_EUSAGE, "--start wants a frame's number or auto, not \"%.40s\"",
                        a->start);
    }
    return TPP_OK;
}

static tpp_status fill_job(segment_plan *p, segment_arguments *a)
{
    tpp_segment_options *j = &a->job;
    if (a->threshold >= 0) {
        (void)snprintf(p->threshold, sizeof(p->threshold), "infer.threshold=%.17g", a->threshold);
        TPP_TRY(add_setting(a, p->threshold));
    }
    if (a->presence >= 0) {
        (void)snprintf(p->presence, sizeof(p->presence), "infer.min_score=%.17g", a->presence);
        TPP_TRY(add_setting(a, p->presence));
    }
    for (int i = 0; i < TPP_AXIS_COUNT; i++)
        if (strcmp(a->axis, tpp_axis_text((tpp_axis)i)) == 0) j->frames.axis = (tpp_axis)i;
    if (a->modality != NULL) j->frames.modality = modalities[find_modality(a->modality)].dicom;
    /* Results that are there and are not those of this run are in the way of both. */
    j->overwrite = j->overwrite || a->resume;
    j->frames.has_time = a->time >= 0;
    j->frames.time = a->time;
    j->overrides = a->sets.item;
    j->n_overrides = a->sets.count;
    j->targets = &p->targets;
    j->version = tpp_cli_version();
    TPP_TRY(choose_window(p, a));
    return choose_start(a);
}

static tpp_status check(const segment_arguments *a)
{
    if (a->inputs.count == 0)
        return TPP_FAIL(
            TPP_EUSAGE,
            "--input is wanted: a volume, DICOM series, folder of pictures, picture or video");
    if (a->output == NULL)
        return TPP_FAIL(TPP_EUSAGE, "--output is wanted: a folder for the results");
    if (a->job.model == NULL)
        return TPP_FAIL(TPP_EUSAGE, "--model is wanted: a model folder (tpp weights synth makes "
                                    "one)");
    return tpp_algorithm_check(a->job.algorithm);
}

tpp_status segment_plan_make(segment_plan *p, segment_arguments *a)
{
    TPP_TRY(check(a));
    TPP_TRY(choose_share(a));
    TPP_TRY(fill_job(p, a));
    TPP_TRY(add_targets(p, a));
    TPP_TRY(add_cases(p, a));
    return choose_devices(p, a);
}
