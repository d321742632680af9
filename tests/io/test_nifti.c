/* NIfTI: every type, version and byte order, geometry, and label volumes in the input's geometry.
 * SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "nifti_maker.h"

#include <math.h>

enum { COUNT = 4 * 3 * 2 };

static void read_ok(tpp_volume *v, const char *path)
{
    tpp_volume_free(v);
    ASSERT_OK(tpp_nifti_read(v, path, NULL));
}

static void every_version_and_order_is_read(void **state)
{
    (void)state;
    tpp_volume v = {0};
    for (int n = 0; n < 4; n++) {
        maker m = make_default();
        m.version = 1 + n / 2;
        m.big = n % 2 == 1;
        m.vox_offset = (double)make_start(&m);
        uint8_t ramp[2 * COUNT];
        make_ramp(ramp, COUNT, m.big);
        read_ok(&v, make_file("a.nii", &m, ramp, sizeof ramp));
        assert_int_equal(v.dim[0] * 1000 + v.dim[1] * 100 + v.dim[2] * 10 + v.dim[3], 4321);
        assert_int_equal(v.voxel_count, COUNT);
        assert_string_equal(v.datatype, "int16");
        for (int i = 0; i < COUNT; i++) assert_true(v.voxels[i] == (float)i);
        assert_int_equal(v.affine_source, TPP_AFFINE_SFORM);
        assert_true(v.affine.m[2][2] == 5 && v.affine.m[1][3] == 20 && v.affine.m[3][3] == 1);
        assert_true(v.spacing_mm[0] == 2 && v.spacing_mm[1] == 3 && v.spacing_mm[2] == 5);
        assert_int_equal(v.nan_count, 0);
        assert_int_equal(v.header_size, make_start(&m));
    }
    tpp_volume_free(&v);
    tpp_volume_free(&v);
}

/* Two values of each type, chosen to need its whole range. */
static void every_datatype_is_read(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int code;
        size_t size;
        bool real;
        double value[2];
    } types[] = {
        {"uint8", 2, 1, false, {0, 255}},
        {"int8", 256, 1, false, {-128, 127}},
        {"int16", 4, 2, false, {-32768, 32767}},
        {"uint16", 512, 2, false, {0, 65535}},
        {"int32", 8, 4, false, {-2147483648.0, 2147483647.0}},
        {"uint32", 768, 4, false, {1, 4294967295.0}},
        {"int64", 1024, 8, false, {-9007199254740992.0, 9007199254740992.0}},
        {"uint64", 1280, 8, false, {3, 9007199254740992.0}},
        {"float32", 16, 4, true, {-1.5e-30, 3.25}},
        {"float64", 64, 8, true, {0.1, -1e30}},
    };
    tpp_volume v = {0};
    for (size_t t = 0; t < 2 * sizeof types / sizeof *types; t++) {
        maker m = make_default();
        m.big = t % 2 == 1;
        m.datatype = types[t / 2].code;
        m.bitpix = 8 * (int)types[t / 2].size;
        memcpy(m.dim, (int64_t[]){1, 2, 0, 0, 0, 0, 0, 0}, sizeof m.dim); /* the rest is unused */
        uint8_t bytes[16];
        for (size_t i = 0; i < 2; i++) {
            uint8_t *p = bytes + i * types[t / 2].size;
            if (types[t / 2].real)
                make_real(p, types[t / 2].value[i], types[t / 2].size, m.big);
            else
                make_int(p, (int64_t)types[t / 2].value[i], types[t / 2].size, m.big);
        }
        read_ok(&v, make_file("type.nii", &m, bytes, 2 * types[t / 2].size));
        assert_string_equal(v.datatype, types[t / 2].name);
        for (int i = 0; i < 2; i++) assert_true(v.voxels[i] == (float)types[t / 2].value[i]);
    }
    tpp_volume_free(&v);
}

static void scaling_is_applied(void **state)
{
    (void)state;
    static const struct {
        double slope, intercept, want;
    } cases[] = {{0.5, -1024, -1023.5 + 1}, {-2, 0, -6},    {0, 77, 3}, {NAN, 77, 3},
                 {INFINITY, 77, 3},         {1, 0.25, 3.25}};
    uint8_t ramp[2 * COUNT];
    make_ramp(ramp, COUNT, false);
    tpp_volume v = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        maker m = make_default();
        m.slope = cases[i].slope;
        m.intercept = cases[i].intercept;
        read_ok(&v, make_file("scaled.nii", &m, ramp, sizeof ramp));
        assert_true(v.voxels[3] == (float)cases[i].want);
        assert_true(v.voxels[3] == (float)(v.slope * 3 + v.intercept));
    }
    tpp_volume_free(&v);
}

