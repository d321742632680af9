/* Byte-pair learning by counting all pairs anew for each merge: plain, and quick enough for the
 * few thousand distinct words of a prompt library.
 * SPDX-License-Identifier: MIT */
#include "text/bpe_train.h"

#include "core/mem.h"
#include "core/table.h"
#include "text/split.h"

#include <string.h>

/* A distinct piece of the texts. */
typedef struct word {
    int32_t *symbols;
    size_t length;
    uint32_t times;
} word;

typedef struct trainer {
    tpp_table tokens; /* token -> id; entries stand in order of id */
    tpp_table pieces; /* piece -> times it occurs */
    word *words;
    size_t n_words;
    uint32_t *counts; /* [size, size]: times a pair of ids occurs; zero between rounds */
    size_t size;      /* tokens wanted */
    tpp_str *merges;
} trainer;

typedef struct pair {
    int32_t left, right;
    uint32_t times;
} pair;

static void free_trainer(trainer *t)
{
    for (size_t i = 0; i < t->n_words; i++) tpp_free(t->words[i].symbols);
    tpp_free(t->words);
    tpp_free(t->counts);
    tpp_table_free(&t->pieces);
    tpp_table_free(&t->tokens);
}

static const char *token_text(const trainer *t, int32_t id)
{
    return t->tokens.entries[id].key;
}

/* Id of a token, which is new or known; NONE: out of memory. */
enum { NONE = -1 };
static int32_t put_token(trainer *t, const char *text)
{
    bool is_new;
    tpp_table_entry *e = tpp_table_put(&t->tokens, text, &is_new);
    if (e == NULL) return NONE;
    if (is_new) e->value.number = (int64_t)t->tokens.count - 1;
    return (int32_t)e->value.number;
}

enum { FIRST_BYTE = 4 }; /* id of byte 0 */

static tpp_status put_first_tokens(trainer *t)
{
    static const char *const special[FIRST_BYTE] = {"<s>", "<pad>", "</s>", "<unk>"};
    for (int i = 0; i < FIRST_BYTE; i++)
        if (put_token(t, special[i]) == NONE) return TPP_ENOMEM;
    for (int b = 0; b < 256; b++) {
        char symbol[3];
        (void)tpp_byte_symbol((uint8_t)b, symbol);
        if (put_token(t, symbol) == NONE) return TPP_ENOMEM;
    }
    return TPP_OK;
}

static tpp_status count_pieces(trainer *t, const char *text)
{
    const size_t length = strlen(text);
    TPP_TRY(tpp_utf8_check(text, length, "sentence"));
    for (size_t at = 0; at < length;) {
        const size_t end = tpp_split_next(text, length, at);
        tpp_table_entry *e = tpp_table_put_bytes(&t->pieces, text + at, end - at, NULL);
        if (e == NULL) return TPP_ENOMEM;
        e->value.number++;
        at = end;
    }
    return TPP_OK;
}

static tpp_status make_words(trainer *t)
{
    TPP_NEW(t->words, t->pieces.count);
    for (size_t i = 0; i < t->pieces.count; i++) {
        const tpp_table_entry *e = &t->pieces.entries[i];
        word *w = &t->words[i];
        TPP_NEW(w->symbols, e->length);
        t->n_words = i + 1;
        w->length = e->length;
        w->times = (uint32_t)e->value.number;
        for (size_t k = 0; k < e->length; k++)
            w->symbols[k] = FIRST_BYTE + (unsigned char)e->key[k];
    }
    return TPP_OK;
}

static uint32_t *count_of(trainer *t, const word *w, size_t at)
{
    return &t->counts[(size_t)w->symbols[at] * t->size + (size_t)w->symbols[at + 1]];
}

/* More often, or as often and earlier in the order of bytes. */
static bool is_better(const trainer *t, const pair *a, const pair *b)
{
    if (a->times != b->times) return a->times > b->times;
    const int left = strcmp(token_text(t, a->left), token_text(t, b->left));
    if (left != 0) return left < 0;
    return strcmp(token_text(t, a->right), token_text(t, b->right)) < 0;
}

static pair find_best(trainer *t)
{
    for (size_t i = 0; i < t->n_words; i++)
        for (size_t k = 0; k + 1 < t->words[i].length; k++)
            *count_of(t, &t->words[i], k) += t->words[i].times;
    pair best = {0};
    for (size_t i = 0; i < t->n_words; i++)
        for (size_t k = 0; k + 1 < t->words[i].length; k++) {
            const word *w = &t->words[i];
            uint32_t *count = count_of(t, w, k);
            const pair p = {w->symbols[k], w->symbols[k + 1], *count};
            if (p.times > 0 && (best.times == 0 || is_better(t, &p, &best))) best = p;
            *count = 0;
        }
    return best;
}

static void merge_in_word(word *w, const pair *p, int32_t whole)
{
    size_t kept = 0;
    for (size_t k = 0; k < w->length; k++) {
        const bool is_pair =
            k + 1 < w->length && w->symbols[k] == p->left && w->symbols[k + 1] == p->right;
        w->symbols[kept++] = is_pair ? whole : w->symbols[k];
        k += is_pair;
    }
    w->length = kept;
}

static tpp_status merge_best(trainer *t, const pair *p)
{
    tpp_str joined = {0};
    tpp_str_format(&joined, "%s%s", token_text(t, p->left), token_text(t, p->right));
    tpp_str_format(t->merges, "%s %s\n", token_text(t, p->left), token_text(t, p->right));
    const int32_t whole = joined.status == TPP_OK ? put_token(t, joined.text) : NONE;
    tpp_str_free(&joined);
    if (whole == NONE) return TPP_ENOMEM;
    for (size_t i = 0; i < t->n_words; i++) merge_in_word(&t->words[i], p, whole);
    return TPP_OK;
}

