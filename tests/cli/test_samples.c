/* tpp segment over real images of every kind: ../shared/data/sample, which is no part of the
 * repository (skipped without it). Geometry is judged by nibabel and SimpleITK where
 * TPP_TEST_PYTHON, else /usr/bin/python3, has them; seg.dcm by dciodvfy and highdicom.
 * SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "io/dicom.h"
#include "io/png.h"
#include "io/video.h"
#include "io/volume_file.h"
#include "program.h"

#include <jansson.h>

static char sample[256]; /* the folder */

static const char *python(void)
{
    const char *named = getenv("TPP_TEST_PYTHON");
    return named != NULL ? named : "/usr/bin/python3";
}

/* Is there what `command` asks for? Says what is not checked. */
static bool there_is(const char *what, const char *command)
{
    if (shell(command) == 0) return true;
    print_message("[  PARTLY  ] not checked: %s is not there\n", what);
    return false;
}

static json_t *report(void)
{
    json_error_t error;
    json_t *j = json_load_file(scratch("out/report.json"), JSON_REJECT_DUPLICATES, &error);
    if (j == NULL) fail_msg("report.json: %s", error.text);
    return j;
}

/* Pixels of all masks. */
static int64_t pixels_found(void)
{
    json_t *j = report();
    const json_t *pixels = json_object_get(json_object_get(j, "summary"), "pixels");
    const int64_t n = json_integer_value(pixels);
    json_decref(j);
    return n;
}

static void segment(const char *input, const char *options)
{
    EXPECT_OK("rm -rf out; tpp segment -i '%s/%s' %s -o out --model model "
              "-p 'a bright disc' -p 'the round thing in the middle'",
              sample, input, options);
}

/* Label file and input by nibabel and SimpleITK; exit code 77: neither is there. */
static void compare_geometry(const char *input, const char *labels)
{
    static bool told;
    const int code = program("'%s' -W ignore '%s/tests/cli/compare_geometry.py' '%s/%s' %s %d",
                             python(), TPP_SOURCE_DIR, sample, input, labels, (int)pixels_found());
    if ((code == 77 || code == 127) && !told) {
        print_message("[  PARTLY  ] not checked: geometry; %s has neither nibabel nor SimpleITK\n",
                      python());
        told = true;
    } else if (code != 77 && code != 127 && code != 0) {
        fail_msg("%s: %s", input, program_err);
    }
}

/* ---- volumes ---- */

typedef struct volume_case {
    const char *input, *options, *labels;
} volume_case;

