"""Seeds of a generation."""

from __future__ import annotations

import pytest
import torch

from monai_cardiacgen.data.seed_dataset import SeedDataset, case_seed
from monai_cardiacgen.errors import InputError
from monai_cardiacgen.seeding import seeded


def test_more_cases_keep_the_first_ones():
    few, many = SeedDataset(3, seed=4), SeedDataset(30, seed=4)
    assert [few[number] for number in range(3)] == [many[number] for number in range(3)]
    assert len({many[number]["seed"] for number in range(30)}) == 30


def test_seeds_differ():
    assert SeedDataset(1, seed=1)[0] != SeedDataset(1, seed=2)[0]


def test_nothing_to_make_is_refused():
    with pytest.raises(InputError, match="at least one case"):
        SeedDataset(0)


def test_no_two_cases_draw_alike():
    for seed in (0, 1, 2**40):
        draws = {float(torch.rand((), generator=seeded(case_seed(seed, n)), dtype=torch.float64)) for n in range(3000)}
        assert len(draws) == 3000
    many = {case_seed(3, number) for number in range(0, 2**32, 2**32 // 30_000)}
    assert len(many) == len(range(0, 2**32, 2**32 // 30_000))


@pytest.mark.parametrize("number", [-1, 2**32])
def test_numbers_beyond_the_seeds_are_refused(number):
    with pytest.raises(InputError, match="another seed"):
        case_seed(0, number)
