/* What html.c and html_parts.c share: the page's template and the parts that go into it.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_INFER_HTML_INTERNAL_H
#define TPP_INFER_HTML_INTERNAL_H

#include "infer/html.h"

/* report.html.in, with a NUL; made by cmake/embed_file.cmake. */
extern const unsigned char tpp_report_template[];

/* Adds a part to h->text. */
typedef void tpp_html_part(tpp_html *h);

/* The part that the template calls `name`; NULL: none. */
tpp_html_part *tpp_html_find_part(const char *name, size_t length);

/* Frame of the k-th of the evenly spaced frames that are shown. */
int64_t tpp_html_frame(const tpp_html *h, int64_t k);

#endif
