/* What a run looks for: names, and the sentences that describe them.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_INFER_TARGET_H
#define TPP_INFER_TARGET_H

#include "core/status.h"
#include "text/prompts.h"

#include <stdint.h>

enum { TPP_MAX_TARGETS = 255, TPP_TARGET_MAX_PROMPTS = 256 };

/* Strings are owned. */
typedef struct tpp_target {
    char *name;  /* of files and labels: "left_kidney"; letters, digits, '_' and '-' */
    char *title; /* for people: "left kidney" */
    char **prompt;
    int n_prompts;
    /* SNOMED CT; NULL: not known */
    char *category_code, *type_code, *type_meaning;
    char *modifier_code, *site_code; /* left or right; where a lesion lies; NULL: none */
    uint8_t rgb[3];                  /* colour of its contour */
} tpp_target;

/* Zero-initialise; free in any state. Target i has label i + 1. */
typedef struct tpp_targets {
    tpp_target *item;
    int count;
} tpp_targets;

void tpp_targets_free(tpp_targets *t);

/* One target that `n` sentences describe; `name` NULL: "object". */
TPP_MUST_CHECK tpp_status tpp_targets_add_sentences(tpp_targets *t, const char *name,
                                                    const char *const *sentences, int n);

/* A structure of the library in one modality's view (NULL: the only one). TPP_EUSAGE with the
 * nearest name. */
TPP_MUST_CHECK tpp_status tpp_targets_add_structure(tpp_targets *t, const tpp_prompts *library,
                                                    const char *structure, const char *modality);

/* A prompts file. Text: one sentence a line, all of one object. YAML (.yaml, .yml): a mapping of
 * names to a sentence or a list of sentences; or a file in the form of the library, of which every
 * structure is taken that has sentences for `modality` ("ct"; NULL: all, and each must have but one
 * modality). TPP_EIO, TPP_EFORMAT, TPP_EUSAGE with file and line. */
TPP_MUST_CHECK tpp_status tpp_targets_read(tpp_targets *t, const char *path, const char *modality);

#endif
