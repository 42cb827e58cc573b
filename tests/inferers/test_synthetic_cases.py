"""Pairs that fit a synthesizer's grid, and those that do not."""

from __future__ import annotations

import pytest
import torch

from monai_cardiacgen.errors import ShapeError
from monai_cardiacgen.inferers.synthetic_cases import check_pair


def test_a_pair_on_the_grid_passes():
    check_pair(torch.zeros(2, 1, 8, 6), torch.zeros(2, 8, 6), (8, 6), (1.0, 1.0))


@pytest.mark.parametrize("shape", [(2, 8, 8), (1, 8, 6), (2, 1, 8, 6)])
def test_a_label_map_of_another_shape_is_refused_with_the_remedy(shape):
    with pytest.raises(ShapeError, match=r"resample to \(2\.0, 1\.5\) mm"):
        check_pair(torch.zeros(2, 1, 8, 6), torch.zeros(shape), (8, 6), (2.0, 1.5))
