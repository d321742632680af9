/* Writes label volumes as DICOM Segmentation Storage, binary, explicit little-endian (PS3.3, A.51).
 * Attribute by attribute rather than by DCMTK's dcmseg, whose UIDs and dates are new in every run.
 * SPDX-License-Identifier: MIT */
#include "io/dicom_parts.hh"

extern "C" {
#include "io/hash.h"
}

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <dcmtk/dcmdata/dcostrmb.h>
#include <dcmtk/dcmdata/dcwcache.h>
#include <map>
#include <new>

namespace tpp_dicom
{

/* The work on one object. */
struct writing {
    const char *path;
    const tpp_volume *like;
    source *from;
    const std::uint8_t *labels;
    std::vector<tpp_dicom_segment> segments;
    std::string version, seed;
    std::vector<std::array<std::size_t, 2>> frames; /* segment, z */
    DcmFileFormat file;
    DcmDataset *data() { return file.getDataset(); }
};

/* Code of PS3.16, with where it comes from. */
struct code {
    const char *value, *scheme, *meaning;
};
static const code derived_by_segmentation = {"113076", "DCM", "Segmentation"};
static const code source_image = {"121322", "DCM", "Source image for image processing operation"};
static const code anatomy = {"91723000", "SCT", "Anatomical Structure"};

static const char notice[] = "Research software, not a medical device";

static void put(DcmItem *item, const DcmTagKey &tag, const std::string &value)
{
    const OFCondition done = item->putAndInsertString(tag, value.c_str());
    if (done.bad()) throw std::runtime_error(std::string("a tag was refused: ") + done.text());
}

static void put_number(DcmItem *item, const DcmTagKey &tag, unsigned value)
{
    const OFCondition done = item->putAndInsertUint16(tag, static_cast<Uint16>(value));
    if (done.bad()) throw std::runtime_error(std::string("a tag was refused: ") + done.text());
}

static DcmItem *add_item(DcmItem *item, const DcmTagKey &sequence)
{
    DcmItem *added = nullptr;
    if (item->findOrCreateSequenceItem(sequence, added, -2).bad() || added == nullptr)
        throw std::bad_alloc();
    return added;
}

static DcmItem *put_code(DcmItem *item, const DcmTagKey &sequence, const code &c)
{
    DcmItem *added = add_item(item, sequence);
    put(added, DCM_CodeValue, c.value);
    put(added, DCM_CodingSchemeDesignator, c.scheme);
    put(added, DCM_CodeMeaning, c.meaning);
    return added;
}

/* The 16 characters that a decimal string may have. */
static std::string decimal(double v)
{
    enum { LONGEST = 16 };
    char text[32];
    for (int digits = 12; digits > 0; digits--) {
        (void)std::snprintf(text, sizeof text, "%.*g", digits, v == 0 ? 0.0 : v);
        if (std::strlen(text) <= LONGEST) break;
    }
    return text;
}

static std::string decimals(std::initializer_list<double> list)
{
    std::string out;
    for (const double v : list) out += (out.empty() ? "" : "\\") + decimal(v);
    return out;
}

/* ---- identifiers ---- */

static std::string sha256(const void *bytes, std::size_t size)
{
    tpp_sha256 hash;
    if (tpp_sha256_bytes(&hash, bytes, size) != TPP_OK) throw std::bad_alloc();
    return hash.hex;
}

/* "2.25." and the number that the first 128 bits of a hash make as a UUID of version 8 (PS3.5,
 * B.2): the same object has the same identifiers in every run. */
static std::string make_uid(const writing &w, const std::string &role)
{
    const std::string text = w.seed + "|" + role, hex = sha256(text.data(), text.size());
    std::array<unsigned, 16> bytes{};
    for (std::size_t i = 0; i < bytes.size(); i++)
        bytes[i] = static_cast<unsigned>(std::stoul(hex.substr(2 * i, 2), nullptr, 16));
    bytes[6] = (bytes[6] & 0x0FU) | 0x80U;
    bytes[8] = (bytes[8] & 0x3FU) | 0x80U;
    std::string digits;
    for (bool left = true; left;) { /* long division by ten */
        unsigned rest = 0;
        left = false;
        for (unsigned &b : bytes) {
            const unsigned value = rest * 256 + b;
            b = value / 10;
            rest = value % 10;
            left = left || b != 0;
        }
        digits.insert(digits.begin(), static_cast<char>('0' + rest));
    }
    return "2.25." + digits;
}

static std::size_t voxels_of(const writing &w)
{
    return static_cast<std::size_t>(w.like->dim[0] * w.like->dim[1] * w.like->dim[2]);
}

static void make_seed(writing *w)
{
    std::string all = w->version + "|" + w->from->series;
    for (const origin &o : w->from->at_z) all += "|" + o.sop + "/" + std::to_string(o.frame);
    for (const tpp_dicom_segment &s : w->segments)
        for (const std::string &part :
             {std::to_string(s.label), std::string(s.name), std::string(s.category_code),
              std::string(s.type_code), std::to_string(s.rgb[0]), std::to_string(s.rgb[1]),
              std::to_string(s.rgb[2])})
            all += "|" + std::to_string(part.size()) + ":" + part;
    all += "|" + sha256(w->labels, voxels_of(*w));
    w->seed = sha256(all.data(), all.size());
}

/* ---- modules ---- */

/* Texts of ours must fit the source's character set, which is kept: ASCII always does. */
static std::string ascii(const char *text, std::size_t longest)
{
    std::string out;
    for (const char *p = text; *p != '\0' && out.size() < longest; p++) {
        const bool continues = (static_cast<unsigned char>(*p) & 0xC0U) == 0x80U;
        if (*p >= ' ' && *p <= '~' && *p != '\\')
            out += *p;
        else if (!continues)
            out += '?';
    }
    return out;
}

static std::string first_of(writing &w, std::initializer_list<DcmTagKey> tags,
                            const char *otherwise)
{
    for (const DcmTagKey &tag : tags) {
        const std::string text = text_of(&w.from->attributes, tag);
        if (!text.empty()) return text;
    }
    return otherwise;
}

/* Patient, study and the like as the source has them; what must be there may be empty. */
static void put_source(writing &w)
{
    DcmDataset *data = w.data();
    static const DcmTagKey not_copied[] = {DCM_SeriesDate,      DCM_SeriesTime,
                                           DCM_AcquisitionDate, DCM_AcquisitionTime,
                                           DCM_ContentDate,     DCM_ContentTime};
    static const DcmTagKey required[] = {
        DCM_PatientName,    DCM_PatientID, DCM_PatientBirthDate, DCM_PatientSex,
        DCM_StudyDate,      DCM_StudyTime, DCM_StudyID,          DCM_ReferringPhysicianName,
        DCM_AccessionNumber};
    DcmDataset copy(w.from->attributes);
    for (const DcmTagKey &tag : not_copied) (void)copy.findAndDeleteElement(tag);
    while (DcmElement *element = copy.remove(0UL))
        if (data->insert(element, OFTrue).bad()) throw std::bad_alloc();
    for (const DcmTagKey &tag : required)
        if (!data->tagExists(tag)) (void)data->insertEmptyElement(tag);
    if (text_of(data, DCM_StudyInstanceUID).empty())
        put(data, DCM_StudyInstanceUID, make_uid(w, "study"));
    if (text_of(data, DCM_LossyImageCompression) != "01") {
        put(data, DCM_LossyImageCompression, "00");
        (void)data->findAndDeleteElement(DCM_LossyImageCompressionRatio);
        (void)data->findAndDeleteElement(DCM_LossyImageCompressionMethod);
    }
    if (text_of(data, DCM_PatientIdentityRemoved) == "YES" &&
        !data->tagExists(DCM_DeidentificationMethod) &&
        !data->tagExists(DCM_DeidentificationMethodCodeSequence))
        put(data, DCM_DeidentificationMethod, "not stated by the source");
    if (!w.from->has_place) {
        (void)data->insertEmptyElement(DCM_PatientOrientation);
        (void)data->findAndDeleteElement(DCM_FrameOfReferenceUID);
        (void)data->findAndDeleteElement(DCM_PositionReferenceIndicator);
        return;
    }
    if (text_of(data, DCM_FrameOfReferenceUID).empty())
        put(data, DCM_FrameOfReferenceUID, make_uid(w, "frame of reference"));
    if (!data->tagExists(DCM_PositionReferenceIndicator))
        (void)data->insertEmptyElement(DCM_PositionReferenceIndicator);
}

static void put_description(writing &w)
{
    DcmDataset *data = w.data();
    put(data, DCM_SOPClassUID, UID_SegmentationStorage);
    put(data, DCM_SOPInstanceUID, make_uid(w, "instance"));
    put(data, DCM_Modality, "SEG");
    put(data, DCM_SeriesInstanceUID, make_uid(w, "series"));
    put(data, DCM_SeriesNumber, "1000");
    put(data, DCM_SeriesDescription, "TPP segmentation (research)");
    put(data, DCM_InstanceNumber, "1");
    put(data, DCM_ContentDate,
        first_of(w, {DCM_ContentDate, DCM_SeriesDate, DCM_AcquisitionDate, DCM_StudyDate},
                 "19000101"));
    put(data, DCM_ContentTime,
        first_of(w, {DCM_ContentTime, DCM_SeriesTime, DCM_AcquisitionTime, DCM_StudyTime},
                 "000000"));
    put(data, DCM_Manufacturer, "TPP");
    put(data, DCM_ManufacturerModelName, "TPP text-promptable propagation");
    put(data, DCM_DeviceSerialNumber, "0");
    put(data, DCM_SoftwareVersions, w.version);
    put(data, DCM_ImageType, "DERIVED\\PRIMARY");
    put(data, DCM_ContentLabel, "SEGMENTATION");
    put(data, DCM_ContentDescription, notice);
    put(data, DCM_ContentCreatorName, "TPP^");
    put_number(data, DCM_SamplesPerPixel, 1);
    put(data, DCM_PhotometricInterpretation, "MONOCHROME2");
    put_number(data, DCM_Rows, static_cast<unsigned>(w.like->dim[1]));
    put_number(data, DCM_Columns, static_cast<unsigned>(w.like->dim[0]));
    put_number(data, DCM_BitsAllocated, 1);
    put_number(data, DCM_BitsStored, 1);
    put_number(data, DCM_HighBit, 0);
    put_number(data, DCM_PixelRepresentation, 0);
    put(data, DCM_SegmentationType, "BINARY");
    put(data, DCM_SegmentsOverlap, "NO");
    put(data, DCM_NumberOfFrames, std::to_string(w.frames.size()));
}

/* sRGB to CIE L*a*b* of the profile connection space (D50), as 16-bit numbers (PS3.3, C.10.7.1.1).
 */
static std::array<Uint16, 3> lab_of(const std::uint8_t rgb[3])
{
    static const double to_xyz[3][3] = {{0.4360747, 0.3850649, 0.1430804},
                                        {0.2225045, 0.7168786, 0.0606169},
                                        {0.0139322, 0.0971045, 0.7141733}};
    static const double white[3] = {0.9642, 1.0, 0.8252};
    double linear[3], f[3];
    for (int i = 0; i < 3; i++) {
        const double v = rgb[i] / 255.0;
        linear[i] = v <= 0.04045 ? v / 12.92 : std::pow((v + 0.055) / 1.055, 2.4);
    }
    for (int i = 0; i < 3; i++) {
        double v = 0;
        for (int k = 0; k < 3; k++) v += to_xyz[i][k] * linear[k];
        v /= white[i];
        f[i] = v > 216.0 / 24389 ? std::cbrt(v) : (24389.0 / 27 * v + 16) / 116;
    }
    const double lab[3] = {(116 * f[1] - 16) / 100, (500 * (f[0] - f[1]) + 128) / 255,
                           (200 * (f[1] - f[2]) + 128) / 255};
    std::array<Uint16, 3> out{};
    for (std::size_t i = 0; i < 3; i++)
        out[i] = static_cast<Uint16>(std::lround(std::clamp(lab[i], 0.0, 1.0) * 65535));
    return out;
}

enum { LONG_STRING = 64, SHORT_STRING = 16 };

/* A code of SNOMED CT, and its item; nothing where code or meaning is not known. */
static DcmItem *put_snomed(DcmItem *item, const DcmTagKey &sequence, const char *value,
                           const char *meaning)
{
    if (value == nullptr || meaning == nullptr) return nullptr;
    const std::string text = ascii(value, SHORT_STRING), means = ascii(meaning, LONG_STRING);
    return put_code(item, sequence, {text.c_str(), "SCT", means.c_str()});
}

static void put_segments(writing &w)
{
    unsigned number = 0;
    for (const tpp_dicom_segment &s : w.segments) {
        DcmItem *item = add_item(w.data(), DCM_SegmentSequence);
        put_number(item, DCM_SegmentNumber, ++number);
        put(item, DCM_SegmentLabel, ascii(s.name, LONG_STRING));
        put(item, DCM_SegmentDescription, notice);
        put(item, DCM_SegmentAlgorithmType, "AUTOMATIC");
        put(item, DCM_SegmentAlgorithmName, "TPP " + w.version);
        put_snomed(item, DCM_SegmentedPropertyCategoryCodeSequence, s.category_code,
                   s.category_meaning);
        DcmItem *type =
            put_snomed(item, DCM_SegmentedPropertyTypeCodeSequence, s.type_code, s.type_meaning);
        put_snomed(type, DCM_SegmentedPropertyTypeModifierCodeSequence, s.modifier_code,
                   s.modifier_meaning);
        put_snomed(item, DCM_AnatomicRegionSequence, s.site_code, s.site_meaning);
        const std::array<Uint16, 3> lab = lab_of(s.rgb);
        if (item->putAndInsertUint16Array(DCM_RecommendedDisplayCIELabValue, lab.data(), 3).bad())
            throw std::bad_alloc();
    }
}

static void put_tag(DcmItem *item, const DcmTagKey &at, const DcmTagKey &value)
{
    if (item->putAndInsertTagKey(at, value).bad()) throw std::bad_alloc();
}

/* Frames differ by segment, and by place or moment. */
static void put_dimensions(writing &w)
{
    DcmDataset *data = w.data();
    const std::string uid = make_uid(w, "dimensions");
    put(add_item(data, DCM_DimensionOrganizationSequence), DCM_DimensionOrganizationUID, uid);
    const bool placed = w.from->has_place;
    const struct {
        DcmTagKey pointer, group;
        const char *text;
    } rows[] = {
        {DCM_ReferencedSegmentNumber, DCM_SegmentIdentificationSequence, "Segment"},
        {placed ? DCM_ImagePositionPatient : DCM_TemporalPositionIndex,
         placed ? DCM_PlanePositionSequence : DCM_FrameContentSequence,
         placed ? "Position" : "Moment"},
    };
    for (const auto &row : rows) {
        DcmItem *item = add_item(data, DCM_DimensionIndexSequence);
        put_tag(item, DCM_DimensionIndexPointer, row.pointer);
        put_tag(item, DCM_FunctionalGroupPointer, row.group);
        put(item, DCM_DimensionOrganizationUID, uid);
        put(item, DCM_DimensionDescriptionLabel, row.text);
    }
}

static void put_shared_groups(writing &w)
{
    DcmItem *shared = add_item(w.data(), DCM_SharedFunctionalGroupsSequence);
    const source &from = *w.from;
    if (!from.has_place) return;
    DcmItem *measures = add_item(shared, DCM_PixelMeasuresSequence);
    put(measures, DCM_SliceThickness, decimal(from.thickness));
    put(measures, DCM_SpacingBetweenSlices, decimal(from.step));
    put(measures, DCM_PixelSpacing, decimals({from.spacing[0], from.spacing[1]}));
    const vector3 &r = from.along_row, &c = from.along_column;
    put(add_item(shared, DCM_PlaneOrientationSequence), DCM_ImageOrientationPatient,
        decimals({r[0], r[1], r[2], c[0], c[1], c[2]}));
}

static void put_reference(DcmItem *item, const origin &o)
{
    put(item, DCM_ReferencedSOPClassUID, o.sop_class);
    put(item, DCM_ReferencedSOPInstanceUID, o.sop);
}

/* `place` counts the slices that have frames, from 1 on: their index values leave none out. Those
 * of moments are the moments' own numbers. */
static void put_frame(writing &w, std::size_t segment, std::size_t z, std::size_t place)
{
    DcmItem *frame = add_item(w.data(), DCM_PerFrameFunctionalGroupsSequence);
    const origin &o = w.from->at_z[z];
    DcmItem *content = add_item(frame, DCM_FrameContentSequence);
    const Uint32 index[2] = {static_cast<Uint32>(segment + 1),
                             static_cast<Uint32>(w.from->has_place ? place : z + 1)};
    if (content->putAndInsertUint32Array(DCM_DimensionIndexValues, index, 2).bad())
        throw std::bad_alloc();
    if (w.from->has_place)
        put(add_item(frame, DCM_PlanePositionSequence), DCM_ImagePositionPatient,
            decimals({o.position[0], o.position[1], o.position[2]}));
    else if (content->putAndInsertUint32(DCM_TemporalPositionIndex, static_cast<Uint32>(z + 1))
                 .bad())
        throw std::bad_alloc();
    DcmItem *derivation = add_item(frame, DCM_DerivationImageSequence);
    put_code(derivation, DCM_DerivationCodeSequence, derived_by_segmentation);
    DcmItem *image = add_item(derivation, DCM_SourceImageSequence);
    put_reference(image, o);
    if (o.frame > 0) put(image, DCM_ReferencedFrameNumber, std::to_string(o.frame));
    put(image, DCM_SpatialLocationsPreserved, "YES");
    put_code(image, DCM_PurposeOfReferenceCodeSequence, source_image);
    put_number(add_item(frame, DCM_SegmentIdentificationSequence), DCM_ReferencedSegmentNumber,
               static_cast<unsigned>(segment + 1));
}

static void put_frames(writing &w)
{
    std::map<std::size_t, std::size_t> place;
    for (const auto &frame : w.frames) place[frame[1]] = 0;
    std::size_t next = 0;
    for (auto &one : place) one.second = ++next;
    for (const auto &frame : w.frames) put_frame(w, frame[0], frame[1], place[frame[1]]);
}

/* Common Instance Reference: every image that a frame was made from, once. */
static void put_references(writing &w)
{
    DcmItem *series = add_item(w.data(), DCM_ReferencedSeriesSequence);
    if (w.from->series.empty())
        tpp_log(TPP_LOG_WARN, "dicom",
                "%s: the images have no SeriesInstanceUID; viewers may not find them by this file",
                tpp_path_base(w.path)); /* its folder may be one for the time being */
    put(series, DCM_SeriesInstanceUID,
        w.from->series.empty() ? make_uid(w, "source series") : w.from->series);
    std::map<std::string, bool> seen;
    for (const origin &o : w.from->at_z)
        if (o.is_there && !seen[o.sop]) {
            seen[o.sop] = true;
            put_reference(add_item(series, DCM_ReferencedInstanceSequence), o);
        }
}

/* ---- pixels ---- */

static const std::uint8_t *plane_of(const writing &w, std::size_t z)
{
    return w.labels + z * static_cast<std::size_t>(w.like->dim[0] * w.like->dim[1]);
}

/* Only frames that hold something. Where nothing does, all of the first segment: an object must
 * have frames, and these say which slices were looked at. */
static void choose_frames(writing *w)
{
    const auto size = static_cast<std::size_t>(w->like->dim[0] * w->like->dim[1]);
    const auto depth = static_cast<std::size_t>(w->like->dim[2]);
    bool lost = false;
    for (const bool empty_too : {false, true}) {
        for (std::size_t s = 0; s < w->segments.size(); s++)
            for (std::size_t z = 0; z < depth; z++) {
                const std::uint8_t *p = plane_of(*w, z);
                const bool holds = std::memchr(p, w->segments[s].label, size) != nullptr;
                const bool missing = !w->from->at_z[z].is_there;
                lost = lost || (holds && missing);
                if (!missing && (holds || (empty_too && s == 0))) w->frames.push_back({s, z});
            }
        if (!w->frames.empty()) break;
    }
    if (lost)
        tpp_log(
            TPP_LOG_WARN, "dicom",
            "%s: labels in slices that the series lacks are not written, for want of an image to "
            "refer to",
            tpp_path_base(w->path));
}

/* Bits one after another, the first in the lowest, frames not aligned to bytes (PS3.5, 8.1.1). */
static void put_pixels(writing &w)
{
    const auto size = static_cast<std::size_t>(w.like->dim[0] * w.like->dim[1]);
    const std::size_t bytes = (w.frames.size() * size + 7) / 8, even = bytes + bytes % 2;
    std::vector<Uint8> packed(even);
    std::size_t bit = 0;
    for (const auto &frame : w.frames) {
        const std::uint8_t *p = plane_of(w, frame[1]);
        const int label = w.segments[frame[0]].label;
        for (std::size_t i = 0; i < size; i++, bit++)
            if (p[i] == label)
                packed[bit / 8] = static_cast<Uint8>(packed[bit / 8] | 1U << bit % 8);
    }
    auto pixels = std::make_unique<DcmPixelData>(DCM_PixelData);
    pixels->setVR(EVR_OB);
    if (pixels->putUint8Array(packed.data(), static_cast<unsigned long>(even)).bad() ||
        w.data()->insert(pixels.get(), OFTrue).bad())
        throw std::bad_alloc();
    (void)pixels.release();
}

static tpp_status save(writing &w)
{
    enum { CHUNK = 1 << 20 };
    tpp_out_file out{};
    TPP_TRY(tpp_out_open(&out, w.path));
    const std::unique_ptr<tpp_out_file, void (*)(tpp_out_file *)> discard(&out, tpp_out_discard);
    std::vector<char> chunk(CHUNK);
    DcmOutputBufferStream stream(chunk.data(), CHUNK);
    DcmWriteCache cache;
    OFCondition done = EC_StreamNotifyClient;
    w.file.transferInit();
    while (done == EC_StreamNotifyClient) {
        done = w.file.write(stream, EXS_LittleEndianExplicit, EET_ExplicitLength, &cache,
                            EGL_recalcGL, EPD_noChange);
        stream.flush();
        void *bytes = nullptr;
        offile_off_t size = 0;
        stream.flushBuffer(bytes, size);
        if (std::fwrite(bytes, 1, static_cast<std::size_t>(size), out.stream) !=
            static_cast<std::size_t>(size))
            return TPP_FAIL(TPP_EIO, "%s: cannot be written", w.path);
    }
    w.file.transferEnd();
    if (done.bad()) return TPP_FAIL(TPP_EINTERNAL, "%s: not written: %s", w.path, done.text());
    return tpp_out_commit(&out);
}

/* ---- what was given ---- */

static tpp_status take_segments(writing *w, const tpp_dicom_segment *segments, int n)
{
    bool known[256] = {true};
    if (n < 1) return TPP_FAIL(TPP_EUSAGE, "%s: a segmentation without segments", w->path);
    for (int i = 0; i < n; i++) {
        tpp_dicom_segment s = segments[i];
        if (s.label < 1 || s.label > 255 || known[s.label] || s.name == nullptr ||
            s.name[0] == '\0')
            return TPP_FAIL(
                TPP_EUSAGE,
                "%s: segment %d has no name, or its label %d is doubled or not from 1 to "
                "255",
                w->path, i + 1, s.label);
        known[s.label] = true;
        if (s.category_code == nullptr || s.category_meaning == nullptr) {
            s.category_code = anatomy.value;
            s.category_meaning = anatomy.meaning;
        }
        if (s.type_code == nullptr || s.type_meaning == nullptr) {
            s.type_code = anatomy.value;
            s.type_meaning = anatomy.meaning;
        }
        w->segments.push_back(s);
    }
    for (std::size_t i = 0; i < voxels_of(*w); i++)
        if (!known[w->labels[i]])
            return TPP_FAIL(TPP_EUSAGE, "%s: label %d belongs to no segment", w->path,
                            w->labels[i]);
    return TPP_OK;
}

static tpp_status check_size(const writing &w)
{
    const double bits = static_cast<double>(w.like->dim[0]) * static_cast<double>(w.like->dim[1]) *
                        static_cast<double>(w.frames.size());
    if (bits / 8 < 4e9) return TPP_OK;
    return TPP_FAIL(TPP_EUNSUPPORTED, "%s: %zu frames of %d x %d bits are more than DICOM can hold",
                    w.path, w.frames.size(), static_cast<int>(w.like->dim[0]),
                    static_cast<int>(w.like->dim[1]));
}

static tpp_status write_object(writing *w)
{
    choose_frames(w);
    TPP_TRY(check_size(*w));
    make_seed(w);
    put_source(*w);
    put_description(*w);
    put_segments(*w);
    put_dimensions(*w);
    put_shared_groups(*w);
    put_frames(*w);
    put_references(*w);
    put_pixels(*w);
    return save(*w);
}

static tpp_status write_seg(const char *path, const tpp_volume *like, const std::uint8_t *labels,
                            const tpp_dicom_segment *segments, int n, const char *version)
{
    if (like->format != TPP_VOLUME_DICOM || like->source == nullptr)
        return TPP_FAIL(TPP_EUSAGE,
                        "%s: a DICOM segmentation refers to DICOM images; the input was "
                        "none",
                        path);
    start_library();
    writing w;
    w.path = path;
    w.like = like;
    w.from = static_cast<source *>(like->source);
    w.labels = labels;
    w.version = ascii(version, 60);
    for (const origin &o : w.from->at_z)
        if (o.is_there && (o.sop_class.empty() || o.sop.empty()))
            return TPP_FAIL(TPP_EUSAGE,
                            "%s: an image that was read has no class or UID to refer to", path);
    TPP_TRY(take_segments(&w, segments, n));
    return write_object(&w);
}

} // namespace tpp_dicom

extern "C" tpp_status tpp_dicom_write_seg(const char *path, const tpp_volume *like,
                                          const std::uint8_t *labels,
                                          const tpp_dicom_segment *segments, int n_segments,
                                          const char *version)
{
    try {
        return tpp_dicom::write_seg(path, like, labels, segments, n_segments, version);
    } catch (const std::bad_alloc &) {
        return TPP_FAIL(TPP_ENOMEM, "%s: memory ran out while DICOM was written", path);
    } catch (const std::exception &e) {
        return TPP_FAIL(TPP_EINTERNAL, "%s: %s", path, e.what());
    } catch (...) {
        return TPP_FAIL(TPP_EINTERNAL, "%s: DICOM could not be written", path);
    }
}
