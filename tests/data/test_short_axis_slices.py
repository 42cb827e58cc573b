"""All slices of short-axis stacks as a dataset."""

from __future__ import annotations

import nibabel
import numpy as np
import torch

from monai_cardiacgen.data import HeartSlices, ShortAxisSlices, read_acdc
from monai_cardiacgen.phantom import write_acdc_phantom


def test_slices_without_a_heart_are_there_too(tmp_path):
    folder = write_acdc_phantom(tmp_path, patients=1, seed=0)
    path = min(folder.rglob("*_gt.nii.gz"))
    stored = nibabel.load(path)
    codes = np.asarray(stored.dataobj).copy()
    codes[:, :, 0] = 0
    nibabel.save(nibabel.Nifti1Image(codes, stored.affine), path)
    every, hearts = ShortAxisSlices(read_acdc(folder), (4, 4), (48, 48)), HeartSlices(folder, (4, 4), (48, 48))
    with_heart = [one for one in every if bool(one["label"].any())]
    assert len(with_heart) == len(hearts) == len(every) - 1
    assert all(torch.equal(one["image"], other["image"]) for one, other in zip(with_heart, hearts, strict=True))
