/* Processes that share a cohort, one after another or at once, on one device or several; and what a
 * signal stops.
 * SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "cohort.h"

/* ---- ranks ---- */

/* Processes beside each other: the exit code of each is 3 or 0, by whose case is the broken one. */
static void ranks_give_what_one_process_gives(void **state)
{
    (void)state;
    EXPECT_OK(COHORT "--rank 0 --size 2 & " COHORT "--rank 1 --size 2; b=$?; wait $!; "
                     "test $?$b = 30 -o $?$b = 03");
    expect_as_undisturbed();
}

static void slurm_says_which_share(void **state)
{
    (void)state;
    EXPECT_OK("export SLURM_NTASKS=2; SLURM_PROCID=0 '" TPP_PROGRAM
              "' segment -q -m model -p 'a disc' "
              "-i cases -o out & "
              "export SLURM_NTASKS=2; SLURM_PROCID=1 " COHORT "-q; b=$?; wait $!; "
              "test $?$b = 30 -o $?$b = 03");
    expect_as_undisturbed();
    EXPECT_OK("rm -r out; export SLURM_ARRAY_TASK_MIN=1 SLURM_ARRAY_TASK_COUNT=2; for i in 2 1; do "
              "export SLURM_ARRAY_TASK_ID=$i; " COHORT "-q || test $? = 3 || exit 1; done");
    expect_as_undisturbed();
    /* What is said on the command line counts; a job of one task has no shares. */
    expect_code(3,
                "export SLURM_NTASKS=2 SLURM_PROCID=0; " COHORT "-q --overwrite --rank 0 --size 1");
    expect_counts("out/report.json", 9, 1, 0);
    remove_out();
    EXPECT_FAILS(2, "go together", SEGMENT "-i cases -o nothing --rank 1");
    EXPECT_FAILS(2, "ranks are 0 to 1", SEGMENT "-i cases -o nothing --rank 2 --size 2");
}

static void a_lost_rank_is_finished_by_the_same_command(void **state)
{
    (void)state;
    /* v2 is the eighth of ten: rank 1 of 2 has it. */
    EXPECT_OK(COHORT "--continue --rank 0 --size 2");
    expect_counts("out/report.json", 5, 0, 5);
    EXPECT_OK(LIST_RESULTS " > before.txt");
    expect_code(137,
                "TPP_TEST_STOP_AT=50 '" TPP_PROGRAM "' segment -q -m model -p 'a disc' -i cases "
                "-o out --continue --rank 1 --size 2");
    EXPECT_OK("ls -d out/*.tmp.*");
    EXPECT_OK(COHORT "--continue --rank 0 --size 2"); /* has no business with it */
    EXPECT_OK("ls -d out/*.tmp.*");
    expect_code(3, COHORT "--continue --rank 1 --size 2");
    expect_as_undisturbed();
    EXPECT_OK(LIST_RESULTS " | comm -13 - before.txt");
    assert_string_equal(program_out, "");
}

/* ---- devices ---- */

static void devices_share_the_cases(void **state)
{
    (void)state;
    expect_code(3, COHORT "--device 0,0 --progress bar");
    assert_null(strchr(program_err, '\r'));
    expect_as_undisturbed();
    expect_code(3, COHORT "--device all --overwrite");
    expect_as_undisturbed();
    expect_code(3, "export TPP_DEVICE=0,0,0; " COHORT "--overwrite");
    expect_as_undisturbed();
}

static void a_device_that_is_not_there_is_said(void **state)
{
    (void)state;
    EXPECT_FAILS(4, "no device fits \"99\"", SEGMENT "-i cases -o out --device 99");
    EXPECT_FAILS(2, "empty name", SEGMENT "-i cases -o out --device 0,");
    expect_code(4, COHORT "--device 0,99"); /* the other one does its share */
    expect_counts("out/report.json", 5, 0, 5);
    expect_code(3, COHORT "--device 0 --continue");
    expect_as_undisturbed();
}

/* The others must not go on beside the run that continues. */
static void processes_end_with_the_first(void **state)
{
    (void)state;
    const int code =
        program("timeout -s KILL 0.4 '" TPP_PROGRAM "' segment -q -m model -i cases -o out "
                "-p 'a disc' --device 0,0");
    if (code != 137 && code != 3) fail_msg("exit code %d: %s", code, program_err);
    expect_code(3, COHORT "--continue");
    expect_as_undisturbed();
}

/* ---- signals ---- */

#define LONG_CASE "'" TPP_PROGRAM "' segment -q -m model -p 'a disc' -i two -o out "

/* A short case, then one of so many frames that a signal meets it. */
static void write_long_case(void)
{
    write_discs("two/a", 1, 1);
    write_discs("two/b", 80, 1);
}

static void expect_stopped(int code, const char *options, const char *signal_name)
{
    const int got =
        program(LONG_CASE "%s & p=$!; while ! test -e out/a/report.json -a -d out/b.tmp.*; do "
                          "kill -0 $p || break; sleep 0.02; done; kill -%s $p; wait $p",
                options, signal_name);
    if (got != code) fail_msg("%s: exit code %d: %s", signal_name, got, program_err);
    assert_non_null(strstr(program_err, "stopped after"));
    expect_counts("out/report.json", 1, 0, 1);
    EXPECT_OK(NO_LEFTOVERS " && ls out | tr '\\n' ' '");
    assert_string_equal(program_out, "a report.json ");
}

static void a_signal_stops_the_case_in_hand_alone(void **state)
{
    (void)state;
    write_long_case();
    expect_stopped(128 + 2, "-s infer.short=256 -s infer.max=0", "INT");
    EXPECT_OK("rm -r out");
    expect_stopped(128 + 15, "-s infer.short=256 -s infer.max=0", "TERM");
    /* The first process alone gets it. */
    EXPECT_OK("rm -r out");
    expect_stopped(128 + 15, "-s infer.short=256 -s infer.max=0 --device 0,0", "TERM");
    EXPECT_OK(LIST_RESULTS " > before.txt");
    EXPECT_OK(LONG_CASE "--frames 0:1 --continue"); /* other options: both are run again */
    EXPECT_OK(LIST_RESULTS " | comm -12 - before.txt");
    assert_string_equal(program_out, "");
    expect_counts("out/report.json", 2, 0, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(ranks_give_what_one_process_gives, start_clean),
        cmocka_unit_test_setup(slurm_says_which_share, start_clean),
        cmocka_unit_test_setup(a_lost_rank_is_finished_by_the_same_command, start_clean),
        cmocka_unit_test_setup(devices_share_the_cases, start_clean),
        cmocka_unit_test_setup(a_device_that_is_not_there_is_said, start_clean),
        cmocka_unit_test_setup(processes_end_with_the_first, start_clean),
        cmocka_unit_test_setup(a_signal_stops_the_case_in_hand_alone, start_clean),
    };
    return cmocka_run_group_tests(tests, cohort_setup, scratch_teardown);
}
