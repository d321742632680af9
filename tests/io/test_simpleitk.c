/* Our NRRD and MetaImage against SimpleITK's: voxels, affines, and the label volumes we write, as
 * it reads them. Python is TPP_TEST_PYTHON, else /usr/bin/python3; skipped where SimpleITK is not
 * there. SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "core/str.h"
#include "text_maker.h"

#include <math.h>

enum { CASES = 48 };

static const char *python(void)
{
    const char *named = getenv("TPP_TEST_PYTHON");
    return named != NULL ? named : "/usr/bin/python3";
}

static void skip_without_simpleitk(void)
{
    tpp_str s = {0};
    tpp_str_format(&s, "%s -c 'import SimpleITK, numpy' >/dev/null 2>&1", python());
    const int code = system(s.text);
    tpp_str_free(&s);
    if (code == 0) return;
    print_message("[  SKIPPED ] SimpleITK is not installed for %s\n", python());
    skip();
}

/* Runs simpleitk_cases.py; its complaints go to standard error. */
static int run_cases(const char *verb, const char *first, const char *second)
{
    tpp_str s = {0};
    tpp_str_format(&s, "%s -W ignore %s/tests/io/simpleitk_cases.py %s '%s' '%s' >/dev/null",
                   python(), TPP_SOURCE_DIR, verb, first, second);
    const int code = system(s.text);
    tpp_str_free(&s);
    return code;
}

static void compare(const tpp_volume *v, const char *path, const char *want_path)
{
    size_t size = 0;
    uint8_t *want = get_file(want_path, &size);
    const uint8_t *p = want;
    for (int i = 0; i < 3; i++, p += 4) assert_int_equal(v->dim[i], tpp_bytes_get(p, 4, false));
    for (int i = 0; i < 12; i++, p += 8) {
        const double a = tpp_bits_double(tpp_bytes_get(p, 8, false));
        if (fabs(v->affine.m[i / 4][i % 4] - a) > 1e-9 * fmax(1, fabs(a)))
            fail_msg("%s: affine %d is %g, SimpleITK has %g", path, i, v->affine.m[i / 4][i % 4],
                     a);
    }
    const int64_t channels = (int64_t)tpp_bytes_get(p, 4, false);
    p += 4;
    assert_int_equal(v->channels, channels);
    for (int64_t i = 0; i < v->voxel_count * channels; i++, p += 4) {
        const float x = tpp_bits_float((uint32_t)tpp_bytes_get(p, 4, false));
        if (v->voxels[i] != x)
            fail_msg("%s: value %ld is %g, SimpleITK has %g", path, (long)i, (double)v->voxels[i],
                     (double)x);
    }
    assert_ptr_equal(p, want + size);
    tpp_free(want);
}

/* What SimpleITK makes of labels in the volume's geometry. */
static void write_and_check(const tpp_volume *v, const char *path, const char *verb)
{
    uint8_t *labels = tpp_calloc((size_t)v->voxel_count, 1);
    for (int64_t i = 0; i < v->voxel_count; i++) labels[i] = (uint8_t)(i % 251);
    char name[32];
    (void)snprintf(name, sizeof name, "labels%s", tpp_volume_suffix(v));
    const char *out = scratch(name);
    ASSERT_OK(tpp_volume_write_labels(out, v, labels));
    if (run_cases(verb, path, out) != 0) fail_msg("SimpleITK refuses labels of %s", path);
    tpp_free(labels);
}

static void made_files_agree(void **state)
{
    (void)state;
    static const char *const ends[] = {"nrrd", "nhdr", "mha", "mhd"};
    skip_without_simpleitk();
    assert_int_equal(run_cases("make", scratch_folder, ""), 0);
    for (int n = 0; n < CASES; n++)
        for (int e = 0; e < 4; e++) {
            char name[32], want[32];
            (void)snprintf(name, sizeof name, "%d.%s", n, ends[e]);
            (void)snprintf(want, sizeof want, "%d.want", n);
            const char *path = scratch(name), *want_path = scratch(want);
            tpp_volume v = {0};
            read_volume(&v, path);
            compare(&v, path, want_path);
            if (n % 12 == e) write_and_check(&v, path, "check"); /* another start of Python */
            tpp_volume_free(&v);
        }
}

static void shared_files_agree(void **state)
{
    (void)state;
    static const char *const names[] = {
        "ct/lung_elastix/image.mha",
        "ct/lung_elastix/mask.mha",
        "ultrasound/bone_L14/BoneUltrasound_L14.igs.mha",
        "formats/plus/SegmentationTest_BKMedical_RandomStepperMotionData2_Trimmed.igs.mha",
        "formats/plus/Prostate10_video.igs.mhd",
    };
    skip_without_simpleitk();
    char *folder = tpp_strdup(shared_or_skip("data/sample"));
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char *path = tpp_path_join(folder, names[i]);
        const char *want = scratch("real.want");
        tpp_volume v = {0};
        assert_int_equal(run_cases("want", path, want), 0);
        read_volume(&v, path);
        compare(&v, path, want);
        write_and_check(&v, path, "check");
        tpp_volume_free(&v);
        tpp_free(path);
    }
    tpp_free(folder);
}

/* Four axes in, three out. */
static void time_leaves_the_geometry(void **state)
{
    (void)state;
    static const char header[] = "ObjectType = Image\nNDims = 4\nBinaryData = True\n"
                                 "BinaryDataByteOrderMSB = False\nCompressedData = False\n"
                                 "TransformMatrix = 0 1 0 0 1 0 0 0 0 0 1 0 0 0 0 1\n"
                                 "Offset = 1 2 3 0\nElementSpacing = 2 3 5 1\n"
                                 "DimSize = 4 3 2 3\nElementType = MET_UCHAR\n"
                                 "ElementDataFile = LOCAL\n";
    skip_without_simpleitk();
    static const uint8_t bytes[72];
    const char *path = put_text("time.mha", header, bytes, sizeof bytes);
    tpp_volume v = {0};
    ASSERT_OK(tpp_volume_read(&v, path, &(tpp_volume_options){.time = 0}));
    write_and_check(&v, path, "check3");
    tpp_volume_free(&v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(made_files_agree),
        cmocka_unit_test(shared_files_agree),
        cmocka_unit_test(time_leaves_the_geometry),
    };
    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
