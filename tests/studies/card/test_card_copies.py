"""Copies by name, whether or not it is known what the generator was trained on."""

from __future__ import annotations

import pytest
import torch
from small_hearts import hearts

from monai_cardiacgen.seeding import seeded
from monai_cardiacgen.studies.card.card_cases import CardCases
from monai_cardiacgen.studies.card.card_copies import find_copies


def cases(name: str, image: torch.Tensor, label: torch.Tensor, each: int = 1) -> CardCases:
    names = tuple(f"{name}{number}" for number in range(len(image)))
    return CardCases(image, label, names, tuple(f"{name}{number // each}" for number in range(len(image))))


@pytest.fixture(scope="module")
def sets():
    image, label = hearts(60, seed=3)
    coarse = torch.rand(60, 1, 8, 8, generator=seeded(0))
    image = 0.5 * image + 0.5 * torch.nn.functional.interpolate(coarse, size=(32, 32), mode="bilinear")
    label = label[:, 0]
    training, others = cases("t", image[:20], label[:20], 2), cases("o", image[20:40], label[20:40], 2)
    planted = torch.cat([image[40:], 0.8 * image[7:8].flip(-1), image[33:34].roll((3, -2), (-2, -1))])
    return cases("s", planted, torch.cat([label[40:], label[7:8], label[33:34]])), training, others


def test_only_training_patients_can_be_copied_where_they_are_known(sets):
    seen = []
    found = find_copies(*sets, True, lambda *numbers: seen.append(numbers))
    assert found.cases == ["s20"]
    assert seen == [(1, 1)]
    assert len(found.pairs) == 22
    nearest = found.pairs[0]
    assert (nearest.case, nearest.real, nearest.flipped) == ("s20", "t7", (1,))
    assert "held out" in found.compared


def test_both_halves_are_searched_where_nothing_is_known(sets):
    found = find_copies(*sets, False, lambda *numbers: None)
    assert found.cases == ["s20", "s21"]
    assert {pair.case: pair.real for pair in found.pairs[:2]} == {"s20": "t7", "s21": "o13"}
    assert len(found.pairs) == len({pair.case for pair in found.pairs}) == 22
    assert len(found.limits) == 2
    assert len(found.chance) == 40
    assert "not known" in found.compared


def test_a_pair_shows_the_case_moved_onto_the_real_slice(sets):
    pairs = {pair.case: pair for pair in find_copies(*sets, False, lambda *numbers: None).pairs}
    for case in ("s20", "s21"):
        _, moved, real, _ = pairs[case].images
        inside = (slice(6, -6), slice(6, -6))
        scale = 0.8 if case == "s20" else 1.0
        assert torch.allclose(moved[inside], scale * real[inside], atol=1e-6)
    assert pairs["s21"].shift == (-3, 2)
    assert not bool(pairs["s21"].images[1][-3:].any())  # what came in from outside
