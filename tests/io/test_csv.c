/* CSV tables: quotes, line ends, widths; what is broken is named with its line.
 * SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "io/csv.h"
#include "scratch.h"

static void parse(tpp_csv *c, const char *text)
{
    ASSERT_OK(tpp_csv_parse(c, text, strlen(text), "list.csv"));
}

static void fields_come_out_as_they_were_meant(void **state)
{
    (void)state;
    tpp_csv c = {0};
    parse(&c, "\xEF\xBB\xBF"
              "input,case,note\r\n"
              "a.nii,one,\"comma, and \"\"quote\"\"\"\n"
              "\n"
              "\"two\nlines\",,x\r\n"
              "last,\"\",");
    assert_int_equal(c.columns, 3);
    assert_int_equal(c.rows, 4);
    static const char *const want[] = {
        "input",      "case", "note", "a.nii", "one", "comma, and \"quote\"",
        "two\nlines", "",     "x",    "last",  "",    ""};
    for (int i = 0; i < 12; i++) assert_string_equal(c.field[i], want[i]);
    static const int lines[] = {1, 2, 4, 6};
    for (int i = 0; i < 4; i++) assert_int_equal(c.line[i], lines[i]);
    assert_int_equal(tpp_csv_column(&c, "case"), 1);
    assert_int_equal(tpp_csv_column(&c, "Case"), -1);
    tpp_csv_free(&c);
    tpp_csv_free(&c);
}

static void one_column_is_a_table(void **state)
{
    (void)state;
    tpp_csv c = {0};
    parse(&c, "input\n1\n2");
    assert_int_equal(c.rows * 10 + c.columns, 31);
    assert_string_equal(c.field[2], "2");
    tpp_csv_free(&c);
}

static void broken_tables_are_named_with_their_line(void **state)
{
    (void)state;
    static const struct {
        const char *text, *why;
    } bad[] = {{"", "no header"},
               {"\n\n", "no header"},
               {"a,b\n1\n", "list.csv:2: 1 fields, the header has 2"},
               {"a,b\n\n1,2\n1,2,3\n", "list.csv:4: 3 fields"},
               {"a\n\"x", "list.csv:2: a quote is not closed"},
               {"a\n\"x\ny\"z\n", "list.csv:3: text behind"}};
    tpp_csv c = {0};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        ASSERT_FAILS(tpp_csv_parse(&c, bad[i].text, strlen(bad[i].text), "list.csv"), TPP_EFORMAT,
                     i < 2 ? "list.csv" : "list.csv:", bad[i].why);
    ASSERT_FAILS(tpp_csv_parse(&c, "a\0b", 3, "list.csv"), TPP_EFORMAT, "list.csv", "NUL");
    char wide[200];
    memset(wide, ',', sizeof wide);
    ASSERT_FAILS(tpp_csv_parse(&c, wide, sizeof wide, "list.csv"), TPP_EFORMAT, "list.csv:1",
                 "128 columns");
    ASSERT_FAILS(tpp_csv_read(&c, scratch("nowhere.csv")), TPP_EIO, "nowhere.csv", "cannot open");
    assert_null(c.field);
}

/* Every prefix of a table with everything in it either parses or fails, in bounds. */
static void every_prefix_is_read_or_refused(void **state)
{
    (void)state;
    static const char text[] = "a,\"b\"\"c\"\r\n\"\r\n\",x\n,\n\"\",\"\"";
    for (size_t n = 0; n < sizeof text; n++) {
        tpp_csv c = {0};
        char *copy = malloc(n + 1);
        assert_non_null(copy);
        memcpy(copy, text, n);
        if (tpp_csv_parse(&c, copy, n, "t") == TPP_OK) assert_true(c.rows > 0);
        tpp_csv_free(&c);
        free(copy);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_come_out_as_they_were_meant),
        cmocka_unit_test(one_column_is_a_table),
        cmocka_unit_test(broken_tables_are_named_with_their_line),
        cmocka_unit_test(every_prefix_is_read_or_refused),
    };
    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
