"""Seeds of a generation."""

from __future__ import annotations

import pytest

from monai_cardiacgen.data.seed_dataset import SeedDataset
from monai_cardiacgen.errors import InputError


def test_more_cases_keep_the_first_ones():
    few, many = SeedDataset(3, seed=4), SeedDataset(30, seed=4)
    assert [few[number] for number in range(3)] == [many[number] for number in range(3)]
    assert len({many[number]["seed"] for number in range(30)}) == 30


def test_seeds_differ():
    assert SeedDataset(1, seed=1)[0] != SeedDataset(1, seed=2)[0]


def test_nothing_to_make_is_refused():
    with pytest.raises(InputError, match="at least one case"):
        SeedDataset(0)
