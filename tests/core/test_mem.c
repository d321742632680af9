/* Sizes that would overflow, the counter, and the injected failure.
 * SPDX-License-Identifier: MIT */
#include "unit.h"

static void products_that_overflow_are_refused(void **state)
{
    (void)state;
    size_t n = 77;
    assert_true(tpp_mul_size(SIZE_MAX, 1, &n));
    assert_true(n == SIZE_MAX);
    assert_true(tpp_mul_size(SIZE_MAX / 3, 3, &n));
    assert_true(n == SIZE_MAX / 3 * 3);
    assert_true(tpp_mul_size(0, SIZE_MAX, &n));
    assert_true(n == 0);
    assert_true(tpp_mul_size(SIZE_MAX, 0, &n));
    assert_true(n == 0);
    n = 77;
    assert_false(tpp_mul_size(SIZE_MAX / 2 + 1, 2, &n));
    assert_false(tpp_mul_size(2, SIZE_MAX / 2 + 1, &n));
    assert_false(tpp_mul_size(SIZE_MAX, SIZE_MAX, &n));
    assert_true(n == 77);
}

static void memory_is_zeroed_and_none_at_all_can_be_freed(void **state)
{
    (void)state;
    unsigned char *p = tpp_calloc(100, 3);
    assert_non_null(p);
    for (int i = 0; i < 300; i++) assert_int_equal(p[i], 0);
    tpp_free(p);
    p = tpp_calloc(0, 8);
    assert_non_null(p);
    tpp_free(p);
    tpp_free(NULL);
}

static void what_cannot_be_had_is_said(void **state)
{
    (void)state;
    assert_null(tpp_calloc(SIZE_MAX / 2, 3));
    assert_non_null(strstr(tpp_error(), "3 bytes"));
    assert_null(tpp_calloc(SIZE_MAX, 1)); /* more than any object may have */
    char *p = tpp_strdup("kept");
    assert_null(tpp_realloc(p, SIZE_MAX / 2, 3));
    assert_string_equal(p, "kept");
    tpp_free(p);
}

static void realloc_keeps_what_was_there(void **state)
{
    (void)state;
    int *p = tpp_realloc(NULL, 2, sizeof(*p));
    assert_non_null(p);
    p[0] = 5;
    p[1] = 7;
    int *q = tpp_realloc(p, 1000, sizeof(*p));
    assert_non_null(q);
    assert_int_equal(q[0], 5);
    assert_int_equal(q[1], 7);
    tpp_free(q);
}

static void copies_of_text_end_where_they_should(void **state)
{
    (void)state;
    char *a = tpp_strndup("prompt", 3), *b = tpp_strdup(""), *c = tpp_strndup("x", 0);
    assert_string_equal(a, "pro");
    assert_string_equal(b, "");
    assert_string_equal(c, "");
    tpp_free(a);
    tpp_free(b);
    tpp_free(c);
}

static void every_allocation_is_counted(void **state)
{
    (void)state;
    const uint64_t before = tpp_alloc_count();
    void *a = tpp_calloc(1, 1), *b = tpp_strdup("b");
    a = tpp_realloc(a, 10, 1);
    assert_true(tpp_alloc_count() == before + 3);
    tpp_free(a);
    tpp_free(b);
    assert_true(tpp_alloc_count() == before + 3);
}

static void the_nth_allocation_fails_once(void **state)
{
    (void)state;
    tpp_alloc_fail_after(2);
    void *p[4] = {tpp_calloc(1, 1), tpp_strdup("x"), tpp_calloc(1, 1), tpp_calloc(1, 1)};
    tpp_alloc_fail_after(-1);
    assert_non_null(p[0]);
    assert_non_null(p[1]);
    assert_null(p[2]);
    assert_non_null(p[3]);
    for (int i = 0; i < 4; i++) tpp_free(p[i]);
    char *kept = tpp_strdup("kept");
    tpp_alloc_fail_after(0);
    assert_null(tpp_realloc(kept, 100, 1));
    tpp_alloc_fail_after(-1);
    assert_string_equal(kept, "kept");
    tpp_free(kept);
}

static tpp_status make_array(double **out, int64_t count)
{
    double *p = NULL;
    TPP_NEW(p, count);
    *out = p;
    return TPP_OK;
}

static void new_returns_the_failure(void **state)
{
    (void)state;
    double *p = NULL;
    tpp_alloc_fail_after(0);
    assert_int_equal(make_array(&p, 3), TPP_ENOMEM);
    tpp_alloc_fail_after(-1);
    assert_null(p);
    assert_int_equal(make_array(&p, -1), TPP_ENOMEM); /* a negative count is a huge one */
    assert_int_equal(make_array(&p, 3), TPP_OK);
    assert_true(p[2] == 0.0);
    tpp_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(products_that_overflow_are_refused),
        cmocka_unit_test(memory_is_zeroed_and_none_at_all_can_be_freed),
        cmocka_unit_test(what_cannot_be_had_is_said),
        cmocka_unit_test(realloc_keeps_what_was_there),
        cmocka_unit_test(copies_of_text_end_where_they_should),
        cmocka_unit_test(every_allocation_is_counted),
        cmocka_unit_test(the_nth_allocation_fails_once),
        cmocka_unit_test(new_returns_the_failure),
    };
    return cmocka_run_group_tests_name("core.mem", tests, NULL, NULL);
}
