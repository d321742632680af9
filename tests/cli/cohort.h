/* A cohort of ten small cases, one of them broken, and what an undisturbed run leaves of it.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_TESTS_CLI_COHORT_H
#define TPP_TESTS_CLI_COHORT_H

#include "pictures.h"
#include "program.h"

#include <jansson.h>

#define SEGMENT "tpp segment -m model -p 'a disc' "
#define COHORT  SEGMENT "-i cases -o out "

/* Nothing of a killed or stopped run is left anywhere. */
#define NO_LEFTOVERS "! find . -name '*.tmp.*' -o -name '*.old' -o -name '*.new' | grep ."

/* Every result file with inode and time: what was not run again is not touched. */
#define LIST_RESULTS "find out -mindepth 2 -type f -printf '%%i %%T@ %%p\\n' | sort"

/* Pictures p0 to p4, volumes v0 to v4 of the same size; v2 has a header and too few voxels. */
static inline void write_cases(void)
{
    char name[32];
    for (int i = 0; i < 5; i++) {
        (void)snprintf(name, sizeof name, "cases/p%d", i);
        write_discs(name, 2, 1);
        (void)snprintf(name, sizeof name, "cases/p%d/001.png", i);
        write_disc(name, 40, 30, 1, 2 + i);
        (void)snprintf(name, sizeof name, "cases/v%d.nii", i);
        write_ball(name, 40, 30, 2 + i % 2);
    }
    EXPECT_OK("mv cases/v2.nii whole.nii && head -c 400 whole.nii > cases/v2.nii");
}

/* For cmocka_run_group_tests: model, cases, and in "want" what a run leaves. */
static inline int cohort_setup(void **state)
{
    if (program_setup_in_memory(state) != 0) return -1;
    write_cases();
    return program(SEGMENT "-q -i cases -o want") == 3 ? 0 : -1;
}

static inline json_t *read_json(const char *name)
{
    json_error_t error;
    json_t *j = json_load_file(scratch(name), JSON_REJECT_DUPLICATES, &error);
    if (j == NULL) fail_msg("%s: %s", name, error.text);
    return j;
}

static inline void expect_counts(const char *report, int done, int failed, int missing)
{
    json_t *j = read_json(report);
    const int got[] = {(int)json_integer_value(json_object_get(j, "done")),
                       (int)json_integer_value(json_object_get(j, "failed")),
                       (int)json_integer_value(json_object_get(j, "missing"))};
    assert_int_equal(json_array_size(json_object_get(j, "cases")), done + failed + missing);
    json_decref(j);
    if (got[0] != done || got[1] != failed || got[2] != missing)
        fail_msg("%s: %d done, %d failed, %d missing", report, got[0], got[1], got[2]);
}

static inline void expect_code(int wanted, const char *command)
{
    const int code = shell(command);
    if (code != wanted) fail_msg("wanted exit code %d, got %d: %s", wanted, code, program_err);
}

static inline void expect_as_undisturbed(void)
{
    EXPECT_OK("diff -r want out && " NO_LEFTOVERS);
}

#endif
