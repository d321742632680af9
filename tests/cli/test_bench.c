/* tpp bench as a user meets it: grids in every format, rows that cannot run, wrong masks, a base.
 * SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "infer/bench_row.h"
#include "io/csv.h"
#include "program.h"

#include <jansson.h>

#define SMALL "tpp bench " MICRO_SET " --frames 6 --warmup 1 "
#define GRID  SMALL "--size 32x32,32x64 --scenario single --scenario offline --ahead 1,2 "
enum { GRID_ROWS = 6 }; /* ahead is an axis of offline alone */
#define PAIR SMALL "--size 32x32 --scenario single,offline "
enum { PAIR_ROWS = 2 };

static json_t *read_json(const char *text)
{
    json_error_t error;
    json_t *j = json_loads(text, JSON_REJECT_DUPLICATES, &error);
    if (j == NULL) fail_msg("%s in: %s", error.text, text);
    return j;
}

/* "gate.dice" of a row. */
static const json_t *at(const json_t *row, const char *name)
{
    char group[32];
    const char *dot = strchr(name, '.');
    if (dot == NULL) return json_object_get(row, name);
    (void)snprintf(group, sizeof group, "%.*s", (int)(dot - name), name);
    return json_object_get(json_object_get(row, group), dot + 1);
}

static const char *text_of(const json_t *row, const char *name)
{
    const char *text = json_string_value(at(row, name));
    if (text == NULL) fail_msg("%s is no text", name);
    return text;
}

static double number_of(const json_t *row, const char *name)
{
    if (!json_is_number(at(row, name))) fail_msg("%s is no number", name);
    return json_number_value(at(row, name));
}

/* ---- formats ---- */

static void expect_row(const json_t *row)
{
    for (const tpp_bench_field *f = tpp_bench_fields; f->name != NULL; f++)
        if (at(row, f->name) == NULL) fail_msg("no field %s", f->name);
    assert_string_equal(text_of(row, "status"), "ok");
    assert_string_equal(text_of(row, "gate.against"), "plain");
    assert_true(number_of(row, "gate.dice") >= 0.999 && number_of(row, "gate.logit_error") < 2e-4);
    assert_int_equal(strlen(text_of(row, "config_sha256")), 64);
    assert_true(strstr(text_of(row, "build"), TPP_PROJECT_VERSION) == text_of(row, "build"));
    const json_t *samples = at(row, "samples");
    assert_true(json_array_size(samples) >= 3);
    assert_true(number_of(row, "ms_min") <= number_of(row, "ms_median"));
    assert_true(number_of(row, "ms_median") <= number_of(row, "ms_p90"));
    assert_true(number_of(row, "copy_gbs") > 0 && number_of(row, "peak_gflops") > 0);
    assert_true(number_of(row, "peak_share") > 0 && number_of(row, "peak_share") < 1);
    assert_true(number_of(row, "stage_ms.backbone") > 0 && number_of(row, "stage_ms.next") > 0);
    assert_true(json_is_null(at(row, "stage_ms.clip")));
    assert_true(number_of(row, "device_mb") >= number_of(row, "arena_mb"));
}

static void a_grid_as_json(void **state)
{
    (void)state;
    EXPECT_OK(GRID "--format json");
    json_t *rows = read_json(program_out);
    assert_int_equal(json_array_size(rows), GRID_ROWS);
    static const double ahead[] = {1, 1, 2}, width[] = {32, 64};
    for (size_t i = 0; i < GRID_ROWS; i++) {
        const json_t *row = json_array_get(rows, i);
        expect_row(row);
        assert_string_equal(text_of(row, "scenario"), i % 3 == 0 ? "single" : "offline");
        assert_true(number_of(row, "ahead") == ahead[i % 3]);
        assert_true(number_of(row, "width") == width[i / 3]);
    }
    json_decref(rows);
}

static void a_grid_as_lines(void **state)
{
    (void)state;
    int n = 0;
    EXPECT_OK(PAIR "--format jsonl");
    for (char *line = strtok(program_out, "\n"); line != NULL; line = strtok(NULL, "\n"), n++) {
        json_t *row = read_json(line);
        expect_row(row);
        json_decref(row);
    }
    assert_int_equal(n, PAIR_ROWS);
}