static void numbers_that_are_none_are_counted(void **state)
{
    (void)state;
    maker m = make_default();
    m.datatype = 16;
    m.bitpix = 32;
    float x[COUNT] = {0};
    x[3] = NAN;
    x[5] = -INFINITY;
    x[23] = NAN;
    tpp_volume v = {0};
    read_ok(&v, make_file("nan.nii", &m, x, sizeof x));
    assert_int_equal(v.nan_count, 3);
    assert_true(isnan(v.voxels[23]) && v.voxels[22] == 0);
    tpp_volume_free(&v);
}

static void gzip_is_known_by_its_content(void **state)
{
    (void)state;
    maker m = make_default();
    uint8_t ramp[2 * COUNT], bytes[352 + sizeof ramp] = {0};
    make_ramp(ramp, COUNT, false);
    const size_t size = make_bytes(bytes, &m, ramp, sizeof ramp);
    tpp_volume v = {0};
    read_ok(&v, make_gzip("z.nii.gz", bytes, size));
    assert_true(v.voxels[23] == 23);
    read_ok(&v, make_gzip("z.nii", bytes, size));
    assert_true(v.voxels[23] == 23);
    read_ok(&v, put_file("plain.nii.gz", bytes, size));
    assert_true(v.voxels[23] == 23);
    tpp_volume_free(&v);
}

static void more_than_a_chunk_is_read(void **state)
{
    (void)state;
    enum { X = 300, Y = 301, Z = 13, N = X * Y * Z }; /* 2.3 MB, no multiple of the chunk */
    maker m = make_default();
    memcpy(m.dim, (int64_t[]){3, X, Y, Z, 1, 1, 1, 1}, sizeof m.dim);
    uint8_t *voxels = tpp_calloc(N, 2);
    make_ramp(voxels, N, false);
    tpp_volume v = {0};
    read_ok(&v, make_file("large.nii", &m, voxels, (size_t)N * 2));
    for (int i = 0; i < N; i++) assert_true(v.voxels[i] == (float)(int16_t)(i & 0xFFFF));
    tpp_volume_free(&v);
    tpp_free(voxels);
}

static void time_is_read_when_asked_for(void **state)
{
    (void)state;
    maker m = make_default();
    m.dim[0] = 4;
    m.dim[4] = 3;
    uint8_t ramp[6 * COUNT];
    make_ramp(ramp, 3 * COUNT, false);
    const char *path = make_file("time.nii", &m, ramp, sizeof ramp);
    tpp_volume v = {0};
    ASSERT_FAILS(tpp_nifti_read(&v, path, NULL), TPP_EUSAGE, path,
                 "3 time points; choose one with --time T, 0 to 2");
    assert_null(v.header);
    ASSERT_OK(tpp_nifti_read(&v, path, &(tpp_volume_options){.time = 0}));
    assert_int_equal(v.dim[3], 3);
    assert_int_equal(v.voxel_count, COUNT);
    assert_true(v.voxels[23] == 23);
    tpp_volume_free(&v);
    ASSERT_OK(tpp_nifti_read(&v, path, &(tpp_volume_options){.time = 2}));
    assert_int_equal(v.time, 2);
    assert_true(v.voxels[0] == 2 * COUNT && v.voxels[23] == 2 * COUNT + 23);
    tpp_volume_free(&v);
    ASSERT_FAILS(tpp_nifti_read(&v, path, &(tpp_volume_options){.time = 3}), TPP_EUSAGE, path,
                 "there is no time point 3; the file has 3");
    /* The later time points have to be there all the same. */
    path = make_file("time.nii", &m, ramp, sizeof ramp - 1);
    ASSERT_FAILS(tpp_nifti_read(&v, path, &(tpp_volume_options){.time = 0}), TPP_EFORMAT, path,
                 "truncated");
    ASSERT_OK(tpp_nifti_read(&v, path, &(tpp_volume_options){.header_only = true}));
    assert_null(v.voxels);
    assert_int_equal(v.dim[3], 3);
    tpp_volume_free(&v);
}

