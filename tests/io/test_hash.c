/* SHA-256 against the vectors of FIPS 180-4.
 * SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "io/hash.h"
#include "scratch.h"

static const char abc[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
static const char nothing[] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
static const char million_a[] = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";

static void bytes_have_the_published_digests(void **state)
{
    (void)state;
    tpp_sha256 h = {{0}};
    ASSERT_OK(tpp_sha256_bytes(&h, "abc", 3));
    assert_string_equal(h.hex, abc);
    ASSERT_OK(tpp_sha256_bytes(&h, NULL, 0));
    assert_string_equal(h.hex, nothing);
}

static void files_are_read_whole(void **state)
{
    (void)state;
    static char a[1000000];
    memset(a, 'a', sizeof a);
    tpp_sha256 h = {{0}};
    ASSERT_OK(tpp_sha256_file(&h, put_file("a", a, sizeof a)));
    assert_string_equal(h.hex, million_a);
    ASSERT_OK(tpp_sha256_file(&h, put_file("empty", a, 0)));
    assert_string_equal(h.hex, nothing);
    ASSERT_OK(tpp_sha256_file(&h, put_file("chunk", a, 1 << 18))); /* exactly one piece */
    tpp_sha256 same = {{0}};
    ASSERT_OK(tpp_sha256_bytes(&same, a, 1 << 18));
    assert_string_equal(h.hex, same.hex);
}

static void failures_leave_the_result_alone(void **state)
{
    (void)state;
    tpp_sha256 h = {"before"};
    ASSERT_FAILS(tpp_sha256_file(&h, scratch("absent")), TPP_EIO, "absent", "cannot open");
    ASSERT_FAILS(tpp_sha256_file(&h, scratch_folder), TPP_EIO, scratch_folder,
                 "not a regular file");
    const char *path = put_file("x", "x", 1);
    tpp_alloc_fail_after(0);
    assert_int_equal(tpp_sha256_file(&h, path), TPP_ENOMEM);
    tpp_alloc_fail_after(-1);
    assert_string_equal(h.hex, "before");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_have_the_published_digests),
        cmocka_unit_test(files_are_read_whole),
        cmocka_unit_test(failures_leave_the_result_alone),
    };
    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
