#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Segments a volume that SimpleITK reads (a file, or a folder with one DICOM series), and writes the
mask in the volume's own geometry.

    example_simpleitk.py VOLUME MASK.nii.gz MODEL "sentence" ["another of the same object" ...]
"""
import os
import sys

import SimpleITK as sitk

import tpp


def read(path):
    if not os.path.isdir(path):
        return sitk.ReadImage(path)
    return sitk.ReadImage(sitk.ImageSeriesReader.GetGDCMSeriesFileNames(path))


def main(volume_path, mask_path, model, *sentences):
    image = read(volume_path)
    if image.GetDimension() != 3:
        sys.exit(f"{volume_path}: wanted three dimensions, got {image.GetDimension()}")
    # Axial slices from the feet up, row 0 anterior, column 0 the patient's right: LPS.
    axial = sitk.DICOMOrient(image, "LPS")
    frames = tpp.window(sitk.GetArrayFromImage(axial))  # slice, row, column

    masks, records = tpp.segment(frames, sentences, model=model)

    mask = sitk.GetImageFromArray(masks)
    mask.CopyInformation(axial)
    own = sitk.DICOMOrientImageFilter.GetOrientationFromDirectionCosines(image.GetDirection())
    mask = sitk.DICOMOrient(mask, own)
    mask.CopyInformation(image)  # the same, without what was rounded on the way
    sitk.WriteImage(mask, mask_path)
    best = max(records, key=lambda r: r.score)
    print(f"{mask_path}: {int(masks.sum())} voxels; best score {best.score:.3f}, "
          f"slice {best.frame}")


if __name__ == "__main__":
    if len(sys.argv) < 5:
        sys.exit(__doc__)
    main(*sys.argv[1:])
