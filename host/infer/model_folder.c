/* Opens and makes model folders.
 * SPDX-License-Identifier: MIT */
#include "infer/model_folder.h"

#include "core/mem.h"
#include "core/path.h"
#include "core/str.h"
#include "infer/out_folder.h"
#include "infer/weights.h"

#include <inttypes.h>
#include <string.h>

enum {
    ROBERTA_TOKENS = 512,      /* 510 and the two specials */
    POSITIONS_BEFORE_TEXT = 2, /* position ids start there */
    MAX_VOCAB_FILE = 64 << 20
};

void tpp_model_folder_close(tpp_model_folder *m)
{
    tpp_bpe_close(m->bpe);
    tpp_safetensors_close(m->weights);
    tpp_free(m->path);
    *m = (tpp_model_folder){0};
}

static tpp_status check_there(const char *folder)
{
    static const char *const names[] = {TPP_MODEL_YAML, TPP_MODEL_WEIGHTS, TPP_MODEL_VOCAB,
                                        TPP_MODEL_MERGES};
    tpp_str missing = {0};
    if (!tpp_path_is_folder(folder))
        return TPP_FAIL(TPP_EIO,
                        "%s: there is no such folder; a model is a folder with %s, %s, %s "
                        "and %s",
                        folder, names[0], names[1], names[2], names[3]);
    for (int i = 0; i < 4; i++) {
        char *path = tpp_path_join(folder, names[i]);
        if (path == NULL) return TPP_ENOMEM;
        if (!tpp_path_exists(path))
            tpp_str_format(&missing, "%s%s", missing.length > 0 ? ", " : "", names[i]);
        tpp_free(path);
    }
    tpp_status s = missing.status;
    if (s == TPP_OK && missing.length > 0)
        s = TPP_FAIL(TPP_EIO, "%s: the model folder lacks %s", folder, missing.text);
    tpp_str_free(&missing);
    return s;
}

static tpp_status read_config(tpp_model_folder *m, const char *const *overrides, size_t n)
{
    char *path = tpp_path_join(m->path, TPP_MODEL_YAML);
    if (path == NULL) return TPP_ENOMEM;
    const tpp_status s = tpp_model_config_read(&m->config, path, overrides, n);
    tpp_free(path);
    return s;
}

static tpp_status open_weights(tpp_model_folder *m)
{
    char *path = tpp_path_join(m->path, TPP_MODEL_WEIGHTS);
    if (path == NULL) return TPP_ENOMEM;
    tpp_status s = tpp_safetensors_open(&m->weights, path);
    if (s == TPP_OK) s = tpp_weights_check(m->weights, path, &m->config);
    if (s == TPP_OK) m->is_synthetic = tpp_weights_are_synthetic(m->weights);
    tpp_free(path);
    return s;
}

/* Every id that the vocabulary can give needs a row of the embedding. */
static tpp_status check_vocab(const tpp_model_folder *m)
{
    const size_t tokens = tpp_bpe_vocab_size(m->bpe);
    if (tokens <= (size_t)m->config.text.vocab) return TPP_OK;
    return TPP_FAIL(TPP_EFORMAT, "%s: %s has %zu tokens, the model's text.vocab is %d", m->path,
                    TPP_MODEL_VOCAB, tokens, m->config.text.vocab);
}

static tpp_status open_parts(tpp_model_folder *m, const char *const *overrides, size_t n)
{
    if (m->path == NULL) return TPP_ENOMEM;
    TPP_TRY(check_there(m->path));
    TPP_TRY(read_config(m, overrides, n));
    TPP_TRY(open_weights(m));
    TPP_TRY(tpp_bpe_open_folder(&m->bpe, m->path));
    return check_vocab(m);
}

tpp_status tpp_model_folder_open(tpp_model_folder *m, const char *path,
                                 const char *const *overrides, size_t n_overrides)
{
    tpp_model_folder opened = {.path = tpp_strdup(path)};
    const tpp_status s = open_parts(&opened, overrides, n_overrides);
    if (s == TPP_OK)
        *m = opened;
    else
        tpp_model_folder_close(&opened);
    return s;
}

tpp_status tpp_model_folder_tokens(const tpp_model_folder *m, tpp_tokens *out, const char *text,
                                   size_t length)
{
    const int room = m->config.text.positions - POSITIONS_BEFORE_TEXT;
    const size_t limit = room < ROBERTA_TOKENS ? (size_t)room : ROBERTA_TOKENS;
    return tpp_bpe_prompt(m->bpe, out, text, length, m->config.text.lower, limit);
}