static void a_grid_as_csv(void **state)
{
    (void)state;
    tpp_csv c = {0};
    EXPECT_OK(PAIR "--algorithm auto,quick --format csv");
    ASSERT_OK(tpp_csv_parse(&c, program_out, strlen(program_out), "rows")); /* equal columns */
    assert_int_equal(c.rows, 1 + 2 * PAIR_ROWS);
    size_t column = 0;
    for (const tpp_bench_field *f = tpp_bench_fields; f->name != NULL; f++, column++)
        assert_string_equal(c.field[column], f->name);
    assert_int_equal(column, c.columns);
    const size_t status = (size_t)tpp_csv_column(&c, "status");
    for (size_t r = 1; r < c.rows; r++)
        assert_string_equal(c.field[r * c.columns + status], r <= PAIR_ROWS ? "ok" : "unsupported");
    tpp_csv_free(&c);
}

static void a_grid_as_a_table(void **state)
{
    (void)state;
    static char text[sizeof program_out];
    int lines = 0, bars = 0;
    EXPECT_OK(PAIR "--format md");
    (void)snprintf(text, sizeof text, "%s", program_out);
    for (const char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n"), lines++) {
        int n = 0;
        for (const char *p = line; *p != '\0'; p++) n += *p == '|' && (p == line || p[-1] != '\\');
        if (lines == 0) bars = n;
        assert_int_equal(n, bars);
    }
    assert_int_equal(lines, 2 + PAIR_ROWS);
    EXPECT_OK(PAIR "--no-gate"); /* text of more than one row is a table too */
    assert_int_equal(strncmp(program_out, "| config |", 10), 0);
}

/* Whoever reads rows finds what each field means. */
static void every_field_is_documented(void **state)
{
    (void)state;
    char *text = NULL;
    size_t size = 0;
    ASSERT_OK(tpp_file_read(&text, &size, TPP_SOURCE_DIR "/bench/README.md", 1 << 20));
    const char *section = strstr(text, "\n## Rows of tpp bench\n");
    assert_non_null(section);
    for (const tpp_bench_field *f = tpp_bench_fields; f->name != NULL; f++) {
        char name[48];
        (void)snprintf(name, sizeof name, "`%s`", f->name);
        if (strstr(section, name) == NULL) fail_msg("bench/README.md has no %s", name);
    }
    tpp_free(text);
}

/* ---- files ---- */

static void rows_go_to_a_file_whole_or_not_at_all(void **state)
{
    (void)state;
    EXPECT_OK(SMALL "--size 32x32 --no-gate --format json -o rows.json && cat rows.json >&2");
    assert_string_equal(program_out, "");
    json_t *rows = read_json(program_err);
    assert_string_equal(text_of(json_array_get(rows, 0), "gate.against"), "not run");
    assert_true(json_is_null(at(json_array_get(rows, 0), "gate.dice")));
    json_decref(rows);
    EXPECT_FAILS(2, "nowhere/rows.json", SMALL "--size 32x32 -o nowhere/rows.json");
    EXPECT_FAILS(2, "nowhere.yaml", SMALL "--config nowhere.yaml -o other.json");
    assert_false(file_is_there("other.json"));
}

/* ---- what cannot run ---- */

static void options_are_checked(void **state)
{
    (void)state;
    EXPECT_FAILS(2, "--size wants HEIGHTxWIDTH", SMALL "--size 32x32,32");
    EXPECT_FAILS(2, "nothing stands beside a comma", SMALL "--size 32x32,");
    EXPECT_FAILS(2, "--ahead wants an integer from 1 to 16", SMALL "--ahead 1,17");
    EXPECT_FAILS(2, "did you mean single?", SMALL "--scenario singel");
    EXPECT_FAILS(2, "one of text, md, csv, json, jsonl", SMALL "--format xml");
    EXPECT_FAILS(2, "nowhere.safetensors", SMALL "--size 32x32 --golden nowhere.safetensors");
}

static void what_cannot_run_is_a_row(void **state)
{
    (void)state;
    /* others go on, and the exit code is theirs */
    EXPECT_OK(SMALL "--size 32x32 --algorithm quick,auto --no-gate --format json");
    json_t *rows = read_json(program_out);
    assert_string_equal(text_of(json_array_get(rows, 0), "status"), "unsupported");
    assert_non_null(strstr(text_of(json_array_get(rows, 0), "reason"), "algorithm called quick"));
    assert_true(json_is_null(at(json_array_get(rows, 0), "ms_median")));
    assert_string_equal(text_of(json_array_get(rows, 1), "status"), "ok");
    json_decref(rows);
    /* nothing ran: the exit code says why */
    EXPECT_FAILS(2, "unsupported: no op has", SMALL "--size 32x32 --algorithm quick");
    EXPECT_FAILS(4, "unsupported: ", SMALL "--size 32x32 --device nowhere,neither");
    EXPECT_FAILS(5, "unsupported: ", "export TPP_DEVICE_MEMORY_MB=3; " SMALL "--size 256x256");
    assert_non_null(strstr(program_err, "MB"));
}

