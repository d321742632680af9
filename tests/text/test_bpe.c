/* Byte-level BPE: RoBERTa's golden cases, small vocabularies by hand, bad files, bad text.
 * SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include "core/clock.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/path.h"
#include "core/synth.h"
#include "text/bpe.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ROBERTA TPP_SOURCE_DIR "/../shared/data/sample/text/roberta"
#define OURS    TPP_SOURCE_DIR "/weights/vocab"
#define GOLDEN  TPP_SOURCE_DIR "/tests/golden/tokenizer.json"

static tpp_bpe *open_folder(const char *folder)
{
    tpp_bpe *bpe = NULL;
    if (tpp_bpe_open_folder(&bpe, folder) != TPP_OK) fail_msg("%s", tpp_error());
    return bpe;
}

static tpp_bpe *roberta_or_skip(void)
{
    if (!tpp_path_is_folder(ROBERTA)) {
        print_message("skipped: no RoBERTa files at %s\n", ROBERTA);
        skip();
    }
    return open_folder(ROBERTA);
}

static void golden_cases_give_roberta_ids(void **state)
{
    (void)state;
    tpp_bpe *bpe = roberta_or_skip();
    json_error_t error;
    json_t *root = json_load_file(GOLDEN, JSON_ALLOW_NUL, &error), *row;
    assert_non_null(root);
    size_t i, passed = 0;
    json_array_foreach(json_object_get(root, "cases"), i, row)
    {
        const json_t *text = json_object_get(row, "text"), *ids = json_object_get(row, "ids");
        tpp_tokens t = {0};
        assert_int_equal(tpp_bpe_encode(bpe, &t, json_string_value(text), json_string_length(text),
                                        TPP_TOKENS_NO_LIMIT),
                         TPP_OK);
        bool same = t.count == json_array_size(ids) && t.uncut == t.count;
        for (size_t k = 0; same && k < t.count; k++)
            same = t.id[k] == json_integer_value(json_array_get(ids, k));
        if (!same) fail_msg("case %zu: \"%s\"", i, json_string_value(text));
        char *back = NULL;
        size_t length = 0;
        assert_int_equal(tpp_bpe_decode(bpe, &back, &length, t.id, t.count), TPP_OK);
        assert_int_equal(length, json_string_length(text));
        assert_int_equal(memcmp(back, json_string_value(text), length), 0);
        tpp_free(back);
        tpp_tokens_free(&t);
        passed++;
    }
    assert_int_equal(passed, 228);
    json_decref(root);
    tpp_bpe_close(bpe);
}

static int warnings;
static void count_warnings(void *context, tpp_log_level level, const char *module, const char *text)
{
    (void)context;
    (void)module;
    (void)text;
    warnings += level == TPP_LOG_WARN;
}

static void long_prompts_are_cut_with_a_warning(void **state)
{
    (void)state;
    tpp_bpe *bpe = open_folder(OURS);
    char text[2 * 511 + 1];
    for (size_t i = 0; i < 511; i++) memcpy(text + 2 * i, "1-", 2); /* pieces of one byte */
    tpp_tokens t = {0};
    tpp_log_set(TPP_LOG_WARN, count_warnings, NULL);
    warnings = 0;
    assert_int_equal(tpp_bpe_prompt(bpe, &t, text, 510, false, 512), TPP_OK);
    assert_int_equal(t.count, 512);
    assert_int_equal(t.uncut, 512);
    assert_int_equal(warnings, 0);
    const int32_t kept = t.id[510];
    tpp_tokens_free(&t);
    assert_int_equal(tpp_bpe_prompt(bpe, &t, text, 511, false, 512), TPP_OK);
    assert_int_equal(t.count, 512);
    assert_int_equal(t.uncut, 513);
    assert_int_equal(t.id[0], TPP_TOKEN_START);
    assert_int_equal(t.id[510], kept);
    assert_int_equal(t.id[511], TPP_TOKEN_END);
    assert_int_equal(warnings, 1);
    tpp_tokens_free(&t);
    tpp_log_set(TPP_LOG_WARN, NULL, NULL);
    assert_int_equal(tpp_bpe_encode(bpe, &t, "a", 1, 1), TPP_EUSAGE);
    tpp_bpe_close(bpe);
}

