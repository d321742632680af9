/* The cases of a run: files, sequences in folders, folders of cases, patterns, lists.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_INFER_CASES_H
#define TPP_INFER_CASES_H

#include "core/status.h"

#include <stdbool.h>
#include <stddef.h>

enum { TPP_MAX_CASES = 1000000 };

typedef struct tpp_case_input {
    char *input; /* path */
    char *name;  /* of its folder below the output: letters, digits, '.', '_' and '-' */
} tpp_case_input;

/* Zero-initialise; free in any state. */
typedef struct tpp_cases {
    tpp_case_input *item;
    size_t count;
    bool is_cohort; /* results go into folders of their own, even of one case */
} tpp_cases;

void tpp_cases_free(tpp_cases *c);

/* Adds what `text` means: a file; a folder that is one sequence (DICOM files or pictures); a folder
 * of cases (volumes, videos, folders that are sequences); a pattern with * ? [ ]; or a list
 * (.csv with a header that has the column `input`, and maybe `case`; paths are relative to it).
 * TPP_EIO, TPP_EFORMAT, TPP_EUSAGE with what was found instead. */
TPP_MUST_CHECK tpp_status tpp_cases_add(tpp_cases *c, const char *text);

/* After the last: gives every case a name of its own, from its file name and, where that is not
 * enough, the folders above it. Cases are in the order of their names. TPP_EUSAGE when the same
 * input, or the same name in a list, is there twice. */
TPP_MUST_CHECK tpp_status tpp_cases_name(tpp_cases *c);

#endif
