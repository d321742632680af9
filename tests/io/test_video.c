/* Videos: frames are those that were encoded, and the same in whatever order they are asked for.
 * SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "core/log.h"
#include "io/video.h"
#include "scratch.h"

static void names_are_known(void **state)
{
    (void)state;
    static const char *const names[] = {"a.mp4", "a.AVI", "a.mkv",  "a.mov", "a.webm", "a.mpg",
                                        "a.m4v", "a.wmv", "a.h264", "a.264", "a.ogv"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        assert_true(tpp_video_has_name(names[i]));
    assert_false(tpp_video_has_name("a.m3u8") || tpp_video_has_name("a.txt"));
    assert_false(tpp_video_has_name("a.mp4/b.png"));
}

#ifdef TPP_HAS_VIDEO

#include "video_maker.h"

typedef struct lines {
    int sought, turned;
} lines;

static void count_lines(void *context, tpp_log_level level, const char *module, const char *text)
{
    lines *l = context;
    (void)level, (void)module;
    l->sought += strstr(text, "sought frame") != NULL;
    l->turned += strstr(text, "turned by") != NULL;
}

/* All frames one after another; the caller frees. */
static uint8_t *read_all(tpp_video *v, const tpp_video_info *info)
{
    const size_t size = (size_t)info->width * (size_t)info->height * (size_t)info->channels;
    uint8_t *all = tpp_calloc((size_t)info->count, size);
    assert_non_null(all);
    for (int64_t i = 0; i < info->count; i++)
        ASSERT_OK(tpp_video_get(v, i, all + (size_t)i * size));
    return all;
}

static void check_orders(tpp_video *v, const tpp_video_info *info, const uint8_t *all, int rounds)
{
    const size_t size = (size_t)info->width * (size_t)info->height * (size_t)info->channels;
    uint8_t *one = tpp_calloc(size, 1);
    uint64_t seed = 9;
    assert_non_null(one);
    for (int64_t i = info->count - 1; i >= 0; i -= 1 + info->count / 12) {
        ASSERT_OK(tpp_video_get(v, i, one));
        assert_memory_equal(one, all + (size_t)i * size, size);
    }
    for (int round = 0; round < rounds; round++) {
        const int64_t i = (int64_t)(next_random(&seed) % (uint64_t)info->count);
        for (int twice = 0; twice < 2; twice++) {
            memset(one, 0, size);
            ASSERT_OK(tpp_video_get(v, i, one));
            if (memcmp(one, all + (size_t)i * size, size) != 0)
                fail_msg("frame %d is another than in order", (int)i);
        }
    }
    tpp_free(one);
}

/* Mean difference from the formula; frames of YUV hold luma in it and no colour. */
static double difference(const tpp_video_info *info, const uint8_t *all, bool luma)
{
    double sum = 0;
    size_t at = 0;
    for (int n = 0; n < info->count; n++)
        for (int y = 0; y < info->height; y++)
            for (int x = 0; x < info->width; x++)
                for (int c = 0; c < info->channels; c++, at++) {
                    double want = video_value(n, y, x, luma ? 0 : c);
                    if (luma) want = (want - 16) * 255 / 219;
                    if (want > 255) want = 255;
                    sum += want > all[at] ? want - all[at] : all[at] - want;
                }
    return sum / (double)at;
}

static void lossless_videos_are_equal_in_any_order(void **state)
{
    (void)state;
    static const video_spec specs[] = {
        {"colour.mkv", "ffv1", AV_PIX_FMT_BGR0, 61, 45, 40, 8, 0, AVCOL_SPC_RGB, NULL, 0},
        {"colour.avi", "ffv1", AV_PIX_FMT_BGR0, 61, 45, 40, 8, 0, AVCOL_SPC_RGB, NULL, 0},
        {"grey.mkv", "ffv1", AV_PIX_FMT_GRAY8, 37, 64, 40, 10, 0, 2, NULL, 0},
        {"grey.avi", "ffv1", AV_PIX_FMT_GRAY8, 64, 30, 1, 10, 0, 2, NULL, 0},
        {"deep.mkv", "ffv1", AV_PIX_FMT_GRAY16LE, 33, 20, 40, 10, 0, 2, NULL, 0},
    };
    for (size_t i = 0; i < 5; i++) {
        tpp_video *v = NULL;
        tpp_video_info info = {0};
        lines l = {0, 0};
        ASSERT_OK(tpp_video_open(&v, make_video(&specs[i]), &info));
        assert_true(info.width == specs[i].width && info.height == specs[i].height);
        assert_int_equal(info.count, specs[i].frames);
        assert_int_equal(info.channels, specs[i].pixels == AV_PIX_FMT_BGR0 ? 3 : 1);
        assert_true(info.fps == 25);
        uint8_t *all = read_all(v, &info);
        assert_true(difference(&info, all, false) == 0);
        tpp_log_set(TPP_LOG_DEBUG, count_lines, &l);
        check_orders(v, &info, all, 60);
        tpp_log_set(TPP_LOG_WARN, NULL, NULL);
        assert_true((l.sought > 20) == (info.count > 1)); /* and not by starting again */
        tpp_free(all);
        tpp_video_close(v);
    }
}