static void empty_prompts_and_bad_utf8_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t length;
        tpp_status status;
        const char *message;
    } cases[] = {
        {"", 0, TPP_EUSAGE, "got nothing"},
        {" \t\n\xc2\xa0\xe3\x80\x80", 8, TPP_EUSAGE, "got only white space"},
        {"ab\xff", 3, TPP_EFORMAT, "prompt: not UTF-8 at byte 2 (0xFF)"},
        {"a\xc3", 2, TPP_EFORMAT, "not UTF-8 at byte 1 (0xC3)"},
        {"\xc0\x80", 2, TPP_EFORMAT, "not UTF-8 at byte 0"},              /* overlong */
        {"abc\xed\xa0\x80", 6, TPP_EFORMAT, "not UTF-8 at byte 3"},       /* surrogate */
        {"\xf4\x90\x80\x80", 4, TPP_EFORMAT, "not UTF-8 at byte 0"},      /* over U+10FFFF */
        {"caf\xe9 liver", 10, TPP_EFORMAT, "not UTF-8 at byte 3 (0xE9)"}, /* Latin-1 */
    };
    tpp_bpe *bpe = open_folder(OURS);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        tpp_tokens t = {0};
        assert_int_equal(tpp_bpe_prompt(bpe, &t, cases[i].text, cases[i].length, true, 512),
                         cases[i].status);
        assert_non_null(strstr(tpp_error(), cases[i].message));
        assert_null(t.id);
    }
    tpp_bpe_close(bpe);
}

static void lower_case_and_single_spaces_on_request(void **state)
{
    (void)state;
    tpp_bpe *bpe = open_folder(OURS);
    const char shout[] = "  The LIVER \n is \xc3\x84rgerlich ",
               plain[] = "the liver is \xc3\xa4rgerlich";
    tpp_tokens a = {0}, b = {0}, c = {0};
    assert_int_equal(tpp_bpe_prompt(bpe, &a, shout, strlen(shout), true, 512), TPP_OK);
    assert_int_equal(tpp_bpe_prompt(bpe, &b, plain, strlen(plain), false, 512), TPP_OK);
    assert_int_equal(tpp_bpe_prompt(bpe, &c, shout, strlen(shout), false, 512), TPP_OK);
    assert_int_equal(a.count, b.count);
    assert_int_equal(memcmp(a.id, b.id, a.count * sizeof(*a.id)), 0);
    assert_true(c.count != b.count);
    tpp_tokens_free(&a);
    tpp_tokens_free(&b);
    tpp_tokens_free(&c);
    tpp_bpe_close(bpe);
}

static void one_piece_of_a_hundred_thousand_letters_is_quick(void **state)
{
    (void)state;
    enum { LENGTH = 100000 };
    tpp_bpe *bpe = tpp_path_is_folder(ROBERTA) ? open_folder(ROBERTA) : open_folder(OURS);
    char *text = malloc(LENGTH);
    assert_non_null(text);
    for (size_t i = 0; i < LENGTH; i++) text[i] = "abcdefgehiaeiotns"[(i * i + i / 7) % 17];
    tpp_tokens t = {0};
    const double start = tpp_clock_seconds();
    assert_int_equal(tpp_bpe_encode(bpe, &t, text, LENGTH, TPP_TOKENS_NO_LIMIT), TPP_OK);
    assert_true(tpp_clock_seconds() - start < 5.0); /* 0.1 s; minutes if it rescanned */
    char *back = NULL;
    size_t length = 0;
    assert_int_equal(tpp_bpe_decode(bpe, &back, &length, t.id, t.count), TPP_OK);
    assert_int_equal(length, LENGTH);
    assert_int_equal(memcmp(back, text, LENGTH), 0);
    tpp_free(back);
    tpp_tokens_free(&t);
    free(text);
    tpp_bpe_close(bpe);
}

