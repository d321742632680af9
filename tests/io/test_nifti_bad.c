/* NIfTI files that are cut off or lie: each is refused by a message, before memory is taken.
 * SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "nifti_maker.h"

#include <math.h>

enum { COUNT = 4 * 3 * 2, VOXELS = 2 * COUNT };
static uint8_t ramp[VOXELS];

static int setup(void **state)
{
    make_ramp(ramp, COUNT, false);
    return scratch_setup(state);
}

static tpp_status try_read(const char *path)
{
    tpp_volume v = {.slope = 123};
    const tpp_status s = tpp_nifti_read(&v, path, NULL);
    if (s == TPP_OK)
        tpp_volume_free(&v);
    else
        assert_true(v.header == NULL && v.voxels == NULL && v.slope == 123); /* untouched */
    return s;
}

static void refuses(const maker *m, tpp_status status, const char *fact)
{
    const char *path = make_file("bad.nii", m, ramp, VOXELS);
    ASSERT_FAILS(try_read(path), status, path, fact);
    uint8_t bytes[1024] = {0};
    const size_t size = make_bytes(bytes, m, ramp, VOXELS);
    path = make_gzip("bad.nii.gz", bytes, size);
    ASSERT_FAILS(try_read(path), status, path, ""); /* the size of the content is not known then */
}

static void files_that_are_none_are_refused(void **state)
{
    (void)state;
    ASSERT_FAILS(try_read(scratch("absent.nii")), TPP_EIO, "absent.nii", "cannot open");
    ASSERT_FAILS(try_read(scratch_folder), TPP_EIO, scratch_folder, "regular");
    ASSERT_FAILS(try_read("/dev/zero"), TPP_EIO, "zero", "regular");
    ASSERT_FAILS(try_read(put_file("empty.nii", "", 0)), TPP_EFORMAT, "empty.nii", "ends after 0");
    uint8_t zeros[1000] = {0};
    ASSERT_FAILS(try_read(put_file("zeros.nii", zeros, sizeof zeros)), TPP_EFORMAT, "zeros.nii",
                 "no NIfTI file");
    maker m = make_default();
    uint8_t bytes[1024] = {0};
    const size_t size = make_bytes(bytes, &m, ramp, VOXELS);
    memset(bytes + 344, 0, 4); /* what is left is ANALYZE 7.5 */
    ASSERT_FAILS(try_read(put_file("analyze.nii", bytes, size)), TPP_EFORMAT, "analyze.nii",
                 "ANALYZE");
    memcpy(bytes + 344, "n+1", 4);
    make_int(bytes, 384, 4, false);
    ASSERT_FAILS(try_read(put_file("sizeof.nii", bytes, size)), TPP_EFORMAT, "sizeof.nii",
                 "sizeof_hdr is 384");
    m.version = 2;
    memset(bytes, 0, sizeof bytes);
    bytes[make_bytes(bytes, &m, ramp, VOXELS)] = 0;
    bytes[8] = '\n'; /* "\r\n" has become "\n" */
    ASSERT_FAILS(try_read(put_file("text.nii", bytes, 700)), TPP_EFORMAT, "text.nii", "as text");
}

static void every_truncation_is_seen(void **state)
{
    (void)state;
    for (int version = 1; version <= 2; version++) {
        maker m = make_default();
        m.version = version;
        m.vox_offset = (double)make_start(&m);
        uint8_t bytes[1024] = {0};
        size_t size = make_bytes(bytes, &m, ramp, VOXELS);
        for (size_t cut = 0; cut < size; cut++) {
            const char *path = put_file("cut.nii", bytes, cut);
            ASSERT_FAILS(try_read(path), TPP_EFORMAT, path, "");
        }
        uint8_t *packed = get_file(make_gzip("whole.nii.gz", bytes, size), &size);
        for (size_t cut = 0; cut < size; cut++) {
            const char *path = put_file("cut.nii.gz", packed, cut);
            ASSERT_FAILS(try_read(path), TPP_EFORMAT, path, "");
        }
        ASSERT_OK(try_read(put_file("cut.nii.gz", packed, size)));
        tpp_free(packed);
    }
}

