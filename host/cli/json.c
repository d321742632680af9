/* Printing of JSON documents.
 * SPDX-License-Identifier: MIT */
#include "cli/json.h"

#include "core/mem.h"

#include <math.h>
#include <string.h>

json_t *tpp_json_text(const char *text)
{
    if (text == NULL) return json_null();
    json_t *j = json_string(text);
    if (j != NULL) return j;
    char *copy = tpp_strdup(text); /* a file name of another encoding */
    for (char *p = copy; p != NULL && *p != '\0'; p++)
        if ((unsigned char)*p >= 0x80) *p = '?';
    if (copy != NULL) j = json_string(copy);
    tpp_free(copy);
    return j;
}

json_t *tpp_json_real(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

tpp_status tpp_json_print(json_t *j)
{
    if (j == NULL) return TPP_FAIL(TPP_ENOMEM, "memory for the JSON output ran out");
    const int failed = json_dumpf(j, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
    json_decref(j);
    if (failed != 0 || putchar('\n') == EOF || fflush(stdout) != 0)
        return TPP_FAIL(TPP_EIO, "the JSON output could not be written");
    return TPP_OK;
}
