/* The string map: finding, growing, order, failures.
 * SPDX-License-Identifier: MIT */
#include "core/table.h"
#include "unit.h"

enum { MANY = 5000 };

static void put(tpp_table *t, int i)
{
    char key[16];
    bool is_new = false;
    (void)snprintf(key, sizeof(key), "key%d", i);
    tpp_table_entry *e = tpp_table_put(t, key, &is_new);
    assert_non_null(e);
    assert_true(is_new);
    assert_true(e->value.number == 0);
    e->value.number = i;
}

static void what_was_put_is_found_in_its_order(void **state)
{
    (void)state;
    tpp_table t = {0};
    assert_null(tpp_table_find(&t, "key0"));
    for (int i = 0; i < MANY; i++) put(&t, i);
    assert_int_equal(t.count, MANY);
    for (int i = 0; i < MANY; i++) {
        char key[16];
        (void)snprintf(key, sizeof(key), "key%d", i);
        const tpp_table_entry *e = tpp_table_find(&t, key);
        assert_non_null(e);
        assert_true(e->value.number == i);
        assert_ptr_equal(e, &t.entries[i]);
        assert_string_equal(e->key, key);
    }
    assert_null(tpp_table_find(&t, "key5000"));
    assert_null(tpp_table_find(&t, "key"));
    tpp_table_free(&t);
    assert_int_equal(t.count, 0);
    tpp_table_free(&t);
}

static void a_known_key_gives_its_entry(void **state)
{
    (void)state;
    tpp_table t = {0};
    bool is_new = false;
    put(&t, 3);
    tpp_table_entry *e = tpp_table_put(&t, "key3", &is_new);
    assert_false(is_new);
    assert_true(e->value.number == 3);
    assert_int_equal(t.count, 1);
    assert_non_null(tpp_table_put(&t, "key4", NULL));
    tpp_table_free(&t);
}

static void keys_are_bytes_and_copied(void **state)
{
    (void)state;
    tpp_table t = {0};
    char key[] = "a\0b";
    tpp_table_put_bytes(&t, key, 3, NULL)->value.number = 1;
    tpp_table_put_bytes(&t, key, 1, NULL)->value.number = 2;
    tpp_table_put_bytes(&t, "", 0, NULL)->value.number = 3;
    key[0] = 'z';
    assert_int_equal(t.count, 3);
    assert_true(tpp_table_find_bytes(&t, "a\0b", 3)->value.number == 1);
    assert_true(tpp_table_find(&t, "a")->value.number == 2);
    assert_true(tpp_table_find(&t, "")->value.number == 3);
    assert_null(tpp_table_find_bytes(&t, "a\0c", 3));
    tpp_table_free(&t);
}

/* Whatever allocation fails, the table stays whole and the next attempt succeeds. */
static void failed_allocations_leave_the_table_whole(void **state)
{
    (void)state;
    tpp_table t = {0};
    int failures = 0;
    for (int i = 0; i < 200; i++) {
        char key[16];
        (void)snprintf(key, sizeof(key), "key%d", i);
        for (int n = 0;; n++) {
            bool is_new = true;
            tpp_alloc_fail_after(n);
            tpp_table_entry *e = tpp_table_put(&t, key, &is_new);
            tpp_alloc_fail_after(-1);
            if (e != NULL) {
                assert_true(is_new);
                e->value.number = i;
                break;
            }
            failures++;
            assert_int_equal(t.count, i);
            assert_null(tpp_table_find(&t, key));
            if (i > 0) assert_true(tpp_table_find(&t, "key0")->value.number == 0);
        }
    }
    assert_true(failures > 200); /* the key's copy, and both arrays at each growth */
    for (int i = 0; i < 200; i++) assert_true(t.entries[i].value.number == i);
    assert_true(tpp_table_find(&t, "key199")->value.number == 199);
    tpp_table_free(&t);
}

/* Published test vectors of FNV-1a. */
static void hashes_are_fnv1a(void **state)
{
    (void)state;
    assert_true(tpp_fnv1a64("", 0) == UINT64_C(0xCBF29CE484222325));
    assert_true(tpp_fnv1a64("a", 1) == UINT64_C(0xAF63DC4C8601EC8C));
    assert_true(tpp_fnv1a64("foobar", 6) == UINT64_C(0x85944171F73967E8));
    assert_true(tpp_fnv1a64("\xff\0", 2) != tpp_fnv1a64("\xff", 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_put_is_found_in_its_order),
        cmocka_unit_test(a_known_key_gives_its_entry),
        cmocka_unit_test(keys_are_bytes_and_copied),
        cmocka_unit_test(failed_allocations_leave_the_table_whole),
        cmocka_unit_test(hashes_are_fnv1a),
    };
    return cmocka_run_group_tests_name("core.table", tests, NULL, NULL);
}
