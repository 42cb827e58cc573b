"""Randomness from `torch.Generator`s only: one a row, so that no row's result depends on its neighbours."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from .errors import InputError
from .types import Generators

_SEED_RANGE = 2**63 - 1


def seeded(seed: int) -> torch.Generator:
    """Return a CPU generator with this seed: the CPU's draws are the same whatever device computes."""
    return torch.Generator(device="cpu").manual_seed(int(seed) % _SEED_RANGE)


def row_generators(generator: Generators, rows: int) -> list[torch.Generator]:
    """Return one generator a row.

    Args:
        generator: one CPU generator, from which a seed a row is drawn, or a generator a row already.
        rows: the number of rows.

    Returns:
        `rows` generators; a single generator is advanced by one draw of `rows` integers.

    Raises:
        InputError: when a sequence of another length comes, something else than generators, or less than one row.

    Example:
        >>> [g.initial_seed() == h.initial_seed() for g, h in
        ...  zip(row_generators(seeded(7), 2), row_generators(seeded(7), 2), strict=True)]
        [True, True]
    """
    if not isinstance(generator, torch.Generator | Sequence):
        raise InputError(f"Expected a torch.Generator or one a row, got {generator!r}; pass seeded(...) for a seed.")
    if not isinstance(rows, int) or rows < 1:
        raise InputError(f"Expected at least one row to draw, got {rows!r}; ask for one or more.")
    if isinstance(generator, torch.Generator):
        seeds = torch.randint(_SEED_RANGE, (rows,), generator=generator, dtype=torch.int64)
        return [seeded(int(seed)) for seed in seeds]
    if len(generator) != rows:
        raise InputError(f"Expected one generator for each of {rows} rows, got {len(generator)}; pass one.")
    return list(generator)


def randn_rows(generators: list[torch.Generator], shape: tuple[int, ...]) -> torch.Tensor:
    """Return standard normal draws `(len(generators), *shape)`, each row from its own generator."""
    return torch.stack([torch.randn(shape, generator=generator) for generator in generators])
