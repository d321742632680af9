/* NRRD: types, encodings, geometry, axes that are none of space, and results in the same header.
 * SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "io/nrrd.h"
#include "text_maker.h"

enum { COUNT = 24 };
static const char start[] = "NRRD0004\ntype: uint8\ndimension: 3\nsizes: 4 3 2\nencoding: raw\n";

static void ramp(uint8_t *out, size_t n)
{
    for (size_t i = 0; i < n; i++) out[i] = (uint8_t)i;
}

/* A header of `start` and more lines, before `n` ascending bytes. */
static const char *put_ramp(const char *name, const char *header, const char *more, size_t n)
{
    char text[1024];
    uint8_t bytes[256];
    ramp(bytes, n);
    (void)snprintf(text, sizeof text, "%s%s\n", header, more);
    return put_text(name, text, bytes, n);
}

static void check_type(const voxel_case *c, bool big, const char *encoding)
{
    char header[256];
    uint8_t bytes[16], text[64];
    size_t size = 2 * c->size;
    uint8_t *packed = NULL;
    const void *data = bytes;
    put_values(bytes, c, big);
    (void)snprintf(header, sizeof header,
                   "NRRD0003\ntype: %s\ndimension: 2\nsizes: 2 1\nendian: %s\nencoding: %s\n\n",
                   c->nrrd, big ? "big" : "little", encoding);
    if (encoding[0] == 'g') {
        packed = pack(&size, bytes, size, false);
        data = packed;
    } else if (encoding[0] == 't') {
        size = (size_t)snprintf((char *)text, sizeof text, "%.17g,\n%.17g\n", c->value[0],
                                c->value[1]);
        data = text;
    }
    tpp_volume v = {0};
    read_volume(&v, put_text("type.nrrd", header, data, size));
    assert_string_equal(v.datatype, c->name);
    assert_true(v.format == TPP_VOLUME_NRRD && v.voxel_count == 2);
    for (int i = 0; i < 2; i++) assert_true(v.voxels[i] == (float)c->value[i]);
    tpp_volume_free(&v);
    tpp_free(packed);
}

static void every_type_encoding_and_byte_order_is_read(void **state)
{
    (void)state;
    static const char *const encodings[] = {"raw", "gzip", "gz", "text"};
    for (int t = 0; t < VOXEL_CASES; t++)
        for (int e = 0; e < 4; e++)
            for (int big = 0; big < 2; big++) check_type(&voxel_cases[t], big == 1, encodings[e]);
}