static void a_clip_is_read_along_time(void **state)
{
    (void)state;
    maker m = make_default();
    memcpy(m.dim, (int64_t[]){4, 4, 3, 1, 2, 1, 1, 1}, sizeof m.dim);
    uint8_t ramp[2 * COUNT], labels[COUNT] = {0};
    make_ramp(ramp, COUNT, false);
    const char *path = make_file("clip.nii", &m, ramp, sizeof ramp);
    tpp_volume v = {0};
    ASSERT_OK(tpp_nifti_read(&v, path, NULL));
    assert_true(v.is_sequence && v.dim[2] == 2 && v.dim[3] == 1 && v.voxel_count == COUNT);
    assert_true(v.voxels[23] == 23);
    const char *out = scratch("clip_labels.nii");
    labels[13] = 1;
    ASSERT_OK(tpp_nifti_write_labels(out, &v, labels));
    tpp_volume_free(&v);
    size_t size = 0;
    uint8_t *bytes = get_file(out, &size);
    assert_int_equal(size, 352 + COUNT);
    for (size_t i = 0; i < 8; i++)
        assert_int_equal(tpp_bytes_get(bytes + 40 + 2 * i, 2, false), m.dim[i]);
    assert_int_equal(bytes[352 + 13], 1);
    tpp_free(bytes);
    ASSERT_FAILS(tpp_nifti_read(&v, path, &(tpp_volume_options){.time = 1}), TPP_EUSAGE, path,
                 "a clip");
}

/* RGBA's fourth channel is left out. */
static void colours_are_read(void **state)
{
    (void)state;
    for (size_t channels = 3; channels <= 4; channels++) {
        maker m = make_default();
        m.datatype = channels == 3 ? 128 : 2304;
        m.bitpix = 8 * (int)channels;
        uint8_t bytes[4 * COUNT], labels[COUNT] = {0};
        for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (uint8_t)(i * 7);
        const char *path = make_file("colour.nii", &m, bytes, channels * COUNT);
        tpp_volume v = {0};
        read_ok(&v, path);
        assert_int_equal(v.channels, 3);
        for (size_t i = 0; i < COUNT; i++)
            for (size_t c = 0; c < 3; c++)
                assert_true(v.voxels[3 * i + c] == bytes[channels * i + c]);
        const char *out = scratch("colour_labels.nii");
        ASSERT_OK(tpp_nifti_write_labels(out, &v, labels));
        tpp_volume_free(&v);
        read_ok(&v, out);
        assert_true(v.channels == 1 && v.voxel_count == COUNT);
        tpp_volume_free(&v);
    }
}

/* Bit for bit, in the header's byte order. */
static void values_are_written_as_float32(void **state)
{
    (void)state;
    for (int big = 0; big < 2; big++) {
        maker m = make_default();
        m.big = big == 1;
        uint8_t ramp[2 * COUNT];
        make_ramp(ramp, COUNT, m.big);
        tpp_volume v = {0}, back = {0};
        read_ok(&v, make_file("v.nii", &m, ramp, sizeof ramp));
        float values[COUNT];
        for (int i = 0; i < COUNT; i++) values[i] = 1.0F / (float)(i + 1);
        const char *out = scratch("values.nii.gz");
        ASSERT_OK(tpp_nifti_write_values(out, &v, values));
        read_ok(&back, out);
        assert_string_equal(back.datatype, "float32");
        assert_memory_equal(back.voxels, values, sizeof values);
        assert_memory_equal(back.affine.m, v.affine.m, sizeof v.affine.m);
        tpp_volume_free(&back);
        tpp_volume_free(&v);
    }
}

static void one_voxel_is_a_volume(void **state)
{
    (void)state;
    maker m = make_default();
    memcpy(m.dim, (int64_t[]){2, 1, 1, 0, 0, 0, 0, 0}, sizeof m.dim);
    tpp_volume v = {0};
    read_ok(&v, make_file("one.nii", &m, "\x07", 2));
    assert_int_equal(v.voxel_count, 1);
    assert_true(v.voxels[0] == 7 && v.dim[2] == 1);
    tpp_volume_free(&v);
}

