/* Volumes as sequences: which axis slices are cut across, moments, time points, colours, windows by
 * what a file is.
 * SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "../io/nifti_maker.h"
#include "../io/text_maker.h"
#include "infer/frames.h"
#include "mask_writer.h"

#include <math.h>

enum { NX = 4, NY = 3, NZ = 2, COUNT = NX * NY * NZ };

/* int16 from 0 on, steps in millimetres. */
static const char *volume_of(double x, double y, double z)
{
    uint8_t voxels[2 * COUNT];
    maker m = make_default();
    make_ramp(voxels, COUNT, false);
    m.srow[0] = x;
    m.srow[5] = y;
    m.srow[10] = z;
    return make_file("v.nii", &m, voxels, sizeof voxels);
}

static const char *volume_with(const float *values, size_t count)
{
    maker m = make_default();
    uint8_t *voxels = tpp_calloc(count, 4);
    m.datatype = 16;
    m.bitpix = 32;
    m.dim[1] = (int64_t)count;
    m.dim[2] = m.dim[3] = 1;
    for (size_t i = 0; i < count; i++) make_real(voxels + 4 * i, (double)values[i], 4, false);
    const char *path = make_file("values.nii", &m, voxels, 4 * count);
    tpp_free(voxels);
    return path;
}

/* ---- axes ---- */

static void the_thick_spacing_is_cut_across(void **state)
{
    (void)state;
    static const struct {
        double mm[3];
        tpp_axis axis;
        int count;
    } rows[] = {
        {{1, 1, 1}, TPP_AXIS_AXIAL, NZ},        {{1, 1, 5}, TPP_AXIS_AXIAL, NZ},
        {{1, 5, 1}, TPP_AXIS_CORONAL, NY},      {{5, 1, 1}, TPP_AXIS_SAGITTAL, NX},
        {{1.5, 1, 1}, TPP_AXIS_AXIAL, NZ},      {{-1.6, 1, 1}, TPP_AXIS_SAGITTAL, NX},
        {{1, -1.6, 1.5}, TPP_AXIS_CORONAL, NY},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const double *mm = rows[i].mm;
        tpp_frames f = {0};
        ASSERT_OK(tpp_frames_open(&f, volume_of(mm[0], mm[1], mm[2]), NULL));
        assert_int_equal(f.axis, rows[i].axis);
        assert_int_equal(f.count, rows[i].count);
        tpp_frames_close(&f);
    }
}

static void a_volume_is_moments_when_asked(void **state)
{
    (void)state;
    const tpp_frames_options o = {.axis = TPP_AXIS_TIME, .window = "0:255"};
    tpp_frames f = {0};
    char name[32];
    uint8_t frame[NX * NY];
    ASSERT_OK(tpp_frames_open(&f, volume_of(1, 1, -5), &o));
    assert_true(f.count == NZ && f.step_mm == 0 && f.orientation[0] == '\0');
    assert_string_equal(tpp_frames_name(&f, 1, name, sizeof name), "frame 1");
    ASSERT_OK(tpp_frames_get(&f, 0, frame)); /* z as it is stored; right and anterior turned */
    assert_true(frame[0] == NX * NY - 1 && frame[NX * NY - 1] == 0);
    tpp_frames_close(&f);
}

/* ---- sequences ---- */

static void check_clip(const char *path, int frames)
{
    tpp_frames f = {0};
    mask_writer w;
    ASSERT_OK(tpp_frames_open(&f, path, NULL));
    assert_int_equal(f.axis, TPP_AXIS_TIME);
    assert_int_equal(f.count, frames);
    assert_true(f.width == NX && f.height == NY && f.step_mm == 0);
    ASSERT_OK(writer_open(&w, &f));
    for (int64_t i = 0; i < f.count; i++) {
        float raw[NX * NY];
        uint8_t mask[NX * NY];
        assert_true(tpp_frames_intensities(&f, i, raw));
        for (int k = 0; k < NX * NY; k++) {
            assert_int_equal((int)raw[k] / (NX * NY), i); /* its own moment's voxels */
            mask[k] = (int)raw[k] % 5 == 0;
        }
        ASSERT_OK(tpp_mask_store_put(&w.store, i, mask));
    }
    ASSERT_OK(writer_write(&w, scratch("out")));
    tpp_volume back = {0};
    char name[32];
    (void)snprintf(name, sizeof name, "out/seg%s", tpp_volume_suffix(&f.volume));
    ASSERT_OK(tpp_volume_read(&back, scratch(name), NULL));
    assert_int_equal(back.voxel_count, NX * NY * frames);
    for (int64_t k = 0; k < back.voxel_count; k++)
        assert_int_equal((int)back.voxels[k],
                         f.volume.voxels[k] == 5 * floorf(f.volume.voxels[k] / 5));
    tpp_volume_free(&back);
    writer_close(&w);
    tpp_frames_close(&f);
}

