/* Many cases in one run: failures are noted and the others go on; what is done is not run again,
 * what was killed is finished, with the same bytes as without any disturbance.
 * SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "cohort.h"
#include "core/clock.h"

#include <time.h>

/* ---- failures ---- */

static void a_broken_case_does_not_stop_the_others(void **state)
{
    (void)state;
    expect_code(3, COHORT);
    assert_non_null(strstr(program_err, "v2.nii"));
    assert_non_null(strstr(program_out, "out: 9 of 10 cases done, 1 failed\n"));
    expect_as_undisturbed();
    EXPECT_OK("ls out | tr '\\n' ' '");
    assert_string_equal(program_out, "p0 p1 p2 p3 p4 report.json v0 v1 v2.failed.json v3 v4 ");
    expect_counts("out/report.json", 9, 1, 0);
    json_t *j = read_json("out/v2.failed.json");
    assert_string_equal(json_string_value(json_object_get(j, "case")), "v2");
    assert_string_equal(json_string_value(json_object_get(j, "input")), "cases/v2.nii");
    assert_non_null(strstr(json_string_value(json_object_get(j, "error")), "v2.nii: "));
    json_decref(j);
}

/* A cohort of one ends as that one did. */
static void a_single_case_has_its_own_exit_code(void **state)
{
    (void)state;
    EXPECT_OK("mkdir -p one && head -c 400 whole.nii > one/a.nii");
    expect_code(2, SEGMENT "-i one -o out");
    expect_counts("out/report.json", 0, 1, 0);
    assert_true(file_is_there("out/a.failed.json"));
    EXPECT_OK("cp whole.nii one/a.nii && " SEGMENT "-i one -o out --continue");
    expect_counts("out/report.json", 1, 0, 0);
    assert_false(file_is_there("out/a.failed.json"));
    expect_code(3, SEGMENT "-i nowhere.nii -i cases/v2.nii -o out2");
    expect_counts("out2/report.json", 0, 2, 0);
}

/* ---- results that are there ---- */

static void what_is_done_is_not_run_again(void **state)
{
    (void)state;
    EXPECT_OK("cp -a want out && " LIST_RESULTS " > before.txt");
    expect_code(3, COHORT "--continue");
    EXPECT_OK(LIST_RESULTS " | cmp before.txt -");
    expect_as_undisturbed();
    EXPECT_OK("mv cases/v2.nii broken.nii && cp whole.nii cases/v2.nii && " COHORT "--continue");
    EXPECT_OK("mv broken.nii cases/v2.nii && " LIST_RESULTS
              " | grep -v out/v2/ | cmp before.txt -");
    expect_counts("out/report.json", 10, 0, 0);
    assert_false(file_is_there("out/v2.failed.json"));
    assert_true(file_is_there("out/v2/seg.nii.gz"));
}

static void results_are_not_replaced_unasked(void **state)
{
    (void)state;
    EXPECT_OK("cp -a want out && " LIST_RESULTS " > before.txt");
    expect_code(2, COHORT);
    assert_non_null(strstr(program_err, "--continue"));
    expect_code(2, COHORT "--device 0,0");
    expect_code(2, COHORT "--rank 1 --size 2");
    EXPECT_OK("rm out/report.json out/v2.failed.json"); /* folders alone */
    expect_code(2, COHORT);
    EXPECT_OK(LIST_RESULTS " | cmp before.txt -");
    expect_code(3, COHORT "--overwrite");
    EXPECT_OK(LIST_RESULTS " | comm -12 - before.txt"); /* none is the same */
    assert_string_equal(program_out, "");
    expect_as_undisturbed();
    EXPECT_OK("rm -r out && echo text > out");
    expect_code(2, COHORT "--continue");
    EXPECT_OK("rm out");
}

#define TWO SEGMENT "-i two.csv -o out "

/* `change` makes --continue run `lines` of the two cases again; then nothing more. */
static void expect_again(int lines, const char *change, const char *options)
{
    EXPECT_OK("%s; " TWO "%s --continue | grep -c ^out/ || true", change, options);
    if (atoi(program_out) != lines)
        fail_msg("%s %s: %s of 2 cases were run again", change, options, program_out);
    EXPECT_OK(TWO "%s --continue | grep -c ^out/ || true", options);
    if (atoi(program_out) != 0) fail_msg("%s %s: run twice", change, options);
}

