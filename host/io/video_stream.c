/* Demuxer and decoder. The file is opened here and read through callbacks; libav opens nothing, so
 * that a playlist or a reference inside a file leads nowhere. Formats and decoders are those of two
 * lists. One thread and bit-exact code: the same bytes in every run.
 * SPDX-License-Identifier: MIT */
#ifdef TPP_HAS_VIDEO

#define _POSIX_C_SOURCE 200809L /* fseeko */
#include "io/video_stream.h"

#include "core/log.h"
#include "io/image.h"
#include "io/picture_file.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <libavutil/avstring.h>
#include <libavutil/display.h>
#include <libavutil/log.h>
#include <libavutil/mem.h>
#include <stdatomic.h>
#include <string.h>

/* Files that hold their own streams; no playlists, scripts, devices, pictures. */
#define FORMATS "mov,mp4,avi,matroska,webm,mpeg,mpegvideo,h264,hevc,m4v,asf,ogg"
#define CODECS                                                                                   \
    "h264,hevc,mpeg1video,mpeg2video,mpeg4,msmpeg4v1,msmpeg4v2,msmpeg4,wmv1,wmv2,wmv3,vc1,h263," \
    "vp8,vp9,libdav1d,theora,mjpeg,png,ffv1,huffyuv,ffvhuff,utvideo,magicyuv,rawvideo,v210,"     \
    "dvvideo,prores,dnxhd,msvideo1,msrle,cinepak,qtrle"

enum { IO_BUFFER = 1 << 16, MAX_STREAMS = 64, MAX_ALLOCATION = 1 << 30, WORDS = 160 };

static _Thread_local char last_words[WORDS];
static _Thread_local unsigned error_lines;

const char *tpp_video_last_words(void)
{
    return last_words;
}

void tpp_video_forget_words(void)
{
    last_words[0] = '\0';
}

/* A line may come in several pieces. "concealing 12 DC, 12 AC, 12 MV errors in P frame" is no error
 * to libav; to us it is: those pixels are made up. */
static void on_log(void *from, int level, const char *format, va_list args)
{
    static _Thread_local char line[512];
    static _Thread_local size_t length;
    (void)from;
    if (level > AV_LOG_INFO) return;
    (void)vsnprintf(line + length, sizeof line - length, format, args);
    length = strlen(line);
    if (level <= AV_LOG_ERROR || strncmp(line, "concealing ", 11) == 0) error_lines++;
    if (strchr(line, '\n') == NULL && length + 1 < sizeof line) return;
    line[strcspn(line, "\n")] = '\0';
    length = 0;
    if (level <= AV_LOG_ERROR) (void)snprintf(last_words, sizeof last_words, "%.159s", line);
    tpp_log(TPP_LOG_DEBUG, "video", "libav: %s", line);
}

/* libav has one log and one limit for the process. */
static void set_up_once(void)
{
    static atomic_flag done = ATOMIC_FLAG_INIT;
    if (atomic_flag_test_and_set(&done)) return;
    av_log_set_callback(on_log);
    av_max_alloc(MAX_ALLOCATION);
}

/* `code` is libav's; the status is what it means for a file that was opened. */
static tpp_status libav_failed(const tpp_video_stream *s, int code, const char *what)
{
    char text[AV_ERROR_MAX_STRING_SIZE] = "";
    if (s->io_error != 0)
        return TPP_FAIL(TPP_EIO, "%s: cannot read: %s", s->path, strerror(s->io_error));
    if (code == AVERROR(ENOMEM)) return TPP_FAIL(TPP_ENOMEM, "%s: no memory to %s", s->path, what);
    (void)av_strerror(code, text, sizeof text);
    return TPP_FAIL(TPP_EFORMAT, "%s: cannot %s: %s%s%s", s->path, what, text,
                    last_words[0] == '\0' ? "" : "; ", last_words);
}

/* ---- the file ---- */

static int read_some(void *context, uint8_t *out, int size)
{
    tpp_video_stream *s = context;
    const size_t got = fread(out, 1, (size_t)size, s->file);
    if (got > 0) return (int)got;
    if (ferror(s->file) == 0) return AVERROR_EOF;
    s->io_error = errno;
    clearerr(s->file);
    return AVERROR(EIO);
}

