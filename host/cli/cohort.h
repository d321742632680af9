/* The cases of `segment` one after another: which are this process's, which are done already, what
 * failed; and the report over all of them.
 *
 * Processes may share a cohort (rank and size): each case belongs to one of them. Its results
 * appear in OUTPUT/CASE, a failure in OUTPUT/CASE.failed.json. OUTPUT/report.json is made from
 * these, so that it does not tell who did what, and the last process to end leaves it complete.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_CLI_COHORT_H
#define TPP_CLI_COHORT_H

#include "cli/progress.h"
#include "infer/cases.h"
#include "infer/segment.h"

#include <signal.h>
#include <stdbool.h>

enum { TPP_COHORT_MAX_DEVICES = 64 };

/* Everything is borrowed. */
typedef struct tpp_cohort {
    const tpp_segment_options *options;
    const tpp_cases *cases;
    const char *output;
    int rank, size;         /* this process has the cases rank, rank + size, ... */
    bool resume;            /* cases that are done already are not run again */
    bool quiet;             /* no line for each target on standard output */
    tpp_progress *progress; /* started; told here how many cases there are */
    tpp_warnings *warnings;
    volatile sig_atomic_t *stop; /* not zero: a signal that ends the run */
} tpp_cohort;

/* Runs this process's share: by options->device, or split among the `n` devices (more than one, as
 * `tpp_device_open` takes them; the same one may be there twice), a process each. Nothing of OpenCL
 * may have been called before with several. Refuses an output folder that is in use, unless results
 * are to be continued or replaced. Returns the exit code. */
int tpp_cohort_run(const tpp_cohort *c, const char *const *devices, int n);

/* Number of OpenCL devices, counted in a process of its own. */
int tpp_cohort_count_devices(void);

#endif
