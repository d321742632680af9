/* Killed before any step that changes the disk, a run over earlier results leaves these whole, the
 * new ones whole, or none that pass for whole; and --continue makes of it what an undisturbed run
 * leaves. SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "stop.h"

static void killed_before_any_step_results_can_be_replaced(void **state)
{
    (void)state;
    assert_true(kill_at_each("old", "--overwrite") > 40);
    remove_out();
}

/* Killed in the middle of replacing results, once more in the middle of continuing. */
static void killed_twice_it_can_be_finished(void **state)
{
    (void)state;
    for (int n = 30; stops_at(n, "old", "--continue"); n += 5) {
        const int code = program("TPP_TEST_STOP_AT=%d '" TPP_PROGRAM "' " SEGMENT "--continue", n);
        if (code != 0 && code != 137) fail_msg("exit code %d: %s", code, program_err);
        EXPECT_OK("tpp " SEGMENT "--continue && diff -r -x mine.txt want out && ! ls -d out.*");
    }
    remove_out();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(killed_before_any_step_results_can_be_replaced, start_clean),
        cmocka_unit_test_setup(killed_twice_it_can_be_finished, start_clean),
    };
    return cmocka_run_group_tests(tests, stop_setup, scratch_teardown);
}
