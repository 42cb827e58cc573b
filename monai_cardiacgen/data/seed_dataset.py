"""What a generation goes through: one seed for each case that is to be made."""

from __future__ import annotations

import torch
from monai.data import Dataset

from ..errors import InputError
from ..seeding import seeded

#: A CPU generator of torch keeps the last 32 bits of its seed only.
_SEEDS = 2**32


def case_seed(seed: int, number: int) -> int:
    """Return the seed of case `number` of a generation.

    ```
    seed of case k = (a k + b) mod 2^32,   a odd, a and b drawn from the generation's seed
    ```

    An odd factor makes this one-to-one: no two cases of one generation share a seed, where 100,000 seeds that were
    drawn at random would have one pair alike more likely than not. It takes no more time for a large number.

    Args:
        seed: of the whole generation.
        number: of the case, from 0 to 2^32 - 1.

    Returns:
        A number from 0 to 2^32 - 1.

    Raises:
        InputError: for a number out of range.

    Example:
        >>> len({case_seed(1, number) for number in range(1000)})
        1000
    """
    if not 0 <= number < _SEEDS:
        raise InputError(f"Expected the number of a case from 0 to {_SEEDS - 1}, got {number}; use another seed.")
    factor, offset = torch.randint(_SEEDS, (2,), generator=seeded(seed)).tolist()
    return int(((factor | 1) * number + offset) % _SEEDS)


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
        super().__init__([{"seed": case_seed(seed, number), "number": number} for number in range(count)])
