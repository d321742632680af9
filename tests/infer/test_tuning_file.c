/* Tuning files: what is written is read again, what is another device's is passed over with one
 * warning, what is no such file is refused with its line, and a kill leaves no half of one.
 * SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "../io/scratch.h"
#include "core/log.h"
#include "infer/tuning_file.h"
#include "infer/tuning_use.h"

#include <sys/wait.h>

/* ---- the log ---- */

static char warning[1024]; /* the last one */
static int warnings;

static void keep_warning(void *context, tpp_log_level level, const char *module, const char *text)
{
    (void)context;
    (void)module;
    if (level != TPP_LOG_WARN) return;
    warnings++;
    (void)snprintf(warning, sizeof warning, "%s", text);
}

static int start_listening(void **state)
{
    tpp_log_set(TPP_LOG_WARN, keep_warning, NULL);
    return scratch_setup(state);
}

static void expect_one_warning(const char *fact)
{
    if (warnings != 1 || strstr(warning, fact) == NULL || strstr(warning, "tpp tune") == NULL)
        fail_msg("wanted one warning with \"%s\", got %d: %s", fact, warnings, warning);
    warnings = 0;
}

/* ---- tables ---- */

static const tpp_caps caps = {.name = "A device (R) of \"ours\"",
                              .platform = "Some Platform",
                              .driver = "1.2\\3",
                              .is_cpu = true,
                              .compute_units = 4,
                              .vector_width = 16};

static tpp_tuned row_of(const char *op, const char *algorithm, const char *bucket, int n)
{
    tpp_tuned row = {.op = tpp_op_find(op), .ms = 1.25, .default_ms = 1.5};
    row.algorithm = tpp_op_algorithm(row.op, algorithm);
    for (int i = 0; i < TPP_MAX_PARAMS && row.algorithm->param[i] != NULL; i++)
        row.params.n[i] = n + i;
    (void)snprintf(row.bucket, sizeof row.bucket, "%s", bucket);
    return row;
}

static tpp_tuning *make_table(int first)
{
    const tpp_tuned rows[] = {row_of("gemm", "vector", "64x8 8x8 64x8", first),
                              row_of("gemm", "clblast", "32x8 8x8 32x8", 0),
                              row_of("layernorm", "plain", "64x8 1x8 64x8", 0)};
    tpp_tuning *t = NULL;
    ASSERT_OK(tpp_tuning_open(&t));
    for (int i = 0; i < 3; i++) ASSERT_OK(tpp_tuning_set(t, &rows[i]));
    return t;
}

static void assert_same(const tpp_tuning *a, const tpp_tuning *b)
{
    int i = 0;
    for (; tpp_tuning_at(a, i) != NULL; i++) {
        const tpp_tuned *x = tpp_tuning_at(a, i), *y = tpp_tuning_at(b, i);
        assert_non_null(y);
        assert_ptr_equal(x->op, y->op);
        assert_ptr_equal(x->algorithm, y->algorithm);
        assert_string_equal(x->bucket, y->bucket);
        assert_memory_equal(&x->params, &y->params, sizeof x->params);
        assert_true(x->ms == y->ms && x->default_ms == y->default_ms);
    }
    assert_null(tpp_tuning_at(b, i));
}

static void what_is_written_is_read_again(void **state)
{
    (void)state;
    tpp_tuning *t = make_table(7), *back = NULL;
    const char *path = scratch("deep/er/a.yaml");
    ASSERT_OK(tpp_tuning_write(t, path, &caps));
    ASSERT_OK(tpp_tuning_read(&back, path, &caps));
    assert_same(t, back);
    assert_int_equal(warnings, 0);
    assert_string_equal(
        tpp_params_text(tpp_tuning_at(t, 0)->algorithm, &tpp_tuning_at(t, 0)->params),
        "rows=7 strips=8 block=9");
    assert_false(tpp_tuning_replays(back));
    tpp_tuning_close(back);
    tpp_tuning_set_replays(t, true);
    tpp_tuning_drop(t, &tpp_op_gemm, "64x8 8x8 64x8");
    tpp_tuning_drop(t, &tpp_op_gemm, "no such");
    ASSERT_OK(tpp_tuning_write(t, path, &caps));
    ASSERT_OK(tpp_tuning_read(&back, path, &caps));
    assert_same(t, back);
    assert_true(tpp_tuning_replays(back));
    assert_null(tpp_tuning_at(back, 2));
    tpp_tuning_close(back);
    tpp_tuning_close(t);
}

static void an_empty_table_is_a_file_too(void **state)
{
    (void)state;
    tpp_tuning *t = NULL, *back = NULL;
    ASSERT_OK(tpp_tuning_open(&t));
    ASSERT_OK(tpp_tuning_write(t, scratch("empty.yaml"), &caps));
    ASSERT_OK(tpp_tuning_read(&back, scratch("empty.yaml"), &caps));
    assert_same(t, back);
    tpp_tuning_close(back);
    tpp_tuning_close(t);
}

