/* Reads a vocab.json with jansson and checks it entry by entry.
 * SPDX-License-Identifier: MIT */
#include "text/vocab.h"

#include "core/mem.h"
#include "core/path.h"

#include <jansson.h>
#include <string.h>

enum { MAX_BYTES = 64 << 20, MAX_TOKENS = 1000000, MAX_TOKEN_BYTES = 4096 };

void tpp_vocab_free(tpp_vocab *v)
{
    if (v == NULL) return;
    tpp_free((void *)v->text);
    tpp_table_free(&v->ids);
    *v = (tpp_vocab){0};
}

int32_t tpp_vocab_id(const tpp_vocab *v, const char *token, size_t length)
{
    const tpp_table_entry *e = tpp_table_find_bytes(&v->ids, token, length);
    return e == NULL ? -1 : (int32_t)e->value.number;
}

static tpp_status add_token(tpp_vocab *v, const char *token, const json_t *value, const char *path)
{
    if (!json_is_integer(value))
        return TPP_FAIL(TPP_EFORMAT, "%s: token %.60s wants an integer id", path, token);
    const json_int_t id = json_integer_value(value);
    if (id < 0 || (size_t)id >= v->count)
        return TPP_FAIL(TPP_EFORMAT, "%s: token %.60s has id %lld, wanted 0 to %zu", path, token,
                        (long long)id, v->count - 1);
    if (strlen(token) > MAX_TOKEN_BYTES)
        return TPP_FAIL(TPP_EFORMAT, "%s: token %.60s... is longer than %d bytes", path, token,
                        MAX_TOKEN_BYTES);
    if (v->text[id] != NULL)
        return TPP_FAIL(TPP_EFORMAT, "%s: tokens %.60s and %.60s have the same id %lld", path,
                        v->text[id], token, (long long)id);
    tpp_table_entry *e = tpp_table_put(&v->ids, token, NULL);
    if (e == NULL) return TPP_ENOMEM;
    e->value.number = id;
    v->text[id] = e->key; /* keys stay where they are when the table grows */
    return TPP_OK;
}

static tpp_status check_specials(const tpp_vocab *v, const char *path)
{
    static const char *const special[] = {"<s>", "<pad>", "</s>", "<unk>"};
    for (int32_t id = 0; id < 4; id++)
        if (tpp_vocab_id(v, special[id], strlen(special[id])) != id)
            return TPP_FAIL(TPP_EFORMAT, "%s: wanted token %s with id %d, got %.60s", path,
                            special[id], (int)id, v->text[id]);
    return TPP_OK;
}

static tpp_status take_tokens(tpp_vocab *v, json_t *root, const char *path)
{
    if (!json_is_object(root))
        return TPP_FAIL(TPP_EFORMAT, "%s: wanted an object of token: id", path);
    v->count = json_object_size(root);
    if (v->count < 4 || v->count > MAX_TOKENS)
        return TPP_FAIL(TPP_EFORMAT, "%s: wanted 4 to %d tokens, got %zu", path, MAX_TOKENS,
                        v->count);
    TPP_NEW(v->text, v->count);
    const char *token;
    json_t *value;
    json_object_foreach(root, token, value) TPP_TRY(add_token(v, token, value, path));
    return check_specials(v, path);
}

tpp_status tpp_vocab_read(tpp_vocab *out, const char *path)
{
    char *text = NULL;
    size_t size = 0;
    tpp_vocab v = {0};
    json_error_t error;
    json_t *root = NULL;
    tpp_status s = tpp_file_read(&text, &size, path, MAX_BYTES);
    if (s != TPP_OK) return s;
    root = json_loadb(text, size, JSON_REJECT_DUPLICATES, &error);
    if (root == NULL)
        s = TPP_FAIL(TPP_EFORMAT, "%s:%d: not JSON: %.200s", path, error.line, error.text);
    else
        s = take_tokens(&v, root, path);
    json_decref(root);
    tpp_free(text);
    if (s != TPP_OK) {
        tpp_vocab_free(&v);
        return s;
    }
    *out = v;
    return TPP_OK;
}
