/* The prompt library: for each structure and each kind of picture three sentences and a short form.
 * Reads configs/prompts.yaml. The sentences were not reviewed by a radiologist; say so where they
 * are shown.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_TEXT_PROMPTS_H
#define TPP_TEXT_PROMPTS_H

#include "core/status.h"
#include "io/yaml.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* In the order in which the model takes them. */
enum tpp_attribute { TPP_PROFILE, TPP_SHAPE_OF, TPP_COLOR, TPP_ATTRIBUTE_COUNT };
enum { TPP_MAX_VIEWS = 8 };

/* All strings are borrowed from the library. */
typedef struct tpp_prompt_view {
    const char *name; /* mri, ct, us, endoscopy */
    const char *sentence[TPP_ATTRIBUTE_COUNT];
    const char *simple; /* "a CT of the liver" */
} tpp_prompt_view;

typedef struct tpp_structure {
    char key[TPP_YAML_MAX_KEY + 1]; /* left_atrium */
    const char *name;               /* left atrium */
    const char *group;              /* heart; NULL: not stated */
    char *const *aliases;
    size_t n_aliases, n_views;
    /* SNOMED CT, decimal digits; NULL: not stated. Modifier: left, right; site: of a finding. */
    const char *category_code, *type_code, *type_meaning, *modifier_code, *site_code;
    uint8_t rgb[3];
    bool has_rgb;
    tpp_prompt_view views[TPP_MAX_VIEWS];
} tpp_structure;

/* Zero-initialise; free in any state. Structures and views stand in the order of the file. */
typedef struct tpp_prompts {
    tpp_structure *structures;
    size_t count;
    tpp_yaml yaml;
} tpp_prompts;

/* TPP_EIO or TPP_EFORMAT with what is missing where. */
TPP_MUST_CHECK tpp_status tpp_prompts_read(tpp_prompts *out, const char *path);
void tpp_prompts_free(tpp_prompts *p);

/* The structure of a key, name or alias; letter case aside, '_' and '-' as spaces. TPP_EUSAGE with
 * the nearest name when there is none. */
TPP_MUST_CHECK tpp_status tpp_prompts_find(const tpp_prompts *p, const tpp_structure **out,
                                           const char *name);

/* Its view by name; NULL means the only one. TPP_EUSAGE with those there are. */
TPP_MUST_CHECK tpp_status tpp_structure_view(const tpp_structure *s, const tpp_prompt_view **out,
                                             const char *name);

const char *tpp_attribute_text(enum tpp_attribute a);

#endif
