/* TPP_LIMITS: one row a name.
 * SPDX-License-Identifier: MIT */
#include "cl/limits.h"

#include "core/str.h"

#include <stdlib.h>
#include <string.h>

typedef enum limit_kind { LIMIT_SIZE, LIMIT_FEATURE } limit_kind;

static const struct limit {
    const char *name;
    limit_kind kind;
    size_t offset; /* in tpp_caps, of a size_t or a bool */
    size_t least;
    bool binds_kernels; /* of CLBlast too, which asks the driver and not us */
} limits[] = {
    {"group", LIMIT_SIZE, offsetof(tpp_caps, max_group), 1, true},
    {"local", LIMIT_SIZE, offsetof(tpp_caps, local_mem), 1, true},
    {"alloc", LIMIT_SIZE, offsetof(tpp_caps, max_alloc), 1, false},
    {"memory", LIMIT_SIZE, offsetof(tpp_caps, global_mem), 1, false},
    {"subgroups", LIMIT_FEATURE, offsetof(tpp_caps, sub_groups), 0, false},
    {"half", LIMIT_FEATURE, offsetof(tpp_caps, half), 0, false},
    {"commands", LIMIT_FEATURE, offsetof(tpp_caps, command_buffers), 0, false},
};
enum { LIMITS = sizeof(limits) / sizeof(limits[0]) };

static tpp_status fail_name(const char *name, size_t length)
{
    tpp_str names = {0};
    for (int i = 0; i < LIMITS; i++)
        tpp_str_format(&names, "%s%s", i > 0 ? ", " : "", limits[i].name);
    const tpp_status s =
        TPP_FAIL(TPP_EUSAGE, "TPP_LIMITS: no limit is called \"%.*s\"; there are %s",
                 length < 60 ? (int)length : 60, name, names.text != NULL ? names.text : "");
    tpp_str_free(&names);
    return s;
}

static tpp_status find(int *out, const char *name, size_t length)
{
    for (int i = 0; i < LIMITS; i++)
        if (strlen(limits[i].name) == length && memcmp(limits[i].name, name, length) == 0) {
            *out = i;
            return TPP_OK;
        }
    return fail_name(name, length);
}

/* A whole number that ends where the entry ends; of a feature 0 or 1. */
static tpp_status read_value(unsigned long long *out, const struct limit *l, const char *from,
                             const char *end)
{
    enum { MOST_DIGITS = 18 }; /* below 2^63 */
    const size_t n = (size_t)(end - from);
    bool is_number = n > 0 && n <= MOST_DIGITS;
    for (size_t i = 0; i < n && is_number; i++) is_number = from[i] >= '0' && from[i] <= '9';
    const unsigned long long value = is_number ? strtoull(from, NULL, 10) : 0;
    const bool is_in_range = l->kind == LIMIT_FEATURE ? value <= 1 : value >= l->least;
    if (!is_number || !is_in_range)
        return TPP_FAIL(TPP_EUSAGE, "TPP_LIMITS: %s wants %s, not \"%.*s\"", l->name,
                        l->kind == LIMIT_FEATURE ? "0 or 1" : "a whole number above 0",
                        n < 60 ? (int)n : 60, from);
    *out = value;
    return TPP_OK;
}

static void lower(tpp_caps *caps, const struct limit *l, unsigned long long value)
{
    void *at = (char *)caps + l->offset;
    if (l->kind == LIMIT_FEATURE) {
        if (value == 0) *(bool *)at = false;
        return;
    }
    size_t *size = at;
    if (value >= *size) return;
    *size = (size_t)value;
    caps->no_clblast = caps->no_clblast || l->binds_kernels;
}

tpp_status tpp_limits_apply(tpp_caps *caps, const char *text)
{
    bool seen[LIMITS] = {false};
    if (text == NULL || text[0] == '\0') return TPP_OK;
    for (const char *p = text;; p++) {
        const char *end = p + strcspn(p, ",");
        const char *equals = memchr(p, '=', (size_t)(end - p));
        unsigned long long value = 0;
        int i = 0;
        TPP_TRY(find(&i, p, (size_t)((equals != NULL ? equals : end) - p)));
        if (seen[i]) return TPP_FAIL(TPP_EUSAGE, "TPP_LIMITS: %s is given twice", limits[i].name);
        seen[i] = true;
        TPP_TRY(read_value(&value, &limits[i], equals != NULL ? equals + 1 : end, end));
        lower(caps, &limits[i], value);
        if (*end == '\0') break;
        p = end;
    }
    if (caps->max_alloc > caps->global_mem) caps->max_alloc = caps->global_mem;
    return TPP_OK;
}
