/* The head of a JPEG or JPEG-LS picture in DICOM, looked at before DCMTK decodes it: DCMTK 3.6.7
 * searches damaged heads without end, and trusts the sizes in them.
 * SPDX-License-Identifier: MIT */
#include "io/bytes.h"
#include "io/dicom_scan.h"

enum {
    MARK = 0xFF,
    START = 0xD8,
    TABLES = 0xC4, /* Huffman; C8 is not used, CC has arithmetic tables */
    ARITHMETIC = 0xCC,
    FRAME_FIRST = 0xC0,
    FRAME_LAST = 0xCF,
    FRAME_LS = 0xF7,
    FRAME_SIZE = 8 /* up to the number of components */
};

static bool is_frame(int mark)
{
    return mark == FRAME_LS || (mark >= FRAME_FIRST && mark <= FRAME_LAST && mark != TABLES &&
                                mark != 0xC8 && mark != ARITHMETIC);
}

/* Segments that may stand before the frame's. */
static bool may_precede(int mark)
{
    return mark == TABLES || mark == ARITHMETIC || mark == 0xDB || mark == 0xDD || mark == 0xF8 ||
           mark == 0xFE || (mark >= 0xE0 && mark <= 0xEF);
}

static tpp_status check_frame(const tpp_dicom_picture *want, const uint8_t *p)
{
    const uint64_t height = tpp_bytes_get(p + 3, 2, true), width = tpp_bytes_get(p + 5, 2, true);
    if (height == (uint64_t)want->height && width == (uint64_t)want->width &&
        p[7] == want->components)
        return TPP_OK;
    return TPP_FAIL(TPP_EFORMAT,
                    "%s: its JPEG picture is %u x %u with %d components, the header says %d x %d "
                    "with %d",
                    want->path, (unsigned)width, (unsigned)height, p[7], want->width, want->height,
                    want->components);
}

tpp_status tpp_dicom_jpeg_check(const tpp_dicom_picture *want, const uint8_t *bytes, size_t size)
{
    size_t at = 2;
    if (size < 4 || bytes[0] != MARK || bytes[1] != START)
        return TPP_FAIL(TPP_EFORMAT, "%s: pixel data that are no JPEG picture", want->path);
    while (size - at >= 4 && bytes[at] == MARK) {
        const int mark = bytes[at + 1];
        if (mark == MARK) { /* fill */
            at++;
            continue;
        }
        const size_t length = (size_t)tpp_bytes_get(bytes + at + 2, 2, true);
        if (length < 2 || length > size - at - 2) break;
        if (is_frame(mark)) {
            if (length < FRAME_SIZE) break;
            return check_frame(want, bytes + at + 2);
        }
        if (!may_precede(mark)) break;
        at += 2 + length;
    }
    return TPP_FAIL(TPP_EFORMAT, "%s: the head of its JPEG picture is damaged at byte %zu",
                    want->path, at);
}
