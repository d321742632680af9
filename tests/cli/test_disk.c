/* When results cannot be written, or the input changes under the run, it says so and leaves
 * nothing. SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "pictures.h"
#include "program.h"

#include <jansson.h>

#define SEGMENT "tpp segment -q -m model -p 'a disc' "

/* The program without the right to write wherever it likes, if this is root's test. */
static const char *without_rights(void)
{
    if (geteuid() != 0) return "";
    if (program("setpriv --bounding-set=-all true") != 0) {
        print_message(
            "[  SKIPPED ] root writes everywhere, and setpriv does not take its rights away\n");
        skip();
    }
    return "setpriv --bounding-set=-all ";
}

static void a_folder_that_cannot_be_written_is_said(void **state)
{
    (void)state;
    const char *as = without_rights();
    write_discs("pair", 2, 1);
    EXPECT_OK("mkdir -p closed && chmod 555 closed");
    EXPECT_FAILS(2, "Permission denied",
                 "%s'" TPP_PROGRAM "' segment -q -m model -p 'a disc' -i pair -o closed/out", as);
    EXPECT_OK("! ls closed | grep .");
    EXPECT_FAILS(2, "Permission denied",
                 "%s'" TPP_PROGRAM
                 "' segment -q -m model -p 'a disc' -i pair -i pair/000.png -o closed/out",
                 as);
    /* Its own folder may be written, the one above not: nothing can be renamed into its place. */
    EXPECT_OK("chmod 755 closed && mkdir closed/mine && chmod 555 closed");
    EXPECT_OK("%s'" TPP_PROGRAM "' segment -q -m model -p 'a disc' -i pair -o closed/mine", as);
    EXPECT_OK(SEGMENT "-i pair -o out && diff -r out closed/mine");
    EXPECT_OK("TPP_TEST_STOP_AT=20 %s'" TPP_PROGRAM "' segment -q -m model -p 'a disc' -i pair "
              "-o closed/mine --overwrite || test $? = 137",
              as);
    EXPECT_OK("ls -d closed/mine/staging.tmp.*");
    EXPECT_OK("%s'" TPP_PROGRAM
              "' segment -q -m model -p 'a disc' -i pair -o closed/mine --continue",
              as);
    EXPECT_OK("diff -r out closed/mine && chmod 755 closed && rm -r closed out");
}

/* No file may grow beyond so many blocks of 512 bytes: at the first that does, and at later ones.
 */
static void a_full_disk_is_said(void **state)
{
    (void)state;
    write_ball("ct.nii", 40, 40, 9);
    EXPECT_OK(SEGMENT "-i ct.nii -o out2 --probabilities && find out2 -size +8 | wc -l");
    assert_true(atoi(program_out) >= 2);
    for (int blocks = 1; blocks <= 32; blocks = blocks * 2 + 1)
        EXPECT_FAILS(1, "File too large",
                     "(ulimit -f %d; " SEGMENT "-i ct.nii -o out --probabilities)", blocks);
    EXPECT_FAILS(2, "this is a file", SEGMENT "-i ct.nii -o /dev/full");
    EXPECT_FAILS(1, "not a regular file", SEGMENT "-i ct.nii -o out --dump /dev/full");
    /* Earlier results stay as they were. */
    EXPECT_OK("cp -r out2 out && ! (ulimit -f 9; " SEGMENT
              "-i ct.nii -o out -t 0.1 --overwrite) && "
              "diff -r out out2 && rm -r out out2");
}

static void input_that_changes_is_noticed(void **state)
{
    (void)state;
    static const char *const changes[] = {"cp long/000.png long/059.png", "rm long/059.png",
                                          "mv long/000.png long/001.png"};
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        write_discs("long", 60, 1);
        EXPECT_FAILS(
            1, "changed",
            "'" TPP_PROGRAM "' segment -q -i long -o out -m model -p 'a disc' "
            "-s infer.short=256 -s infer.max=0 & p=$!; "
            "while ! ls -d out.tmp.* >/dev/null 2>&1; do kill -0 $p || break; sleep 0.02; done; "
            "%s; wait $p",
            changes[i]);
    }
    write_ball("deep.nii", 40, 40, 40);
    EXPECT_FAILS(
        1, "changed",
        "'" TPP_PROGRAM "' segment -q -i deep.nii -o out -m model -p 'a disc' "
        "-s infer.short=256 -s infer.max=0 & p=$!; "
        "while ! ls -d out.tmp.* >/dev/null 2>&1; do kill -0 $p || break; sleep 0.02; done; "
        "printf '\\001' | dd of=deep.nii bs=1 seek=400 conv=notrunc; wait $p");
}

/* Every file is there, and says so. */
static void nothing_found_is_a_result(void **state)
{
    (void)state;
    write_ball("ct.nii", 24, 20, 3);
    EXPECT_OK(SEGMENT "-i ct.nii -o out -t 1 && ls out | tr '\\n' ' '");
    assert_string_equal(program_out, "frames.csv labels.ctbl labels.json labels.txt preview.png "
                                     "report.html report.json seg.nii.gz statistics.json ");
    json_t *j = json_load_file(scratch("out/statistics.json"), 0, NULL);
    const json_t *one = json_object_get(json_object_get(j, "labels"), "object");
    assert_non_null(one);
    assert_true(json_is_false(json_object_get(one, "found")));
    json_decref(j);
    EXPECT_OK("zcat out/seg.nii.gz | tail -c +353 | tr -d '\\0' | wc -c && grep -c ',0,0,' "
              "out/frames.csv");
    assert_string_equal(program_out, "0\n3\n");
    remove_out();
    EXPECT_OK("tpp segment -i ct.nii -o out -t 1 -m model -p 'a ball'");
    assert_non_null(strstr(program_out, "object was not found in 3 frames"));
    remove_out();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_folder_that_cannot_be_written_is_said, start_clean),
        cmocka_unit_test_setup(a_full_disk_is_said, start_clean),
        cmocka_unit_test_setup(input_that_changes_is_noticed, start_clean),
        cmocka_unit_test_setup(nothing_found_is_a_result, start_clean),
    };
    return cmocka_run_group_tests(tests, program_setup, scratch_teardown);
}