static void another_devices_file_is_passed_over_with_one_warning(void **state)
{
    (void)state;
    tpp_tuning *t = make_table(1), *back = t;
    tpp_caps other[4] = {caps, caps, caps, caps};
    static const char *const facts[] = {"device \"A dev", "driver", "compute_units \"4\"",
                                        "platform"};
    other[0].name[0] = 'a';
    (void)strcpy(other[1].driver, "2");
    other[2].compute_units = 8;
    (void)strcpy(other[3].platform, "Another");
    ASSERT_OK(tpp_tuning_write(t, scratch("mine.yaml"), &caps));
    for (int i = 0; i < 4; i++) {
        back = t;
        ASSERT_OK(tpp_tuning_read(&back, scratch("mine.yaml"), &other[i]));
        assert_null(back);
        expect_one_warning(facts[i]);
    }
    tpp_tuning_close(t);
}

/* ---- files by hand ---- */

/* The head that fits, but for `engine` if it is given, and then `rows`. */
static const char *put_rows(const char *engine, const char *rows)
{
    char text[4096];
    const int n = snprintf(text, sizeof text,
                           "format: tpp-tuning-1\ndevice: A device (R) of ?ours?\nplatform: Some "
                           "Platform\ndriver: \"1.2?3\"\ncompute_units: 4\nengine: %s\nrows:\n%s",
                           engine != NULL ? engine : tpp_engine_text(), rows);
    return put_file("hand.yaml", text, (size_t)n);
}

static void another_builds_file_is_passed_over(void **state)
{
    (void)state;
    tpp_tuning *t = NULL;
    ASSERT_OK(tpp_tuning_read(&t, put_rows("0.0.1-00000000", ""), &caps));
    assert_null(t);
    expect_one_warning("engine \"0.0.1-00000000\"");
}

#define ROW(n, op, algorithm, more) \
    "  " n ": {op: " op ", shapes: 1x1 1x1 1x" n ", algorithm: " algorithm more "}\n"

static void rows_of_what_there_is_not_are_left_out_with_one_warning(void **state)
{
    (void)state;
    tpp_tuning *t = NULL;
    ASSERT_OK(tpp_tuning_read(
        &t,
        put_rows(NULL,
                 ROW("1", "gemm", "plain", "") ROW("2", "gemv", "plain", "")
                     ROW("3", "gemm", "magic", "") ROW("4", "gemm", "vector",
                                                       ", parameters: {rows: 8, strips: 8}")
                         ROW("5", "gemm", "vector", ", parameters: {rows: 8, strips: 8, size: 256}")
                             ROW("6", "gemm", "vector",
                                 ", parameters: {rows: 8, strips: -1, block: 256}")
                                 ROW("7", "gemm", "plain", ", parameters: {rows: 8}")
                                     ROW("8", "layernorm", "vector", "")),
        &caps));
    expect_one_warning("6 of 8 rows are left out, first line 9: no op is called gemv");
    assert_string_equal(tpp_tuning_at(t, 0)->bucket, "1x1 1x1 1x1");
    assert_string_equal(tpp_tuning_at(t, 1)->op->name, "layernorm");
    assert_null(tpp_tuning_at(t, 2));
    tpp_tuning_close(t);
}

static void what_is_no_tuning_file_is_refused_with_its_line(void **state)
{
    (void)state;
    static const struct {
        const char *rows, *fact;
    } bad[] = {
        {"  1: {op: gemm, shapes: a}\n", "hand.yaml:8: a row has op, shapes and algorithm"},
        {"  1: {op: gemm, shapes: a, algorithm: plain, ms: fast}\n", "hand.yaml:8: rows.1.ms"},
        {"  1: {op: gemm, shapes: a, algorithm: plain, ms: nan}\n", "a time in milliseconds"},
        {"  1: {op: [gemm], shapes: a, algorithm: plain}\n", "a single value"},
        {"  1: {op: gemm, shapes: a, algorithm: plain, colour: red}\n",
         "hand.yaml:8: rows.1.colour"},
        {"  1: gemm\n", "hand.yaml:8: rows.1: a mapping"},
        {"  1: {op: gemm\n", "not YAML"},
        {"more: 1\n", "hand.yaml:8: more: format, device"},
    };
    tpp_tuning *t = NULL;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        ASSERT_FAILS(tpp_tuning_read(&t, put_rows(NULL, bad[i].rows), &caps), TPP_EFORMAT,
                     "hand.yaml", bad[i].fact);
    ASSERT_FAILS(tpp_tuning_read(&t, put_file("hand.yaml", "rows:\n", 6), &caps), TPP_EFORMAT,
                 "hand.yaml", "no key format");
    assert_null(t);
    assert_int_equal(warnings, 0);
}

static void too_many_rows_are_refused(void **state)
{
    (void)state;
    tpp_tuning *t = NULL;
    FILE *f = fopen(scratch("many.yaml"), "w");
    assert_non_null(f);
    (void)fprintf(f, "rows:\n");
    for (int i = 0; i <= TPP_TUNING_MAX_ROWS; i++)
        (void)fprintf(f, "  %d: {op: copy, shapes: s%d, algorithm: plain}\n", i, i);
    assert_int_equal(fclose(f), 0);
    ASSERT_FAILS(tpp_tuning_read(&t, scratch("many.yaml"), &caps), TPP_EFORMAT, "many.yaml:258",
                 "more than 256 rows");
}

