/* A report for strangers names nobody, and keeps what is not a name.
 * SPDX-License-Identifier: MIT */
#include "infer/doctor.h"
#include "unit.h"

static void expect(const char *text, const char *want, const char *home, const char *user)
{
    json_t *j = json_pack("{s:[{s:s}]}", "deep", "text", text);
    UNIT_OK(tpp_doctor_scrub(j, home, user));
    const json_t *in = json_array_get(json_object_get(j, "deep"), 0);
    assert_string_equal(json_string_value(json_object_get(in, "text")), want);
    json_decref(j);
}

static void paths_in_the_home_are_left_out(void **state)
{
    (void)state;
    expect("/home/jane/patients/smith.cl: cannot be read", "(home): cannot be read", "/home/jane",
           NULL);
    expect("a \"/home/jane\" and /home/jane/x, b", "a \"(home)\" and (home), b", "/home/jane/",
           NULL);
    expect("/home/janet/x", "/home/janet/x", "/home/jane", NULL);
    expect("/home/x", "/home/x", "/", NULL);
    expect("/home/x", "/home/x", "", NULL);
}

static void users_are_left_out_as_whole_words(void **state)
{
    (void)state;
    expect("/data/jane/a by jane", "/data/(user)/a by (user)", "/home/jane", "jane");
    expect("janet, mary-jane and jane_2", "janet, mary-jane and jane_2", NULL, "jane");
    expect("nobody", "nobody", NULL, "");
}

static void other_values_stay(void **state)
{
    (void)state;
    json_t *j = json_pack("{s:i, s:n, s:f}", "a", 3, "b", "c", 0.5);
    json_t *copy = json_deep_copy(j);
    UNIT_OK(tpp_doctor_scrub(j, "/home/jane", "jane"));
    assert_true(json_equal(j, copy));
    json_decref(copy);
    json_decref(j);
}

static void first_uses_find_nothing_here(void **state)
{
    tpp_device *d = *state;
    UNIT_OK(tpp_doctor_first_uses(d));
    assert_string_equal(tpp_device_given_up(d), "");
    assert_true(tpp_device_count(d).launches > 0);
    const uint64_t launches = tpp_device_count(d).launches;
    UNIT_OK(tpp_doctor_first_uses(d)); /* known by now */
    assert_int_equal(tpp_device_count(d).launches, launches);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_in_the_home_are_left_out),
        cmocka_unit_test(users_are_left_out_as_whole_words),
        cmocka_unit_test(other_values_stay),
        cmocka_unit_test(first_uses_find_nothing_here),
    };
    return cmocka_run_group_tests(tests, unit_open_device, unit_close_device);
}
