/* Pictures and videos as sequences: 16 bits under one window, palettes and alpha, the order of
 * names, the names that masks get, videos against the pictures they were made of.
 * SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "core/log.h"
#include "infer/frames.h"
#include "mask_writer.h"
#include "picture_maker.h"

#include <math.h>
#include <unistd.h>

static void open_ok(tpp_frames *f, const char *name, const tpp_frames_options *o)
{
    ASSERT_OK(tpp_frames_open(f, scratch(name), o));
}

static void make_folder(const char *name)
{
    ASSERT_OK(tpp_path_make_folder(scratch(name)));
}

/* ---- 16 bits ---- */

static int compare_numbers(const void *a, const void *b)
{
    const uint16_t x = *(const uint16_t *)a, y = *(const uint16_t *)b;
    return x < y ? -1 : x > y;
}

/* numpy.percentile of sorted numbers. */
static double percentile_of(const uint16_t *sorted, int n, double p)
{
    const double place = p / 100 * (n - 1);
    const int below = (int)place;
    const int above = below + 1 < n ? below + 1 : below;
    return sorted[below] + (place - below) * (sorted[above] - sorted[below]);
}

enum { SIDE = 9, DEEP = SIDE * SIDE, PICTURES = 4 };

static void deep_pictures_have_one_window(void **state)
{
    (void)state;
    static uint16_t all[PICTURES][DEEP], sorted[PICTURES * DEEP];
    uint64_t seed = 5;
    int n = 0;
    make_folder("deep");
    for (int i = 0; i < PICTURES; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "deep/%d.png", i);
        for (int k = 0; k < DEEP; k++) {
            all[i][k] =
                (uint16_t)(k % 3 == 0 ? 0 : next_random(&seed) % (uint64_t)(4000 * (i + 1)));
            if (all[i][k] != 0) sorted[n++] = all[i][k];
        }
        write_png_deep(name, SIDE, SIDE, all[i]);
    }
    qsort(sorted, (size_t)n, sizeof *sorted, compare_numbers);
    static const struct {
        const char *spec;
        double low, high;
    } rows[] = {{NULL, 0.5, 99.5}, {"percentile", 0.5, 99.5}, {"2%:90.5%", 2, 90.5}};
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
        /* --frames changes nothing of the window: it is the sequence's. */
        const tpp_frames_options o = {.window = rows[r].spec, .range = r == 2 ? "1:3" : NULL};
        tpp_frames f = {0};
        uint8_t frame[DEEP];
        open_ok(&f, "deep", &o);
        assert_true(fabs(f.window.low - percentile_of(sorted, n, rows[r].low)) < 1e-9);
        assert_true(fabs(f.window.high - percentile_of(sorted, n, rows[r].high)) < 1e-9);
        for (int64_t i = 0; i < f.count; i++) {
            ASSERT_OK(tpp_frames_get(&f, i, frame));
            for (int k = 0; k < DEEP; k++)
                assert_int_equal(frame[k], tpp_window_apply(&f.window, (float)all[f.first + i][k]));
        }
        tpp_frames_close(&f);
    }
}

static void deep_pictures_take_windows_by_number(void **state)
{
    (void)state;
    const uint16_t values[4] = {0, 1000, 1500, 65535};
    const tpp_frames_options range = {.window = "1000:2000"}, dicom = {.window = "dicom"};
    tpp_frames f = {0};
    uint8_t frame[4];
    write_png_deep("one16.png", 2, 2, values);
    open_ok(&f, "one16.png", &range);
    ASSERT_OK(tpp_frames_get(&f, 0, frame));
    assert_true(frame[0] == 0 && frame[1] == 0 && frame[2] == 128 && frame[3] == 255);
    tpp_frames_close(&f);
    assert_int_equal(tpp_frames_open(&f, scratch("one16.png"), &dicom), TPP_EUSAGE);
    assert_non_null(strstr(tpp_error(), "pictures state no window"));
}

/* 255 of 8 bits is as white as 65535 of 16. */
static void shallow_among_deep_are_stretched(void **state)
{
    (void)state;
    const uint16_t values[4] = {0, 257 * 50, 257 * 100, 65535};
    const tpp_frames_options o = {.window = "0:65535"};
    tpp_frames f = {0};
    uint8_t a[4], b[4];
    make_folder("both");
    write_png_deep("both/a.png", 2, 2, values);
    write_png_plain("both/b.png", 2, 2, 100);
    open_ok(&f, "both", &o);
    ASSERT_OK(tpp_frames_get(&f, 0, a));
    ASSERT_OK(tpp_frames_get(&f, 1, b));
    assert_true(a[1] == 50 && a[2] == 100 && a[3] == 255 && b[0] == 100);
    tpp_frames_close(&f);
}

/* ---- kinds ---- */

