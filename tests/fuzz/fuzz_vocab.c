/* Fuzz target: host/text/vocab.c and the merges of host/text/bpe.c. The input is a vocab.json and,
 * behind a zero byte, a merges.txt.
 * SPDX-License-Identifier: MIT */
#include "fuzz.h"
#include "text/bpe.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *zero = size > 0 ? memchr(data, 0, size) : NULL;
    const size_t n = zero != NULL ? (size_t)(zero - data) : size;
    const char *vocab = fuzz_file(0, data, n);
    const char *merges =
        fuzz_file(1, zero != NULL ? zero + 1 : data + n, zero != NULL ? size - n - 1 : 0);
    tpp_bpe *bpe = NULL;
    if (tpp_bpe_open(&bpe, vocab, merges) != TPP_OK) return 0;
    static const char text[] = "the left atrium";
    tpp_tokens tokens = {0};
    if (tpp_bpe_encode(bpe, &tokens, text, strlen(text), TPP_TOKENS_NO_LIMIT) == TPP_OK)
        for (size_t i = 0; i < tokens.count; i++)
            FUZZ_CHECK((size_t)tokens.id[i] < tpp_bpe_vocab_size(bpe));
    tpp_tokens_free(&tokens);
    tpp_bpe_close(bpe);
    return 0;
}
