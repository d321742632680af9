/* Killed before any step that changes the disk, a run leaves no results or all; and --continue
 * makes of it what an undisturbed run leaves. SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "stop.h"

static void killed_before_any_step_a_case_can_be_finished(void **state)
{
    (void)state;
    assert_true(kill_at_each("", "") > 20);
    remove_out();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(killed_before_any_step_a_case_can_be_finished, start_clean),
    };
    return cmocka_run_group_tests(tests, stop_setup, scratch_teardown);
}
