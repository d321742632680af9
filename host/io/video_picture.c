/* Decoded frames as RGB or grey bytes, and their checksums.
 * SPDX-License-Identifier: MIT */
#ifdef TPP_HAS_VIDEO

#include "io/video_stream.h"

#include <libavutil/imgutils.h>
#include <libavutil/opt.h>
#include <libavutil/pixdesc.h>
#include <string.h>

enum { ALIGNMENT = 64, BYTES_OF_WORD = 8, PALETTE_BYTES = 1024 };

bool tpp_video_is_grey(int pixel_format)
{
    const AVPixFmtDescriptor *d = av_pix_fmt_desc_get((enum AVPixelFormat)pixel_format);
    return d != NULL && d->nb_components <= 2 &&
           (d->flags & (AV_PIX_FMT_FLAG_PAL | AV_PIX_FMT_FLAG_RGB)) == 0;
}

/* ---- checksum ---- */

static uint64_t mix(uint64_t sum, const uint8_t *bytes, size_t size)
{
    const uint64_t prime = 0x9E3779B97F4A7C15u;
    uint64_t word = 0;
    for (; size >= BYTES_OF_WORD; size -= BYTES_OF_WORD, bytes += BYTES_OF_WORD) {
        memcpy(&word, bytes, BYTES_OF_WORD);
        sum = (sum ^ word) * prime;
        sum ^= sum >> 29;
    }
    word = size;
    for (size_t i = 0; i < size; i++) word = word << 8 | bytes[i];
    sum = (sum ^ word) * prime;
    return sum ^ sum >> 29;
}

uint64_t tpp_video_checksum(const AVFrame *frame)
{
    const enum AVPixelFormat format = (enum AVPixelFormat)frame->format;
    const AVPixFmtDescriptor *d = av_pix_fmt_desc_get(format);
    const int planes = av_pix_fmt_count_planes(format);
    uint64_t sum = (uint64_t)frame->width << 32 | (uint64_t)frame->height;
    for (int p = 0; p < planes && d != NULL; p++) {
        const int shift = p == 1 || p == 2 ? d->log2_chroma_h : 0;
        const int rows = AV_CEIL_RSHIFT(frame->height, shift);
        const int bytes = av_image_get_linesize(format, frame->width, p);
        for (int y = 0; y < rows && bytes > 0; y++)
            sum = mix(sum, frame->data[p] + (ptrdiff_t)y * frame->linesize[p], (size_t)bytes);
    }
    if (d != NULL && (d->flags & AV_PIX_FMT_FLAG_PAL) != 0 && frame->data[1] != NULL)
        sum = mix(sum, frame->data[1], PALETTE_BYTES);
    return sum;
}

/* ---- conversion ---- */

/* Not stated: ITU-R BT.601, as the ffmpeg program does it. */
static int sws_colorspace(enum AVColorSpace space)
{
    switch (space) {
    case AVCOL_SPC_BT709:
        return SWS_CS_ITU709;
    case AVCOL_SPC_FCC:
        return SWS_CS_FCC;
    case AVCOL_SPC_SMPTE240M:
        return SWS_CS_SMPTE240M;
    case AVCOL_SPC_BT2020_NCL:
    case AVCOL_SPC_BT2020_CL:
        return SWS_CS_BT2020;
    default:
        return SWS_CS_ITU601;
    }
}

/* Older than the flag for it: formats that are full range by their name. */
static bool is_full_range(const AVFrame *frame)
{
    switch (frame->format) {
    case AV_PIX_FMT_YUVJ411P:
    case AV_PIX_FMT_YUVJ420P:
    case AV_PIX_FMT_YUVJ422P:
    case AV_PIX_FMT_YUVJ440P:
    case AV_PIX_FMT_YUVJ444P:
        return true;
    default:
        return frame->color_range == AVCOL_RANGE_JPEG;
    }
}

/* Every reason for another result from the same frame is ruled out: dither, approximate sums,
 * chroma of half the width. */