static void clips_of_every_format_are_moments(void **state)
{
    (void)state;
    enum { FRAMES = 5 };
    uint8_t words[2 * NX * NY * FRAMES], bytes[NX * NY * FRAMES];
    make_ramp(words, sizeof bytes, false);
    for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (uint8_t)i;
    maker m = make_default();
    m.dim[0] = 4;
    m.dim[3] = 1;
    m.dim[4] = FRAMES;
    check_clip(make_file("clip.nii", &m, words, sizeof words), FRAMES);
    check_clip(put_text("clip.mha",
                        "ObjectType = Image\nNDims = 3\nBinaryData = True\n"
                        "BinaryDataByteOrderMSB = False\nCompressedData = False\n"
                        "DimSize = 4 3 5\nElementSpacing = 1 1 1\nKinds = domain domain list\n"
                        "UltrasoundImageOrientation = MF\nUltrasoundImageType = BRIGHTNESS\n"
                        "Seq_Frame0000_ImageStatus = OK\nElementType = MET_UCHAR\n"
                        "ElementDataFile = LOCAL\n",
                        bytes, sizeof bytes),
               FRAMES);
    check_clip(put_text("clip.nrrd",
                        "NRRD0005\ntype: unsigned char\ndimension: 3\nsizes: 4 3 5\n"
                        "kinds: domain domain list\nspacings: 1 1 nan\nencoding: raw\n\n",
                        bytes, sizeof bytes),
               FRAMES);
}

static void time_points_are_asked_for(void **state)
{
    (void)state;
    uint8_t words[2 * COUNT * 3];
    maker m = make_default();
    tpp_frames f = {0};
    make_ramp(words, COUNT * 3, false);
    m.dim[0] = 4;
    m.dim[4] = 3;
    const char *path = make_file("4d.nii", &m, words, sizeof words);
    ASSERT_FAILS(tpp_frames_open(&f, path, NULL), TPP_EUSAGE, path,
                 "3 time points; choose one with --time T, 0 to 2");
    const tpp_frames_options second = {.has_time = true, .time = 1},
                             fourth = {.has_time = true, .time = 3};
    ASSERT_OK(tpp_frames_open(&f, path, &second));
    assert_true(f.volume.time == 1 && f.volume.voxels[0] == COUNT && f.count == NZ);
    tpp_frames_close(&f);
    ASSERT_FAILS(tpp_frames_open(&f, path, &fourth), TPP_EUSAGE, path, "no time point 3");
    path = volume_of(1, 1, 1);
    ASSERT_FAILS(tpp_frames_open(&f, path, &second), TPP_EUSAGE, path, "time point");
}

/* ---- colours ---- */

static void colours_are_taken_as_they_are(void **state)
{
    (void)state;
    uint8_t bytes[3 * COUNT], frame[3 * NX * NY];
    const tpp_frames_options window = {.window = "lung"};
    tpp_frames f = {0};
    for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (uint8_t)(3 * i);
    const char *path = put_text("rgb.mha",
                                "ObjectType = Image\nNDims = 3\nBinaryData = True\n"
                                "BinaryDataByteOrderMSB = False\nCompressedData = False\n"
                                "TransformMatrix = 1 0 0 0 1 0 0 0 1\nDimSize = 4 3 2\n"
                                "ElementSpacing = 1 1 1\nElementNumberOfChannels = 3\n"
                                "ElementType = MET_UCHAR\nElementDataFile = LOCAL\n",
                                bytes, sizeof bytes);
    ASSERT_OK(tpp_frames_open(&f, path, NULL));
    assert_true(f.channels == 3 && f.window.name[0] == '\0');
    ASSERT_OK(tpp_frames_get(&f, 1, frame)); /* LPS: as it is stored */
    assert_memory_equal(frame, bytes + sizeof frame, sizeof frame);
    float raw[NX * NY];
    assert_false(tpp_frames_intensities(&f, 0, raw));
    tpp_frames_close(&f);
    ASSERT_FAILS(tpp_frames_open(&f, path, &window), TPP_EUSAGE, path,
                 "--window is for grey volumes");
}

/* ---- windows ---- */

static void check_window(const float *values, size_t count, const char *spec, const char *modality,
                         const char *name, double low, double high)
{
    const tpp_frames_options o = {.window = spec, .modality = modality};
    tpp_frames f = {0};
    ASSERT_OK(tpp_frames_open(&f, volume_with(values, count), &o));
    assert_string_equal(f.window.name, name);
    if (!(fabs(f.window.low - low) < 1e-4 && fabs(f.window.high - high) < 1e-4))
        fail_msg("%s of %s: %g to %g", spec, modality, f.window.low, f.window.high);
    tpp_frames_close(&f);
}

