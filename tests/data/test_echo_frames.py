"""The dataset of the echo bundle's training."""

from __future__ import annotations

import nibabel
import numpy as np
import pytest
import torch

from monai_cardiacgen.anatomy.heart_condition import APICAL_CONDITION
from monai_cardiacgen.anatomy.schemes import ACDC, CAMUS, CAMUS_SECTOR
from monai_cardiacgen.data import EchoFrames, read_camus
from monai_cardiacgen.errors import DataError, LabelError
from monai_cardiacgen.phantom import write_camus_phantom


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_camus_phantom(tmp_path_factory.mktemp("camus"), patients=1, seed=0)


def test_frames_of_a_folder_on_the_grid_with_view_and_phase(folder):
    frames = EchoFrames(folder, (48, 40))
    items = read_camus(folder)
    assert len(frames) == 4
    for one, item in zip(frames, items, strict=True):
        assert one["image"].shape == one["label"].shape == (1, 48, 40)
        assert one["image"].dtype == torch.float32
        assert 0 <= float(one["image"].min()) < float(one["image"].max()) <= 1
        assert one["label"].dtype == torch.int64
        assert one["label"].unique().tolist() == list(CAMUS.codes)
        assert torch.equal(one["condition"], APICAL_CONDITION.encode([item])[0])
        assert [one[key] for key in ("patient", "view", "phase")] == [item[key] for key in ("patient", "view", "phase")]


def test_spacing_is_that_of_the_stretched_files(folder):
    sides = [np.multiply(nibabel.load(item["image"]).shape, item["spacing"]) / (48, 40) for item in read_camus(folder)]
    assert EchoFrames(folder, (48, 40)).spacing == pytest.approx(np.median(sides, axis=0), rel=0.01)


def test_the_sector_is_a_class_where_asked_for(folder):
    plain, sectored = (EchoFrames(folder, (48, 40), scheme) for scheme in (CAMUS, CAMUS_SECTOR))
    for one, other in zip(plain, sectored, strict=True):
        sector = other["label"] == 4
        assert torch.equal(other["label"].masked_fill(sector, 0), one["label"])
        assert 0.2 < float(sector.float().mean()) < 0.7
        dark = (other["label"] == 0) & (one["image"] > 0.05)
        assert float(dark.float().mean()) < 0.02  # beside the sector nothing shows


def test_other_schemes_and_folders_are_refused(tmp_path):
    with pytest.raises(LabelError, match="CAMUS with sector"):
        EchoFrames(tmp_path, (48, 48), ACDC)
    with pytest.raises(DataError, match=str(tmp_path)):
        EchoFrames(tmp_path, (48, 48))
