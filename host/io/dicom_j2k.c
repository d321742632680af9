/* JPEG 2000 pictures in DICOM, by OpenJPEG: DCMTK 3.6.7 does not decode them.
 * SPDX-License-Identifier: MIT */
#include "io/dicom_scan.h"

#ifdef TPP_WITH_OPENJPEG

#include <openjpeg.h>
#include <string.h>

/* Bytes in memory as OpenJPEG's stream. */
typedef struct memory {
    const uint8_t *bytes;
    size_t size, at;
} memory;

static OPJ_SIZE_T read_memory(void *out, OPJ_SIZE_T size, void *context)
{
    memory *m = context;
    const size_t left = m->size - m->at, n = size < left ? size : left;
    if (n == 0) return (OPJ_SIZE_T)-1;
    memcpy(out, m->bytes + m->at, n);
    m->at += n;
    return n;
}

static OPJ_OFF_T skip_memory(OPJ_OFF_T size, void *context)
{
    memory *m = context;
    if (size < 0 || (uint64_t)size > m->size - m->at) return -1;
    m->at += (size_t)size;
    return size;
}

static OPJ_BOOL seek_memory(OPJ_OFF_T at, void *context)
{
    memory *m = context;
    if (at < 0 || (uint64_t)at > m->size) return OPJ_FALSE;
    m->at = (size_t)at;
    return OPJ_TRUE;
}

static void be_silent(const char *text, void *context)
{
    (void)text, (void)context;
}

static tpp_status check(const opj_image_t *image, const tpp_dicom_picture *want)
{
    const char *path = want->path;
    if ((int64_t)image->x1 - image->x0 != want->width ||
        (int64_t)image->y1 - image->y0 != want->height ||
        image->numcomps != (OPJ_UINT32)want->components)
        return TPP_FAIL(TPP_EFORMAT,
                        "%s: its JPEG 2000 picture is %lld x %lld with %u components, the header "
                        "says %d x %d with %d",
                        path, (long long)image->x1 - image->x0, (long long)image->y1 - image->y0,
                        image->numcomps, want->width, want->height, want->components);
    for (OPJ_UINT32 c = 0; c < image->numcomps; c++) {
        const opj_image_comp_t *p = &image->comps[c];
        if (p->dx != 1 || p->dy != 1 || p->prec < 1 || p->prec > 31 ||
            p->prec != image->comps[0].prec || p->sgnd != image->comps[0].sgnd)
            return TPP_FAIL(TPP_EUNSUPPORTED,
                            "%s: a JPEG 2000 picture whose components differ, or have %u bits",
                            path, p->prec);
    }
    return TPP_OK;
}

static tpp_status decode(int32_t *out, const tpp_dicom_picture *want, opj_codec_t *codec,
                         opj_stream_t *stream, opj_image_t **image)
{
    const char *path = want->path;
    opj_dparameters_t parameters;
    opj_set_default_decoder_parameters(&parameters);
    if (!opj_setup_decoder(codec, &parameters) || !opj_read_header(stream, codec, image))
        return TPP_FAIL(TPP_EFORMAT, "%s: its JPEG 2000 header is damaged", path);
    TPP_TRY(check(*image, want));
    if (!opj_decode(codec, stream, *image) || !opj_end_decompress(codec, stream))
        return TPP_FAIL(TPP_EFORMAT, "%s: its JPEG 2000 data are damaged or cut off", path);
    TPP_TRY(check(*image, want));
    const size_t pixels = (size_t)want->width * (size_t)want->height;
    const size_t channels = (size_t)want->components;
    for (size_t c = 0; c < channels; c++) {
        const opj_image_comp_t *p = &(*image)->comps[c];
        if (p->data == NULL || p->w != (OPJ_UINT32)want->width || p->h != (OPJ_UINT32)want->height)
            return TPP_FAIL(TPP_EFORMAT, "%s: its JPEG 2000 picture is incomplete", path);
        for (size_t i = 0; i < pixels; i++) out[i * channels + c] = p->data[i];
    }
    return TPP_OK;
}

tpp_status tpp_dicom_j2k_decode(int32_t *out, int *bits, bool *is_signed,
                                const tpp_dicom_picture *want, const uint8_t *bytes, size_t size)
{
    static const uint8_t box[] = {0, 0, 0, 12, 'j', 'P', ' ', ' '};
    const bool boxed = size >= sizeof box && memcmp(bytes, box, sizeof box) == 0;
    memory m = {bytes, size, 0};
    opj_image_t *image = NULL;
    opj_codec_t *codec = opj_create_decompress(boxed ? OPJ_CODEC_JP2 : OPJ_CODEC_J2K);
    opj_stream_t *stream = opj_stream_default_create(OPJ_TRUE);
    tpp_status s = TPP_ENOMEM;
    if (codec == NULL || stream == NULL) {
        s = TPP_FAIL(TPP_ENOMEM, "%s: no memory for a JPEG 2000 decoder", want->path);
    } else {
        opj_set_error_handler(codec, be_silent, NULL);
        opj_set_warning_handler(codec, be_silent, NULL);
        opj_stream_set_user_data(stream, &m, NULL);
        opj_stream_set_user_data_length(stream, size);
        opj_stream_set_read_function(stream, read_memory);
        opj_stream_set_skip_function(stream, skip_memory);
        opj_stream_set_seek_function(stream, seek_memory);
        s = decode(out, want, codec, stream, &image);
    }
    if (s == TPP_OK) {
        *bits = (int)image->comps[0].prec;
        *is_signed = image->comps[0].sgnd != 0;
    }
    opj_image_destroy(image);
    opj_stream_destroy(stream);
    opj_destroy_codec(codec);
    return s;
}

#else

tpp_status tpp_dicom_j2k_decode(int32_t *out, int *bits, bool *is_signed,
                                const tpp_dicom_picture *want, const uint8_t *bytes, size_t size)
{
    (void)out, (void)bits, (void)is_signed, (void)bytes, (void)size;
    return TPP_FAIL(TPP_EUNSUPPORTED,
                    "%s: JPEG 2000, which this program was built without; build it where "
                    "libopenjp2-7-dev is installed, or unpack the file with gdcmconv --raw",
                    want->path);
}

#endif
