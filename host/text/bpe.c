/* Byte-pair merging over a linked list of symbols with a heap of candidate pairs: a piece of n
 * bytes takes O(n log n), however long it is.
 * SPDX-License-Identifier: MIT */
#include "text/bpe.h"

#include "core/log.h"
#include "core/mem.h"
#include "core/path.h"
#include "core/str.h"
#include "text/split.h"

#include <string.h>

enum { MAX_MERGES_BYTES = 64 << 20, MAX_TEXT_BYTES = 1 << 20 };

struct tpp_bpe {
    tpp_vocab vocab;
    tpp_table ranks; /* pair of ids -> rank */
    int32_t *merged; /* rank -> id of the pair's token */
    size_t n_merges;
    int32_t byte_id[256]; /* token of a single byte */
};

/* ---- opening ---- */

void tpp_bpe_close(tpp_bpe *bpe)
{
    if (bpe == NULL) return;
    tpp_free(bpe->merged);
    tpp_table_free(&bpe->ranks);
    tpp_vocab_free(&bpe->vocab);
    tpp_free(bpe);
}

size_t tpp_bpe_vocab_size(const tpp_bpe *bpe)
{
    return bpe->vocab.count;
}

typedef struct merges_file {
    const char *path;
    int line;
} merges_file;

static tpp_status find_token(const tpp_bpe *bpe, int32_t *id, const char *text, size_t length,
                             const merges_file *at)
{
    *id = tpp_vocab_id(&bpe->vocab, text, length);
    if (*id >= 0) return TPP_OK;
    return TPP_FAIL(TPP_EFORMAT, "%s:%d: %.*s is not in the vocabulary", at->path, at->line,
                    (int)(length < 60 ? length : 60), text);
}

/* "left right": a merge of two tokens into one. */
static tpp_status add_merge(tpp_bpe *bpe, const char *text, size_t length, const merges_file *at)
{
    const char *space = memchr(text, ' ', length);
    const size_t left = space == NULL ? 0 : (size_t)(space - text);
    if (left == 0 || left + 1 == length || memchr(space + 1, ' ', length - left - 1) != NULL)
        return TPP_FAIL(TPP_EFORMAT, "%s:%d: wanted two tokens and one space between them",
                        at->path, at->line);
    int32_t pair[2], whole;
    TPP_TRY(find_token(bpe, &pair[0], text, left, at));
    TPP_TRY(find_token(bpe, &pair[1], space + 1, length - left - 1, at));
    tpp_str joined = {0};
    tpp_str_add(&joined, text, left);
    tpp_str_add(&joined, space + 1, length - left - 1);
    tpp_status s = joined.status;
    if (s == TPP_OK) s = find_token(bpe, &whole, joined.text, joined.length, at);
    tpp_str_free(&joined);
    if (s != TPP_OK) return s;
    bool is_new;
    tpp_table_entry *e = tpp_table_put_bytes(&bpe->ranks, pair, sizeof(pair), &is_new);
    if (e == NULL) return TPP_ENOMEM;
    if (!is_new)
        return TPP_FAIL(TPP_EFORMAT, "%s:%d: a merge that an earlier line gave", at->path,
                        at->line);
    e->value.number = (int64_t)bpe->n_merges;
    bpe->merged[bpe->n_merges++] = whole;
    return TPP_OK;
}

static tpp_status take_merges(tpp_bpe *bpe, const char *text, size_t size, const char *path)
{
    merges_file at = {.path = path};
    size_t lines = 1;
    for (size_t i = 0; i < size; i++) lines += text[i] == '\n';
    TPP_NEW(bpe->merged, lines);
    for (const char *p = text, *end = text + size; p < end;) {
        const char *newline = memchr(p, '\n', (size_t)(end - p));
        const size_t length = (size_t)((newline == NULL ? end : newline) - p);
        at.line++;
        const bool is_version = at.line == 1 && length >= 8 && memcmp(p, "#version", 8) == 0;
        if (!is_version) TPP_TRY(add_merge(bpe, p, length, &at));
        p += length + 1;
    }
    return TPP_OK;
}

static tpp_status read_merges(tpp_bpe *bpe, const char *path)
{
    char *text = NULL;
    size_t size = 0;
    TPP_TRY(tpp_file_read(&text, &size, path, MAX_MERGES_BYTES));
    const tpp_status s = take_merges(bpe, text, size, path);
    tpp_free(text);
    return s;
}

static void find_byte_tokens(tpp_bpe *bpe)
{
    for (int b = 0; b < 256; b++) {
        char symbol[3];
        const size_t n = tpp_byte_symbol((uint8_t)b, symbol);
        const int32_t id = tpp_vocab_id(&bpe->vocab, symbol, n);
        bpe->byte_id[b] = id < 0 ? TPP_TOKEN_UNKNOWN : id;
    }
}

