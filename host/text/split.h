/* Text to pieces, before byte-pair merging: GPT-2's pattern over Unicode classes, and the printable
 * alphabet that stands for bytes in vocabulary files. Source: model.md App. B.2.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_TEXT_SPLIT_H
#define TPP_TEXT_SPLIT_H

#include "core/status.h"

#include <stddef.h>
#include <stdint.h>

/* TPP_EFORMAT with the byte position when `text` is not UTF-8 (surrogates and overlong forms
 * included). `what` begins the message. */
TPP_MUST_CHECK tpp_status tpp_utf8_check(const char *text, size_t length, const char *what);

/* End of the piece that begins at byte `start` < length of valid UTF-8. */
size_t tpp_split_next(const char *text, size_t length, size_t start);

/* Is every character of valid UTF-8 white space? True for no characters. */
int tpp_text_is_blank(const char *text, size_t length);

/* Lower case, runs of white space made one space, none at the ends; new memory of the caller with a
 * NUL after it that *out_length does not count. `text` is valid UTF-8. */
TPP_MUST_CHECK tpp_status tpp_text_lower(char **out, size_t *out_length, const char *text,
                                         size_t length);

/* Character that stands for a byte: itself if printable, else one from U+0100 on. Writes its UTF-8
 * (1 or 2 bytes and a NUL) and returns its length. */
size_t tpp_byte_symbol(uint8_t byte, char out[3]);

/* The byte that a character stands for, or -1. */
int tpp_symbol_byte(int32_t character);

#endif
