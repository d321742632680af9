/* tpp bench --merge: planted files of several machines, wrong files, and the picture of them.
 * SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "infer/bench_merge.h"
#include "io/csv.h"
#include "program.h"

#include <jansson.h>

/* A row as bench writes it, of what the merge looks at. */
#define ROW(config, height, scenario, device, ms, share, status)                           \
    "{\"config\": \"" config "\", \"config_sha256\": \"aa\", \"height\": " height          \
    ", \"width\": 640, \"prompts\": 3, \"tokens\": 28, \"clip\": 0, \"ahead\": 1, "        \
    "\"scenario\": \"" scenario "\", \"algorithm\": \"auto\", \"kernel_cache\": \"warm\"," \
    " \"device\": \"" device "\", \"ms_median\": " ms ", \"samples\": [" ms "], "          \
    "\"peak_share\": " share ", \"status\": \"" status "\", \"reason\": \"\"}"

#define LATER  ROW("configs/r50.yaml", "360", "offline", "slow card", "40.5", "0.25", "ok")
#define TALL   ROW("configs/r50.yaml", "640", "offline", "slow card", "80", "0.25", "ok")
#define WRONG  ROW("configs/r50.yaml", "360", "offline", "liar", "1.5", "0.9", "invalid")
#define FIRST  ROW("/opt/tpp/r50.yaml", "360", "offline", "fast card", "20.25", "0.5", "ok")
#define LOST   ROW("/opt/tpp/r50.yaml", "360", "offline", "lost card", "0", "null", "failed")
#define SINGLE ROW("/opt/tpp/r50.yaml", "360", "single", "fast card", "90", "0.4", "ok")
#define TINY   ROW("/opt/tpp/a.yaml", "640", "single", "fast card", "1", "0.4", "ok")
enum { ROWS = 7 };

static int plant(void **state)
{
    static const char a[] = "[" TALL ",\n" WRONG ",\n" LATER "]\n",
                      b[] = LOST "\n" FIRST "\n" TINY "\n" SINGLE "\n";
    if (scratch_setup(state) != 0) return -1;
    put_file("a.json", a, sizeof a - 1);
    put_file("b.jsonl", b, sizeof b - 1);
    return 0;
}

/* Whichever file comes first: configuration, size, scenario, then milliseconds; what is not ok
 * after what is. */
static void rows_are_sorted_and_none_is_lost(void **state)
{
    (void)state;
    static const struct {
        const char *device, *status;
        double ms;
    } wanted[ROWS] = {{"fast card", "ok", 1},     {"fast card", "ok", 90},
                      {"fast card", "ok", 20.25}, {"slow card", "ok", 40.5},
                      {"lost card", "failed", 0}, {"liar", "invalid", 1.5},
                      {"slow card", "ok", 80}};
    static const char *const orders[] = {"a.json b.jsonl", "b.jsonl a.json"};
    for (int k = 0; k < 2; k++) {
        EXPECT_OK("tpp bench --merge %s --format json", orders[k]);
        json_error_t error;
        json_t *rows = json_loads(program_out, JSON_REJECT_DUPLICATES, &error);
        assert_int_equal(json_array_size(rows), ROWS);
        for (size_t i = 0; i < ROWS; i++) {
            const json_t *row = json_array_get(rows, i);
            assert_string_equal(json_string_value(json_object_get(row, "device")),
                                wanted[i].device);
            assert_string_equal(json_string_value(json_object_get(row, "status")),
                                wanted[i].status);
            assert_true(json_number_value(json_object_get(row, "ms_median")) == wanted[i].ms);
        }
        json_decref(rows);
    }
}

static void tables_say_shares_and_what_is_wrong(void **state)
{
    (void)state;
    tpp_csv c = {0};
    EXPECT_OK("tpp bench --merge a.json b.jsonl --format csv");
    ASSERT_OK(tpp_csv_parse(&c, program_out, strlen(program_out), "rows"));
    assert_int_equal(c.rows, 1 + ROWS);
    const size_t share = (size_t)tpp_csv_column(&c, "peak_share");
    assert_string_equal(c.field[3 * c.columns + share], "0.5");
    assert_string_equal(c.field[5 * c.columns + share], "");
    tpp_csv_free(&c);
    EXPECT_OK("tpp bench --merge a.json b.jsonl --format md");
    assert_non_null(strstr(program_out, "| fast card | 360x640 | offline |"));
    assert_non_null(strstr(program_out, "| 50.0 % |"));
    assert_non_null(strstr(program_out, "| invalid |"));
    /* what was merged can be merged again */
    EXPECT_OK("tpp bench --merge a.json --format json -o c.json && tpp bench --merge c.json "
              "b.jsonl --format csv | wc -l");
    assert_int_equal(atoi(program_out), 1 + ROWS);
}

static void expect_wrong(const char *text, const char *fact)
{
    put_file("wrong.json", text, strlen(text));
    EXPECT_FAILS(2, fact, "tpp bench --merge a.json wrong.json --plot out.svg -o out.json");
    assert_non_null(strstr(program_err, "wrong.json"));
}

