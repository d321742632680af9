/* Printing of JSON documents.
 * SPDX-License-Identifier: MIT */
#include "cli/json.h"

#include <stdio.h>

tpp_status tpp_json_print(json_t *j)
{
    if (j == NULL) return TPP_FAIL(TPP_ENOMEM, "memory for the JSON output ran out");
    const int failed = json_dumpf(j, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
    json_decref(j);
    if (failed != 0 || putchar('\n') == EOF || fflush(stdout) != 0)
        return TPP_FAIL(TPP_EIO, "the JSON output could not be written");
    return TPP_OK;
}
