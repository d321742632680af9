/* A growing string, and the edit distance of two names.
 * SPDX-License-Identifier: MIT */
#include "core/str.h"

#include "core/mem.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static int reserve(tpp_str *s, size_t more)
{
    if (s->status != TPP_OK) return 0;
    if (s->length + more + 1 <= s->capacity) return 1;
    const size_t capacity = (s->length + more + 1) * 2;
    char *grown = tpp_realloc(s->text, capacity, 1);
    if (grown == NULL) {
        s->status = TPP_ENOMEM;
        return 0;
    }
    s->text = grown;
    s->capacity = capacity;
    return 1;
}

void tpp_str_add(tpp_str *s, const char *text, size_t length)
{
    if (!reserve(s, length)) return;
    memcpy(s->text + s->length, text, length);
    s->length += length;
    s->text[s->length] = '\0';
}

void tpp_str_format(tpp_str *s, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    const int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (n >= 0 && reserve(s, (size_t)n)) {
        (void)vsnprintf(s->text + s->length, (size_t)n + 1, format, again);
        s->length += (size_t)n;
    }
    va_end(again);
}

void tpp_str_free(tpp_str *s)
{
    tpp_free(s->text);
    *s = (tpp_str){0};
}

unsigned tpp_str_distance(const char *a, const char *b)
{
    enum { LONGEST = 127 };
    unsigned row[LONGEST + 1];
    const size_t n = strlen(a), m = strlen(b);
    if (n > LONGEST || m > LONGEST) return 255;
    for (size_t j = 0; j <= m; j++) row[j] = (unsigned)j;
    for (size_t i = 1; i <= n; i++) {
        unsigned diagonal = row[0];
        row[0] = (unsigned)i;
        for (size_t j = 1; j <= m; j++) {
            const unsigned change = diagonal + (a[i - 1] != b[j - 1]);
            const unsigned step = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;
            diagonal = row[j];
            row[j] = change < step ? change : step;
        }
    }
    return row[m];
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Compares the numbers at *a and *b by value and steps behind them. */
static int compare_numbers(const char **a, const char **b)
{
    while (**a == '0') ++*a;
    while (**b == '0') ++*b;
    size_t n = 0, m = 0;
    while (is_digit((*a)[n])) n++;
    while (is_digit((*b)[m])) m++;
    const int order = n != m ? (n > m ? 1 : -1) : memcmp(*a, *b, n);
    *a += n;
    *b += m;
    return order;
}

int tpp_str_compare_natural(const char *a, const char *b)
{
    const char *x = a, *y = b;
    while (*x != '\0' && *y != '\0') {
        if (is_digit(*x) && is_digit(*y)) {
            const int order = compare_numbers(&x, &y);
            if (order != 0) return order;
        } else if (*x != *y) {
            break;
        } else {
            x++;
            y++;
        }
    }
    const int order = (unsigned char)*x - (unsigned char)*y;
    return order != 0 ? order : strcmp(a, b);
}
