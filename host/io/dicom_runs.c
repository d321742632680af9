/* Run-length coded pictures of DICOM (PS3.5, G): bytes of one significance after another, each such
 * plane packed as TIFF packs its bits. An own decoder: that of DCMTK 3.6.7 reads outside the data
 * when the offsets in them are damaged.
 * SPDX-License-Identifier: MIT */
#include "io/bytes.h"
#include "io/dicom_scan.h"

#include <inttypes.h>

enum { HEADER = 64, MOST_SEGMENTS = 15 };

/* Unpacks to every `step`th byte of `out`; false: the data end before `count` bytes. */
static bool unpack(uint8_t *out, size_t step, size_t count, const uint8_t *in, size_t size)
{
    size_t at = 0, done = 0;
    while (done < count) {
        if (at >= size) return false;
        const int code = in[at++];
        if (code == 128) continue; /* does nothing */
        const bool literal = code < 128;
        size_t n = literal ? (size_t)code + 1 : (size_t)(257 - code);
        if ((literal ? n : 1) > size - at) return false;
        if (n > count - done) n = count - done; /* some writers pad the last run */
        for (size_t i = 0; i < n; i++) out[(done + i) * step] = in[literal ? at + i : at];
        at += literal ? (size_t)code + 1 : 1;
        done += n;
    }
    return true;
}

tpp_status tpp_dicom_runs_decode(uint8_t *out, const tpp_dicom_runs *form, const uint8_t *bytes,
                                 size_t size)
{
    const size_t wide = (size_t)form->bytes, channels = (size_t)form->channels;
    const size_t segments = wide * channels;
    if (size < HEADER || segments > MOST_SEGMENTS || tpp_bytes_get(bytes, 4, false) != segments)
        return TPP_FAIL(TPP_EFORMAT, "%s: run-length coded data without %zu segments", form->path,
                        segments);
    for (size_t s = 0; s < segments; s++) {
        const uint64_t start = tpp_bytes_get(bytes + 4 + 4 * s, 4, false);
        uint64_t end = s + 1 < segments ? tpp_bytes_get(bytes + 8 + 4 * s, 4, false) : size;
        if (start < HEADER || start > end || end > size)
            return TPP_FAIL(TPP_EFORMAT,
                            "%s: run-length coded segment %zu lies from byte %" PRIu64
                            " to %" PRIu64 " of %zu",
                            form->path, s + 1, start, end, size);
        /* The most significant byte of a number comes first; `out` has it last. */
        uint8_t *to = out + s / wide * wide + (wide - 1 - s % wide);
        if (!unpack(to, segments, form->pixels, bytes + start, (size_t)(end - start)))
            return TPP_FAIL(TPP_EFORMAT, "%s: run-length coded segment %zu is cut off", form->path,
                            s + 1);
    }
    return TPP_OK;
}
