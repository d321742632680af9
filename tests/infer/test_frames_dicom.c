/* DICOM as sequences: films, negatives, stated windows, frames whose place or size is not known.
 * SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "../io/dicom_maker.h"
#include "infer/frames.h"
#include "mask_writer.h"

static int needs_dicom(void **state)
{
    (void)state;
    if (tpp_dicom_library() != NULL) return 0;
    print_message("[  SKIPPED ] built without DICOM\n");
    skip();
    return 0;
}

static maker film(int frames)
{
    maker m = maker_default();
    m.modality = "US";
    m.frames = frames;
    m.allocated = m.stored = 8;
    m.is_signed = 0;
    m.is_placed = false;
    m.frame_time = frames > 1 ? "40" : NULL;
    return m;
}

static void a_film_is_moments_as_it_is_stored(void **state)
{
    (void)state;
    enum { FRAMES = 3 };
    const maker m = film(FRAMES);
    int32_t pixels[FRAMES * MAKER_PIXELS];
    uint8_t frame[MAKER_PIXELS];
    tpp_frames f = {0};
    mask_writer w;
    for (int i = 0; i < FRAMES * MAKER_PIXELS; i++) pixels[i] = 7 * i;
    ASSERT_OK(tpp_frames_open(&f, maker_put("film.dcm", &m, 0, pixels), NULL));
    assert_true(f.axis == TPP_AXIS_TIME && f.count == FRAMES && f.step_mm == 0);
    assert_string_equal(f.window.name, "stored");
    ASSERT_OK(writer_open(&w, &f));
    for (int i = 0; i < FRAMES; i++) {
        ASSERT_OK(tpp_frames_get(&f, i, frame));
        for (int k = 0; k < MAKER_PIXELS; k++)
            assert_int_equal(frame[k], 7 * (MAKER_PIXELS * i + k));
        for (int k = 0; k < MAKER_PIXELS; k++) frame[k] = frame[k] % 2;
        ASSERT_OK(tpp_mask_store_put(&w.store, i, frame));
    }
    ASSERT_OK(writer_write(&w, scratch("out")));
    tpp_volume back = {0};
    ASSERT_OK(tpp_volume_read(&back, scratch("out/seg.nii.gz"), NULL));
    for (int k = 0; k < FRAMES * MAKER_PIXELS; k++)
        assert_int_equal((int)back.voxels[k], pixels[k] % 2);
    assert_true(tpp_path_exists(scratch("out/seg.dcm")));
    tpp_volume_free(&back);
    writer_close(&w);
    tpp_frames_close(&f);
}

/* A frozen picture is a moment too, not an axial slice; what one pixel measures may not be known.
 */
static void one_ultrasound_picture_has_no_place(void **state)
{
    (void)state;
    maker m = film(1);
    tpp_frames f = {0};
    maker_log_clear();
    ASSERT_OK(tpp_frames_open(&f, maker_put("us.dcm", &m, 0, NULL), NULL));
    assert_true(f.axis == TPP_AXIS_TIME && f.spacing_mm[0] == 2 && f.spacing_mm[1] == 1.5);
    assert_not_said("orientation");
    tpp_frames_close(&f);
    m.spacing[0] = m.spacing[1] = 0;
    ASSERT_OK(tpp_frames_open(&f, maker_put("us.dcm", &m, 0, NULL), NULL));
    assert_true(f.spacing_mm[0] == 0 && f.spacing_mm[1] == 0);
    tpp_frames_close(&f);
    m.modality = "MR"; /* no film: a slice, whose place is not known, as a warning says */
    ASSERT_OK(tpp_frames_open(&f, maker_put("mr.dcm", &m, 0, NULL), NULL));
    assert_true(f.axis == TPP_AXIS_AXIAL && f.step_mm == 0);
    assert_said("states no orientation");
    tpp_frames_close(&f);
}

static void negatives_are_seen_as_positives(void **state)
{
    (void)state;
    maker m = film(1);
    int32_t pixels[MAKER_PIXELS] = {0, 255, 1, 254};
    uint8_t frame[MAKER_PIXELS];
    tpp_frames f = {0};
    m.photometric = "MONOCHROME1";
    ASSERT_OK(tpp_frames_open(&f, maker_put("negative.dcm", &m, 0, pixels), NULL));
    ASSERT_OK(tpp_frames_get(&f, 0, frame));
    assert_true(frame[0] == 255 && frame[1] == 0 && frame[2] == 254 && frame[3] == 1);
    tpp_frames_close(&f);
}

static void windows_of_the_file_and_of_its_modality(void **state)
{
    (void)state;
    maker m = maker_default();
    const tpp_frames_options dicom = {.window = "dicom"};
    tpp_frames f = {0};
    m.window_centre = "40\\300";
    m.window_width = "400\\1500";
    const char *path = maker_put("ct.dcm", &m, 0, NULL);
    ASSERT_OK(tpp_frames_open(&f, path, &dicom));
    assert_true(f.window.low == -160 && f.window.high == 240);
    assert_string_equal(f.window.name, "dicom");
    tpp_frames_close(&f);
    ASSERT_OK(tpp_frames_open(&f, path, NULL));
    assert_string_equal(f.window.name, "abdomen");
    assert_string_equal(f.modality, "CT");
    tpp_frames_close(&f);
    m.modality = "MR";
    ASSERT_OK(tpp_frames_open(&f, maker_put("mr.dcm", &m, 0, NULL), NULL));
    assert_string_equal(f.window.name, "percentile");
    tpp_frames_close(&f);
}

/* One that is still being copied while it is read. */
static void a_series_must_not_change_while_it_is_read(void **state)
{
    (void)state;
    maker m = maker_default();
    tpp_frames f = {0};
    maker_folder("series");
    maker_put("series/a", &m, 0, NULL);
    m.sop = "1.2.3.2";
    m.position[2] = 33;
    maker_put("series/b", &m, 1, NULL);
    ASSERT_OK(tpp_frames_open(&f, scratch("series"), NULL));
    ASSERT_OK(tpp_frames_unchanged(&f));
    m.position[2] = 34;
    m.description = "another";
    maker_put("series/b", &m, 1, NULL);
    ASSERT_FAILS(tpp_frames_unchanged(&f), TPP_EIO, "series/b", "has changed since the run began");
    tpp_frames_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_film_is_moments_as_it_is_stored, needs_dicom),
        cmocka_unit_test_setup(one_ultrasound_picture_has_no_place, needs_dicom),
        cmocka_unit_test_setup(negatives_are_seen_as_positives, needs_dicom),
        cmocka_unit_test_setup(windows_of_the_file_and_of_its_modality, needs_dicom),
        cmocka_unit_test_setup(a_series_must_not_change_while_it_is_read, needs_dicom),
    };
    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
