/* Puts the flat items of prompts.yaml into structures and views, and finds them by name.
 * SPDX-License-Identifier: MIT */
#include "text/prompts.h"

#include "core/mem.h"
#include "core/str.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static const char *const attributes[TPP_ATTRIBUTE_COUNT] = {"profile", "shape", "color"};

const char *tpp_attribute_text(enum tpp_attribute a)
{
    return (unsigned)a < TPP_ATTRIBUTE_COUNT ? attributes[a] : "?";
}

void tpp_prompts_free(tpp_prompts *p)
{
    if (p == NULL) return;
    tpp_free(p->structures);
    tpp_yaml_free(&p->yaml);
    *p = (tpp_prompts){0};
}

/* ---- reading ---- */

/* If `key` begins with `prefix`, what follows; else NULL. */
static const char *after(const char *key, const char *prefix)
{
    const size_t n = strlen(prefix);
    return strncmp(key, prefix, n) == 0 ? key + n : NULL;
}

/* The structure of the first `length` bytes of `key`: the last one, or a new one. */
static tpp_structure *structure_of(tpp_prompts *p, const char *key, size_t length)
{
    if (p->count > 0) {
        tpp_structure *last = &p->structures[p->count - 1];
        if (strlen(last->key) == length && memcmp(last->key, key, length) == 0) return last;
    }
    tpp_structure *grown = tpp_realloc(p->structures, p->count + 1, sizeof(*grown));
    if (grown == NULL) return NULL;
    p->structures = grown;
    tpp_structure *s = &grown[p->count++];
    *s = (tpp_structure){0};
    memcpy(s->key, key, length); /* the reader bounds keys by the size of s->key */
    return s;
}

static tpp_status broken(const tpp_yaml_item *item, const char *what)
{
    return TPP_FAIL(TPP_EFORMAT, "%s:%d: %s: %s", item->source, item->line, item->key, what);
}

/* The one text that an item holds. */
static tpp_status take_text(const char **out, const tpp_yaml_item *item)
{
    if (item->is_list || item->count != 1 || item->value[0][0] == '\0')
        return broken(item, "wanted a text");
    *out = item->value[0];
    return TPP_OK;
}

/* "snomed.type": decimal digits; the meaning is a text. */
static tpp_status take_snomed(tpp_structure *s, const tpp_yaml_item *item, const char *field)
{
    const struct {
        const char *name, **out;
    } codes[] = {{"category", &s->category_code},
                 {"type", &s->type_code},
                 {"modifier", &s->modifier_code},
                 {"site", &s->site_code}};
    enum { LONGEST = 18 }; /* of SNOMED CT identifiers */
    if (strcmp(field, "meaning") == 0) return take_text(&s->type_meaning, item);
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        if (strcmp(field, codes[i].name) != 0) continue;
        TPP_TRY(take_text(codes[i].out, item));
        const char *code = *codes[i].out;
        const size_t n = strspn(code, "0123456789");
        return code[n] == '\0' && n <= LONGEST ? TPP_OK
                                               : broken(item, "wanted a SNOMED CT code, digits");
    }
    return broken(item, "wanted category, type, modifier, site or meaning");
}

/* "rgb: [184, 0, 69]" */
static tpp_status take_rgb(tpp_structure *s, const tpp_yaml_item *item)
{
    bool ok = item->is_list && item->count == 3;
    for (size_t i = 0; ok && i < 3; i++) {
        const char *text = item->value[i];
        const size_t n = strspn(text, "0123456789");
        const long value = n > 0 && n <= 3 && text[n] == '\0' ? strtol(text, NULL, 10) : 256;
        ok = value < 256;
        if (ok) s->rgb[i] = (uint8_t)value;
    }
    s->has_rgb = ok;
    return ok ? TPP_OK : broken(item, "wanted three numbers from 0 to 255");
}

