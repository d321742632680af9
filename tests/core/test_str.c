/* The growing string, and edit distances.
 * SPDX-License-Identifier: MIT */
#include "core/str.h"
#include "unit.h"

static void strings_grow(void **state)
{
    (void)state;
    tpp_str s = {0};
    for (int i = 0; i < 1000; i++) tpp_str_format(&s, "%d,", i % 10);
    assert_int_equal(s.status, TPP_OK);
    assert_int_equal(s.length, 2000);
    assert_int_equal(strlen(s.text), 2000);
    assert_memory_equal(s.text + 1994, "7,8,9,", 6);
    tpp_str_free(&s);
    assert_null(s.text);
    tpp_str_free(&s);
}

static void parts_may_hold_any_byte(void **state)
{
    (void)state;
    tpp_str s = {0};
    tpp_str_add(&s, "ab", 2);
    tpp_str_add(&s, "c\0d", 3);
    tpp_str_add(&s, "", 0);
    tpp_str_format(&s, "%s", "e");
    assert_int_equal(s.length, 6);
    assert_memory_equal(s.text, "abc\0de", 7);
    tpp_str_free(&s);
}

static void nothing_added_is_still_a_text(void **state)
{
    (void)state;
    tpp_str s = {0};
    tpp_str_format(&s, "%s", "");
    assert_string_equal(s.text, "");
    tpp_str_free(&s);
}

static void a_failed_allocation_is_sticky(void **state)
{
    (void)state;
    tpp_str s = {0};
    tpp_str_format(&s, "kept");
    tpp_alloc_fail_after(0);
    tpp_str_format(&s, "%080d", 1);
    tpp_alloc_fail_after(-1);
    assert_int_equal(s.status, TPP_ENOMEM);
    assert_string_equal(s.text, "kept");
    tpp_str_add(&s, "!", 1); /* would fit */
    assert_int_equal(s.status, TPP_ENOMEM);
    assert_string_equal(s.text, "kept");
    tpp_str_free(&s);
    assert_int_equal(s.status, TPP_OK);
}

static void distances_are_edits(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b;
        unsigned edits;
    } cases[] = {{"", "", 0},
                 {"", "abc", 3},
                 {"abc", "", 3},
                 {"kitten", "sitting", 3},
                 {"infer.shrt", "infer.short", 1},
                 {"infer.short", "infer.shrot", 2},
                 {"same", "same", 0},
                 {"abc", "xyz", 3}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(tpp_str_distance(cases[i].a, cases[i].b), cases[i].edits);
        assert_int_equal(tpp_str_distance(cases[i].b, cases[i].a), cases[i].edits);
    }
}

static void distances_of_long_names_are_bounded(void **state)
{
    (void)state;
    char a[129], b[129];
    memset(a, 'a', sizeof(a));
    memset(b, 'b', sizeof(b));
    a[128] = b[128] = '\0';
    assert_int_equal(tpp_str_distance(a, "x"), 255);
    assert_int_equal(tpp_str_distance("x", b), 255);
    a[127] = b[127] = '\0';
    assert_int_equal(tpp_str_distance(a, b), 127);
}

/* Every name against every other: the list is in order. */
static void names_are_ordered_as_people_count(void **state)
{
    (void)state;
    static const char *const names[] = {"",
                                        "1.png",
                                        "1a",
                                        "2.png",
                                        "10.png",
                                        "A2",
                                        "a",
                                        "a-1",
                                        "a01",
                                        "a1",
                                        "a2b1",
                                        "a2b01",
                                        "a2b10",
                                        "a10b1",
                                        "a010",
                                        "a99999999999999999999",
                                        "a100000000000000000000",
                                        "b",
                                        "\xc3\xa9"};
    const int n = (int)(sizeof(names) / sizeof(names[0]));
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++) {
            const int order = tpp_str_compare_natural(names[i], names[j]);
            if (i == j) assert_int_equal(order, 0);
            if ((i == 10 && j == 11) || (i == 11 && j == 10)) continue; /* by bytes, below */
            if ((i == 13 && j == 14) || (i == 14 && j == 13)) continue;
            if (i < j) assert_true(order < 0);
            if (i > j) assert_true(order > 0);
        }
    assert_true(tpp_str_compare_natural("a2b01", "a2b1") < 0);
    assert_true(tpp_str_compare_natural("a01", "a1") < 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_ordered_as_people_count),
        cmocka_unit_test(strings_grow),
        cmocka_unit_test(parts_may_hold_any_byte),
        cmocka_unit_test(nothing_added_is_still_a_text),
        cmocka_unit_test(a_failed_allocation_is_sticky),
        cmocka_unit_test(distances_are_edits),
        cmocka_unit_test(distances_of_long_names_are_bounded),
    };
    return cmocka_run_group_tests_name("core.str", tests, NULL, NULL);
}
