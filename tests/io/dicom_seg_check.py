# Reads a DICOM-SEG with highdicom and compares every frame with raw labels [z,y,x]:
#   dicom_seg_check.py SEG LABELS SLICES ORIGIN_Z STEP_Z LABEL...
# Exit code 0: equal. SPDX-License-Identifier: MIT
import sys

import highdicom
import numpy

path, raw, slices, origin, step = sys.argv[1:6]
values = [int(v) for v in sys.argv[6:]]
seg = highdicom.seg.segread(path)
labels = numpy.fromfile(raw, numpy.uint8).reshape(int(slices), seg.Rows, seg.Columns)
frames = seg.pixel_array.reshape(-1, seg.Rows, seg.Columns)
assert seg.number_of_segments == len(values)
assert seg.segmentation_type == highdicom.seg.SegmentationTypeValues.BINARY
assert "not a medical device" in seg.ContentDescription
want = {(s, z) for s in range(len(values)) for z in range(len(labels)) if (labels[z] == values[s]).any()}
got = set()
for frame, groups in zip(frames, seg.PerFrameFunctionalGroupsSequence):
    s = groups.SegmentIdentificationSequence[0].ReferencedSegmentNumber - 1
    z = round((groups.PlanePositionSequence[0].ImagePositionPatient[2] - float(origin)) / float(step))
    assert (frame.astype(bool) == (labels[z] == values[s])).all(), (s, z)
    got.add((s, z))
if want:
    assert got == want, (got, want)
else:
    assert got == {(0, z) for z in range(len(labels))}, got
    sys.exit(0)
volume = seg.get_volume(combine_segments=True)
used = sorted({z for _, z in want})
combined = numpy.zeros_like(labels)
for s, value in enumerate(values):
    combined[labels == value] = s + 1
combined = combined[used[0] : used[-1] + 1]
array = volume.array if volume.affine[2, 0] * float(step) > 0 else volume.array[::-1]
assert (array == combined).all()