tpp_status tpp_bpe_open(tpp_bpe **out, const char *vocab_path, const char *merges_path)
{
    tpp_bpe *bpe;
    TPP_NEW(bpe, 1);
    tpp_status s = tpp_vocab_read(&bpe->vocab, vocab_path);
    if (s == TPP_OK) s = read_merges(bpe, merges_path);
    if (s != TPP_OK) {
        tpp_bpe_close(bpe);
        return s;
    }
    find_byte_tokens(bpe);
    *out = bpe;
    return TPP_OK;
}

tpp_status tpp_bpe_open_folder(tpp_bpe **out, const char *folder)
{
    char *vocab = tpp_path_join(folder, "vocab.json");
    char *merges = tpp_path_join(folder, "merges.txt");
    const tpp_status s =
        vocab == NULL || merges == NULL ? TPP_ENOMEM : tpp_bpe_open(out, vocab, merges);
    tpp_free(merges);
    tpp_free(vocab);
    return s;
}

/* ---- merging ---- */

enum { NONE = -1 };

/* A symbol of the piece; merging b into a leaves a's place and unlinks b's. */
typedef struct symbol {
    int32_t id;             /* NONE: merged away */
    int32_t previous, next; /* places, NONE at the ends */
} symbol;

/* A pair that could be merged; stale once either place holds another id than when it was found. */
typedef struct candidate {
    int32_t rank, place; /* of the left symbol */
    int32_t left, right; /* ids */
} candidate;

typedef struct merger {
    const tpp_bpe *bpe;
    symbol *symbols;
    candidate *heap; /* lowest rank first, then leftmost */
    size_t n_heap, room;
} merger;

static bool goes_before(const candidate *a, const candidate *b)
{
    return a->rank != b->rank ? a->rank < b->rank : a->place < b->place;
}

static void push(merger *m, candidate c)
{
    size_t at = m->n_heap++;
    for (; at > 0 && goes_before(&c, &m->heap[(at - 1) / 2]); at = (at - 1) / 2)
        m->heap[at] = m->heap[(at - 1) / 2];
    m->heap[at] = c;
}

static candidate pop(merger *m)
{
    const candidate top = m->heap[0], c = m->heap[--m->n_heap];
    size_t at = 0;
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= m->n_heap) break;
        if (child + 1 < m->n_heap && goes_before(&m->heap[child + 1], &m->heap[child])) child++;
        if (!goes_before(&m->heap[child], &c)) break;
        m->heap[at] = m->heap[child];
        at = child;
    }
    m->heap[at] = c;
    return top;
}

/* Puts the pair that begins at `place` on the heap if it can be merged. */
static void consider(merger *m, int32_t place)
{
    if (place == NONE || m->symbols[place].next == NONE) return;
    const int32_t pair[2] = {m->symbols[place].id, m->symbols[m->symbols[place].next].id};
    const tpp_table_entry *e = tpp_table_find_bytes(&m->bpe->ranks, pair, sizeof(pair));
    if (e != NULL) push(m, (candidate){(int32_t)e->value.number, place, pair[0], pair[1]});
}

static void merge(merger *m, const candidate *c)
{
    symbol *left = &m->symbols[c->place];
    if (left->id != c->left || left->next == NONE || m->symbols[left->next].id != c->right) return;
    symbol *right = &m->symbols[left->next];
    left->id = m->bpe->merged[c->rank];
    left->next = right->next;
    right->id = NONE;
    if (left->next != NONE) m->symbols[left->next].previous = c->place;
    consider(m, left->previous);
    consider(m, c->place);
}

/* Room for a piece of `length` bytes. Every merge removes one symbol and adds at most two
 * candidates to the first length - 1, so 3 * length are enough. */
static tpp_status reserve(merger *m, size_t length)
{
    if (length <= m->room) return TPP_OK;
    symbol *symbols = tpp_realloc(m->symbols, length, sizeof(*symbols));
    if (symbols == NULL) return TPP_ENOMEM;
    m->symbols = symbols;
    candidate *heap = tpp_realloc(m->heap, length * 3, sizeof(*heap));
    if (heap == NULL) return TPP_ENOMEM;
    m->heap = heap;
    m->room = length;
    return TPP_OK;
}

/* Appends the tokens of one piece to `out`, which has room for one a byte. */
static tpp_status encode_piece(merger *m, tpp_tokens *out, const char *piece, size_t length)
{
    TPP_TRY(reserve(m, length));
    m->n_heap = 0;
    for (size_t i = 0; i < length; i++)
        m->symbols[i] = (symbol){.id = m->bpe->byte_id[(unsigned char)piece[i]],
                                 .previous = (int32_t)i - 1,
                                 .next = i + 1 < length ? (int32_t)i + 1 : NONE};
    for (size_t i = 0; i < length; i++) consider(m, (int32_t)i);
    while (m->n_heap > 0) {
        const candidate c = pop(m);
        merge(m, &c);
    }
    for (int32_t at = length > 0 ? 0 : NONE; at != NONE; at = m->symbols[at].next)
        out->id[out->count++] = m->symbols[at].id;
    return TPP_OK;
}