/* Each allocation fails in turn. */
static void memory_may_end_anywhere(void **state)
{
    (void)state;
    tpp_tuning *t = make_table(1), *got = NULL;
    const char *path = scratch("memory.yaml");
    tpp_status s = TPP_ENOMEM;
    for (int n = 0; s != TPP_OK; n++) {
        assert_true(n < 1000);
        tpp_alloc_fail_after(n);
        s = tpp_tuning_write(t, path, &caps);
        tpp_alloc_fail_after(-1);
        assert_true(s == TPP_OK || s == TPP_ENOMEM);
        assert_true(tpp_path_exists(path) == (s == TPP_OK));
    }
    for (int n = 0; got == NULL; n++) {
        assert_true(n < 1000);
        tpp_alloc_fail_after(n);
        s = tpp_tuning_read(&got, path, &caps);
        tpp_alloc_fail_after(-1);
        assert_true(got != NULL ? s == TPP_OK : s == TPP_ENOMEM);
    }
    assert_same(t, got);
    tpp_tuning_close(got);
    tpp_tuning_close(t);
}

/* ---- kills ---- */

/* Killed before its n-th step on the disk; false: it had fewer. */
static bool is_killed_at(int n, const tpp_tuning *t, const char *path)
{
    int status = 0;
    const pid_t child = fork();
    if (child == 0) {
        char number[16];
        (void)snprintf(number, sizeof number, "%d", n);
        (void)setenv("TPP_TEST_STOP_AT", number, 1);
        _exit(tpp_tuning_write(t, path, &caps) == TPP_OK ? 0 : 1);
    }
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFSIGNALED(status)) return true;
    assert_int_equal(WEXITSTATUS(status), 0);
    return false;
}

static void a_kill_leaves_the_old_file_or_the_new_one(void **state)
{
    (void)state;
    tpp_tuning *before = make_table(1), *after = make_table(50), *got = NULL;
    const char *path = scratch("kept.yaml");
    int n = 1;
    for (; n < 20; n++) {
        ASSERT_OK(tpp_tuning_write(before, path, &caps));
        const bool killed = is_killed_at(n, after, path);
        ASSERT_OK(tpp_tuning_read(&got, path, &caps));
        const int rows = tpp_tuning_at(got, 0)->params.n[0];
        assert_same(rows == 1 ? before : after, got);
        tpp_tuning_close(got);
        if (!killed) break;
    }
    assert_true(n >= 4 && n < 20);
    tpp_tuning_close(before);
    tpp_tuning_close(after);
}

/* ---- places ---- */

static void expect_place(const char *spec, const char *wanted)
{
    char *place = tpp_tuning_place(spec, &caps);
    assert_non_null(place);
    assert_string_equal(place, wanted);
    tpp_free(place);
}

static void places_of_the_file(void **state)
{
    (void)state;
    char wanted[256];
    static const char name[] = "a-device-r-of-ours-some-platform.yaml";
    (void)unsetenv("TPP_TUNING");
    (void)unsetenv("XDG_CONFIG_HOME");
    (void)setenv("HOME", "/home/somebody", 1);
    (void)snprintf(wanted, sizeof wanted, "/home/somebody/.config/tpp/tuning/%s", name);
    expect_place(NULL, wanted);
    expect_place("none", wanted);
    (void)setenv("XDG_CONFIG_HOME", "/etc/mine", 1);
    (void)snprintf(wanted, sizeof wanted, "/etc/mine/tpp/tuning/%s", name);
    expect_place(NULL, wanted);
    expect_place("a/file.yaml", "a/file.yaml");
    (void)snprintf(wanted, sizeof wanted, "%s/%s", scratch_folder, name);
    expect_place(scratch_folder, wanted);
    (void)setenv("TPP_TUNING", "other.yaml", 1);
    expect_place(NULL, "other.yaml");
    (void)unsetenv("TPP_TUNING");
    (void)unsetenv("XDG_CONFIG_HOME");
    (void)unsetenv("HOME");
    assert_null(tpp_tuning_place(NULL, &caps));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read_again),
        cmocka_unit_test(an_empty_table_is_a_file_too),
        cmocka_unit_test(another_devices_file_is_passed_over_with_one_warning),
        cmocka_unit_test(another_builds_file_is_passed_over),
        cmocka_unit_test(rows_of_what_there_is_not_are_left_out_with_one_warning),
        cmocka_unit_test(what_is_no_tuning_file_is_refused_with_its_line),
        cmocka_unit_test(too_many_rows_are_refused),
        cmocka_unit_test(memory_may_end_anywhere),
        cmocka_unit_test(a_kill_leaves_the_old_file_or_the_new_one),
        cmocka_unit_test(places_of_the_file),
    };
    return cmocka_run_group_tests(tests, start_listening, scratch_teardown);
}
