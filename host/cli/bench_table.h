/* Rows of tpp bench as text, Markdown, CSV and JSON.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_CLI_BENCH_TABLE_H
#define TPP_CLI_BENCH_TABLE_H

#include "infer/bench_row.h"

#include <stdio.h>

/* "text", "md", "csv", "json", "jsonl"; NULL past the last. */
const char *tpp_bench_format(int i);

/* Rows are printed as they come, between begin and end. text is the long form of one row, and the
 * table of md for more. */
typedef struct tpp_bench_table {
    FILE *to;
    const char *format; /* a word of tpp_bench_format */
    int expected;       /* rows that will come */
    int printed;
} tpp_bench_table;

void tpp_bench_table_begin(const tpp_bench_table *t);
TPP_MUST_CHECK tpp_status tpp_bench_table_row(tpp_bench_table *t, const tpp_bench_row *r);
void tpp_bench_table_end(const tpp_bench_table *t);

/* One cell: of CSV, quoted where it must be (RFC 4180); of Markdown, with the bar before it, bars
 * in it escaped. */
void tpp_bench_csv_text(FILE *to, const char *text);
void tpp_bench_md_text(FILE *to, const char *text);

#endif
