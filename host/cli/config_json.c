/* Walks the rows of the schema, as its dump to YAML does.
 * SPDX-License-Identifier: MIT */
#include "cli/config_json.h"

#include "cli/json.h"

#include <string.h>

static json_t *reals_json(const double *values, size_t n)
{
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++) (void)json_array_append_new(list, tpp_json_real(values[i]));
    return list;
}

static json_t *ints_json(const tpp_int_list *values)
{
    json_t *list = json_array();
    for (int i = 0; i < values->count; i++)
        (void)json_array_append_new(list, json_integer(values->value[i]));
    return list;
}

static json_t *value_json(const tpp_field *f, const void *at)
{
    switch (f->type) {
    case TPP_FIELD_BOOL:
        return json_boolean(*(const bool *)at);
    case TPP_FIELD_INT:
        return json_integer(*(const int *)at);
    case TPP_FIELD_FLOAT:
        return tpp_json_real(*(const double *)at);
    case TPP_FIELD_ENUM:
        return json_string(f->names[*(const int *)at]);
    case TPP_FIELD_INTS:
        return ints_json(at);
    case TPP_FIELD_FLOATS:
        return reals_json(at, f->size / sizeof(double));
    default:
        return tpp_json_text(at);
    }
}

/* The object that "group.name" goes into; *name is what remains. */
static json_t *group_of(json_t *all, const char *key, const char **name)
{
    const char *dot = strchr(key, '.');
    *name = dot != NULL ? dot + 1 : key;
    if (dot == NULL) return all;
    char group[64];
    (void)snprintf(group, sizeof(group), "%.*s", (int)(dot - key), key);
    if (json_object_get(all, group) == NULL) (void)json_object_set_new(all, group, json_object());
    return json_object_get(all, group);
}

json_t *tpp_config_json(const struct tpp_model_config *config)
{
    json_t *all = json_object();
    for (size_t i = 0; i < tpp_model_schema.count; i++) {
        const tpp_field *f = &tpp_model_schema.fields[i];
        const char *name = NULL;
        json_t *group = group_of(all, f->key, &name);
        if (json_object_set_new(group, name, value_json(f, (const char *)config + f->offset)) !=
            0) {
            json_decref(all);
            return NULL;
        }
    }
    return all;
}
