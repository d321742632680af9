/* Reads DICOM: which files of a folder belong together, then order, then voxels. What DCMTK throws
 * ends here, as a status.
 * SPDX-License-Identifier: MIT */
#include "io/dicom_parts.hh"

#include <algorithm>
#include <cinttypes>
#include <cmath>
#include <cstdio>
#include <dcmtk/dcmjpeg/djdecode.h>
#include <dcmtk/dcmjpls/djdecode.h>
#include <dcmtk/oflog/oflog.h>
#include <map>
#include <mutex>
#include <new>

namespace tpp_dicom
{

void start_library()
{
    static std::once_flag once;
    std::call_once(once, [] {
        /* Its log lines may hold values of a patient's tags. */
        OFLog::configure(OFLogger::OFF_LOG_LEVEL);
        DJDecoderRegistration::registerCodecs(EDC_photometricInterpretation, EUC_never,
                                              EPC_colorByPixel);
        DJLSDecoderRegistration::registerCodecs(EJLSUC_never, EJLSPC_colorByPixel);
    });
}

/* One reading of a file or folder. */
struct reading {
    const char *path;
    std::uint64_t limit;
    std::int64_t time;
    bool header_only;
    std::vector<instance> series;
    stack slices;
    tpp_volume volume{};
    ~reading() { tpp_volume_free(&volume); }
};

/* Files of the folder that are DICOM; the file itself otherwise. */
static tpp_status list_files(std::vector<std::string> *out, const char *path)
{
    if (!tpp_path_is_folder(path)) {
        out->push_back(path);
        return TPP_OK;
    }
    tpp_names names{};
    TPP_TRY(tpp_path_list(&names, path, nullptr));
    const std::unique_ptr<tpp_names, void (*)(tpp_names *)> release(&names, tpp_names_free);
    for (std::size_t i = 0; i < names.count; i++) {
        const std::string file = std::string(path) + "/" + names.name[i];
        if (tpp_dicom_is(file.c_str()))
            out->push_back(file);
        else
            tpp_log(TPP_LOG_INFO, "dicom", "%s: %s is not DICOM, left out", path, names.name[i]);
    }
    if (out->empty()) return TPP_FAIL(TPP_EFORMAT, "%s: holds no DICOM file", path);
    return TPP_OK;
}

static tpp_status read_headers(reading *r)
{
    std::vector<std::string> files;
    TPP_TRY(list_files(&files, r->path));
    std::string others;
    for (const std::string &file : files) {
        instance x;
        TPP_TRY(read_instance(&x, file, r->limit));
        if (x.is_image) {
            r->series.push_back(std::move(x));
            continue;
        }
        if (files.size() == 1)
            return TPP_FAIL(TPP_EUNSUPPORTED,
                            "%s: %s, which is not read; wanted the images that it belongs to",
                            file.c_str(), x.kind.c_str());
        tpp_log(TPP_LOG_WARN, "dicom", "%s: %s is %s, left out", r->path, x.name(), x.kind.c_str());
        if (others.size() < 200) others += std::string(others.empty() ? "" : ", ") + x.kind;
    }
    if (r->series.empty())
        return TPP_FAIL(TPP_EUNSUPPORTED, "%s: holds no images, only %s", r->path, others.c_str());
    return TPP_OK;
}

static tpp_status keep_one_series(const reading &r)
{
    enum { NAMED = 8 };
    std::map<std::string, std::vector<const instance *>> by_uid;
    for (const instance &x : r.series) by_uid[x.series].push_back(&x);
    if (by_uid.size() == 1) return TPP_OK;
    std::string list;
    int named = 0;
    for (const auto &[uid, members] : by_uid) {
        if (named++ == NAMED) break;
        const instance &x = *members[0];
        std::size_t slices = 0;
        for (const instance *m : members) slices += m->planes.size();
        list += std::string(list.empty() ? "" : "; ") + std::to_string(slices) + " slices of " +
                (x.modality.empty() ? "no stated modality" : x.modality) +
                (x.is_localizer ? " (a scout)" : "") + " \"" + x.description + "\", " + x.name();
        if (members.size() > 1) list += " and on";
    }
    return TPP_FAIL(TPP_EUSAGE, "%s: %zu series in one folder, wanted one: %s%s", r.path,
                    by_uid.size(), list.c_str(), by_uid.size() > NAMED ? "; ..." : "");
}

/* The same object twice, under two names. */
static void drop_copies(reading *r)
{
    std::map<std::string, std::string> seen;
    std::vector<instance> kept;
    for (instance &x : r->series) {
        const auto known = x.sop.empty() ? seen.end() : seen.find(x.sop);
        if (known != seen.end()) {
            tpp_log(TPP_LOG_WARN, "dicom", "%s: %s is the same object as %s, left out", r->path,
                    x.name(), known->second.c_str());
            continue;
        }
        seen[x.sop] = x.name();
        kept.push_back(std::move(x));
    }
    r->series = std::move(kept);
}

static tpp_status check_forms(const reading &r)
{
    const instance &a = r.series[0];
    for (const instance &b : r.series)
        if (!(a.pixels == b.pixels))
            return TPP_FAIL(TPP_EFORMAT,
                            "%s: pixels of %s (%d x %d, %d bits%s, %s) are not those of %s (%d x "
                            "%d, %d bits%s, %s)",
                            r.path, b.name(), b.pixels.columns, b.pixels.rows, b.pixels.allocated,
                            b.pixels.is_signed ? " signed" : "",
                            printable(b.pixels.photometric).c_str(), a.name(), a.pixels.columns,
                            a.pixels.rows, a.pixels.allocated, a.pixels.is_signed ? " signed" : "",
                            printable(a.pixels.photometric).c_str());
    return TPP_OK;
}

static const char *datatype_of(const form &f)
{
    static const char *const names[3][2] = {
        {"uint8", "int8"}, {"uint16", "int16"}, {"uint32", "int32"}};
    return names[f.allocated / 16][f.is_signed ? 1 : 0];
}

/* Everything about values that is no voxel. */
static void describe_values(tpp_volume *v, const stack &s, const instance &x)
{
    const form &f = x.pixels;
    v->format = TPP_VOLUME_DICOM;
    v->channels = channels_of(f);
    (void)std::snprintf(v->modality, sizeof v->modality, "%.7s", x.modality.c_str());
    v->datatype = datatype_of(f);
    const plane &middle = s.planes[s.planes.size() / 2];
    v->slope = middle.slope;
    v->intercept = middle.intercept;
    for (const plane &p : s.planes)
        if (p.slope != middle.slope || p.intercept != middle.intercept) {
            v->slope = 1;
            v->intercept = 0;
        }
    v->shown_low = middle.shown_low;
    v->shown_high = middle.shown_high;
    if (f.photometric != "MONOCHROME1") return;
    tpp_log(TPP_LOG_WARN, "dicom", "%s: MONOCHROME1: values are turned round, so that low is dark",
            x.name());
    if (middle.shown_low == middle.shown_high) return;
    const double ends = f.is_signed ? -1 : std::ldexp(1.0, f.stored) - 1;
    const double sum = middle.slope * ends + 2 * middle.intercept;
    v->shown_low = sum - middle.shown_high;
    v->shown_high = sum - middle.shown_low;
}

static tpp_status check_size(const reading &r)
{
    const tpp_volume &v = r.volume;
    std::size_t floats = sizeof(float);
    bool fits = true;
    for (int i = 0; i < 3; i++)
        fits = fits && tpp_mul_size(floats, static_cast<std::size_t>(v.dim[i]), &floats);
    fits = fits && tpp_mul_size(floats, static_cast<std::size_t>(v.channels), &floats);
    if (!fits || floats > r.limit)
        return TPP_FAIL(TPP_ENOMEM,
                        "%s: %" PRId64 " x %" PRId64 " x %" PRId64
                        " voxels of %d channels do not fit "
                        "the limit of %" PRIu64 " bytes",
                        r.path, v.dim[0], v.dim[1], v.dim[2], v.channels, r.limit);
    return TPP_OK;
}

static tpp_status read_voxels(reading *r)
{
    tpp_volume &v = r->volume;
    const auto plane_size = static_cast<std::size_t>(v.dim[0] * v.dim[1] * v.channels);
    const auto depth = static_cast<std::size_t>(v.dim[2]);
    v.voxels = static_cast<float *>(tpp_calloc(plane_size * depth, sizeof *v.voxels));
    if (v.voxels == nullptr) return TPP_ENOMEM;
    v.voxel_count = v.dim[0] * v.dim[1] * v.dim[2];
    decoder d(r->series);
    const std::vector<int> &at_z = r->slices.at_z;
    for (std::size_t z = 0; z < depth; z++)
        if (at_z[z] >= 0)
            TPP_TRY(d.read(v.voxels + z * plane_size,
                           r->slices.planes[static_cast<std::size_t>(at_z[z])]));
    for (std::size_t z = 0; z < depth; z++) { /* the ends are never missing */
        if (at_z[z] >= 0) continue;
        std::size_t below = z, above = z;
        while (at_z[below] < 0) below--;
        while (at_z[above] < 0) above++;
        const std::size_t nearest = above - z < z - below ? above : below;
        std::copy_n(v.voxels + nearest * plane_size, plane_size, v.voxels + z * plane_size);
    }
    for (std::size_t i = 0; i < plane_size * depth; i++) v.nan_count += !std::isfinite(v.voxels[i]);
    return TPP_OK;
}

static tpp_status read_all(reading *r)
{
    TPP_TRY(read_headers(r));
    TPP_TRY(keep_one_series(*r));
    drop_copies(r);
    TPP_TRY(check_forms(*r));
    TPP_TRY(arrange(&r->slices, r->series, r->path, r->time));
    describe_geometry(&r->volume, r->slices, r->series);
    describe_values(&r->volume, r->slices, r->series[r->slices.planes[0].file]);
    TPP_TRY(keep_source(&r->volume, r->slices, r->series));
    if (r->header_only) return TPP_OK;
    TPP_TRY(check_size(*r));
    return read_voxels(r);
}

static tpp_status read_path(tpp_volume *out, const char *path, const tpp_volume_options *o)
{
    static const tpp_volume_options defaults = {0, -1, false};
    if (o == nullptr) o = &defaults;
    start_library();
    if (!dcmDataDict.isDictionaryLoaded())
        return TPP_FAIL(TPP_EUNSUPPORTED,
                        "%s: DCMTK finds no data dictionary; DCMDICTPATH may name the wrong file",
                        path);
    reading r{path,    o->max_bytes > 0 ? o->max_bytes : TPP_VOLUME_MAX_BYTES,
              o->time, o->header_only,
              {},      {}};
    TPP_TRY(read_all(&r));
    *out = r.volume;
    r.volume = tpp_volume{};
    return TPP_OK;
}

} // namespace tpp_dicom

extern "C" tpp_status tpp_dicom_read(tpp_volume *out, const char *path, const tpp_volume_options *o)
{
    try {
        return tpp_dicom::read_path(out, path, o);
    } catch (const std::bad_alloc &) {
        return TPP_FAIL(TPP_ENOMEM, "%s: memory ran out while DICOM was read", path);
    } catch (const std::exception &e) {
        return TPP_FAIL(TPP_EINTERNAL, "%s: %s", path, e.what());
    } catch (...) {
        return TPP_FAIL(TPP_EINTERNAL, "%s: DICOM could not be read", path);
    }
}

extern "C" const char *tpp_dicom_library(void)
{
    return "DCMTK " PACKAGE_VERSION;
}
