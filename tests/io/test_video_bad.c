/* Videos that are none, end early, are damaged, would open other files, or change.
 * SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "core/log.h"
#include "io/video.h"
#include "scratch.h"

#include <sys/stat.h>

#ifdef TPP_HAS_VIDEO

#include "io/bytes.h"
#include "video_maker.h"

enum { W = 64, H = 48, COUNT = 24, FRAME = W * H * 3 };

static int warnings;

static void count_warnings(void *context, tpp_log_level level, const char *module, const char *text)
{
    (void)context, (void)module, (void)text;
    warnings += level == TPP_LOG_WARN;
}

static int setup(void **state)
{
    tpp_log_set(TPP_LOG_WARN, count_warnings, NULL);
    return scratch_setup(state);
}

static void refuses(const char *path, tpp_status status, const char *fact)
{
    tpp_video *v = NULL;
    tpp_video_info info = {.count = -5};
    ASSERT_FAILS(tpp_video_open(&v, path, &info), status, path, fact);
    assert_true(v == NULL && info.count == -5);
}

static const char *make(const char *name, const char *codec, int b_frames)
{
    const bool lossless = strcmp(codec, "ffv1") == 0;
    const video_spec spec = {.name = name,
                             .codec = codec,
                             .pixels = lossless ? AV_PIX_FMT_BGR0 : AV_PIX_FMT_YUV420P,
                             .width = W,
                             .height = H,
                             .frames = COUNT,
                             .group = 8,
                             .b_frames = b_frames,
                             .space = lossless ? AVCOL_SPC_RGB : AVCOL_SPC_UNSPECIFIED};
    return make_video(&spec);
}

static void files_that_are_none_are_refused(void **state)
{
    (void)state;
    const char *pipe = scratch("pipe.mp4");
    assert_int_equal(mkfifo(pipe, 0600), 0);
    refuses(pipe, TPP_EIO, "not a regular file");
    refuses(scratch("absent.mp4"), TPP_EIO, "cannot open");
    refuses(scratch_folder, TPP_EIO, "a folder");
    refuses(put_file("empty.mp4", "", 0), TPP_EFORMAT, "an empty file");
    refuses(put_file("text.mp4", "a text, and no video at all\n", 28), TPP_EFORMAT, "");
    refuses(put_file("text.h264", "a text, and no video at all\n", 28), TPP_EFORMAT, "");
    uint8_t noise[5000];
    uint64_t seed = 4;
    for (size_t i = 0; i < sizeof noise; i++) noise[i] = (uint8_t)next_random(&seed);
    refuses(put_file("noise.avi", noise, sizeof noise), TPP_EFORMAT, "noise.avi");
}

/* Each of these names a video that is there, and that the ffmpeg program would open. */
static void playlists_open_no_other_file(void **state)
{
    (void)state;
    static const struct {
        const char *name, *text;
    } lists[] = {{"list.mp4", "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:1\n"
                              "#EXT-X-MEDIA-SEQUENCE:0\n#EXTINF:1.0,\n%s\n#EXT-X-ENDLIST\n"},
                 {"list.h264", "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1.0,\n%s\n"},
                 {"concat.mkv", "ffconcat version 1.0\nfile '%s'\nduration 1\n"},
                 {"list.avi",
                  "<?xml version=\"1.0\"?>\n<MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\""
                  " type=\"static\"><Period><BaseURL>%s</BaseURL></Period></MPD>\n"},
                 {"session.mp4", "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\n"
                                 "m=video 5004 RTP/AVP 96\na=%s\n"}};
    const char *real = make("real.mkv", "ffv1", 0);
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        char text[600];
        (void)snprintf(text, sizeof text, lists[i].text, real);
        tpp_video *v = NULL;
        tpp_video_info info = {0};
        const char *path = put_file(lists[i].name, text, strlen(text));
        const tpp_status s = tpp_video_open(&v, path, &info);
        assert_true(s == TPP_EUNSUPPORTED || s == TPP_EFORMAT);
        assert_non_null(strstr(tpp_error(), lists[i].name));
        assert_null(v);
        if (i == 0 || i == 2) assert_non_null(strstr(tpp_error(), "which is not read as a video"));
    }
}

