/* Fuzz target: the tokenizer (host/text/bpe.c, split.c) with the project's own vocabulary.
 * SPDX-License-Identifier: MIT */
#include "core/mem.h"
#include "fuzz.h"
#include "text/bpe.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static tpp_bpe *bpe;
    if (bpe == NULL)
        FUZZ_CHECK(tpp_bpe_open_folder(&bpe, TPP_SOURCE_DIR "/weights/vocab") == TPP_OK);
    const char *text = (const char *)data;
    tpp_tokens tokens = {0};
    if (tpp_bpe_encode(bpe, &tokens, text, size, TPP_TOKENS_NO_LIMIT) == TPP_OK) {
        char *back = NULL;
        size_t length = 0;
        FUZZ_CHECK(tokens.count >= 2 && tokens.count == tokens.uncut);
        FUZZ_CHECK(tpp_bpe_decode(bpe, &back, &length, tokens.id, tokens.count) == TPP_OK);
        FUZZ_CHECK(length == size && (size == 0 || memcmp(back, data, size) == 0));
        tpp_free(back);
    }
    tpp_tokens_free(&tokens);
    if (tpp_bpe_prompt(bpe, &tokens, text, size, true, 16) == TPP_OK)
        FUZZ_CHECK(tokens.count <= 16);
    tpp_tokens_free(&tokens);
    return 0;
}
