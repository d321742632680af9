/* Planes to a volume: in order of their positions, evenly spaced, nothing doubled. What would make
 * the affine lie is refused; what leaves it right is warned of.
 * SPDX-License-Identifier: MIT */
#include "io/dicom_parts.hh"

#include <algorithm>
#include <cinttypes>
#include <cmath>

namespace tpp_dicom
{

static const double same_place_mm = 1e-3;
static const double uneven = 0.1; /* of a step: more is no rounding of positions */

/* The work on one series. */
struct arrangement {
    const std::vector<instance> &series;
    const char *path;
    stack *out;
    const char *name(const plane &p) const { return series[p.file].name(); }
};

static vector3 normal_of(const plane &p)
{
    return cross(p.at.along_row, p.at.along_column);
}

/* The same directions, but for rounding. */
static bool is_parallel(const plane &a, const plane &b)
{
    const double nearly = 1 - 1e-4; /* 0.8 degrees */
    return dot(a.at.along_row, b.at.along_row) > nearly &&
           dot(a.at.along_column, b.at.along_column) > nearly;
}

/* Scouts that lie otherwise than the slices are left out; two orientations of slices are not. */
static tpp_status keep_one_orientation(const arrangement &a)
{
    std::vector<plane> &planes = a.out->planes;
    const auto is_slice = [&](const plane &p) { return !a.series[p.file].is_localizer; };
    const auto first = std::find_if(planes.begin(), planes.end(), is_slice);
    const plane like = first != planes.end() ? *first : planes[0];
    std::vector<plane> kept;
    for (plane &p : planes) {
        if (is_parallel(like, p)) {
            kept.push_back(std::move(p));
        } else if (a.series[p.file].is_localizer) {
            tpp_log(TPP_LOG_WARN, "dicom", "%s: a scout of another orientation, left out",
                    a.name(p));
        } else {
            return TPP_FAIL(TPP_EFORMAT,
                            "%s: slices of two orientations, in %s (frame %d) and %s (frame %d); "
                            "give those of one",
                            a.path, a.name(like), like.frame + 1, a.name(p), p.frame + 1);
        }
    }
    planes = std::move(kept);
    return TPP_OK;
}

static tpp_status check_alike(const arrangement &a)
{
    const plane &like = a.out->planes[0];
    const instance &x = a.series[like.file];
    for (const plane &p : a.out->planes) {
        const instance &y = a.series[p.file];
        if (std::fabs(p.at.spacing[0] - like.at.spacing[0]) > uneven * like.at.spacing[0] ||
            std::fabs(p.at.spacing[1] - like.at.spacing[1]) > uneven * like.at.spacing[1])
            return TPP_FAIL(TPP_EFORMAT, "%s: pixels of %s are %g x %g mm, those of %s %g x %g mm",
                            a.path, x.name(), like.at.spacing[1], like.at.spacing[0], y.name(),
                            p.at.spacing[1], p.at.spacing[0]);
        if (x.frame_of_reference != y.frame_of_reference)
            return TPP_FAIL(TPP_EFORMAT,
                            "%s: %s and %s have different frames of reference, so their "
                            "positions cannot be compared",
                            a.path, x.name(), y.name());
    }
    return TPP_OK;
}

/* Planes in order, with those of one place together: where each place begins, and the end. */
static std::vector<std::size_t> sort_by_place(const arrangement &a)
{
    std::vector<plane> &planes = a.out->planes;
    const vector3 normal = normal_of(planes[0]);
    const auto height = [&](const plane &p) { return dot(p.at.position, normal); };
    std::sort(planes.begin(), planes.end(),
              [&](const plane &p, const plane &q) { return height(p) < height(q); });
    std::vector<std::size_t> starts;
    for (std::size_t i = 0; i < planes.size(); i++)
        if (i == 0 || height(planes[i]) - height(planes[starts.back()]) > same_place_mm)
            starts.push_back(i);
    starts.push_back(planes.size());
    for (std::size_t k = 0; k + 1 < starts.size(); k++)
        std::stable_sort(planes.begin() + static_cast<std::ptrdiff_t>(starts[k]),
                         planes.begin() + static_cast<std::ptrdiff_t>(starts[k + 1]),
                         [](const plane &p, const plane &q) { return p.order < q.order; });
    return starts;
}

/* Every place has as many planes: so many volumes, of which one is chosen. */
static tpp_status choose_time(const arrangement &a, std::int64_t time)
{
    std::vector<plane> &planes = a.out->planes;
    const std::vector<std::size_t> starts = sort_by_place(a);
    const std::size_t places = starts.size() - 1;
    std::size_t fewest = planes.size();
    for (std::size_t k = 0; k < places; k++) fewest = std::min(fewest, starts[k + 1] - starts[k]);
    for (std::size_t k = 0; k < places; k++) {
        const plane &p = planes[starts[k]];
        if (starts[k + 1] - starts[k] != fewest)
            return TPP_FAIL(
                TPP_EFORMAT,
                "%s: two slices at one position (%g mm along the normal): %s (frame %d) "
                "and %s (frame %d); take one of them away",
                a.path, dot(p.at.position, normal_of(p)), a.name(p), p.frame + 1,
                a.name(planes[starts[k] + 1]), planes[starts[k] + 1].frame + 1);
    }
    if (fewest > 1 && time < 0)
        return TPP_FAIL(TPP_EUSAGE,
                        "%s: %zu slices at every position (%s, %s): that many time points, echoes "
                        "or reconstructions; choose one, from 0 to %zu",
                        a.path, fewest, a.name(planes[0]), a.name(planes[1]), fewest - 1);
    if (time >= 0 && static_cast<std::uint64_t>(time) >= fewest)
        return TPP_FAIL(TPP_EUSAGE,
                        "%s: time point %" PRId64 " of %zu was asked for (0 is the first)", a.path,
                        time, fewest);
    a.out->times = static_cast<std::int64_t>(fewest);
    a.out->time = time < 0 ? 0 : time;
    std::vector<plane> chosen;
    for (std::size_t k = 0; k < places; k++)
        chosen.push_back(std::move(planes[starts[k] + static_cast<std::size_t>(a.out->time)]));
    planes = std::move(chosen);
    return TPP_OK;
}

/* How many steps lie between neighbours: 1, or more where slices are missing. */
static tpp_status count_steps(const arrangement &a, std::vector<int> *steps)
{
    const std::vector<plane> &planes = a.out->planes;
    const vector3 normal = normal_of(planes[0]);
    std::vector<double> apart;
    for (std::size_t i = 1; i < planes.size(); i++)
        apart.push_back(dot(minus(planes[i].at.position, planes[i - 1].at.position), normal));
    std::vector<double> sorted = apart;
    std::sort(sorted.begin(), sorted.end());
    const double usual = sorted[(sorted.size() - 1) / 2];
    for (std::size_t i = 0; i < apart.size(); i++) {
        const double ratio = apart[i] / usual, whole = std::round(ratio);
        if (whole < 1 || std::fabs(ratio - whole) > uneven ||
            whole > static_cast<double>(planes.size()) + 1)
            return TPP_FAIL(
                TPP_EFORMAT,
                "%s: slices are not evenly spaced: %s and %s are %g mm apart, the usual "
                "step is %g mm, and no affine could say that; resample the series, or "
                "give its evenly spaced part",
                a.path, a.name(planes[i]), a.name(planes[i + 1]), apart[i], usual);
        steps->push_back(static_cast<int>(whole));
    }
    return TPP_OK;
}

/* Gaps are filled with their nearest slice, so that places stay right. */
static tpp_status fill_gaps(const arrangement &a, const std::vector<int> &steps)
{
    enum { NAMED = 5 };
    const std::vector<plane> &planes = a.out->planes;
    std::size_t missing = 0, gaps = 0;
    std::string where;
    a.out->at_z.push_back(0);
    for (std::size_t i = 0; i < steps.size(); i++) {
        for (int k = 1; k < steps[i]; k++) a.out->at_z.push_back(-1);
        a.out->at_z.push_back(static_cast<int>(i) + 1);
        if (steps[i] == 1) continue;
        missing += static_cast<std::size_t>(steps[i]) - 1;
        if (gaps++ < NAMED)
            where += std::string(where.empty() ? "" : "; ") + std::to_string(steps[i] - 1) +
                     " between " + a.name(planes[i]) + " and " + a.name(planes[i + 1]);
        if (missing > planes.size())
            return TPP_FAIL(
                TPP_EFORMAT,
                "%s: more slices are missing than there are (%s); give the part without "
                "gaps",
                a.path, where.c_str());
    }
    if (missing > 0)
        tpp_log(
            TPP_LOG_WARN, "dicom",
            "%s: %zu slices are missing in %zu gaps (%s%s); the nearest slice stands in for each",
            a.path, missing, gaps, where.c_str(), gaps > NAMED ? "; ..." : "");
    return TPP_OK;
}

/* Every plane lies on the line from the first to the last, or the affine would lie. */
static tpp_status check_line(const arrangement &a)
{
    const stack &s = *a.out;
    const double tolerance = uneven * length(s.step) + same_place_mm;
    for (std::size_t z = 0; z < s.at_z.size(); z++) {
        if (s.at_z[z] < 0) continue;
        const plane &p = s.planes[static_cast<std::size_t>(s.at_z[z])];
        vector3 off = minus(p.at.position, s.planes[0].at.position);
        for (std::size_t i = 0; i < 3; i++) off[i] -= static_cast<double>(z) * s.step[i];
        if (length(off) > tolerance)
            return TPP_FAIL(
                TPP_EFORMAT,
                "%s: %s (frame %d) lies %g mm beside the line of the other slices, and "
                "no affine could say that; resample the series, or give its regular part",
                a.path, a.name(p), p.frame + 1, length(off));
    }
    return TPP_OK;
}

static void warn_of_tilt(const arrangement &a)
{
    const double least_degrees = 0.5, degrees = 180 / 3.14159265358979323846;
    const vector3 normal = normal_of(a.out->planes[0]);
    const double cosine = dot(a.out->step, normal) / length(a.out->step) / length(normal);
    const double tilt = std::acos(std::min(1.0, cosine)) * degrees;
    if (tilt > least_degrees)
        tpp_log(TPP_LOG_WARN, "dicom",
                "%s: gantry tilt of %.1f degrees: slices are shifted against one another, and the "
                "affine is sheared accordingly",
                a.path, tilt);
}

static void one_plane(stack *s)
{
    const plane &p = s->planes[0];
    s->at_z = {0};
    s->step = normal_of(p);
    for (double &x : s->step) x *= p.at.thickness > 0 ? p.at.thickness : 1;
}

static tpp_status arrange_places(const arrangement &a, std::int64_t time)
{
    stack *s = a.out;
    TPP_TRY(keep_one_orientation(a));
    TPP_TRY(check_alike(a));
    TPP_TRY(choose_time(a, time));
    if (s->planes.size() == 1) {
        one_plane(s);
        return TPP_OK;
    }
    std::vector<int> steps;
    TPP_TRY(count_steps(a, &steps));
    TPP_TRY(fill_gaps(a, steps));
    s->step = minus(s->planes.back().at.position, s->planes[0].at.position);
    for (double &x : s->step) x /= static_cast<double>(s->at_z.size() - 1);
    TPP_TRY(check_line(a));
    warn_of_tilt(a);
    return TPP_OK;
}

/* Frames without places: moments, in the file's order; or slices, where only their distance is
 * stated. */
static tpp_status arrange_moments(const arrangement &a, std::int64_t time)
{
    stack *s = a.out;
    if (a.series.size() > 1)
        return TPP_FAIL(TPP_EUSAGE,
                        "%s: %zu files whose slices state no position (%s, %s), so they make no "
                        "volume; name one of them",
                        a.path, a.series.size(), a.series[0].name(), a.series[1].name());
    if (time > 0)
        return TPP_FAIL(TPP_EUSAGE,
                        "%s: time point %" PRId64 " of 1 was asked for (0 is the first)", a.path,
                        time);
    for (std::size_t i = 0; i < s->planes.size(); i++) s->at_z.push_back(static_cast<int>(i));
    const instance &x = a.series[0];
    const bool films = x.modality == "US" || x.modality == "XA" || x.modality == "RF" ||
                       x.modality == "ES" || x.has_frame_time;
    const bool several = s->planes.size() > 1;
    s->is_sequence = films || (several && x.between_slices <= 0);
    if (!films && several)
        tpp_log(TPP_LOG_WARN, "dicom", "%s: frames state no position; taken as %s", a.path,
                s->is_sequence ? "moments of a film"
                               : "slices in order, whose place in the patient is not known");
    return TPP_OK;
}

tpp_status arrange(stack *out, const std::vector<instance> &series, const char *path,
                   std::int64_t time)
{
    std::size_t known = 0;
    for (std::size_t i = 0; i < series.size(); i++)
        for (plane p : series[i].planes) {
            p.file = i;
            known += p.at.known;
            out->planes.push_back(std::move(p));
        }
    const arrangement a = {series, path, out};
    if (known == out->planes.size()) return arrange_places(a, time);
    if (known == 0) return arrange_moments(a, time);
    for (const plane &p : out->planes)
        if (!p.at.known)
            return TPP_FAIL(TPP_EFORMAT, "%s: %s (frame %d) states no position, others do", path,
                            a.name(p), p.frame + 1);
    return TPP_OK;
}

/* LPS+ to RAS+: x and y change sign. */
void describe_geometry(tpp_volume *v, const stack &s, const std::vector<instance> &series)
{
    const plane &p = s.planes[0];
    const instance &x = series[p.file];
    vector3 column[4] = {p.at.along_row, p.at.along_column, s.step, p.at.position};
    for (std::size_t i = 0; i < 3; i++) {
        column[0][i] *= p.at.spacing[1];
        column[1][i] *= p.at.spacing[0];
    }
    if (!p.at.known) {
        const double *flat = x.spacing_flat;
        const double step = x.between_slices > 0 ? x.between_slices : 1;
        column[0] = {flat[1] > 0 ? flat[1] : 1, 0, 0};
        column[1] = {0, flat[0] > 0 ? flat[0] : 1, 0};
        column[2] = {0, 0, step};
        column[3] = {0, 0, 0};
        v->spacing_unstated[0] = !(flat[1] > 0);
        v->spacing_unstated[1] = !(flat[0] > 0);
        v->spacing_unstated[2] = !(x.between_slices > 0);
    }
    if (p.at.known && s.planes.size() == 1) v->spacing_unstated[2] = !(p.at.thickness > 0);
    v->affine_source = p.at.known ? TPP_AFFINE_FILE : TPP_AFFINE_PIXDIM;
    for (std::size_t c = 0; c < 4; c++) {
        v->affine.m[0][c] = 0 - column[c][0];
        v->affine.m[1][c] = 0 - column[c][1];
        v->affine.m[2][c] = column[c][2];
        if (c < 3) v->spacing_mm[c] = length(column[c]);
    }
    v->affine.m[3][3] = 1;
    v->dim[0] = x.pixels.columns;
    v->dim[1] = x.pixels.rows;
    v->dim[2] = static_cast<std::int64_t>(s.at_z.size());
    v->dim[3] = s.times;
    v->time = s.time;
    v->is_sequence = s.is_sequence;
}

} // namespace tpp_dicom