static void dims_that_lie_are_refused(void **state)
{
    (void)state;
    static const int64_t ranks[] = {0, 8, -1, 100, 256 * 3};
    for (size_t i = 0; i < sizeof ranks / sizeof *ranks; i++) {
        maker m = make_default();
        m.dim[0] = ranks[i];
        refuses(&m, TPP_EFORMAT, "dim[0]");
    }
    for (int axis = 1; axis <= 3; axis++) {
        maker m = make_default();
        m.dim[axis] = 0;
        refuses(&m, TPP_EFORMAT, "wanted 1 to 32767");
        m.dim[axis] = -4;
        refuses(&m, TPP_EFORMAT, "wanted 1 to 32767");
        m.dim[axis] = 5; /* one more than there are, at least */
        refuses(&m, TPP_EFORMAT, "truncated");
        m.dim[axis] = 1; /* fewer */
        refuses(&m, TPP_EFORMAT, "goes on behind the voxels");
        m.dim[axis] = 32767;
        refuses(&m, TPP_EFORMAT, "truncated");
    }
    maker m = make_default();
    memcpy(m.dim, (int64_t[]){3, 32767, 32767, 32767, 1, 1, 1, 1}, sizeof m.dim);
    refuses(&m, TPP_ENOMEM, "the limit is 8589934592");
    memcpy(m.dim, (int64_t[]){4, 32767, 32767, 32767, 32767, 1, 1, 1}, sizeof m.dim);
    refuses(&m, TPP_EUSAGE, "time points");
    m = make_default();
    m.dim[0] = 5;
    m.dim[5] = 3;
    refuses(&m, TPP_EUNSUPPORTED, "dim[5] is 3");
}

static void large_dims_of_nifti2_do_not_overflow(void **state)
{
    (void)state;
    maker m = make_default();
    m.version = 2;
    m.vox_offset = 544;
    m.dim[1] = INT64_MAX;
    refuses(&m, TPP_EFORMAT, "dim[1]");
    memcpy(m.dim, (int64_t[]){3, INT32_MAX, INT32_MAX, INT32_MAX, 1, 1, 1, 1}, sizeof m.dim);
    refuses(&m, TPP_EFORMAT, "impossible product");
    memcpy(m.dim, (int64_t[]){3, INT32_MAX, INT32_MAX, 1, 1, 1, 1, 1}, sizeof m.dim);
    refuses(&m, TPP_EFORMAT, "impossible product");
    memcpy(m.dim, (int64_t[]){3, INT32_MAX, 1024, 1, 1, 1, 1, 1}, sizeof m.dim);
    refuses(&m, TPP_ENOMEM, "the limit");
    m.dim[0] = (int64_t)3 << 32;
    refuses(&m, TPP_EFORMAT, "dim[0]");
}

