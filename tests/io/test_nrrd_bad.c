/* NRRD files that are cut off, lie, or are not read: refused by name before memory is taken.
 * SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "io/nrrd.h"
#include "io/volume_data.h"
#include "text_maker.h"

enum { COUNT = 24 };

/* A good header, a line at a time; cases replace one. */
static const char *const lines[] = {"NRRD0004",     "type: uint8",   "dimension: 3",
                                    "sizes: 4 3 2", "encoding: raw", "endian: little"};
enum { LINES = sizeof lines / sizeof *lines };

static const char *put_case(int line, const char *with, size_t bytes)
{
    char text[2048] = "";
    uint8_t ones[256];
    memset(ones, 1, sizeof ones);
    size_t n = 0;
    for (int i = 0; i < LINES; i++) {
        const char *l = i == line ? with : lines[i];
        n += (size_t)snprintf(text + n, sizeof text - n, "%s%s", l, l[0] != '\0' ? "\n" : "");
    }
    if (line >= LINES) n += (size_t)snprintf(text + n, sizeof text - n, "%s\n", with);
    (void)snprintf(text + n, sizeof text - n, "\n");
    return put_text("bad.nrrd", text, ones, bytes);
}

static void what_is_wrong_is_named(void **state)
{
    (void)state;
    enum { MAGIC, TYPE, DIMENSION, SIZES, ENCODING, ENDIAN, MORE };
    static const struct {
        int line;
        const char *with;
        tpp_status status;
        const char *fact;
    } cases[] = {
        {MAGIC, "NRRD0006", TPP_EFORMAT, "NRRD0001"},
        {TYPE, "", TPP_EFORMAT, "lacks \"type\""},
        {TYPE, "type: block", TPP_EUNSUPPORTED, "block"},
        {TYPE, "type: short\ntype: int", TPP_EFORMAT, "given twice"},
        {TYPE, "type: short", TPP_EFORMAT, "truncated"},
        {TYPE, "type uint8", TPP_EFORMAT, "field: value"},
        {DIMENSION, "", TPP_EFORMAT, "lacks \"dimension\""},
        {DIMENSION, "dimension: 2", TPP_EFORMAT, "sizes"},
        {DIMENSION, "dimension: 9", TPP_EUNSUPPORTED, "dimension 9"},
        {DIMENSION, "dimension: three", TPP_EFORMAT, "whole number"},
        {SIZES, "", TPP_EFORMAT, "lacks \"sizes\""},
        {SIZES, "sizes: 4 3 0", TPP_EFORMAT, "wanted 1 to"},
        {SIZES, "sizes: 4 3 -2", TPP_EFORMAT, "wanted 1 to"},
        {SIZES, "sizes: 4 3 1.5", TPP_EFORMAT, "wanted 1 to"},
        {SIZES, "sizes: 4 3 nan", TPP_EFORMAT, "wanted 1 to"},
        {SIZES, "sizes: 4 3 two", TPP_EFORMAT, "wanted 3 numbers"},
        {SIZES, "sizes: 4 3 1", TPP_EFORMAT, "goes on behind"},
        {SIZES, "sizes: 4 3 3", TPP_EFORMAT, "truncated"},
        {SIZES, "sizes: 2000000000 2000000000 2000000000", TPP_EFORMAT, "impossible product"},
        {SIZES, "sizes: 2000000000 1000000 1", TPP_ENOMEM, "the limit is"},
        {ENCODING, "", TPP_EFORMAT, "lacks \"encoding\""},
        {ENCODING, "encoding: bzip2", TPP_EUNSUPPORTED, "unu save"},
        {ENCODING, "encoding: hex", TPP_EUNSUPPORTED, "unu save"},
        {ENCODING, "encoding: gzip", TPP_EFORMAT, "damaged"},
        {ENCODING, "encoding: ascii", TPP_EFORMAT, "truncated"},
        {ENDIAN, "endian: middle", TPP_EFORMAT, "middle"},
        {MORE, "byte skip: -2", TPP_EFORMAT, "byte skip"},
        {MORE, "byte skip: 1", TPP_EFORMAT, "truncated"},
        {MORE, "line skip: 1", TPP_EFORMAT, "lines to skip"},
        {MORE, "kinds: domain domain", TPP_EFORMAT, "one for each of 3 axes"},
        {MORE, "kinds: domain domain complex", TPP_EUNSUPPORTED, "complex"},
        {SIZES, "sizes: 2 3 4\nkinds: vector domain domain", TPP_EUNSUPPORTED,
         "a vector of 2 uint8"},
        {MORE, "kinds: domain domain RGB-color", TPP_EUNSUPPORTED, "axis 2 is a vector"},
        {MORE, "kinds: list domain domain", TPP_EUNSUPPORTED, "counts moments"},
        {MORE, "kinds: list time domain", TPP_EUNSUPPORTED, "one too many"},
        {MORE, "spacings: 1 2 -3", TPP_EFORMAT, "spacing of axis 2"},
        {MORE, "spacings: 1 nan 3", TPP_EFORMAT, "spacing of axis 1"},
        {MORE, "spacings: 1 b 3", TPP_EFORMAT, "a spacing is \"b\""},
        {MORE, "space directions: (1,0,0) (0,1,0) (1,1,0)", TPP_EFORMAT, "singular"},
        {MORE, "space directions: (1,0,0) (0,1,0) (0,0,inf)", TPP_EFORMAT, "inf"},
        {MORE, "space directions: (1,0,0) (0,1,0) 0,0,1", TPP_EUNSUPPORTED, "0,0,1"},
        {MORE, "space directions: (1,0,0) (0,1,0,0) (0,0,1)", TPP_EUNSUPPORTED, "(0,1,0,0)"},
        {MORE, "kinds: domain domain domain\nspace directions: (1,0,0) (0,1,0) none", TPP_EFORMAT,
         "no direction"},
        {MORE, "space origin: 1 2 3", TPP_EFORMAT, "space origin"},
        {MORE, "data file: /etc/passwd", TPP_EUNSUPPORTED, "/etc/passwd"},
        {MORE, "data file: ../x.raw", TPP_EUNSUPPORTED, "../x.raw"},
        {MORE, "data file: a/../../x.raw", TPP_EUNSUPPORTED, "a/../../x.raw"},
        {MORE, "data file: LIST", TPP_EUNSUPPORTED, "LIST"},
        {MORE, "data file: x%03d.raw 1 9 1", TPP_EUNSUPPORTED, "x%03d.raw"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tpp_volume v = {0};
        const char *path = put_case(cases[i].line, cases[i].with, COUNT);
        ASSERT_FAILS(tpp_volume_read(&v, path, NULL), cases[i].status, path, cases[i].fact);
        assert_null(v.header);
    }
    tpp_volume v = {0};
    ASSERT_OK(tpp_volume_read(&v, put_case(-1, "", COUNT), NULL)); /* what the cases differ from */
    tpp_volume_free(&v);
}

static void a_missing_data_file_is_named(void **state)
{
    (void)state;
    tpp_volume v = {0};
    const char *path = put_case(LINES, "data file: nowhere.raw", 0);
    ASSERT_FAILS(tpp_volume_read(&v, path, NULL), TPP_EIO, path,
                 "\"nowhere.raw\", which is not there");
}

static void every_cut_is_seen(void **state)
{
    (void)state;
    uint8_t data[COUNT] = {0};
    size_t packed_size = 0, size = 0;
    uint8_t *packed = pack(&packed_size, data, sizeof data, false);
    const char *path = put_text("whole.nrrd",
                                "NRRD0004\ntype: uint8\ndimension: 3\nsizes: 4 3 2\n"
                                "encoding: gzip\n\n",
                                packed, packed_size);
    uint8_t *whole = get_file(path, &size);
    for (size_t n = 0; n < size; n++) {
        tpp_volume v = {0};
        path = put_file("cut.nrrd", whole, n);
        if (tpp_volume_read(&v, path, NULL) == TPP_OK) fail_msg("cut to %zu bytes, and read", n);
        if (strstr(tpp_error(), "cut.nrrd") == NULL) fail_msg("does not name it: %s", tpp_error());
        assert_null(v.voxels);
    }
    tpp_free(whole);
    tpp_free(packed);
}

/* A little zero padding is no lie; anything else behind the voxels is. */
static void padding_is_zero_and_short(void **state)
{
    (void)state;
    static const char header[] = "NRRD0004\ntype: uint8\ndimension: 2\nsizes: 1 1\n"
                                 "encoding: raw\n\n";
    uint8_t bytes[TPP_VOLUME_PADDING + 2] = {0};
    tpp_volume v = {0};
    ASSERT_OK(tpp_volume_read(&v, put_text("pad.nrrd", header, bytes, sizeof bytes - 1), NULL));
    tpp_volume_free(&v);
    const char *path = put_text("pad.nrrd", header, bytes, sizeof bytes);
    ASSERT_FAILS(tpp_volume_read(&v, path, NULL), TPP_EFORMAT, path, "goes on behind");
    path = put_text("pad.nrrd", header, "\0\1", 2);
    ASSERT_FAILS(tpp_volume_read(&v, path, NULL), TPP_EFORMAT, path, "goes on behind");
}

static void text_is_checked(void **state)
{
    (void)state;
    static const struct {
        const char *type, *text, *fact;
    } cases[] = {
        {"uint8", "1 2 3", "truncated"},     {"uint8", "1 2 3   ", "ends after 3"},
        {"uint8", "1 2 3 256", "\"256\""},   {"int8", "1 2 3 -129", "\"-129\""},
        {"uint8", "1 2 3 1.5", "\"1.5\""},   {"uint8", "1 2 3 nan", "\"nan\""},
        {"float", "1 2 3 four", "\"four\""}, {"uint8", "1 2 3 4 5", "goes on behind"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[512];
        (void)snprintf(text, sizeof text,
                       "NRRD0004\ntype: %s\ndimension: 2\nsizes: 2 2\nencoding: ascii\n\n%s",
                       cases[i].type, cases[i].text);
        const char *path = put_file("text.nrrd", text, strlen(text));
        tpp_volume v = {0};
        ASSERT_FAILS(tpp_volume_read(&v, path, NULL), TPP_EFORMAT, path, cases[i].fact);
    }
}

/* A small file that inflates to more than its header promises is not inflated to its end. */
static void a_bomb_is_refused(void **state)
{
    (void)state;
    enum { BIG = 1 << 24 };
    uint8_t *zero = tpp_calloc(BIG, 1);
    size_t size = 0;
    uint8_t *packed = pack(&size, zero, BIG, false);
    const char *path = put_text("bomb.nrrd",
                                "NRRD0004\ntype: uint8\ndimension: 3\nsizes: 4 3 2\n"
                                "encoding: gzip\n\n",
                                packed, size);
    tpp_volume v = {0};
    ASSERT_FAILS(tpp_volume_read(&v, path, NULL), TPP_EFORMAT, path, "goes on behind");
    tpp_free(packed);
    tpp_free(zero);
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    const char *path =
        put_case(LINES, "space: RAS\nspace directions: (1,0,0) (0,1,0) (0,0,1)", COUNT);
    int64_t n = 0;
    for (;; n++) {
        tpp_volume v = {0};
        tpp_alloc_fail_after(n);
        const tpp_status s = tpp_nrrd_read(&v, path, NULL);
        tpp_alloc_fail_after(-1);
        if (s == TPP_OK) {
            tpp_volume_free(&v);
            break;
        }
        if (s != TPP_ENOMEM && s != TPP_EFORMAT) fail_msg("allocation %ld: %d", (long)n, (int)s);
        assert_null(v.header);
    }
    assert_true(n > 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_wrong_is_named),    cmocka_unit_test(a_missing_data_file_is_named),
        cmocka_unit_test(every_cut_is_seen),         cmocka_unit_test(padding_is_zero_and_short),
        cmocka_unit_test(text_is_checked),           cmocka_unit_test(a_bomb_is_refused),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
