/* Targets from sentences, from the prompt library, and from files of the user's.
 * SPDX-License-Identifier: MIT */
#include "infer/target.h"

#include "core/mem.h"
#include "core/path.h"
#include "core/str.h"
#include "text/split.h"

#include <ctype.h>
#include <string.h>

enum {
    MAX_NAME = 64,
    MAX_FILE = 1 << 20,
    MAX_SENTENCE = 4096 /* bytes; far above what a text encoder takes */
};

/* Told apart by people with any kind of colour vision, and from grey: Okabe and Ito's colours
 * without black, then Tol's "muted" ones that differ from them. */
static const uint8_t palette[][3] = {
    {230, 159, 0},  {86, 180, 233},  {0, 158, 115},   {240, 228, 66},
    {0, 114, 178},  {213, 94, 0},    {204, 121, 167}, {136, 204, 238},
    {170, 68, 153}, {153, 153, 51},  {51, 34, 136},   {204, 102, 119},
    {17, 119, 51},  {221, 204, 119}, {136, 34, 85},   {68, 170, 153},
};
enum { PALETTE_COUNT = sizeof(palette) / sizeof(palette[0]) };

/* ---- release ---- */

static void free_target(tpp_target *t)
{
    for (int i = 0; i < t->n_prompts; i++) tpp_free(t->prompt[i]);
    tpp_free(t->prompt);
    tpp_free(t->name);
    tpp_free(t->title);
    tpp_free(t->category_code);
    tpp_free(t->type_code);
    tpp_free(t->type_meaning);
    tpp_free(t->modifier_code);
    tpp_free(t->site_code);
    *t = (tpp_target){0};
}

static void keep_first(tpp_targets *t, int count)
{
    while (t->count > count) free_target(&t->item[--t->count]);
}

void tpp_targets_free(tpp_targets *t)
{
    keep_first(t, 0);
    tpp_free(t->item);
    *t = (tpp_targets){0};
}

/* ---- one target ---- */

/* What a file may be called on every system: letters, digits, '_' and '-'; anything else becomes
 * one '_', none at the ends. NULL: out of memory. */
static char *clean_name(const char *name)
{
    char *out = tpp_calloc(strlen(name) + 1, 1);
    size_t n = 0;
    for (const char *p = name; out != NULL && *p != '\0'; p++) {
        const unsigned char c = (unsigned char)*p;
        const bool is_plain = c < 0x80 && (isalnum(c) || c == '_' || c == '-');
        if (is_plain)
            out[n++] = (char)c;
        else if (n > 0 && out[n - 1] != '_')
            out[n++] = '_';
    }
    while (n > 0 && out[n - 1] == '_') out[--n] = '\0';
    return out;
}

/* Letter case aside, as on file systems that do not tell it apart. */
static bool same_name(const char *a, const char *b)
{
    while (*a != '\0' && tolower((unsigned char)*a) == tolower((unsigned char)*b)) {
        a++;
        b++;
    }
    return *a == *b;
}

static tpp_status check_name(const tpp_targets *t, const char *name, const char *given)
{
    if (name[0] == '\0')
        return TPP_FAIL(TPP_EUSAGE, "target name \"%.60s\": no letters or digits in it", given);
    if (strlen(name) > MAX_NAME)
        return TPP_FAIL(TPP_EUSAGE, "target name \"%.60s...\": longer than %d letters", given,
                        (int)MAX_NAME);
    for (int i = 0; i < t->count; i++)
        if (same_name(t->item[i].name, name))
            return TPP_FAIL(TPP_EUSAGE, "two targets are called %s", name);
    if (t->count == TPP_MAX_TARGETS)
        return TPP_FAIL(TPP_EUSAGE, "more than %d targets", (int)TPP_MAX_TARGETS);
    return TPP_OK;
}

static tpp_status add_sentence(tpp_target *t, const char *text, int number)
{
    char what[MAX_NAME + 40];
    const size_t length = strlen(text);
    (void)snprintf(what, sizeof(what), "%s: prompt %d", t->name, number);
    if (length > MAX_SENTENCE)
        return TPP_FAIL(TPP_EUSAGE, "%s: longer than %d bytes", what, (int)MAX_SENTENCE);
    TPP_TRY(tpp_utf8_check(text, length, what));
    if (tpp_text_is_blank(text, length)) return TPP_FAIL(TPP_EUSAGE, "%s: is empty", what);
    t->prompt[t->n_prompts] = tpp_strdup(text);
    if (t->prompt[t->n_prompts] == NULL) return TPP_ENOMEM;
    t->n_prompts++;
    return TPP_OK;
}