static int64_t seek_file(void *context, int64_t offset, int whence)
{
    tpp_video_stream *s = context;
    whence &= ~AVSEEK_FORCE;
    if (whence == AVSEEK_SIZE) {
        const off_t here = ftello(s->file);
        if (here < 0 || fseeko(s->file, 0, SEEK_END) != 0) return AVERROR(EIO);
        const off_t size = ftello(s->file);
        return fseeko(s->file, here, SEEK_SET) != 0 ? AVERROR(EIO) : (int64_t)size;
    }
    if (whence != SEEK_SET && whence != SEEK_CUR && whence != SEEK_END) return AVERROR(EINVAL);
    if (fseeko(s->file, (off_t)offset, whence) != 0) return AVERROR(errno);
    return (int64_t)ftello(s->file);
}

static int open_nothing(AVFormatContext *format, AVIOContext **out, const char *url, int flags,
                        AVDictionary **options)
{
    (void)format, (void)flags, (void)options;
    *out = NULL;
    av_log(NULL, AV_LOG_ERROR, "another file is named (%.60s), which is not opened\n", url);
    return AVERROR(EPERM);
}

static tpp_status open_io(tpp_video_stream *s)
{
    TPP_TRY(tpp_picture_file_open(&s->file, s->path));
    uint8_t *buffer = av_malloc(IO_BUFFER);
    if (buffer != NULL)
        s->io = avio_alloc_context(buffer, IO_BUFFER, 0, s, read_some, NULL, seek_file);
    if (s->io == NULL) {
        av_free(buffer);
        return TPP_FAIL(TPP_ENOMEM, "%s: no memory for libavformat", s->path);
    }
    if (avio_size(s->io) == 0) return TPP_FAIL(TPP_EFORMAT, "%s: an empty file, no video", s->path);
    return TPP_OK;
}

/* ---- the format ---- */

static tpp_status find_format(const AVInputFormat **out, tpp_video_stream *s)
{
    const int score = av_probe_input_buffer2(s->io, out, s->path, NULL, 0, 0);
    if (score < 0 && s->io_error == 0 && score != AVERROR(ENOMEM))
        return TPP_FAIL(TPP_EFORMAT, "%s: no video of a format that is known", s->path);
    if (score < 0) return libav_failed(s, score, "find the format");
    if (av_match_list((*out)->name, FORMATS, ',') <= 0)
        return TPP_FAIL(TPP_EUNSUPPORTED, "%s: of the format \"%s\", which is not read as a video",
                        s->path, (*out)->name);
    return TPP_OK;
}

static tpp_status open_format(tpp_video_stream *s)
{
    const AVInputFormat *input = NULL;
    AVDictionary *options = NULL;
    TPP_TRY(find_format(&input, s));
    s->format = avformat_alloc_context();
    if (s->format == NULL) return TPP_FAIL(TPP_ENOMEM, "%s: no memory for a format", s->path);
    s->format->pb = s->io;
    s->format->io_open = open_nothing;
    s->format->max_streams = MAX_STREAMS;
    int code = av_dict_set(&options, "format_whitelist", FORMATS, 0);
    if (code >= 0) code = av_dict_set(&options, "codec_whitelist", CODECS, 0);
    if (code >= 0) code = av_dict_set(&options, "protocol_whitelist", "file", 0);
    if (code >= 0) {
        code = avformat_open_input(&s->format, s->path, input, &options);
    } else {
        avformat_free_context(s->format);
        s->format = NULL;
    }
    av_dict_free(&options);
    if (code < 0 || s->format == NULL) return libav_failed(s, code, "read the file's header");
    return TPP_OK;
}

tpp_status tpp_video_check_size(const char *path, int64_t width, int64_t height)
{
    if (width <= TPP_IMAGE_MAX_SIDE && height <= TPP_IMAGE_MAX_SIDE &&
        width * height <= TPP_IMAGE_MAX_PIXELS)
        return TPP_OK;
    return TPP_FAIL(TPP_EFORMAT,
                    "%s: %" PRId64 " x %" PRId64 " pixels, sides to %d and %d pixels in all are "
                    "read",
                    path, width, height, TPP_IMAGE_MAX_SIDE, TPP_IMAGE_MAX_PIXELS);
}

