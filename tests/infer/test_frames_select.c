/* --frames: a part of a sequence is read, named and written back at its own place.
 * SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "folder.h"
#include "infer/frames.h"
#include "io/image.h"
#include "io/nifti.h"
#include "io/png.h"
#include "mask_writer.h"

enum { NX = 3, NY = 2, NZ = 5 };

/* Voxels of slice z are 10 (z + 1). */
static tpp_status open_range(tpp_frames *f, const char *name, const char *range)
{
    const tpp_frames_options o = {.window = "0:255", .range = range};
    return tpp_frames_open(f, in_folder(name), &o);
}

static void open_volume(tpp_frames *f, const char *range)
{
    uint8_t labels[NX * NY * NZ];
    for (int i = 0; i < NX * NY * NZ; i++) labels[i] = (uint8_t)(10 * (i / (NX * NY) + 1));
    tpp_volume v = {.dim = {NX, NY, NZ, 1}, .spacing_mm = {1, 1, 1}};
    for (int i = 0; i < 4; i++) v.affine.m[i][i] = 1;
    UNIT_OK(tpp_nifti_write_labels(in_folder("select.nii"), &v, labels));
    UNIT_OK(open_range(f, "select.nii", range));
}

static void open_pictures(tpp_frames *f, const char *range)
{
    tpp_image image = {0};
    UNIT_OK(tpp_image_init(&image, NX, NY, 1));
    char command[128], name[64];
    (void)snprintf(command, sizeof command, "mkdir -p %s/pictures", test_folder);
    assert_int_equal(system(command), 0);
    for (int i = 0; i < NZ; i++) {
        memset(image.pixels, 10 * (i + 1), NX * NY);
        (void)snprintf(name, sizeof name, "pictures/%d.png", i);
        UNIT_OK(tpp_png_write(in_folder(name), &image));
    }
    tpp_image_free(&image);
    const tpp_frames_options o = {.range = range};
    UNIT_OK(tpp_frames_open(f, in_folder("pictures"), &o));
}

static void selected_slices_are_read_and_named(void **state)
{
    (void)state;
    tpp_frames f = {0};
    char name[32];
    uint8_t frame[NX * NY];
    open_volume(&f, "1:4");
    assert_int_equal(f.count, 3);
    UNIT_OK(tpp_frames_get(&f, 0, frame));
    assert_int_equal(frame[0], 20);
    UNIT_OK(tpp_frames_get(&f, 2, frame));
    assert_int_equal(frame[0], 40);
    assert_string_equal(tpp_frames_name(&f, 2, name, sizeof name), "slice 3");
    tpp_frames_close(&f);
}

static void bounds_may_be_left_out(void **state)
{
    (void)state;
    static const struct {
        const char *range;
        int first, count;
    } rows[] = {{":", 0, NZ}, {"2:", 2, 3}, {":1", 0, 1}, {"4:5", 4, 1}, {"0:5", 0, NZ}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        tpp_frames f = {0};
        open_volume(&f, rows[i].range);
        assert_int_equal(f.first, rows[i].first);
        assert_int_equal(f.count, rows[i].count);
        tpp_frames_close(&f);
    }
}

static void bad_ranges_are_refused(void **state)
{
    (void)state;
    static const char *const form[] = {"", "3", "a:b", "1:2:3", "-1:2", "1:2 ", "1.5:3"};
    static const char *const none[] = {"2:2", "3:1", "5:", "0:6", "99999999999999999999:", "7:8"};
    tpp_frames f = {0};
    open_volume(&f, ":");
    tpp_frames_close(&f);
    for (size_t i = 0; i < sizeof form / sizeof form[0]; i++)
        UNIT_FAILS(open_range(&f, "select.nii", form[i]), TPP_EUSAGE, "FIRST:END");
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++)
        UNIT_FAILS(open_range(&f, "select.nii", none[i]), TPP_EUSAGE, "--frames");
    assert_null(f.path);
}

static void masks_of_a_part_lie_at_their_own_slices(void **state)
{
    (void)state;
    tpp_frames f = {0};
    mask_writer w;
    tpp_volume back = {0};
    const uint8_t mask[NX * NY] = {1, 1, 1, 1, 1, 1};
    open_volume(&f, "3:5");
    UNIT_OK(writer_open(&w, &f));
    UNIT_OK(tpp_mask_store_put(&w.store, 0, mask));
    UNIT_OK(writer_write(&w, in_folder("part")));
    UNIT_OK(tpp_nifti_read(&back, in_folder("part/seg.nii.gz"), NULL));
    assert_int_equal(back.voxel_count, NX * NY * NZ);
    for (int i = 0; i < NX * NY * NZ; i++)
        assert_true(back.voxels[i] == (i / (NX * NY) == 3 ? 1 : 0));
    tpp_volume_free(&back);
    writer_close(&w);
    tpp_frames_close(&f);
}

static void masks_of_pictures_keep_their_names(void **state)
{
    (void)state;
    tpp_frames f = {0};
    mask_writer w;
    tpp_image back = {0};
    char name[32];
    uint8_t frame[NX * NY];
    const uint8_t mask[NX * NY] = {0, 1};
    open_pictures(&f, "2:4");
    UNIT_OK(tpp_frames_get(&f, 1, frame));
    assert_int_equal(frame[0], 40);
    assert_string_equal(tpp_frames_name(&f, 1, name, sizeof name), "3.png");
    UNIT_OK(writer_open(&w, &f));
    UNIT_OK(tpp_mask_store_put(&w.store, 1, mask));
    UNIT_OK(writer_write(&w, in_folder("part_png")));
    UNIT_OK(tpp_png_read(&back, in_folder("part_png/masks/3.png")));
    assert_int_equal(back.pixels[0], 0);
    assert_int_equal(back.pixels[1], 255);
    tpp_image_free(&back);
    writer_close(&w);
    tpp_frames_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(selected_slices_are_read_and_named),
        cmocka_unit_test(bounds_may_be_left_out),
        cmocka_unit_test(bad_ranges_are_refused),
        cmocka_unit_test(masks_of_a_part_lie_at_their_own_slices),
        cmocka_unit_test(masks_of_pictures_keep_their_names),
    };
    return cmocka_run_group_tests(tests, folder_setup, folder_teardown);
}