static void pairs_are_read_by_either_name(void **state)
{
    (void)state;
    uint8_t ramp[2 * COUNT + 16] = {0};
    make_ramp(ramp + 16, COUNT, false);
    tpp_volume v = {0};
    for (int version = 1; version <= 2; version++) {
        maker m = make_default();
        m.version = version;
        m.pair = true;
        m.vox_offset = 16;
        uint8_t header[544] = {0};
        const size_t size = make_bytes(header, &m, ramp, 0);
        put_file("p.img", ramp, sizeof ramp);
        put_file("p.hdr", header, size);
        read_ok(&v, scratch("p.hdr"));
        assert_true(v.voxels[23] == 23);
        assert_int_equal(v.header_size, size);
        read_ok(&v, scratch("p.img"));
        assert_true(v.voxels[23] == 23);
        put_file("q.hdr", header, size - 4); /* without the extension flag */
        make_gzip("q.img.gz", ramp, sizeof ramp);
        read_ok(&v, scratch("q.hdr"));
        assert_true(v.voxels[23] == 23);
        read_ok(&v, scratch("q.img.gz"));
        put_file("lone.hdr", header, size);
        const char *path = scratch("lone.hdr");
        tpp_volume none = {0};
        ASSERT_FAILS(tpp_nifti_read(&none, path, NULL), TPP_EIO, path, "no .img is beside it");
        ASSERT_OK(tpp_nifti_read(&none, path, &(tpp_volume_options){.header_only = true}));
        tpp_volume_free(&none);
        path = put_file("short.hdr", header, size);
        put_file("short.img", ramp, sizeof ramp - 1);
        ASSERT_FAILS(tpp_nifti_read(&none, path, NULL), TPP_EFORMAT, "short.img", "truncated");
    }
    tpp_volume_free(&v);
}

/* --- geometry --- */

static void assert_affine(const tpp_volume *v, const double want[12])
{
    for (int i = 0; i < 12; i++)
        if (fabs(v->affine.m[i / 4][i % 4] - want[i]) > 1e-5)
            fail_msg("affine[%d][%d] is %g, wanted %g", i / 4, i % 4, v->affine.m[i / 4][i % 4],
                     want[i]);
}

/* A quarter turn about z: x of the file leads to anterior. */
static maker quarter_turn(void)
{
    maker m = make_default();
    m.sform_code = 0;
    m.qform_code = 1;
    m.quatern[2] = sqrt(0.5);
    memcpy(m.qoffset, (double[]){7, 8, 9}, sizeof m.qoffset);
    return m;
}

static void quaternions_are_rotations(void **state)
{
    (void)state;
    uint8_t ramp[2 * COUNT];
    make_ramp(ramp, COUNT, false);
    maker m = quarter_turn();
    tpp_volume v = {0};
    read_ok(&v, make_file("q.nii", &m, ramp, sizeof ramp));
    assert_int_equal(v.affine_source, TPP_AFFINE_QFORM);
    assert_affine(&v, (double[]){0, -3, 0, 7, 2, 0, 0, 8, 0, 0, 5, 9});
    m.pixdim[0] = -1; /* qfac: the third axis is mirrored */
    read_ok(&v, make_file("q.nii", &m, ramp, sizeof ramp));
    assert_affine(&v, (double[]){0, -3, 0, 7, 2, 0, 0, 8, 0, 0, -5, 9});
    m.pixdim[0] = 0;                                          /* counts as 1 */
    memcpy(m.quatern, (double[]){0, 1, 0}, sizeof m.quatern); /* half a turn about y */
    read_ok(&v, make_file("q.nii", &m, ramp, sizeof ramp));
    assert_affine(&v, (double[]){-2, 0, 0, 7, 0, 3, 0, 8, 0, 0, -5, 9});
    memcpy(m.quatern, (double[]){0.6, 0, 0.80001}, sizeof m.quatern); /* rounded beyond 1 */
    read_ok(&v, make_file("q.nii", &m, ramp, sizeof ramp));
    assert_true(fabs(v.spacing_mm[0] - 2) < 1e-6 && fabs(v.spacing_mm[2] - 5) < 1e-6);
    tpp_volume_free(&v);
}