/* Lossy codecs with and without frames that refer to later ones, in the containers they go in. */
static void every_container_is_read(void **state)
{
    (void)state;
    static const struct {
        const char *name, *codec;
        int b_frames;
        const char *muxer;
    } kinds[] = {{"a.mp4", "mpeg4", 2, NULL},       {"b.avi", "mpeg4", 0, NULL},
                 {"c.mkv", "mpeg4", 2, NULL},       {"d.mov", "mjpeg", 0, NULL},
                 {"e.mpg", "mpeg2video", 2, NULL},  {"f.mpg", "mpeg1video", 2, "mpeg1video"},
                 {"g.wmv", "wmv2", 0, NULL},        {"h.m4v", "mpeg4", 2, "m4v"},
                 {"i.webm", "libvpx", 0, NULL},     {"j.ogv", "libtheora", 0, NULL},
                 {"k.h264", "libx264", 2, NULL},    {"l.mp4", "libx264", 3, NULL},
                 {"m.mkv", "libx264", 3, NULL},     {"n.mpg", "mpeg2video", 0, NULL},
                 {"o.mp4", "mpeg2video", 2, "mp4"}, {"p.avi", "mpeg4", 2, NULL}};
    int read = 0;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        const video_spec spec = {kinds[i].name,
                                 kinds[i].codec,
                                 strcmp(kinds[i].codec, "mjpeg") == 0 ? AV_PIX_FMT_YUVJ420P
                                                                      : AV_PIX_FMT_YUV420P,
                                 96,
                                 64,
                                 50,
                                 12,
                                 kinds[i].b_frames,
                                 AVCOL_SPC_UNSPECIFIED,
                                 kinds[i].muxer,
                                 0};
        const char *path = make_video(&spec);
        if (path == NULL) {
            print_message("no encoder %s here\n", kinds[i].codec);
            continue;
        }
        tpp_video *v = NULL;
        tpp_video_info info = {0};
        ASSERT_OK(tpp_video_open(&v, path, &info));
        assert_true(info.width == 96 && info.height == 64 && info.channels == 3);
        if (info.count != 50) fail_msg("%s: %d frames", path, (int)info.count);
        uint8_t *all = read_all(v, &info);
        if (spec.pixels == AV_PIX_FMT_YUV420P && difference(&info, all, true) > 4)
            fail_msg("%s: off by %g", path, difference(&info, all, true));
        check_orders(v, &info, all, 40);
        tpp_free(all);
        tpp_video_close(v);
        read++;
    }
    assert_in_range(read, 10, 20);
}

static int clamp(double v)
{
    return v < 0 ? 0 : v > 255 ? 255 : (int)(v + 0.5);
}

/* Y'CbCr with the stream's own matrix; without one it is BT.601's. */
static void colours_follow_the_streams_matrix(void **state)
{
    (void)state;
    static const struct {
        enum AVColorSpace space;
        double kr, kb;
    } spaces[] = {{AVCOL_SPC_BT709, 0.2126, 0.0722},
                  {AVCOL_SPC_SMPTE170M, 0.299, 0.114},
                  {AVCOL_SPC_UNSPECIFIED, 0.299, 0.114}};
    for (size_t i = 0; i < 3; i++) {
        const video_spec spec = {
            "matrix.mkv", "ffv1", AV_PIX_FMT_YUV444P, 40, 24, 3, 3, 0, spaces[i].space, NULL, 0};
        tpp_video *v = NULL;
        tpp_video_info info = {0};
        ASSERT_OK(tpp_video_open(&v, make_video(&spec), &info));
        uint8_t *all = read_all(v, &info);
        const double kr = spaces[i].kr, kb = spaces[i].kb;
        const double cb = (90 - 128) / 224.0, cr = (170 - 128) / 224.0;
        for (int n = 0, at = 0; n < 3; n++)
            for (int y = 0; y < 24; y++)
                for (int x = 0; x < 40; x++, at += 3) {
                    const double luma = (video_value(n, y, x, 0) - 16) / 219.0;
                    const double r = luma + 2 * (1 - kr) * cr, b = luma + 2 * (1 - kb) * cb;
                    const double rgb[3] = {r, (luma - kr * r - kb * b) / (1 - kr - kb), b};
                    for (int c = 0; c < 3; c++)
                        if (abs(all[at + c] - clamp(255 * rgb[c])) > 1)
                            fail_msg("space %d, %d,%d,%d: got %d, wanted %d", (int)i, y, x, c,
                                     all[at + c], clamp(255 * rgb[c]));
                }
        tpp_free(all);
        tpp_video_close(v);
    }
}

