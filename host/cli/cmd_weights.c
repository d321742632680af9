/* tpp weights: makes synthetic model folders, lists a weights file, checks a model folder.
 * SPDX-License-Identifier: MIT */
#include "cli/cli.h"
#include "cli/json.h"
#include "cli/words.h"
#include "core/mem.h"
#include "core/path.h"
#include "infer/model_folder.h"
#include "infer/weights.h"
#include "io/hash.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* ---- synth ---- */

typedef struct synth_arguments {
    const char *config, *output, *vocab;
    uint64_t seed;
    tpp_list sets;
    bool overwrite, quiet;
} synth_arguments;
#define AT(member) offsetof(synth_arguments, member)

static const tpp_option synth_options[] = {
    {'c', "config", TPP_OPTION_TEXT, AT(config), "FILE",
     .help = "configuration; default: preset paper", .completes = TPP_COMPLETE_FILE},
    {'s', "set", TPP_OPTION_LIST, AT(sets), "KEY=VALUE", .help = "change the configuration",
     .word = tpp_config_word},
    {0, "seed", TPP_OPTION_SEED, AT(seed), "N", .help = "of the numbers"},
    {'o', "output", TPP_OPTION_TEXT, AT(output), "FOLDER", .help = "the model folder to make",
     .completes = TPP_COMPLETE_FOLDER},
    {0, "vocab", TPP_OPTION_TEXT, AT(vocab), "FOLDER",
     .help = "where vocab.json and merges.txt are; default: the project's own",
     .completes = TPP_COMPLETE_FOLDER},
    {0, "overwrite", TPP_OPTION_FLAG, AT(overwrite), NULL,
     .help = "into a folder that is not empty"},
    {'q', "quiet", TPP_OPTION_FLAG, AT(quiet), NULL, .help = "warnings and errors only"},
    {0},
};
#undef AT

/* *on_input: still reading what the user named, not writing. */
static tpp_status make_model(const synth_arguments *a, bool *on_input)
{
    struct tpp_model_config config;
    *on_input = true;
    if (a->output == NULL) return TPP_FAIL(TPP_EUSAGE, "--output is wanted: a folder");
    TPP_TRY(tpp_model_config_read(&config, a->config, a->sets.item, (size_t)a->sets.count));
    if (a->vocab != NULL && !tpp_path_is_folder(a->vocab))
        return TPP_FAIL(TPP_EIO, "%s: there is no such folder", a->vocab);
    char *vocab =
        a->vocab != NULL ? tpp_strdup(a->vocab) : tpp_cli_data("vocab", "weights/vocab", a->config);
    if (vocab == NULL)
        return TPP_FAIL(TPP_EUSAGE, "no vocabulary was found; --vocab FOLDER names one");
    *on_input = false;
    const tpp_status s = tpp_model_folder_synth(a->output, &config, a->seed, vocab, a->overwrite);
    tpp_free(vocab);
    return s;
}

static int run_synth(void *arguments)
{
    const synth_arguments *a = arguments;
    bool on_input = true;
    const tpp_status s = make_model(a, &on_input);
    if (s == TPP_OK && !a->quiet)
        (void)printf("%s: a model with synthetic weights (seed %" PRIu64 "); its masks mean "
                     "nothing\n",
                     a->output, a->seed);
    return tpp_exit_with("weights synth", s, on_input);
}

static const synth_arguments synth_defaults = {.seed = 1};
static const tpp_command synth = {
    .name = "synth",
    .help = "make a model folder with synthetic weights",
    .synopsis = "-o FOLDER [--config FILE] [--seed N]",
    .about = "Makes a model folder with synthetic weights: numbers by a rule, the same on every\n"
             "machine. Its masks mean nothing; it is for tests, speed and a first look.",
    .examples = "  tpp weights synth --config configs/tiny.yaml --seed 1 -o model\n",
    .options = {synth_options},
    .defaults = &synth_defaults,
    .size = sizeof(synth_arguments),
    .run = run_synth};

/* ---- inspect ---- */

static char *weights_path(const char *path)
{
    return tpp_path_is_folder(path) ? tpp_path_join(path, TPP_MODEL_WEIGHTS) : tpp_strdup(path);
}

static void print_file(const tpp_safetensors *f)
{
    int64_t values = 0;
    size_t bytes = 0;
    for (size_t i = 0; i < tpp_safetensors_meta_count(f); i++) {
        const tpp_safetensors_pair p = tpp_safetensors_meta_get(f, i);
        (void)printf("# %s = %.200s%s\n", p.key, p.value, strlen(p.value) > 200 ? "..." : "");
    }
    for (size_t i = 0; i < tpp_safetensors_count(f); i++) {
        const tpp_safetensors_tensor *t = tpp_safetensors_get(f, i);
        (void)printf("%-80s %-5s %s\n", t->name, tpp_safetensors_dtype_text(t->type),
                     tpp_safetensors_shape_text(t));
        values += t->count;
        bytes += t->size;
    }
    (void)printf("# %zu tensors, %" PRId64 " values, %.1f MB\n", tpp_safetensors_count(f), values,
                 (double)bytes / 1e6);
}

static json_t *tensor_json(const tpp_safetensors_tensor *t)
{
    json_t *shape = json_array();
    for (int i = 0; i < t->rank; i++) (void)json_array_append_new(shape, json_integer(t->dims[i]));
    return json_pack("{s:o, s:s, s:o, s:I}", "name", tpp_json_text(t->name), "type",
                     tpp_safetensors_dtype_text(t->type), "shape", shape, "bytes",
                     (json_int_t)t->size);
}

