"""Categories as one vector, and back to what can be asked for."""

from __future__ import annotations

import pytest
import torch

from monai_cardiacgen.anatomy import APICAL_CONDITION, HeartCondition
from monai_cardiacgen.errors import InputError, ShapeError

ITEMS = [{"view": view, "phase": phase, "patient": "p"} for view in ("2CH", "4CH") for phase in ("ED", "ES")]


def test_every_view_and_phase_has_its_own_vector():
    vectors = APICAL_CONDITION.encode(ITEMS)
    assert vectors.tolist() == [[1, 0, 1, 0], [1, 0, 0, 1], [0, 1, 1, 0], [0, 1, 0, 1]]
    assert vectors.dtype == torch.float32
    assert APICAL_CONDITION.size == 4
    assert APICAL_CONDITION.encode([]).shape == (0, 4)


def test_values_are_told_by_category():
    assert APICAL_CONDITION.told(ITEMS[1:3]) == {"view": ["2CH", "4CH"], "phase": ["ES", "ED"]}


def test_words_come_back():
    words = [{name: item[name] for name in ("view", "phase")} for item in ITEMS]
    assert APICAL_CONDITION.decode(APICAL_CONDITION.encode(ITEMS)) == words
    assert APICAL_CONDITION.decode(torch.zeros(0, 4)) == []
    with pytest.raises(ShapeError, match="4"):
        APICAL_CONDITION.decode(torch.eye(2))


def test_unknown_or_missing_values_are_refused():
    with pytest.raises(InputError, match="as 'view' of every item, got '3CH'"):
        APICAL_CONDITION.encode([{"view": "3CH", "phase": "ED"}])
    with pytest.raises(InputError, match="as 'phase' of every item, got None"):
        APICAL_CONDITION.encode([{"view": "2CH"}])
    for categories in ({}, {"view": ("2CH",)}, {"view": ("2CH", "2CH")}):
        with pytest.raises(InputError, match="at least two"):
            HeartCondition(categories)
