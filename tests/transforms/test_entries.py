"""What samples tell beside their tensors."""

from __future__ import annotations

import torch
from monai.data import MetaTensor, list_data_collate

from monai_cardiacgen.transforms.entries import told_entries

NAMES = ("view", "phase")


def item(view, phase):
    return {"image": MetaTensor(torch.zeros(1, 4, 4), meta={"phase": phase, "view": "of the meta"}), "view": view}


def test_the_dictionary_counts_more_than_the_metadata():
    one = item("2CH", "ES")
    assert told_entries(NAMES, one, one["image"]) == {"view": "2CH", "phase": "ES"}
    assert told_entries(NAMES, {}, one["image"]) == {"view": "of the meta", "phase": "ES"}


def test_a_row_of_a_collated_batch_tells_its_own():
    batch = list_data_collate([item("2CH", "ES"), item("4CH", "ED")])
    told = [told_entries(NAMES, batch, batch["image"], row) for row in range(2)]
    assert told == [{"view": "2CH", "phase": "ES"}, {"view": "4CH", "phase": "ED"}]


def test_what_is_not_told_is_left_out():
    assert told_entries(NAMES, {"phase": "ED"}, torch.zeros(1)) == {"phase": "ED"}
    assert told_entries((), {"phase": "ED"}, torch.zeros(1)) == {}