static json_t *file_json(const tpp_safetensors *f, const char *path)
{
    json_t *meta = json_object(), *tensors = json_array();
    json_int_t values = 0, bytes = 0;
    for (size_t i = 0; i < tpp_safetensors_meta_count(f); i++) {
        const tpp_safetensors_pair p = tpp_safetensors_meta_get(f, i);
        (void)json_object_set_new(meta, p.key, tpp_json_text(p.value));
    }
    for (size_t i = 0; i < tpp_safetensors_count(f); i++) {
        const tpp_safetensors_tensor *t = tpp_safetensors_get(f, i);
        (void)json_array_append_new(tensors, tensor_json(t));
        values += t->count;
        bytes += (json_int_t)t->size;
    }
    return json_pack("{s:o, s:o, s:o, s:I, s:I}", "file", tpp_json_text(path), "metadata", meta,
                     "tensors", tensors, "values", values, "bytes", bytes);
}

typedef struct look_arguments {
    tpp_list rest, sets;
    bool json, quiet;
} look_arguments;
#define AT(member) offsetof(look_arguments, member)

static const tpp_option inspect_options[] = {
    {'j', "json", TPP_OPTION_FLAG, AT(json), NULL, .help = "as JSON"},
    {0},
};

static int run_inspect(void *arguments)
{
    const look_arguments *a = arguments;
    if (a->rest.count != 1)
        return tpp_exit_with(
            "weights inspect",
            TPP_FAIL(TPP_EUSAGE, "one file or model folder is wanted, got %d", a->rest.count),
            true);
    char *path = weights_path(a->rest.item[0]);
    tpp_safetensors *f = NULL;
    tpp_status s = path == NULL ? TPP_ENOMEM : tpp_safetensors_open(&f, path);
    if (s == TPP_OK && a->json)
        s = tpp_json_print(file_json(f, path));
    else if (s == TPP_OK)
        print_file(f);
    tpp_safetensors_close(f);
    tpp_free(path);
    return tpp_exit_with("weights inspect", s, true);
}

static const tpp_command inspect = {
    .name = "inspect",
    .help = "list the tensors of a file",
    .synopsis = "FILE|FOLDER [--json]",
    .about = "Lists the tensors and the metadata of a safetensors file.",
    .examples = "  tpp weights inspect model\n  tpp weights inspect model --json\n",
    .options = {inspect_options},
    .rest = "FILE|FOLDER",
    .rest_offset = AT(rest),
    .rest_completes = TPP_COMPLETE_FILE,
    .size = sizeof(look_arguments),
    .run = run_inspect};

/* ---- verify ---- */

static tpp_status print_verified(const tpp_model_folder *m, const look_arguments *a)
{
    tpp_sha256 hash = {""};
    char *path = tpp_path_join(m->path, TPP_MODEL_WEIGHTS);
    if (path == NULL) return TPP_ENOMEM;
    const tpp_status s = tpp_sha256_file(&hash, path);
    tpp_free(path);
    if (s != TPP_OK) return s;
    const char *backbone = tpp_backbone_text(m->config.backbone.name);
    const size_t tensors = tpp_safetensors_count(m->weights), words = tpp_bpe_vocab_size(m->bpe);
    if (a->json)
        return tpp_json_print(
            json_pack("{s:o, s:b, s:s, s:I, s:I, s:b, s:s}", "folder", tpp_json_text(m->path), "ok",
                      1, "backbone", backbone, "tensors", (json_int_t)tensors, "vocabulary",
                      (json_int_t)words, "synthetic", m->is_synthetic, "sha256", hash.hex));
    if (!a->quiet)
        (void)printf("%s: ok: %s, %zu tensors, vocabulary of %zu, weights %s\nsha256 %s  %s\n",
                     m->path, backbone, tensors, words,
                     m->is_synthetic ? "synthetic" : "not marked as synthetic", hash.hex,
                     TPP_MODEL_WEIGHTS);
    return TPP_OK;
}

static const tpp_option verify_options[] = {
    {'s', "set", TPP_OPTION_LIST, AT(sets), "KEY=VALUE", .help = "change the configuration",
     .word = tpp_config_word},
    {'j', "json", TPP_OPTION_FLAG, AT(json), NULL, .help = "as JSON"},
    {'q', "quiet", TPP_OPTION_FLAG, AT(quiet), NULL, .help = "errors only"},
    {0},
};

static int run_verify(void *arguments)
{
    const look_arguments *a = arguments;
    tpp_model_folder m = {0};
    tpp_status s = TPP_OK;
    if (a->rest.count != 1)
        s = TPP_FAIL(TPP_EUSAGE, "one model folder is wanted, got %d", a->rest.count);
    if (s == TPP_OK)
        s = tpp_model_folder_open(&m, a->rest.item[0], a->sets.item, (size_t)a->sets.count);
    if (s == TPP_OK) s = print_verified(&m, a);
    tpp_model_folder_close(&m);
    return tpp_exit_with("weights verify", s, true);
}

static const tpp_command verify = {
    .name = "verify",
    .help = "check a model folder",
    .synopsis = "FOLDER [--json]",
    .about =
        "Checks a model folder: configuration, every weight's name, shape and type, vocabulary.",
    .examples = "  tpp weights verify model\n",
    .options = {verify_options},
    .rest = "FOLDER",
    .rest_offset = AT(rest),
    .rest_completes = TPP_COMPLETE_FOLDER,
    .size = sizeof(look_arguments),
    .run = run_verify};
#undef AT

static const tpp_command *const members[] = {&synth, &inspect, &verify, NULL};
const tpp_command tpp_command_weights = {
    .name = "weights",
    .help = "make, look into, or check a model's weights: synth, inspect, verify",
    .synopsis = "COMMAND [options]",
    .about = "A model is a folder: configuration, weights, vocabulary, model card.",
    .commands = members};