/* "ct.prompts.shape" or "ct.simple"; other keys of a view are for readers of the file. */
static tpp_status take_view(tpp_structure *s, const tpp_yaml_item *item, const char *rest)
{
    const char *dot = strchr(rest, '.');
    if (dot == NULL) return broken(item, "wanted a view with prompts");
    /* The item's key outlives the view, so its name may be kept as a copy in place of the dot. */
    char *name = item->key + (rest - item->key);
    const char *field = dot + 1;
    const size_t length = (size_t)(dot - rest);
    tpp_prompt_view *v = s->n_views == 0 ? NULL : &s->views[s->n_views - 1];
    if (v == NULL || strncmp(v->name, name, length) != 0 || v->name[length] != '\0') {
        if (s->n_views == TPP_MAX_VIEWS) return broken(item, "more than 8 views");
        v = &s->views[s->n_views++];
        name[length] = '\0';
        v->name = name;
    }
    if (strcmp(field, "simple") == 0) return take_text(&v->simple, item);
    const char *attribute = after(field, "prompts.");
    for (int a = 0; attribute != NULL && a < TPP_ATTRIBUTE_COUNT; a++)
        if (strcmp(attribute, attributes[a]) == 0) return take_text(&v->sentence[a], item);
    return attribute == NULL ? TPP_OK : broken(item, "wanted profile, shape or color");
}

static tpp_status take_item(tpp_prompts *p, const tpp_yaml_item *item)
{
    if (strcmp(item->key, "schema") == 0) {
        const bool is_one = item->count == 1 && strcmp(item->value[0], "1") == 0;
        return is_one ? TPP_OK : broken(item, "this program reads schema 1");
    }
    const char *key = after(item->key, "structures.");
    if (key == NULL) return TPP_OK;
    const char *dot = strchr(key, '.');
    if (dot == NULL) return broken(item, "wanted a structure with name and views");
    tpp_structure *s = structure_of(p, key, (size_t)(dot - key));
    if (s == NULL) return TPP_ENOMEM;
    if (strcmp(dot + 1, "name") == 0) return take_text(&s->name, item);
    if (strcmp(dot + 1, "group") == 0) return take_text(&s->group, item);
    if (strcmp(dot + 1, "aliases") == 0) {
        s->aliases = item->value;
        s->n_aliases = item->count;
    }
    if (strcmp(dot + 1, "rgb") == 0) return take_rgb(s, item);
    const char *snomed = after(dot + 1, "snomed.");
    if (snomed != NULL) return take_snomed(s, item, snomed);
    const char *view = after(dot + 1, "views.");
    return view == NULL ? TPP_OK : take_view(s, item, view);
}

static tpp_status check_snomed(const tpp_structure *s, const char *path)
{
    const int have =
        (s->category_code != NULL) + (s->type_code != NULL) + (s->type_meaning != NULL);
    if (have == 0 || have == 3) return TPP_OK;
    return TPP_FAIL(TPP_EFORMAT, "%s: structure %s: snomed wants category, type and meaning", path,
                    s->key);
}

static tpp_status check_structure(const tpp_structure *s, const char *path)
{
    if (s->name == NULL) return TPP_FAIL(TPP_EFORMAT, "%s: structure %s has no name", path, s->key);
    if (s->n_views == 0)
        return TPP_FAIL(TPP_EFORMAT, "%s: structure %s has no views", path, s->key);
    for (size_t i = 0; i < s->n_views; i++) {
        const tpp_prompt_view *v = &s->views[i];
        const char *missing = v->simple == NULL ? "simple" : NULL;
        for (int a = 0; a < TPP_ATTRIBUTE_COUNT; a++)
            if (v->sentence[a] == NULL) missing = attributes[a];
        if (missing != NULL)
            return TPP_FAIL(TPP_EFORMAT, "%s: structure %s, view %s has no %s", path, s->key,
                            v->name, missing);
    }
    return check_snomed(s, path);
}

static tpp_status take_all(tpp_prompts *p, const char *path)
{
    TPP_TRY(tpp_yaml_read(&p->yaml, path));
    for (size_t i = 0; i < p->yaml.count; i++) TPP_TRY(take_item(p, &p->yaml.items[i]));
    for (size_t i = 0; i < p->count; i++) TPP_TRY(check_structure(&p->structures[i], path));
    if (p->count == 0) return TPP_FAIL(TPP_EFORMAT, "%s: holds no structures", path);
    return TPP_OK;
}

tpp_status tpp_prompts_read(tpp_prompts *out, const char *path)
{
    tpp_prompts p = {0};
    const tpp_status s = take_all(&p, path);
    if (s != TPP_OK) {
        tpp_prompts_free(&p);
        return s;
    }
    *out = p;
    return TPP_OK;
}

/* ---- finding ---- */

/* Lower case, '_' and '-' as spaces; cut at the buffer's end, which no name in a library reaches.
 */
