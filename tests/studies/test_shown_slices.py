"""Slices by which a training is followed."""

from __future__ import annotations

import pytest
import torch

from monai_cardiacgen.errors import InputError
from monai_cardiacgen.studies.shown_slices import evenly_shown

SLICES = [{"image": torch.full((1, 2, 3), n / 10), "label": torch.full((1, 2, 3), n)} for n in range(10)]


def test_image_and_label_are_of_the_same_evenly_spread_slices():
    shown = evenly_shown(SLICES, 4)
    assert shown["label"].shape == (4, 1, 2, 3)
    assert shown["label"][:, 0, 0, 0].tolist() == [2, 4, 6, 8]
    assert torch.allclose(shown["image"] * 10, shown["label"].float())


def test_too_few_slices_are_refused():
    with pytest.raises(InputError, match="at least 4 slices"):
        evenly_shown(SLICES[:3], 4)
