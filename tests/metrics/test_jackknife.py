"""The jackknife where the error is known."""

from __future__ import annotations

import pytest
import torch

from monai_cardiacgen.metrics import jackknife_error
from monai_cardiacgen.seeding import seeded


def without(values: torch.Tensor) -> list[float]:
    return [float((values.sum() - value) / (len(values) - 1)) for value in values]


def test_a_mean_has_its_own_standard_error():
    values = torch.randn(30, generator=seeded(0), dtype=torch.float64)
    assert jackknife_error(without(values)) == pytest.approx(float(values.std()) / 30**0.5)


def test_the_difference_of_two_means_has_the_root_of_the_sum():
    one, other = (torch.randn(count, generator=seeded(count), dtype=torch.float64) for count in (12, 40))
    expected = (one.var() / 12 + other.var() / 40).sqrt()
    assert jackknife_error(without(one), without(other)) == pytest.approx(float(expected))
