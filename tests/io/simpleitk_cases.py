"""Makes volumes with SimpleITK for test_simpleitk.c, and judges the labels that we write.

    simpleitk_cases.py make FOLDER       files N.nrrd, N.mha, N.mhd and N.want
    simpleitk_cases.py want FILE WANT    what SimpleITK reads
    simpleitk_cases.py check FILE LABELS geometry of FILE, voxels i mod 251
    simpleitk_cases.py check3 FILE LABELS  the same, of the first volume in time of FILE

WANT: dims (3 int32), affine in RAS (12 doubles), channels (int32), voxels (float32), little-endian.
SPDX-License-Identifier: MIT"""
import itertools
import sys

import numpy
import SimpleITK as sitk

TYPES = ["u1", "i1", "i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8"]
CASES = 48


def affine(image):
    d = numpy.array(image.GetDirection()).reshape(3, 3) * numpy.array(image.GetSpacing())[None, :]
    a = numpy.hstack([d, numpy.array(image.GetOrigin())[:, None]])
    a[:2] *= -1
    return a


def want(image, path):
    if image.GetDimension() == 2:
        image = sitk.JoinSeries(image)
    channels = image.GetNumberOfComponentsPerPixel()
    with open(path, "wb") as f:
        f.write(numpy.array(image.GetSize(), "<i4").tobytes())
        f.write(affine(image).astype("<f8").tobytes())
        f.write(numpy.array([channels], "<i4").tobytes())
        f.write(sitk.GetArrayFromImage(image).astype("<f4").tobytes())


def make(folder):
    random = numpy.random.default_rng(1)
    orders = list(itertools.product(itertools.permutations(range(3)), itertools.product([1, -1], repeat=3)))
    for n, (order, sign) in enumerate(orders):
        dtype = numpy.dtype(TYPES[n % len(TYPES)])
        shape = (4, 5, 6) + ((3,) if n % 5 == 4 and dtype == "u1" else ())
        low, high = (0, 200) if dtype.kind == "u" else (-100, 100)
        image = sitk.GetImageFromArray((random.random(shape) * (high - low) + low).astype(dtype), isVector=len(shape) > 3)
        turn = numpy.eye(3)[list(order)] * numpy.array(sign)
        if n % 4 == 3:
            q, _ = numpy.linalg.qr(random.standard_normal((3, 3)))
            turn = q
        image.SetDirection(turn.ravel().tolist())
        image.SetSpacing((1.5, 2.25, 3.125))
        image.SetOrigin((-10.5, 20.25, 30))
        for end in ("nrrd", "nhdr", "mha", "mhd"):
            sitk.WriteImage(image, "%s/%d.%s" % (folder, n, end), useCompression=n % 2 == 0)
        want(image, "%s/%d.want" % (folder, n))


def check(path, labels, time=False):
    a, b = sitk.ReadImage(path), sitk.ReadImage(labels)
    if time:
        a = a[:, :, :, 0]
    assert a.GetSize() == b.GetSize(), (a.GetSize(), b.GetSize())
    for get in ("GetOrigin", "GetSpacing", "GetDirection"):
        assert numpy.allclose(getattr(a, get)(), getattr(b, get)(), rtol=0, atol=1e-9), get
    voxels = sitk.GetArrayFromImage(b)
    assert voxels.dtype == numpy.uint8
    assert (voxels.ravel() == numpy.arange(voxels.size) % 251).all()


if __name__ == "__main__":
    verb = sys.argv[1]
    if verb == "make":
        make(sys.argv[2])
    elif verb == "want":
        want(sitk.ReadImage(sys.argv[2]), sys.argv[3])
    else:
        check(sys.argv[2], sys.argv[3], verb == "check3")