static void spacing_alone_is_said_to_be_alone(void **state)
{
    (void)state;
    uint8_t ramp[2 * COUNT];
    make_ramp(ramp, COUNT, false);
    maker m = make_default();
    m.sform_code = 0;
    tpp_volume v = {0};
    read_ok(&v, make_file("s.nii", &m, ramp, sizeof ramp));
    assert_int_equal(v.affine_source, TPP_AFFINE_PIXDIM);
    assert_string_equal(tpp_affine_source_text(v.affine_source), "pixdim");
    assert_affine(&v, (double[]){2, 0, 0, 0, 0, 3, 0, 0, 0, 0, 5, 0});
    memcpy(m.dim, (int64_t[]){2, 4, 3, 1, 1, 1, 1, 1}, sizeof m.dim);
    m.pixdim[3] = 0; /* of an axis of one voxel */
    read_ok(&v, make_file("s.nii", &m, ramp, sizeof ramp / 2));
    assert_true(v.spacing_mm[2] == 1);
    tpp_volume_free(&v);
}

static void units_become_millimetres(void **state)
{
    (void)state;
    uint8_t ramp[2 * COUNT];
    make_ramp(ramp, COUNT, false);
    static const double mm[] = {1, 1000, 1, 0.001};
    tpp_volume v = {0};
    for (int unit = 0; unit < 4; unit++) {
        maker m = make_default();
        m.units = unit | 8; /* seconds */
        read_ok(&v, make_file("u.nii", &m, ramp, sizeof ramp));
        assert_true(fabs(v.spacing_mm[1] - 3 * mm[unit]) < 1e-9);
        assert_true(fabs(v.affine.m[0][3] + 10 * mm[unit]) < 1e-9);
    }
    tpp_volume_free(&v);
}

static void disagreement_is_flagged(void **state)
{
    (void)state;
    uint8_t ramp[2 * COUNT];
    make_ramp(ramp, COUNT, false);
    tpp_volume v = {0};
    maker m = make_default();
    m.qform_code = 1;
    memcpy(m.qoffset, (double[]){-10, 20, 30}, sizeof m.qoffset);
    read_ok(&v, make_file("d.nii", &m, ramp, sizeof ramp));
    assert_false(v.affines_disagree);
    m.qoffset[0] = -10.9; /* less than half of 2 mm */
    read_ok(&v, make_file("d.nii", &m, ramp, sizeof ramp));
    assert_false(v.affines_disagree);
    m.qoffset[0] = -11.1;
    read_ok(&v, make_file("d.nii", &m, ramp, sizeof ramp));
    assert_true(v.affines_disagree);
    assert_int_equal(v.affine_source, TPP_AFFINE_SFORM);
    m.qoffset[0] = -10;
    m.pixdim[0] = -1; /* mirrored */
    read_ok(&v, make_file("d.nii", &m, ramp, sizeof ramp));
    assert_true(v.affines_disagree);
    m.pixdim[0] = 1;
    m.quatern[0] = 5; /* no rotation at all */
    read_ok(&v, make_file("d.nii", &m, ramp, sizeof ramp));
    assert_true(v.affines_disagree);
    tpp_volume_free(&v);
}

/* --- labels --- */

static void fill_labels(uint8_t *labels, size_t count)
{
    for (size_t i = 0; i < count; i++) labels[i] = (uint8_t)(i * 7 % 5);
}

/* The header of what was written differs from the input's in the listed bytes only. */
static void assert_header_kept(const uint8_t *was, const uint8_t *is, size_t size, int version,
                               bool dims_too)
{
    static const size_t may[2][7][2] = {
        {{70, 74}, {108, 120}, {124, 132}, {344, 348}, {40, 42}, {48, 56}, {0, 0}},
        {{12, 16}, {168, 192}, {192, 208}, {4, 12}, {16, 24}, {48, 80}, {0, 0}}};
    for (size_t i = 0; i < size; i++) {
        bool free_to_differ = false;
        for (int j = 0; j < (dims_too ? 6 : 4); j++)
            free_to_differ |= i >= may[version - 1][j][0] && i < may[version - 1][j][1];
        if (!free_to_differ && was[i] != is[i]) fail_msg("byte %zu: %d was %d", i, is[i], was[i]);
    }
}

