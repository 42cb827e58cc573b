"""What a conditional shape model is told of a heart, such as the view and the phase of its image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from ..errors import InputError, ShapeError


@dataclass(frozen=True)
class HeartCondition:
    """Categories as one vector: a one-hot code for each, one after the other.

    Args:
        categories: name of each, as items of a datalist have it, to the values that it can take.

    Raises:
        InputError: without a category, or for one with fewer than two values or a repeated one.

    Example:
        >>> APICAL_CONDITION.encode([{"view": "4CH", "phase": "ED"}])
        tensor([[0., 1., 1., 0.]])
    """

    categories: Mapping[str, Sequence[str]]

    def __post_init__(self) -> None:
        if not self.categories or any(len(set(some)) < max(2, len(some)) for some in self.categories.values()):
            raise InputError(f"Expected categories of at least two different values, got {dict(self.categories)}.")

    @property
    def size(self) -> int:
        """Length of the vector: the `condition_size` of an `AnatomicalVAE`."""
        return sum(len(values) for values in self.categories.values())

    def encode(self, items: Sequence[Mapping[str, Any]]) -> torch.Tensor:
        """Return the conditions `(N, size)`, float32, of items of a datalist.

        Raises:
            InputError: when an item lacks a category, or has a value that is not one of it.
        """
        return torch.tensor([self._row(item) for item in items], dtype=torch.float32).view(-1, self.size)

    def decode(self, condition: torch.Tensor) -> list[dict[str, str]]:
        """Return in words what conditions `(N, size)` are: the largest value of each category.

        Raises:
            ShapeError: for vectors of another length.

        Example:
            >>> APICAL_CONDITION.decode(torch.tensor([[0.0, 1.0, 1.0, 0.0]]))
            [{'view': '4CH', 'phase': 'ED'}]
        """
        if condition.ndim != 2 or condition.shape[1] != self.size:
            raise ShapeError(f"Expected conditions (N, {self.size}), got {tuple(condition.shape)}.")
        parts = condition.cpu().split([len(values) for values in self.categories.values()], dim=1)
        chosen = [part.argmax(dim=1).tolist() for part in parts]
        names = tuple(self.categories)
        return [
            {name: self.categories[name][one] for name, one in zip(names, row, strict=True)}
            for row in zip(*chosen, strict=True)
        ]

    def told(self, items: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
        """Return the values by category, as `LatentSampler.fit` takes them in `told`, so that they can be asked for."""
        return {name: [str(item[name]) for item in items] for name in self.categories}

    def _row(self, item: Mapping[str, Any]) -> list[float]:
        row: list[float] = []
        for name, values in self.categories.items():
            value = item.get(name)
            if value not in values:
                raise InputError(f"Expected one of {tuple(values)} as {name!r} of every item, got {value!r}.")
            row += [float(value == one) for one in values]
        return row


#: View and phase of an apical echocardiogram, in the words of CAMUS.
APICAL_CONDITION = HeartCondition({"view": ("2CH", "4CH"), "phase": ("ED", "ES")})
