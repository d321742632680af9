/* A contour that an expert drew, measured slice by slice as a run does, against numpy: across every
 * axis, and with slices that are sheared. Real images of ../shared/data/sample (skipped without),
 * Python with nibabel in TPP_TEST_PYTHON, else /usr/bin/python3.
 * SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "../io/scratch.h"
#include "core/str.h"
#include "infer/frames.h"
#include "infer/json_file.h"
#include "infer/statistics.h"
#include "io/volume_file.h"

static const char *python(void)
{
    const char *named = getenv("TPP_TEST_PYTHON");
    return named != NULL ? named : "/usr/bin/python3";
}

/* What statistics.json would hold of `mask` over the frames. */
static void measure(const tpp_frames *f, const tpp_volume *mask, const char *out)
{
    const size_t pixels = (size_t)f->height * (size_t)f->width;
    const tpp_geometry g = tpp_geometry_of_view(&f->volume, &f->view, f->first, f->count, "HU");
    float *intensity = tpp_calloc(pixels, sizeof *intensity);
    float *labels = tpp_calloc(pixels, sizeof *labels);
    uint8_t *inside = tpp_calloc(pixels, 1);
    tpp_statistics s = {0};
    ASSERT_OK(tpp_statistics_open(&s, &g));
    for (int64_t i = 0; i < f->count; i++) {
        assert_true(tpp_frames_intensities(f, i, intensity));
        tpp_view_get_slice(&f->view, labels, mask->voxels, i);
        for (size_t p = 0; p < pixels; p++) inside[p] = labels[p] > 0;
        ASSERT_OK(tpp_statistics_add(&s, i, inside, intensity));
    }
    json_t *j = tpp_statistics_json(&s);
    assert_int_equal(json_dump_file(j, out, 0), 0);
    json_decref(j);
    tpp_statistics_close(&s);
    tpp_free(intensity);
    tpp_free(labels);
    tpp_free(inside);
}

static void compare(const char *image, const char *mask, tpp_axis axis)
{
    const tpp_frames_options o = {.axis = axis, .window = "abdomen"};
    tpp_frames f = {0};
    tpp_volume m = {0};
    ASSERT_OK(tpp_frames_open(&f, image, &o));
    ASSERT_OK(tpp_volume_read(&m, mask, NULL));
    assert_string_equal(f.modality, "CT");
    measure(&f, &m, scratch("numbers.json"));
    tpp_str command = {0};
    tpp_str_format(&command, "'%s' -W ignore '%s/tests/infer/compare_statistics.py' %s %s %s %d",
                   python(), TPP_SOURCE_DIR, image, mask, scratch("numbers.json"), f.view.axis[2]);
    const int code = system(command.text);
    tpp_str_free(&command);
    tpp_volume_free(&m);
    tpp_frames_close(&f);
    if (code == 77 << 8 || code == 127 << 8) {
        print_message("[  SKIPPED ] %s has no nibabel\n", python());
        skip();
    }
    assert_int_equal(code, 0);
}

/* The image and its mask, copied with another affine if `sheared`. */
static void compare_case(bool sheared)
{
    const char *folder = shared_or_skip("data/sample/ct/sarcoma_STS_001_CT");
    char path[2][600];
    static const char *const names[] = {"image.nii.gz", "mask.nii.gz"};
    for (int i = 0; i < 2; i++) {
        tpp_volume v = {0};
        (void)snprintf(path[i], sizeof path[i], "%s/%s", folder, names[i]);
        if (!sheared) continue;
        ASSERT_OK(tpp_volume_read(&v, path[i], NULL));
        tpp_free(v.header);
        v.header = NULL; /* a new one, which holds the affine as it is now */
        v.affine.m[1][2] += 1.2;
        (void)snprintf(path[i], sizeof path[i], "%s", scratch(names[i]));
        ASSERT_OK(tpp_volume_write_values(path[i], &v, v.voxels));
        tpp_volume_free(&v);
    }
    for (int axis = TPP_AXIS_AXIAL; axis <= TPP_AXIS_SAGITTAL; axis++)
        compare(path[0], path[1], (tpp_axis)axis);
}

static void numbers_are_numpys(void **state)
{
    (void)state;
    compare_case(false);
}

/* As of a gantry that was tilted. */
static void sheared_slices_have_the_volume_of_their_affine(void **state)
{
    (void)state;
    compare_case(true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_numpys),
        cmocka_unit_test(sheared_slices_have_the_volume_of_their_affine),
    };
    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