static void wrong_files_are_named_with_the_place(void **state)
{
    (void)state;
    expect_wrong(LATER "\n\n{\"scenario\": \n}", "line 4");
    expect_wrong("[" LATER ", 7]", "value 2 is no row of tpp bench");
    expect_wrong("{\"frame\": {}}", "value 1 is no row of tpp bench");
    expect_wrong(LATER ROW("a", "360", "offline", "b", "\"fast\"", "0", "ok"),
                 "row 2: ms_median is of another type");
    expect_wrong(ROW("a", "360", "sometimes", "b", "1", "0", "ok"),
                 "row 1: scenario \"sometimes\", wanted single, offline or cold");
    expect_wrong(ROW("a", "360", "single", "b", "1", "0", "splendid"),
                 "row 1: status \"splendid\", wanted ok, invalid");
    expect_wrong(ROW("a", "0", "single", "b", "1", "0", "ok"), "row 1: height 0");
    expect_wrong(ROW("a", "360", "single", "b", "0", "0", "ok"), "row 1: status ok with ms_median");
    expect_wrong("", "there are no rows");
    EXPECT_FAILS(2, "nowhere.json", "tpp bench --merge a.json nowhere.json");
}

static void sizes_are_bounded(void **state)
{
    (void)state;
    FILE *f = fopen(scratch("many.jsonl"), "wb");
    assert_non_null(f);
    for (int i = 0; i <= TPP_MERGE_MOST_ROWS; i++) (void)fputs("{\"scenario\": \"single\"}\n", f);
    assert_int_equal(fclose(f), 0);
    EXPECT_FAILS(2, "more than 20000 rows", "tpp bench --merge many.jsonl");
    f = fopen(scratch("bars.jsonl"), "wb");
    assert_non_null(f);
    for (int i = 0; i < 501; i++) (void)fputs(LATER "\n", f);
    assert_int_equal(fclose(f), 0);
    EXPECT_FAILS(2, "a plot of 501 rows, 500", "tpp bench --merge bars.jsonl --plot out.svg");
}

static void options_are_checked(void **state)
{
    (void)state;
    EXPECT_FAILS(2, "--merge wants files", "tpp bench --merge");
    EXPECT_FAILS(2, "files are taken with --merge alone", "tpp bench a.json");
    EXPECT_FAILS(2, "--plot draws what --merge reads", "tpp bench --plot out.svg");
    EXPECT_FAILS(2, "leave --compare out", "tpp bench --merge a.json --compare b.jsonl");
    EXPECT_FAILS(2, "nowhere/out.svg", "tpp bench --merge a.json --plot nowhere/out.svg");
}

/* A parser that is not ours reads it: names of any bytes are text, every row has its figures. */
static void the_picture_is_xml(void **state)
{
    (void)state;
    static const char odd[] = ROW("r<50>&\\u0001.yaml", "360", "offline",
                                  "a <b> & \\\"c\\\" ]]> \\uffff \\u00e9 card whose "
                                  "name goes on and on and on and on and on",
                                  "12.5", "0.125", "ok");
    static const char script[] =
        "import sys, xml.etree.ElementTree as E\n"
        "r = E.parse('all.svg').getroot()\n"
        "n = '{http://www.w3.org/2000/svg}'\n"
        "bars = [b for b in r.iter(n + 'rect') if b.get('class')]\n"
        "print(r.tag == n + 'svg', len(bars), sum(b.get('class') == 'bad' for b in bars))\n"
        "print(max(float(b.get('x')) + float(b.get('width')) for b in bars) <= 1040)\n"
        "print('|'.join(''.join(t.itertext()) for t in r.iter(n + 'text')))\n";
    put_file("odd.json", odd, sizeof odd - 1);
    put_file("read.py", script, sizeof script - 1);
    EXPECT_OK("tpp bench --merge a.json b.jsonl odd.json --plot all.svg -o all.json && "
              "PYTHONUTF8=1 /usr/bin/python3 read.py");
    assert_non_null(strstr(program_out, "True 7 1\nTrue\n")); /* the failed row has no bar */
    assert_non_null(strstr(program_out, "|fast card|20.25 ms, 50.0 % of the FMA peak|"));
    assert_non_null(strstr(program_out, "|liar|1.5 ms, 90.0 % of the FMA peak, invalid|"));
    assert_non_null(strstr(program_out, "|lost card|0 ms, failed|"));
    assert_non_null(strstr(program_out, "r50.yaml, 640x640, offline, 3 prompts"));
    assert_non_null(strstr(program_out, "|a <b> & \"c\" ]]> ??? \xc3\xa9 card whose"));
    assert_non_null(strstr(program_out, "...|12.5 ms, 12.5 % of the FMA peak"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_sorted_and_none_is_lost),
        cmocka_unit_test(tables_say_shares_and_what_is_wrong),
        cmocka_unit_test(wrong_files_are_named_with_the_place),
        cmocka_unit_test(sizes_are_bounded),
        cmocka_unit_test(options_are_checked),
        cmocka_unit_test(the_picture_is_xml),
    };
    return cmocka_run_group_tests(tests, plant, scratch_teardown);
}