static void windows_follow_the_modality(void **state)
{
    (void)state;
    const float few[] = {0, 10, 20, 30}, air[] = {-1000, 0, 10, 20}, bytes[] = {0, 1, 255};
    check_window(air, 4, NULL, NULL, "abdomen", -150, 250);
    check_window(few, 4, NULL, "CT", "abdomen", -150, 250);
    check_window(air, 4, NULL, "MR", "percentile", -989.9, 19.9); /* numpy.percentile */
    check_window(bytes, 3, NULL, "US", "stored", 0, 255);
    check_window(bytes, 3, NULL, "ES", "stored", 0, 255);
    check_window(air, 4, NULL, "US", "percentile", -989.9, 19.9); /* not for viewing */
    check_window(few, 4, NULL, "PT", "percentile", 10.1, 29.9);
    check_window(few, 4, NULL, NULL, "percentile", 10.1, 29.9);
    check_window(few, 4, "0%:50%", NULL, "0%:50%", 10, 20);
    check_window(few, 4, "0%:100%", "CT", "0%:100%", 10, 30);
    check_window(few, 4, "stored", "CT", "stored", 0, 255);
    check_window(few, 4, "-7:3.5", NULL, "-7:3.5", -7, 3.5);
    check_window(few, 4, "bone", "MR", "bone", -350, 1150);
    const tpp_frames_options dicom = {.window = "dicom"};
    tpp_frames f = {0};
    ASSERT_FAILS(tpp_frames_open(&f, volume_with(few, 4), &dicom), TPP_EUSAGE, "window",
                 "states no window");
}

static void check_guess(const float *values, size_t count, const char *window, const char *want)
{
    const tpp_frames_options o = {.window = window};
    tpp_frames f = {0};
    ASSERT_OK(tpp_frames_open(&f, volume_with(values, count), &o));
    assert_string_equal(f.modality, want);
    tpp_frames_close(&f);
}

/* A few voxels that resampling left below zero make no CT; --window changes nothing of it. */
static void ct_is_guessed_by_its_air(void **state)
{
    (void)state;
    enum { MANY = 5000 };
    static float values[MANY];
    for (int i = 0; i < MANY; i++) values[i] = (float)(i % 700);
    for (int i = 0; i < 5; i++) values[1000 * i] = -600;
    check_guess(values, MANY, NULL, "");
    check_guess(values, MANY, "lung", "");
    values[7] = -500;
    check_guess(values, MANY, NULL, "CT");
    check_guess(values, MANY, "1%:99%", "CT");
    for (int i = 0; i < MANY; i++) values[i] = -499;
    check_guess(values, MANY, NULL, "");
}

/* ---- what is not stated ---- */

static void steps_that_are_not_stated_are_not_known(void **state)
{
    (void)state;
    static const char mha[] = "ObjectType = Image\nNDims = 3\nBinaryData = True\n"
                              "BinaryDataByteOrderMSB = False\nCompressedData = False\n"
                              "DimSize = 4 3 2\n%sElementType = MET_UCHAR\n"
                              "ElementDataFile = LOCAL\n";
    static const uint8_t bytes[COUNT];
    char header[512];
    tpp_frames f = {0};
    (void)snprintf(header, sizeof header, mha, "");
    ASSERT_OK(tpp_frames_open(&f, put_text("no.mha", header, bytes, COUNT), NULL));
    assert_true(f.spacing_mm[0] == 0 && f.spacing_mm[1] == 0 && f.step_mm == 0);
    tpp_frames_close(&f);
    (void)snprintf(header, sizeof header, mha, "ElementSpacing = 2 3 4\n");
    ASSERT_OK(tpp_frames_open(&f, put_text("yes.mha", header, bytes, COUNT), NULL));
    assert_true(f.spacing_mm[0] == 3 && f.spacing_mm[1] == 2 && f.step_mm == 4);
    tpp_frames_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_thick_spacing_is_cut_across),
        cmocka_unit_test(a_volume_is_moments_when_asked),
        cmocka_unit_test(clips_of_every_format_are_moments),
        cmocka_unit_test(time_points_are_asked_for),
        cmocka_unit_test(colours_are_taken_as_they_are),
        cmocka_unit_test(windows_follow_the_modality),
        cmocka_unit_test(ct_is_guessed_by_its_air),
        cmocka_unit_test(steps_that_are_not_stated_are_not_known),
    };
    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
