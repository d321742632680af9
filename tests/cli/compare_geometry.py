"""Holds a label volume against the image that it was made from, by nibabel and SimpleITK.

    compare_geometry.py IMAGE LABELS [VOXELS]

IMAGE: a file, or a folder with one DICOM series. Size, affine, spacing, origin and direction must be
the image's; of NIfTI also every byte of the header that does not say how labels are stored. Labels
are 0 and 1, and VOXELS of them are 1. Exit code 77: neither package is there.
SPDX-License-Identifier: MIT"""
import gzip
import os
import sys

try:
    import nibabel
except ImportError:
    nibabel = None
try:
    import SimpleITK as sitk
except ImportError:
    sitk = None

# Of NIfTI-1 and -2: dim, datatype and bitpix, vox_offset, scl_slope and scl_inter, cal_max and cal_min.
OURS = {348: [(40, 56), (70, 74), (108, 112), (112, 120), (124, 132), (344, 348)],
        540: [(4, 12), (12, 16), (16, 80), (168, 176), (176, 192), (192, 208)]}


def check(condition, what):
    if not condition:
        raise AssertionError(what)


def is_nifti(path):
    return path.endswith((".nii", ".nii.gz"))


def is_nifti2(path):
    """Which SimpleITK does not read."""
    return is_nifti(path) and header(path)[0] == 540


def header(path):
    """Header and extensions."""
    with (gzip.open if path.endswith(".gz") else open)(path, "rb") as f:
        start = f.read(4)
        order = "little" if int.from_bytes(start, "little") in OURS else "big"
        size = int.from_bytes(start, order)
        rest = f.read(size - 4)
        return size, order, start + rest


def compare_headers(image, labels):
    size, order, a = header(image)
    size_b, order_b, b = header(labels)
    check((size, order) == (size_b, order_b), "the version and byte order of NIfTI")
    at = (40, 2) if size == 348 else (16, 8)
    dim = [[int.from_bytes(h[at[0] + at[1] * i:at[0] + at[1] * (i + 1)], order) for i in range(8)] for h in (a, b)]
    check(dim[0][1:4] == dim[1][1:4], f"dim: {dim}")
    check(dim[1][0] == 3 and dim[1][4:] == [1, 1, 1, 1] if dim[0][0] > 3 else dim[0] == dim[1], f"dim: {dim}")
    changed = [i for i in range(size) if a[i] != b[i] and not any(p <= i < q for p, q in OURS[size])]
    check(not changed, f"bytes of the header at {changed}")


def by_nibabel(image, labels, voxels):
    a, b = nibabel.load(image), nibabel.load(labels)
    check(a.shape[:3] == b.shape, f"shape {a.shape} and {b.shape}")
    check((a.affine == b.affine).all(), f"affines\n{a.affine}\n{b.affine}")
    check(a.header.get_zooms()[:3] == b.header.get_zooms(), "zooms")
    check(a.header.get_xyzt_units()[0] == b.header.get_xyzt_units()[0], "units")
    check(nibabel.aff2axcodes(a.affine) == nibabel.aff2axcodes(b.affine), "orientation")
    data = b.get_fdata()
    check(b.get_data_dtype() == "uint8" and set(data.ravel()) <= {0, 1}, "labels of 0 and 1")
    check(voxels is None or (data == 1).sum() == voxels, f"{(data == 1).sum()} voxels, wanted {voxels}")
    compare_headers(image, labels)


def read_image(path):
    if not os.path.isdir(path):
        return sitk.ReadImage(path)
    names = [os.path.join(path, n) for n in os.listdir(path) if n.endswith(".dcm")]

    def place(name):
        reader = sitk.ImageFileReader()
        reader.SetFileName(name)
        reader.ReadImageInformation()
        return float(reader.GetMetaData("0020|0032").split("\\")[2])

    return sitk.ReadImage(sorted(names, key=place))


def by_simpleitk(image, labels, voxels):
    a, b = read_image(image), sitk.ReadImage(labels)
    a, b = (sitk.JoinSeries(x) if x.GetDimension() == 2 else x for x in (a, b))
    if a.GetDimension() == 4:
        a = a[:, :, :, 0]
    check(a.GetSize() == b.GetSize(), f"sizes {a.GetSize()} and {b.GetSize()}")
    near = 1e-6 if image.endswith((".mha", ".mhd", ".nrrd")) else 1e-4  # NIfTI-1 holds floats
    for what in ("GetOrigin", "GetSpacing", "GetDirection"):
        x, y = getattr(a, what)(), getattr(b, what)()
        check(all(abs(p - q) <= near * max(1, abs(p)) for p, q in zip(x, y)), f"{what}: {x} and {y}")
    data = sitk.GetArrayFromImage(b)
    check(data.dtype == "uint8" and data.max() <= 1, "labels of 0 and 1")
    check(voxels is None or (data == 1).sum() == voxels, f"{(data == 1).sum()} voxels, wanted {voxels}")


def main():
    image, labels = sys.argv[1:3]
    voxels = int(sys.argv[3]) if len(sys.argv) > 3 else None
    if nibabel is None and sitk is None:
        return 77
    try:
        if nibabel is not None and is_nifti(image):
            by_nibabel(image, labels, voxels)
        if sitk is not None and not is_nifti2(image):
            by_simpleitk(image, labels, voxels)
    except AssertionError as e:
        print(f"{labels} against {image}: {e}", file=sys.stderr)
        return 1
    return 0


sys.exit(main())
