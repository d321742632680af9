/* Videos by frame number. Opening decodes everything once and keeps, of every frame, its time, a
 * checksum and whether it can be decoded alone. Going back seeks by time to such a frame; a frame
 * that comes out another than the first time ends the seeking for this file, and it is decoded from
 * its start again: the same number is always the same picture.
 * SPDX-License-Identifier: MIT */
#include "io/video.h"

#include "core/path.h"

#include <stddef.h>

bool tpp_video_has_name(const char *path)
{
    static const char *const ends[] = {".mp4",  ".m4v", ".mov", ".avi",  ".mkv", ".webm", ".mpg",
                                       ".mpeg", ".wmv", ".ogv", ".h264", ".264", ".h265", ".hevc"};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        if (tpp_path_has_suffix(path, ends[i])) return true;
    return false;
}

#ifdef TPP_HAS_VIDEO

#include "core/log.h"
#include "core/mem.h"
#include "io/video_stream.h"

#include <inttypes.h>

/* So many frames are rather decoded than sought past. */
enum { NEAR = 16, FIRST_CAPACITY = 64 };

typedef struct seen {
    int64_t pts;
    uint64_t checksum;
    bool alone; /* can be decoded without another */
} seen;

struct tpp_video {
    char *path;
    tpp_video_info info;
    tpp_video_stream stream;
    tpp_video_converter converter;
    seen *frames;
    size_t capacity;
    int64_t at;     /* number of the frame in stream.frame; -1: the first is to come */
    bool ready;     /* the stream is open, and behind frame `at` */
    bool has_times; /* which rise from frame to frame */
    bool has_pts;   /* and are times of showing; AVI has times of decoding */
    bool can_seek;  /* by them, and that has not failed yet */
    bool sought;    /* since the stream was opened */
};

const char *tpp_video_library(void)
{
    return "libavformat " TPP_VIDEO_VERSION;
}

/* ---- counting ---- */

static bool stands_alone(const AVFrame *frame)
{
#ifdef AV_FRAME_FLAG_KEY
    return (frame->flags & AV_FRAME_FLAG_KEY) != 0;
#else
    return frame->key_frame != 0;
#endif
}

static tpp_status check_frame(tpp_video *v, const AVFrame *frame)
{
    const int channels = tpp_video_is_grey(frame->format) ? 1 : 3;
    if (v->info.count == 0) {
        TPP_TRY(tpp_video_check_size(v->path, frame->width, frame->height));
        v->info.width = frame->width;
        v->info.height = frame->height;
        v->info.channels = channels;
        return TPP_OK;
    }
    if (frame->width != v->info.width || frame->height != v->info.height)
        return TPP_FAIL(TPP_EUNSUPPORTED,
                        "%s: frame %" PRId64 " is %d x %d pixels, those before it are %d x %d; "
                        "all have to be of one size",
                        v->path, v->info.count, frame->width, frame->height, v->info.width,
                        v->info.height);
    if (channels != v->info.channels)
        return TPP_FAIL(TPP_EUNSUPPORTED, "%s: frame %" PRId64 " is %s, those before it are not",
                        v->path, v->info.count, channels == 1 ? "grey" : "in colour");
    return TPP_OK;
}

static tpp_status add_frame(tpp_video *v)
{
    const AVFrame *frame = v->stream.frame;
    const int64_t n = v->info.count, pts = frame->best_effort_timestamp;
    TPP_TRY(check_frame(v, frame));
    if ((size_t)n == v->capacity) {
        const size_t wanted = v->capacity == 0 ? FIRST_CAPACITY : 2 * v->capacity;
        seen *grown = tpp_realloc(v->frames, wanted, sizeof *grown);
        if (grown == NULL) return TPP_ENOMEM;
        v->frames = grown;
        v->capacity = wanted;
    }
    if (pts == AV_NOPTS_VALUE || (n > 0 && pts <= v->frames[n - 1].pts)) v->has_times = false;
    v->frames[n] = (seen){pts, tpp_video_checksum(frame), stands_alone(frame)};
    v->info.count++;
    return TPP_OK;
}

static const char *because(void)
{
    return tpp_video_last_words()[0] == '\0' ? "no reason given" : tpp_video_last_words();
}

/* In a file cut off, a frame may come out of the emptied decoder whose predecessors, coded after
 * it, are missing: it would take their number. So of those frames (from `drained` on) only the ones
 * that follow closely are kept; without times, none. */