static void labels_come_in_the_geometry_of_the_input(void **state)
{
    (void)state;
    uint8_t ramp[2 * COUNT], labels[COUNT];
    fill_labels(labels, COUNT);
    for (int n = 0; n < 8; n++) {
        maker m = make_default();
        m.version = 1 + n / 4;
        m.big = n / 2 % 2 == 1;
        m.slope = 0.5;
        m.intercept = -3;
        m.vox_offset = (double)make_start(&m) + 32; /* an extension of 32 bytes */
        make_ramp(ramp, COUNT, m.big);
        uint8_t bytes[1024] = {0};
        size_t start = make_start(&m), size = make_bytes(bytes, &m, ramp, 0) + 32;
        bytes[start - 4] = 1;
        make_int(bytes + start, 32, 4, m.big);
        make_int(bytes + start + 4, 6, 4, m.big);
        memcpy(bytes + start + 8, "a comment", 9);
        memcpy(bytes + size, ramp, sizeof ramp);
        tpp_volume v = {0}, back = {0};
        read_ok(&v, put_file("in.nii", bytes, size + sizeof ramp));
        const char *path = scratch(n % 2 == 0 ? "out.nii" : "out.nii.gz");
        ASSERT_OK(tpp_nifti_write_labels(path, &v, labels));
        read_ok(&back, path);
        assert_string_equal(back.datatype, "uint8");
        assert_int_equal(back.header_size, v.header_size);
        assert_header_kept(v.header, back.header, v.header_size, m.version, false);
        assert_memory_equal(&back.affine, &v.affine, sizeof v.affine);
        assert_memory_equal(back.dim, v.dim, sizeof v.dim);
        assert_true(back.slope == 1 && back.intercept == 0);
        for (int i = 0; i < COUNT; i++) assert_true(back.voxels[i] == (float)labels[i]);
        tpp_volume_free(&v);
        tpp_volume_free(&back);
    }
    assert_no_temporary();
}

static void labels_of_a_time_series_are_three_dimensional(void **state)
{
    (void)state;
    maker m = make_default();
    m.dim[0] = 5;
    m.dim[4] = 2;
    uint8_t ramp[4 * COUNT], labels[COUNT];
    make_ramp(ramp, 2 * COUNT, false);
    fill_labels(labels, COUNT);
    tpp_volume v = {0}, back = {0};
    ASSERT_OK(tpp_nifti_read(&v, make_file("in.nii", &m, ramp, sizeof ramp),
                             &(tpp_volume_options){.time = 0}));
    ASSERT_OK(tpp_nifti_write_labels(scratch("out.nii"), &v, labels));
    read_ok(&back, scratch("out.nii"));
    assert_int_equal(back.dim[3], 1);
    assert_int_equal(tpp_bytes_get(back.header + 40, 2, false), 3);
    assert_int_equal(tpp_bytes_get(back.header + 48, 2, false), 1);
    assert_header_kept(v.header, back.header, v.header_size, 1, true);
    tpp_volume_free(&v);
    tpp_volume_free(&back);
}

static void labels_of_pairs_and_bare_headers_are_single_files(void **state)
{
    (void)state;
    uint8_t ramp[2 * COUNT], labels[COUNT], header[544];
    make_ramp(ramp, COUNT, false);
    fill_labels(labels, COUNT);
    tpp_volume v = {0}, back = {0};
    for (int version = 1; version <= 2; version++) {
        maker m = make_default();
        m.version = version;
        m.pair = true;
        m.vox_offset = 0;
        memset(header, 0, sizeof header);
        const size_t size = make_bytes(header, &m, ramp, 0);
        for (size_t missing = 0; missing <= 4; missing += 4) { /* with and without the flag */
            put_file("p.hdr", header, size - missing);
            put_file("p.img", ramp, sizeof ramp);
            read_ok(&v, scratch("p.hdr"));
            ASSERT_OK(tpp_nifti_write_labels(scratch("out.nii"), &v, labels));
            read_ok(&back, scratch("out.nii"));
            assert_int_equal(back.header_size, size);
            assert_header_kept(header, back.header, size, version, false);
            for (int i = 0; i < COUNT; i++) assert_true(back.voxels[i] == (float)labels[i]);
        }
    }
    maker m = make_default();
    m.vox_offset = 348; /* voxels right behind the header */
    uint8_t bytes[1024] = {0};
    (void)make_bytes(bytes, &m, ramp, 0);
    memcpy(bytes + 348, ramp, sizeof ramp);
    read_ok(&v, put_file("bare.nii", bytes, 348 + sizeof ramp));
    assert_true(v.voxels[23] == 23);
    ASSERT_OK(tpp_nifti_write_labels(scratch("out.nii"), &v, labels));
    read_ok(&back, scratch("out.nii"));
    assert_int_equal(back.header_size, 352);
    tpp_volume_free(&v);
    tpp_volume_free(&back);
}

