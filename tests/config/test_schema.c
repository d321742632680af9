/* Field tables: parse, check, default, presets, overrides, dump and help of a small schema.
 * SPDX-License-Identifier: MIT */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include "config/schema.h"
#include "core/mem.h"

#include <stdbool.h>
#include <string.h>

struct demo {
    int preset, width, colour;
    bool flag;
    double rate, mean[2];
    char title[8];
    tpp_int_list steps;
};

static const char *const presets[] = {"plain", "wide", NULL};
static const char *const colours[] = {"red", "green", NULL};

#define ROW(key, member, type, initial, min, max, names)                                       \
    {                                                                                          \
        key, type, offsetof(struct demo, member), sizeof(((struct demo *)0)->member), initial, \
            min, max, names, "help of " key                                                    \
    }
static const tpp_field fields[] = {
    ROW("preset", preset, TPP_FIELD_ENUM, "plain", 0, 0, presets),
    ROW("box.width", width, TPP_FIELD_INT, "7", -5, 100, NULL),
    ROW("box.colour", colour, TPP_FIELD_ENUM, "green", 0, 0, colours),
    ROW("box.flag", flag, TPP_FIELD_BOOL, "true", 0, 1, NULL),
    ROW("rate", rate, TPP_FIELD_FLOAT, "1e-4", 0, 1, NULL),
    ROW("mean", mean, TPP_FIELD_FLOATS, "[0.25, 0.1]", 0, 1, NULL),
    ROW("title", title, TPP_FIELD_STRING, "abc", 0, 0, NULL),
    ROW("steps", steps, TPP_FIELD_INTS, "[5, 1]", 1, 9, NULL),
};
static const tpp_preset_row rows[] = {{"wide", "box.width", "50"}, {"wide", "steps", "[3]"}};
static const tpp_schema schema = {fields, sizeof(fields) / sizeof(fields[0]), "preset", rows, 2};

static tpp_status apply(struct demo *d, const char *yaml, const char *const *sets, size_t n)
{
    tpp_settings s = {0};
    tpp_status status = tpp_yaml_parse(&s, yaml, strlen(yaml), "f.yaml");
    for (size_t i = 0; status == TPP_OK && i < n; i++) status = tpp_settings_set(&s, sets[i]);
    if (status == TPP_OK) status = tpp_schema_apply(&schema, d, sizeof(*d), &s);
    tpp_yaml_free(&s);
    return status;
}

static void defaults_come_from_the_table(void **state)
{
    (void)state;
    struct demo d;
    assert_int_equal(tpp_schema_apply(&schema, &d, sizeof(d), NULL), TPP_OK);
    assert_int_equal(d.width, 7);
    assert_int_equal(d.colour, 1);
    assert_true(d.flag);
    assert_true(d.rate == 1e-4 && d.mean[0] == 0.25 && d.mean[1] == 0.1);
    assert_string_equal(d.title, "abc");
    assert_int_equal(d.steps.count, 2);
    assert_int_equal(d.steps.value[1], 1);
}

static void every_type_is_read(void **state)
{
    (void)state;
    struct demo d;
    assert_int_equal(apply(&d,
                           "box: {width: -5, colour: red, flag: off}\nrate: 1\n"
                           "mean: [1, 5e-1]\ntitle: \"5 ü\"\nsteps: [9, 8, 1]\n",
                           NULL, 0),
                     TPP_OK);
    assert_int_equal(d.width, -5);
    assert_int_equal(d.colour, 0);
    assert_false(d.flag);
    assert_true(d.rate == 1.0 && d.mean[0] == 1.0 && d.mean[1] == 0.5);
    assert_string_equal(d.title, "5 ü");
    assert_int_equal(d.steps.count, 3);
}

