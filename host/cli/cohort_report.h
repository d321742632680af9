/* What is written down about the cases of a cohort, in its output folder.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_CLI_COHORT_REPORT_H
#define TPP_CLI_COHORT_REPORT_H

#include "core/status.h"
#include "infer/cases.h"

/* Writes OUTPUT/CASE.failed.json with `error`; NULL: removes it. */
TPP_MUST_CHECK tpp_status tpp_cohort_note(const char *output, const tpp_case_input *c,
                                          const char *error);

/* TPP_EUSAGE when there is anything at OUTPUT/CASE, or with `c` NULL in OUTPUT. */
TPP_MUST_CHECK tpp_status tpp_cohort_check_free(const char *output, const tpp_case_input *c);

/* Removes what killed processes have left in OUTPUT of the cases rank, rank + size, ... */
TPP_MUST_CHECK tpp_status tpp_cohort_sweep(const char *output, const tpp_cases *cases, int rank,
                                           int size);

/* Writes OUTPUT/report.json: every case with what has come of it so far (done, failed, missing).
 * One process at a time looks and writes. */
TPP_MUST_CHECK tpp_status tpp_cohort_report(const char *output, const tpp_cases *cases,
                                            const char *version);

#endif
