/* Runs that are killed before each step that changes the disk, in turn.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_TESTS_CLI_STOP_H
#define TPP_TESTS_CLI_STOP_H

#include "pictures.h"
#include "program.h"

#define SEGMENT "segment -q -m model -p 'a disc' -i new -o out "

/* In "want" what a run leaves; in "old" those of another, of two objects. */
static inline int stop_setup(void **state)
{
    if (program_setup_in_memory(state) != 0) return -1;
    write_discs("new", 1, 1);
    put_file("two.yaml", "disc: a bright disc\nrim: its rim\n", 33);
    EXPECT_OK("tpp " SEGMENT "&& mv out want");
    EXPECT_OK("tpp segment -q -m model -P two.yaml -i new -o old");
    return 0;
}

/* The run with `option`, over `earlier` results if there are any, killed before its n-th step;
 * false when it has fewer. */
static inline bool stops_at(int n, const char *earlier, const char *option)
{
    const int code =
        program("rm -rf out; %s%s%s TPP_TEST_STOP_AT=%d '" TPP_PROGRAM "' " SEGMENT "%s",
                earlier[0] != '\0' ? "cp -r " : "", earlier,
                earlier[0] != '\0' ? " out; touch out/mine.txt;" : "", n, option);
    if (code != 0 && code != 137) fail_msg("step %d: exit code %d: %s", n, code, program_err);
    return code == 137;
}

static inline void expect_whole_or_none(int n, const char *earlier)
{
    if (program("! test -e out/report.json || diff -r -x mine.txt want out%s%s%s",
                earlier[0] != '\0' ? " || diff -r -x mine.txt " : "", earlier,
                earlier[0] != '\0' ? " out" : "") != 0)
        fail_msg("killed before step %d the results are neither: %s", n, program_out);
}

/* Killed before every step there is; returns how many there were. */
static inline int kill_at_each(const char *earlier, const char *option)
{
    int n = 1;
    for (; stops_at(n, earlier, option); n++) {
        expect_whole_or_none(n, earlier);
        if (program("tpp " SEGMENT "--continue && diff -r -x mine.txt want out && ! ls -d out.*") !=
            0)
            fail_msg("killed before step %d and continued: %s%s", n, program_out, program_err);
        if (earlier[0] != '\0') assert_true(file_is_there("out/mine.txt"));
    }
    EXPECT_OK("diff -r -x mine.txt want out && ! ls -d out.*");
    print_message("%d steps over \"%s\"\n", n - 1, earlier);
    return n - 1;
}

#endif
