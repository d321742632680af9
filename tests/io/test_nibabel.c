/* Our NIfTI against python3-nibabel's: voxels, affines, canonical slices, and the label volumes
 * we write, as it reads them. Skipped where nibabel is not installed.
 * SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "core/str.h"
#include "io/bytes.h"
#include "io/nifti.h"
#include "io/orientation.h"
#include "scratch.h"

#include <math.h>

static const char python[] = "/usr/bin/python3";

static void skip_without_nibabel(void)
{
    if (system("/usr/bin/python3 -c 'import nibabel' >/dev/null 2>&1") == 0) return;
    print_message("[  SKIPPED ] python3-nibabel is not installed\n");
    skip();
}

/* Runs nibabel_cases.py; its complaints go to standard error. */
static int run_cases(const char *verb, const char *first, const char *second)
{
    tpp_str s = {0};
    tpp_str_format(&s, "%s -W ignore %s/tests/io/nibabel_cases.py %s '%s' '%s' >/dev/null", python,
                   TPP_SOURCE_DIR, verb, first, second);
    const int code = system(s.text);
    tpp_str_free(&s);
    return code;
}

static int64_t take_int(const uint8_t **p)
{
    const int64_t v = (int32_t)tpp_bytes_get(*p, 4, false);
    *p += 4;
    return v;
}

static float take_float(const uint8_t **p)
{
    const float v = tpp_bits_float((uint32_t)tpp_bytes_get(*p, 4, false));
    *p += 4;
    return v;
}

static void assert_same(float got, float want, const char *path, int64_t at)
{
    if (got == want || (isnan(got) && isnan(want))) return;
    if (fabsf(got - want) <= 1e-6f * fabsf(want)) return; /* order of rounding in slope*x + inter */
    fail_msg("%s: value %ld is %g, nibabel has %g", path, (long)at, (double)got, (double)want);
}

static void compare(const tpp_volume *v, const char *path, const char *want_path)
{
    size_t size = 0;
    uint8_t *want = get_file(want_path, &size);
    const uint8_t *p = want;
    for (int i = 0; i < 3; i++) assert_int_equal(v->dim[i], take_int(&p));
    for (int i = 0; i < 16; i++, p += 8) {
        const double a = tpp_bits_double(tpp_bytes_get(p, 8, false));
        if (fabs(v->affine.m[i / 4][i % 4] - a) > 1e-5 * fmax(1, fabs(a)))
            fail_msg("%s: affine %d is %g, nibabel has %g", path, i, v->affine.m[i / 4][i % 4], a);
    }
    for (int64_t i = 0; i < v->voxel_count; i++) assert_same(v->voxels[i], take_float(&p), path, i);
    const tpp_orientation o = tpp_orientation_from_affine(&v->affine);
    const tpp_view view = tpp_orientation_view(&o, v->dim, v->spacing_mm);
    for (int i = 0; i < 3; i++) assert_int_equal(view.dim[i], take_int(&p));
    const int64_t pixels = view.dim[0] * view.dim[1];
    float *slice = tpp_calloc((size_t)pixels, sizeof *slice);
    for (int64_t k = 0; k < view.dim[2]; k++) {
        tpp_view_get_slice(&view, slice, v->voxels, k);
        for (int64_t i = 0; i < pixels; i++) assert_same(slice[i], take_float(&p), path, i);
    }
    assert_ptr_equal(p, want + size);
    tpp_free(slice);
    tpp_free(want);
}

/* Reads, compares with `want_path`, writes labels both ways and lets nibabel judge them. */
static void read_compare_write(const char *path, const char *want_path)
{
    tpp_volume v = {0};
    ASSERT_OK(tpp_nifti_read(&v, path, &(tpp_volume_options){.time = 0}));
    compare(&v, path, want_path);
    uint8_t *labels = tpp_calloc((size_t)v.voxel_count, 1);
    for (int64_t i = 0; i < v.voxel_count; i++) labels[i] = (uint8_t)(i % 5);
    const char *out[] = {scratch("labels.nii"), scratch("labels.nii.gz")};
    for (int i = 0; i < 2; i++) {
        ASSERT_OK(tpp_nifti_write_labels(out[i], &v, labels));
        if (run_cases("check", path, out[i]) != 0) fail_msg("nibabel refuses labels of %s", path);
    }
    tpp_free(labels);
    tpp_volume_free(&v);
}

static void made_files_agree(void **state)
{
    (void)state;
    enum { CASES = 48 };
    skip_without_nibabel();
    assert_int_equal(run_cases("make", scratch_folder, ""), 0);
    for (int n = 0; n < CASES; n++) {
        char name[32], want[32];
        (void)snprintf(name, sizeof name, "%d.nii%s", n, n % 3 == 1 ? ".gz" : "");
        (void)snprintf(want, sizeof want, "%d.want", n);
        const char *path = scratch(name), *want_path = scratch(want);
        if (n % 8 < 2) { /* writing as well takes two more starts of Python */
            read_compare_write(path, want_path);
            continue;
        }
        tpp_volume v = {0};
        ASSERT_OK(tpp_nifti_read(&v, path, NULL));
        compare(&v, path, want_path);
        tpp_volume_free(&v);
    }
}

static void real_file_agrees(const char *path)
{
    const char *want = scratch("real.want");
    assert_int_equal(run_cases("want", path, want), 0);
    read_compare_write(path, want);
}

static void shared_files_agree(void **state)
{
    (void)state;
    static const char *const names[] = {
        "formats/nifti/anatomical.nii",
        "formats/nifti/functional.nii",
        "formats/nifti/example4d.nii.gz",
        "formats/nifti/example_nifti2.nii.gz",
        "ct/totalseg/ct.nii.gz",
        "ct/totalseg/seg.nii.gz",
        "ct/sarcoma_STS_001_CT/image.nii.gz",
        "mr/hippocampus/images/hippocampus_001.nii.gz",
        "mr/spinalcord_t2s/image.nii.gz",
    };
    skip_without_nibabel();
    char *folder = tpp_strdup(shared_or_skip("data/sample"));
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char *path = tpp_path_join(folder, names[i]);
        real_file_agrees(path);
        tpp_free(path);
    }
    tpp_free(folder);
}

static void brain_of_mricron_agrees(void **state)
{
    (void)state;
    static const char path[] = "/usr/share/mricron/templates/ch2.nii.gz";
    skip_without_nibabel();
    if (!tpp_path_exists(path)) {
        print_message("[  SKIPPED ] mricron-data is not installed\n");
        skip();
    }
    real_file_agrees(path);
}

static void headers_without_voxels_say_so(void **state)
{
    (void)state;
    static const char *const names[] = {"nifti1.hdr", "nifti2.hdr"};
    char *folder = tpp_strdup(shared_or_skip("data/sample/formats/nifti"));
    for (int i = 0; i < 2; i++) {
        char *path = tpp_path_join(folder, names[i]);
        tpp_volume v = {0};
        ASSERT_FAILS(tpp_nifti_read(&v, path, NULL), TPP_EIO, path, "no .img is beside it");
        ASSERT_OK(tpp_nifti_read(&v, path, &(tpp_volume_options){.header_only = true}));
        assert_int_equal(v.dim[0] * 1000000 + v.dim[1] * 1000 + v.dim[2], 91109091);
        tpp_volume_free(&v);
        tpp_free(path);
    }
    tpp_free(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(made_files_agree),
        cmocka_unit_test(shared_files_agree),
        cmocka_unit_test(brain_of_mricron_agrees),
        cmocka_unit_test(headers_without_voxels_say_so),
    };
    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
