#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Segments a volume that nibabel reads, and writes the mask in the volume's own geometry.

    example_nibabel.py VOLUME.nii.gz MASK.nii.gz MODEL "sentence" ["another of the same object" ...]
"""
import sys

import nibabel
import numpy as np
from nibabel import orientations

import tpp


def main(volume_path, mask_path, model, *sentences):
    image = nibabel.load(volume_path)
    if len(image.shape) != 3:
        sys.exit(f"{volume_path}: wanted three dimensions, got {image.shape}")
    # Axial slices from the feet up, row 0 anterior, column 0 the patient's right: LPS, by flips and
    # exchanges of axes alone.
    own = orientations.io_orientation(image.affine)
    axial = orientations.axcodes2ornt("LPS")
    voxels = orientations.apply_orientation(image.get_fdata(dtype=np.float32),
                                            orientations.ornt_transform(own, axial))
    frames = tpp.window(voxels).transpose(2, 1, 0)  # x, y, z to slice, row, column

    masks, records = tpp.segment(frames, sentences, model=model)

    mask = orientations.apply_orientation(masks.transpose(2, 1, 0),
                                          orientations.ornt_transform(axial, own))
    result = nibabel.Nifti1Image(np.ascontiguousarray(mask), image.affine)
    result.header.set_xyzt_units("mm")
    nibabel.save(result, mask_path)
    best = max(records, key=lambda r: r.score)
    print(f"{mask_path}: {int(mask.sum())} voxels; best score {best.score:.3f}, slice {best.frame}")


if __name__ == "__main__":
    if len(sys.argv) < 5:
        sys.exit(__doc__)
    main(*sys.argv[1:])
