/* Pieces of text and the byte alphabet.
 * SPDX-License-Identifier: MIT */
#include "text/split.h"

#include "core/mem.h"

#include <stdbool.h>
#include <string.h>
#include <utf8proc.h>

/* The three classes that the pattern tells apart, and all that is left. */
typedef enum char_class { CLASS_LETTER, CLASS_NUMBER, CLASS_SPACE, CLASS_OTHER } char_class;

/* Unicode's White_Space: the controls that break lines or columns, and every separator. */
static bool is_space(utf8proc_int32_t c, utf8proc_category_t category)
{
    return (c >= 0x09 && c <= 0x0D) || c == 0x85 || category == UTF8PROC_CATEGORY_ZS ||
           category == UTF8PROC_CATEGORY_ZL || category == UTF8PROC_CATEGORY_ZP;
}

static char_class class_of(utf8proc_int32_t c)
{
    const utf8proc_category_t category = utf8proc_category(c);
    switch (category) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
        return CLASS_LETTER;
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_NO:
        return CLASS_NUMBER;
    default:
        return is_space(c, category) ? CLASS_SPACE : CLASS_OTHER;
    }
}

/* Character at `at` and its length in bytes; 0: not UTF-8 there. */
static size_t decode(const char *text, size_t length, size_t at, utf8proc_int32_t *c)
{
    const size_t left = length - at < 4 ? length - at : 4;
    const utf8proc_ssize_t n =
        utf8proc_iterate((const utf8proc_uint8_t *)text + at, (utf8proc_ssize_t)left, c);
    return n > 0 ? (size_t)n : 0;
}

tpp_status tpp_utf8_check(const char *text, size_t length, const char *what)
{
    utf8proc_int32_t c;
    for (size_t at = 0; at < length;) {
        const size_t n = decode(text, length, at, &c);
        if (n == 0)
            return TPP_FAIL(TPP_EFORMAT, "%s: not UTF-8 at byte %zu (0x%02X)", what, at,
                            (unsigned)(unsigned char)text[at]);
        at += n;
    }
    return TPP_OK;
}

/* End of the run of characters of one class from `at` on; *last: start of its last character. */
static size_t run_end(const char *text, size_t length, size_t at, char_class class, size_t *last)
{
    utf8proc_int32_t c;
    while (at < length) {
        const size_t n = decode(text, length, at, &c);
        if (n == 0 || class_of(c) != class) break;
        *last = at;
        at += n;
    }
    return at;
}

/* Length of a contraction at `at`: 's 't 'm 'd 're 've 'll, lower case only; 0: none. */
static size_t contraction(const char *text, size_t left)
{
    if (left < 2 || text[0] != '\'') return 0;
    if (strchr("stmd", text[1]) != NULL && text[1] != '\0') return 2;
    if (left < 3) return 0;
    const bool is_long = memcmp(text + 1, "re", 2) == 0 || memcmp(text + 1, "ve", 2) == 0 ||
                         memcmp(text + 1, "ll", 2) == 0;
    return is_long ? 3 : 0;
}

size_t tpp_split_next(const char *text, size_t length, size_t start)
{
    const size_t short_form = contraction(text + start, length - start);
    if (short_form > 0) return start + short_form;
    utf8proc_int32_t c = 0;
    size_t last = start, body = start, n = decode(text, length, start, &c);
    if (c == ' ' && start + 1 < length) { /* one space may lead a run of something else */
        utf8proc_int32_t next = 0;
        const size_t m = decode(text, length, start + 1, &next);
        if (m > 0 && class_of(next) != CLASS_SPACE) {
            body = start + 1;
            c = next;
            n = m;
        }
    }
    if (n == 0) return start + 1; /* not UTF-8: the caller has been told before */
    const char_class class = class_of(c);
    const size_t end = run_end(text, length, body, class, &last);
    if (class != CLASS_SPACE || end == length || last == start) return end;
    return last; /* the last blank of a run belongs to what follows */
}

int tpp_text_is_blank(const char *text, size_t length)
{
    size_t last = 0;
    return run_end(text, length, 0, CLASS_SPACE, &last) == length;
}

tpp_status tpp_text_lower(char **out, size_t *out_length, const char *text, size_t length)
{
    if (length > SIZE_MAX / 4 - 1) return TPP_FAIL(TPP_EUSAGE, "text is too long");
    char *lower;
    TPP_NEW(lower, length * 4 + 1); /* a character's lower case may take more bytes than it */
    size_t n = 0;
    bool gap = false;
    utf8proc_int32_t c;
    for (size_t at = 0; at < length;) {
        const size_t m = decode(text, length, at, &c);
        if (m == 0) break;
        at += m;
        if (class_of(c) == CLASS_SPACE) {
            gap = n > 0;
            continue;
        }
        if (gap) lower[n++] = ' ';
        gap = false;
        n += (size_t)utf8proc_encode_char(utf8proc_tolower(c), (utf8proc_uint8_t *)lower + n);
    }
    *out = lower;
    *out_length = n;
    return TPP_OK;
}

/* Bytes that stand for themselves; the other 68 follow from U+0100 on, in order. */
static bool is_plain(int byte)
{
    return (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
}

size_t tpp_byte_symbol(uint8_t byte, char out[3])
{
    utf8proc_int32_t c = byte;
    if (!is_plain(byte)) {
        c = 256;
        for (int b = 0; b < byte; b++) c += !is_plain(b);
    }
    const utf8proc_ssize_t n = utf8proc_encode_char(c, (utf8proc_uint8_t *)out);
    out[n] = '\0';
    return (size_t)n;
}

int tpp_symbol_byte(int32_t character)
{
    if (character >= 0 && character < 256) return is_plain(character) ? character : -1;
    int next = 256;
    for (int b = 0; b < 256; b++)
        if (!is_plain(b) && next++ == character) return b;
    return -1;
}
