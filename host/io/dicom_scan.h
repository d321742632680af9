/* The structure of a DICOM file, walked before any library reads it: every length lies inside the
 * file, and sequences are not nested without end. And decoders that DCMTK lacks, or has but not for
 * damaged data. For dicom*.cc only.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_IO_DICOM_SCAN_H
#define TPP_IO_DICOM_SCAN_H

#include "core/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Sequences inside sequences. */
enum { TPP_DICOM_MAX_DEPTH = 16 };

typedef struct tpp_dicom_span {
    uint64_t offset, length;
} tpp_dicom_span;

typedef struct tpp_dicom_layout {
    char transfer_syntax[65]; /* UID; "": the file has none */
    uint64_t file_size;
    bool big;
    bool has_pixels, encapsulated; /* (7fe0,0010) of the outermost level */
    tpp_dicom_span pixels;         /* its value, when it is not encapsulated */
    tpp_dicom_span *fragment;      /* else its pieces, without the offset table */
    size_t fragment_count;
} tpp_dicom_layout;

/* TPP_EIO: cannot be read. TPP_EFORMAT: no DICOM, cut off, a length that lies. TPP_EUNSUPPORTED:
 * deflated. Messages name the file. Free with tpp_dicom_layout_free. */
TPP_MUST_CHECK tpp_status tpp_dicom_scan(tpp_dicom_layout *out, const char *path);
void tpp_dicom_layout_free(tpp_dicom_layout *layout);

/* A compressed picture: the sizes that it must have. */
typedef struct tpp_dicom_picture {
    const char *path; /* for messages */
    int width, height, components;
} tpp_dicom_picture;

/* Decodes JPEG 2000 to `out`, [height, width, components], and says what its numbers are.
 * TPP_EUNSUPPORTED without OpenJPEG. */
TPP_MUST_CHECK tpp_status tpp_dicom_j2k_decode(int32_t *out, int *bits, bool *is_signed,
                                               const tpp_dicom_picture *want, const uint8_t *bytes,
                                               size_t size);

/* Does a JPEG or JPEG-LS picture begin as it must, with these sizes? */
TPP_MUST_CHECK tpp_status tpp_dicom_jpeg_check(const tpp_dicom_picture *want, const uint8_t *bytes,
                                               size_t size);

/* A run-length coded picture: `channels` numbers of `bytes` bytes a pixel. */
typedef struct tpp_dicom_runs {
    const char *path; /* for messages */
    size_t pixels;
    int channels, bytes;
} tpp_dicom_runs;

/* Decodes to `out`, [pixels, channels], little-endian. */
TPP_MUST_CHECK tpp_status tpp_dicom_runs_decode(uint8_t *out, const tpp_dicom_runs *form,
                                                const uint8_t *bytes, size_t size);

#endif
