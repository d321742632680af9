/* Sequences: slices as radiologists see them, windows, pictures; masks back in the input's form;
 * folders of results that appear whole or not at all.
 * SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "folder.h"
#include "infer/frames.h"
#include "io/image.h"
#include "io/nifti.h"
#include "io/png.h"
#include "mask_writer.h"

#include <math.h>

/* ---- windows ---- */

static tpp_volume make_volume(float *voxels, int64_t x, int64_t y, int64_t z)
{
    return (tpp_volume){.dim = {x, y, z, 1},
                        .spacing_mm = {1, 1, 1},
                        .datatype = "int16",
                        .voxels = voxels,
                        .voxel_count = x * y * z};
}

static void windows_by_name_and_number(void **state)
{
    (void)state;
    float v[] = {-1000, 0, 100, 200};
    const tpp_volume volume = make_volume(v, 4, 1, 1);
    tpp_window w;
    UNIT_OK(tpp_window_choose(&w, &volume, "lung", NULL));
    assert_true(w.low == -1350 && w.high == 150);
    UNIT_OK(tpp_window_choose(&w, &volume, "-10.5:30", NULL));
    assert_true(w.low == -10.5 && w.high == 30);
    assert_int_equal(tpp_window_apply(&w, -11), 0);
    assert_int_equal(tpp_window_apply(&w, -10.5F), 0);
    assert_int_equal(tpp_window_apply(&w, 9.75F), 128);
    assert_int_equal(tpp_window_apply(&w, 30), 255);
    assert_int_equal(tpp_window_apply(&w, 1e30F), 255);
    assert_int_equal(tpp_window_apply(&w, NAN), 0);
    assert_int_equal(tpp_window_apply(&w, INFINITY), 0);
    static const char *const bad[] = {"belly", "",     "1",     "1:",   "5:5",
                                      "5:4",   "1:2x", "nan:1", "0:inf"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        UNIT_FAILS(tpp_window_choose(&w, &volume, bad[i], NULL), TPP_EUSAGE, "mediastinum");
}

static void ct_is_known_by_its_values(void **state)
{
    (void)state;
    float ct[] = {-1000, 0, 100, 200}, mr[] = {-499, 0, 100, 200};
    tpp_volume volume = make_volume(ct, 4, 1, 1);
    tpp_window w;
    UNIT_OK(tpp_window_choose(&w, &volume, NULL, NULL));
    assert_string_equal(w.name, "abdomen");
    volume.datatype = "float32";
    UNIT_OK(tpp_window_choose(&w, &volume, NULL, NULL));
    assert_string_equal(w.name, "abdomen");
    volume = make_volume(mr, 4, 1, 1);
    UNIT_OK(tpp_window_choose(&w, &volume, NULL, NULL));
    assert_string_equal(w.name, "percentile");
}

/* numpy.percentile of the same numbers: 1..1001 shuffled, with zeros and NaN that do not count. */
static void percentiles_are_exact_and_skip_zeros_and_nan(void **state)
{
    (void)state;
    enum { N = 1001, ALL = 2 * N + 2 };
    float v[ALL];
    for (int i = 0; i < N; i++) {
        v[2 * i] = (float)(i * 379 % N + 1);
        v[2 * i + 1] = 0;
    }
    v[ALL - 2] = NAN;
    v[ALL - 1] = -INFINITY;
    const tpp_volume volume = make_volume(v, ALL, 1, 1);
    tpp_window w;
    UNIT_OK(tpp_window_choose(&w, &volume, "percentile", NULL));
    assert_true(fabs(w.low - 6) < 1e-9);
    assert_true(fabs(w.high - 996) < 1e-9);
}

static void percentiles_of_negative_and_of_equal_numbers(void **state)
{
    (void)state;
    float negative[] = {-4, -3, -2, -1, 0}, equal[] = {7, 0, 7}, zero[] = {0, 0};
    tpp_volume volume = make_volume(negative, 5, 1, 1);
    tpp_window w;
    UNIT_OK(tpp_window_choose(&w, &volume, "percentile", NULL));
    assert_true(fabs(w.low - -3.985) < 1e-6 && fabs(w.high - -1.015) < 1e-6);
    volume = make_volume(equal, 3, 1, 1);
    UNIT_OK(tpp_window_choose(&w, &volume, "percentile", NULL));
    assert_int_equal(tpp_window_apply(&w, 7), 255);
    assert_int_equal(tpp_window_apply(&w, 0), 0);
    volume = make_volume(zero, 2, 1, 1);
    UNIT_OK(tpp_window_choose(&w, &volume, "percentile", NULL));
    assert_int_equal(tpp_window_apply(&w, 0), 0);
}

/* ---- volumes ---- */

enum { NX = 5, NY = 4, NZ = 3 };

static const tpp_frames_options stored = {.window = "0:255"}, lung = {.window = "lung"};

/* A label volume whose voxel (x,y,z) is 1 + x + 10 y + 50 z, with these signs on the diagonal. */
static const char *write_volume(const char *name, int sx, int sy, int sz)
{
    const char *path = in_folder(name);
    uint8_t labels[NX * NY * NZ];
    for (int i = 0; i < NX * NY * NZ; i++)
        labels[i] = (uint8_t)(1 + i % NX + 10 * (i / NX % NY) + 50 * (i / (NX * NY)));
    tpp_volume v = {.dim = {NX, NY, NZ, 1}, .spacing_mm = {2, 3, 5}};
    v.affine.m[0][0] = 2 * sx;
    v.affine.m[1][1] = 3 * sy;
    v.affine.m[2][2] = 5 * sz;
    v.affine.m[3][3] = 1;
    UNIT_OK(tpp_nifti_write_labels(path, &v, labels));
    return path;
}

/* Radiological: x of RAS+ grows to the right of the patient's left, so column 0 is the largest x;
 * row 0 the largest y; slice 0 the smallest z. */
static void slices_are_radiological_and_masks_go_back(void **state)
{
    (void)state;
    tpp_frames f = {0};
    uint8_t frame[NX * NY], mask[NX * NY] = {0};
    UNIT_OK(tpp_frames_open(&f, write_volume("v.nii.gz", 1, 1, 1), &stored));
    assert_string_equal(f.orientation, "RAS");
    assert_int_equal(f.count, NZ);
    assert_int_equal(f.height, NY);
    assert_int_equal(f.width, NX);
    assert_true(f.spacing_mm[0] == 3 && f.spacing_mm[1] == 2);
    UNIT_OK(tpp_frames_get(&f, 1, frame));
    assert_int_equal(frame[0], 1 + (NX - 1) + 10 * (NY - 1) + 50);
    assert_int_equal(frame[NX * NY - 1], 1 + 50);

    mask_writer w;
    tpp_volume back = {0};
    UNIT_OK(writer_open(&w, &f));
    mask[1] = 1; /* row 0, column 1: y = 3, x = 3 */
    UNIT_OK(tpp_mask_store_put(&w.store, 2, mask));
    UNIT_OK(writer_write(&w, in_folder("masks_back")));
    UNIT_OK(tpp_nifti_read(&back, in_folder("masks_back/seg.nii.gz"), NULL));
    for (int i = 0; i < NX * NY * NZ; i++)
        assert_true(back.voxels[i] == (i == 3 + NX * 3 + NX * NY * 2 ? 1 : 0));
    assert_true(back.affine.m[1][1] == 3);
    tpp_volume_free(&back);
    writer_close(&w);
    tpp_frames_close(&f);
}

static void orientation_does_not_change_what_is_seen(void **state)
{
    (void)state;
    tpp_frames a = {0}, b = {0};
    uint8_t x[NX * NY], y[NX * NY];
    UNIT_OK(tpp_frames_open(&a, write_volume("ras.nii", 1, 1, 1), &stored));
    UNIT_OK(tpp_frames_open(&b, write_volume("lpi.nii", -1, -1, -1), &stored));
    assert_string_equal(b.orientation, "LPI");
    UNIT_OK(tpp_frames_get(&a, 0, x));
    UNIT_OK(tpp_frames_get(&b, NZ - 1, y));
    for (int i = 0; i < NX * NY; i++) assert_int_equal(x[i], y[NX * NY - 1 - i]);
    tpp_frames_close(&a);
    tpp_frames_close(&b);
}

/* ---- pictures ---- */

static void write_picture(const char *name, int width, int height, int channels, int first)
{
    tpp_image image = {0};
    UNIT_OK(tpp_image_init(&image, width, height, channels));
    for (int i = 0; i < width * height * channels; i++) image.pixels[i] = (uint8_t)(first + i);
    UNIT_OK(tpp_png_write(in_folder(name), &image));
    tpp_image_free(&image);
}

static void make_folder(const char *name)
{
    UNIT_OK(tpp_path_make_folder(in_folder(name)));
}

static void grey_and_colour_together_become_colour(void **state)
{
    (void)state;
    tpp_frames f = {0};
    uint8_t pixels[4 * 3 * 3];
    char buffer[32];
    make_folder("mixed");
    write_picture("mixed/b.png", 4, 3, 3, 100);
    write_picture("mixed/a.PNG", 4, 3, 1, 7);
    UNIT_OK(tpp_frames_open(&f, in_folder("mixed"), NULL));
    assert_int_equal(f.count, 2);
    assert_int_equal(f.channels, 3);
    assert_string_equal(tpp_frames_name(&f, 0, buffer, sizeof buffer), "a.PNG");
    UNIT_OK(tpp_frames_get(&f, 0, pixels));
    assert_int_equal(pixels[0], 7);
    assert_int_equal(pixels[2], 7);
    assert_int_equal(pixels[3], 8);
    UNIT_OK(tpp_frames_get(&f, 1, pixels));
    assert_int_equal(pixels[1], 101);
    tpp_frames_close(&f);
}

static void odd_sizes_are_named(void **state)
{
    (void)state;
    tpp_frames f = {0};
    make_folder("odd");
    write_picture("odd/1.png", 4, 3, 1, 0);
    write_picture("odd/2.png", 5, 3, 1, 0);
    UNIT_FAILS(tpp_frames_open(&f, in_folder("odd"), NULL), TPP_EUSAGE, "2.png is 3x5");
    assert_non_null(strstr(tpp_error(), "3x4"));
    UNIT_FAILS(tpp_frames_open(&f, in_folder("odd/1.png"), &lung), TPP_EUSAGE, "--window");
}

/* ---- folders of results ---- */

static void put_text(const tpp_out_folder *o, const char *name)
{
    char *path = NULL;
    UNIT_OK(tpp_out_folder_file(o, &path, name));
    UNIT_OK(tpp_file_write(path, name, strlen(name)));
    tpp_free(path);
}

static void put_report(const tpp_out_folder *o, const char *text)
{
    char *path = NULL;
    UNIT_OK(tpp_out_folder_file(o, &path, "report.json"));
    UNIT_OK(tpp_file_write(path, text, strlen(text)));
    tpp_free(path);
}

static int entries(const char *pattern)
{
    char command[256], text[32] = "";
    (void)snprintf(command, sizeof command, "ls -d %s/%s 2>/dev/null | wc -l", test_folder,
                   pattern);
    FILE *p = popen(command, "r");
    assert_non_null(p);
    (void)fgets(text, sizeof text, p);
    (void)pclose(p);
    return atoi(text);
}

static void results_appear_at_commit_and_not_before(void **state)
{
    (void)state;
    tpp_out_folder o = {0};
    UNIT_OK(tpp_out_folder_open(&o, in_folder("new//"), false));
    put_text(&o, "report.json");
    put_text(&o, "masks/1.png");
    assert_int_equal(entries("new"), 0);
    UNIT_OK(tpp_out_folder_commit(&o));
    assert_int_equal(entries("new/masks/1.png"), 1);
    assert_int_equal(entries("new.tmp*"), 0);
}

static void discarded_results_leave_nothing(void **state)
{
    (void)state;
    tpp_out_folder o = {0};
    UNIT_OK(tpp_out_folder_open(&o, in_folder("never"), false));
    put_text(&o, "masks/1.png");
    tpp_out_folder_discard(&o);
    tpp_out_folder_discard(&o);
    assert_int_equal(entries("never*"), 0);
}

static void a_full_folder_wants_overwrite_and_keeps_what_is_not_ours(void **state)
{
    (void)state;
    tpp_out_folder o = {0};
    UNIT_OK(tpp_out_folder_open(&o, in_folder("twice"), false));
    put_report(&o, "{\"outputs\": [{\"path\": \"masks/1.png\"}, {\"path\": \"../outside\"}]}");
    put_text(&o, "masks/1.png");
    put_text(&o, "masks/2.png");
    UNIT_OK(tpp_out_folder_commit(&o));
    UNIT_OK(tpp_file_write(in_folder("twice/notes.txt"), "mine", 4));
    UNIT_OK(tpp_file_write(in_folder("outside"), "mine", 4));
    UNIT_FAILS(tpp_out_folder_open(&o, in_folder("twice"), false), TPP_EUSAGE, "--overwrite");
    UNIT_OK(tpp_out_folder_open(&o, in_folder("twice"), true));
    put_text(&o, "report.json");
    put_text(&o, "masks/2.png");
    UNIT_OK(tpp_out_folder_commit(&o));
    assert_int_equal(entries("twice/notes.txt"), 1);
    assert_int_equal(entries("outside"), 1); /* a report names nothing beyond its folder */
    assert_int_equal(entries("twice/masks/1.png"), 0); /* of the earlier run */
    assert_int_equal(entries("twice/masks/2.png"), 1);
    assert_int_equal(entries("twice.tmp*"), 0);
    UNIT_FAILS(tpp_out_folder_open(&o, in_folder("twice/notes.txt"), true), TPP_EUSAGE, "file");
}

static void leftovers_of_killed_runs_are_swept(void **state)
{
    (void)state;
    static const char *const kept[] = {"swept.tmp.12a", "swept.tmp.", "swept2.tmp.1",
                                       "a.swept.tmp.1"};
    UNIT_OK(tpp_path_make_folder(in_folder("swept.tmp.123/masks")));
    UNIT_OK(tpp_file_write(in_folder("swept.tmp.123/masks/1.png"), "x", 1));
    UNIT_OK(tpp_file_write(in_folder("swept.tmp.4"), "a file", 6));
    for (int i = 0; i < 4; i++) UNIT_OK(tpp_path_make_folder(in_folder(kept[i])));
    tpp_out_folder_sweep(in_folder("swept//"));
    assert_int_equal(entries("swept.tmp.123"), 0);
    assert_int_equal(entries("swept.tmp.4"), 1);
    for (int i = 0; i < 4; i++) assert_int_equal(entries(kept[i]), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(windows_by_name_and_number),
        cmocka_unit_test(ct_is_known_by_its_values),
        cmocka_unit_test(percentiles_are_exact_and_skip_zeros_and_nan),
        cmocka_unit_test(percentiles_of_negative_and_of_equal_numbers),
        cmocka_unit_test(slices_are_radiological_and_masks_go_back),
        cmocka_unit_test(orientation_does_not_change_what_is_seen),
        cmocka_unit_test(grey_and_colour_together_become_colour),
        cmocka_unit_test(odd_sizes_are_named),
        cmocka_unit_test(results_appear_at_commit_and_not_before),
        cmocka_unit_test(discarded_results_leave_nothing),
        cmocka_unit_test(leftovers_of_killed_runs_are_swept),
        cmocka_unit_test(a_full_folder_wants_overwrite_and_keeps_what_is_not_ours),
    };
    return cmocka_run_group_tests(tests, folder_setup, folder_teardown);
}