/* One frame of silence in the container of videos. */
static void files_without_a_video_stream_are_refused(void **state)
{
    (void)state;
    const char *path = scratch("audio.avi");
    AVFormatContext *format = NULL;
    assert_true(avformat_alloc_output_context2(&format, NULL, NULL, path) >= 0);
    AVStream *stream = avformat_new_stream(format, NULL);
    stream->codecpar->codec_type = AVMEDIA_TYPE_AUDIO;
    stream->codecpar->codec_id = AV_CODEC_ID_PCM_S16LE;
    stream->codecpar->sample_rate = 8000;
    stream->codecpar->bits_per_coded_sample = 16;
    stream->codecpar->block_align = 2;
    av_channel_layout_default(&stream->codecpar->ch_layout, 1);
    stream->time_base = (AVRational){1, 8000};
    assert_true(avio_open(&format->pb, path, AVIO_FLAG_WRITE) >= 0);
    assert_true(avformat_write_header(format, NULL) >= 0);
    AVPacket *packet = av_packet_alloc();
    assert_true(av_new_packet(packet, 1600) >= 0);
    memset(packet->data, 0, 1600);
    packet->pts = packet->dts = 0;
    assert_true(av_write_frame(format, packet) >= 0);
    assert_true(av_write_trailer(format) >= 0);
    av_packet_free(&packet);
    (void)avio_closep(&format->pb);
    avformat_free_context(format);
    refuses(path, TPP_EFORMAT, "holds no video stream");
}

static void giants_are_refused_before_memory_is_taken(void **state)
{
    (void)state;
    static const uint32_t sizes[][2] = {{20000, 20000}, {16385, 16}, {16, 16385}, {16384, 16384}};
    size_t size = 0, at = 0;
    uint8_t *bytes = get_file(make("small.avi", "ffv1", 0), &size);
    while (at + 16 < size && memcmp(bytes + at, "strf", 4) != 0) at++;
    assert_true(at + 20 < size && tpp_bytes_get(bytes + at + 12, 4, false) == W);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        char want[64];
        tpp_bytes_put(bytes + at + 12, sizes[i][0], 4, false);
        tpp_bytes_put(bytes + at + 16, sizes[i][1], 4, false);
        (void)snprintf(want, sizeof want, "%u x %u pixels", sizes[i][0], sizes[i][1]);
        refuses(put_file("giant.avi", bytes, size), TPP_EFORMAT, want);
    }
    tpp_free(bytes);
}

static void codecs_that_are_not_read_are_named(void **state)
{
    (void)state;
    const video_spec spec = {.name = "flash.avi",
                             .codec = "flv",
                             .pixels = AV_PIX_FMT_YUV420P,
                             .width = W,
                             .height = H,
                             .frames = 3,
                             .group = 3};
    refuses(make_video(&spec), TPP_EUNSUPPORTED, "coded as flv1, which is not read; ffmpeg -i");
}

static uint8_t *read_frames(tpp_video *v, int64_t count)
{
    uint8_t *all = tpp_calloc((size_t)count, FRAME);
    assert_non_null(all);
    for (int64_t i = 0; i < count; i++) ASSERT_OK(tpp_video_get(v, i, all + i * FRAME));
    return all;
}

typedef struct cut_kind {
    const char *name, *codec;
    int b_frames;
    bool silent; /* a raw stream may end behind any frame, so the last one may be out of order */
    int warned;  /* at least so many of 40 cuts are warned of */
} cut_kind;

/* Whatever is given of a file cut off is as in the whole one. */
static void check_cut(const cut_kind *kind, const char *path, const uint8_t *whole)
{
    tpp_video *v = NULL;
    tpp_video_info info = {0};
    warnings = 0;
    const tpp_status s = tpp_video_open(&v, path, &info);
    if (s != TPP_OK) { /* a few bytes may be taken for another format */
        if (s != TPP_EFORMAT && s != TPP_EUNSUPPORTED) fail_msg("%d: %s", (int)s, tpp_error());
        assert_non_null(strstr(tpp_error(), tpp_path_base(path)));
        assert_null(v);
        return;
    }
    assert_in_range(info.count, 1, COUNT);
    uint8_t *part = read_frames(v, info.count);
    const int64_t sure = info.count - (kind->silent && warnings == 0 ? 1 : 0);
    for (int64_t i = 0; i < sure; i++)
        if (memcmp(part + i * FRAME, whole + i * FRAME, FRAME) != 0)
            fail_msg("%s: frame %d of %d is another", path, (int)i, (int)info.count);
    tpp_free(part);
    tpp_video_close(v);
}