static void spaces_become_ras(void **state)
{
    (void)state;
    static const struct {
        const char *space;
        double sign[2];
        bool stated;
    } cases[] = {
        {"space: right-anterior-superior\n", {1, 1}, true},
        {"space: RAS\n", {1, 1}, true},
        {"space: LAS\n", {-1, 1}, true},
        {"space: left-anterior-superior\n", {-1, 1}, true},
        {"space: left-posterior-superior\n", {-1, -1}, true},
        {"Space: lps\n", {-1, -1}, true},
        {"space dimension: 3\n", {-1, -1}, false},
        {"space: scanner-xyz\n", {-1, -1}, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char more[256];
        (void)snprintf(more, sizeof more,
                       "%sspace directions: (0,2,0) (3,0,0) (0,0.5,-5)\nspace origin: (1, 2, 3)\n",
                       cases[i].space);
        tpp_volume v = {0};
        read_volume(&v, put_ramp("space.nrrd", start, more, COUNT));
        const double x = cases[i].sign[0], y = cases[i].sign[1];
        assert_affine(&v, (double[]){0, 3 * x, 0, x, 2 * y, 0, 0.5 * y, 2 * y, 0, 0, -5, 3});
        assert_int_equal(v.affine_source, cases[i].stated ? TPP_AFFINE_FILE : TPP_AFFINE_PIXDIM);
        assert_true(v.spacing_mm[0] == 2 && v.spacing_mm[1] == 3);
        tpp_volume_free(&v);
    }
}

static void spacings_state_no_side(void **state)
{
    (void)state;
    tpp_volume v = {0};
    read_volume(
        &v, put_ramp("s.nrrd", start, "spacings: 2 3 0.5\nunits: \"mm\" \"mm\" \"cm\"\n", COUNT));
    assert_affine(&v, (double[]){-2, 0, 0, 0, 0, -3, 0, 0, 0, 0, 5, 0});
    assert_int_equal(v.affine_source, TPP_AFFINE_PIXDIM);
    read_volume(&v, put_ramp("s.nrrd", start,
                             "space: RAS\nspace directions: (1000,0,0) (0,2000,0) (0,0,1)\n"
                             "space units: \"um\" \"um\" \"mm\"\nspace origin: (5000,0,7)\n",
                             COUNT));
    assert_affine(&v, (double[]){1, 0, 0, 5, 0, 2, 0, 0, 0, 0, 1, 7});
    tpp_volume_free(&v);
}

static void data_may_lie_in_another_file(void **state)
{
    (void)state;
    uint8_t bytes[64] = "two lines\nto skip\n###";
    ramp(bytes + 21, COUNT);
    put_file("data.bin", bytes, 21 + COUNT);
    tpp_volume v = {0};
    static const char *const skips[] = {"line skip: 2\nbyte skip: 3\n", "byte skip: -1\n",
                                        "lineskip: 1\nbyteskip: 11\n"};
    for (int i = 0; i < 3; i++) {
        char more[128];
        (void)snprintf(more, sizeof more, "%sdata file: data.bin\n", skips[i]);
        read_volume(&v, put_ramp("d.nhdr", start, more, 0));
        assert_true(v.voxels[0] == 0 && v.voxels[23] == 23);
    }
    tpp_volume_free(&v);
}

static void lines_may_end_as_in_dos(void **state)
{
    (void)state;
    uint8_t bytes[6];
    ramp(bytes, 6);
    tpp_volume v = {0};
    read_volume(&v, put_text("dos.nrrd",
                             "NRRD0005\r\n# text\r\ntype: uchar\r\ndimension: 2\r\nsizes: 3 2\r\n"
                             "encoding: raw\r\n\r\n",
                             bytes, 6));
    assert_true(v.voxels[5] == 5 && v.dim[0] == 3 && v.dim[1] == 2 && v.dim[2] == 1);
    tpp_volume_free(&v);
}

static void colours_and_clips(void **state)
{
    (void)state;
    tpp_volume v = {0};
    static const char header[] = "NRRD0004\ntype: uint8\ndimension: 4\nsizes: 3 4 3 2\n"
                                 "encoding: raw\nkinds: RGB-color domain domain list\n"
                                 "labels: \"\" \"x\" \"y y\" \"t\"\n"
                                 "space dimension: 2\nspace directions: none (2,0) (0,2) none\n";
    read_volume(&v, put_ramp("c.nrrd", header,
                             "ultrasound image orientation:=UF\nSeq_Frame0000_Status:=OK\n", 72));
    assert_true(v.channels == 3 && v.is_sequence && v.dim[2] == 2 && v.dim[3] == 1);
    assert_string_equal(v.modality, "US");
    for (int i = 0; i < 72; i++) assert_true(v.voxels[i] == (float)i);
    /* Unmarked first: columns lead to the patient's right in the picture that is shown. */
    assert_affine(&v, (double[]){2, 0, 0, 0, 0, -2, 0, 0, 0, 0, 1, 0});
    uint8_t labels[COUNT] = {0};
    labels[17] = 1;
    const char *out = scratch("c_out.nrrd");
    ASSERT_OK(tpp_volume_write_labels(out, &v, labels));
    char *text = get_text(out);
    assert_non_null(strstr(text, "dimension: 3\nsizes: 4 3 2\nencoding: gzip\n"
                                 "kinds: domain domain list\nlabels: \"x\" \"y y\" \"t\"\n"
                                 "space dimension: 2\nspace directions: (2,0) (0,2) none\n"
                                 "ultrasound image orientation:=UF\nSeq_Frame0000_Status:=OK\n\n"));
    tpp_free(text);
    tpp_volume back = {0};
    read_volume(&back, out);
    assert_true(back.is_sequence && back.channels == 1 && back.voxels[17] == 1);
    assert_memory_equal(back.affine.m, v.affine.m, sizeof v.affine.m);
    tpp_volume_free(&back);
    tpp_volume_free(&v);
}

/* Time as the slowest axis, and as the fastest. */
static void time_is_chosen(void **state)
{
    (void)state;
    static const char *const headers[] = {
        "NRRD0004\ntype: uint8\ndimension: 4\nsizes: 4 3 2 3\nencoding: raw\n"
        "kinds: domain domain domain time\nspacings: 2 3 5 nan\n",
        "NRRD0004\ntype: uint8\ndimension: 4\nsizes: 3 4 3 2\nencoding: raw\n"
        "kinds: list domain domain domain\nspacings: nan 2 3 5\n"};
    for (int n = 0; n < 2; n++) {
        tpp_volume v = {0}, back = {0};
        const char *path = put_ramp("t.nrrd", headers[n], "", 3 * COUNT);
        ASSERT_FAILS(tpp_volume_read(&v, path, NULL), TPP_EUSAGE, path,
                     "3 time points; choose one with --time T");
        ASSERT_OK(tpp_volume_read(&v, path, &(tpp_volume_options){.time = 1}));
        assert_true(v.dim[3] == 3 && v.time == 1 && v.voxel_count == COUNT && !v.is_sequence);
        for (int i = 0; i < COUNT; i++)
            assert_true(v.voxels[i] == (float)(n == 0 ? COUNT + i : 3 * i + 1));
        uint8_t labels[COUNT];
        ramp(labels, COUNT);
        const char *out = scratch("t_out.nrrd");
        ASSERT_OK(tpp_volume_write_labels(out, &v, labels));
        read_volume(&back, out);
        assert_true(back.dim[3] == 1 && back.voxels[23] == 23 && back.spacing_mm[2] == 5);
        tpp_volume_free(&back);
        tpp_volume_free(&v);
    }
}

static void a_result_changes_no_other_line(void **state)
{
    (void)state;
    static const char more[] = "# a comment:  kept\nspace: left-posterior-superior\n"
                               "space directions:  (2,0,0) (0,3,0) (0,0,5) \n"
                               "measurement frame: (1,0,0) (0,1,0) (0,0,1)\nmin: 0\nmax: 9\n"
                               "key:=value : with\\n all\nendian: big\ncontent: text\n";
    tpp_volume v = {0}, back = {0};
    read_volume(&v, put_ramp("r.nrrd", start, more, COUNT));
    float values[COUNT];
    for (int i = 0; i < COUNT; i++) values[i] = 1.0F / (float)(i + 3);
    const char *out = scratch("r_out.nrrd"), *again = scratch("r_again.nrrd");
    ASSERT_OK(tpp_volume_write_values(out, &v, values));
    char *text = get_text(out);
    static const char want[] = "NRRD0004\ntype: float\ndimension: 3\nsizes: 4 3 2\n"
                               "encoding: gzip\n# a comment:  kept\n"
                               "space: left-posterior-superior\n"
                               "space directions:  (2,0,0) (0,3,0) (0,0,5) \n"
                               "measurement frame: (1,0,0) (0,1,0) (0,0,1)\n"
                               "key:=value : with\\n all\nendian: little\ncontent: text\n\n";
    assert_memory_equal(text, want, sizeof want - 1);
    tpp_free(text);
    read_volume(&back, out);
    assert_memory_equal(back.voxels, values, sizeof values);
    assert_memory_equal(back.affine.m, v.affine.m, sizeof v.affine.m);
    /* The same input gives the same bytes. */
    ASSERT_OK(tpp_volume_write_values(again, &v, values));
    size_t size = 0, size2 = 0;
    uint8_t *a = get_file(out, &size), *b = get_file(again, &size2);
    assert_int_equal(size, size2);
    assert_memory_equal(a, b, size);
    tpp_free(a);
    tpp_free(b);
    ASSERT_FAILS(tpp_nrrd_write(scratch("x.nhdr"), &v, NULL, values), TPP_EUSAGE, "x.nhdr",
                 ".nrrd");
    tpp_volume_free(&back);
    tpp_volume_free(&v);
}

static void numbers_that_are_none_are_counted(void **state)
{
    (void)state;
    tpp_volume v = {0};
    read_volume(&v, put_text("nan.nrrd",
                             "NRRD0001\ntype: float\ndimension: 2\nsizes: 2 2\nencoding: txt\n\n",
                             "nan 1 -inf 2", 12));
    assert_int_equal(v.nan_count, 2);
    assert_true(v.voxels[1] == 1 && v.voxels[3] == 2);
    tpp_volume_free(&v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_encoding_and_byte_order_is_read),
        cmocka_unit_test(spaces_become_ras),
        cmocka_unit_test(spacings_state_no_side),
        cmocka_unit_test(data_may_lie_in_another_file),
        cmocka_unit_test(lines_may_end_as_in_dos),
        cmocka_unit_test(colours_and_clips),
        cmocka_unit_test(time_is_chosen),
        cmocka_unit_test(a_result_changes_no_other_line),
        cmocka_unit_test(numbers_that_are_none_are_counted),
    };
    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
