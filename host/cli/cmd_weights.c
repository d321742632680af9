/* tpp weights: makes synthetic model folders, lists a weights file, checks a model folder.
 * SPDX-License-Identifier: MIT */
#include "cli/cli.h"
#include "cli/options.h"
#include "core/mem.h"
#include "core/path.h"
#include "infer/model_folder.h"
#include "infer/weights.h"
#include "io/hash.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where the vocabulary of the project is installed, and where it lies in the source tree. */
#ifndef TPP_DATA_DIR
#define TPP_DATA_DIR "/usr/local/share/tpp"
#endif

/* ---- synth ---- */

static char *try_folder(const char *folder, const char *name)
{
    char *path = tpp_path_join(folder, name);
    if (path == NULL || tpp_path_is_folder(path)) return path;
    tpp_free(path);
    return NULL;
}

/* weights/vocab beside the folder of the configuration file, TPP_HOME/vocab, the installed one, or
 * weights/vocab here. NULL: nowhere. */
static char *find_vocab(const char *config)
{
    char *found = NULL;
    const char *home = getenv("TPP_HOME");
    if (config != NULL) {
        const size_t n = (size_t)(tpp_path_base(config) - config);
        char *folder = n == 0 ? tpp_strdup(".") : tpp_strndup(config, n);
        if (folder != NULL) found = try_folder(folder, "../weights/vocab");
        tpp_free(folder);
    }
    if (found == NULL && home != NULL) found = try_folder(home, "vocab");
    if (found == NULL) found = try_folder(TPP_DATA_DIR, "vocab");
    if (found == NULL) found = try_folder("weights", "vocab");
    return found;
}

typedef struct synth_arguments {
    const char *config, *output, *vocab;
    uint64_t seed;
    tpp_list sets;
    bool overwrite, help;
} synth_arguments;

static tpp_status parse_synth(synth_arguments *a, int argc, char **argv)
{
    const tpp_option options[] = {
        {'c', "config", TPP_OPTION_TEXT, &a->config, "FILE", "configuration; default: preset paper",
         0, 0},
        {'s', "set", TPP_OPTION_LIST, &a->sets, "KEY=VALUE", "change the configuration", 0, 0},
        {0, "seed", TPP_OPTION_SEED, &a->seed, "N", "of the numbers", 0, 0},
        {'o', "output", TPP_OPTION_TEXT, &a->output, "FOLDER", "the model folder to make", 0, 0},
        {0, "vocab", TPP_OPTION_TEXT, &a->vocab, "FOLDER",
         "where vocab.json and merges.txt are; default: the project's own", 0, 0},
        {0, "overwrite", TPP_OPTION_FLAG, &a->overwrite, NULL, "into a folder that is not empty", 0,
         0},
    };
    const tpp_usage usage = {
        "tpp weights synth", "-o FOLDER [--config FILE] [--seed N]",
        "Makes a model folder with synthetic weights: numbers by a rule, the same on every\n"
        "machine. Its masks mean nothing; it is for tests, speed and a first look.",
        "  tpp weights synth --config configs/tiny.yaml --seed 1 -o model\n", NULL};
    TPP_TRY(tpp_options_parse(&usage, options, TPP_COUNT(options), argc, argv, NULL, &a->help));
    if (!a->help && a->output == NULL) return TPP_FAIL(TPP_EUSAGE, "--output is wanted: a folder");
    return TPP_OK;
}

/* *on_input: still reading what the user named, not writing. */
static tpp_status run_synth(const synth_arguments *a, bool *on_input)
{
    struct tpp_model_config config;
    *on_input = true;
    TPP_TRY(tpp_model_config_read(&config, a->config, a->sets.item, (size_t)a->sets.count));
    if (a->vocab != NULL && !tpp_path_is_folder(a->vocab))
        return TPP_FAIL(TPP_EIO, "%s: there is no such folder", a->vocab);
    char *vocab = a->vocab != NULL ? tpp_strdup(a->vocab) : find_vocab(a->config);
    if (vocab == NULL)
        return TPP_FAIL(TPP_EUSAGE, "no vocabulary was found; --vocab FOLDER names one");
    *on_input = false;
    const tpp_status s = tpp_model_folder_synth(a->output, &config, a->seed, vocab, a->overwrite);
    tpp_free(vocab);
    return s;
}

