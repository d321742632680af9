/* Progress by a clock of the test's own: what is shown when, and how long it says it will take.
 * SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "../io/scratch.h"
#include "cli/progress.h"

#include <jansson.h>

static double now; /* seconds */
static char text[1 << 14];

static double read_now(void)
{
    return now;
}

static tpp_progress begin(tpp_progress_kind kind, int64_t cases)
{
    tpp_progress p = {0};
    FILE *f = fopen(scratch("log"), "wb");
    assert_non_null(f);
    now = 100;
    tpp_progress_start(&p, kind, f, cases, read_now);
    return p;
}

/* `text` is what was shown. */
static void end(tpp_progress *p)
{
    assert_int_equal(fclose(p->to), 0);
    FILE *f = fopen(scratch("log"), "rb");
    assert_non_null(f);
    text[fread(text, 1, sizeof text - 1, f)] = '\0';
    (void)fclose(f);
}

static void kinds_are_chosen_by_name_and_terminal(void **state)
{
    (void)state;
    assert_int_equal(tpp_progress_choose(NULL, false, true), TPP_PROGRESS_BAR);
    assert_int_equal(tpp_progress_choose("auto", false, true), TPP_PROGRESS_BAR);
    assert_int_equal(tpp_progress_choose("auto", false, false), TPP_PROGRESS_NONE);
    assert_int_equal(tpp_progress_choose("auto", true, true), TPP_PROGRESS_NONE);
    assert_int_equal(tpp_progress_choose("plain", true, false), TPP_PROGRESS_PLAIN);
    assert_int_equal(tpp_progress_choose("json", false, false), TPP_PROGRESS_JSON);
    assert_int_equal(tpp_progress_choose("none", false, true), TPP_PROGRESS_NONE);
    assert_string_equal(tpp_progress_word(4), "none");
    assert_null(tpp_progress_word(5));
}

static void none_shows_nothing_but_messages(void **state)
{
    (void)state;
    tpp_progress p = begin(TPP_PROGRESS_NONE, 1);
    tpp_progress_case(&p, "a");
    tpp_progress_frame(&p, 1, 1);
    tpp_progress_message(&p, TPP_LOG_WARN, "m", "odd");
    tpp_progress_message(&p, TPP_LOG_DEBUG, "m", "deep");
    tpp_progress_case_end(&p, NULL);
    end(&p);
    assert_string_equal(text, "tpp: warning: odd\ntpp: debug: m: deep\n");
}

static void plain_lines_come_every_ten_seconds_and_at_the_end(void **state)
{
    (void)state;
    tpp_progress p = begin(TPP_PROGRESS_PLAIN, 1);
    tpp_progress_case(&p, "a");
    for (int i = 1; i <= 40; i++) {
        now += 1;
        tpp_progress_frame(&p, i, 40);
    }
    tpp_progress_case_end(&p, NULL);
    end(&p);
    assert_string_equal(text, "tpp: frame 10 of 40, 0:30 left\ntpp: frame 20 of 40, 0:20 left\n"
                              "tpp: frame 30 of 40, 0:10 left\ntpp: frame 40 of 40, 0:00 left\n");
}

static void time_left_counts_the_cases_that_follow(void **state)
{
    (void)state;
    tpp_progress p = begin(TPP_PROGRESS_PLAIN, 4);
    tpp_progress_case(&p, "one");
    now += 3600;
    tpp_progress_frame(&p, 2, 2);
    tpp_progress_case_end(&p, NULL);
    tpp_progress_case(&p, "two");
    now += 1800;
    tpp_progress_frame(&p, 1, 2);
    end(&p);
    assert_string_equal(text, "tpp: case 1 of 4 (one)\n"
                              "tpp: case 1 of 4 (one), frame 2 of 2, 3:00:00 left\n"
                              "tpp: case 2 of 4 (two)\n"
                              "tpp: case 2 of 4 (two), frame 1 of 2, 2:30:00 left\n");
}

static void a_bar_is_drawn_over_itself_and_ended_before_messages(void **state)
{
    (void)state;
    tpp_progress p = begin(TPP_PROGRESS_BAR, 2);
    tpp_progress_case(&p, "one");
    tpp_progress_frame(&p, 1, 2);
    now += 0.01; /* too soon to be drawn again */
    tpp_progress_frame(&p, 1, 2);
    tpp_progress_message(&p, TPP_LOG_WARN, "m", "odd");
    now += 1;
    tpp_progress_frame(&p, 2, 2);
    tpp_progress_case_end(&p, "broken");
    end(&p);
    const char *second = strchr(text + 1, '\r');
    assert_int_equal(text[0], '\r');
    assert_non_null(second);
    assert_null(strchr(second + 1, '\r'));
    assert_non_null(strstr(text, "[###############               ] case 1/2, frame 1/2"));
    assert_non_null(strstr(text, "\ntpp: warning: odd\n\r["));
    assert_int_equal(text[strlen(text) - 1], '\n');
}

/* Line i of the JSON form; the caller releases it. */
static json_t *line(int i)
{
    const char *at = text;
    json_error_t error;
    for (; i > 0; i--) at = strchr(at, '\n') + 1;
    json_t *j = json_loadb(at, strcspn(at, "\n"), 0, &error);
    if (j == NULL) fail_msg("%s: %s", error.text, at);
    return j;
}

static void expect_text(const json_t *j, const char *key, const char *value)
{
    assert_string_equal(json_string_value(json_object_get(j, key)), value);
}

static void json_is_one_object_a_line(void **state)
{
    (void)state;
    tpp_progress p = begin(TPP_PROGRESS_JSON, 1);
    tpp_progress_case(&p, "b\"\xFF");
    now += 2;
    tpp_progress_frame(&p, 1, 4);
    tpp_progress_message(&p, TPP_LOG_WARN, "m", "odd");
    tpp_progress_case_end(&p, "broken");
    end(&p);
    json_t *first = line(0), *frame = line(1), *message = line(2), *last = line(3);
    expect_text(first, "event", "case");
    expect_text(first, "case", "b\"?");
    expect_text(frame, "event", "frame");
    assert_int_equal(json_integer_value(json_object_get(frame, "done")), 1);
    assert_int_equal(json_integer_value(json_object_get(frame, "total")), 4);
    assert_true(json_real_value(json_object_get(frame, "seconds_left")) == 6);
    expect_text(message, "level", "warning");
    expect_text(message, "text", "odd");
    expect_text(last, "event", "end");
    expect_text(last, "error", "broken");
    assert_true(json_is_false(json_object_get(last, "ok")));
    json_decref(first);
    json_decref(frame);
    json_decref(message);
    json_decref(last);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kinds_are_chosen_by_name_and_terminal),
        cmocka_unit_test(none_shows_nothing_but_messages),
        cmocka_unit_test(plain_lines_come_every_ten_seconds_and_at_the_end),
        cmocka_unit_test(time_left_counts_the_cases_that_follow),
        cmocka_unit_test(a_bar_is_drawn_over_itself_and_ended_before_messages),
        cmocka_unit_test(json_is_one_object_a_line),
    };
    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
