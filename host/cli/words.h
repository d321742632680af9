/* What shells complete option values to, taken from where the values are understood.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_CLI_WORDS_H
#define TPP_CLI_WORDS_H

/* Each is a tpp_word. "vector": an algorithm that some op has. */
const char *tpp_algorithm_word(int i);

/* "abdomen": a window of volumes. */
const char *tpp_window_word(int i);

/* "prop.topk=": the key of a setting; valid until the next call. */
const char *tpp_config_word(int i);

#endif