static void palettes_become_colours_and_alpha_is_dropped(void **state)
{
    (void)state;
    const uint8_t indices[4] = {0, 1, 200, 255};
    const uint8_t rgba[16] = {1, 2, 3, 0, 4, 5, 6, 255, 7, 8, 9, 100, 10, 11, 12, 1};
    const uint8_t grey_alpha[8] = {9, 0, 8, 255, 7, 3, 6, 1};
    uint8_t frame[12];
    tpp_frames f = {0};
    make_folder("kinds");
    write_png_kind("kinds/1.png", PNG_COLOR_TYPE_PALETTE, 8, 2, 2, indices, 2);
    write_png_kind("kinds/2.png", PNG_COLOR_TYPE_RGB_ALPHA, 8, 2, 2, rgba, 8);
    write_png_kind("kinds/3.png", PNG_COLOR_TYPE_GRAY_ALPHA, 8, 2, 2, grey_alpha, 4);
    open_ok(&f, "kinds", NULL);
    assert_int_equal(f.channels, 3);
    ASSERT_OK(tpp_frames_get(&f, 0, frame));
    for (int k = 0; k < 4; k++)
        assert_true(frame[3 * k] == indices[k] && frame[3 * k + 1] == 255 - indices[k] &&
                    frame[3 * k + 2] == 7);
    ASSERT_OK(tpp_frames_get(&f, 1, frame));
    for (int k = 0; k < 12; k++) assert_int_equal(frame[k], k + 1);
    ASSERT_OK(tpp_frames_get(&f, 2, frame));
    for (int k = 0; k < 12; k++) assert_int_equal(frame[k], 9 - k / 3);
    tpp_frames_close(&f);
}

/* ---- names ---- */

static void names_are_ordered_by_the_numbers_in_them(void **state)
{
    (void)state;
    static const char *const names[] = {"f1.png", "f2.png", "f09.png", "f10.png", "f100.png"};
    tpp_frames f = {0};
    char name[64];
    make_folder("order");
    for (int i = 4; i >= 0; i--) {
        (void)snprintf(name, sizeof name, "order/%s", names[i]);
        write_png_plain(name, 2, 2, (uint8_t)i);
    }
    (void)put_file("order/notes.txt", "no picture", 10);
    open_ok(&f, "order", NULL);
    assert_int_equal(f.count, 5);
    for (int i = 0; i < 5; i++) {
        uint8_t frame[4];
        ASSERT_OK(tpp_frames_get(&f, i, frame));
        assert_string_equal(tpp_frames_name(&f, i, name, sizeof name), names[i]);
        assert_int_equal(frame[0], i);
    }
    tpp_frames_close(&f);
}

/* Pictures are read by their content: a PNG may be called .jpg. */
static void check_mask_names(const char *folder, const char *const *names, const char *const *masks,
                             int n)
{
    tpp_frames f = {0};
    mask_writer w;
    char name[64];
    make_folder(folder);
    for (int i = 0; i < n; i++) {
        (void)snprintf(name, sizeof name, "%s/%s", folder, names[i]);
        write_png_plain(name, 2, 2, 0);
    }
    open_ok(&f, folder, NULL);
    assert_int_equal(f.count, n);
    ASSERT_OK(writer_open(&w, &f));
    for (int i = 0; i < n; i++) {
        char *got = tpp_masks_picture_name(&f, i);
        assert_string_equal(got, masks[i]);
        tpp_free(got);
    }
    ASSERT_OK(writer_write(&w, scratch("out")));
    for (int i = 0; i < n; i++) {
        (void)snprintf(name, sizeof name, "out/masks/%s", masks[i]);
        assert_true(tpp_path_exists(scratch(name)));
    }
    writer_close(&w);
    tpp_frames_close(&f);
}

static void masks_are_named_as_pictures_and_none_gets_lost(void **state)
{
    (void)state;
    check_mask_names("jpegs", (const char *const[]){"a.jpg", "b.c.jpg"},
                     (const char *const[]){"a.png", "b.c.png"}, 2);
    check_mask_names("mixed", (const char *const[]){"a.jpeg", "a.jpg", "a.png"},
                     (const char *const[]){"a.jpeg.png", "a.jpg.png", "a.png"}, 3);
    check_mask_names("chain", (const char *const[]){"a.jpg", "a.jpg.png", "a.jpg.png.png"},
                     (const char *const[]){"a.jpg.png.png.png", "a.jpg.png", "a.jpg.png.png"}, 3);
}

