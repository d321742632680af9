/* tpp info: the prompt library, a model's card, what the program was built with. No device.
 * SPDX-License-Identifier: MIT */
#include "cli/cli.h"
#include "cli/config_json.h"
#include "cli/json.h"
#include "core/mem.h"
#include "core/path.h"
#include "infer/model_folder.h"
#include "io/hash.h"
#include "text/prompts.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#define NOT_REVIEWED "The sentences were not reviewed by a radiologist."

typedef struct info_arguments {
    tpp_list structures;
    const char *model, *library;
    bool json, names;
} info_arguments;
#define AT(member) offsetof(info_arguments, member)

/* ---- the prompt library ---- */

static json_t *view_json(const tpp_prompt_view *v)
{
    json_t *prompts = json_object();
    for (int a = 0; a < TPP_ATTRIBUTE_COUNT; a++)
        (void)json_object_set_new(prompts, tpp_attribute_text((enum tpp_attribute)a),
                                  tpp_json_text(v->sentence[a]));
    return json_pack("{s:o, s:o, s:o}", "modality", tpp_json_text(v->name), "prompts", prompts,
                     "simple", tpp_json_text(v->simple));
}

static json_t *structure_json(const tpp_structure *s, bool with_prompts)
{
    json_t *aliases = json_array(), *views = json_array();
    for (size_t i = 0; i < s->n_aliases; i++)
        (void)json_array_append_new(aliases, tpp_json_text(s->aliases[i]));
    for (size_t i = 0; i < s->n_views; i++)
        (void)json_array_append_new(views, with_prompts ? view_json(&s->views[i])
                                                        : tpp_json_text(s->views[i].name));
    json_t *j = json_pack("{s:o, s:o, s:o, s:o}", "key", tpp_json_text(s->key), "name",
                          tpp_json_text(s->name), "aliases", aliases,
                          with_prompts ? "views" : "modalities", views);
    if (s->type_code != NULL)
        (void)json_object_set_new(
            j, "snomed",
            json_pack("{s:o, s:o, s:o, s:o, s:o}", "category", tpp_json_text(s->category_code),
                      "type", tpp_json_text(s->type_code), "meaning",
                      tpp_json_text(s->type_meaning), "modifier", tpp_json_text(s->modifier_code),
                      "site", tpp_json_text(s->site_code)));
    if (s->has_rgb)
        (void)json_object_set_new(j, "rgb",
                                  json_pack("[i, i, i]", s->rgb[0], s->rgb[1], s->rgb[2]));
    return j;
}

static void print_structure(const tpp_structure *s)
{
    (void)printf("%s (%s)\n", s->key, s->name);
    for (size_t i = 0; i < s->n_aliases; i++)
        (void)printf("%s%s", i == 0 ? "  also called: " : ", ", s->aliases[i]);
    if (s->n_aliases > 0) (void)putchar('\n');
    if (s->type_code != NULL) (void)printf("  SNOMED CT: %s (%s)\n", s->type_code, s->type_meaning);
    for (size_t i = 0; i < s->n_views; i++) {
        (void)printf("  %s\n", s->views[i].name);
        for (int a = 0; a < TPP_ATTRIBUTE_COUNT; a++)
            (void)printf("    %-8s %s\n", tpp_attribute_text((enum tpp_attribute)a),
                         s->views[i].sentence[a]);
        (void)printf("    %-8s %s\n", "simple", s->views[i].simple);
    }
}

static tpp_status tell_structures(const tpp_prompts *library, const info_arguments *a)
{
    json_t *list = json_array();
    tpp_status s = TPP_OK;
    for (int i = 0; i < a->structures.count && s == TPP_OK; i++) {
        const tpp_structure *found = NULL;
        s = tpp_prompts_find(library, &found, a->structures.item[i]);
        if (s == TPP_OK && a->json)
            (void)json_array_append_new(list, structure_json(found, true));
        else if (s == TPP_OK)
            print_structure(found);
    }
    if (s == TPP_OK && a->json)
        return tpp_json_print(json_pack("{s:o, s:s}", "structures", list, "note", NOT_REVIEWED));
    json_decref(list);
    if (s == TPP_OK) (void)printf("\n%s\n", NOT_REVIEWED);
    return s;
}

static void print_names(const tpp_prompts *library)
{
    for (size_t i = 0; i < library->count; i++) (void)printf("%s\n", library->structures[i].key);
}

