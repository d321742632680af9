/* Reads key=value overrides.
 * SPDX-License-Identifier: MIT */
#include "config/settings.h"

#include <string.h>

static void trim(const char **text, size_t *length)
{
    while (*length > 0 && (**text == ' ' || **text == '\t')) {
        (*text)++;
        (*length)--;
    }
    while (*length > 0 && ((*text)[*length - 1] == ' ' || (*text)[*length - 1] == '\t'))
        (*length)--;
}

static tpp_status split_items(tpp_setting *item, const char *text, size_t length)
{
    const char *end = text + length;
    for (;;) {
        const char *comma = memchr(text, ',', (size_t)(end - text));
        const char *start = text;
        size_t n = (size_t)((comma == NULL ? end : comma) - text);
        trim(&start, &n);
        if (item->count >= TPP_YAML_MAX_ITEMS)
            return TPP_FAIL(TPP_EUSAGE, "--set %s: more than %d items", item->key,
                            TPP_YAML_MAX_ITEMS);
        TPP_TRY(tpp_yaml_add_value(item, start, n));
        if (comma == NULL) return TPP_OK;
        text = comma + 1;
    }
}

static tpp_status fill_override(tpp_setting *item, const char *text)
{
    size_t length = strlen(text);
    trim(&text, &length);
    item->is_list = length >= 2 && text[0] == '[' && text[length - 1] == ']';
    if (!item->is_list) return tpp_yaml_add_value(item, text, length);
    text++;
    length -= 2;
    trim(&text, &length);
    return length == 0 ? TPP_OK : split_items(item, text, length);
}

tpp_status tpp_settings_set(tpp_settings *s, const char *assignment)
{
    const char *equal = strchr(assignment, '='), *key = assignment;
    if (equal == NULL) return TPP_FAIL(TPP_EUSAGE, "--set wants key=value, got %.200s", assignment);
    size_t length = (size_t)(equal - assignment);
    trim(&key, &length);
    if (length == 0 || length > TPP_YAML_MAX_KEY || strlen(equal + 1) > TPP_YAML_MAX_VALUE)
        return TPP_FAIL(TPP_EUSAGE, "--set wants key=value, got %.200s", assignment);
    char name[TPP_YAML_MAX_KEY + 1];
    memcpy(name, key, length);
    name[length] = '\0';
    if (strspn(name, TPP_YAML_KEY_LETTERS) != length)
        return TPP_FAIL(TPP_EUSAGE, "--set wants key=value with a key of letters, digits and dots");
    tpp_setting *item = tpp_yaml_add(s, name, "--set", 0);
    if (item == NULL) return TPP_ENOMEM;
    const tpp_status status = fill_override(item, equal + 1);
    if (status != TPP_OK) tpp_yaml_truncate(s, s->count - 1);
    return status;
}