static void a_file_that_ends_early_gives_the_frames_before(void **state)
{
    (void)state;
    static const cut_kind kinds[] = {
        {"a.mkv", "ffv1", 0, false, 35},    {"b.avi", "ffv1", 0, false, 30},
        {"c.avi", "mpeg4", 0, false, 5},    {"d.mpg", "mpeg2video", 2, false, 5},
        {"e.mp4", "mpeg4", 2, false, 0},    {"f.h264", "libx264", 2, true, 15},
        {"g.mkv", "libx264", 2, false, 15}, {"h.mkv", "mpeg4", 2, false, 20},
        {"i.avi", "mpeg4", 2, false, 5}};
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        const char *path = make(kinds[k].name, kinds[k].codec, kinds[k].b_frames);
        if (path == NULL) continue;
        tpp_video *v = NULL;
        tpp_video_info info = {0};
        size_t size = 0;
        ASSERT_OK(tpp_video_open(&v, path, &info));
        assert_int_equal(info.count, COUNT);
        uint8_t *whole = read_frames(v, COUNT), *bytes = get_file(path, &size);
        tpp_video_close(v);
        int warned = 0;
        for (size_t cut = 3; cut < size; cut += 1 + size / 40) {
            char name[32];
            (void)snprintf(name, sizeof name, "cut%s", strchr(kinds[k].name, '.'));
            warnings = 0;
            check_cut(&kinds[k], put_file(name, bytes, cut), whole);
            warned += warnings > 0;
        }
        if (warned < kinds[k].warned) fail_msg("%s: %d warnings", path, warned);
        tpp_free(whole);
        tpp_free(bytes);
    }
}

/* ffv1 has checksums: no changed byte may pass as a picture. */
static void damage_in_the_middle_is_an_error(void **state)
{
    (void)state;
    size_t size = 0;
    uint8_t *bytes = get_file(make("middle.mkv", "ffv1", 0), &size);
    refuses(put_file("half.mkv", bytes, 100), TPP_EFORMAT, "half.mkv");
    int refused = 0;
    for (size_t at = size / 4; at < size / 2; at += size / 50) {
        bytes[at] ^= 0x10;
        tpp_video *v = NULL;
        tpp_video_info info = {0};
        const tpp_status s = tpp_video_open(&v, put_file("broken.mkv", bytes, size), &info);
        assert_true(s == TPP_EFORMAT || s == TPP_OK);
        if (s != TPP_OK) refused += strstr(tpp_error(), "is damaged") != NULL;
        tpp_video_close(v);
        bytes[at] ^= 0x10;
    }
    assert_in_range(refused, 10, 13);
    tpp_free(bytes);
}

/* Two raw streams of different sizes, one behind the other. */
static void a_change_of_size_is_an_error(void **state)
{
    (void)state;
    video_spec spec = {.name = "small.m4v",
                       .codec = "mpeg4",
                       .pixels = AV_PIX_FMT_YUV420P,
                       .width = W,
                       .height = H,
                       .frames = 6,
                       .group = 6,
                       .muxer = "m4v"};
    size_t size[2] = {0, 0};
    uint8_t *part[2] = {get_file(make_video(&spec), &size[0]), NULL};
    spec.name = "large.m4v";
    spec.width = 2 * W;
    part[1] = get_file(make_video(&spec), &size[1]);
    uint8_t *both = tpp_calloc(size[0] + size[1], 1);
    memcpy(both, part[0], size[0]);
    memcpy(both + size[0], part[1], size[1]);
    refuses(put_file("sizes.m4v", both, size[0] + size[1]), TPP_EUNSUPPORTED,
            "frame 6 is 128 x 48 pixels, those before it are 64 x 48");
    tpp_free(both);
    tpp_free(part[0]);
    tpp_free(part[1]);
}

