/* Reads YAML through libyaml's events into a flat list of items.
 * Nothing recurses, and every size is bounded, so the input may be anything.
 * SPDX-License-Identifier: MIT */
#include "io/yaml.h"

#include "core/mem.h"
#include "core/path.h"
#include "core/table.h"

#include <string.h>
#include <yaml.h>

enum {
    MAX_BYTES = 1 << 20, /* of a file */
    MAX_DEPTH = 8,       /* mappings inside each other */
    MAX_KEYS = 4096
};

static void free_item(tpp_yaml_item *item)
{
    for (size_t i = 0; i < item->count; i++) tpp_free(item->value[i]);
    tpp_free(item->value);
    tpp_free(item->key);
    tpp_free(item->source);
    *item = (tpp_yaml_item){0};
}

void tpp_yaml_truncate(tpp_yaml *s, size_t count)
{
    while (s->count > count) free_item(&s->items[--s->count]);
}

void tpp_yaml_free(tpp_yaml *s)
{
    if (s == NULL) return;
    tpp_yaml_truncate(s, 0);
    tpp_free(s->items);
    *s = (tpp_yaml){0};
}

tpp_yaml_item *tpp_yaml_add(tpp_yaml *s, const char *key, const char *source, int line)
{
    if (s->count == s->capacity) {
        const size_t capacity = s->capacity == 0 ? 16 : s->capacity * 2;
        tpp_yaml_item *grown = tpp_realloc(s->items, capacity, sizeof(*grown));
        if (grown == NULL) return NULL;
        s->items = grown;
        s->capacity = capacity;
    }
    tpp_yaml_item item = {.key = tpp_strdup(key), .source = tpp_strdup(source), .line = line};
    if (item.key == NULL || item.source == NULL) {
        free_item(&item);
        return NULL;
    }
    s->items[s->count] = item;
    return &s->items[s->count++];
}

tpp_status tpp_yaml_add_value(tpp_yaml_item *item, const char *text, size_t length)
{
    char **grown = tpp_realloc(item->value, item->count + 1, sizeof(*grown));
    if (grown == NULL) return TPP_ENOMEM;
    item->value = grown;
    grown[item->count] = tpp_strndup(text, length);
    if (grown[item->count] == NULL) return TPP_ENOMEM;
    item->count++;
    return TPP_OK;
}

typedef struct reader {
    yaml_parser_t parser;
    yaml_event_t event;
    const char *name; /* of the file */
    tpp_yaml *out;
    tpp_table seen;                 /* full keys so far, of values and of mappings */
    char key[TPP_YAML_MAX_KEY + 1]; /* of the innermost open mapping, or of the value awaited */
    size_t length[MAX_DEPTH + 1];   /* of the key of each open mapping */
    int depth;                      /* open mappings */
    bool wants_value;               /* a key was read, its value not yet */
    bool in_list;
} reader;

static int line_of(const reader *r)
{
    return (int)r->event.start_mark.line + 1;
}

static tpp_status broken(const reader *r, const char *what)
{
    return TPP_FAIL(TPP_EFORMAT, "%s:%d: %s", r->name, line_of(r), what);
}

static tpp_status next_event(reader *r)
{
    yaml_event_delete(&r->event);
    if (yaml_parser_parse(&r->parser, &r->event)) return TPP_OK;
    const yaml_parser_t *p = &r->parser;
    if (p->error == YAML_MEMORY_ERROR) return TPP_FAIL(TPP_ENOMEM, "%s: no memory", r->name);
    const char *problem = p->problem == NULL ? "not YAML" : p->problem;
    if (p->error == YAML_READER_ERROR)
        return TPP_FAIL(TPP_EFORMAT, "%s: byte %zu: not YAML: %s", r->name, p->problem_offset,
                        problem);
    return TPP_FAIL(TPP_EFORMAT, "%s:%zu: not YAML: %s", r->name, p->problem_mark.line + 1,
                    problem);
}

/* Text without NUL and not too long; no tag, no anchor. */
static tpp_status check_scalar(const reader *r)
{
    if (r->event.data.scalar.anchor != NULL) return broken(r, "anchors (&) are not supported");
    if (r->event.data.scalar.tag != NULL) return broken(r, "tags (!) are not supported");
    if (r->event.data.scalar.length > TPP_YAML_MAX_VALUE)
        return broken(r, "text of over 4096 bytes");
    if (memchr(r->event.data.scalar.value, 0, r->event.data.scalar.length) != NULL)
        return broken(r, "text with a NUL character");
    return TPP_OK;
}

/* Appends the scalar to the key of the open mapping and checks that the result is new. */
static tpp_status take_key(reader *r)
{
    const char *text = (const char *)r->event.data.scalar.value;
    const size_t base = r->length[r->depth], more = r->event.data.scalar.length;
    const size_t dot = base > 0;
    if (more == 0) return broken(r, "an empty key");
    if (strspn(text, TPP_YAML_KEY_LETTERS) != more)
        return broken(r, "a key with other characters than letters, digits, '_', '-' and '.'");
    if (base + dot + more > TPP_YAML_MAX_KEY) return broken(r, "a key of over 100 bytes");
    if (dot) r->key[base] = '.';
    memcpy(r->key + base + dot, text, more + 1);
    bool is_new;
    if (tpp_table_put(&r->seen, r->key, &is_new) == NULL) return TPP_ENOMEM;
    if (!is_new)
        return TPP_FAIL(TPP_EFORMAT, "%s:%d: key %s is given twice", r->name, line_of(r), r->key);
    if (r->out->count >= MAX_KEYS) return broken(r, "more than 4096 keys");
    r->wants_value = true;
    return TPP_OK;
}

