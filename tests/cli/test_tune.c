/* `tpp tune` from end to end, and that every command reads its file.
 * SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "infer/tuning_file.h"
#include "infer/tuning_use.h"
#include "pictures.h"
#include "program.h"

#include <jansson.h>

#define TUNE   "TPP_TUNING= tpp tune --size 32x64 --tokens 6 " MICRO_SET " "
#define GOLDEN TPP_SOURCE_DIR "/tests/golden/forward_micro.safetensors"

/* A choice other than the default for the first gemm that `tune` lists, and how a plan shows it. */
static tpp_tuned choice;
static char shown[64];
static tpp_device *device;

static void take_choice(const json_t *shape)
{
    const json_t *c = json_array_get(json_object_get(shape, "candidates"), 1);
    const char *params = json_string_value(json_object_get(c, "parameters"));
    assert_non_null(params);
    choice.op = &tpp_op_gemm;
    choice.algorithm =
        tpp_op_algorithm(choice.op, json_string_value(json_object_get(c, "algorithm")));
    assert_non_null(choice.algorithm);
    (void)snprintf(choice.bucket, sizeof choice.bucket, "%s",
                   json_string_value(json_object_get(shape, "shapes")));
    int used = snprintf(shown, sizeof shown, "%s", choice.algorithm->name);
    for (int i = 0; (params = strchr(params, '=')) != NULL; i++) {
        choice.params.n[i] = (int)strtol(++params, NULL, 10);
        used += snprintf(shown + used, sizeof shown - (size_t)used, "%c%d", i == 0 ? ' ' : ',',
                         choice.params.n[i]);
    }
}

static void write_choice(const char *path)
{
    tpp_tuning *t = NULL;
    ASSERT_OK(tpp_tuning_open(&t));
    ASSERT_OK(tpp_tuning_set(t, &choice));
    ASSERT_OK(tpp_tuning_write(t, path, tpp_device_caps(device)));
    tpp_tuning_close(t);
}

/* Tells as JSON what was measured, and writes nothing. */
static void a_dry_run_lists_shapes_and_candidates(void **state)
{
    (void)state;
    json_error_t error;
    EXPECT_OK(TUNE "--all --dry-run --json --tuning dry.yaml");
    json_t *j = json_loads(program_out, 0, &error);
    if (j == NULL) fail_msg("%s", error.text);
    const json_t *shapes = json_object_get(j, "shapes");
    assert_true(json_array_size(shapes) > 10);
    for (size_t i = 0; i < json_array_size(shapes); i++) {
        const json_t *s = json_array_get(shapes, i);
        assert_true(json_array_size(json_object_get(s, "candidates")) >= 2);
        if (!json_is_null(json_object_get(s, "why")))
            fail_msg("%s", json_string_value(json_object_get(s, "why")));
        assert_true(json_real_value(json_object_get(s, "default_ms")) > 0);
        if (choice.op == NULL && strcmp(json_string_value(json_object_get(s, "op")), "gemm") == 0)
            take_choice(s);
    }
    assert_true(json_is_null(json_object_get(j, "written")));
    assert_false(file_is_there("dry.yaml"));
    json_decref(j);
    assert_non_null(choice.op);
    write_choice(scratch("mine.yaml"));
}

/* Does a line of a product show it? */
static bool product_shows(void)
{
    for (const char *at = program_out; (at = strstr(at, " gemm")) != NULL; at++) {
        const char *found = strstr(at, shown), *end = strchr(at, '\n');
        if (found != NULL && (end == NULL || found < end)) return true;
    }
    return false;
}

static void expect_shown(bool is_shown)
{
    if (product_shows() != is_shown)
        fail_msg("%s\n\"%s\" is %s", program_out, shown, is_shown ? "missing" : "there");
}

#define PLAN "tpp plan --size 32x64 --tokens 6 " MICRO_SET " "