/* ---- everything ---- */

static json_t *libraries_json(void)
{
    json_t *list = json_array();
    tpp_library l;
    for (int i = 0; tpp_library_at(&l, i); i++)
        (void)json_array_append_new(
            list, json_pack("{s:s, s:s, s:s, s:s, s:b}", "name", l.name, "version", l.version,
                            "licence", l.licence, "purpose", l.purpose, "built_in", l.is_built_in));
    return list;
}

static tpp_status all_json(const tpp_prompts *library, const char *path)
{
    json_t *list = json_array();
    for (size_t i = 0; i < library->count; i++)
        (void)json_array_append_new(list, structure_json(&library->structures[i], false));
    return tpp_json_print(json_pack(
        "{s:s, s:s, s:{s:o, s:o, s:s}, s:o, s:s}", "version", tpp_cli_version(), "licence", "MIT",
        "prompt_library", "path", tpp_json_text(path), "structures", list, "note", NOT_REVIEWED,
        "libraries", libraries_json(), "notice",
        "Research software. Not a medical device. Not for diagnosis or treatment decisions."));
}

static void print_all(const tpp_prompts *library, const char *path)
{
    tpp_library l;
    (void)printf("tpp %s (MIT)\n\nprompt library: %s\n", tpp_cli_version(), path);
    for (size_t i = 0; i < library->count; i++) {
        const tpp_structure *s = &library->structures[i];
        (void)printf("  %-18s", s->key);
        for (size_t k = 0; k < s->n_views; k++)
            (void)printf("%s%s", k == 0 ? "" : ", ", s->views[k].name);
        (void)putchar('\n');
    }
    (void)printf("`tpp info NAME` prints the sentences. %s\n\nlibraries:\n", NOT_REVIEWED);
    for (int i = 0; tpp_library_at(&l, i); i++)
        (void)printf("  %-18s %-12s %s: %s\n", l.name, l.is_built_in ? l.version : "not built in",
                     l.purpose, l.licence);
    (void)printf("\n" TPP_NOT_MEDICAL);
}

static tpp_status tell_library(const info_arguments *a)
{
    char *path = a->library != NULL
                     ? tpp_strdup(a->library)
                     : tpp_cli_data("configs/prompts.yaml", "configs/prompts.yaml", NULL);
    tpp_prompts library = {0};
    if (path == NULL)
        return TPP_FAIL(TPP_EUSAGE, "configs/prompts.yaml was not found; --library FILE names it");
    tpp_status s = tpp_prompts_read(&library, path);
    if (s == TPP_OK && a->names)
        print_names(&library);
    else if (s == TPP_OK && a->structures.count > 0)
        s = tell_structures(&library, a);
    else if (s == TPP_OK && a->json)
        s = all_json(&library, path);
    else if (s == TPP_OK)
        print_all(&library, path);
    tpp_prompts_free(&library);
    tpp_free(path);
    return s;
}

/* ---- a model ---- */

/* "- licence: CC0-1.0" of a card; NULL: no such line. In place. */
static const char *licence_of(char *card)
{
    for (char *p = card; p != NULL && *p != '\0';) {
        char *end = strchr(p, '\n');
        while (*p == ' ' || *p == '-' || *p == '*') p++;
        const size_t n = 7; /* "licence", "license" */
        if ((strncmp(p, "licen", 5) == 0 || strncmp(p, "Licen", 5) == 0) && strlen(p) > n &&
            p[n] == ':') {
            if (end != NULL) *end = '\0';
            for (p += n + 1; isspace((unsigned char)*p);) p++;
            return p;
        }
        p = end != NULL ? end + 1 : NULL;
    }
    return NULL;
}

/* The card's text; NULL: there is none. */
static char *read_card(const char *folder)
{
    enum { MOST = 1 << 16 };
    char *path = tpp_path_join(folder, TPP_MODEL_CARD), *text = NULL;
    size_t size = 0;
    if (path != NULL && tpp_path_exists(path) && tpp_file_read(&text, &size, path, MOST) != TPP_OK)
        text = NULL;
    tpp_free(path);
    return text;
}

typedef struct model_facts {
    const tpp_model_folder *m;
    int64_t parameters;
    tpp_sha256 hash;
    char *card;
    const char *licence;
} model_facts;

