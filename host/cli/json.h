/* What the commands print as JSON: whole documents for programs to read.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_CLI_JSON_H
#define TPP_CLI_JSON_H

#include "core/status.h"
#include "infer/json_file.h"

#include <jansson.h>

/* Prints `j` to stdout, indented, with a newline at its end, and releases it. TPP_ENOMEM if `j` is
 * NULL; TPP_EIO when stdout does not take it. */
TPP_MUST_CHECK tpp_status tpp_json_print(json_t *j);

#endif