static tpp_status check_sizes(const tpp_video_stream *s)
{
    for (unsigned i = 0; i < s->format->nb_streams; i++) {
        const AVCodecParameters *p = s->format->streams[i]->codecpar;
        if (p->codec_type == AVMEDIA_TYPE_VIDEO)
            TPP_TRY(tpp_video_check_size(s->path, p->width, p->height));
    }
    return TPP_OK;
}

/* Looks into the first packets, for what headers leave open; decoders may run. */
static tpp_status look_into_streams(tpp_video_stream *s)
{
    assert(s->format != NULL);
    const unsigned count = s->format->nb_streams;
    AVDictionary *options[MAX_STREAMS] = {NULL};
    int code = 0;
    TPP_TRY(check_sizes(s));
    if (count > MAX_STREAMS) return TPP_FAIL(TPP_EFORMAT, "%s: %u streams", s->path, count);
    for (unsigned i = 0; i < count && code >= 0; i++) {
        code = av_dict_set(&options[i], "threads", "1", 0);
        if (code >= 0) code = av_dict_set_int(&options[i], "max_pixels", TPP_IMAGE_MAX_PIXELS, 0);
    }
    if (code >= 0) code = avformat_find_stream_info(s->format, options);
    for (unsigned i = 0; i < count; i++) av_dict_free(&options[i]);
    return code < 0 ? libav_failed(s, code, "read the file's streams") : check_sizes(s);
}

/* The first; a cover picture is none. */
static tpp_status choose_stream(tpp_video_stream *s)
{
    int videos = 0;
    for (unsigned i = 0; i < s->format->nb_streams; i++) {
        AVStream *stream = s->format->streams[i];
        const bool video = stream->codecpar->codec_type == AVMEDIA_TYPE_VIDEO &&
                           (stream->disposition & AV_DISPOSITION_ATTACHED_PIC) == 0;
        if (video && videos++ == 0)
            s->index = (int)i;
        else
            stream->discard = AVDISCARD_ALL;
    }
    if (videos == 0) return TPP_FAIL(TPP_EFORMAT, "%s: holds no video stream", s->path);
    s->videos = videos;
    return TPP_OK;
}

static const int32_t *display_matrix(const AVStream *stream)
{
#if LIBAVFORMAT_VERSION_MAJOR < 61
    return (const int32_t *)av_stream_get_side_data(stream, AV_PKT_DATA_DISPLAYMATRIX, NULL);
#else
    const AVPacketSideData *data =
        av_packet_side_data_get(stream->codecpar->coded_side_data,
                                stream->codecpar->nb_coded_side_data, AV_PKT_DATA_DISPLAYMATRIX);
    return data == NULL ? NULL : (const int32_t *)data->data;
#endif
}

void tpp_video_stream_log_ignored(const tpp_video_stream *s)
{
    const AVStream *stream = s->format->streams[s->index];
    const AVRational aspect = stream->codecpar->sample_aspect_ratio;
    const int32_t *matrix = display_matrix(stream);
    if (s->videos > 1)
        tpp_log(TPP_LOG_WARN, "video", "%s: %d video streams; the first is taken", s->path,
                s->videos);
    if (matrix != NULL)
        tpp_log(TPP_LOG_WARN, "video",
                "%s: says to show it turned by %.0f degrees; frames are taken as they are stored",
                s->path, av_display_rotation_get(matrix));
    if (aspect.num != 0 && aspect.num != aspect.den)
        tpp_log(TPP_LOG_INFO, "video", "%s: pixels of %d:%d are taken as square", s->path,
                aspect.num, aspect.den);
}

/* ---- the decoder ---- */