/* One entry a line, so that a change of the sentences shows as lines. */
static void write_vocab(const trainer *t, tpp_str *out)
{
    for (size_t i = 0; i < t->tokens.count; i++) {
        tpp_str_format(out, i == 0 ? "{\"" : ",\n\"");
        for (const char *p = t->tokens.entries[i].key; *p != '\0'; p++) {
            if (*p == '"' || *p == '\\') tpp_str_add(out, "\\", 1);
            tpp_str_add(out, p, 1);
        }
        tpp_str_format(out, "\": %zu", i);
    }
    tpp_str_format(out, "}\n");
}

static tpp_status train(trainer *t, const char *const *texts, size_t n_texts, tpp_str *vocab)
{
    TPP_TRY(put_first_tokens(t));
    for (size_t i = 0; i < n_texts; i++) TPP_TRY(count_pieces(t, texts[i]));
    TPP_TRY(make_words(t));
    TPP_NEW(t->counts, t->size * t->size);
    tpp_str_format(t->merges, "#version: 0.2\n");
    while (t->tokens.count + 1 < t->size) { /* one place is <mask>'s */
        const pair best = find_best(t);
        if (best.times == 0) break;
        TPP_TRY(merge_best(t, &best));
    }
    if (put_token(t, "<mask>") == NONE) return TPP_ENOMEM;
    write_vocab(t, vocab);
    return vocab->status != TPP_OK ? vocab->status : t->merges->status;
}

tpp_status tpp_bpe_train(tpp_str *vocab_json, tpp_str *merges_txt, const char *const *texts,
                         size_t n_texts, size_t size)
{
    if (size < TPP_BPE_TRAIN_MIN || size > TPP_BPE_TRAIN_MAX)
        return TPP_FAIL(TPP_EUSAGE, "vocabulary of %zu tokens, wanted %d to %d", size,
                        TPP_BPE_TRAIN_MIN, TPP_BPE_TRAIN_MAX);
    tpp_str vocab = {0}, merges = {0};
    trainer t = {.size = size, .merges = &merges};
    const tpp_status s = train(&t, texts, n_texts, &vocab);
    free_trainer(&t);
    if (s != TPP_OK) {
        tpp_str_free(&vocab);
        tpp_str_free(&merges);
        return s;
    }
    *vocab_json = vocab;
    *merges_txt = merges;
    return TPP_OK;
}

/* ---- the prompt library as sentences ---- */

typedef struct sentences {
    char **text;
    size_t count, capacity;
} sentences;

/* Takes `text` over, also when it fails. */
static tpp_status take_text(sentences *s, char *text)
{
    if (text == NULL) return TPP_ENOMEM;
    if (s->count == s->capacity) {
        const size_t capacity = s->capacity * 2 + 256;
        char **grown = tpp_realloc(s->text, capacity, sizeof(*grown));
        if (grown == NULL) {
            tpp_free(text);
            return TPP_ENOMEM;
        }
        s->text = grown;
        s->capacity = capacity;
    }
    s->text[s->count++] = text;
    return TPP_OK;
}

/* A word alone, in lower case and with a capital. */
static tpp_status add_word(sentences *s, const char *text, size_t length)
{
    char *capital = tpp_strndup(text, length);
    if (capital != NULL && capital[0] >= 'a' && capital[0] <= 'z')
        capital[0] = (char)(capital[0] - 'a' + 'A');
    TPP_TRY(take_text(s, capital));
    return take_text(s, tpp_strndup(text, length));
}

/* The text as it is, in lower case, and each word alone: any may begin a prompt, and then has no
 * space before it. */
static tpp_status add_sentence(sentences *s, const char *text)
{
    char *lower;
    size_t length;
    TPP_TRY(tpp_utf8_check(text, strlen(text), "sentence"));
    TPP_TRY(take_text(s, tpp_strdup(text)));
    TPP_TRY(tpp_text_lower(&lower, &length, text, strlen(text)));
    TPP_TRY(take_text(s, lower));
    for (const char *w = lower; *w != '\0';) {
        const size_t n = strcspn(w, " ");
        TPP_TRY(add_word(s, w, n));
        w += n + (w[n] == ' ');
    }
    return TPP_OK;
}

static tpp_status add_structure(sentences *s, const tpp_structure *structure)
{
    TPP_TRY(add_sentence(s, structure->name));
    for (size_t i = 0; i < structure->n_aliases; i++)
        TPP_TRY(add_sentence(s, structure->aliases[i]));
    for (size_t i = 0; i < structure->n_views; i++) {
        for (int a = 0; a < TPP_ATTRIBUTE_COUNT; a++)
            TPP_TRY(add_sentence(s, structure->views[i].sentence[a]));
        TPP_TRY(add_sentence(s, structure->views[i].simple));
    }
    return TPP_OK;
}

tpp_status tpp_bpe_train_prompts(tpp_str *vocab_json, tpp_str *merges_txt,
                                 const tpp_prompts *prompts, size_t size)
{
    sentences all = {0};
    tpp_status s = TPP_OK;
    for (size_t i = 0; s == TPP_OK && i < prompts->count; i++)
        s = add_structure(&all, &prompts->structures[i]);
    if (s == TPP_OK)
        s = tpp_bpe_train(vocab_json, merges_txt, (const char *const *)all.text, all.count, size);
    for (size_t i = 0; i < all.count; i++) tpp_free(all.text[i]);
    tpp_free(all.text);
    return s;
}