static tpp_yaml_item *last(const reader *r)
{
    return &r->out->items[r->out->count - 1];
}

static tpp_status take_value(reader *r)
{
    if (!r->in_list) {
        if (tpp_yaml_add(r->out, r->key, r->name, line_of(r)) == NULL) return TPP_ENOMEM;
        r->wants_value = false;
        last(r)->is_quoted = r->event.data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    } else if (last(r)->count >= TPP_YAML_MAX_ITEMS) {
        return broken(r, "a sequence of over 64 items");
    } else if (r->event.data.scalar.style != YAML_PLAIN_SCALAR_STYLE) {
        last(r)->is_quoted = true;
    }
    return tpp_yaml_add_value(last(r), (const char *)r->event.data.scalar.value,
                              r->event.data.scalar.length);
}

static tpp_status take_scalar(reader *r)
{
    TPP_TRY(check_scalar(r));
    if (r->depth == 0) {
        /* An empty document is an empty plain scalar: no items. */
        if (r->event.data.scalar.length == 0) return TPP_OK;
        return broken(r, "wanted `key: value` lines");
    }
    return r->in_list || r->wants_value ? take_value(r) : take_key(r);
}

static tpp_status open_mapping(reader *r)
{
    if (r->event.data.mapping_start.anchor != NULL)
        return broken(r, "anchors (&) are not supported");
    if (r->event.data.mapping_start.tag != NULL) return broken(r, "tags (!) are not supported");
    if (r->in_list) return broken(r, "a mapping inside a sequence");
    if (r->depth > 0 && !r->wants_value) return broken(r, "a key that is a mapping");
    if (r->depth == MAX_DEPTH) return broken(r, "more than 8 mappings inside each other");
    r->length[r->depth + 1] = r->depth == 0 ? 0 : strlen(r->key);
    r->depth++;
    r->wants_value = false;
    return TPP_OK;
}

static void close_mapping(reader *r)
{
    r->depth--;
    r->key[r->length[r->depth]] = '\0';
}

static tpp_status open_list(reader *r)
{
    if (r->event.data.sequence_start.anchor != NULL)
        return broken(r, "anchors (&) are not supported");
    if (r->event.data.sequence_start.tag != NULL) return broken(r, "tags (!) are not supported");
    if (r->in_list) return broken(r, "a sequence inside a sequence");
    if (r->depth == 0) return broken(r, "wanted `key: value` lines, got a sequence");
    if (!r->wants_value) return broken(r, "a key that is a sequence");
    if (tpp_yaml_add(r->out, r->key, r->name, line_of(r)) == NULL) return TPP_ENOMEM;
    last(r)->is_list = r->in_list = true;
    r->wants_value = false;
    return TPP_OK;
}

static tpp_status take_event(reader *r, int *documents)
{
    switch (r->event.type) {
    case YAML_DOCUMENT_START_EVENT:
        if (++*documents > 1) return broken(r, "a second document");
        if (r->event.data.document_start.tag_directives.start !=
            r->event.data.document_start.tag_directives.end)
            return broken(r, "tags (!) are not supported");
        return TPP_OK;
    case YAML_ALIAS_EVENT:
        return broken(r, "aliases (*) are not supported");
    case YAML_SCALAR_EVENT:
        return take_scalar(r);
    case YAML_MAPPING_START_EVENT:
        return open_mapping(r);
    case YAML_MAPPING_END_EVENT:
        close_mapping(r);
        return TPP_OK;
    case YAML_SEQUENCE_START_EVENT:
        return open_list(r);
    case YAML_SEQUENCE_END_EVENT:
        r->in_list = false;
        return TPP_OK;
    default:
        return TPP_OK;
    }
}

tpp_status tpp_yaml_parse(tpp_yaml *s, const char *text, size_t size, const char *name)
{
    if (size > MAX_BYTES) return TPP_FAIL(TPP_EIO, "%s: longer than 1 MiB", name);
    reader r = {.name = name, .out = s};
    const size_t before = s->count;
    if (!yaml_parser_initialize(&r.parser)) return TPP_FAIL(TPP_ENOMEM, "%s: no memory", name);
    yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&r.parser, (const unsigned char *)text, size);
    int documents = 0;
    tpp_status status;
    do {
        status = next_event(&r);
        if (status == TPP_OK) status = take_event(&r, &documents);
    } while (status == TPP_OK && r.event.type != YAML_STREAM_END_EVENT);
    yaml_event_delete(&r.event);
    yaml_parser_delete(&r.parser);
    tpp_table_free(&r.seen);
    if (status != TPP_OK) tpp_yaml_truncate(s, before);
    return status;
}

tpp_status tpp_yaml_read(tpp_yaml *s, const char *path)
{
    char *text = NULL;
    size_t size = 0;
    TPP_TRY(tpp_file_read(&text, &size, path, MAX_BYTES));
    const tpp_status status = tpp_yaml_parse(s, text, size, path);
    tpp_free(text);
    return status;
}
