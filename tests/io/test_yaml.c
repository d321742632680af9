/* YAML reader: what it takes, what it refuses, and what it says then.
 * SPDX-License-Identifier: MIT */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include "core/mem.h"
#include "core/synth.h"
#include "io/yaml.h"

#include <stdlib.h>
#include <string.h>

static tpp_status parse(tpp_yaml *y, const char *text)
{
    return tpp_yaml_parse(y, text, strlen(text), "f.yaml");
}

static void nested_mappings_give_dotted_keys_and_lines(void **state)
{
    (void)state;
    tpp_yaml y = {0};
    assert_int_equal(parse(&y, "a: 1\nb:\n  c: x y\n  d: {e: 'q'}\nf.g: [1, two]\n"), TPP_OK);
    assert_int_equal(y.count, 4);
    assert_string_equal(y.items[0].key, "a");
    assert_string_equal(y.items[1].key, "b.c");
    assert_string_equal(y.items[1].value[0], "x y");
    assert_string_equal(y.items[2].key, "b.d.e");
    assert_true(y.items[2].is_quoted);
    assert_int_equal(y.items[2].line, 4);
    assert_string_equal(y.items[3].key, "f.g");
    assert_true(y.items[3].is_list);
    assert_int_equal(y.items[3].count, 2);
    assert_string_equal(y.items[3].value[1], "two");
    tpp_yaml_free(&y);
    tpp_yaml_free(&y);
}

static void empty_documents_hold_nothing(void **state)
{
    (void)state;
    static const char *const texts[] = {"", "# only a comment\n", "---\n", "{}\n", "a: {}\n"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        tpp_yaml y = {0};
        assert_int_equal(parse(&y, texts[i]), TPP_OK);
        assert_int_equal(y.count, 0);
        tpp_yaml_free(&y);
    }
}

static void what_is_refused_is_said_with_its_line(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"a: 1\na: 2\n", "f.yaml:2: key a is given twice"},
        {"a:\n  b: 1\na:\n  c: 1\n", "f.yaml:3: key a is given twice"},
        {"a:\n  b: 1\na.b: 1\n", "f.yaml:3: key a.b is given twice"},
        {"a: &x 1\n", "f.yaml:1: anchors"},
        {"a: &x {b: 1}\n", "f.yaml:1: anchors"},
        {"a: &x [1]\n", "f.yaml:1: anchors"},
        {"a: *x\n", "f.yaml:1: aliases"},
        {"\na: !!int 1\n", "f.yaml:2: tags"},
        {"a: !x {b: 1}\n", "f.yaml:1: tags"},
        {"a: !x [1]\n", "f.yaml:1: tags"},
        {"%TAG ! tag:x,2000:\n---\na: 1\n", "tags"},
        {"a: 1\n---\nb: 1\n", "f.yaml:2: a second document"},
        {"- 1\n", "f.yaml:1: wanted `key: value` lines"},
        {"words\n", "f.yaml:1: wanted `key: value` lines"},
        {"a: [[1]]\n", "f.yaml:1: a sequence inside a sequence"},
        {"a: [{b: 1}]\n", "f.yaml:1: a mapping inside a sequence"},
        {"? {a: 1}\n: 2\n", "f.yaml:1: a key that is a mapping"},
        {"? [a]\n: 2\n", "f.yaml:1: a key that is a sequence"},
        {"? \n: 2\n", "f.yaml:1: an empty key"},
        {"a b: 1\n", "f.yaml:1: a key with other characters"},
        {"a: \"x\\0y\"\n", "f.yaml:1: text with a NUL"},
        {"a: {b: {c: {d: {e: {f: {g: {h: 1}}}}}}}\n", NULL},
        {"a: {b: {c: {d: {e: {f: {g: {h: {i: 1}}}}}}}}\n", "f.yaml:1: more than 8 mappings"},
        {"a: 1\n b: 2\n", "f.yaml:2: not YAML"},
        {"a: [1\n", "not YAML"},
        {"a: \xff\xfe\n", "not YAML"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        tpp_yaml y = {0};
        if (cases[i].message == NULL) {
            assert_int_equal(parse(&y, cases[i].text), TPP_OK);
        } else {
            assert_int_equal(parse(&y, cases[i].text), TPP_EFORMAT);
            if (strstr(tpp_error(), cases[i].message) == NULL)
                fail_msg("case %zu: wanted \"%s\", got \"%s\"", i, cases[i].message, tpp_error());
            assert_int_equal(y.count, 0);
        }
        tpp_yaml_free(&y);
    }
}

