"""What is known of training hearts: numbers, categories and their classes."""

from __future__ import annotations

import pytest
import torch

from monai_cardiacgen.errors import InputError
from monai_cardiacgen.inferers.heart_attributes import HeartAttributes

MEASURED = {"cavity area": torch.linspace(0, 100, 201), "wall thickness": torch.full((201,), torch.nan)}
TOLD = {"position": [0.5] * 201, "phase": ["ED", *["ES"] * 200]}


def test_texts_are_categories_and_numbers_are_numbers():
    attributes = HeartAttributes.of(MEASURED, TOLD)
    assert set(attributes.numbers) == {"cavity area", "wall thickness", "position"}
    assert attributes.categories == {"phase": TOLD["phase"]}


def test_classes_divide_the_middle_evenly():
    attributes = HeartAttributes.of(MEASURED, TOLD)
    assert attributes.classes("phase") == [{"phase": "ED"}, {"phase": "ES"}]
    edges = [one["cavity area"] for one in attributes.classes("cavity area")]
    assert edges[0][0] == pytest.approx(2.5)
    assert edges[-1][1] == pytest.approx(97.5)
    assert [high - low for low, high in edges] == pytest.approx([19.0] * 5)


def test_plain_data_builds_it_again(tmp_path):
    attributes = HeartAttributes.of(MEASURED, TOLD)
    torch.save(attributes.state_dict(), tmp_path / "attributes.pt")
    again = HeartAttributes(**torch.load(tmp_path / "attributes.pt", weights_only=True))
    assert again.categories == attributes.categories
    assert torch.equal(again.numbers["cavity area"], MEASURED["cavity area"])


def test_lengths_and_names_must_fit():
    with pytest.raises(InputError, match="every attribute for every heart"):
        HeartAttributes.of(MEASURED, {"phase": ["ED"]})
    with pytest.raises(InputError, match="one attribute a name"):
        HeartAttributes.of(MEASURED, {"cavity area": [1.0] * 201})