#define CLIP " -s mode=clip -s prop.box=false -s prop.mask=false -s prop.query=false "

static void clips_have_no_latency(void **state)
{
    (void)state;
    EXPECT_OK(SMALL CLIP "--size 32x32 --frames 3 --scenario single,offline --format json");
    json_t *rows = read_json(program_out);
    assert_string_equal(text_of(json_array_get(rows, 0), "status"), "unsupported");
    const json_t *offline = json_array_get(rows, 1);
    assert_string_equal(text_of(offline, "status"), "ok");
    assert_true(number_of(offline, "clip") == 3 && number_of(offline, "stage_ms.clip") > 0);
    json_decref(rows);
}

/* ---- wrong masks ---- */

/* A golden file in which one logit of the last mask is another. */
static void plant_wrong_mask(const char *name)
{
    char *bytes = NULL;
    size_t size = 0;
    uint64_t header = 0;
    ASSERT_OK(tpp_file_read(&bytes, &size, TPP_SOURCE_DIR "/tests/golden/forward_micro.safetensors",
                            1 << 24));
    for (int i = 7; i >= 0; i--) header = header << 8 | (uint8_t)bytes[i];
    const char *item = strstr(bytes + 8, "\"frame2.mask\":");
    assert_non_null(item);
    const char *offsets = strstr(item, "\"data_offsets\":");
    assert_non_null(offsets);
    const unsigned long from = strtoul(strchr(offsets, '[') + 1, NULL, 10);
    assert_non_null(strstr(item, "\"F64\""));
    const double wrong = 1000; /* the first logit */
    memcpy(bytes + 8 + header + from, &wrong, sizeof wrong);
    put_file(name, bytes, size);
    tpp_free(bytes);
}

static void rows_with_wrong_masks_are_invalid(void **state)
{
    (void)state;
    plant_wrong_mask("wrong.safetensors");
    EXPECT_FAILS(1, "invalid: 1 of ",
                 SMALL "--size 32x32 --golden wrong.safetensors --format json");
    json_t *rows = read_json(program_out);
    const json_t *row = json_array_get(rows, 0);
    assert_string_equal(text_of(row, "status"), "invalid");
    assert_string_equal(text_of(row, "gate.against"), "wrong.safetensors");
    assert_non_null(strstr(text_of(row, "reason"), "frame2.mask"));
    assert_true(number_of(row, "gate.logit_error") > 2e-4);
    assert_true(number_of(row, "ms_median") > 0);
    json_decref(rows);
    EXPECT_OK(SMALL "--size 32x32 --golden '" TPP_SOURCE_DIR
                    "/tests/golden/forward_micro.safetensors'");
    assert_non_null(strstr(program_out, "(forward_micro.safetensors)"));
}

/* ---- a base ---- */

/* Multiplies the times of the only row of base.json. */
static void scale_base(double factor, const char *device)
{
    json_error_t error;
    json_t *rows = json_load_file(scratch("base.json"), 0, &error);
    assert_non_null(rows);
    json_t *row = json_array_get(rows, 0), *samples = json_object_get(row, "samples"), *one = NULL;
    size_t i = 0;
    json_array_foreach(samples, i, one) assert_int_equal(
        json_array_set_new(samples, i, json_real(factor * json_number_value(one))), 0);
    if (device != NULL)
        assert_int_equal(json_object_set_new(row, "device", json_string(device)), 0);
    assert_int_equal(json_dump_file(rows, scratch("changed.json"), 0), 0);
    json_decref(rows);
}

static void expect_verdict(const char *verdict, const char *more)
{
    EXPECT_OK(SMALL "--size 32x32 --no-gate --format json --compare changed.json");
    json_t *rows = read_json(program_out);
    const json_t *row = json_array_get(rows, 0);
    assert_string_equal(text_of(row, "compare.verdict"), verdict);
    if (strstr(text_of(row, "compare.reason"), more) == NULL)
        fail_msg("%s", text_of(row, "compare.reason"));
    json_decref(rows);
}

