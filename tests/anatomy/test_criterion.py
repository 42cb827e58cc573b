"""Limits from above and from below, and what an absent structure does to them."""

from __future__ import annotations

import torch

from monai_cardiacgen.anatomy import Criterion


def test_the_limit_itself_is_valid():
    values = torch.tensor([0.9, 1.0, 1.1])
    assert Criterion("a", "mm", 1, "why").broken(values).tolist() == [False, False, True]
    assert Criterion("a", "", 1, "why", at_least=True).broken(values).tolist() == [True, False, False]


def test_an_absent_structure_breaks_nothing():
    absent = torch.tensor([torch.nan])
    for at_least in (False, True):
        assert not Criterion("a", "mm", 0, "why", at_least).broken(absent).any()


def test_an_absent_structure_breaks_what_requires_it():
    values = torch.tensor([torch.nan, 0.0])
    for at_least in (False, True):
        assert Criterion("a", "mm", 0, "why", at_least, required=True).broken(values).tolist() == [True, False]


def test_bounds_in_words():
    assert Criterion("a", "pixels", 0, "why").bound == "at most 0 pixels"
    assert Criterion("a", "", 0.2, "why", at_least=True).bound == "at least 0.2"