static tpp_status make_sws(tpp_video_converter *c, const AVFrame *frame, int channels,
                           const char *path)
{
    const int output = channels == 1 ? AV_PIX_FMT_GRAY8 : AV_PIX_FMT_RGB24;
    const struct {
        const char *name;
        int value;
    } options[] = {{"srcw", frame->width},
                   {"srch", frame->height},
                   {"src_format", frame->format},
                   {"dstw", frame->width},
                   {"dsth", frame->height},
                   {"dst_format", output},
                   {"sws_flags", SWS_BICUBIC | SWS_ACCURATE_RND | SWS_FULL_CHR_H_INT |
                                     SWS_FULL_CHR_H_INP | SWS_BITEXACT},
                   {"src_range", c->full_range},
                   {"dst_range", 1}};
    sws_freeContext(c->sws);
    c->sws = sws_alloc_context();
    if (c->sws == NULL) return TPP_FAIL(TPP_ENOMEM, "%s: no memory to convert a frame", path);
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        if (av_opt_set_int(c->sws, options[i].name, options[i].value, 0) < 0)
            return TPP_FAIL(TPP_EINTERNAL, "libswscale has no option %s", options[i].name);
    if (av_opt_set(c->sws, "sws_dither", "none", 0) < 0)
        return TPP_FAIL(TPP_EINTERNAL, "libswscale cannot leave dither out");
    if (sws_init_context(c->sws, NULL, NULL) < 0)
        return TPP_FAIL(TPP_EUNSUPPORTED, "%s: pixels of the kind %s are not read", path,
                        av_get_pix_fmt_name((enum AVPixelFormat)frame->format));
    /* Fails where there is nothing to set: from RGB to RGB. */
    (void)sws_setColorspaceDetails(c->sws, sws_getCoefficients(c->colorspace), c->full_range,
                                   sws_getCoefficients(SWS_CS_DEFAULT), 1, 0, 1 << 16, 1 << 16);
    return TPP_OK;
}

static tpp_status make_room(tpp_video_converter *c, const AVFrame *frame, int channels,
                            const char *path)
{
    if (c->made != NULL) return TPP_OK;
    c->made = av_frame_alloc();
    if (c->made != NULL) {
        c->made->width = frame->width;
        c->made->height = frame->height;
        c->made->format = channels == 1 ? AV_PIX_FMT_GRAY8 : AV_PIX_FMT_RGB24;
        if (av_frame_get_buffer(c->made, ALIGNMENT) >= 0) return TPP_OK;
    }
    av_frame_free(&c->made);
    return TPP_FAIL(TPP_ENOMEM, "%s: no memory to convert a frame", path);
}

static tpp_status prepare(tpp_video_converter *c, const AVFrame *frame, int channels,
                          const char *path)
{
    const int colorspace = sws_colorspace(frame->colorspace);
    const int full_range = is_full_range(frame);
    TPP_TRY(make_room(c, frame, channels, path));
    if (c->sws != NULL && c->format == frame->format && c->colorspace == colorspace &&
        c->full_range == full_range)
        return TPP_OK;
    c->format = frame->format;
    c->colorspace = colorspace;
    c->full_range = full_range;
    const tpp_status s = make_sws(c, frame, channels, path);
    if (s != TPP_OK) {
        sws_freeContext(c->sws);
        c->sws = NULL;
    }
    return s;
}

static void copy_rows(uint8_t *out, const AVFrame *from, int channels)
{
    const size_t bytes = (size_t)from->width * (size_t)channels;
    for (int y = 0; y < from->height; y++)
        memcpy(out + (size_t)y * bytes, from->data[0] + (ptrdiff_t)y * from->linesize[0], bytes);
}

tpp_status tpp_video_convert(tpp_video_converter *c, const AVFrame *frame, int channels,
                             uint8_t *out, const char *path)
{
    if (frame->format == AV_PIX_FMT_GRAY8 && channels == 1) {
        copy_rows(out, frame, 1); /* as they are stored */
        return TPP_OK;
    }
    TPP_TRY(prepare(c, frame, channels, path));
    const int rows = sws_scale(c->sws, (const uint8_t *const *)frame->data, frame->linesize, 0,
                               frame->height, c->made->data, c->made->linesize);
    if (rows != frame->height)
        return TPP_FAIL(TPP_EINTERNAL, "%s: libswscale made %d rows of %d", path, rows,
                        frame->height);
    copy_rows(out, c->made, channels);
    return TPP_OK;
}

#else

typedef int tpp_video_has_no_pictures; /* a file may not be empty */

#endif
