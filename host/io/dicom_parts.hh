/* What the files dicom*.cc share: instances (files) with their planes (frames), the series that
 * they make, and what the writer keeps of it. Nothing here throws but std::bad_alloc; the functions
 * of dicom.h catch it.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_IO_DICOM_PARTS_HH
#define TPP_IO_DICOM_PARTS_HH

extern "C" {
#include "core/log.h"
#include "core/mem.h"
#include "core/path.h"
#include "core/status.h"
#include "io/dicom.h"
#include "io/dicom_scan.h"
#include "io/volume.h"
#include "io/volume_file.h"
}

#include <array>
#include <cstddef>
#include <cstdint>
#include <dcmtk/config/osconfig.h> /* before any other header of DCMTK */
#include <dcmtk/dcmdata/dctk.h>
#include <memory>
#include <string>
#include <vector>

namespace tpp_dicom
{

using vector3 = std::array<double, 3>;

double dot(const vector3 &a, const vector3 &b);
vector3 cross(const vector3 &a, const vector3 &b);
vector3 minus(const vector3 &a, const vector3 &b);
double length(const vector3 &a);

/* Where the pixels of a plane lie in the patient, in DICOM's LPS+ millimetres. */
struct place {
    bool known = false; /* position, orientation and spacing are all stated */
    vector3 position{}; /* of the first pixel */
    vector3 along_row{}, along_column{};
    double spacing[2] = {0, 0}; /* from row to row, from column to column */
    double thickness = 0;       /* 0: not stated */
};

struct plane {
    std::size_t file = 0; /* index of its instance */
    int frame = 0;
    place at;
    double slope = 1, intercept = 0;
    double shown_low = 0, shown_high = 0; /* equal: none stated */
    std::vector<double> order;            /* which of several at one place comes first */
};

/* What all planes of a volume must have in common. */
struct form {
    int rows = 0, columns = 0, samples = 1;
    int allocated = 0, stored = 0;
    bool is_signed = false, planar = false;
    std::string photometric;
    bool operator==(const form &other) const;
};

/* Colours of a palette, from index `first` on. */
struct palette {
    int first = 0;
    std::vector<std::array<std::uint8_t, 3>> colour;
};

struct layout_holder {
    tpp_dicom_layout layout{};
    layout_holder() = default;
    layout_holder(const layout_holder &) = delete;
    layout_holder &operator=(const layout_holder &) = delete;
    ~layout_holder() { tpp_dicom_layout_free(&layout); }
};

/* One file: what its header says. */
struct instance {
    std::string path;
    std::string sop_class, sop, series, modality, description, frame_of_reference;
    bool is_image = false;     /* else `kind` says what it is */
    std::string kind;          /* "a segmentation (SEG)" */
    bool is_localizer = false; /* by its ImageType */
    bool has_frame_groups = false;
    form pixels;
    int frames = 1;
    double spacing_flat[2] = {0, 0}; /* from row to row, column to column, without a place */
    double between_slices = 0;       /* and from slice to slice; 0: not stated */
    bool has_frame_time = false;     /* frames are moments */
    std::vector<plane> planes;
    std::shared_ptr<palette> colours; /* of PALETTE COLOR */
    std::shared_ptr<layout_holder> scan;
    const char *name() const { return tpp_path_base(path.c_str()); }
};

/* Reads the header of one file; its planes have no index of file yet. `limit` bounds the voxels'
 * bytes, and so the number of frames. */
tpp_status read_instance(instance *out, const std::string &path, std::uint64_t limit);

/* Fills places and values of the planes, one for each frame. */
tpp_status read_planes(instance *x, DcmDataset *data);
tpp_status read_palette(instance *x, DcmDataset *data);

/* What stands in the file under a tag: "" and false when it is absent. Text is cut to its printable
 * ASCII characters, for messages. */
std::string text_of(DcmItem *item, const DcmTagKey &tag, unsigned long index = 0);
std::string printable(const std::string &text);
bool number_of(DcmItem *item, const DcmTagKey &tag, double *out, unsigned long index = 0);

/* A class or UID; where a data set was robbed of it, the file's own header may still have it. */
std::string identity_of(DcmFileFormat &file, const DcmTagKey &tag, const DcmTagKey &in_meta);

/* The planes that a volume shows, by ascending z; -1 where a slice is missing. */
struct stack {
    std::vector<plane> planes;
    std::vector<int> at_z;
    std::int64_t times = 1, time = 0;
    bool is_sequence = false;
    vector3 step{}; /* from z to z + 1 */
};
tpp_status arrange(stack *out, const std::vector<instance> &series, const char *path,
                   std::int64_t time);

/* Dimensions, affine, spacing of `v`. */
void describe_geometry(tpp_volume *v, const stack &s, const std::vector<instance> &series);

struct samples;

/* Decodes frames; keeps the file of the last one open. */
class decoder
{
  public:
    explicit decoder(const std::vector<instance> &series) : series_(series) {}
    /* [rows, columns, channels] of a plane, with its scale. */
    tpp_status read(float *out, const plane &p);

  private:
    tpp_status decode(samples *out, const instance &x, const plane &p);
    tpp_status read_native(samples *out, const instance &x, const plane &p);
    tpp_status read_j2k(samples *out, const instance &x, const plane &p);
    tpp_status read_runs(samples *out, const instance &x, const plane &p);
    tpp_status read_compressed(samples *out, const instance &x, const plane &p);
    tpp_status open_file(const instance &x, std::size_t index);
    const std::vector<instance> &series_;
    std::unique_ptr<DcmFileFormat> open_;
    std::size_t open_index_ = 0;
};

/* 3 for colour, else 1. */
int channels_of(const form &f);

/* The image behind one z of a volume. */
struct origin {
    bool is_there = false; /* else the slice is missing */
    std::string sop_class, sop;
    int frame = 0; /* from 1; 0: the instance has but one */
    vector3 position{};
};

/* tpp_volume.source of DICOM. */
struct source {
    DcmDataset attributes; /* of patient, study, equipment, frame of reference */
    std::string series;
    std::string modality;
    bool has_place = false, is_sequence = false;
    vector3 along_row{}, along_column{};
    double spacing[2] = {1, 1}, thickness = 1, step = 1;
    std::vector<origin> at_z;
};
tpp_status keep_source(tpp_volume *v, const stack &s, const std::vector<instance> &series);

void start_library();

} // namespace tpp_dicom

#endif