static void drop_what_follows_a_gap(tpp_video *v, int64_t drained)
{
    const double fps = tpp_video_stream_fps(&v->stream);
    const double unit = av_q2d(v->stream.format->streams[v->stream.index]->time_base);
    double least = fps > 0 ? 1 / (fps * unit) : (double)INT64_MAX;
    int64_t n = drained > 0 ? drained : 1;
    for (int64_t i = 1; i < v->info.count && v->has_pts; i++) {
        const double step = (double)v->frames[i].pts - (double)v->frames[i - 1].pts;
        if (step < least) least = step;
    }
    while (n < v->info.count && v->has_pts &&
           (double)v->frames[n].pts - (double)v->frames[n - 1].pts < 1.5 * least)
        n++;
    if (n < v->info.count) v->info.count = n;
}

/* By the header; 0: it says nothing. An edit list may leave some of them out. */
static int64_t promised_frames(const tpp_video *v)
{
    return v->stream.format->streams[v->stream.index]->nb_frames;
}

static tpp_status end_of_count(const tpp_video *v, bool damaged)
{
    if (v->info.count == 0)
        return TPP_FAIL(TPP_EFORMAT, "%s: holds no frame that can be decoded: %s", v->path,
                        because());
    const int64_t promised = promised_frames(v);
    if (damaged)
        tpp_log(TPP_LOG_WARN, "video",
                "%s: ends too early or within a frame; the %" PRId64 " frames before are taken",
                v->path, v->info.count);
    else if (promised > v->info.count)
        tpp_log(TPP_LOG_WARN, "video",
                "%s: the header tells of %" PRId64 " frames, %" PRId64 " are there", v->path,
                promised, v->info.count);
    return TPP_OK;
}

/* Damage is taken for a file's end when no packet follows it, and for a recording that began within
 * a group of frames when all packets before it were bad too. In between, a frame would be made up
 * or missing, and the numbers of all after it wrong: an error. */
static tpp_status count_frames(tpp_video *v)
{
    const tpp_video_stream *stream = &v->stream;
    tpp_video_step step = TPP_VIDEO_FRAME;
    int64_t skipped = 0; /* bad packets that the file begins with */
    int64_t drained = 0; /* frames that came before the decoder was emptied */
    bool closed = false; /* what comes shows later than the damage */
    tpp_video_forget_words();
    for (;;) {
        TPP_TRY(tpp_video_stream_next(&v->stream, &step));
        const int64_t bad = stream->bad_packet;
        if (bad == skipped + 1 && v->info.count == 0) skipped = bad;
        if (bad > skipped && stream->packets > bad)
            return TPP_FAIL(TPP_EFORMAT,
                            "%s: frame %" PRId64 " or one close to it is damaged (%s), and what "
                            "is made up in its place is no picture; " TPP_VIDEO_HINT_FORMAT,
                            v->path, v->info.count, because());
        if (!stream->ended) drained = v->info.count + (step == TPP_VIDEO_FRAME);
        if (step == TPP_VIDEO_END) break;
        if (step == TPP_VIDEO_FRAME && !closed) TPP_TRY(add_frame(v));
        if (step == TPP_VIDEO_BAD_FRAME && bad > skipped) closed = true;
    }
    if (skipped > 0 && v->info.count > 0)
        tpp_log(TPP_LOG_WARN, "video",
                "%s: begins within a group of frames; counting starts with the first whole one",
                v->path);
    const bool damaged = stream->bad_packet > skipped || stream->cut;
    if (damaged || promised_frames(v) > v->info.count) drop_what_follows_a_gap(v, drained);
    return end_of_count(v, damaged);
}

tpp_status tpp_video_open(tpp_video **out, const char *path, tpp_video_info *info)
{
    tpp_video *v = NULL;
    tpp_status s = TPP_OK;
    TPP_NEW(v, 1);
    v->path = tpp_strdup(path);
    s = v->path == NULL ? TPP_ENOMEM : tpp_video_stream_open(&v->stream, v->path);
    if (s == TPP_OK) {
        v->has_times = v->has_pts = tpp_video_stream_can_seek(&v->stream);
        tpp_video_stream_log_ignored(&v->stream);
        s = count_frames(v);
        v->can_seek = v->has_times;
    }
    if (s != TPP_OK) {
        tpp_video_close(v);
        return s;
    }
    v->info.fps = tpp_video_stream_fps(&v->stream);
    *info = v->info;
    *out = v;
    return TPP_OK;
}

void tpp_video_close(tpp_video *v)
{
    if (v == NULL) return;
    tpp_video_stream_close(&v->stream);
    sws_freeContext(v->converter.sws);
    av_frame_free(&v->converter.made);
    tpp_free(v->frames);
    tpp_free(v->path);
    tpp_free(v);
}

/* ---- one frame ---- */

/* From the start, `at` before the first frame: the only way that every file allows. */
static tpp_status start_again(tpp_video *v)
{
    tpp_video_stream_close(&v->stream);
    v->ready = v->sought = false;
    TPP_TRY(tpp_video_stream_open(&v->stream, v->path));
    v->ready = true;
    v->at = -1;
    return TPP_OK;
}

