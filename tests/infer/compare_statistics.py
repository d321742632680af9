"""Measures a mask with numpy, and holds what tpp_statistics has found against it.

    compare_statistics.py IMAGE MASK STATISTICS AXIS

STATISTICS: one target of statistics.json. AXIS: the file's axis that the slices were cut across.
Exit code 77: nibabel is not there. SPDX-License-Identifier: MIT"""
import json
import sys

try:
    import nibabel
    import numpy
except ImportError:
    sys.exit(77)

image, mask = (nibabel.load(p) for p in sys.argv[1:3])
got, axis = json.load(open(sys.argv[3])), int(sys.argv[4])
inside = mask.get_fdata() > 0
values = image.get_fdata(dtype=numpy.float32)[inside].astype(numpy.float64)
places = numpy.argwhere(inside)
voxel_mm3 = abs(numpy.linalg.det(image.affine[:3, :3]))
bad = []


def check(name, have, want, near=1e-6):
    if not numpy.allclose(have, want, rtol=near, atol=near):
        bad.append(f"{name}: {have}, numpy has {want}")


check("n_voxels", got["n_voxels"], inside.sum(), 0)
check("volume_ml", got["volume_ml"], inside.sum() * voxel_mm3 / 1000)
check("volume_mm3", got["volume_mm3"], inside.sum() * voxel_mm3)
check("bbox", [got["bbox_vox"]["first"], got["bbox_vox"]["last"]], [places.min(0), places.max(0)], 0)
check("centroid_vox", got["centroid_vox"], places.mean(0))
check("centroid_mm", got["centroid_mm"], image.affine[:3, :3] @ places.mean(0) + image.affine[:3, 3], 1e-5)
for name, want in (("mean", values.mean()), ("median", numpy.median(values)), ("std", values.std()),
                   ("min", values.min()), ("max", values.max())):
    check(name, got["intensity"][name], want)
areas = inside.sum(axis=tuple(a for a in range(3) if a != axis))
check("n_frames_present", got["n_frames_present"], (areas > 0).sum(), 0)
areas = areas if areas.tolist() == got["area_px"] else areas[::-1]
check("area_px", got["area_px"], areas, 0)
mm = numpy.linalg.norm(image.affine[:3, :3], axis=0)
check("area_mm2", got["area_mm2"], areas * numpy.prod(mm) / mm[axis])
ends = [places.min(0) == 0, places.max(0) == numpy.array(inside.shape) - 1]
check("touches_border", got["touches_border"], numpy.any(ends), 0)


def diameter(k):
    """The longest distance between corners of pixels of slice k."""
    a, b = (i for i in range(3) if i != axis)
    at = numpy.argwhere(numpy.take(inside, k, axis))
    ends = numpy.vstack([p for _, p in by_row(at)])
    corners = numpy.vstack([ends + [i, j] for i in (-0.5, 0.5) for j in (-0.5, 0.5)]) * [mm[a], mm[b]]
    return max(numpy.linalg.norm(corners - c, axis=1).max() for c in corners)


def by_row(at):
    for row in numpy.unique(at[:, 0]):
        columns = at[at[:, 0] == row][:, 1]
        yield row, numpy.array([[row, columns.min()], [row, columns.max()]])


present = [k for k in range(inside.shape[axis]) if numpy.take(inside, k, axis).any()]
check("diameter_mm", got["diameter_mm"], max(diameter(k) for k in present))
if bad:
    print("\n".join(bad), file=sys.stderr)
sys.exit(1 if bad else 0)