static void a_plan_shows_what_was_tuned(void **state)
{
    (void)state;
    EXPECT_OK("TPP_TUNING=mine.yaml " PLAN "--tuning none");
    expect_shown(false);
    EXPECT_OK("TPP_TUNING=none " PLAN "--tuning mine.yaml");
    expect_shown(true);
    EXPECT_OK("TPP_TUNING=mine.yaml " PLAN);
    expect_shown(true);
    EXPECT_OK("mkdir -p home empty && TPP_TUNING=empty " PLAN);
    expect_shown(false);
    assert_int_equal(setenv("XDG_CONFIG_HOME", scratch("home"), 1), 0);
    assert_int_equal(unsetenv("TPP_TUNING"), 0);
    char *place = tpp_tuning_place(NULL, tpp_device_caps(device));
    write_choice(place);
    EXPECT_OK(PLAN);
    expect_shown(true);
    EXPECT_OK("mkdir -p tree/configs && mv home/tpp/tuning tree/configs && TPP_HOME=tree " PLAN);
    expect_shown(true);
    EXPECT_OK("TPP_TUNING=tree/configs/tuning " PLAN);
    expect_shown(true);
    tpp_free(place);
}

static void every_command_reads_the_file(void **state)
{
    (void)state;
    write_discs("new", 1, 1);
    EXPECT_OK(
        "tpp bench --size 32x64 --tokens 6 --frames 3 --profile --tuning mine.yaml " MICRO_SET);
    expect_shown(true);
    EXPECT_OK("tpp segment -m model -p 'a disc' -i new -o out --tuning mine.yaml");
    assert_non_null(strstr(program_err, "1 choices, "));
    assert_non_null(strstr(program_err, " from mine.yaml"));
    EXPECT_OK("grep -q '\"tuning\": \"1 choices, ' out/report.json");
    remove_out();
    EXPECT_OK("TPP_LOG=info tpp selftest --tuning mine.yaml --golden '" GOLDEN "'");
    assert_non_null(strstr(program_err, " from mine.yaml"));
}

/* A child of `tpp bench` that was not told would take the file of the environment. */
static void rows_of_a_bench_name_the_file(void **state)
{
    (void)state;
#define ROWS                                                                          \
    "TPP_TUNING=nowhere.yaml tpp bench --size 32x64 --tokens 6 --frames 3 --no-gate " \
    "--scenario offline,cold --format jsonl " MICRO_SET " --tuning "
    EXPECT_OK(ROWS "mine.yaml > rows && [ $(grep -c '\"tuning\": *\"mine.yaml\"' rows) = 2 ]");
    EXPECT_OK(ROWS "none > rows && [ $(grep -c '\"tuning\": *\"\"' rows) = 2 ]");
}

#define FOR_EACH(X, file)                                              \
    X(PLAN "--tuning " file)                                           \
    X("tpp bench --size 32x64 " MICRO_SET " --tuning " file)           \
    X("tpp selftest --golden --tuning " file " '" GOLDEN "'")          \
    X("tpp segment -m model -p 'a disc' -i new -o out --tuning " file) \
    X(TUNE "--tuning " file)                                           \
    X("TPP_TUNING=" file " " PLAN)

static void a_file_that_was_asked_for_must_be_one(void **state)
{
    (void)state;
    put_file("bad.yaml", "format: tpp-tuning-1\nrows: 7\n", 29);
#define REFUSES_BAD(command) EXPECT_FAILS(2, "bad.yaml:2: rows: ", command);
    FOR_EACH(REFUSES_BAD, "bad.yaml")
    EXPECT_FAILS(2, "nowhere.yaml", PLAN "--tuning nowhere.yaml");
    EXPECT_FAILS(2, "nowhere.yaml", "TPP_TUNING=nowhere.yaml " PLAN);
}

