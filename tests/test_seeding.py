"""A row's draws follow from its own generator, whatever the batch."""

from __future__ import annotations

import pytest
import torch

from monai_cardiacgen.errors import InputError
from monai_cardiacgen.seeding import randn_rows, row_generators, seeded


def test_the_same_seed_draws_the_same_and_another_does_not():
    draws = [torch.rand(4, generator=seeded(seed)) for seed in (5, 5, 6)]
    assert torch.equal(draws[0], draws[1])
    assert not torch.equal(draws[0], draws[2])


@pytest.mark.parametrize("seed", [0, -1, 2**63 - 1, 2**64 + 3])
def test_any_whole_number_is_a_seed(seed):
    assert seeded(seed).initial_seed() == seed % (2**63 - 1)


def test_global_randomness_is_neither_used_nor_changed():
    torch.manual_seed(0)
    before = torch.get_rng_state()
    randn_rows(row_generators(seeded(1), 3), (2,))
    assert torch.equal(before, torch.get_rng_state())


def test_one_generator_gives_every_row_its_own():
    rows = row_generators(seeded(7), 4)
    assert len({row.initial_seed() for row in rows}) == 4
    again = row_generators(seeded(7), 4)
    assert [row.initial_seed() for row in rows] == [row.initial_seed() for row in again]


def test_a_generator_is_advanced_so_the_next_batch_differs():
    generator = seeded(7)
    first, second = row_generators(generator, 2), row_generators(generator, 2)
    assert not {row.initial_seed() for row in first} & {row.initial_seed() for row in second}


def test_generators_of_rows_are_kept():
    rows = [seeded(1), seeded(2)]
    kept = row_generators(rows, 2)
    assert all(a is b for a, b in zip(kept, rows, strict=True))
    with pytest.raises(InputError, match="each of 3 rows, got 2"):
        row_generators(rows, 3)


def test_a_rows_draws_do_not_depend_on_its_batch():
    together = randn_rows([seeded(seed) for seed in (1, 2, 3)], (5, 2))
    alone = randn_rows([seeded(2)], (5, 2))
    assert together.shape == (3, 5, 2)
    assert torch.equal(together[1], alone[0])


def test_draws_are_standard_normal():
    draws = randn_rows([seeded(seed) for seed in range(20)], (5000,))
    assert float(draws.mean()) == pytest.approx(0, abs=0.02)
    assert float(draws.std()) == pytest.approx(1, abs=0.02)
