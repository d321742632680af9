/* Tables as Markdown or CSV on stdout; what device a run was on; options that programs share.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_BENCH_TABLE_H
#define TPP_BENCH_TABLE_H

#include "cli/cli.h"
#include "cli/trial_options.h"

enum { BENCH_MAX_CELLS = 20, BENCH_CELL = 96 };

/* A row that grows cell by cell. Zero-initialise. */
typedef struct bench_row {
    char cell[BENCH_MAX_CELLS][BENCH_CELL];
    int n;
} bench_row;
void bench_cell(bench_row *r, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Prints names with a rule under them (Markdown), and rows; quotes where they must be (CSV). */
void bench_print_head(const char *const *names, int n, bool csv);
void bench_print_row(const bench_row *r, bool csv);

/* A remark beside the table: a paragraph, in CSV a line that begins with #. */
void bench_print_note(bool csv, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Device, driver, units, vector width, configuration and size. */
void bench_print_device(bool csv, const tpp_device *d, const tpp_single_arguments *a);

/* Words of --format: md, csv. */
const char *bench_format_word(int i);
bool bench_is_csv(const char *format);

#endif
