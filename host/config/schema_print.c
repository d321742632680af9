/* Prints configuration tables: what a key wants, a struct's values, and the help text.
 * SPDX-License-Identifier: MIT */
#include "config/schema_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void tpp_schema_wants(tpp_str *out, const tpp_field *f)
{
    switch (f->type) {
    case TPP_FIELD_BOOL:
        tpp_str_format(out, "true or false");
        break;
    case TPP_FIELD_INTS:
        tpp_str_format(out, "1 to %d integers from %.0f to %.0f", TPP_INT_LIST_MAX, f->min, f->max);
        break;
    case TPP_FIELD_INT:
        tpp_str_format(out, "an integer from %.0f to %.0f", f->min, f->max);
        break;
    case TPP_FIELD_FLOATS:
        tpp_str_format(out, "a list of %zu numbers from %g to %g", f->size / sizeof(double), f->min,
                       f->max);
        break;
    case TPP_FIELD_FLOAT:
        tpp_str_format(out, "a number from %g to %g", f->min, f->max);
        break;
    case TPP_FIELD_ENUM:
        for (size_t i = 0; f->names[i] != NULL; i++)
            tpp_str_format(out, "%s%s", i == 0 ? "one of " : ", ", f->names[i]);
        break;
    default:
        tpp_str_format(out, "text of at most %zu bytes", f->size - 1);
    }
}

/* The shortest digits that read back to the same double. */
static void add_float(tpp_str *out, double v)
{
    char text[40];
    for (int digits = 1; digits <= 17; digits++) {
        (void)snprintf(text, sizeof(text), "%.*g", digits, v);
        if (strtod(text, NULL) == v) break;
    }
    tpp_str_format(out, "%s", text);
}

static void add_quoted(tpp_str *out, const char *text)
{
    tpp_str_format(out, "\"");
    for (const char *p = text; *p != '\0'; p++) {
        const unsigned char c = (unsigned char)*p;
        if (c == '"' || c == '\\')
            tpp_str_format(out, "\\%c", c);
        else if (c < ' ' || c == 127)
            tpp_str_format(out, "\\x%02X", c);
        else
            tpp_str_add(out, p, 1);
    }
    tpp_str_format(out, "\"");
}

static void add_ints(tpp_str *out, const tpp_int_list *list)
{
    for (int i = 0; i < list->count && i < TPP_INT_LIST_MAX; i++)
        tpp_str_format(out, "%s%d", i == 0 ? "[" : ", ", list->value[i]);
    tpp_str_format(out, "]");
}

static void add_value_text(tpp_str *out, const tpp_field *f, const void *config)
{
    const unsigned char *in = (const unsigned char *)config + f->offset;
    int number = 0;
    bool flag = false;
    double real = 0;
    tpp_int_list list;
    switch (f->type) {
    case TPP_FIELD_BOOL:
        memcpy(&flag, in, sizeof(flag));
        tpp_str_format(out, flag ? "true" : "false");
        break;
    case TPP_FIELD_INT:
    case TPP_FIELD_ENUM:
        memcpy(&number, in, sizeof(number));
        if (f->type == TPP_FIELD_INT) tpp_str_format(out, "%d", number);
        if (f->type == TPP_FIELD_ENUM) tpp_str_format(out, "%s", f->names[number]);
        break;
    case TPP_FIELD_INTS:
        memcpy(&list, in, sizeof(list));
        add_ints(out, &list);
        break;
    case TPP_FIELD_FLOAT:
    case TPP_FIELD_FLOATS:
        for (size_t i = 0; i < f->size / sizeof(real); i++) {
            memcpy(&real, in + i * sizeof(real), sizeof(real));
            if (f->type == TPP_FIELD_FLOATS) tpp_str_format(out, i == 0 ? "[" : ", ");
            add_float(out, real);
        }
        if (f->type == TPP_FIELD_FLOATS) tpp_str_format(out, "]");
        break;
    default:
        add_quoted(out, (const char *)in);
    }
}

tpp_status tpp_schema_dump(const tpp_schema *schema, const void *config, tpp_str *out)
{
    const char *group = "";
    size_t group_length = 0;
    for (size_t i = 0; i < schema->count; i++) {
        const tpp_field *f = &schema->fields[i];
        const char *dot = strchr(f->key, '.');
        const size_t length = dot == NULL ? 0 : (size_t)(dot - f->key);
        if (length > 0 && (length != group_length || strncmp(group, f->key, length) != 0))
            tpp_str_format(out, "%.*s:\n", (int)length, f->key);
        group = f->key;
        group_length = length;
        tpp_str_format(out, "%s%s: ", dot == NULL ? "" : "  ", dot == NULL ? f->key : dot + 1);
        add_value_text(out, f, config);
        tpp_str_format(out, "\n");
    }
    return out->status;
}

static void add_preset_table(const tpp_schema *schema, tpp_str *out)
{
    tpp_str_format(out, "\n| preset | key | value |\n| --- | --- | --- |\n");
    for (size_t i = 0; i < schema->preset_count; i++)
        tpp_str_format(out, "| %s | `%s` | %s |\n", schema->presets[i].preset,
                       schema->presets[i].key, schema->presets[i].value);
}

tpp_status tpp_schema_help(const tpp_schema *schema, tpp_str *out)
{
    tpp_str_format(out, "| key | default | wants | meaning |\n| --- | --- | --- | --- |\n");
    for (size_t i = 0; i < schema->count; i++) {
        const tpp_field *f = &schema->fields[i];
        tpp_str_format(out, "| `%s` | %s | ", f->key, f->initial);
        tpp_schema_wants(out, f);
        tpp_str_format(out, " | %s |\n", f->help);
    }
    if (schema->preset_count > 0) add_preset_table(schema, out);
    return out->status;
}