static void a_file_that_changes_is_noticed(void **state)
{
    (void)state;
    tpp_video *v = NULL;
    tpp_video_info info = {0};
    uint8_t out[FRAME];
    size_t size = 0;
    const video_spec spec = {.name = "changes.m4v",
                             .codec = "mpeg4",
                             .pixels = AV_PIX_FMT_YUV420P,
                             .width = W,
                             .height = H,
                             .frames = COUNT,
                             .group = 8,
                             .muxer = "m4v"};
    const char *path = make_video(&spec);
    uint8_t want[FRAME];
    ASSERT_OK(tpp_video_open(&v, path, &info));
    ASSERT_OK(tpp_video_get(v, COUNT - 1, want));
    ASSERT_OK(tpp_video_get(v, 1, out));
    uint8_t *bytes = get_file(path, &size);
    assert_int_equal(truncate(path, (off_t)size / 2), 0);
    ASSERT_OK(tpp_video_get(v, 0, out)); /* opened again: a raw stream has no other way back */
    ASSERT_FAILS(tpp_video_get(v, COUNT - 1, out), TPP_EIO, path, "has the file changed?");
    (void)put_file("changes.m4v", bytes, size);
    ASSERT_OK(tpp_video_get(v, COUNT - 1, out)); /* and it may come back */
    assert_memory_equal(out, want, FRAME);
    tpp_free(bytes);
    tpp_video_close(v);
}

static void changed_bytes_do_no_harm(void **state)
{
    (void)state;
    static const struct {
        const char *name, *codec;
    } kinds[] = {
        {"h.avi", "mpeg4"}, {"h.mkv", "ffv1"}, {"h.mp4", "mpeg4"}, {"h.mpg", "mpeg2video"}};
    uint8_t *out = NULL;
    uint64_t seed = 8;
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        size_t size = 0;
        uint8_t *bytes = get_file(make(kinds[k].name, kinds[k].codec, 0), &size);
        uint8_t *copy = tpp_calloc(size, 1);
        for (int round = 0; round < 60; round++) {
            memcpy(copy, bytes, size);
            for (uint64_t n = next_random(&seed) % 8 + 1; n > 0; n--)
                copy[next_random(&seed) % size] = (uint8_t)next_random(&seed);
            tpp_video *v = NULL;
            tpp_video_info info = {0};
            if (tpp_video_open(&v, put_file(kinds[k].name, copy, size), &info) != TPP_OK) continue;
            out = tpp_calloc((size_t)info.width * (size_t)info.height, 3);
            assert_non_null(out);
            ASSERT_OK(tpp_video_get(v, info.count - 1, out));
            ASSERT_OK(tpp_video_get(v, 0, out));
            tpp_free(out);
            tpp_video_close(v);
        }
        tpp_free(copy);
        tpp_free(bytes);
    }
}

#else

static void without_the_library_there_is_no_more_to_see(void **state)
{
    (void)state;
    skip(); /* test_video.c looks at the refusal */
}

#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
#ifdef TPP_HAS_VIDEO
        cmocka_unit_test(files_that_are_none_are_refused),
        cmocka_unit_test(playlists_open_no_other_file),
        cmocka_unit_test(files_without_a_video_stream_are_refused),
        cmocka_unit_test(giants_are_refused_before_memory_is_taken),
        cmocka_unit_test(codecs_that_are_not_read_are_named),
        cmocka_unit_test(a_file_that_ends_early_gives_the_frames_before),
        cmocka_unit_test(damage_in_the_middle_is_an_error),
        cmocka_unit_test(a_change_of_size_is_an_error),
        cmocka_unit_test(a_file_that_changes_is_noticed),
        cmocka_unit_test(changed_bytes_do_no_harm),
    };
    return cmocka_run_group_tests(tests, setup, scratch_teardown);
#else
        cmocka_unit_test(without_the_library_there_is_no_more_to_see),
    };
    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
#endif
}