static void sizes_are_bounded(void **state)
{
    (void)state;
    static char big[(1 << 20) + 2];
    memset(big, ' ', sizeof(big));
    tpp_yaml y = {0};
    assert_int_equal(tpp_yaml_parse(&y, big, sizeof(big), "f.yaml"), TPP_EIO);
    memcpy(big, "a: ", 3);
    memset(big + 3, 'x', 4097);
    assert_int_equal(tpp_yaml_parse(&y, big, 4100, "f.yaml"), TPP_EFORMAT);
    assert_int_equal(tpp_yaml_parse(&y, big, 4099, "f.yaml"), TPP_OK);
    memset(big, 'k', 101);
    memcpy(big + 101, ": 1", 3);
    assert_int_equal(tpp_yaml_parse(&y, big, 104, "f.yaml"), TPP_EFORMAT);
    assert_int_equal(tpp_yaml_parse(&y, big + 1, 103, "f.yaml"), TPP_OK);
    memcpy(big, "z: [", 4);
    for (size_t i = 0; i < 65; i++) memcpy(big + 4 + 2 * i, "1,", 2);
    memcpy(big + 4 + 130, "]", 1);
    assert_int_equal(tpp_yaml_parse(&y, big, 135, "f.yaml"), TPP_EFORMAT);
    assert_int_equal(y.count, 2);
    tpp_yaml_free(&y);
}

static void a_failure_leaves_what_was_there(void **state)
{
    (void)state;
    tpp_yaml y = {0};
    assert_int_equal(parse(&y, "a: 1\n"), TPP_OK);
    assert_int_equal(parse(&y, "b: 2\nc: *x\n"), TPP_EFORMAT);
    assert_int_equal(y.count, 1);
    assert_int_equal(tpp_yaml_read(&y, "/nonexistent/x.yaml"), TPP_EIO);
    tpp_yaml_free(&y);
}

static void running_out_of_memory_frees_everything(void **state)
{
    (void)state;
    tpp_status s = TPP_ENOMEM;
    for (int n = 0; s != TPP_OK && n < 100; n++) {
        tpp_yaml y = {0};
        tpp_alloc_fail_after(n);
        s = parse(&y, "a: 1\nb: {c: [1, 2]}\n");
        tpp_alloc_fail_after(-1);
        assert_true(s == TPP_OK || s == TPP_ENOMEM);
        tpp_yaml_free(&y);
    }
    assert_int_equal(s, TPP_OK);
}

/* Under the sanitizers this is the test that no input reads or writes out of bounds. */
static void random_input_is_survived(void **state)
{
    (void)state;
    static const char pieces[] = "abc:.:  \n\n{}[],\"'-?&*!|>%#\\x0\t\xc3\xa9\xff";
    char text[96];
    for (uint64_t round = 0; round < 20000; round++) {
        const uint64_t key = tpp_synth_key("yaml", round);
        const size_t n = (size_t)((tpp_synth_value(key, 0) + 1) * 48);
        for (size_t i = 0; i < n; i++) {
            const double u = (tpp_synth_value(key, i + 1) + 1) / 2;
            text[i] = pieces[(size_t)(u * (double)(sizeof(pieces) - 1))];
        }
        tpp_yaml y = {0};
        const tpp_status s = tpp_yaml_parse(&y, text, n, "f.yaml");
        assert_true(s == TPP_OK || (s == TPP_EFORMAT && y.count == 0));
        tpp_yaml_free(&y);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nested_mappings_give_dotted_keys_and_lines),
        cmocka_unit_test(empty_documents_hold_nothing),
        cmocka_unit_test(what_is_refused_is_said_with_its_line),
        cmocka_unit_test(sizes_are_bounded),
        cmocka_unit_test(a_failure_leaves_what_was_there),
        cmocka_unit_test(running_out_of_memory_frees_everything),
        cmocka_unit_test(random_input_is_survived),
    };
    return cmocka_run_group_tests_name("io.yaml", tests, NULL, NULL);
}
