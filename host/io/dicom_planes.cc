/* The planes of a DICOM file: where each lies, and what its numbers mean. Multi-frame objects state
 * that in functional groups (PS3.3, C.7.6.16), shared or by frame; others in the data set.
 * SPDX-License-Identifier: MIT */
#include "io/dicom_parts.hh"

#include <cmath>

namespace tpp_dicom
{

double dot(const vector3 &a, const vector3 &b)
{
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

vector3 cross(const vector3 &a, const vector3 &b)
{
    return {a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]};
}

vector3 minus(const vector3 &a, const vector3 &b)
{
    return {a[0] - b[0], a[1] - b[1], a[2] - b[2]};
}

double length(const vector3 &a)
{
    return std::sqrt(dot(a, a));
}

/* Where to look for a macro's attributes: by frame, shared, then the data set itself. */
struct places {
    DcmItem *by_frame, *shared, *data;
    DcmItem *find(const DcmTagKey &sequence) const
    {
        DcmItem *item = nullptr;
        for (DcmItem *group : {by_frame, shared})
            if (group != nullptr && group->findAndGetSequenceItem(sequence, item).good())
                return item;
        return data;
    }
};

static bool vector_of(DcmItem *item, const DcmTagKey &tag, vector3 *out, unsigned long from = 0)
{
    for (unsigned long i = 0; i < 3; i++)
        if (!number_of(item, tag, &(*out)[i], from + i)) return false;
    return true;
}

/* Distances of rows and of columns in millimetres; false: not stated. */
static bool spacing_of(DcmItem *item, const DcmTagKey &tag, double out[2])
{
    double found[2];
    for (unsigned long i = 0; i < 2; i++)
        if (!number_of(item, tag, &found[i], i) || found[i] <= 0) return false;
    out[0] = found[0];
    out[1] = found[1];
    return true;
}

/* Ultrasound states pixels in regions, in centimetres. */
static bool spacing_of_region(DcmItem *data, double out[2])
{
    const double centimetres = 3, mm_of_cm = 10;
    DcmItem *region = nullptr;
    double units[2] = {0, 0}, found[2] = {0, 0};
    if (data->findAndGetSequenceItem(DCM_SequenceOfUltrasoundRegions, region).bad()) return false;
    if (!number_of(region, DCM_PhysicalUnitsXDirection, &units[0]) || units[0] != centimetres ||
        !number_of(region, DCM_PhysicalUnitsYDirection, &units[1]) || units[1] != centimetres ||
        !number_of(region, DCM_PhysicalDeltaY, &found[0]) || found[0] == 0 ||
        !number_of(region, DCM_PhysicalDeltaX, &found[1]) || found[1] == 0)
        return false;
    for (int i = 0; i < 2; i++) out[i] = std::fabs(found[i]) * mm_of_cm;
    return true;
}

/* Two unit vectors at right angles, or a message. */
static tpp_status read_orientation(place *p, DcmItem *item, const char *path)
{
    const double tolerance = 1e-3;
    if (!vector_of(item, DCM_ImageOrientationPatient, &p->along_row) ||
        !vector_of(item, DCM_ImageOrientationPatient, &p->along_column, 3))
        return TPP_FAIL(TPP_EFORMAT, "%s: ImageOrientationPatient is not six numbers", path);
    if (std::fabs(length(p->along_row) - 1) > tolerance ||
        std::fabs(length(p->along_column) - 1) > tolerance ||
        std::fabs(dot(p->along_row, p->along_column)) > tolerance)
        return TPP_FAIL(TPP_EFORMAT,
                        "%s: ImageOrientationPatient is not two directions at right angles", path);
    return TPP_OK;
}

static tpp_status read_place(place *p, const places &at, const instance &x)
{
    const char *path = x.path.c_str();
    DcmItem *measures = at.find(DCM_PixelMeasuresSequence);
    DcmItem *position = at.find(DCM_PlanePositionSequence);
    DcmItem *orientation = at.find(DCM_PlaneOrientationSequence);
    double between = 0;
    (void)number_of(measures, DCM_SliceThickness, &p->thickness);
    if (p->thickness <= 0 && number_of(measures, DCM_SpacingBetweenSlices, &between))
        p->thickness = std::fabs(between);
    if (!position->tagExists(DCM_ImagePositionPatient) ||
        !orientation->tagExists(DCM_ImageOrientationPatient))
        return TPP_OK;
    if (x.frames > 1 && !x.has_frame_groups) return TPP_OK; /* one place for many frames */
    if (!spacing_of(measures, DCM_PixelSpacing, p->spacing))
        return TPP_FAIL(TPP_EFORMAT, "%s: states a position, but no PixelSpacing", path);
    if (!vector_of(position, DCM_ImagePositionPatient, &p->position))
        return TPP_FAIL(TPP_EFORMAT, "%s: ImagePositionPatient is not three numbers", path);
    for (const double mm : p->position)
        if (std::fabs(mm) > 1e7)
            return TPP_FAIL(TPP_EFORMAT, "%s: ImagePositionPatient is %g mm away", path, mm);
    TPP_TRY(read_orientation(p, orientation, path));
    p->known = true;
    return TPP_OK;
}

static tpp_status read_scale(plane *p, const places &at, const instance &x)
{
    DcmItem *values = at.find(DCM_PixelValueTransformationSequence);
    if (channels_of(x.pixels) != 1) return TPP_OK;
    if (values->tagExists(DCM_RescaleSlope) || values->tagExists(DCM_RescaleIntercept)) {
        if (!number_of(values, DCM_RescaleSlope, &p->slope) || p->slope == 0 ||
            std::fabs(p->slope) > 1e12)
            return TPP_FAIL(TPP_EFORMAT, "%s: RescaleSlope is absent, 0 or no number",
                            x.path.c_str());
        if (!number_of(values, DCM_RescaleIntercept, &p->intercept) ||
            std::fabs(p->intercept) > 1e12)
            return TPP_FAIL(TPP_EFORMAT, "%s: RescaleIntercept is absent or no number",
                            x.path.c_str());
    }
    DcmItem *window = at.find(DCM_FrameVOILUTSequence);
    double centre = 0, width = 0;
    if (number_of(window, DCM_WindowCenter, &centre) &&
        number_of(window, DCM_WindowWidth, &width) && width > 0) {
        p->shown_low = centre - width / 2;
        p->shown_high = centre + width / 2;
    }
    return TPP_OK;
}

/* Of several slices at one place: by time, echo, acquisition, then number. */
static void read_order(plane *p, DcmDataset *data, bool enhanced)
{
    static const DcmTagKey keys[] = {
        DCM_TemporalPositionIdentifier, DCM_EchoNumbers,     DCM_TriggerTime,
        DCM_AcquisitionNumber,          DCM_AcquisitionTime, DCM_InstanceNumber,
    };
    for (const DcmTagKey &key : keys) {
        double value = 0;
        if (!enhanced) (void)number_of(data, key, &value);
        p->order.push_back(value);
    }
    p->order.push_back(p->frame);
}

tpp_status read_planes(instance *x, DcmDataset *data)
{
    DcmSequenceOfItems *by_frame = nullptr;
    DcmItem *shared = nullptr;
    (void)data->findAndGetSequence(DCM_PerFrameFunctionalGroupsSequence, by_frame);
    (void)data->findAndGetSequenceItem(DCM_SharedFunctionalGroupsSequence, shared);
    x->has_frame_groups = by_frame != nullptr;
    if (by_frame != nullptr && by_frame->card() != static_cast<unsigned long>(x->frames))
        return TPP_FAIL(TPP_EFORMAT, "%s: %d frames, but functional groups of %lu", x->path.c_str(),
                        x->frames, by_frame->card());
    if (data->tagExists(DCM_ModalityLUTSequence))
        tpp_log(TPP_LOG_WARN, "dicom", "%s: has a modality table; values are taken as stored",
                x->name());
    x->has_frame_time = data->tagExists(DCM_FrameTime) || data->tagExists(DCM_FrameTimeVector);
    (void)number_of(data, DCM_SpacingBetweenSlices, &x->between_slices);
    if (!spacing_of(data, DCM_PixelSpacing, x->spacing_flat) &&
        !spacing_of(data, DCM_ImagerPixelSpacing, x->spacing_flat))
        (void)spacing_of_region(data, x->spacing_flat);
    DcmObject *group = nullptr;
    for (int i = 0; i < x->frames; i++) {
        if (by_frame != nullptr) group = by_frame->nextInContainer(group);
        const places at = {OFstatic_cast(DcmItem *, group), shared, data};
        plane p;
        p.frame = i;
        TPP_TRY(read_place(&p.at, at, *x));
        TPP_TRY(read_scale(&p, at, *x));
        read_order(&p, data, by_frame != nullptr);
        x->planes.push_back(std::move(p));
    }
    return TPP_OK;
}

/* A table in segments (PS3.3, C.7.9.2): runs of values, and straight lines from the last one. */
static tpp_status unpack_segments(std::vector<Uint16> *out, std::size_t entries, DcmDataset *data,
                                  const DcmTagKey &tag, const instance &x)
{
    enum { DISCRETE, LINEAR };
    DcmElement *element = nullptr;
    Uint16 *words = nullptr;
    if (data->findAndGetElement(tag, element).bad() || element->getUint16Array(words).bad() ||
        words == nullptr)
        return TPP_FAIL(TPP_EFORMAT, "%s: its palette is absent", x.path.c_str());
    const std::size_t size = element->getLength() / 2;
    for (std::size_t at = 0; at + 2 < size && out->size() < entries;) {
        const int kind = words[at];
        const std::size_t count = words[at + 1], room = size - at - 2;
        const bool line = kind == LINEAR && !out->empty();
        if (!(kind == DISCRETE && count <= room) && !line)
            return TPP_FAIL(TPP_EUNSUPPORTED, "%s: a palette with segments of type %d",
                            x.path.c_str(), kind);
        const double from = line ? out->back() : 0,
                     step = (words[at + 2] - from) / static_cast<double>(count);
        for (std::size_t i = 0; i < count; i++)
            out->push_back(
                line ? static_cast<Uint16>(std::lround(from + step * static_cast<double>(i + 1)))
                     : words[at + 2 + i]);
        at += 2 + (line ? 1 : count);
    }
    return TPP_OK;
}

/* One of the three tables; its entries as bytes. */
static tpp_status read_table(std::vector<std::uint8_t> *out, int *first, DcmDataset *data,
                             int which, const instance &x)
{
    static const DcmTagKey descriptors[] = {DCM_RedPaletteColorLookupTableDescriptor,
                                            DCM_GreenPaletteColorLookupTableDescriptor,
                                            DCM_BluePaletteColorLookupTableDescriptor};
    static const DcmTagKey tables[] = {DCM_RedPaletteColorLookupTableData,
                                       DCM_GreenPaletteColorLookupTableData,
                                       DCM_BluePaletteColorLookupTableData};
    static const DcmTagKey segmented[] = {DCM_SegmentedRedPaletteColorLookupTableData,
                                          DCM_SegmentedGreenPaletteColorLookupTableData,
                                          DCM_SegmentedBluePaletteColorLookupTableData};
    double facts[3] = {0, 0, 0};
    for (unsigned long i = 0; i < 3; i++)
        if (!number_of(data, descriptors[which], &facts[i], i) || facts[i] < INT16_MIN ||
            facts[i] > UINT16_MAX)
            return TPP_FAIL(TPP_EFORMAT, "%s: its palette has no description", x.path.c_str());
    /* 65536 entries are written as 0; what is a negative number depends on the pixels' type. */
    const auto stated = static_cast<std::uint16_t>(static_cast<int>(facts[0]));
    const auto start = static_cast<std::uint16_t>(static_cast<int>(facts[1]));
    const std::size_t entries = stated == 0 ? 65536 : stated;
    *first = x.pixels.is_signed ? static_cast<std::int16_t>(start) : start;
    DcmElement *element = nullptr;
    Uint16 *words = nullptr;
    std::vector<Uint16> unpacked;
    if (data->findAndGetElement(tables[which], element).bad())
        TPP_TRY(unpack_segments(&unpacked, entries, data, segmented[which], x));
    else if (element->getUint16Array(words).bad() || words == nullptr)
        return TPP_FAIL(TPP_EFORMAT, "%s: its palette is absent", x.path.c_str());
    const std::size_t count = words == nullptr ? unpacked.size() : element->getLength() / 2;
    if (words == nullptr) words = unpacked.data();
    const bool bytes = count < entries && 2 * count >= entries;
    if (!bytes && count < entries)
        return TPP_FAIL(TPP_EFORMAT, "%s: a palette of %zu colours, described as %zu",
                        x.path.c_str(), count, entries);
    bool wide = false;
    for (std::size_t i = 0; i < count; i++) wide = wide || words[i] > 255;
    for (std::size_t i = 0; i < entries; i++) {
        const int value = bytes ? words[i / 2] >> 8 * (i % 2) & 255 : words[i] >> (wide ? 8 : 0);
        out->push_back(static_cast<std::uint8_t>(value));
    }
    return TPP_OK;
}

tpp_status read_palette(instance *x, DcmDataset *data)
{
    x->colours = std::make_shared<palette>();
    for (int c = 0; c < 3; c++) {
        std::vector<std::uint8_t> table;
        TPP_TRY(read_table(&table, &x->colours->first, data, c, *x));
        if (c == 0) x->colours->colour.resize(table.size());
        if (x->colours->colour.size() != table.size())
            return TPP_FAIL(TPP_EFORMAT, "%s: the tables of its palette differ in length",
                            x->path.c_str());
        for (std::size_t i = 0; i < table.size(); i++)
            x->colours->colour[i][static_cast<std::size_t>(c)] = table[i];
    }
    return TPP_OK;
}

} // namespace tpp_dicom
