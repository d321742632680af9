/* Reading what may be gzip, and writing it.
 * SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "io/gzip.h"
#include "scratch.h"

enum { SIZE = 300000 };
static uint8_t sample[SIZE];

static int setup(void **state)
{
    uint64_t seed = 7;
    for (size_t i = 0; i < SIZE; i++) sample[i] = (uint8_t)(next_random(&seed) & 15);
    return scratch_setup(state);
}

static const char *deflated(const char *name, size_t *size)
{
    const char *path = scratch(name);
    tpp_out_file f = {0};
    tpp_gzip_out g = {0};
    ASSERT_OK(tpp_out_open(&f, path));
    ASSERT_OK(tpp_gzip_begin(&g, f.stream, path));
    ASSERT_OK(tpp_gzip_write(&g, sample, 1));
    ASSERT_OK(tpp_gzip_write(&g, sample + 1, SIZE - 1));
    ASSERT_OK(tpp_gzip_finish(&g));
    ASSERT_OK(tpp_out_commit(&f));
    tpp_free(get_file(path, size));
    return path;
}

/* Reads everything in pieces of 64 KiB and one byte past the end. */
static tpp_status read_all(uint8_t *out, size_t limit, size_t *got, const char *path)
{
    tpp_gzip *g = NULL;
    TPP_TRY(tpp_gzip_open(&g, path));
    tpp_status s = TPP_OK;
    *got = 0;
    for (size_t n = 1; s == TPP_OK && n > 0; *got += n) {
        const size_t want = limit - *got < 65536 ? limit - *got : 65536;
        n = 0;
        s = tpp_gzip_read(g, out + *got, want, &n);
    }
    tpp_gzip_close(g);
    return s;
}

static void what_was_written_comes_back(void **state)
{
    (void)state;
    static uint8_t out[SIZE + 10];
    size_t size = 0, got = 0;
    const char *path = deflated("a.gz", &size);
    assert_true(size < SIZE);
    ASSERT_OK(read_all(out, sizeof out, &got, path));
    assert_int_equal(got, SIZE);
    assert_memory_equal(out, sample, SIZE);
    ASSERT_OK(read_all(out, sizeof out, &got, put_file("plain", sample, SIZE)));
    assert_int_equal(got, SIZE);
    assert_memory_equal(out, sample, SIZE);
}

static void members_follow_one_another(void **state)
{
    (void)state;
    static uint8_t out[2 * SIZE + 10];
    size_t size = 0, got = 0;
    uint8_t *one = get_file(deflated("one.gz", &size), &size);
    uint8_t *two = tpp_calloc(size * 2 + 5, 1);
    memcpy(two, one, size);
    memcpy(two + size, one, size);
    memcpy(two + 2 * size, "junk!", 5); /* no member: not looked at */
    ASSERT_OK(read_all(out, sizeof out, &got, put_file("two.gz", two, 2 * size + 5)));
    assert_int_equal(got, 2 * SIZE);
    assert_memory_equal(out + SIZE, sample, SIZE);
    tpp_free(one);
    tpp_free(two);
}

static void damage_is_seen(void **state)
{
    (void)state;
    static uint8_t out[SIZE + 10];
    size_t size = 0, got = 0;
    uint8_t *bytes = get_file(deflated("whole.gz", &size), &size);
    for (size_t cut = 2; cut < size; cut += cut < 24 ? 1 : size / 7) {
        const char *path = put_file("cut.gz", bytes, cut);
        ASSERT_FAILS(read_all(out, sizeof out, &got, path), TPP_EFORMAT, path, "cut off");
    }
    bytes[size - 6] ^= 1; /* its checksum */
    const char *path = put_file("sum.gz", bytes, size);
    ASSERT_FAILS(read_all(out, sizeof out, &got, path), TPP_EFORMAT, path, "damaged");
    bytes[size - 6] ^= 1;
    bytes[size / 2] ^= 0x10;
    path = put_file("middle.gz", bytes, size);
    ASSERT_FAILS(read_all(out, sizeof out, &got, path), TPP_EFORMAT, path, "damaged");
    tpp_free(bytes);
}

static void bounds_hold_for_the_best_ratio(void **state)
{
    (void)state;
    enum { ZEROS = 4 << 20 };
    tpp_out_file f = {0};
    tpp_gzip_out g = {0};
    uint8_t *zeros = tpp_calloc(ZEROS, 1);
    const char *path = scratch("zeros.gz");
    ASSERT_OK(tpp_out_open(&f, path));
    ASSERT_OK(tpp_gzip_begin(&g, f.stream, path));
    ASSERT_OK(tpp_gzip_write(&g, zeros, ZEROS));
    ASSERT_OK(tpp_gzip_finish(&g));
    ASSERT_OK(tpp_out_commit(&f));
    tpp_gzip *in = NULL;
    ASSERT_OK(tpp_gzip_open(&in, path));
    assert_false(tpp_gzip_is_plain(in));
    assert_true(tpp_gzip_bound(in) >= ZEROS);
    assert_true(tpp_gzip_bound(in) < 2 * ZEROS); /* so it does refuse a lie of a factor two */
    tpp_gzip_close(in);
    tpp_free(zeros);
}

static void only_regular_files_are_opened(void **state)
{
    (void)state;
    tpp_gzip *g = NULL;
    ASSERT_FAILS(tpp_gzip_open(&g, scratch("absent")), TPP_EIO, "absent", "cannot open");
    ASSERT_FAILS(tpp_gzip_open(&g, scratch_folder), TPP_EIO, scratch_folder, "regular");
    ASSERT_FAILS(tpp_gzip_open(&g, "/dev/zero"), TPP_EIO, "zero", "regular");
    assert_null(g);
}

static void a_full_disk_is_reported(void **state)
{
    (void)state;
    FILE *full = fopen("/dev/full", "wb");
    if (full == NULL) skip();
    tpp_gzip_out g = {0};
    ASSERT_OK(tpp_gzip_begin(&g, full, "full"));
    tpp_status s = TPP_OK;
    for (int i = 0; i < 20 && s == TPP_OK; i++) s = tpp_gzip_write(&g, sample, SIZE);
    if (s == TPP_OK) s = tpp_gzip_finish(&g);
    ASSERT_FAILS(s, TPP_EIO, "full", "cannot write");
    tpp_gzip_discard(&g);
    (void)fclose(full);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_written_comes_back),
        cmocka_unit_test(members_follow_one_another),
        cmocka_unit_test(damage_is_seen),
        cmocka_unit_test(bounds_hold_for_the_best_ratio),
        cmocka_unit_test(only_regular_files_are_opened),
        cmocka_unit_test(a_full_disk_is_reported),
    };
    return cmocka_run_group_tests(tests, setup, scratch_teardown);
}
