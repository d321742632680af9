/* Frames of DICOM files to numbers: native bytes and runs by ourselves, JPEG 2000 by OpenJPEG, JPEG
 * and JPEG-LS by DCMTK.
 * SPDX-License-Identifier: MIT */
#include "io/dicom_parts.hh"

extern "C" {
#include "io/bytes.h"
}

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>

namespace tpp_dicom
{

/* One frame as its file or its decoder has it. */
struct samples {
    std::vector<std::uint8_t> bytes;
    std::size_t size = 1;   /* bytes of a number */
    bool big = false;       /* their order */
    bool swapped = false;   /* bytes changed places in pairs: 8 bits, as big-endian words */
    bool planar = false;    /* all red, then all green, then all blue */
    bool is_signed = false; /* numbers of `bits` bits */
    int bits = 8;
    std::string colour; /* as PhotometricInterpretation spells it */

    std::int64_t number(std::size_t index) const
    {
        const std::size_t at = swapped ? index ^ 1U : index * size;
        const std::uint64_t mask = (UINT64_C(1) << bits) - 1;
        const std::uint64_t raw = tpp_bytes_get(&bytes[at], size, big) & mask;
        const bool negative = is_signed && (raw >> (bits - 1) & 1) != 0;
        return static_cast<std::int64_t>(raw) - (negative ? INT64_C(1) << bits : 0);
    }
};

bool form::operator==(const form &o) const
{
    return rows == o.rows && columns == o.columns && samples == o.samples &&
           allocated == o.allocated && is_signed == o.is_signed && photometric == o.photometric;
}

int channels_of(const form &f)
{
    return f.samples == 3 || f.photometric == "PALETTE COLOR" ? 3 : 1;
}

static std::size_t pixels_of(const instance &x)
{
    return static_cast<std::size_t>(x.pixels.rows) * static_cast<std::size_t>(x.pixels.columns);
}

static tpp_status changed(const instance &x)
{
    return TPP_FAIL(TPP_EIO, "%s: the file changed while it was read", x.path.c_str());
}

/* Bytes of the file, which is as long as when it was looked at. */
static tpp_status read_bytes(std::uint8_t *out, const instance &x, const tpp_dicom_span &span)
{
    const std::unique_ptr<FILE, int (*)(FILE *)> file(std::fopen(x.path.c_str(), "rb"),
                                                      std::fclose);
    if (!file) return TPP_FAIL(TPP_EIO, "%s: cannot open", x.path.c_str());
    if (std::fseek(file.get(), 0, SEEK_END) != 0 ||
        static_cast<std::uint64_t>(std::ftell(file.get())) != x.scan->layout.file_size ||
        std::fseek(file.get(), static_cast<long>(span.offset), SEEK_SET) != 0)
        return changed(x);
    if (std::fread(out, 1, span.length, file.get()) != span.length) return changed(x);
    return TPP_OK;
}

/* Two pixels share their colours: y0 y1 cb cr, to y cb cr of each. */
static void unpack_422(std::vector<std::uint8_t> *bytes, std::size_t pixels)
{
    std::vector<std::uint8_t> out(3 * pixels);
    for (std::size_t i = 0; i + 1 < pixels; i += 2) {
        const std::uint8_t *in = &(*bytes)[2 * i];
        for (std::size_t k = 0; k < 2; k++) {
            out[3 * (i + k)] = in[k];
            out[3 * (i + k) + 1] = in[2];
            out[3 * (i + k) + 2] = in[3];
        }
    }
    *bytes = std::move(out);
}

tpp_status decoder::read_native(samples *out, const instance &x, const plane &p)
{
    const form &f = x.pixels;
    const tpp_dicom_layout &l = x.scan->layout;
    const bool packed = f.photometric == "YBR_FULL_422";
    const auto size = static_cast<std::size_t>(f.allocated / 8);
    if (packed && (f.allocated != 8 || f.columns % 2 != 0))
        return TPP_FAIL(TPP_EFORMAT, "%s: YBR_FULL_422 with %d bits and %d columns", x.path.c_str(),
                        f.allocated, f.columns);
    if (l.big && size == 4)
        return TPP_FAIL(TPP_EUNSUPPORTED, "%s: big-endian pixels of 32 bits are not read",
                        x.path.c_str());
    const std::size_t bytes =
        pixels_of(x) * (packed ? 2 : size * static_cast<std::size_t>(f.samples));
    tpp_dicom_span span = {l.pixels.offset + static_cast<std::uint64_t>(p.frame) * bytes, bytes};
    /* Pairs of swapped bytes: from an even place on, whole pairs. */
    std::uint64_t odd = 0;
    out->swapped = l.big && size == 1;
    if (out->swapped) {
        odd = (span.offset - l.pixels.offset) % 2;
        span.offset -= odd;
        span.length = std::min<std::uint64_t>((bytes + odd + 1) / 2 * 2,
                                              l.pixels.offset + l.pixels.length - span.offset);
    }
    out->bytes.assign(bytes + 2, 0);
    TPP_TRY(read_bytes(out->bytes.data(), x, span));
    if (out->swapped) {
        for (std::size_t i = 0; i + 1 < out->bytes.size(); i += 2)
            std::swap(out->bytes[i], out->bytes[i + 1]);
        out->bytes.erase(out->bytes.begin(), out->bytes.begin() + static_cast<std::ptrdiff_t>(odd));
        out->swapped = false;
    }
    out->size = size;
    out->big = l.big;
    out->planar = f.planar && !packed;
    if (packed) unpack_422(&out->bytes, pixels_of(x));
    return TPP_OK;
}

/* Marks that a code stream begins with: JPEG 2000 bare and boxed, JPEG. */
static bool begins_code_stream(const std::uint8_t *p)
{
    static const std::uint8_t marks[][4] = {
        {0xFF, 0x4F, 0xFF, 0x51}, {0, 0, 0, 12}, {0xFF, 0xD8, 0xFF, 0}};
    static const std::size_t sizes[] = {4, 4, 3};
    for (std::size_t i = 0; i < 3; i++)
        if (std::memcmp(p, marks[i], sizes[i]) == 0) return true;
    return false;
}

/* The frame's pieces, [first, end): each code stream begins with its own mark, whatever the offset
 * table says. */
static tpp_status find_pieces(std::size_t *first, std::size_t *end, const instance &x, int frame)
{
    const tpp_dicom_layout &l = x.scan->layout;
    const auto at = static_cast<std::size_t>(frame);
    if (l.fragment_count == static_cast<std::size_t>(x.frames)) {
        *first = at;
        *end = at + 1;
        return TPP_OK;
    }
    int begun = 0;
    *first = *end = l.fragment_count;
    for (std::size_t i = 0; i < l.fragment_count; i++) {
        std::uint8_t start[4] = {0};
        const tpp_dicom_span &span = l.fragment[i];
        if (span.length >= sizeof start) TPP_TRY(read_bytes(start, x, {span.offset, sizeof start}));
        if (!begins_code_stream(start)) continue;
        if (begun == frame) *first = i;
        if (begun == frame + 1) *end = i;
        begun++;
    }
    if (begun != x.frames)
        return TPP_FAIL(TPP_EFORMAT, "%s: %d frames are promised, %d came", x.path.c_str(),
                        x.frames, begun);
    return TPP_OK;
}

static tpp_dicom_picture picture_of(const instance &x)
{
    return {x.path.c_str(), x.pixels.columns, x.pixels.rows, x.pixels.samples};
}

tpp_status decoder::read_j2k(samples *out, const instance &x, const plane &p)
{
    const form &f = x.pixels;
    std::vector<std::uint8_t> stream;
    std::size_t first = 0, end = 0;
    TPP_TRY(find_pieces(&first, &end, x, p.frame));
    for (std::size_t i = first; i < end; i++) {
        const tpp_dicom_span &span = x.scan->layout.fragment[i];
        const std::size_t at = stream.size();
        stream.resize(at + span.length);
        TPP_TRY(read_bytes(stream.data() + at, x, span));
    }
    std::vector<std::int32_t> numbers(pixels_of(x) * static_cast<std::size_t>(f.samples));
    const tpp_dicom_picture picture = picture_of(x);
    int bits = 0;
    bool is_signed = false;
    TPP_TRY(tpp_dicom_j2k_decode(numbers.data(), &bits, &is_signed, &picture, stream.data(),
                                 stream.size()));
    out->size = sizeof(std::int32_t);
    out->bits = 8 * static_cast<int>(sizeof(std::int32_t));
    /* Some writers code signed numbers as unsigned ones: then the sign is at the top as ever. */
    if (f.is_signed && !is_signed) out->bits = std::min(f.stored, bits);
    out->is_signed = true;
    if (!f.is_signed && !is_signed) out->is_signed = false;
    out->bytes.resize(numbers.size() * sizeof(std::int32_t));
    for (std::size_t i = 0; i < numbers.size(); i++)
        tpp_bytes_put(&out->bytes[i * out->size], static_cast<std::uint32_t>(numbers[i]), out->size,
                      false);
    /* OpenJPEG has undone the colour transforms of JPEG 2000 itself. */
    if (f.photometric == "YBR_ICT" || f.photometric == "YBR_RCT") out->colour = "RGB";
    return TPP_OK;
}

tpp_status decoder::read_runs(samples *out, const instance &x, const plane &p)
{
    const form &f = x.pixels;
    const tpp_dicom_layout &l = x.scan->layout;
    if (l.fragment_count != static_cast<std::size_t>(x.frames))
        return TPP_FAIL(TPP_EFORMAT, "%s: %d frames are promised, %zu pieces of runs came",
                        x.path.c_str(), x.frames, l.fragment_count);
    const tpp_dicom_span &span = l.fragment[static_cast<std::size_t>(p.frame)];
    std::vector<std::uint8_t> runs(span.length);
    TPP_TRY(read_bytes(runs.data(), x, span));
    const tpp_dicom_runs picture = {x.path.c_str(), pixels_of(x), f.samples, f.allocated / 8};
    out->size = static_cast<std::size_t>(f.allocated / 8);
    out->bytes.resize(pixels_of(x) * out->size * static_cast<std::size_t>(f.samples));
    return tpp_dicom_runs_decode(out->bytes.data(), &picture, runs.data(), runs.size());
}

tpp_status decoder::open_file(const instance &x, std::size_t index)
{
    if (open_ && open_index_ == index) return TPP_OK;
    open_ = std::make_unique<DcmFileFormat>();
    open_index_ = index;
    if (open_->loadFile(x.path.c_str()).bad() ||
        identity_of(*open_, DCM_SOPInstanceUID, DCM_MediaStorageSOPInstanceUID) != x.sop) {
        open_.reset();
        return changed(x);
    }
    return TPP_OK;
}

tpp_status decoder::read_compressed(samples *out, const instance &x, const plane &p)
{
    TPP_TRY(open_file(x, p.file));
    DcmDataset *data = open_->getDataset();
    DcmElement *element = nullptr;
    const std::size_t size = static_cast<std::size_t>(x.pixels.allocated / 8);
    const std::size_t most_head = 1 << 20; /* a frame's head lies behind tables and comments */
    const std::size_t wanted = pixels_of(x) * size * static_cast<std::size_t>(x.pixels.samples);
    Uint32 bytes = 0;
    OFString colour;
    std::size_t first = 0, end = 0;
    TPP_TRY(find_pieces(&first, &end, x, p.frame));
    const tpp_dicom_span &span = x.scan->layout.fragment[first];
    std::vector<std::uint8_t> head(std::min<std::uint64_t>(span.length, most_head));
    TPP_TRY(read_bytes(head.data(), x, {span.offset, head.size()}));
    const tpp_dicom_picture picture = picture_of(x);
    TPP_TRY(tpp_dicom_jpeg_check(&picture, head.data(), head.size()));
    auto fragment = static_cast<Uint32>(first + 1); /* the first of all is the offset table */
    if (data->findAndGetElement(DCM_PixelData, element).bad()) return changed(x);
    auto *pixels = OFstatic_cast(DcmPixelData *, element);
    if (pixels->getUncompressedFrameSize(data, bytes).bad() || bytes < wanted)
        return TPP_FAIL(TPP_EFORMAT, "%s: the size of its frames cannot be told", x.path.c_str());
    out->bytes.assign(bytes, 0);
    const OFCondition done = pixels->getUncompressedFrame(
        data, static_cast<Uint32>(p.frame), fragment, out->bytes.data(), bytes, colour);
    if (done.bad())
        return TPP_FAIL(TPP_EFORMAT, "%s: frame %d (%s) cannot be decoded: %s", x.path.c_str(),
                        p.frame + 1, DcmXfer(x.scan->layout.transfer_syntax).getXferName(),
                        done.text());
    out->size = size;
    out->big = gLocalByteOrder == EBO_BigEndian;
    out->colour = colour.c_str();
    return TPP_OK;
}

static std::uint8_t to_byte(double v)
{
    return static_cast<std::uint8_t>(std::min(255.0, std::max(0.0, std::round(v))));
}

/* ITU-R BT.601, all 256 levels, as PS3.3 C.7.6.3.1.2 has it. */
static void rgb_of_ybr(float *rgb)
{
    const double y = rgb[0], blue = rgb[1] - 128.0, red = rgb[2] - 128.0;
    rgb[0] = to_byte(y + 1.402 * red);
    rgb[1] = to_byte(y - 0.344136 * blue - 0.714136 * red);
    rgb[2] = to_byte(y + 1.772 * blue);
}

static void give_palette(float *out, const samples &s, const palette &colours, std::size_t pixels)
{
    const auto last = static_cast<std::int64_t>(colours.colour.size()) - 1;
    for (std::size_t i = 0; i < pixels; i++) {
        const std::int64_t at = std::clamp<std::int64_t>(s.number(i) - colours.first, 0, last);
        const auto &rgb = colours.colour[static_cast<std::size_t>(at)];
        for (std::size_t c = 0; c < 3; c++) out[3 * i + c] = rgb[c];
    }
}

static tpp_status give_colour(float *out, const samples &s, const instance &x)
{
    const std::size_t pixels = pixels_of(x);
    const bool ybr = s.colour == "YBR_FULL" || s.colour == "YBR_FULL_422";
    if (!ybr && s.colour != "RGB")
        return TPP_FAIL(TPP_EUNSUPPORTED, "%s: colours of \"%s\" are not read", x.path.c_str(),
                        printable(s.colour).c_str());
    const int deep = x.pixels.stored > 8 ? x.pixels.stored - 8 : 0;
    for (std::size_t i = 0; i < pixels; i++) {
        for (std::size_t c = 0; c < 3; c++) {
            const std::int64_t number = s.number(s.planar ? c * pixels + i : 3 * i + c);
            out[3 * i + c] = to_byte(static_cast<double>(number >> deep));
        }
        if (ybr) rgb_of_ybr(out + 3 * i);
    }
    return TPP_OK;
}

/* MONOCHROME1: the lowest number is the brightest; turned round within the stored range. */
static void give_grey(float *out, const samples &s, const instance &x, const plane &p)
{
    const form &f = x.pixels;
    const std::size_t pixels = pixels_of(x);
    const bool turned = f.photometric == "MONOCHROME1";
    const std::int64_t ends = f.is_signed ? -1 : (INT64_C(1) << f.stored) - 1;
    for (std::size_t i = 0; i < pixels; i++) {
        const std::int64_t number = turned ? ends - s.number(i) : s.number(i);
        out[i] = static_cast<float>(p.slope * static_cast<double>(number) + p.intercept);
    }
}

tpp_status decoder::decode(samples *out, const instance &x, const plane &p)
{
    const std::string syntax = x.scan->layout.transfer_syntax;
    out->bits = x.pixels.stored;
    out->is_signed = x.pixels.is_signed;
    out->colour = x.pixels.photometric;
    if (!x.scan->layout.encapsulated) return read_native(out, x, p);
    if (syntax == UID_JPEG2000LosslessOnlyTransferSyntax || syntax == UID_JPEG2000TransferSyntax)
        return read_j2k(out, x, p);
    if (syntax == UID_RLELosslessTransferSyntax) return read_runs(out, x, p);
    return read_compressed(out, x, p);
}

tpp_status decoder::read(float *out, const plane &p)
{
    const instance &x = series_[p.file];
    samples s;
    TPP_TRY(decode(&s, x, p));
    if (x.pixels.samples == 3) return give_colour(out, s, x);
    if (x.colours)
        give_palette(out, s, *x.colours, pixels_of(x));
    else
        give_grey(out, s, x, p);
    return TPP_OK;
}

} // namespace tpp_dicom