static void rotation_is_said_and_not_applied(void **state)
{
    (void)state;
    const video_spec spec = {
        "turned.mp4", "mpeg4", AV_PIX_FMT_YUV420P, 96, 64, 5, 5, 0, AVCOL_SPC_UNSPECIFIED,
        NULL,         90};
    tpp_video *v = NULL;
    tpp_video_info info = {0};
    lines l = {0, 0};
    tpp_log_set(TPP_LOG_WARN, count_lines, &l);
    ASSERT_OK(tpp_video_open(&v, make_video(&spec), &info));
    uint8_t *all = read_all(v, &info);
    tpp_log_set(TPP_LOG_WARN, NULL, NULL);
    assert_true(info.width == 96 && info.height == 64);
    assert_int_equal(l.turned, 1); /* once, however often the file is opened */
    tpp_free(all);
    tpp_video_close(v);
}

static void the_shared_sweep_is_read(void **state)
{
    (void)state;
    const char *path = shared_or_skip("data/sample/ultrasound/liver_sweep/liver_sweep.h264");
    tpp_video *v = NULL, *again = NULL;
    tpp_video_info info = {0};
    ASSERT_OK(tpp_video_open(&v, path, &info));
    assert_int_equal(info.count, 140);
    assert_true(info.width == 739 && info.height == 593 && info.channels == 3);
    uint8_t *all = read_all(v, &info);
    check_orders(v, &info, all, 3);
    ASSERT_OK(tpp_video_open(&again, path, &info));
    uint8_t *twice = read_all(again, &info);
    assert_memory_equal(all, twice,
                        140 * (size_t)info.width * (size_t)info.height * (size_t)info.channels);
    tpp_free(twice);
    tpp_free(all);
    tpp_video_close(again);
    tpp_video_close(v);
}

static void memory_may_run_out_anywhere(void **state)
{
    (void)state;
    const video_spec spec = {"memory.mkv", "ffv1", AV_PIX_FMT_BGR0, 16, 16, 3, 2, 0, AVCOL_SPC_RGB,
                             NULL,         0};
    const char *path = make_video(&spec);
    tpp_video *v = NULL;
    tpp_video_info info = {.count = -5};
    uint8_t out[16 * 16 * 3];
    int64_t n = 0;
    for (tpp_status s = TPP_ENOMEM; s != TPP_OK; n++) {
        assert_true(v == NULL && info.count == -5);
        tpp_alloc_fail_after(n);
        s = tpp_video_open(&v, path, &info);
        tpp_alloc_fail_after(-1);
        assert_true(s == TPP_OK || s == TPP_ENOMEM);
    }
    assert_int_equal(n, 4);  /* handle, path, index, and the call that worked */
    tpp_alloc_fail_after(0); /* a frame takes none of ours */
    const tpp_status s = tpp_video_get(v, 1, out);
    tpp_alloc_fail_after(-1);
    ASSERT_OK(s);
    assert_int_equal(out[3], video_value(1, 0, 1, 0));
    tpp_video_close(v);
}

static void frames_that_are_not_there_are_refused(void **state)
{
    (void)state;
    const video_spec spec = {"few.mkv", "ffv1", AV_PIX_FMT_GRAY8, 16, 16, 3, 2, 0, 2, NULL, 0};
    tpp_video *v = NULL;
    tpp_video_info info = {0};
    uint8_t out[16 * 16];
    ASSERT_OK(tpp_video_open(&v, make_video(&spec), &info));
    ASSERT_FAILS(tpp_video_get(v, 3, out), TPP_EUSAGE, "few.mkv", "no frame 3 among 3");
    ASSERT_FAILS(tpp_video_get(v, -1, out), TPP_EUSAGE, "few.mkv", "no frame -1");
    tpp_video_close(v);
    tpp_video_close(NULL);
    assert_non_null(strstr(tpp_video_library(), "libavformat "));
}

#else

static void without_the_library_a_video_is_refused_by_name(void **state)
{
    (void)state;
    tpp_video *v = NULL;
    tpp_video_info info = {0};
    assert_null(tpp_video_library());
    ASSERT_FAILS(tpp_video_open(&v, "a.mp4", &info), TPP_EUNSUPPORTED, "a.mp4",
                 "ffmpeg -i FILE -fps_mode passthrough FOLDER/%05d.png");
    assert_null(v);
    tpp_video_close(NULL);
}

#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_known),
#ifdef TPP_HAS_VIDEO
        cmocka_unit_test(lossless_videos_are_equal_in_any_order),
        cmocka_unit_test(every_container_is_read),
        cmocka_unit_test(colours_follow_the_streams_matrix),
        cmocka_unit_test(rotation_is_said_and_not_applied),
        cmocka_unit_test(the_shared_sweep_is_read),
        cmocka_unit_test(memory_may_run_out_anywhere),
        cmocka_unit_test(frames_that_are_not_there_are_refused),
#else
        cmocka_unit_test(without_the_library_a_video_is_refused_by_name),
#endif
    };
    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
