"""The dataset of a bundle's training."""

from __future__ import annotations

import pytest
import torch

from monai_cardiacgen.data import HeartSlices
from monai_cardiacgen.errors import DataError
from monai_cardiacgen.phantom import write_acdc_phantom


def test_slices_of_a_folder_with_hearts_on_the_grid(tmp_path):
    folder = write_acdc_phantom(tmp_path / "training", patients=1, seed=0)
    slices = HeartSlices(folder, spacing=(4.0, 4.0), spatial_size=(48, 40))
    assert len(slices) > 4
    for one in slices:
        assert one["image"].shape == one["label"].shape == (1, 48, 40)
        assert bool((one["label"] > 0).any())
        assert one["label"].dtype == torch.int64
    assert {one["phase"] for one in slices} == {"ED", "ES"}


def test_a_folder_without_patients_is_refused(tmp_path):
    with pytest.raises(DataError, match=str(tmp_path)):
        HeartSlices(tmp_path, (2.0, 2.0), (48, 48))
