/* CSV tables (RFC 4180): a header line and rows of as many fields, in UTF-8.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_IO_CSV_H
#define TPP_IO_CSV_H

#include "core/status.h"

#include <stddef.h>

enum { TPP_CSV_MAX_COLUMNS = 128 };
#define TPP_CSV_MAX_BYTES ((size_t)64 << 20)

/* Zero-initialise; free in any state. Row 0 is the header; field c of row r is at
 * field[r * columns + c]. */
typedef struct tpp_csv {
    char *text;
    char **field;
    size_t rows, columns;
    int *line; /* of each row, from 1 */
} tpp_csv;

/* TPP_EIO; TPP_EFORMAT with file and line: a row with another number of fields, a quote that does
 * not end, text behind one. */
TPP_MUST_CHECK tpp_status tpp_csv_read(tpp_csv *out, const char *path);

/* The same from memory; `name` stands for the file in messages. */
TPP_MUST_CHECK tpp_status tpp_csv_parse(tpp_csv *out, const char *text, size_t size,
                                        const char *name);
void tpp_csv_free(tpp_csv *c);

/* Column of a header field; -1: there is none. */
int tpp_csv_column(const tpp_csv *c, const char *name);

#endif
