/* Inside the reader of videos: a file's first video stream as decoded frames in order, and a frame
 * as RGB or grey. Over libavformat, libavcodec and libswscale.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_IO_VIDEO_STREAM_H
#define TPP_IO_VIDEO_STREAM_H

#include "core/status.h"

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libswscale/swscale.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* What to do with a video that is not read, for a format of printf. */
#define TPP_VIDEO_HINT_FORMAT \
    "ffmpeg -i FILE -fps_mode passthrough FOLDER/%%05d.png makes pictures of it"

/* Zero-initialise. */
typedef struct tpp_video_stream {
    const char *path; /* borrowed until close */
    FILE *file;
    int io_error; /* errno of a read that failed */
    AVIOContext *io;
    AVFormatContext *format;
    AVCodecContext *codec;
    AVPacket *packet;
    AVFrame *frame;     /* the one that tpp_video_stream_next gave */
    int index, videos;  /* our stream; how many video streams there are */
    int64_t packets;    /* of the stream, read so far: a packet's number, from 1 */
    int64_t bad_packet; /* number of the last one that was not decoded whole; 0: none */
    int64_t sent_pts;   /* time of the last one that was sent */
    int64_t bad_pts;    /* of the bad one; each may be AV_NOPTS_VALUE */
    unsigned errors;    /* lines that libav had logged as errors when it was last looked at */
    bool ended;         /* no further packets; the decoder is being emptied */
    bool cut;           /* the file ended where more was due */
} tpp_video_stream;

typedef enum tpp_video_step {
    TPP_VIDEO_FRAME,      /* `frame` holds the next one */
    TPP_VIDEO_BAD_FRAME,  /* it does, and parts of it are made up, or frames before it missing */
    TPP_VIDEO_BAD_PACKET, /* one was not decoded whole; a frame may still come of it */
    TPP_VIDEO_END
} tpp_video_step;

TPP_MUST_CHECK tpp_status tpp_video_stream_open(tpp_video_stream *s, const char *path);
void tpp_video_stream_close(tpp_video_stream *s); /* and zeroes it */

/* Logs what of the file is not used: other streams, rotation, the shape of pixels. */
void tpp_video_stream_log_ignored(const tpp_video_stream *s);

TPP_MUST_CHECK tpp_status tpp_video_stream_next(tpp_video_stream *s, tpp_video_step *step);

/* Can frames be found by their time? A raw stream has no times. */
bool tpp_video_stream_can_seek(const tpp_video_stream *s);

/* Goes to a frame that can be decoded alone, at `pts` or before. False: no way. */
bool tpp_video_stream_seek(tpp_video_stream *s, int64_t pts);

/* Frames a second; 0: not stated. */
double tpp_video_stream_fps(const tpp_video_stream *s);

/* Sides and pixels within image.h. */
TPP_MUST_CHECK tpp_status tpp_video_check_size(const char *path, int64_t width, int64_t height);

/* Last line that libav logged as an error in this thread, or "". */
const char *tpp_video_last_words(void);
void tpp_video_forget_words(void);

/* ---- video_picture.c ---- */

/* Zero-initialise; sws_freeContext and av_frame_free when done. */
typedef struct tpp_video_converter {
    struct SwsContext *sws;
    AVFrame *made; /* aligned memory for what sws writes */
    int format, colorspace, full_range;
} tpp_video_converter;

bool tpp_video_is_grey(int pixel_format);

/* Of the pixels that show, so that a frame met again can be known. */
uint64_t tpp_video_checksum(const AVFrame *frame);

/* out: [height, width, channels] bytes. */
TPP_MUST_CHECK tpp_status tpp_video_convert(tpp_video_converter *c, const AVFrame *frame,
                                            int channels, uint8_t *out, const char *path);

#endif