/* ---- texts ---- */

void tpp_tokens_free(tpp_tokens *t)
{
    if (t == NULL) return;
    tpp_free(t->id);
    *t = (tpp_tokens){0};
}

static tpp_status encode_pieces(const tpp_bpe *bpe, tpp_tokens *out, const char *text,
                                size_t length)
{
    merger m = {.bpe = bpe};
    tpp_status s = TPP_OK;
    for (size_t at = 0; s == TPP_OK && at < length;) {
        const size_t end = tpp_split_next(text, length, at);
        s = encode_piece(&m, out, text + at, end - at);
        at = end;
    }
    tpp_free(m.heap);
    tpp_free(m.symbols);
    return s;
}

tpp_status tpp_bpe_encode(const tpp_bpe *bpe, tpp_tokens *out, const char *text, size_t length,
                          size_t limit)
{
    if (limit < 2) return TPP_FAIL(TPP_EUSAGE, "tokenizer: wanted a limit of 2 or more tokens");
    if (length > MAX_TEXT_BYTES)
        return TPP_FAIL(TPP_EUSAGE, "text of %zu bytes, at most %d are taken", length,
                        MAX_TEXT_BYTES);
    TPP_TRY(tpp_utf8_check(text, length, "text"));
    tpp_tokens t = {0};
    TPP_NEW(t.id, length + 2);
    t.id[t.count++] = TPP_TOKEN_START;
    const tpp_status s = encode_pieces(bpe, &t, text, length);
    if (s != TPP_OK) {
        tpp_tokens_free(&t);
        return s;
    }
    t.uncut = t.count + 1;
    if (t.uncut > limit) t.count = limit - 1;
    t.id[t.count++] = TPP_TOKEN_END;
    *out = t;
    return TPP_OK;
}

tpp_status tpp_bpe_prompt(const tpp_bpe *bpe, tpp_tokens *out, const char *text, size_t length,
                          bool lower, size_t limit)
{
    char *changed = NULL;
    TPP_TRY(tpp_utf8_check(text, length, "prompt"));
    if (tpp_text_is_blank(text, length))
        return TPP_FAIL(TPP_EUSAGE, "prompt: wanted a sentence, got %s",
                        length == 0 ? "nothing" : "only white space");
    if (lower) {
        TPP_TRY(tpp_text_lower(&changed, &length, text, length));
        text = changed;
    }
    const tpp_status s = tpp_bpe_encode(bpe, out, text, length, limit);
    tpp_free(changed);
    if (s == TPP_OK && out->uncut > out->count)
        tpp_log(TPP_LOG_WARN, "text", "prompt of %zu tokens was cut to %zu", out->uncut - 2,
                out->count - 2);
    return s;
}

/* ---- back to text ---- */

/* A token's characters as bytes; a character outside the alphabet stays as it is. */
static void add_token_bytes(tpp_str *out, const char *token)
{
    for (size_t at = 0; token[at] != '\0';) {
        const unsigned char first = (unsigned char)token[at];
        const size_t n = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
        /* The alphabet ends at U+0143: one or two bytes. */
        const int32_t c = n == 1 ? first : ((first & 0x1F) << 6) | (token[at + 1] & 0x3F);
        const int byte = n <= 2 ? tpp_symbol_byte(c) : -1;
        const char as_char = (char)byte;
        if (byte >= 0)
            tpp_str_add(out, &as_char, 1);
        else
            tpp_str_add(out, token + at, n);
        at += n;
    }
}

tpp_status tpp_bpe_decode(const tpp_bpe *bpe, char **out, size_t *length, const int32_t *ids,
                          size_t count)
{
    tpp_str text = {0};
    tpp_str_add(&text, "", 0);
    for (size_t i = 0; i < count; i++) {
        if (ids[i] < 0 || (size_t)ids[i] >= bpe->vocab.count) {
            tpp_str_free(&text);
            return TPP_FAIL(TPP_EUSAGE, "token %zu has id %d, the vocabulary 0 to %zu", i,
                            (int)ids[i], bpe->vocab.count - 1);
        }
        if (ids[i] > TPP_TOKEN_UNKNOWN) add_token_bytes(&text, bpe->vocab.text[ids[i]]);
    }
    if (text.status != TPP_OK) {
        tpp_str_free(&text);
        return TPP_ENOMEM;
    }
    *out = text.text;
    *length = text.length;
    return TPP_OK;
}