/* A hundredfold, because machines are shared. */
static void rows_are_held_against_a_base(void **state)
{
    (void)state;
    EXPECT_OK(SMALL "--size 32x32 --no-gate --format json -o base.json");
    scale_base(100, NULL);
    expect_verdict("faster", "");
    scale_base(0.01, NULL);
    expect_verdict("slower", "");
    scale_base(1, "another card");
    expect_verdict("not comparable", "device: the base has another card");
    EXPECT_OK(SMALL "--size 32x64 --no-gate --compare base.json");
    assert_non_null(strstr(program_out, "no base"));
    put_file("bad.json", "{\"scenario\": 3}", 15);
    EXPECT_FAILS(2, "scenario is of another type", SMALL "--compare bad.json");
    put_file("bad.json", "[1]", 3);
    EXPECT_FAILS(2, "value 1 is no row", SMALL "--compare bad.json");
    put_file("bad.json", "[", 1);
    EXPECT_FAILS(2, "bad.json: no JSON", SMALL "--compare bad.json");
    put_file("bad.json", "\n", 1);
    EXPECT_FAILS(2, "there are no rows", SMALL "--compare bad.json");
}

/* ---- cold ---- */

static void cold_starts_processes(void **state)
{
    (void)state;
    EXPECT_OK(SMALL "--size 32x32 --no-gate --scenario cold --repeat 2 --format json");
    json_t *rows = read_json(program_out);
    const json_t *row = json_array_get(rows, 0);
    assert_int_equal(json_array_size(at(row, "samples")), 2);
    assert_string_equal(text_of(row, "kernel_cache"), "warm");
    const double warm = number_of(row, "ms_median");
    assert_true(warm > 0 && json_is_null(at(row, "gflops")));
    json_decref(rows);
    /* nothing comes from the user's cache, goes there, or is left; PoCL leaks as it compiles */
    EXPECT_OK("mkdir own && export TPP_CACHE_DIR=$PWD/own TMPDIR=$PWD "
              "ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0; " SMALL
              "--size 32x32 --no-gate --scenario cold --kernel-cache cold --format json && rmdir "
              "own && ! ls -d tpp-bench-* 2>/dev/null");
    rows = read_json(program_out);
    row = json_array_get(rows, 0);
    assert_string_equal(text_of(row, "kernel_cache"), "cold");
    assert_true(number_of(row, "ms_median") > warm);
    json_decref(rows);
}

/* What the child says is the row's reason. */
static void a_child_that_cannot_run_says_why(void **state)
{
    (void)state;
    EXPECT_FAILS(5, "unsupported: exit code 5: ",
                 "export TPP_DEVICE_MEMORY_MB=3; " SMALL "--size 256x256 --scenario cold");
    assert_non_null(strstr(program_err, "3.0 MB"));
    EXPECT_OK(SMALL "--size 32x32 --first-mask");
    assert_string_equal(program_out, "first mask\n");
}

/* ---- nodes ---- */

static void profiles_tell_floors_and_shares(void **state)
{
    (void)state;
    EXPECT_OK(SMALL "--size 32x32 --no-gate --profile");
    assert_non_null(strstr(program_out, " floor ms bound "));
    assert_non_null(strstr(program_out, " % of the FMA peak), "));
    assert_non_null(strstr(program_out, " % of the copy peak), floor "));
    EXPECT_OK(SMALL "--size 32x32 --no-gate --profile --format json"); /* rows stay rows */
    assert_non_null(strstr(program_err, "plan encode"));
    json_decref(read_json(program_out));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_grid_as_json),
        cmocka_unit_test(a_grid_as_lines),
        cmocka_unit_test(a_grid_as_csv),
        cmocka_unit_test(a_grid_as_a_table),
        cmocka_unit_test(every_field_is_documented),
        cmocka_unit_test(rows_go_to_a_file_whole_or_not_at_all),
        cmocka_unit_test(options_are_checked),
        cmocka_unit_test(what_cannot_run_is_a_row),
        cmocka_unit_test(clips_have_no_latency),
        cmocka_unit_test(rows_with_wrong_masks_are_invalid),
        cmocka_unit_test(rows_are_held_against_a_base),
        cmocka_unit_test(cold_starts_processes),
        cmocka_unit_test(a_child_that_cannot_run_says_why),
        cmocka_unit_test(profiles_tell_floors_and_shares),
    };
    return cmocka_run_group_tests(tests, program_setup, scratch_teardown);
}