static void presets_go_before_other_keys_and_the_last_one_counts(void **state)
{
    (void)state;
    struct demo d;
    assert_int_equal(apply(&d, "steps: [4]\npreset: wide\n", NULL, 0), TPP_OK);
    assert_int_equal(d.preset, 1);
    assert_int_equal(d.width, 50);
    assert_int_equal(d.steps.value[0], 4);
    const char *const back[] = {"preset=plain", "box.width=9"};
    assert_int_equal(apply(&d, "preset: wide\n", back, 1), TPP_OK);
    assert_int_equal(d.width, 7);
    assert_int_equal(apply(&d, "preset: wide\nbox.width: 8\n", back, 2), TPP_OK);
    assert_int_equal(d.width, 9);
    const char *const list[] = {" steps = [ 2 , 1 ] "};
    assert_int_equal(apply(&d, "", list, 1), TPP_OK);
    assert_int_equal(d.steps.value[0], 2);
    const char *const bare[] = {"steps=3,2,1"};
    assert_int_equal(apply(&d, "", bare, 1), TPP_OK);
    assert_int_equal(d.steps.count, 3);
}

static void mistakes_name_file_line_wanted_and_came(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"box:\n  widht: 3\n", "f.yaml:2: unknown key box.widht; did you mean box.width?"},
        {"width: 3\n", "f.yaml:1: unknown key width; did you mean box.width?"},
        {"zzzzzzzzz: 3\n", "f.yaml:1: unknown key zzzzzzzzz"},
        {"box: 3\n", "f.yaml:1: box is a group of keys"},
        {"rate: {a: 1}\n", "f.yaml:1: unknown key rate.a; did you mean rate?"},
        {"\nbox.width: abc\n", "f.yaml:2: box.width wants an integer from -5 to 100, got 'abc'"},
        {"box.width: 101\n", "an integer from -5 to 100, got '101'"},
        {"box.width: 99999999999999999999\n", "an integer from -5 to 100"},
        {"box.width: 1.0\n", "an integer"},
        {"box.width: 0x10\n", "an integer"},
        {"box.width: \"7\"\n", "an integer from -5 to 100, got \"7\""},
        {"box.width:\n", "an integer from -5 to 100, got ''"},
        {"box.width: [7]\n", "an integer from -5 to 100, got ['7']"},
        {"box.colour: blue\n", "one of red, green, got 'blue'"},
        {"box.flag: maybe\n", "true or false, got 'maybe'"},
        {"rate: nan\n", "a number from 0 to 1, got 'nan'"},
        {"rate: .inf\n", "a number from 0 to 1"},
        {"rate: 1e999\n", "a number from 0 to 1"},
        {"rate: -0.1\n", "a number from 0 to 1"},
        {"mean: [1]\n", "a list of 2 numbers from 0 to 1, got ['1']"},
        {"mean: 1\n", "a list of 2 numbers"},
        {"mean: [1, 2]\n", "a list of 2 numbers"},
        {"title: eight888\n", "text of at most 7 bytes"},
        {"title: \"a\\eb\\nxxxxx\"\n", "got \"a?b?xxxxx\""},
        {"steps: []\n", "1 to 16 integers from 1 to 9, got []"},
        {"steps: [1, 0]\n", "1 to 16 integers from 1 to 9"},
        {"steps: [1,2,3,4,5,6,7,8,9,1,2,3,4,5,6,7,8]\n", "1 to 16 integers"},
        {"steps: [1, x]\n", "1 to 16 integers"},
        {"steps: 1,\n", "1 to 16 integers"},
        {"preset: narrow\n", "preset wants one of plain, wide, got 'narrow'"},
        {"preset: [wide]\n", "preset wants one of plain, wide"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct demo d = {.width = 1234};
        assert_int_equal(apply(&d, cases[i].text, NULL, 0), TPP_EUSAGE);
        if (strstr(tpp_error(), cases[i].message) == NULL)
            fail_msg("case %zu: wanted \"%s\", got \"%s\"", i, cases[i].message, tpp_error());
        assert_int_equal(d.width, 1234);
    }
}

