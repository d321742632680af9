/* One DICOM file: what it is, and the form of its pixels.
 * SPDX-License-Identifier: MIT */
#include "io/dicom_parts.hh"

#include <cinttypes>
#include <cmath>

namespace tpp_dicom
{

std::string printable(const std::string &text)
{
    enum { LONGEST = 64 };
    std::string out;
    for (const char c : text) {
        if (out.size() == LONGEST) break;
        out += c >= ' ' && c <= '~' ? c : '?';
    }
    return out;
}

std::string text_of(DcmItem *item, const DcmTagKey &tag, unsigned long index)
{
    OFString value;
    if (item == nullptr || item->findAndGetOFString(tag, value, index).bad()) return "";
    return printable(value.c_str());
}

bool number_of(DcmItem *item, const DcmTagKey &tag, double *out, unsigned long index)
{
    DcmElement *element = nullptr;
    if (item == nullptr || item->findAndGetElement(tag, element).bad() || element == nullptr)
        return false;
    Float64 value = 0;
    Sint32 whole = 0;
    Uint16 small = 0;
    Uint32 large = 0;
    if (element->getFloat64(value, index).good())
        *out = value;
    else if (element->getUint16(small, index).good())
        *out = small;
    else if (element->getUint32(large, index).good())
        *out = large;
    else if (element->getSint32(whole, index).good())
        *out = whole;
    else
        return false;
    return std::isfinite(*out);
}

/* A whole number from `low` to `high`; `otherwise` when it is absent or not one. */
static int whole_of(DcmItem *item, const DcmTagKey &tag, int low, int high, int otherwise)
{
    double value = 0;
    if (!number_of(item, tag, &value)) return otherwise;
    return value >= low && value <= high ? static_cast<int>(value) : otherwise;
}

/* What an object without an image of its own is. By class first: some name another modality. */
static std::string kind_of(const std::string &sop_class, const std::string &modality)
{
    static const struct {
        const char *sop_class, *modality, *text;
    } kinds[] = {
        {UID_SegmentationStorage, "SEG", "a segmentation (SEG)"},
        {UID_SurfaceSegmentationStorage, "", "a surface segmentation"},
        {UID_RTStructureSetStorage, "RTSTRUCT", "a structure set (RTSTRUCT)"},
        {UID_RTDoseStorage, "RTDOSE", "a dose (RTDOSE)"},
        {UID_RTPlanStorage, "RTPLAN", "a plan (RTPLAN)"},
        {UID_ParametricMapStorage, "", "a parametric map"},
        {UID_KeyObjectSelectionDocumentStorage, "KO", "a key object selection (KO)"},
        {UID_GrayscaleSoftcopyPresentationStateStorage, "PR", "a presentation state (PR)"},
        {UID_SpatialRegistrationStorage, "REG", "a registration (REG)"},
        {UID_RawDataStorage, "RAWDATA", "raw data"},
        {UID_MediaStorageDirectoryStorage, "", "a directory of media (DICOMDIR)"},
        {UID_EncapsulatedPDFStorage, "DOC", "a document"},
        {UID_BasicTextSRStorage, "SR", "a structured report (SR)"},
    };
    for (const auto &kind : kinds)
        if (sop_class == kind.sop_class) return kind.text;
    for (const auto &kind : kinds)
        if (!modality.empty() && modality == kind.modality) return kind.text;
    return "";
}

static tpp_status read_form(instance *x, DcmDataset *data)
{
    form &f = x->pixels;
    const char *path = x->path.c_str();
    f.rows = whole_of(data, DCM_Rows, 1, 65535, 0);
    f.columns = whole_of(data, DCM_Columns, 1, 65535, 0);
    if (f.rows == 0 || f.columns == 0)
        return TPP_FAIL(TPP_EFORMAT, "%s: Rows or Columns is absent or 0", path);
    f.samples = whole_of(data, DCM_SamplesPerPixel, 1, 65535, 1);
    f.allocated = whole_of(data, DCM_BitsAllocated, 1, 65535, 0);
    f.stored = whole_of(data, DCM_BitsStored, 1, 65535, f.allocated);
    f.is_signed = whole_of(data, DCM_PixelRepresentation, 0, 1, 0) == 1;
    f.planar = whole_of(data, DCM_PlanarConfiguration, 0, 1, 0) == 1 && f.samples > 1;
    f.photometric = text_of(data, DCM_PhotometricInterpretation);
    if (f.photometric.empty()) f.photometric = f.samples == 3 ? "RGB" : "MONOCHROME2";
    if (f.allocated != 8 && f.allocated != 16 && f.allocated != 32)
        return TPP_FAIL(TPP_EUNSUPPORTED, "%s: %d bits allocated for a pixel, wanted 8, 16 or 32",
                        path, f.allocated);
    const int high = whole_of(data, DCM_HighBit, 0, 65535, f.stored - 1);
    if (f.stored > f.allocated || high != f.stored - 1)
        return TPP_FAIL(TPP_EFORMAT, "%s: %d of %d bits stored, the highest is bit %d", path,
                        f.stored, f.allocated, high);
    const bool grey = f.photometric == "MONOCHROME1" || f.photometric == "MONOCHROME2" ||
                      f.photometric == "PALETTE COLOR";
    const bool colour = f.photometric == "RGB" || f.photometric.compare(0, 4, "YBR_") == 0;
    if (!(grey && f.samples == 1) && !(colour && f.samples == 3))
        return TPP_FAIL(TPP_EUNSUPPORTED,
                        "%s: pixels are \"%s\" with %d samples, which is not read", path,
                        f.photometric.c_str(), f.samples);
    if (colour && (f.allocated > 16 || f.is_signed))
        return TPP_FAIL(TPP_EUNSUPPORTED, "%s: colour with %d bits, or signed, is not read", path,
                        f.allocated);
    return TPP_OK;
}

/* Frames that the file has, if its pixel data can hold as many and the limit allows them. */
static tpp_status count_frames(instance *x, DcmDataset *data, std::uint64_t limit)
{
    const form &f = x->pixels;
    const char *path = x->path.c_str();
    const tpp_dicom_layout &l = x->scan->layout;
    double stated = 1;
    if (data->tagExists(DCM_NumberOfFrames) &&
        (!number_of(data, DCM_NumberOfFrames, &stated) || stated < 1 || stated > INT32_MAX))
        return TPP_FAIL(TPP_EFORMAT, "%s: NumberOfFrames is no number of frames", path);
    x->frames = static_cast<int>(stated);
    const auto pixels = static_cast<std::uint64_t>(f.rows) * static_cast<std::uint64_t>(f.columns);
    const auto frames = static_cast<std::uint64_t>(x->frames);
    const auto channels = static_cast<std::uint64_t>(channels_of(f));
    const std::uint64_t room = limit / sizeof(float) / channels / pixels;
    if (room < frames)
        return TPP_FAIL(TPP_ENOMEM,
                        "%s: %d frames of %d x %d pixels do not fit the limit of %" PRIu64 " bytes",
                        path, x->frames, f.columns, f.rows, limit);
    std::uint64_t frame_bytes = pixels * static_cast<std::uint64_t>(f.samples * f.allocated / 8);
    if (f.photometric == "YBR_FULL_422" && !l.encapsulated) frame_bytes = pixels * 2;
    if (l.encapsulated && l.fragment_count < frames)
        return TPP_FAIL(TPP_EFORMAT, "%s: %d frames are promised, %zu pieces of pixel data came",
                        path, x->frames, l.fragment_count);
    if (!l.encapsulated && l.pixels.length < frame_bytes * frames)
        return TPP_FAIL(
            TPP_EFORMAT,
            "%s: truncated, or its header lies: %d frames of %d x %d pixels take %" PRIu64
            " bytes, %" PRIu64 " are there",
            path, x->frames, f.columns, f.rows, frame_bytes * frames, l.pixels.length);
    return TPP_OK;
}

/* Syntaxes that neither DCMTK nor OpenJPEG reads, by name. */
static tpp_status check_syntax(const instance &x)
{
    static const struct {
        const char *uid, *text;
    } refused[] = {
        {"1.2.840.10008.1.2.4.9",
         "multi-component JPEG 2000 or JPIP; convert it with gdcmconv --raw"},
        {"1.2.840.10008.1.2.4.10", "a video (MPEG or HEVC); take its frames out with ffmpeg"},
        {"1.2.840.10008.1.2.4.20", "high-throughput JPEG 2000; convert it with dcm2niix"},
    };
    static const char *const whole[] = {UID_JPEG2000LosslessOnlyTransferSyntax,
                                        UID_JPEG2000TransferSyntax};
    const std::string uid = x.scan->layout.transfer_syntax;
    for (const char *one : whole)
        if (uid == one) return TPP_OK;
    for (const auto &one : refused)
        if (uid.compare(0, std::string(one.uid).size(), one.uid) == 0)
            return TPP_FAIL(TPP_EUNSUPPORTED, "%s: its pixels are %s", x.path.c_str(), one.text);
    if (!x.scan->layout.encapsulated || DcmXfer(uid.c_str()).getXfer() != EXS_Unknown)
        return TPP_OK;
    return TPP_FAIL(TPP_EUNSUPPORTED, "%s: pixels are compressed in a way that is not read (%s)",
                    x.path.c_str(), printable(uid).c_str());
}

std::string identity_of(DcmFileFormat &file, const DcmTagKey &tag, const DcmTagKey &in_meta)
{
    const std::string text = text_of(file.getDataset(), tag);
    return text.empty() ? text_of(file.getMetaInfo(), in_meta) : text;
}

static bool has_image_type(DcmDataset *data, const char *value)
{
    for (unsigned long i = 0; i < 8; i++)
        if (text_of(data, DCM_ImageType, i) == value) return true;
    return false;
}

static tpp_status read_dataset(instance *x, DcmDataset *data, std::uint64_t limit)
{
    x->series = text_of(data, DCM_SeriesInstanceUID);
    x->modality = text_of(data, DCM_Modality);
    x->description = text_of(data, DCM_SeriesDescription);
    x->frame_of_reference = text_of(data, DCM_FrameOfReferenceUID);
    x->is_localizer = has_image_type(data, "LOCALIZER");
    x->kind = kind_of(x->sop_class, x->modality);
    if (x->kind.empty() && !x->scan->layout.has_pixels)
        x->kind = data->tagExists(DCM_FloatPixelData) || data->tagExists(DCM_DoubleFloatPixelData)
                      ? "an image of floating-point pixels"
                      : "an object without pixel data (" + x->modality + ")";
    x->is_image = x->kind.empty();
    if (!x->is_image) return TPP_OK;
    TPP_TRY(read_form(x, data));
    TPP_TRY(check_syntax(*x));
    TPP_TRY(count_frames(x, data, limit));
    if (x->pixels.photometric == "PALETTE COLOR") TPP_TRY(read_palette(x, data));
    return read_planes(x, data);
}

tpp_status read_instance(instance *out, const std::string &path, std::uint64_t limit)
{
    out->path = path;
    out->scan = std::make_shared<layout_holder>();
    TPP_TRY(tpp_dicom_scan(&out->scan->layout, path.c_str()));
    DcmFileFormat file;
    const OFCondition loaded = file.loadFile(path.c_str());
    if (loaded.bad()) return TPP_FAIL(TPP_EFORMAT, "%s: damaged: %s", path.c_str(), loaded.text());
    out->sop_class = identity_of(file, DCM_SOPClassUID, DCM_MediaStorageSOPClassUID);
    out->sop = identity_of(file, DCM_SOPInstanceUID, DCM_MediaStorageSOPInstanceUID);
    return read_dataset(out, file.getDataset(), limit);
}

} // namespace tpp_dicom
