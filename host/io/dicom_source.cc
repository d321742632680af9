/* What a DICOM-SEG needs of the series that it belongs to, kept beside the volume.
 * SPDX-License-Identifier: MIT */
#include "io/dicom_parts.hh"

namespace tpp_dicom
{

/* Copied as they stand: a result belongs to the same patient, study and frame of reference. */
static const DcmTagKey kept[] = {
    DCM_SpecificCharacterSet,
    DCM_PatientName,
    DCM_PatientID,
    DCM_IssuerOfPatientID,
    DCM_PatientBirthDate,
    DCM_PatientSex,
    DCM_PatientIdentityRemoved,
    DCM_DeidentificationMethod,
    DCM_DeidentificationMethodCodeSequence,
    DCM_StudyInstanceUID,
    DCM_StudyDate,
    DCM_StudyTime,
    DCM_ReferringPhysicianName,
    DCM_StudyID,
    DCM_AccessionNumber,
    DCM_StudyDescription,
    DCM_PatientAge,
    DCM_PatientSize,
    DCM_PatientWeight,
    DCM_FrameOfReferenceUID,
    DCM_PositionReferenceIndicator,
    DCM_SeriesDate,
    DCM_SeriesTime,
    DCM_AcquisitionDate,
    DCM_AcquisitionTime,
    DCM_ContentDate,
    DCM_ContentTime,
    DCM_LossyImageCompression,
    DCM_LossyImageCompressionRatio,
    DCM_LossyImageCompressionMethod,
};

static void free_source(void *p)
{
    delete static_cast<source *>(p);
}

tpp_status keep_source(tpp_volume *v, const stack &s, const std::vector<instance> &series)
{
    auto kept_source = std::make_unique<source>();
    const plane &first = s.planes[0];
    const instance &x = series[first.file];
    DcmFileFormat file;
    if (file.loadFile(x.path.c_str()).bad())
        return TPP_FAIL(TPP_EIO, "%s: the file changed while it was read", x.path.c_str());
    for (const DcmTagKey &tag : kept)
        (void)file.getDataset()->findAndInsertCopyOfElement(tag, &kept_source->attributes);
    kept_source->series = x.series;
    kept_source->modality = x.modality;
    kept_source->has_place = first.at.known;
    kept_source->is_sequence = s.is_sequence;
    kept_source->along_row = first.at.along_row;
    kept_source->along_column = first.at.along_column;
    kept_source->step = v->spacing_mm[2];
    kept_source->thickness = first.at.thickness > 0 ? first.at.thickness : v->spacing_mm[2];
    kept_source->spacing[0] = v->spacing_mm[1];
    kept_source->spacing[1] = v->spacing_mm[0];
    for (const int at : s.at_z) {
        origin o;
        if (at >= 0) {
            const plane &p = s.planes[static_cast<std::size_t>(at)];
            const instance &y = series[p.file];
            o.is_there = true;
            o.sop_class = y.sop_class;
            o.sop = y.sop;
            o.frame = y.frames > 1 ? p.frame + 1 : 0;
            o.position = p.at.position;
        }
        kept_source->at_z.push_back(std::move(o));
    }
    v->source = kept_source.release();
    v->source_free = free_source;
    return TPP_OK;
}

} // namespace tpp_dicom
