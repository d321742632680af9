# Makes NIfTI files with nibabel and says what they hold, and judges label volumes of ours.
# SPDX-License-Identifier: MIT
#
#   nibabel_cases.py make FOLDER          N.nii* files, each with N.want: affine, dims, voxels
#   nibabel_cases.py want IN.nii OUT      the same for a file that is there already
#   nibabel_cases.py check LIKE OUT       is OUT a label volume 0,1,2,.. (mod 5) in LIKE's geometry?
import itertools
import struct
import sys

import nibabel as nib
import numpy as np
from nibabel.orientations import axcodes2ornt, io_orientation, ornt_transform


def write_want(image, path):
    """int32 dims[3]; float64 affine[16]; float32 voxels, x fastest; int32 canonical dims
    (columns, rows, slices); float32 canonical slices (LPS+), column fastest."""
    data = np.asarray(image.get_fdata(dtype=np.float64))
    data = data.reshape(data.shape + (1,) * (3 - data.ndim))
    data = (data[..., 0] if data.ndim == 4 else data).astype(np.float32)
    turn = ornt_transform(io_orientation(image.affine), axcodes2ornt("LPS"))
    canonical = nib.orientations.apply_orientation(data, turn)
    with open(path, "wb") as out:
        out.write(struct.pack("<3i", *data.shape))
        out.write(np.asarray(image.affine, "<f8").tobytes())
        out.write(data.astype("<f4").tobytes(order="F"))
        out.write(struct.pack("<3i", *canonical.shape))
        out.write(canonical.astype("<f4").tobytes(order="F"))


def rotation(rng, most):
    axis = rng.normal(size=3)
    axis /= np.linalg.norm(axis)
    angle = rng.uniform(-most, most)
    cross = np.array([[0, -axis[2], axis[1]], [axis[2], 0, -axis[0]], [-axis[1], axis[0], 0]])
    return np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross


def make(folder):
    rng = np.random.default_rng(5)
    types = ["u1", "i1", "i2", "u2", "i4", "u4", "f4", "f8", "i8", "u8"]
    frames = [(p, s) for p in itertools.permutations(range(3))
              for s in itertools.product([1, -1], repeat=3)]
    for n, (order, signs) in enumerate(frames):
        shape = tuple(int(v) for v in rng.integers(2, 9, size=3))
        kind = np.dtype(types[n % len(types)]).newbyteorder(">" if n % 3 == 0 else "<")
        data = rng.uniform(0, 100, size=shape).astype(kind)
        affine = np.eye(4)
        for column, (axis, sign) in enumerate(zip(order, signs)):
            affine[:3, column] = 0
            affine[axis, column] = sign * rng.uniform(0.5, 5)
        affine[:3, :3] = rotation(rng, 0.5) @ affine[:3, :3]
        affine[:3, 3] = rng.uniform(-100, 100, size=3)
        cls = nib.Nifti2Image if n % 2 else nib.Nifti1Image
        header = cls.header_class(endianness=">" if n % 3 == 0 else "<")
        header.set_data_dtype(kind)
        image = cls(data, None, header)
        if n % 4 < 2:
            image.set_sform(affine, 1)
        if n % 4 > 0:
            image.set_qform(affine, 1)
        if n % 5 == 0:
            image.header.set_slope_inter(0.25, -3)
        if n % 7 == 0:
            image.header.extensions.append(nib.nifti1.Nifti1Extension("comment", b"made for a test"))
        path = f"{folder}/{n}.nii" + (".gz" if n % 3 == 1 else "")
        nib.save(image, path)
        write_want(nib.load(path), f"{folder}/{n}.want")
    print(len(frames))


def check(like_path, out_path):
    like, out = nib.load(like_path), nib.load(out_path)
    shape = like.shape[:3] + (1,) * (3 - len(like.shape))
    assert type(out) is type(like), (type(out), type(like))
    assert out.get_data_dtype() == np.uint8
    assert out.shape == like.shape[:3], (out.shape, like.shape)
    assert np.array_equal(out.affine, like.affine)
    want = (np.arange(np.prod(shape)) % 5).reshape(shape, order="F").reshape(out.shape, order="F")
    assert np.array_equal(np.asarray(out.dataobj), want)
    changed = {"dim", "datatype", "bitpix", "scl_slope", "scl_inter", "cal_max", "cal_min",
               "vox_offset", "magic"}
    for key in like.header.keys():
        if key not in changed:
            assert like.header[key].tobytes() == out.header[key].tobytes(), key
    old, new = like.header.extensions, out.header.extensions
    assert [e.get_content() for e in old] == [e.get_content() for e in new]


if sys.argv[1] == "make":
    make(sys.argv[2])
elif sys.argv[1] == "want":
    write_want(nib.load(sys.argv[2]), sys.argv[3])
else:
    check(sys.argv[2], sys.argv[3])