/* ---- making one ---- */

static tpp_status write_text(const tpp_out_folder *o, const char *name, const tpp_str *text)
{
    char *path = NULL;
    if (text->status != TPP_OK) return text->status;
    TPP_TRY(tpp_out_folder_file(o, &path, name));
    const tpp_status s = tpp_file_write(path, text->text, text->length);
    tpp_free(path);
    return s;
}

static tpp_status write_config(const tpp_out_folder *o, const struct tpp_model_config *config)
{
    tpp_str text = {0};
    tpp_status s = tpp_schema_dump(&tpp_model_schema, config, &text);
    if (s == TPP_OK) s = write_text(o, TPP_MODEL_YAML, &text);
    tpp_str_free(&text);
    return s;
}

static tpp_status write_card(const tpp_out_folder *o, const struct tpp_model_config *config,
                             uint64_t seed)
{
    tpp_str text = {0};
    tpp_str_format(&text,
                   "# Synthetic model, seed %" PRIu64 "\n\n"
                   "The weights of this model are synthetic: numbers made from the names of the\n"
                   "tensors by a fixed rule. Nothing was trained. **Its masks mean nothing.** It\n"
                   "is for tests of the program, for speed, and for a first look at the files.\n\n"
                   "- backbone: %s\n"
                   "- made by: `tpp weights synth --config model.yaml --seed %" PRIu64
                   "`; the same\n"
                   "  seed and configuration give the same bytes on every machine\n"
                   "- measured on: nothing\n"
                   "- must not be used for: anything about a patient\n",
                   seed, tpp_backbone_text(config->backbone.name), seed);
    const tpp_status s = write_text(o, TPP_MODEL_CARD, &text);
    tpp_str_free(&text);
    return s;
}

static tpp_status copy_file(const tpp_out_folder *o, const char *from_folder, const char *name)
{
    char *from = tpp_path_join(from_folder, name), *to = NULL, *bytes = NULL;
    size_t size = 0;
    tpp_status s = from == NULL ? TPP_ENOMEM : TPP_OK;
    if (s == TPP_OK) s = tpp_file_read(&bytes, &size, from, MAX_VOCAB_FILE);
    if (s == TPP_OK) s = tpp_out_folder_file(o, &to, name);
    if (s == TPP_OK) s = tpp_file_write(to, bytes, size);
    tpp_free(bytes);
    tpp_free(to);
    tpp_free(from);
    return s;
}

static tpp_status check_source_vocab(const struct tpp_model_config *config, const char *folder)
{
    tpp_bpe *bpe = NULL;
    TPP_TRY(tpp_bpe_open_folder(&bpe, folder));
    const size_t tokens = tpp_bpe_vocab_size(bpe);
    tpp_bpe_close(bpe);
    if (tokens <= (size_t)config->text.vocab) return TPP_OK;
    return TPP_FAIL(TPP_EUSAGE, "%s: the vocabulary has %zu tokens, text.vocab is %d", folder,
                    tokens, config->text.vocab);
}

static tpp_status write_weights(const tpp_out_folder *o, const struct tpp_model_config *config,
                                uint64_t seed)
{
    char *path = NULL;
    TPP_TRY(tpp_out_folder_file(o, &path, TPP_MODEL_WEIGHTS));
    const tpp_status s = tpp_synth_write(path, config, seed);
    tpp_free(path);
    return s;
}

tpp_status tpp_model_folder_synth(const char *path, const struct tpp_model_config *config,
                                  uint64_t seed, const char *vocab_folder, bool overwrite)
{
    tpp_out_folder o = {0};
    TPP_TRY(check_source_vocab(config, vocab_folder));
    TPP_TRY(tpp_out_folder_open(&o, path, overwrite));
    tpp_status s = write_config(&o, config);
    if (s == TPP_OK) s = copy_file(&o, vocab_folder, TPP_MODEL_VOCAB);
    if (s == TPP_OK) s = copy_file(&o, vocab_folder, TPP_MODEL_MERGES);
    if (s == TPP_OK) s = write_card(&o, config, seed);
    if (s == TPP_OK) s = write_weights(&o, config, seed);
    if (s == TPP_OK) s = tpp_out_folder_commit(&o);
    tpp_out_folder_discard(&o);
    return s;
}