static const char *plain_name(char *out, size_t size, const char *name)
{
    size_t n = 0;
    for (; name[n] != '\0' && n + 1 < size; n++) {
        const char c = name[n];
        out[n] = (char)(c == '_' || c == '-' ? ' ' : tolower((unsigned char)c));
    }
    out[n] = '\0';
    return out;
}

enum { NAME_SIZE = 128 };

/* Edit distance from `wanted` (plain) to the nearest of a structure's names. */
static unsigned distance_to(const tpp_structure *s, const char *wanted)
{
    char name[NAME_SIZE];
    unsigned least = tpp_str_distance(wanted, plain_name(name, sizeof(name), s->key));
    for (size_t i = 0; i <= s->n_aliases; i++) {
        const char *other = i == 0 ? s->name : s->aliases[i - 1];
        const unsigned d = tpp_str_distance(wanted, plain_name(name, sizeof(name), other));
        if (d < least) least = d;
    }
    return least;
}

/* "heart" is a group, "kidney" a part of names: more than one structure may be meant. */
static bool may_be_meant(const tpp_structure *s, const char *wanted)
{
    enum { SHORTEST = 3 };
    char name[NAME_SIZE];
    if (s->group != NULL && strcmp(plain_name(name, sizeof(name), s->group), wanted) == 0)
        return true;
    return strlen(wanted) >= SHORTEST &&
           strstr(plain_name(name, sizeof(name), s->key), wanted) != NULL;
}

/* `nearest` NULL: nothing is near. */
static tpp_status no_structure(const tpp_prompts *p, const char *name, const char *wanted,
                               const tpp_structure *nearest)
{
    tpp_str meant = {0};
    for (size_t i = 0; i < p->count; i++)
        if (may_be_meant(&p->structures[i], wanted))
            tpp_str_format(&meant, "%s%s", meant.length > 0 ? ", " : "", p->structures[i].key);
    tpp_status s = meant.status;
    if (s == TPP_OK && meant.length > 0)
        s = TPP_FAIL(TPP_EUSAGE, "the prompt library has no structure %.100s, but it has %s", name,
                     meant.text);
    else if (s == TPP_OK && nearest != NULL)
        s = TPP_FAIL(TPP_EUSAGE, "the prompt library has no structure %.100s; did you mean %s?",
                     name, nearest->key);
    else if (s == TPP_OK)
        s = TPP_FAIL(TPP_EUSAGE, "the prompt library has no structure %.100s", name);
    tpp_str_free(&meant);
    return s;
}

tpp_status tpp_prompts_find(const tpp_prompts *p, const tpp_structure **out, const char *name)
{
    char wanted[NAME_SIZE];
    plain_name(wanted, sizeof(wanted), name);
    const tpp_structure *best = NULL;
    unsigned least = 256;
    for (size_t i = 0; i < p->count; i++) {
        const unsigned d = distance_to(&p->structures[i], wanted);
        if (d < least) {
            least = d;
            best = &p->structures[i];
        }
    }
    if (best != NULL && least == 0) {
        *out = best;
        return TPP_OK;
    }
    const bool is_near = least <= strlen(wanted) / 3 + 1 && 2 * least <= strlen(wanted);
    return no_structure(p, name, wanted, is_near ? best : NULL);
}

static tpp_status no_view(const tpp_structure *s, const char *name)
{
    tpp_str there = {0};
    for (size_t i = 0; i < s->n_views; i++)
        tpp_str_format(&there, "%s%s", i == 0 ? "" : ", ", s->views[i].name);
    if (there.status != TPP_OK) {
        tpp_str_free(&there);
        return TPP_ENOMEM;
    }
    const tpp_status status =
        name == NULL ? TPP_FAIL(TPP_EUSAGE,
                                "%s has sentences for more than one modality; one of %s is wanted",
                                s->key, there.text)
                     : TPP_FAIL(TPP_EUSAGE, "%s has no sentences for %.60s, only for %s", s->key,
                                name, there.text);
    tpp_str_free(&there);
    return status;
}

tpp_status tpp_structure_view(const tpp_structure *s, const tpp_prompt_view **out, const char *name)
{
    for (size_t i = 0; i < s->n_views; i++) {
        const bool is_it = name == NULL ? s->n_views == 1 : strcmp(s->views[i].name, name) == 0;
        if (!is_it) continue;
        *out = &s->views[i];
        return TPP_OK;
    }
    return no_view(s, name);
}