/* Any bytes: refused as a whole, or tokens that spell the same bytes. */
static void random_text_comes_back_or_is_refused(void **state)
{
    (void)state;
    static const char *const pieces[] = {"a",
                                         "liver ",
                                         " ",
                                         "'s",
                                         "'LL",
                                         "\n",
                                         "7",
                                         "\xc3\xa9",
                                         "\xf0\x9f\x99\x82",
                                         "\xe3\x80\x80",
                                         ".",
                                         "''",
                                         "\xe5\xbf\x83",
                                         "\x00",
                                         "\xff",
                                         "the"};
    tpp_bpe *bpe = open_folder(OURS);
    for (uint64_t round = 0; round < 3000; round++) {
        const uint64_t key = tpp_synth_key("bpe", round);
        char text[256];
        size_t n = 0;
        bool is_bad = false;
        for (uint64_t i = 0; i < 30; i++) {
            size_t k = (size_t)((tpp_synth_value(key, i) + 1) * 8);
            if (k == 14 && round % 8 != 0) k = 0;
            is_bad = is_bad || k == 14;
            const size_t m = k == 13 ? 1 : strlen(pieces[k]);
            memcpy(text + n, pieces[k], m);
            n += m;
        }
        tpp_tokens t = {0};
        const tpp_status s = tpp_bpe_encode(bpe, &t, text, n, TPP_TOKENS_NO_LIMIT);
        assert_int_equal(s, is_bad ? TPP_EFORMAT : TPP_OK);
        if (is_bad) continue;
        char *back = NULL;
        size_t length = 0;
        assert_int_equal(tpp_bpe_decode(bpe, &back, &length, t.id, t.count), TPP_OK);
        assert_int_equal(length, n);
        assert_int_equal(memcmp(back, text, n), 0);
        tpp_free(back);
        tpp_tokens_free(&t);
    }
    tpp_bpe_close(bpe);
}

/* ---- files ---- */

static char folder[] = "/tmp/tpp_bpe_XXXXXX";

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) == NULL;
}

static int remove_folder(void **state)
{
    (void)state;
    char path[64];
    (void)snprintf(path, sizeof(path), "%s/vocab.json", folder);
    (void)unlink(path);
    (void)snprintf(path, sizeof(path), "%s/merges.txt", folder);
    (void)unlink(path);
    return rmdir(folder);
}

static tpp_status open_files(tpp_bpe **bpe, const char *vocab, const char *merges)
{
    char path[64];
    (void)snprintf(path, sizeof(path), "%s/vocab.json", folder);
    assert_int_equal(tpp_file_write(path, vocab, strlen(vocab)), TPP_OK);
    (void)snprintf(path, sizeof(path), "%s/merges.txt", folder);
    assert_int_equal(tpp_file_write(path, merges, strlen(merges)), TPP_OK);
    return tpp_bpe_open_folder(bpe, folder);
}

#define SPECIAL "\"<s>\": 0, \"<pad>\": 1, \"</s>\": 2, \"<unk>\": 3"

static void merges_go_by_rank_then_left_to_right(void **state)
{
    (void)state;
    tpp_bpe *bpe = NULL;
    assert_int_equal(
        open_files(&bpe, "{" SPECIAL ", \"a\": 4, \"b\": 5, \"aa\": 6, \"ab\": 7, \"aab\": 8}",
                   "#version: 0.2\na a\na b\naa b\n"),
        TPP_OK);
    static const struct {
        const char *text;
        size_t count;
        int32_t id[6];
    } cases[] = {
        {"ab", 3, {0, 7, 2}},      {"aab", 3, {0, 8, 2}},      {"aaab", 4, {0, 6, 7, 2}},
        {"aaa", 4, {0, 6, 4, 2}},  {"bab", 4, {0, 5, 7, 2}},   {"ac", 4, {0, 4, 3, 2}},
        {"abab", 4, {0, 7, 7, 2}}, {"aaaab", 4, {0, 6, 8, 2}},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        tpp_tokens t = {0};
        assert_int_equal(tpp_bpe_encode(bpe, &t, cases[i].text, strlen(cases[i].text), 99), TPP_OK);
        assert_int_equal(t.count, cases[i].count);
        assert_int_equal(memcmp(t.id, cases[i].id, t.count * sizeof(*t.id)), 0);
        tpp_tokens_free(&t);
    }
    const int32_t outside = 9;
    char *text = NULL;
    size_t length;
    assert_int_equal(tpp_bpe_decode(bpe, &text, &length, &outside, 1), TPP_EUSAGE);
    assert_null(text);
    tpp_bpe_close(bpe);
}