static void volumes_keep_their_geometry(void **state)
{
    (void)state;
    static const volume_case cases[] = {
        {"ct/totalseg/ct_sm.nii.gz", "", "out/seg.nii.gz"},
        {"ct/totalseg/ct_sm.nii.gz", "--axis coronal --frames 40:60", "out/seg.nii.gz"},
        {"ct/totalseg/ct_sm.nii.gz", "--axis sagittal --start auto --frames 50:60 --window lung",
         "out/seg.nii.gz"},
        {"ct/totalseg_dicom", "--modality ct", "out/seg.nii.gz"},
        {"ct/lung_elastix/image.mha", "--window lung", "out/seg.mha"},
        {"ct/sarcoma_STS_001_CT/image.nii.gz", "", "out/seg.nii.gz"},
        {"pet/sarcoma_STS_001_PET/image.nii.gz", "--modality pet", "out/seg.nii.gz"},
        {"mr/hippocampus/images/hippocampus_001.nii.gz", "--modality mri", "out/seg.nii.gz"},
        {"mr/hippocampus/images/hippocampus_003.nii.gz", "", "out/seg.nii.gz"},
        {"mr/hippocampus/images/hippocampus_004.nii.gz", "", "out/seg.nii.gz"},
        {"mr/hippocampus/images/hippocampus_006.nii.gz", "", "out/seg.nii.gz"},
        {"mr/hippocampus/images/hippocampus_007.nii.gz", "", "out/seg.nii.gz"},
        {"mr/prostate_case000000/image.nii.gz", "", "out/seg.nii.gz"},
        {"mr/prostate_case000001/image.nii.gz", "--percentile 1:99", "out/seg.nii.gz"},
        {"mr/prostate_case000003/image.nii.gz", "", "out/seg.nii.gz"},
        {"mr/prostate_case000004/image.nii.gz", "", "out/seg.nii.gz"},
        {"ultrasound/bone_L14/BoneUltrasound_L14.igs.mha", "--modality us", "out/seg.mha"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (tpp_dicom_library() == NULL && strstr(cases[i].input, "dicom") != NULL) continue;
        segment(cases[i].input, cases[i].options);
        compare_geometry(cases[i].input, cases[i].labels);
    }
    assert_true(pixels_found() > 0); /* else nothing was compared but zeros */
    remove_out();
}

static void a_series_gives_a_dicom_seg(void **state)
{
    (void)state;
    if (tpp_dicom_library() == NULL) {
        print_message("[  SKIPPED ] built without DICOM\n");
        skip();
    }
    segment("ct/totalseg_dicom", "");
    assert_null(strstr(program_err, ".tmp.")); /* warnings go into the report */
    if (there_is("dciodvfy", "command -v dciodvfy >/dev/null") &&
        shell("dciodvfy out/seg.dcm 2>&1 | grep -E '^(Error|Abort)' >&2") == 0)
        fail_msg("dciodvfy: %s", program_err);
    char command[512];
    (void)snprintf(command, sizeof command, "'%s' -c 'import highdicom'", python());
    if (!there_is("highdicom in TPP_TEST_PYTHON", command)) return;
    tpp_volume v = {0};
    ASSERT_OK(tpp_volume_read(&v, scratch("out/seg.nii.gz"), NULL));
    uint8_t *labels = tpp_calloc((size_t)v.voxel_count, 1);
    for (int64_t k = 0; k < v.voxel_count; k++) labels[k] = (uint8_t)v.voxels[k];
    (void)put_file("labels.raw", labels, (size_t)v.voxel_count);
    EXPECT_OK("'%s' -W ignore %s/tests/io/dicom_seg_check.py out/seg.dcm labels.raw %d %.9g %.9g 1",
              python(), TPP_SOURCE_DIR, (int)v.dim[2], v.affine.m[2][3], v.affine.m[2][2]);
    tpp_free(labels);
    tpp_volume_free(&v);
    remove_out();
}

/* ---- pictures and videos ---- */

static void assert_mask_size(const char *name, int height, int width)
{
    tpp_image mask = {0};
    ASSERT_OK(tpp_png_read(&mask, scratch(name)));
    assert_true(mask.height == height && mask.width == width && mask.channels == 1);
    tpp_image_free(&mask);
}

static void pictures_keep_their_names_and_sizes(void **state)
{
    (void)state;
    segment("endoscopy/vocalfolds_seq1/img", "--modality endoscopy");
    EXPECT_OK("ls '%s/endoscopy/vocalfolds_seq1/img' > names; ls out/masks | diff names -", sample);
    assert_mask_size("out/masks/0001.png", 512, 512);
    remove_out();
}

static void a_video_gives_a_mask_for_every_frame(void **state)
{
    (void)state;
    if (tpp_video_library() == NULL) {
        print_message("[  SKIPPED ] built without videos\n");
        skip();
    }
    segment("ultrasound/liver_sweep/liver_sweep.h264", "--modality us --frames 100:");
    EXPECT_OK("ls out/masks | wc -l; ls out/masks | sed -n '1p;$p'");
    assert_string_equal(program_out, "40\n00100.png\n00139.png\n");
    assert_mask_size("out/masks/00139.png", 593, 739);
    remove_out();
}

/* ---- files for readers ---- */

/* How each file of formats/ is taken: `refusal`, or `labels` (NULL: not by SimpleITK, which has
 * another opinion of what such DICOM files state). */
static const struct {
    const char *name, *options, *refusal, *labels;
} formats[] = {
    {"dicom/693_UNCI.dcm", "", NULL, NULL},
    {"dicom/OBXXXX1A_2frame.dcm", "", NULL, NULL},
    {"dicom/US1_J2KI.dcm", "", NULL, NULL},
    {"dicom/eCT_Supplemental.dcm", "", NULL, NULL},
    {"dicom/emri_small.dcm", "", NULL, NULL},
    {"dicom/emri_small_jpeg_2k_lossless.dcm", "", NULL, NULL},
    {"dicom/gdcm-US-ALOKA-16.dcm", "", NULL, NULL},
    {"dicom/liver.dcm", "", "a segmentation (SEG), which is not read; wanted the images", NULL},
    {"dicom/multiframe-test1_GPL.dcm", "", NULL, NULL},
    {"nifti/anatomical.nii", "", NULL, "out/seg.nii.gz"},
    {"nifti/example4d.nii.gz", "", "2 time points; choose one with --time T, 0 to 1", NULL},
    {"nifti/example4d.nii.gz", "--time 1", NULL, "out/seg.nii.gz"},
    {"nifti/example_nifti2.nii.gz", "", "2 time points; choose one with --time T, 0 to 1", NULL},
    {"nifti/example_nifti2.nii.gz", "--time 0", NULL, "out/seg.nii.gz"},
    {"nifti/functional.nii", "", "20 time points; choose one with --time T, 0 to 19", NULL},
    {"nifti/functional.nii", "--time 19", NULL, "out/seg.nii.gz"},
    {"nifti/functional.nii", "--time 20", "no time point 20; the file has 20", NULL},
    {"nifti/nifti1.hdr", "", "no .img is beside it", NULL},
    {"nifti/nifti2.hdr", "", "no .img is beside it", NULL},
    {"plus/BkCurvilinearScanConvertedData.igs.mha", "", NULL, "out/seg.mha"},
    {"plus/ColorNrrdSample.igs.nrrd", "", NULL, "out/seg.nrrd"},
    {"plus/NrrdSample.igs.nrrd", "", NULL, "out/seg.nrrd"},
    {"plus/Prostate10_video.igs.mhd", "", NULL, "out/seg.mha"},
    {"plus/Prostate10_video.raw", "", "give the .mhd or .nhdr file", NULL},
    {"plus/SegmentationTest_BKMedical_RandomStepperMotionData2_Trimmed.igs.mha", "", NULL,
     "out/seg.mha"},
};
enum { FORMATS = sizeof formats / sizeof *formats };

static void every_format_is_read_or_refused_with_advice(void **state)
{
    (void)state;
    for (size_t i = 0; i < FORMATS; i++) {
        char input[256];
        (void)snprintf(input, sizeof input, "formats/%s", formats[i].name);
        const bool dicom = strncmp(formats[i].name, "dicom/", 6) == 0;
        if (dicom && tpp_dicom_library() == NULL) continue;
        if (formats[i].refusal != NULL) {
            EXPECT_FAILS(2, formats[i].refusal, "tpp segment -i '%s/%s' %s -o out -m model -p disc",
                         sample, input, formats[i].options);
            assert_non_null(strstr(program_err, formats[i].name));
            continue;
        }
        segment(input, formats[i].options);
        if (dicom) assert_true(file_is_there("out/seg.dcm"));
        if (formats[i].labels != NULL) compare_geometry(input, formats[i].labels);
        remove_out();
    }
}

static void the_table_of_formats_is_whole(void **state)
{
    (void)state;
    static const char *const folders[] = {"dicom", "nifti", "plus"};
    for (int f = 0; f < 3; f++) {
        EXPECT_OK("cd '%s/formats' && ls -d %s/*", sample, folders[f]);
        for (char *at = strtok(program_out, "\n"); at != NULL; at = strtok(NULL, "\n")) {
            bool known = false;
            for (size_t i = 0; i < FORMATS; i++) known = known || strcmp(formats[i].name, at) == 0;
            if (!known) fail_msg("%s is not tested", at);
        }
    }
}

/* ---- what is told of it ---- */

/* An MR with three voxels below -500 is no CT; one that is called CT has Hounsfield units. */
static void numbers_know_what_they_are(void **state)
{
    (void)state;
    segment("formats/nifti/anatomical.nii", "");
    json_t *j = report();
    const json_t *input = json_object_get(j, "input");
    assert_string_equal(json_string_value(json_object_get(input, "modality")), "");
    json_decref(j);
    segment("ct/totalseg/ct_sm.nii.gz", "--window 20%:80%");
    EXPECT_OK("grep -c '\"unit\": *\"HU\"' out/statistics.json");
    segment("ultrasound/bone_L14/BoneUltrasound_L14.igs.mha", "--frames 0:2");
    EXPECT_OK("! grep -q volume_ml out/report.json"); /* frames are moments */
    if (tpp_dicom_library() == NULL) return;
    segment("formats/dicom/US1_J2KI.dcm", "");
    EXPECT_OK("grep -c '\"area_mm2\": *null' out/statistics.json"); /* states no spacing */
    remove_out();
}

static int setup(void **state)
{
    if (program_setup(state) != 0) return -1;
    (void)snprintf(sample, sizeof sample, "%s/../shared/data/sample", TPP_SOURCE_DIR);
    return 0;
}

/* Every test of this file. */
static int needs_samples(void **state)
{
    (void)shared_or_skip("data/sample/manifest.json");
    return start_clean(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(volumes_keep_their_geometry, needs_samples),
        cmocka_unit_test_setup(a_series_gives_a_dicom_seg, needs_samples),
        cmocka_unit_test_setup(pictures_keep_their_names_and_sizes, needs_samples),
        cmocka_unit_test_setup(a_video_gives_a_mask_for_every_frame, needs_samples),
        cmocka_unit_test_setup(every_format_is_read_or_refused_with_advice, needs_samples),
        cmocka_unit_test_setup(the_table_of_formats_is_whole, needs_samples),
        cmocka_unit_test_setup(numbers_know_what_they_are, needs_samples),
    };
    return cmocka_run_group_tests(tests, setup, scratch_teardown);
}
