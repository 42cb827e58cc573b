"""What a generation goes through: one seed for each case that is to be made."""

from __future__ import annotations

import torch
from monai.data import Dataset

from ..errors import InputError
from ..seeding import seeded


class SeedDataset(Dataset):
    """A MONAI dataset of `{"seed": int, "number": int}`; case k has the same seed however many are asked for.

    Args:
        count: number of cases.
        seed: of the whole generation.

    Example:
        >>> SeedDataset(2, seed=1)[1] == SeedDataset(5, seed=1)[1]
        True
    """

    def __init__(self, count: int, seed: int = 0) -> None:
        if count < 1:
            raise InputError(f"Expected at least one case to make, got {count}.")
        # A prefix of one stream: torch draws integers one after the other.
        seeds = [int(torch.randint(2**31, (), generator=generator)) for generator in [seeded(seed)] * count]
        super().__init__([{"seed": one, "number": number} for number, one in enumerate(seeds)])