static tpp_status find_decoder(const AVCodec **out, const tpp_video_stream *s)
{
    const enum AVCodecID id = s->format->streams[s->index]->codecpar->codec_id;
    if (id == AV_CODEC_ID_NONE)
        return TPP_FAIL(TPP_EFORMAT, "%s: does not say how its frames are coded", s->path);
    *out = avcodec_find_decoder(id);
    if (*out != NULL && av_match_list((*out)->name, CODECS, ',') > 0) return TPP_OK;
    return TPP_FAIL(TPP_EUNSUPPORTED, "%s: coded as %s, which is not read; " TPP_VIDEO_HINT_FORMAT,
                    s->path, avcodec_get_name(id));
}

static tpp_status open_decoder(tpp_video_stream *s)
{
    const AVStream *stream = s->format->streams[s->index];
    const AVCodec *decoder = NULL;
    TPP_TRY(find_decoder(&decoder, s));
    s->codec = avcodec_alloc_context3(decoder);
    s->packet = av_packet_alloc();
    s->frame = av_frame_alloc();
    if (s->codec == NULL || s->packet == NULL || s->frame == NULL)
        return TPP_FAIL(TPP_ENOMEM, "%s: no memory for a decoder", s->path);
    int code = avcodec_parameters_to_context(s->codec, stream->codecpar);
    if (code < 0) return libav_failed(s, code, "open a decoder");
    s->codec->thread_count = 1;
    s->codec->max_pixels = TPP_IMAGE_MAX_PIXELS;
    s->codec->pkt_timebase = stream->time_base;
    s->codec->flags |= AV_CODEC_FLAG_BITEXACT | AV_CODEC_FLAG_UNALIGNED; /* crop to the pixel */
    s->codec->err_recognition |= AV_EF_CRCCHECK | AV_EF_BITSTREAM | AV_EF_BUFFER;
    code = avcodec_open2(s->codec, decoder, NULL);
    return code < 0 ? libav_failed(s, code, "open a decoder") : TPP_OK;
}

static tpp_status open_all(tpp_video_stream *s)
{
    TPP_TRY(open_io(s));
    TPP_TRY(open_format(s));
    TPP_TRY(look_into_streams(s));
    TPP_TRY(choose_stream(s));
    return open_decoder(s);
}

tpp_status tpp_video_stream_open(tpp_video_stream *s, const char *path)
{
    set_up_once();
    last_words[0] = '\0';
    *s = (tpp_video_stream){.path = path, .bad_pts = AV_NOPTS_VALUE, .sent_pts = AV_NOPTS_VALUE};
    const tpp_status status = open_all(s);
    s->errors = error_lines;
    if (status != TPP_OK) tpp_video_stream_close(s);
    return status;
}

void tpp_video_stream_close(tpp_video_stream *s)
{
    av_frame_free(&s->frame);
    av_packet_free(&s->packet);
    avcodec_free_context(&s->codec);
    avformat_close_input(&s->format);
    if (s->io != NULL) av_freep(&s->io->buffer); /* libavformat may have put another one there */
    avio_context_free(&s->io);
    if (s->file != NULL) (void)fclose(s->file);
    *s = (tpp_video_stream){0};
}

/* ---- frame after frame ---- */

/* Frames come out in another order than packets go in; this is how a frame's packet is known. */
static void number_packet(tpp_video_stream *s)
{
#if LIBAVCODEC_VERSION_MAJOR < 60
    s->codec->reordered_opaque = s->packets;
#else
    s->codec->flags |= AV_CODEC_FLAG_COPY_OPAQUE;
    s->packet->opaque = (void *)(intptr_t)s->packets;
#endif
}

static int64_t packet_of(const AVFrame *frame)
{
#if LIBAVCODEC_VERSION_MAJOR < 60
    return frame->reordered_opaque;
#else
    return (int64_t)(intptr_t)frame->opaque;
#endif
}

/* Some decoders mend what they cannot decode and say so in the log alone. */
static bool has_complained(tpp_video_stream *s)
{
    const bool more = s->errors != error_lines;
    s->errors = error_lines;
    return more;
}

/* The end of the file, or what stands for it: nothing more can be read from a file cut off. */
static tpp_status end_packets(tpp_video_stream *s, int code)
{
    if (s->io_error != 0 || code == AVERROR(ENOMEM)) return libav_failed(s, code, "read it");
    if (code != AVERROR_EOF && avio_feof(s->io) == 0) return libav_failed(s, code, "read it");
    s->cut = code != AVERROR_EOF || has_complained(s);
    s->ended = true;
    code = avcodec_send_packet(s->codec, NULL);
    return code < 0 && code != AVERROR_EOF ? libav_failed(s, code, "end the decoding") : TPP_OK;
}

