"""Shares with Wilson's formula, and label maps whose faults are known."""

from __future__ import annotations

import math

import pytest
import torch
from scipy.stats import norm

from monai_cardiacgen.anatomy.check import AnatomyCheck
from monai_cardiacgen.anatomy.schemes import ACDC, LV_CAVITY, MYOCARDIUM
from monai_cardiacgen.errors import InputError, ShapeError
from monai_cardiacgen.metrics import anatomical_validity, share_of


@pytest.mark.parametrize(("count", "total", "level"), [(0, 7, 0.95), (3, 9, 0.9), (50, 50, 0.95), (190, 200, 0.99)])
def test_interval_is_wilsons(count, total, level):
    share = share_of(torch.arange(total) < count, level)
    z, p = norm.ppf((1 + level) / 2), count / total
    middle = (p + z * z / 2 / total) / (1 + z * z / total)
    half = z / (1 + z * z / total) * math.sqrt(p * (1 - p) / total + z * z / 4 / total**2)
    assert (share.share, share.count, share.total) == (p, count, total)
    assert (share.low, share.high) == pytest.approx((middle - half, middle + half), abs=1e-12)


def ring(holes: int) -> torch.Tensor:
    rows, columns = torch.meshgrid(torch.arange(64), torch.arange(64), indexing="ij")
    radius = torch.hypot(rows - 32.0, columns - 32.0)
    label = torch.zeros(64, 64, dtype=torch.int64)
    label[radius < 14] = ACDC.code(MYOCARDIUM)
    label[radius < 9] = ACDC.code(LV_CAVITY)
    for hole in range(holes):
        label[32, 30 + 3 * hole] = 0
    return label


def test_maps_with_holes_are_counted_by_criterion():
    labels = torch.stack([ring(0)] * 300 + [ring(1), ring(2)])  # more than are checked at a time
    found = anatomical_validity(labels, AnatomyCheck(ACDC, "short axis"), (1.5, 1.5))
    assert (found.valid.count, found.valid.total) == (300, 302)
    assert found.is_valid.tolist() == [True] * 300 + [False] * 2
    assert max(found.broken.values()) == 2
    assert found.valid.low < 300 / 302 < found.valid.high


def test_nothing_has_no_share():
    with pytest.raises(InputError, match="at least one"):
        share_of(torch.zeros(0, dtype=torch.bool))
    with pytest.raises(ShapeError, match="a case"):
        share_of(torch.ones(2, 2, dtype=torch.bool))
    with pytest.raises(InputError, match="label map"):
        anatomical_validity(torch.zeros(0, 8, 8, dtype=torch.int64), AnatomyCheck(ACDC, "short axis"), (1.5, 1.5))
