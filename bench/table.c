/* Tables on stdout.
 * SPDX-License-Identifier: MIT */
#include "table.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void bench_cell(bench_row *r, const char *format, ...)
{
    if (r->n == BENCH_MAX_CELLS) return;
    va_list args;
    va_start(args, format);
    (void)vsnprintf(r->cell[r->n++], BENCH_CELL, format, args);
    va_end(args);
}

static void print_csv_cell(const char *text)
{
    const bool quoted = strpbrk(text, ",\"\n") != NULL;
    if (quoted) (void)putchar('"');
    for (; *text != '\0'; text++) {
        if (*text == '"') (void)putchar('"');
        (void)putchar(*text);
    }
    if (quoted) (void)putchar('"');
}

void bench_print_row(const bench_row *r, bool csv)
{
    for (int i = 0; i < r->n; i++) {
        if (csv) {
            if (i > 0) (void)putchar(',');
            print_csv_cell(r->cell[i]);
        } else {
            (void)printf("%s%s", i > 0 ? " | " : "| ", r->cell[i]);
        }
    }
    (void)puts(csv ? "" : " |");
    (void)fflush(stdout);
}

void bench_print_head(const char *const *names, int n, bool csv)
{
    bench_row head = {0};
    for (int i = 0; i < n; i++) bench_cell(&head, "%s", names[i]);
    bench_print_row(&head, csv);
    for (int i = 0; i < n && !csv; i++) (void)printf("|---%s", i + 1 == n ? "|\n" : "");
}

void bench_print_note(bool csv, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)fputs(csv ? "# " : "", stdout);
    (void)vprintf(format, args);
    (void)fputs(csv ? "\n" : "\n\n", stdout);
    va_end(args);
}

void bench_print_device(bool csv, const tpp_device *d, const tpp_single_arguments *a)
{
    const tpp_caps *c = tpp_device_caps(d);
    bench_print_note(csv, "%s, %s, driver %s, %d compute units, vectors of %d floats; %s, %dx%d",
                     c->name, c->platform, c->driver, c->compute_units, c->vector_width,
                     a->config != NULL ? a->config : "preset paper", a->size.height, a->size.width);
}

const char *bench_format_word(int i)
{
    static const char *const words[] = {"md", "csv"};
    return i >= 0 && i < TPP_COUNT(words) ? words[i] : NULL;
}

bool bench_is_csv(const char *format)
{
    return strcmp(format, "csv") == 0;
}