static void broken_files_are_named_with_line(void **state)
{
    (void)state;
    static const struct {
        const char *vocab, *merges, *message;
    } cases[] = {
        {"{", "", "vocab.json:1: not JSON"},
        {"", "", "vocab.json:1: not JSON"},
        {"[1]", "", "wanted an object"},
        {"{\"<s>\": 0}", "", "wanted 4 to 1000000 tokens, got 1"},
        {"{" SPECIAL ", \"<s>\": 4}", "", "not JSON"}, /* a key given twice */
        {"{" SPECIAL ", \"a\": 3}", "", "tokens <unk> and a have the same id 3"},
        {"{" SPECIAL ", \"a\": 5}", "", "token a has id 5, wanted 0 to 4"},
        {"{" SPECIAL ", \"a\": -1}", "", "token a has id -1"},
        {"{" SPECIAL ", \"a\": 4.0}", "", "token a wants an integer id"},
        {"{" SPECIAL ", \"a\": \"4\"}", "", "token a wants an integer id"},
        {"{\"<pad>\": 0, \"<s>\": 1, \"</s>\": 2, \"<unk>\": 3}", "", "wanted token <s> with id 0"},
        {"{" SPECIAL ", \"a\": 4}", "#version: 0.2\na a\n", "merges.txt:2: aa is not in the vocab"},
        {"{" SPECIAL ", \"a\": 4}", "a b\n", "merges.txt:1: b is not in the vocabulary"},
        {"{" SPECIAL ", \"a\": 4}", "\n", "merges.txt:1: wanted two tokens"},
        {"{" SPECIAL ", \"a\": 4}", "a\n", "merges.txt:1: wanted two tokens"},
        {"{" SPECIAL ", \"a\": 4}", "a a a\n", "merges.txt:1: wanted two tokens"},
        {"{" SPECIAL ", \"a\": 4}", "a \n", "merges.txt:1: wanted two tokens"},
        {"{" SPECIAL ", \"a\": 4}", " a\n", "merges.txt:1: wanted two tokens"},
        {"{" SPECIAL ", \"a\": 4, \"aa\": 5}", "a a\na a\n", "merges.txt:2: a merge that"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        tpp_bpe *bpe = NULL;
        assert_int_equal(open_files(&bpe, cases[i].vocab, cases[i].merges), TPP_EFORMAT);
        if (strstr(tpp_error(), cases[i].message) == NULL)
            fail_msg("case %zu: wanted \"%s\", got \"%s\"", i, cases[i].message, tpp_error());
        assert_null(bpe);
    }
    tpp_bpe *bpe = NULL;
    assert_int_equal(tpp_bpe_open_folder(&bpe, "/nonexistent"), TPP_EIO);
}

static void running_out_of_memory_frees_everything(void **state)
{
    (void)state;
    tpp_status s = TPP_ENOMEM;
    for (int n = 0; s != TPP_OK && n < 200; n++) {
        tpp_bpe *bpe = NULL;
        tpp_tokens t = {0};
        tpp_alloc_fail_after(-1);
        assert_int_equal(open_files(&bpe, "{" SPECIAL ", \"a\": 4, \"aa\": 5}", "a a\n"), TPP_OK);
        tpp_bpe_close(bpe);
        bpe = NULL;
        tpp_alloc_fail_after(n);
        s = tpp_bpe_open_folder(&bpe, folder);
        if (s == TPP_OK) s = tpp_bpe_prompt(bpe, &t, "a aaa", 5, true, 99);
        tpp_alloc_fail_after(-1);
        assert_true(s == TPP_OK || s == TPP_ENOMEM);
        tpp_tokens_free(&t);
        tpp_bpe_close(bpe);
    }
    assert_int_equal(s, TPP_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_cases_give_roberta_ids),
        cmocka_unit_test(long_prompts_are_cut_with_a_warning),
        cmocka_unit_test(empty_prompts_and_bad_utf8_are_named),
        cmocka_unit_test(lower_case_and_single_spaces_on_request),
        cmocka_unit_test(one_piece_of_a_hundred_thousand_letters_is_quick),
        cmocka_unit_test(random_text_comes_back_or_is_refused),
        cmocka_unit_test(merges_go_by_rank_then_left_to_right),
        cmocka_unit_test(broken_files_are_named_with_line),
        cmocka_unit_test(running_out_of_memory_frees_everything),
    };
    return cmocka_run_group_tests_name("text.bpe", tests, make_folder, remove_folder);
}
