/* Words for completion.
 * SPDX-License-Identifier: MIT */
#include "cli/words.h"

#include "config/model_config.h"
#include "infer/selftest.h"
#include "infer/window.h"

#include <stdio.h>

const char *tpp_algorithm_word(int i)
{
    return tpp_algorithm_name(i);
}

const char *tpp_window_word(int i)
{
    return i == 0 ? "percentile" : tpp_window_preset(i - 1);
}

const char *tpp_config_word(int i)
{
    static char word[TPP_YAML_MAX_KEY + 2];
    if (i < 0 || (size_t)i >= tpp_model_schema.count) return NULL;
    (void)snprintf(word, sizeof(word), "%s=", tpp_model_schema.fields[i].key);
    return word;
}