static int synth(int argc, char **argv)
{
    synth_arguments a = {.seed = 1};
    tpp_status s = parse_synth(&a, argc, argv);
    if (s != TPP_OK || a.help) return tpp_exit_with("weights synth", s, true);
    bool on_input = true;
    s = run_synth(&a, &on_input);
    if (s == TPP_OK)
        (void)printf("%s: a model with synthetic weights (seed %" PRIu64 "); its masks mean "
                     "nothing\n",
                     a.output, a.seed);
    return tpp_exit_with("weights synth", s, on_input);
}

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

static int inspect(int argc, char **argv)
{
    tpp_list files = {0};
    bool help = false;
    const tpp_usage usage = {"tpp weights inspect", "FILE|FOLDER",
                             "Lists the tensors and the metadata of a safetensors file.",
                             "  tpp weights inspect model\n", NULL};
    tpp_status s = tpp_options_parse(&usage, NULL, 0, argc, argv, &files, &help);
    if (s == TPP_OK && !help && files.count != 1)
        s = TPP_FAIL(TPP_EUSAGE, "one file or model folder is wanted, got %d", files.count);
    if (s != TPP_OK || help) return tpp_exit_with("weights inspect", s, true);
    char *path = weights_path(files.item[0]);
    tpp_safetensors *f = NULL;
    s = path == NULL ? TPP_ENOMEM : tpp_safetensors_open(&f, path);
    if (s == TPP_OK) print_file(f);
    tpp_safetensors_close(f);
    tpp_free(path);
    return tpp_exit_with("weights inspect", s, true);
}

/* ---- verify ---- */

static tpp_status print_verified(const tpp_model_folder *m)
{
    tpp_sha256 hash = {""};
    char *path = tpp_path_join(m->path, TPP_MODEL_WEIGHTS);
    if (path == NULL) return TPP_ENOMEM;
    const tpp_status s = tpp_sha256_file(&hash, path);
    tpp_free(path);
    if (s != TPP_OK) return s;
    (void)printf("%s: ok: %s, %zu tensors, vocabulary of %zu, weights %s\nsha256 %s  %s\n", m->path,
                 tpp_backbone_text(m->config.backbone.name), tpp_safetensors_count(m->weights),
                 tpp_bpe_vocab_size(m->bpe),
                 m->is_synthetic ? "synthetic" : "not marked as synthetic", hash.hex,
                 TPP_MODEL_WEIGHTS);
    return TPP_OK;
}

static int verify(int argc, char **argv)
{
    tpp_list folders = {0}, sets = {0};
    bool help = false;
    const tpp_option options[] = {
        {'s', "set", TPP_OPTION_LIST, &sets, "KEY=VALUE", "change the configuration", 0, 0},
    };
    const tpp_usage usage = {
        "tpp weights verify", "FOLDER",
        "Checks a model folder: configuration, every weight's name, shape and type, vocabulary.",
        "  tpp weights verify model\n", NULL};
    tpp_model_folder m = {0};
    tpp_status s =
        tpp_options_parse(&usage, options, TPP_COUNT(options), argc, argv, &folders, &help);
    if (s == TPP_OK && !help && folders.count != 1)
        s = TPP_FAIL(TPP_EUSAGE, "one model folder is wanted, got %d", folders.count);
    if (s != TPP_OK || help) return tpp_exit_with("weights verify", s, true);
    s = tpp_model_folder_open(&m, folders.item[0], sets.item, (size_t)sets.count);
    if (s == TPP_OK) s = print_verified(&m);
    tpp_model_folder_close(&m);
    return tpp_exit_with("weights verify", s, true);
}

int tpp_cmd_weights(int argc, char **argv)
{
    static const tpp_subcommand subs[] = {
        {"synth", "make a model folder with synthetic weights", synth},
        {"inspect", "list the tensors of a file", inspect},
        {"verify", "check a model folder", verify},
    };
    return tpp_run_subcommand("weights", subs, TPP_COUNT(subs), argc, argv);
}