/* In the current folder: no "./" that nobody typed. */
static void a_picture_is_called_what_the_user_called_it(void **state)
{
    (void)state;
    char back[512];
    tpp_frames f = {0};
    assert_non_null(getcwd(back, sizeof back));
    write_png_plain("alone.png", 3, 2, 9);
    (void)put_file("broken.png", "\x89PNG", 4);
    assert_int_equal(chdir(scratch_folder), 0);
    const tpp_status good = tpp_frames_open(&f, "alone.png", NULL);
    uint8_t frame[6] = {0};
    const tpp_status got = good == TPP_OK ? tpp_frames_get(&f, 0, frame) : good;
    tpp_frames_close(&f);
    const tpp_status bad = tpp_frames_open(&f, "broken.png", NULL);
    assert_int_equal(chdir(back), 0);
    assert_int_equal(got, TPP_OK);
    assert_int_equal(frame[5], 9);
    assert_int_equal(bad, TPP_EFORMAT);
    assert_ptr_equal(strstr(tpp_error(), "broken.png"), tpp_error());
}

/* ---- mistakes ---- */

static void refuses(const char *name, const tpp_frames_options *o, const char *fact)
{
    tpp_frames f = {0};
    ASSERT_FAILS(tpp_frames_open(&f, scratch(name), o), TPP_EUSAGE, name, fact);
    assert_null(f.path);
}

static void options_for_volumes_are_refused(void **state)
{
    (void)state;
    const tpp_frames_options coronal = {.axis = TPP_AXIS_CORONAL}, time = {.axis = TPP_AXIS_TIME},
                             window = {.window = "lung"}, moment = {.has_time = true};
    tpp_frames f = {0};
    make_folder("plain");
    write_png_plain("plain/1.png", 2, 2, 0);
    write_png_plain("one.png", 2, 2, 0);
    refuses("plain", &coronal, "--axis coronal is for volumes");
    refuses("one.png", &coronal, "--axis coronal is for volumes");
    refuses("plain", &moment, "--time is for volumes with several time points");
    refuses("plain", &window, "8-bit pictures and videos are taken as they are");
    refuses("one.png", &window, "8-bit pictures and videos are taken as they are");
    open_ok(&f, "plain", &time); /* which is what it is */
    tpp_frames_close(&f);
    (void)put_file("text.txt", "text", 4);
    refuses("text.txt", NULL, "wanted a volume (NIfTI, NRRD, MetaImage, DICOM)");
    make_folder("none");
    refuses("none", NULL, "the folder is empty");
    (void)put_file("none/a.bmp", "BM", 2);
    refuses("none", NULL, "none of the folder's 1 files");
}

/* ---- videos ---- */

#ifdef TPP_HAS_VIDEO
#include "../io/video_maker.h"

enum { WIDE = 32, TALL = 24, LONG = 11 };

static void video_frames_are_the_pictures_encoded(void **state)
{
    (void)state;
    const video_spec colour = {.name = "v.mkv",
                               .codec = "ffv1",
                               .pixels = AV_PIX_FMT_BGR0,
                               .width = WIDE,
                               .height = TALL,
                               .frames = LONG,
                               .group = 1};
    const tpp_frames_options part = {.range = "3:"}, window = {.window = "lung"};
    tpp_frames f = {0};
    static uint8_t frame[WIDE * TALL * 3];
    if (make_video(&colour) == NULL) skip();
    open_ok(&f, "v.mkv", &part);
    assert_true(f.kind == TPP_FRAMES_VIDEO && f.channels == 3 && f.total == LONG);
    for (int64_t i = f.count - 1; i >= 0; i -= 3) {
        ASSERT_OK(tpp_frames_get(&f, i, frame));
        for (int p = 0; p < WIDE * TALL; p++)
            for (int c = 0; c < 3; c++)
                assert_int_equal(frame[3 * p + c], video_value((int)i + 3, p / WIDE, p % WIDE, c));
    }
    char *name = tpp_masks_picture_name(&f, 0), shown[32];
    assert_string_equal(name, "00003.png");
    assert_string_equal(tpp_frames_name(&f, 0, shown, sizeof shown), "frame 3");
    tpp_free(name);
    tpp_frames_close(&f);
    refuses("v.mkv", &window, "8-bit pictures and videos are taken as they are");
    refuses("v.mkv", &(tpp_frames_options){.has_time = true}, "--time is for volumes");
    refuses("v.mkv", &(tpp_frames_options){.axis = TPP_AXIS_SAGITTAL}, "--axis sagittal");
}
#else
static void video_frames_are_the_pictures_encoded(void **state)
{
    (void)state;
    print_message("[  SKIPPED ] built without videos\n");
    skip();
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(deep_pictures_have_one_window),
        cmocka_unit_test(deep_pictures_take_windows_by_number),
        cmocka_unit_test(shallow_among_deep_are_stretched),
        cmocka_unit_test(palettes_become_colours_and_alpha_is_dropped),
        cmocka_unit_test(names_are_ordered_by_the_numbers_in_them),
        cmocka_unit_test(masks_are_named_as_pictures_and_none_gets_lost),
        cmocka_unit_test(a_picture_is_called_what_the_user_called_it),
        cmocka_unit_test(options_for_volumes_are_refused),
        cmocka_unit_test(video_frames_are_the_pictures_encoded),
    };
    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