/* Is the decoded frame number n, the same as when it was counted? */
static bool is_frame(const tpp_video *v, int64_t n)
{
    const AVFrame *frame = v->stream.frame;
    return frame->width == v->info.width && frame->height == v->info.height &&
           tpp_video_checksum(frame) == v->frames[n].checksum;
}

/* False when the stream does not hold it any more. */
static tpp_status step_forward(tpp_video *v, bool *found)
{
    tpp_video_step step = TPP_VIDEO_BAD_PACKET;
    while (step == TPP_VIDEO_BAD_PACKET || (step == TPP_VIDEO_BAD_FRAME && v->at < 0))
        TPP_TRY(tpp_video_stream_next(&v->stream, &step));
    *found = step == TPP_VIDEO_FRAME && is_frame(v, v->at + 1);
    if (*found) v->at++;
    return TPP_OK;
}

/* To a frame that can be decoded alone. Frames before it may come first, and be wrong. */
static tpp_status seek_to(tpp_video *v, int64_t n, bool *found)
{
    tpp_video_step step = TPP_VIDEO_FRAME;
    const int64_t pts = v->frames[n].pts;
    v->sought = true;
    v->ready = *found = false;
    if (!tpp_video_stream_seek(&v->stream, pts)) return TPP_OK;
    do TPP_TRY(tpp_video_stream_next(&v->stream, &step));
    while (step != TPP_VIDEO_END &&
           (step == TPP_VIDEO_BAD_PACKET || v->stream.frame->best_effort_timestamp < pts));
    *found =
        step == TPP_VIDEO_FRAME && v->stream.frame->best_effort_timestamp == pts && is_frame(v, n);
    if (*found) v->at = n;
    v->ready = *found;
    tpp_log(TPP_LOG_DEBUG, "video", "%s: %s frame %" PRId64, v->path,
            *found ? "sought" : "cannot seek", n);
    return TPP_OK;
}

/* Goes the cheapest way to frame i; `found` false: it led elsewhere. */
static tpp_status approach(tpp_video *v, int64_t i, bool *found)
{
    int64_t alone = i;
    while (alone > 0 && !v->frames[alone].alone) alone--;
    const bool behind = !v->ready || i <= v->at;
    const bool seeks =
        v->can_seek && alone > 0 && v->stream.format != NULL && (behind || alone > v->at + NEAR);
    *found = true;
    if (seeks)
        TPP_TRY(seek_to(v, alone, found));
    else if (behind)
        TPP_TRY(start_again(v));
    while (*found && v->at < i) TPP_TRY(step_forward(v, found));
    return TPP_OK;
}

static tpp_status go_to(tpp_video *v, int64_t i)
{
    bool found = false;
    tpp_status s = approach(v, i, &found);
    if (v->sought && (s == TPP_EFORMAT || (s == TPP_OK && !found))) {
        v->can_seek = false;
        TPP_TRY(start_again(v));
        s = approach(v, i, &found);
    }
    if (s != TPP_OK || found) return s;
    return TPP_FAIL(TPP_EIO, "%s: frame %" PRId64 " is another than before; has the file changed?",
                    v->path, v->at + 1);
}

tpp_status tpp_video_get(tpp_video *v, int64_t i, uint8_t *out)
{
    if (i < 0 || i >= v->info.count)
        return TPP_FAIL(TPP_EUSAGE, "%s: there is no frame %" PRId64 " among %" PRId64, v->path, i,
                        v->info.count);
    if (!v->ready || i != v->at) {
        const tpp_status s = go_to(v, i);
        v->ready = s == TPP_OK;
        if (s != TPP_OK) return s;
    }
    return tpp_video_convert(&v->converter, v->stream.frame, v->info.channels, out, v->path);
}

#else

const char *tpp_video_library(void)
{
    return NULL;
}

tpp_status tpp_video_open(tpp_video **out, const char *path, tpp_video_info *info)
{
    (void)out, (void)info;
    return TPP_FAIL(TPP_EUNSUPPORTED,
                    "%s: a video, and this program was built without libavformat; ffmpeg -i FILE "
                    "-fps_mode passthrough FOLDER/%%05d.png makes pictures of it, or install "
                    "libavformat-dev, libavcodec-dev, libswscale-dev and build again",
                    path);
}

void tpp_video_close(tpp_video *v)
{
    (void)v;
}

tpp_status tpp_video_get(tpp_video *v, int64_t i, uint8_t *out)
{
    (void)v, (void)i, (void)out;
    return TPP_FAIL(TPP_EINTERNAL, "there is no video without libavformat");
}

#endif
