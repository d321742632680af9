/* tpp doctor: what it tells of a good device, of one that is wrong, of one that is too small; and
 * its file.
 * SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "planted_kernels.h"
#include "program.h"

#include <jansson.h>

#define DOCTOR "tpp doctor --size 32x64 " MICRO_SET

static json_t *read_report(void)
{
    json_error_t error;
    json_t *j = json_load_file(scratch("report.json"), 0, &error);
    if (j == NULL) fail_msg("report.json: %s", error.text);
    return j;
}

static const json_t *at(const json_t *j, const char *section, const char *key)
{
    const json_t *v = json_object_get(json_object_get(j, section), key);
    if (v == NULL) fail_msg("report.json has no %s.%s", section, key);
    return v;
}

static const json_t *family(const json_t *report, const char *name)
{
    size_t i;
    json_t *f;
    json_array_foreach(json_object_get(report, "families"), i,
                       f) if (strcmp(json_string_value(json_object_get(f, "name")), name) ==
                              0) return f;
    fail_msg("no family %s", name);
    return NULL;
}

static int count_cached(const json_t *report)
{
    size_t i;
    int n = 0;
    json_t *p;
    json_array_foreach(json_object_get(report, "programs"), i, p)
    {
        assert_non_null(json_string_value(json_object_get(p, "file")));
        assert_true(json_number_value(json_object_get(p, "ms")) > 0);
        n += json_is_true(json_object_get(p, "cached"));
    }
    return n;
}

static void a_good_device(void **state)
{
    (void)state;
    EXPECT_OK("export TPP_CACHE_DIR=$PWD/kernels; " DOCTOR " -o report.json");
    static const char *const lines[] = {"work-groups up to ",
                                        "sub-groups ",
                                        "tuning: none; `tpp tune",
                                        "peaks: FMA ",
                                        "programs: ",
                                        "at the FMA peak it would take ",
                                        "switched off at first use: nothing",
                                        "selftest plain: ",
                                        "selftest tile: ",
                                        "\nnothing found\n"};
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        if (strstr(program_out, lines[i]) == NULL) fail_msg("no \"%s\": %s", lines[i], program_out);
    json_t *r = read_report();
    assert_true(json_is_object(at(r, "device", "features")));
    assert_true(json_integer_value(at(r, "device", "work_group_limit")) > 0);
    assert_true(json_number_value(at(r, "peaks", "gflops")) > 0);
    assert_true(json_number_value(at(r, "frame", "ms_median")) > 0);
    /* The frame's operations at the peak that the same row tells. */
    const double want = 1e3 * json_number_value(at(r, "frame", "gflop_frame")) /
                        json_number_value(at(r, "frame", "peak_gflops"));
    const double got = json_number_value(at(r, "frame", "expected_ms"));
    assert_true(got > 0.999 * want && got < 1.001 * want);
    assert_true(json_integer_value(json_object_get(family(r, "plain"), "passed")) > 50);
    assert_true(json_integer_value(json_object_get(family(r, "tile"), "half_storage")) > 0);
    assert_int_equal(json_integer_value(json_object_get(r, "findings")), 0);
    assert_int_equal(json_array_size(json_object_get(r, "failed")), 0);
    assert_int_equal(count_cached(r), 0);
    const size_t n = json_array_size(json_object_get(r, "programs"));
    assert_true(n > 5);
    json_decref(r);
    EXPECT_OK("export TPP_CACHE_DIR=$PWD/kernels; " DOCTOR " -o report.json; rm -r kernels");
    r = read_report();
    const bool keeps =
        json_is_false(json_object_get(at(r, "device", "quirks"), "no_program_cache"));
    assert_int_equal(count_cached(r), keeps ? json_array_size(json_object_get(r, "programs")) : 0);
    json_decref(r);
}

static void a_device_that_compiles_wrongly(void **state)
{
    (void)state;
    char folder[600];
    (void)snprintf(folder, sizeof folder, "%s", scratch("planted"));
    EXPECT_OK("mkdir planted");
    planted_make(folder, &planted_thousandth);
    assert_int_equal(program("TPP_KERNEL_DIR=planted " DOCTOR " -o report.json"), 1);
    assert_non_null(strstr(program_out, "switched off: tile: wrong results (tile gemm "));
    assert_non_null(strstr(program_out, "FAILED gemm/"));
    assert_non_null(strstr(program_out, "FAILED conv2d/"));
    assert_non_null(strstr(program_out, " findings\n"));
    json_t *r = read_report();
    assert_int_equal(json_array_size(json_object_get(r, "switched_off")), 1);
    assert_true(json_integer_value(json_object_get(family(r, "tile"), "failed")) > 0);
    assert_true(json_array_size(json_object_get(family(r, "tile"), "failures")) > 0);
    assert_int_equal(json_integer_value(json_object_get(family(r, "plain"), "failed")), 0);
    json_decref(r);
    EXPECT_OK("rm -r planted");
}

static void what_cannot_run_is_told_and_the_rest_goes_on(void **state)
{
    (void)state;
    assert_int_equal(program("TPP_LIMITS=alloc=100000 " DOCTOR " -o report.json"), 1);
    assert_non_null(strstr(program_out, "lowered by TPP_LIMITS=alloc=100000"));
    assert_non_null(strstr(program_out, "frame: FAILED: "));
    assert_non_null(strstr(program_out, "0.1 MB"));
    assert_non_null(strstr(program_out, "selftest plain: "));
    json_t *r = read_report();
    const json_t *failed = json_array_get(json_object_get(r, "failed"), 0);
    assert_string_equal(json_string_value(json_object_get(failed, "section")), "frame");
    assert_string_equal(json_string_value(at(r, "lowered", "TPP_LIMITS")), "alloc=100000");
    json_decref(r);
    EXPECT_FAILS(4, "no device fits", "tpp doctor --device nowhere -o out");
    EXPECT_FAILS(2, "TPP_LIMITS", "TPP_LIMITS=much tpp doctor -o out");
}

/* Messages hold paths: here of kernels that are not there, in the home of a user. */
static void the_file_names_nobody(void **state)
{
    (void)state;
    assert_int_equal(program("mkdir -p jane_home; export HOME=$PWD/jane_home USER=jane; "
                             "TPP_KERNEL_DIR=$HOME/secret " DOCTOR " -o report.json"),
                     1);
    assert_non_null(strstr(program_out, "jane_home/secret"));
    EXPECT_OK("grep -q '(home)' report.json");
    EXPECT_OK("! grep -q -e jane -e secret -e \"$PWD\" report.json");
}

static void a_file_that_cannot_be_written(void **state)
{
    (void)state;
    EXPECT_FAILS(1, "out/no/report.json", DOCTOR " -o out/no/report.json");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_device),
        cmocka_unit_test(a_device_that_compiles_wrongly),
        cmocka_unit_test(what_cannot_run_is_told_and_the_rest_goes_on),
        cmocka_unit_test(the_file_names_nobody),
        cmocka_unit_test(a_file_that_cannot_be_written),
    };
    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
