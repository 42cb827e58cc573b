"""KID with groups by loops over pairs, and its error against the spread over repeated samples."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from monai_cardiacgen.errors import InputError, IntensityError, ShapeError
from monai_cardiacgen.metrics import kernel_distance, kernel_distance_with_error
from monai_cardiacgen.seeding import seeded


def normal(count: int, size: int, seed: int) -> torch.Tensor:
    return torch.randn(count, size, generator=seeded(seed), dtype=torch.float64)


def by_pairs(one, other, one_groups, other_groups) -> float:
    def kernel(a, b):
        return float((a @ b / len(a) + 1) ** 3)

    within = [
        np.mean([kernel(each[i], each[j]) for i, j in itertools.permutations(range(len(each)), 2) if who[i] != who[j]])
        for each, who in ((one, one_groups), (other, other_groups))
    ]
    return sum(within) - 2 * np.mean([kernel(a, b) for a in one for b in other])


def test_value_and_error_are_those_of_loops_over_pairs():
    one, other = normal(9, 3, 0) + 0.4, normal(12, 3, 1)
    one_groups, other_groups = torch.tensor([5, 5, 1, 1, 1, 2, 3, 3, 4]), torch.arange(12) // 3
    found = kernel_distance_with_error(one, other, "none", one_groups, other_groups)
    assert found.value == pytest.approx(by_pairs(one, other, one_groups, other_groups))
    variance = 0.0
    for number, groups in enumerate((one_groups, other_groups)):
        values = []
        for left_out in groups.unique():
            keep = [torch.ones(9, dtype=torch.bool), torch.ones(12, dtype=torch.bool)]
            keep[number] = groups != left_out
            values.append(by_pairs(one[keep[0]], other[keep[1]], one_groups[keep[0]], other_groups[keep[1]]))
        variance += (len(values) - 1) * np.var(values)
    assert found.standard_error == pytest.approx(variance**0.5)
    assert (found.synthetic, found.real, found.space) == (9, 12, "none")


def test_without_groups_it_is_kid():
    one, other = normal(20, 5, 0), normal(30, 5, 1)
    assert kernel_distance_with_error(one, other, "none").value == pytest.approx(kernel_distance(one, other))


def patients(seed: int, shift: float) -> torch.Tensor:
    return (0.7 * normal(30, 2, seed)[:, None] + 0.5 * normal(150, 2, seed + 10**6).view(30, 5, 2)).flatten(
        0, 1
    ) + shift


def test_the_error_is_the_spread_over_repeated_patients_and_the_value_is_unbiased():
    who = torch.arange(150) // 5
    far = [
        kernel_distance_with_error(patients(2 * n, 0.5), patients(2 * n + 1, 0.0), "none", who, who) for n in range(150)
    ]
    spread = np.std([one.value for one in far])
    assert np.mean([one.standard_error for one in far]) == pytest.approx(spread, rel=0.15)
    same = np.array(
        [
            kernel_distance_with_error(patients(2 * n, 0.0), patients(2 * n + 1, 0.0), "none", who, who).value
            for n in range(150)
        ]
    )
    assert abs(same.mean()) < 3 * same.std() / 150**0.5


def test_too_few_groups_and_bad_features_are_refused():
    with pytest.raises(InputError, match="three groups"):
        kernel_distance_with_error(normal(9, 2, 0), normal(9, 2, 1), "none", torch.arange(9) // 5)
    with pytest.raises(ShapeError, match="features"):
        kernel_distance_with_error(normal(9, 2, 0), normal(9, 3, 1), "none")
    with pytest.raises(ShapeError, match="group of each"):
        kernel_distance_with_error(normal(9, 2, 0), normal(9, 2, 1), "none", torch.arange(5))
    with pytest.raises(IntensityError, match="real"):
        kernel_distance_with_error(normal(9, 2, 0), normal(9, 2, 1) * torch.nan, "none")
