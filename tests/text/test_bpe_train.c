/* Learning a vocabulary: the committed one is what the program makes, and small cases by hand.
 * SPDX-License-Identifier: MIT */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include "core/mem.h"
#include "core/path.h"
#include "text/bpe.h"
#include "text/bpe_train.h"

#include <string.h>

#define LIBRARY TPP_SOURCE_DIR "/configs/prompts.yaml"
#define VOCAB   TPP_SOURCE_DIR "/weights/vocab"

static void same_as_file(const tpp_str *made, const char *path)
{
    char *text = NULL;
    size_t size = 0;
    assert_int_equal(tpp_file_read(&text, &size, path, 1 << 20), TPP_OK);
    assert_int_equal(size, made->length);
    assert_string_equal(text, made->text);
    tpp_free(text);
}

static void committed_vocabulary_is_what_the_maker_makes(void **state)
{
    (void)state;
    tpp_prompts prompts = {0};
    tpp_str vocab = {0}, merges = {0};
    assert_int_equal(tpp_prompts_read(&prompts, LIBRARY), TPP_OK);
    assert_int_equal(tpp_bpe_train_prompts(&vocab, &merges, &prompts, 2000), TPP_OK);
    same_as_file(&vocab, VOCAB "/vocab.json");
    same_as_file(&merges, VOCAB "/merges.txt");
    tpp_str_free(&vocab);
    tpp_str_free(&merges);
    tpp_prompts_free(&prompts);
}

static void committed_vocabulary_opens_and_knows_its_words(void **state)
{
    (void)state;
    tpp_bpe *bpe = NULL;
    tpp_vocab v = {0};
    assert_int_equal(tpp_bpe_open_folder(&bpe, VOCAB), TPP_OK);
    assert_int_equal(tpp_bpe_vocab_size(bpe), 2000);
    assert_int_equal(tpp_vocab_read(&v, VOCAB "/vocab.json"), TPP_OK);
    assert_int_equal(tpp_vocab_id(&v, "<mask>", 6), 1999);
    assert_int_equal(tpp_vocab_id(&v, "!", 1), 4 + '!');
    tpp_tokens t = {0};
    assert_int_equal(tpp_bpe_prompt(bpe, &t, "the left kidney", 15, false, 512), TPP_OK);
    assert_int_equal(t.count, 5);
    assert_int_equal(t.id[2], tpp_vocab_id(&v, "\xc4\xa0left", 6));
    tpp_tokens_free(&t);
    tpp_vocab_free(&v);
    tpp_bpe_close(bpe);
}

/* Every sentence of the library survives encoding and decoding, in far fewer tokens than letters.
 */
static void sentences_come_back_in_few_tokens(void **state)
{
    (void)state;
    tpp_prompts prompts = {0};
    tpp_bpe *bpe = NULL;
    size_t letters = 0, tokens = 0;
    assert_int_equal(tpp_prompts_read(&prompts, LIBRARY), TPP_OK);
    assert_int_equal(tpp_bpe_open_folder(&bpe, VOCAB), TPP_OK);
    for (size_t i = 0; i < prompts.count; i++)
        for (int a = 0; a < TPP_ATTRIBUTE_COUNT; a++) {
            const char *text = prompts.structures[i].views[0].sentence[a];
            tpp_tokens t = {0};
            char *back = NULL;
            size_t length = 0;
            assert_int_equal(tpp_bpe_prompt(bpe, &t, text, strlen(text), false, 512), TPP_OK);
            assert_int_equal(tpp_bpe_decode(bpe, &back, &length, t.id, t.count), TPP_OK);
            assert_string_equal(back, text);
            letters += length;
            tokens += t.count;
            tpp_free(back);
            tpp_tokens_free(&t);
        }
    assert_true(tokens * 4 < letters);
    tpp_bpe_close(bpe);
    tpp_prompts_free(&prompts);
}

static void most_frequent_pair_goes_first_and_ties_by_bytes(void **state)
{
    (void)state;
    static const char *const texts[] = {"xy xy", "ab ab", "zz"};
    tpp_str vocab = {0}, merges = {0};
    assert_int_equal(tpp_bpe_train(&vocab, &merges, texts, 3, 300), TPP_OK);
    /* "ab" and "xy" come twice, " ab", " xy" and "zz" once; \xc4\xa0 is the space. */
    assert_string_equal(merges.text, "#version: 0.2\na b\nx y\nz z\n\xc4\xa0 ab\n\xc4\xa0 xy\n");
    assert_non_null(
        strstr(vocab.text, "\"<s>\": 0,\n\"<pad>\": 1,\n\"</s>\": 2,\n\"<unk>\": 3,\n"));
    assert_non_null(strstr(vocab.text, "\"\\\"\": 38,\n"));
    assert_non_null(strstr(vocab.text, "\"ab\": 260,\n\"xy\": 261,\n\"zz\": 262,\n"));
    assert_non_null(strstr(vocab.text, "\"<mask>\": 265}\n"));
    tpp_str_free(&vocab);
    tpp_str_free(&merges);
    assert_int_equal(tpp_bpe_train(&vocab, &merges, texts, 3, 262), TPP_OK);
    assert_string_equal(merges.text, "#version: 0.2\na b\n");
    tpp_str_free(&vocab);
    tpp_str_free(&merges);
}

static void bad_sizes_and_texts_are_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {"ok", "\xff"};
    tpp_str vocab = {0}, merges = {0};
    assert_int_equal(tpp_bpe_train(&vocab, &merges, texts, 1, 260), TPP_EUSAGE);
    assert_int_equal(tpp_bpe_train(&vocab, &merges, texts, 1, 4097), TPP_EUSAGE);
    assert_int_equal(tpp_bpe_train(&vocab, &merges, texts, 2, 300), TPP_EFORMAT);
    assert_null(vocab.text);
    assert_null(merges.text);
}

static void running_out_of_memory_frees_everything(void **state)
{
    (void)state;
    static const char *const texts[] = {"xy xy"};
    tpp_status s = TPP_ENOMEM;
    for (int n = 0; s != TPP_OK && n < 2000; n++) {
        tpp_str vocab = {0}, merges = {0};
        tpp_alloc_fail_after(n);
        s = tpp_bpe_train(&vocab, &merges, texts, 1, 262);
        tpp_alloc_fail_after(-1);
        assert_true(s == TPP_OK || (s == TPP_ENOMEM && vocab.text == NULL));
        tpp_str_free(&vocab);
        tpp_str_free(&merges);
    }
    assert_int_equal(s, TPP_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(committed_vocabulary_is_what_the_maker_makes),
        cmocka_unit_test(committed_vocabulary_opens_and_knows_its_words),
        cmocka_unit_test(sentences_come_back_in_few_tokens),
        cmocka_unit_test(most_frequent_pair_goes_first_and_ties_by_bytes),
        cmocka_unit_test(bad_sizes_and_texts_are_refused),
        cmocka_unit_test(running_out_of_memory_frees_everything),
    };
    return cmocka_run_group_tests_name("text.bpe_train", tests, NULL, NULL);
}