static void volumes_made_in_memory_can_be_written(void **state)
{
    (void)state;
    uint8_t labels[COUNT];
    fill_labels(labels, COUNT);
    tpp_volume v = {.dim = {4, 3, 2, 1},
                    .spacing_mm = {2, 3, 5},
                    .affine = {{{-2, 0, 0, 1}, {0, 3, 0, 2}, {0, 0, 5, 3}, {0, 0, 0, 1}}}};
    tpp_volume back = {0};
    ASSERT_OK(tpp_nifti_write_labels(scratch("made.nii.gz"), &v, labels));
    read_ok(&back, scratch("made.nii.gz"));
    assert_memory_equal(&back.affine, &v.affine, sizeof v.affine);
    assert_int_equal(back.affine_source, TPP_AFFINE_SFORM);
    for (int i = 0; i < COUNT; i++) assert_true(back.voxels[i] == (float)labels[i]);
    tpp_volume_free(&back);
    v.dim[1] = 40000;
    assert_int_equal(tpp_nifti_write_labels(scratch("wide.nii"), &v, labels), TPP_EUSAGE);
    assert_false(tpp_path_exists(scratch("wide.nii")));
}

static void the_same_labels_give_the_same_bytes(void **state)
{
    (void)state;
    uint8_t ramp[2 * COUNT], labels[COUNT];
    make_ramp(ramp, COUNT, false);
    fill_labels(labels, COUNT);
    const maker m = make_default();
    tpp_volume v = {0};
    read_ok(&v, make_file("in.nii", &m, ramp, sizeof ramp));
    size_t sizes[2] = {0};
    uint8_t *bytes[2] = {NULL};
    for (int i = 0; i < 2; i++) {
        const char *path = scratch("same.nii.gz");
        ASSERT_OK(tpp_nifti_write_labels(path, &v, labels));
        bytes[i] = get_file(path, &sizes[i]);
    }
    assert_int_equal(sizes[0], sizes[1]);
    assert_memory_equal(bytes[0], bytes[1], sizes[0]);
    tpp_free(bytes[0]);
    tpp_free(bytes[1]);
    ASSERT_FAILS(tpp_nifti_write_labels(scratch("out.img"), &v, labels), TPP_EUSAGE, "out.img",
                 ".nii.gz");
    ASSERT_FAILS(tpp_nifti_write_labels(scratch("no/folder.nii"), &v, labels), TPP_EIO, "folder",
                 "cannot write");
    tpp_volume_free(&v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_version_and_order_is_read),
        cmocka_unit_test(every_datatype_is_read),
        cmocka_unit_test(scaling_is_applied),
        cmocka_unit_test(numbers_that_are_none_are_counted),
        cmocka_unit_test(gzip_is_known_by_its_content),
        cmocka_unit_test(more_than_a_chunk_is_read),
        cmocka_unit_test(time_is_read_when_asked_for),
        cmocka_unit_test(a_clip_is_read_along_time),
        cmocka_unit_test(colours_are_read),
        cmocka_unit_test(values_are_written_as_float32),
        cmocka_unit_test(one_voxel_is_a_volume),
        cmocka_unit_test(pairs_are_read_by_either_name),
        cmocka_unit_test(quaternions_are_rotations),
        cmocka_unit_test(spacing_alone_is_said_to_be_alone),
        cmocka_unit_test(units_become_millimetres),
        cmocka_unit_test(disagreement_is_flagged),
        cmocka_unit_test(labels_come_in_the_geometry_of_the_input),
        cmocka_unit_test(labels_of_a_time_series_are_three_dimensional),
        cmocka_unit_test(labels_of_pairs_and_bare_headers_are_single_files),
        cmocka_unit_test(volumes_made_in_memory_can_be_written),
        cmocka_unit_test(the_same_labels_give_the_same_bytes),
    };
    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