static tpp_status print_model(const model_facts *f, bool json)
{
    const struct tpp_model_config *c = &f->m->config;
    if (json)
        return tpp_json_print(json_pack(
            "{s:o, s:s, s:I, s:I, s:b, s:o, s:s, s:o, s:o}", "folder", tpp_json_text(f->m->path),
            "backbone", tpp_backbone_text(c->backbone.name), "parameters",
            (json_int_t)f->parameters, "tensors", (json_int_t)tpp_safetensors_count(f->m->weights),
            "synthetic", f->m->is_synthetic, "licence", tpp_json_text(f->licence), "sha256",
            f->hash.hex, "config", tpp_config_json(c), "card", tpp_json_text(f->card)));
    (void)printf("%s\n", f->m->path);
    (void)printf("  backbone     %s, width %d, %d + %d layers\n",
                 tpp_backbone_text(c->backbone.name), c->model.hidden, c->model.enc_layers,
                 c->model.dec_layers);
    (void)printf("  text         %d layers of %d, vocabulary of %d, %d prompts\n", c->text.layers,
                 c->text.hidden, c->text.vocab, c->text.num_prompts);
    (void)printf("  pictures     shorter side %d, longer at most %d, threshold %g\n",
                 c->infer.short_side, c->infer.max, c->infer.threshold);
    (void)printf("  parameters   %" PRId64 "\n", f->parameters);
    (void)printf("  weights      %s\n",
                 f->m->is_synthetic ? "synthetic: masks mean nothing" : "not marked as synthetic");
    (void)printf("  licence      %s\n", f->licence != NULL ? f->licence : "not stated");
    (void)printf("  sha256       %s\n", f->hash.hex);
    if (f->card != NULL) (void)printf("\n%s", f->card);
    return TPP_OK;
}

static tpp_status tell_model(const char *folder, bool json)
{
    tpp_model_folder m = {0};
    model_facts f = {.m = &m};
    TPP_TRY(tpp_model_folder_open(&m, folder, NULL, 0));
    char *weights = tpp_path_join(folder, TPP_MODEL_WEIGHTS), *copy = NULL;
    tpp_status s = weights == NULL ? TPP_ENOMEM : tpp_sha256_file(&f.hash, weights);
    for (size_t i = 0; i < tpp_safetensors_count(m.weights); i++)
        f.parameters += tpp_safetensors_get(m.weights, i)->count;
    f.card = read_card(folder);
    copy = f.card != NULL ? tpp_strdup(f.card) : NULL;
    f.licence = licence_of(copy);
    if (s == TPP_OK) s = print_model(&f, json);
    tpp_free(copy);
    tpp_free(f.card);
    tpp_free(weights);
    tpp_model_folder_close(&m);
    return s;
}

/* ---- the command ---- */

static int run_info(void *arguments)
{
    const info_arguments *a = arguments;
    tpp_status s = TPP_OK;
    if (a->model != NULL && (a->structures.count > 0 || a->names))
        s = TPP_FAIL(TPP_EUSAGE, "a model or structures, not both");
    else if (a->model != NULL)
        s = tell_model(a->model, a->json);
    else
        s = tell_library(a);
    return tpp_exit_with("info", s, true);
}

static const tpp_option options[] = {
    {'m', "model", TPP_OPTION_TEXT, AT(model), "FOLDER", .help = "this model's card",
     .completes = TPP_COMPLETE_FOLDER},
    {0, "library", TPP_OPTION_TEXT, AT(library), "FILE",
     .help = "prompt library; default: the project's own", .completes = TPP_COMPLETE_FILE},
    {0, "names", TPP_OPTION_FLAG, AT(names), NULL, .help = "names of structures alone, one a line"},
    {'j', "json", TPP_OPTION_FLAG, AT(json), NULL, .help = "as JSON"},
    {0},
};

const tpp_command tpp_command_info = {
    .name = "info",
    .help = "list structures and their prompts, a model's card, libraries and licences",
    .synopsis = "[STRUCTURE...] [--model FOLDER] [--json]",
    .about = "Without arguments: the structures of the prompt library, and the libraries that the\n"
             "program was built with. With names: their sentences. Needs no device.",
    .examples = "  tpp info\n  tpp info liver \"left kidney\"\n  tpp info --model model --json\n",
    .options = {options},
    .rest = "STRUCTURE",
    .rest_offset = AT(structures),
    .rest_completes = TPP_COMPLETE_STRUCTURE,
    .size = sizeof(info_arguments),
    .run = run_info};
