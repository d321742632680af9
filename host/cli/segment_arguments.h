/* What `segment` was asked for, and what that means: targets, cases, devices.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_CLI_SEGMENT_ARGUMENTS_H
#define TPP_CLI_SEGMENT_ARGUMENTS_H

#include "cli/cohort.h"
#include "cli/options.h"
#include "infer/cases.h"
#include "infer/segment.h"
#include "infer/target.h"

#include <stdbool.h>

typedef struct segment_arguments {
    tpp_segment_options job;
    tpp_list inputs, prompts, prompt_files, structures, sets;
    const char *output, *modality, *start, *axis, *percentile, *progress;
    double threshold, presence; /* negative: the model's own */
    int time;                   /* negative: none */
    int rank, size;             /* negative, 0: Slurm's, or alone */
    bool resume, quiet;
} segment_arguments;

/* Zero-initialise; free in any state. Holds what the arguments point to. */
typedef struct segment_plan {
    tpp_targets targets;
    tpp_cases cases;
    const char *device[TPP_COHORT_MAX_DEVICES];
    char *devices; /* their text */
    int n_devices; /* 0: one, by job.device */
    char threshold[64], presence[64], window[64];
} segment_plan;

/* Checks the arguments and fills their job. TPP_EUSAGE, and what reading prompts, lists and folders
 * can fail with. */
TPP_MUST_CHECK tpp_status segment_plan_make(segment_plan *p, segment_arguments *a);
void segment_plan_free(segment_plan *p);

/* Words of --modality and --axis. */
const char *tpp_modality_word(int i);
const char *tpp_axis_word(int i);

#endif