/* Neither a file of another driver nor one of the user's that is damaged stops a run. */
static void what_does_not_fit_is_passed_over(void **state)
{
    (void)state;
    EXPECT_OK("sed 's/^driver: .*/driver: \"of old\"/' mine.yaml > old.yaml");
    EXPECT_OK(PLAN "--tuning old.yaml");
    expect_shown(false);
    assert_non_null(strstr(program_err, "old.yaml is passed over: it is for driver \"of old\""));
    assert_int_equal(setenv("XDG_CONFIG_HOME", scratch("home"), 1), 0);
    EXPECT_OK("mkdir -p home/tpp && cp -r tree/configs/tuning home/tpp && for f in "
              "home/tpp/tuning/*; do echo 'rows: {' >> $f; done; TPP_TUNING= " PLAN);
    expect_shown(false);
    assert_non_null(strstr(program_err, "passed over"));
    assert_null(strstr(strstr(program_err, "passed over") + 1, "passed over"));
    EXPECT_OK("sed 's/{rows: [0-9]*/{rows: 0/' mine.yaml > zero.yaml && " PLAN
              "--tuning zero.yaml"); /* not offered: the default */
    expect_shown(false);
}

/* Other shapes stay in a file, and a file that was written is used. */
static void a_run_adds_to_the_file(void **state)
{
    (void)state;
    EXPECT_OK("cp mine.yaml kept.yaml && tpp tune --size 64x32 --tokens 5 --quiet --tuning "
              "kept.yaml " MICRO_SET);
    assert_non_null(strstr(program_out, " shapes tuned, "));
    tpp_tuning *t = NULL;
    ASSERT_OK(tpp_tuning_read(&t, scratch("kept.yaml"), tpp_device_caps(device)));
    if (strstr(program_out, "written: kept.yaml") != NULL) {
        assert_non_null(tpp_tuning_at(t, 0));
        EXPECT_OK("tpp bench --size 64x32 --tokens 5 --frames 3 --tuning kept.yaml " MICRO_SET);
    } else {
        assert_non_null(strstr(program_out, "nothing was written"));
        EXPECT_OK("cmp mine.yaml kept.yaml");
    }
    tpp_tuning_close(t);
    EXPECT_OK("! ls | grep -q '[.]tmp[.]'");
}

/* What the user has and is damaged is no reason not to tune; a file that was named is. */
static void the_users_own_file_is_made_again(void **state)
{
    (void)state;
    char *place = tpp_tuning_place(NULL, tpp_device_caps(device));
    EXPECT_OK("echo 'rows: {' > '%s' && " TUNE "--quiet --budget 0.001", place);
    assert_non_null(strstr(program_err, "passed over"));
    assert_non_null(strstr(program_out, " left out for want of time"));
    tpp_free(place);
}

static void an_interrupt_leaves_no_file_and_no_process(void **state)
{
    (void)state;
    EXPECT_OK(
        "TPP_TUNING= '" TPP_PROGRAM "' tune --all --size 32x64 --tuning cut.yaml " MICRO_SET
        " & p=$!; n=0; c=; while [ -z \"$c\" ] && [ $n -lt 300 ]; do sleep 0.1; "
        "n=$((n + 1)); c=$(ps -o pid= --ppid $p); done; [ -n \"$c\" ] && kill -TERM $p && "
        "! wait $p && sleep 0.5 && ! ps -o stat= -p $c | grep -qv Z && ! ls cut.yaml* 2>/dev/null");
}

static int setup(void **state)
{
    if (tpp_device_open(&device, getenv("TPP_DEVICE")) != TPP_OK) return -1;
    return program_setup(state);
}

static int teardown(void **state)
{
    tpp_device_close(device);
    return scratch_teardown(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_dry_run_lists_shapes_and_candidates),
        cmocka_unit_test(a_plan_shows_what_was_tuned),
        cmocka_unit_test(every_command_reads_the_file),
        cmocka_unit_test(rows_of_a_bench_name_the_file),
        cmocka_unit_test(a_file_that_was_asked_for_must_be_one),
        cmocka_unit_test(what_does_not_fit_is_passed_over),
        cmocka_unit_test(a_run_adds_to_the_file),
        cmocka_unit_test(the_users_own_file_is_made_again),
        cmocka_unit_test(an_interrupt_leaves_no_file_and_no_process),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
