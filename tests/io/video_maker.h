/* Videos for the tests, encoded by libavcodec: frames that a formula gives.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_TESTS_IO_VIDEO_MAKER_H
#define TPP_TESTS_IO_VIDEO_MAKER_H

#include "scratch.h"

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <stdbool.h>

typedef struct video_spec {
    const char *name;  /* of the file; its ending chooses the container */
    const char *codec; /* an encoder's name */
    enum AVPixelFormat pixels;
    int width, height, frames;
    int group, b_frames; /* frames from one that stands alone to the next */
    enum AVColorSpace space;
    const char *muxer; /* NULL: by the name */
    int turn;          /* degrees in the header's display matrix */
} video_spec;

/* What the formula gives: smooth, and another for each frame. */
static inline uint8_t video_value(int n, int y, int x, int c)
{
    return (uint8_t)(40 + (x + 2 * n) % 61 + (c == 1 ? 2 : 1) * y + 17 * c + n % 7);
}

static inline void fill_frame(AVFrame *f, int n)
{
    assert_true(av_frame_make_writable(f) >= 0);
    for (int y = 0; y < f->height; y++)
        for (int x = 0; x < f->width; x++) {
            uint8_t *row = f->data[0] + (ptrdiff_t)y * f->linesize[0];
            if (f->format == AV_PIX_FMT_BGR0)
                for (int c = 0; c < 4; c++)
                    row[4 * x + c] = c == 3 ? 0 : video_value(n, y, x, 2 - c);
            else if (f->format == AV_PIX_FMT_GRAY16LE)
                row[2 * x + 1] = video_value(n, y, x, 0), row[2 * x] = 0x40;
            else
                row[x] = video_value(n, y, x, 0);
        }
    const bool whole = f->format == AV_PIX_FMT_YUV444P;
    const int rows = whole ? f->height : (f->height + 1) / 2;
    const size_t columns = (size_t)(whole ? f->width : (f->width + 1) / 2);
    for (int p = 1; p < 3 && f->format != AV_PIX_FMT_BGR0 && f->data[p] != NULL; p++)
        for (int y = 0; y < rows; y++)
            memset(f->data[p] + (ptrdiff_t)y * f->linesize[p], whole ? (p == 1 ? 90 : 170) : 128,
                   columns);
}

static inline void write_packets(AVFormatContext *format, AVCodecContext *codec,
                                 const AVStream *stream, const AVFrame *frame)
{
    AVPacket *packet = av_packet_alloc();
    assert_non_null(packet);
    assert_true(avcodec_send_frame(codec, frame) >= 0);
    while (avcodec_receive_packet(codec, packet) == 0) {
        av_packet_rescale_ts(packet, codec->time_base, stream->time_base);
        packet->stream_index = stream->index;
        assert_true(av_interleaved_write_frame(format, packet) >= 0);
    }
    av_packet_free(&packet);
}

static inline AVCodecContext *open_encoder(const video_spec *spec, const AVCodec *encoder,
                                           const AVFormatContext *format)
{
    AVCodecContext *codec = avcodec_alloc_context3(encoder);
    assert_non_null(codec);
    codec->width = spec->width;
    codec->height = spec->height;
    codec->pix_fmt = spec->pixels;
    codec->time_base = (AVRational){1, 25};
    codec->framerate = (AVRational){25, 1};
    codec->gop_size = spec->group;
    codec->max_b_frames = spec->b_frames;
    codec->colorspace = spec->space;
    codec->bit_rate = 4000000;
    codec->global_quality = 2 * FF_QP2LAMBDA;
    codec->thread_count = 1;
    codec->level = strcmp(spec->codec, "ffv1") == 0 ? 3 : codec->level;
    codec->strict_std_compliance = FF_COMPLIANCE_EXPERIMENTAL;
    codec->flags |= AV_CODEC_FLAG_BITEXACT | AV_CODEC_FLAG_QSCALE;
    if ((format->oformat->flags & AVFMT_GLOBALHEADER) != 0)
        codec->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
    assert_true(avcodec_open2(codec, encoder, NULL) >= 0);
    return codec;
}

static inline void turn_stream(AVStream *stream, int degrees)
{
    static const int32_t quarter[9] = {0, 1 << 16, 0, -(1 << 16), 0, 0, 0, 0, 1 << 30};
    uint8_t *data = av_stream_new_side_data(stream, AV_PKT_DATA_DISPLAYMATRIX, sizeof quarter);
    assert_int_equal(degrees, 90);
    assert_non_null(data);
    memcpy(data, quarter, sizeof quarter);
}

/* Its path, or NULL when this libavcodec has no such encoder. */
static inline const char *make_video(const video_spec *spec)
{
    const AVCodec *encoder = avcodec_find_encoder_by_name(spec->codec);
    const char *path = scratch(spec->name);
    AVFormatContext *format = NULL;
    if (encoder == NULL) return NULL;
    av_log_set_level(AV_LOG_FATAL);
    assert_true(avformat_alloc_output_context2(&format, NULL, spec->muxer, path) >= 0);
    AVCodecContext *codec = open_encoder(spec, encoder, format);
    AVStream *stream = avformat_new_stream(format, NULL);
    AVFrame *frame = av_frame_alloc();
    assert_true(stream != NULL && frame != NULL);
    stream->time_base = codec->time_base;
    stream->avg_frame_rate = codec->framerate;
    assert_true(avcodec_parameters_from_context(stream->codecpar, codec) >= 0);
    if (spec->turn != 0) turn_stream(stream, spec->turn);
    assert_true(avio_open(&format->pb, path, AVIO_FLAG_WRITE) >= 0);
    assert_true(avformat_write_header(format, NULL) >= 0);
    frame->width = spec->width;
    frame->height = spec->height;
    frame->format = spec->pixels;
    assert_true(av_frame_get_buffer(frame, 0) >= 0);
    for (int n = 0; n < spec->frames; n++) {
        fill_frame(frame, n);
        frame->pts = n;
        frame->quality = codec->global_quality;
        write_packets(format, codec, stream, frame);
    }
    write_packets(format, codec, stream, NULL);
    assert_true(av_write_trailer(format) >= 0);
    assert_int_equal(avio_closep(&format->pb), 0);
    av_frame_free(&frame);
    avcodec_free_context(&codec);
    avformat_free_context(format);
    return path;
}

#endif
