"""The condition as an entry of the item, ready to be collated."""

from __future__ import annotations

import pytest
import torch
from monai.data import DataLoader, Dataset

from monai_cardiacgen.anatomy import APICAL_CONDITION
from monai_cardiacgen.errors import InputError
from monai_cardiacgen.transforms import EncodeHeartConditiond

ITEMS = [{"view": "2CH", "phase": "ED", "n": 0}, {"view": "4CH", "phase": "ES", "n": 1}]


def test_items_collate_to_conditions_and_keep_all_else():
    batch = next(iter(DataLoader(Dataset(ITEMS, EncodeHeartConditiond(APICAL_CONDITION)), batch_size=2)))
    assert torch.equal(batch["condition"], APICAL_CONDITION.encode(ITEMS))
    assert batch["view"] == ["2CH", "4CH"]
    assert batch["n"].tolist() == [0, 1]
    assert "told" in EncodeHeartConditiond(APICAL_CONDITION, "told")(ITEMS[0])
    assert "condition" not in ITEMS[0]


def test_missing_category_is_refused():
    with pytest.raises(InputError, match="phase"):
        EncodeHeartConditiond(APICAL_CONDITION)({"view": "2CH"})
