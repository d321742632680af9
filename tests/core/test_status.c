/* Failures carry a message; a thread sees its own.
 * SPDX-License-Identifier: MIT */
#include "core/log.h"
#include "unit.h"

#include <pthread.h>

static void every_status_has_a_text_of_its_own(void **state)
{
    (void)state;
    for (int i = 0; i < TPP_STATUS_COUNT; i++) {
        const char *text = tpp_status_text((tpp_status)i);
        assert_true(text[0] != '\0');
        for (int j = 0; j < i; j++) assert_string_not_equal(text, tpp_status_text((tpp_status)j));
    }
    assert_string_equal(tpp_status_text(TPP_STATUS_COUNT), "unknown status");
    assert_string_equal(tpp_status_text((tpp_status)-1), "unknown status");
}

static void a_failure_returns_its_status_and_keeps_its_message(void **state)
{
    (void)state;
    assert_int_equal(TPP_FAIL(TPP_EIO, "%s: %d bytes", "a.png", 7), TPP_EIO);
    assert_string_equal(tpp_error(), "a.png: 7 bytes");
}

static void a_message_may_quote_the_one_before(void **state)
{
    (void)state;
    (void)TPP_FAIL(TPP_EIO, "inner");
    (void)TPP_FAIL(TPP_EFORMAT, "outer: %s", tpp_error());
    assert_string_equal(tpp_error(), "outer: inner");
}

static void a_long_message_is_cut(void **state)
{
    (void)state;
    char text[5000];
    memset(text, 'x', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    (void)TPP_FAIL(TPP_EIO, "%s", text);
    assert_true(strlen(tpp_error()) >= 1000 && strlen(tpp_error()) < sizeof(text) - 1);
    assert_memory_equal(tpp_error(), text, strlen(tpp_error()));
}

static void *fail_elsewhere(void *said)
{
    const bool clean = tpp_error()[0] == '\0';
    (void)TPP_FAIL(TPP_EIO, "of the other thread");
    *(bool *)said = clean && strcmp(tpp_error(), "of the other thread") == 0;
    return NULL;
}

static void messages_belong_to_threads(void **state)
{
    (void)state;
    pthread_t thread;
    bool said = false;
    (void)TPP_FAIL(TPP_EIO, "of this thread");
    assert_int_equal(pthread_create(&thread, NULL, fail_elsewhere, &said), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_true(said);
    assert_string_equal(tpp_error(), "of this thread");
}

static tpp_status try_to(tpp_status s, int *reached)
{
    TPP_TRY(s);
    *reached = 1;
    return TPP_OK;
}

static tpp_status try_and_release(tpp_status s, int *released)
{
    tpp_status status = TPP_OK;
    TPP_TRY_OR(done, status, s);
    *released = -1;
done:
    *released += 2;
    return status;
}

static void try_passes_failures_on(void **state)
{
    (void)state;
    int reached = 0, released = 0;
    assert_int_equal(try_to(TPP_ESHAPE, &reached), TPP_ESHAPE);
    assert_int_equal(reached, 0);
    assert_int_equal(try_to(TPP_OK, &reached), TPP_OK);
    assert_int_equal(reached, 1);
    assert_int_equal(try_and_release(TPP_EIO, &released), TPP_EIO);
    assert_int_equal(released, 2);
    assert_int_equal(try_and_release(TPP_OK, &released), TPP_OK);
    assert_int_equal(released, 1);
}

typedef struct heard {
    int lines;
    tpp_log_level level;
    char text[256];
} heard;

static void hear(void *context, tpp_log_level level, const char *module, const char *text)
{
    heard *h = context;
    h->lines++;
    h->level = level;
    (void)snprintf(h->text, sizeof(h->text), "%s: %s", module, text);
}

static void logs_go_to_the_sink_down_to_their_level(void **state)
{
    (void)state;
    heard h = {0};
    tpp_log_set(TPP_LOG_INFO, hear, &h);
    tpp_log(TPP_LOG_DEBUG, "test", "too fine");
    assert_int_equal(h.lines, 0);
    tpp_log(TPP_LOG_INFO, "test", "%d heard", 1);
    tpp_log_set(TPP_LOG_WARN, NULL, NULL);
    assert_int_equal(h.lines, 1);
    assert_int_equal(h.level, TPP_LOG_INFO);
    assert_string_equal(h.text, "test: 1 heard");
}

static void failures_say_where_in_debug_logs_only(void **state)
{
    (void)state;
    heard h = {0};
    tpp_log_set(TPP_LOG_DEBUG, hear, &h);
    (void)TPP_FAIL(TPP_EIO, "lost");
    tpp_log_set(TPP_LOG_WARN, NULL, NULL);
    assert_int_equal(h.lines, 1);
    assert_non_null(strstr(h.text, "test_status.c:"));
    assert_string_equal(tpp_error(), "lost");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_status_has_a_text_of_its_own),
        cmocka_unit_test(a_failure_returns_its_status_and_keeps_its_message),
        cmocka_unit_test(a_message_may_quote_the_one_before),
        cmocka_unit_test(a_long_message_is_cut),
        cmocka_unit_test(messages_belong_to_threads),
        cmocka_unit_test(try_passes_failures_on),
        cmocka_unit_test(logs_go_to_the_sink_down_to_their_level),
        cmocka_unit_test(failures_say_where_in_debug_logs_only),
    };
    return cmocka_run_group_tests_name("core.status", tests, NULL, NULL);
}