static void datatypes_that_lie_are_refused(void **state)
{
    (void)state;
    static const struct {
        int code, bits;
        tpp_status status;
        const char *fact;
    } cases[] = {
        {3, 16, TPP_EFORMAT, "datatype 3 is none"},
        {0, 16, TPP_EFORMAT, "datatype 0"},
        {-4, 16, TPP_EFORMAT, "datatype -4"},
        {4, 8, TPP_EFORMAT, "bitpix says 8"},
        {4, 0, TPP_EFORMAT, "bitpix says 0"},
        {2, 16, TPP_EFORMAT, "bitpix says 16"},
        {64, 64, TPP_EFORMAT, "truncated"},
        {2, 8, TPP_EFORMAT, "goes on behind"},
        {128, 32, TPP_EFORMAT, "RGB24 has 24 bits, bitpix says 32"},
        {2304, 24, TPP_EFORMAT, "RGBA32 has 32 bits, bitpix says 24"},
        {32, 64, TPP_EUNSUPPORTED, "complex64"},
        {1, 1, TPP_EUNSUPPORTED, "1-bit"},
        {1536, 128, TPP_EUNSUPPORTED, "type float128"},
        {1792, 128, TPP_EUNSUPPORTED, "complex128"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        maker m = make_default();
        m.datatype = cases[i].code;
        m.bitpix = cases[i].bits;
        refuses(&m, cases[i].status, cases[i].fact);
    }
}

static void offsets_that_lie_are_refused(void **state)
{
    (void)state;
    static const struct {
        double offset;
        const char *fact;
    } cases[] = {{NAN, "vox_offset is nan"},
                 {INFINITY, "vox_offset is inf"},
                 {-INFINITY, "vox_offset is -inf"},
                 {-352, "vox_offset is -352"},
                 {0, "vox_offset is 0"},
                 {347, "vox_offset is 347"},
                 {352.5, "vox_offset is 352.5"},
                 {1e30, "vox_offset is 1e+30"},
                 {353, "truncated"},
                 {400, "truncated"},
                 {401, "behind the end"},
                 {100e6, "behind the end"},
                 {350, "goes on behind"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        maker m = make_default();
        m.vox_offset = cases[i].offset;
        refuses(&m, TPP_EFORMAT, cases[i].fact);
    }
    maker m = make_default();
    m.version = 2;
    m.vox_offset = 539;
    refuses(&m, TPP_EFORMAT, "vox_offset is 539");
    m.vox_offset = 9e18;
    refuses(&m, TPP_EFORMAT, "vox_offset is 9e+18");
}

static void scaling_that_is_none_is_refused(void **state)
{
    (void)state;
    maker m = make_default();
    m.slope = 1;
    m.intercept = NAN;
    refuses(&m, TPP_EFORMAT, "scl_inter");
}

static void affines_that_span_no_space_are_refused(void **state)
{
    (void)state;
    static const double bad[][12] = {
        {0},
        {2, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0},            /* no third axis */
        {2, 4, 0, 0, 0, 0, 0, 0, 0, 0, 5, 0},            /* two axes along x */
        {1, 1, 2, 0, 1, -1, 0, 0, 1, 1, 2, 0},           /* c = a + b */
        {1e-30, 0, 0, 0, 0, 1e-30, 0, 0, 0, 0, 1e-6, 0}, /* so small that its volume is 0 */
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        maker m = make_default();
        memcpy(m.srow, bad[i], sizeof m.srow);
        if (i == 4) m.srow[0] = m.srow[5] = 0;
        refuses(&m, TPP_EFORMAT, "(sform) is singular");
    }
    for (int i = 0; i < 12; i++) {
        maker m = make_default();
        m.srow[i] = i % 2 == 0 ? NAN : INFINITY;
        refuses(&m, TPP_EFORMAT, "affine (sform) holds");
    }
    maker m = make_default();
    m.sform_code = 0;
    m.qform_code = 1;
    m.quatern[1] = 1.2;
    refuses(&m, TPP_EFORMAT, "longer than 1");
    m.quatern[1] = NAN;
    refuses(&m, TPP_EFORMAT, "longer than 1");
    m.quatern[1] = 0;
    m.qoffset[2] = NAN;
    refuses(&m, TPP_EFORMAT, "affine (qform) holds nan in row 3");
    m.qoffset[2] = 0;
    static const double spacings[] = {0, -2, NAN, INFINITY};
    for (int i = 0; i < 8; i++) {
        m.qform_code = i / 4;
        m.pixdim[2] = spacings[i % 4];
        refuses(&m, TPP_EFORMAT, "pixdim[2]");
    }
}

static void what_follows_the_voxels_is_looked_at(void **state)
{
    (void)state;
    enum { PADDING = 4096, START = 352 };
    maker m = make_default();
    static uint8_t bytes[START + VOXELS + PADDING + 1];
    const size_t size = make_bytes(bytes, &m, ramp, VOXELS);
    ASSERT_OK(try_read(put_file("padded.nii", bytes, size + PADDING)));
    ASSERT_OK(try_read(make_gzip("padded.nii.gz", bytes, size + PADDING)));
    const char *path = put_file("padded.nii", bytes, size + PADDING + 1);
    ASSERT_FAILS(try_read(path), TPP_EFORMAT, path, "goes on behind");
    path = make_gzip("padded.nii.gz", bytes, size + PADDING + 1);
    ASSERT_FAILS(try_read(path), TPP_EFORMAT, path, "goes on behind");
    bytes[size + 100] = 1;
    path = put_file("junk.nii", bytes, size + 101);
    ASSERT_FAILS(try_read(path), TPP_EFORMAT, path, "goes on behind");
}

/* A stream that promises to go on and is broken 1 MiB later: whoever had followed it beyond the
 * header's promise would have met the break. */
static void gzip_that_never_ends_is_not_followed(void **state)
{
    (void)state;
    enum { MORE = 64 << 20 };
    maker m = make_default();
    uint8_t *bytes = tpp_calloc(MORE, 1);
    const size_t start = make_bytes(bytes, &m, ramp, VOXELS);
    size_t size = 0;
    uint8_t *packed = get_file(make_gzip("endless.nii.gz", bytes, start + MORE / 2), &size);
    packed[size / 2] ^= 0xFF;
    const char *path = put_file("endless.nii.gz", packed, size / 2 + 1);
    ASSERT_FAILS(try_read(path), TPP_EFORMAT, path, "goes on behind");
    tpp_free(packed);
    /* The other way round: a promise that no stream of this length can keep. */
    memcpy(m.dim, (int64_t[]){3, 2048, 1024, 512, 1, 1, 1, 1}, sizeof m.dim);
    (void)make_bytes(bytes, &m, ramp, VOXELS);
    path = make_gzip("bomb.nii.gz", bytes, start);
    ASSERT_FAILS(try_read(path), TPP_EFORMAT, path, "truncated");
    tpp_free(bytes);
}

static void limits_are_the_callers(void **state)
{
    (void)state;
    const maker m = make_default();
    const char *path = make_file("limit.nii", &m, ramp, VOXELS);
    tpp_volume v = {0};
    ASSERT_OK(tpp_nifti_read(&v, path, &(tpp_volume_options){.max_bytes = 4 * COUNT}));
    tpp_volume_free(&v);
    ASSERT_FAILS(tpp_nifti_read(&v, path, &(tpp_volume_options){.max_bytes = 4 * COUNT - 1}),
                 TPP_ENOMEM, path, "the limit is 95");
    assert_null(v.voxels);
}

static void memory_may_run_out_anywhere(void **state)
{
    (void)state;
    maker m = make_default();
    m.pair = true;
    m.vox_offset = 0;
    uint8_t header[352] = {0}, labels[COUNT] = {0};
    put_file("m.hdr", header, make_bytes(header, &m, ramp, 0));
    put_file("m.img", ramp, VOXELS);
    tpp_volume v = {0};
    int64_t n = 0;
    for (tpp_status s = TPP_ENOMEM; s != TPP_OK; n++) {
        tpp_alloc_fail_after(n);
        s = tpp_nifti_read(&v, scratch("m.img"), NULL);
        tpp_alloc_fail_after(-1);
        if (s != TPP_OK) assert_null(v.header);
        assert_in_range(n, 0, 100);
    }
    assert_in_range(n, 8, 100);
    const char *path = scratch("labels.nii.gz");
    n = 0;
    for (tpp_status s = TPP_ENOMEM; s != TPP_OK; n++) {
        assert_false(tpp_path_exists(path));
        tpp_alloc_fail_after(n);
        s = tpp_nifti_write_labels(path, &v, labels);
        tpp_alloc_fail_after(-1);
        assert_true(s == TPP_OK || s == TPP_ENOMEM);
        assert_no_temporary();
    }
    assert_in_range(n, 4, 100);
    tpp_volume_free(&v);
}

/* Whatever changed bytes do, it ends in a volume that is all there, or in a message. */
static void changed_bytes_do_no_harm(void **state)
{
    (void)state;
    uint64_t seed = 99;
    int opened = 0;
    for (int round = 0; round < 4000; round++) {
        maker m = make_default();
        m.version = 1 + round % 2;
        m.qform_code = round / 2 % 2;
        m.vox_offset = (double)make_start(&m);
        uint8_t bytes[1024] = {0};
        const size_t size = make_bytes(bytes, &m, ramp, VOXELS);
        for (uint64_t n = next_random(&seed) % 3 + 1; n > 0; n--)
            bytes[next_random(&seed) % make_start(&m)] = (uint8_t)next_random(&seed);
        tpp_volume v = {0};
        const tpp_volume_options o = {.time = 0, .max_bytes = 1 << 20};
        if (tpp_nifti_read(&v, put_file("changed.nii", bytes, size), &o) == TPP_OK) {
            opened++;
            assert_int_equal(v.voxel_count, v.dim[0] * v.dim[1] * v.dim[2]);
            for (int i = 0; i < 3; i++) assert_true(isfinite(v.spacing_mm[i]));
            for (int i = 0; i < 16; i++) assert_true(isfinite(v.affine.m[i / 4][i % 4]));
        }
        tpp_volume_free(&v);
    }
    assert_in_range(opened, 100, 3900);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_that_are_none_are_refused),
        cmocka_unit_test(every_truncation_is_seen),
        cmocka_unit_test(dims_that_lie_are_refused),
        cmocka_unit_test(large_dims_of_nifti2_do_not_overflow),
        cmocka_unit_test(datatypes_that_lie_are_refused),
        cmocka_unit_test(offsets_that_lie_are_refused),
        cmocka_unit_test(scaling_that_is_none_is_refused),
        cmocka_unit_test(affines_that_span_no_space_are_refused),
        cmocka_unit_test(what_follows_the_voxels_is_looked_at),
        cmocka_unit_test(gzip_that_never_ends_is_not_followed),
        cmocka_unit_test(limits_are_the_callers),
        cmocka_unit_test(memory_may_run_out_anywhere),
        cmocka_unit_test(changed_bytes_do_no_harm),
    };
    return cmocka_run_group_tests(tests, setup, scratch_teardown);
}
