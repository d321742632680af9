/* Fuzz target: host/io/csv.c. A table that was read is the same when it is written and read again.
 * SPDX-License-Identifier: MIT */
#include "core/mem.h"
#include "core/str.h"
#include "fuzz.h"
#include "io/csv.h"

#include <string.h>

static void add_quoted(tpp_str *s, const char *field)
{
    tpp_str_add(s, "\"", 1);
    for (const char *p = field; *p != '\0'; p++) {
        tpp_str_add(s, p, 1);
        if (*p == '"') tpp_str_add(s, p, 1);
    }
    tpp_str_add(s, "\"", 1);
}

static void read_again(const tpp_csv *c)
{
    tpp_str text = {0};
    tpp_csv back = {0};
    for (size_t i = 0; i < c->rows * c->columns; i++) {
        add_quoted(&text, c->field[i]);
        tpp_str_add(&text, (i + 1) % c->columns == 0 ? "\n" : ",", 1);
    }
    FUZZ_CHECK(text.status == TPP_OK);
    FUZZ_CHECK(tpp_csv_parse(&back, text.text, text.length, "written") == TPP_OK);
    FUZZ_CHECK(back.rows == c->rows && back.columns == c->columns);
    for (size_t i = 0; i < c->rows * c->columns; i++)
        FUZZ_CHECK(strcmp(back.field[i], c->field[i]) == 0);
    tpp_csv_free(&back);
    tpp_str_free(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    tpp_csv c = {0};
    if (tpp_csv_read(&c, fuzz_file(0, data, size)) != TPP_OK) return 0;
    FUZZ_CHECK(c.rows >= 1 && c.columns >= 1 && c.columns <= TPP_CSV_MAX_COLUMNS);
    for (size_t r = 0; r < c.rows; r++)
        FUZZ_CHECK(c.line[r] >= 1 && (r == 0 || c.line[r] > c.line[r - 1]));
    const int first = tpp_csv_column(&c, c.field[0]);
    FUZZ_CHECK(first == 0);
    read_again(&c);
    tpp_csv_free(&c);
    return 0;
}