/* Sends the decoder a packet of our stream. */
static tpp_status feed(tpp_video_stream *s)
{
    for (;;) {
        const int code = av_read_frame(s->format, s->packet);
        if (code < 0) return end_packets(s, code);
        if (s->packet->stream_index == s->index) break;
        av_packet_unref(s->packet);
    }
    const bool lost = has_complained(s); /* the demuxer: something before this packet is gone */
    s->packets++;
    number_packet(s);
    int code = (s->packet->flags & AV_PKT_FLAG_CORRUPT) != 0
                   ? AVERROR_INVALIDDATA
                   : avcodec_send_packet(s->codec, s->packet);
    s->sent_pts = s->packet->pts;
    av_packet_unref(s->packet);
    if (code == AVERROR(ENOMEM)) return libav_failed(s, code, "decode it");
    if (code < 0 || lost) {
        s->bad_packet = s->packets;
        s->bad_pts = s->sent_pts;
    }
    return TPP_OK;
}

static bool is_bad(tpp_video_stream *s)
{
    const AVFrame *f = s->frame;
    if ((f->flags & AV_FRAME_FLAG_CORRUPT) != 0 || f->decode_error_flags != 0) {
        if (packet_of(f) > s->bad_packet) s->bad_packet = packet_of(f);
        return true;
    }
    if (s->bad_packet == 0) return false;
    /* what shows after a last packet that gave nothing would have a wrong number */
    const bool behind = s->ended && s->bad_packet == s->packets && s->bad_pts != AV_NOPTS_VALUE &&
                        f->best_effort_timestamp != AV_NOPTS_VALUE &&
                        f->best_effort_timestamp >= s->bad_pts;
    return behind || packet_of(f) == s->bad_packet;
}

tpp_status tpp_video_stream_next(tpp_video_stream *s, tpp_video_step *step)
{
    for (;;) {
        const int64_t bad_before = s->bad_packet;
        const int code = avcodec_receive_frame(s->codec, s->frame);
        if (code == AVERROR(ENOMEM)) return libav_failed(s, code, "decode it");
        const bool over = code == AVERROR_EOF || (code == AVERROR(EAGAIN) && s->ended);
        if (has_complained(s) || (code < 0 && code != AVERROR(EAGAIN) && !over)) {
            s->bad_packet = s->packets;
            s->bad_pts = s->sent_pts;
        }
        if (code == 0) {
            *step = is_bad(s) ? TPP_VIDEO_BAD_FRAME : TPP_VIDEO_FRAME;
            return TPP_OK;
        }
        if (over) {
            *step = TPP_VIDEO_END;
            return TPP_OK;
        }
        if (s->bad_packet == bad_before && code == AVERROR(EAGAIN)) TPP_TRY(feed(s));
        if (s->bad_packet == bad_before) continue;
        *step = TPP_VIDEO_BAD_PACKET;
        return TPP_OK;
    }
}

bool tpp_video_stream_can_seek(const tpp_video_stream *s)
{
    return (s->format->iformat->flags & AVFMT_NOTIMESTAMPS) == 0;
}

bool tpp_video_stream_seek(tpp_video_stream *s, int64_t pts)
{
    if (av_seek_frame(s->format, s->index, pts, AVSEEK_FLAG_BACKWARD) < 0) return false;
    avcodec_flush_buffers(s->codec);
    s->ended = s->cut = false;
    s->bad_packet = 0;
    return true;
}

double tpp_video_stream_fps(const tpp_video_stream *s)
{
    const AVRational rate = tpp_video_stream_can_seek(s)
                                ? av_guess_frame_rate(s->format, s->format->streams[s->index], NULL)
                                : s->codec->framerate; /* a raw stream's own; the rest is a guess */
    return rate.num > 0 && rate.den > 0 ? av_q2d(rate) : 0;
}

#else

typedef int tpp_video_is_not_built_in; /* a file may not be empty */

#endif