/* Fills a zeroed target at the end of `t`, which the caller keeps or frees. */
static tpp_status fill(const tpp_targets *t, tpp_target *new, const char *name, const char *title,
                       const char *const *sentences, int n)
{
    new->name = clean_name(name);
    new->title = tpp_strdup(title);
    if (new->name == NULL || new->title == NULL) return TPP_ENOMEM;
    TPP_TRY(check_name(t, new->name, name));
    if (n < 1) return TPP_FAIL(TPP_EUSAGE, "%s: at least one prompt is wanted", new->name);
    if (n > TPP_TARGET_MAX_PROMPTS)
        return TPP_FAIL(TPP_EUSAGE, "%s: more than %d prompts", new->name,
                        (int)TPP_TARGET_MAX_PROMPTS);
    TPP_NEW(new->prompt, (size_t)n);
    for (int i = 0; i < n; i++) TPP_TRY(add_sentence(new, sentences[i], i + 1));
    memcpy(new->rgb, palette[t->count % PALETTE_COUNT], sizeof(new->rgb));
    return TPP_OK;
}

/* Adds `new` or frees it. */
static tpp_status finish(tpp_targets *t, tpp_target *new, tpp_status s)
{
    tpp_target *grown =
        s == TPP_OK ? tpp_realloc(t->item, (size_t)t->count + 1, sizeof(*grown)) : NULL;
    if (grown == NULL) {
        free_target(new);
        return s != TPP_OK ? s : TPP_ENOMEM;
    }
    t->item = grown;
    t->item[t->count++] = *new;
    return TPP_OK;
}

tpp_status tpp_targets_add_sentences(tpp_targets *t, const char *name, const char *const *sentences,
                                     int n)
{
    tpp_target new = {0};
    const char *called = name != NULL ? name : "object";
    return finish(t, &new, fill(t, &new, called, called, sentences, n));
}

/* ---- library ---- */

static tpp_status copy_codes(tpp_target *to, const tpp_structure *from)
{
    if (from->has_rgb) memcpy(to->rgb, from->rgb, sizeof(to->rgb));
    if (from->type_code == NULL) return TPP_OK;
    to->category_code = tpp_strdup(from->category_code);
    to->type_code = tpp_strdup(from->type_code);
    to->type_meaning = tpp_strdup(from->type_meaning);
    if (from->modifier_code != NULL) to->modifier_code = tpp_strdup(from->modifier_code);
    if (from->site_code != NULL) to->site_code = tpp_strdup(from->site_code);
    const bool whole = to->category_code != NULL && to->type_code != NULL &&
                       to->type_meaning != NULL &&
                       (to->modifier_code != NULL) == (from->modifier_code != NULL) &&
                       (to->site_code != NULL) == (from->site_code != NULL);
    return whole ? TPP_OK : TPP_ENOMEM;
}

static tpp_status add_structure(tpp_targets *t, const tpp_structure *structure,
                                const char *modality)
{
    const tpp_prompt_view *view = NULL;
    tpp_target new = {0};
    TPP_TRY(tpp_structure_view(structure, &view, modality));
    tpp_status s =
        fill(t, &new, structure->key, structure->name, view->sentence, TPP_ATTRIBUTE_COUNT);
    if (s == TPP_OK) s = copy_codes(&new, structure);
    return finish(t, &new, s);
}

tpp_status tpp_targets_add_structure(tpp_targets *t, const tpp_prompts *library,
                                     const char *structure, const char *modality)
{
    const tpp_structure *found = NULL;
    TPP_TRY(tpp_prompts_find(library, &found, structure));
    return add_structure(t, found, modality);
}

/* ---- files ---- */

/* The failure of this thread, with the file's name (and line, if any) before it. */
static tpp_status in_file(tpp_status s, const char *path, int line)
{
    char message[400];
    if (s == TPP_OK || s == TPP_ENOMEM) return s;
    (void)snprintf(message, sizeof(message), "%s", tpp_error());
    return line > 0 ? TPP_FAIL(s, "%s:%d: %s", path, line, message)
                    : TPP_FAIL(s, "%s: %s", path, message);
}

static bool has_view(const tpp_structure *s, const char *name)
{
    for (size_t i = 0; i < s->n_views; i++)
        if (strcmp(s->views[i].name, name) == 0) return true;
    return false;
}