static void what_would_be_others_now_is_run_again(void **state)
{
    (void)state;
    EXPECT_OK("mkdir -p mine && cp -r cases/p0 cases/v0.nii mine && "
              "printf 'case,input\\nx,mine/p0\\ny,mine/v0.nii\\n' > two.csv && cp -r model other "
              "&& " TWO);
    expect_again(0, "true", "");
    expect_again(1, "printf '\\001' | dd of=mine/v0.nii bs=1 seek=400 conv=notrunc", "");
    expect_again(1, "cp mine/p0/000.png mine/p0/001.png", "");
    expect_again(1, "cp mine/p0/000.png mine/p0/002.png", "");
    expect_again(2, "true", "-p 'it is round'");
    expect_again(2, "true", "");
    expect_again(2, "true", "-t 0.3");
    expect_again(2, "true", "--frames 1:2");
    expect_again(2, "true", "-s infer.min_score=0.1");
    expect_again(2, "true", "");
    expect_again(1, "truncate -s -1 out/x/preview.png", "");
    expect_again(1, "rm out/x/masks/001.png", "");
    expect_again(1, "echo > out/y/report.json", "");
    expect_again(1, "rm -r out/y/report.json && mkdir out/y/report.json && rmdir out/y/report.json",
                 "");
    expect_again(1, "rm -r out/x", "");
    expect_again(0, "true", "--ahead 2");
    EXPECT_OK("tpp weights synth -q -o model --overwrite --seed 4 --vocab '" TPP_SOURCE_DIR
              "/weights/vocab' " MICRO_SET);
    expect_again(2, "true", "");
    EXPECT_OK("rm -r model && mv other model");
    expect_again(2, "true", "");
    EXPECT_OK(NO_LEFTOVERS " && rm -r mine two.csv");
}

/* ---- killed ---- */

static double random_share(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005U + 1442695040888963407U;
    return (double)(*seed >> 40) / (double)(1 << 24);
}

static void killed_at_any_moment_it_can_be_finished(void **state)
{
    (void)state;
    const char *given = getenv("TPP_TEST_SEED");
    uint64_t seed = given != NULL ? strtoull(given, NULL, 10) : (uint64_t)time(NULL);
    print_message("TPP_TEST_SEED=%llu\n", (unsigned long long)seed);
    const double begin = tpp_clock_seconds();
    expect_code(3, SEGMENT "-q -i cases -o out2");
    const double whole = tpp_clock_seconds() - begin;
    for (int i = 0; i < 2; i++) {
        const int code =
            program("timeout -s KILL %.3f '" TPP_PROGRAM "' segment -q -m model -i cases "
                    "-p 'a disc' -o out --continue",
                    0.05 + whole * random_share(&seed));
        if (code != 137 && code != 3) fail_msg("exit code %d: %s", code, program_err);
    }
    expect_code(3, COHORT "--continue");
    expect_as_undisturbed();
}

/* ---- where cases come from ---- */

static void expect_cases(const char *input, const char *names)
{
    EXPECT_OK(SEGMENT "-q %s -o out && ls -d out/*/ | cut -d/ -f2 | tr '\\n' ' ' && rm -r out",
              input);
    if (strcmp(program_out, names) != 0) fail_msg("%s: %s", input, program_out);
}

static void cases_come_from_lists_patterns_and_folders(void **state)
{
    (void)state;
    EXPECT_OK("mkdir -p from/a from/b && cp cases/v0.nii from/a/scan.nii && "
              "cp cases/v1.nii from/b/scan.nii && cp -r cases/p0 from/b/frames && "
              "printf 'input,case,age\\na/scan.nii,first,1\\nb/frames,,2\\n' > from/list.csv");
    expect_cases("-i from/list.csv", "first frames ");
    expect_cases("-i 'from/*/scan.nii'", "a_scan b_scan ");
    expect_cases("-i from/b", "frames scan ");
    expect_cases("-i from/a/scan.nii -i from/b/", "a_scan b_scan frames ");
    EXPECT_FAILS(2, "given twice", SEGMENT "-i from/a/scan.nii -i 'from/a/*' -o out");
    EXPECT_FAILS(2, "given twice", SEGMENT "-i from/a/scan.nii -i ./from//a/scan.nii -o out");
    EXPECT_FAILS(2, "two cases are called first",
                 "echo b/scan.nii,first,3 >> from/list.csv;" SEGMENT "-i from/list.csv -o out");
    EXPECT_FAILS(2, "nothing fits", SEGMENT "-i 'from/*.nii' -o out");
    EXPECT_FAILS(2, "report.json",
                 "printf 'input,case\\na/scan.nii,report.json\\n' > from/l.csv;" SEGMENT
                 "-i from/l.csv -o out");
    EXPECT_OK("rm -r from");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_broken_case_does_not_stop_the_others, start_clean),
        cmocka_unit_test_setup(a_single_case_has_its_own_exit_code, start_clean),
        cmocka_unit_test_setup(what_is_done_is_not_run_again, start_clean),
        cmocka_unit_test_setup(results_are_not_replaced_unasked, start_clean),
        cmocka_unit_test_setup(what_would_be_others_now_is_run_again, start_clean),
        cmocka_unit_test_setup(killed_at_any_moment_it_can_be_finished, start_clean),
        cmocka_unit_test_setup(cases_come_from_lists_patterns_and_folders, start_clean),
    };
    return cmocka_run_group_tests(tests, cohort_setup, scratch_teardown);
}