static void overrides_are_checked_alike(void **state)
{
    (void)state;
    static const struct {
        const char *set, *message;
    } cases[] = {
        {"box.width", "--set wants key=value, got box.width"},
        {"=3", "--set wants key=value"},
        {"box\x1b.width=3", "--set wants key=value"},
        {"box.widht=3", "--set: unknown key box.widht; did you mean box.width?"},
        {"box.width=", "--set: box.width wants an integer from -5 to 100, got ''"},
        {"box.width=3=4", "got '3=4'"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct demo d;
        assert_int_equal(apply(&d, "", &cases[i].set, 1), TPP_EUSAGE);
        if (strstr(tpp_error(), cases[i].message) == NULL)
            fail_msg("case %zu: wanted \"%s\", got \"%s\"", i, cases[i].message, tpp_error());
    }
}

static void dump_reads_back_to_the_same_values(void **state)
{
    (void)state;
    struct demo d, back;
    memset(&d, 0, sizeof(d));
    memset(&back, 0, sizeof(back));
    assert_int_equal(apply(&d,
                           "preset: wide\nrate: 0.1234567890123456789\nbox.flag: no\n"
                           "title: \"\\\"\\\\\\n:#\"\nmean: [3e-1, 0.7]\n",
                           NULL, 0),
                     TPP_OK);
    tpp_str text = {0}, again = {0};
    assert_int_equal(tpp_schema_dump(&schema, &d, &text), TPP_OK);
    assert_non_null(strstr(text.text, "preset: wide\nbox:\n  width: 50\n  colour: green\n"));
    assert_non_null(strstr(text.text, "\nmean: [0.3, 0.7]\n"));
    assert_int_equal(apply(&back, text.text, NULL, 0), TPP_OK);
    assert_int_equal(tpp_schema_dump(&schema, &back, &again), TPP_OK);
    assert_string_equal(text.text, again.text);
    assert_true(back.rate == d.rate && back.width == d.width && back.flag == d.flag);
    assert_string_equal(back.title, d.title);
    tpp_str_free(&text);
    tpp_str_free(&again);
}

static void help_has_every_key_and_preset(void **state)
{
    (void)state;
    tpp_str help = {0};
    assert_int_equal(tpp_schema_help(&schema, &help), TPP_OK);
    assert_non_null(
        strstr(help.text, "| `box.width` | 7 | an integer from -5 to 100 | help of box.width |\n"));
    for (size_t i = 0; i < schema.count; i++) assert_non_null(strstr(help.text, fields[i].key));
    assert_non_null(strstr(help.text, "| wide | `box.width` | 50 |\n"));
    tpp_str_free(&help);
}

static void running_out_of_memory_leaves_the_struct_alone(void **state)
{
    (void)state;
    tpp_status s = TPP_ENOMEM;
    for (int n = 0; s != TPP_OK && n < 400; n++) {
        struct demo d = {.width = 1234};
        tpp_alloc_fail_after(n);
        s = apply(&d, "preset: wide\n", NULL, 0);
        tpp_alloc_fail_after(-1);
        assert_true(s == TPP_OK || s == TPP_ENOMEM);
        assert_int_equal(d.width, s == TPP_OK ? 50 : 1234);
    }
    assert_int_equal(s, TPP_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_come_from_the_table),
        cmocka_unit_test(every_type_is_read),
        cmocka_unit_test(presets_go_before_other_keys_and_the_last_one_counts),
        cmocka_unit_test(mistakes_name_file_line_wanted_and_came),
        cmocka_unit_test(overrides_are_checked_alike),
        cmocka_unit_test(dump_reads_back_to_the_same_values),
        cmocka_unit_test(help_has_every_key_and_preset),
        cmocka_unit_test(running_out_of_memory_leaves_the_struct_alone),
    };
    return cmocka_run_group_tests_name("config.schema", tests, NULL, NULL);
}