static tpp_status read_library(tpp_targets *t, const char *path, const char *modality)
{
    tpp_prompts library = {0};
    TPP_TRY(tpp_prompts_read(&library, path));
    tpp_status s = TPP_OK;
    const int before = t->count;
    for (size_t i = 0; i < library.count && s == TPP_OK; i++)
        if (modality == NULL || has_view(&library.structures[i], modality))
            s = in_file(add_structure(t, &library.structures[i], modality), path, 0);
    tpp_prompts_free(&library);
    if (s == TPP_OK && t->count == before)
        s = TPP_FAIL(TPP_EUSAGE, "%s: no structure has sentences for %s", path, modality);
    return s;
}

/* "left_kidney" as "left kidney" */
static tpp_status take_item(tpp_targets *t, const tpp_yaml_item *item)
{
    tpp_target new = {0};
    if (strchr(item->key, '.') != NULL)
        return TPP_FAIL(TPP_EFORMAT, "%s: wanted a sentence or a list of sentences", item->key);
    char *title = tpp_strdup(item->key);
    for (char *p = title; p != NULL && *p != '\0'; p++)
        if (*p == '_') *p = ' ';
    tpp_status s = title == NULL ? TPP_ENOMEM : TPP_OK;
    if (s == TPP_OK)
        s = fill(t, &new, item->key, title, (const char *const *)item->value, (int)item->count);
    tpp_free(title);
    return finish(t, &new, s);
}

static tpp_status read_yaml(tpp_targets *t, const char *path, const char *modality)
{
    tpp_yaml y = {0};
    tpp_status s = tpp_yaml_read(&y, path);
    if (s == TPP_OK && y.count == 0) s = TPP_FAIL(TPP_EFORMAT, "%s: holds no prompts", path);
    bool is_library = false;
    for (size_t i = 0; i < y.count; i++)
        if (strncmp(y.items[i].key, "structures.", strlen("structures.")) == 0) is_library = true;
    if (s == TPP_OK && is_library) s = read_library(t, path, modality);
    for (size_t i = 0; i < y.count && s == TPP_OK && !is_library; i++)
        s = in_file(take_item(t, &y.items[i]), path, y.items[i].line);
    tpp_yaml_free(&y);
    return s;
}

/* Cuts white space off both ends, in place. */
static char *trim(char *text)
{
    while (isspace((unsigned char)*text)) text++;
    size_t n = strlen(text);
    while (n > 0 && isspace((unsigned char)text[n - 1])) text[--n] = '\0';
    return text;
}

/* One target of the lines of `text`, which is cut into them. */
static tpp_status take_lines(tpp_targets *t, char *text, const char *path)
{
    const char *lines[TPP_TARGET_MAX_PROMPTS];
    int n = 0, number = 0;
    if (strncmp(text, "\xEF\xBB\xBF", 3) == 0) text += 3; /* byte order mark */
    for (char *p = text, *end = NULL; p != NULL; p = end) {
        end = strchr(p, '\n');
        if (end != NULL) *end++ = '\0';
        number++;
        TPP_TRY(in_file(tpp_utf8_check(p, strlen(p), "prompt"), path, number));
        p = trim(p);
        if (p[0] == '\0' || p[0] == '#') continue;
        if (n == TPP_TARGET_MAX_PROMPTS)
            return TPP_FAIL(TPP_EUSAGE, "%s:%d: more than %d prompts", path, number,
                            (int)TPP_TARGET_MAX_PROMPTS);
        lines[n++] = p;
    }
    if (n == 0) return TPP_FAIL(TPP_EUSAGE, "%s: holds no prompts", path);
    return in_file(tpp_targets_add_sentences(t, NULL, lines, n), path, 0);
}

static tpp_status read_text(tpp_targets *t, const char *path)
{
    char *text = NULL;
    size_t size = 0;
    TPP_TRY(tpp_file_read(&text, &size, path, MAX_FILE));
    const tpp_status s =
        strlen(text) == size
            ? take_lines(t, text, path)
            : TPP_FAIL(TPP_EFORMAT, "%s: holds a zero byte, so it is no text", path);
    tpp_free(text);
    return s;
}

tpp_status tpp_targets_read(tpp_targets *t, const char *path, const char *modality)
{
    const int before = t->count;
    const bool is_yaml = tpp_path_has_suffix(path, ".yaml") || tpp_path_has_suffix(path, ".yml");
    const tpp_status s = is_yaml ? read_yaml(t, path, modality) : read_text(t, path);
    if (s != TPP_OK) keep_first(t, before);
    return s;
}
