"""What is known of each training heart, and what a new one shall be like."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch

from ..errors import InputError

#: What a heart shall be like: `(low, high)` of a number, or a category's name, for each attribute that matters.
Target = Mapping[str, tuple[float, float] | str]

#: Classes into which balanced sampling divides a number.
_CLASSES = 5


@dataclass(frozen=True)
class HeartAttributes:
    """Attributes of N training hearts.

    Attributes:
        measured: numbers that any label map tells, `(N,)` each, as `measure_hearts` gives them.
        told: numbers that only the dataset tells, `(N,)` each, for example a slice's `"position"`.
        categories: a name a heart, for example its `"phase"` or its pathology `"group"`.

    Raises:
        InputError: when the attributes differ in length, or two have one name.
    """

    measured: Mapping[str, torch.Tensor]
    told: Mapping[str, torch.Tensor] = field(default_factory=dict)
    categories: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        lengths = {name: len(values) for name, values in self.numbers.items()}
        lengths |= {name: len(values) for name, values in self.categories.items()}
        if len(set(lengths.values())) > 1:
            raise InputError(f"Expected every attribute for every heart, got these numbers of values: {lengths}.")
        if len(lengths) < len(self.measured) + len(self.told) + len(self.categories):
            raise InputError("Expected one attribute a name; rename those that the label maps tell anyway.")

    @classmethod
    def of(
        cls, measured: Mapping[str, torch.Tensor], told: Mapping[str, Sequence[float] | Sequence[str]]
    ) -> HeartAttributes:
        """Return measured attributes joined with a dataset's own, which are categories where they are texts."""
        texts = {name: list(map(str, values)) for name, values in told.items() if isinstance(values[0], str)}
        numbers = {
            name: torch.as_tensor(values, dtype=torch.float32) for name, values in told.items() if name not in texts
        }
        return cls({name: value.cpu() for name, value in measured.items()}, numbers, texts)

    @property
    def numbers(self) -> dict[str, torch.Tensor]:
        """All that can be asked for by a range."""
        return {**self.measured, **self.told}

    def check(self, target: Target) -> None:
        """Raise `InputError` unless the target names known attributes, and ranges or categories that there are."""
        names = (*self.numbers, *self.categories)
        for name, wanted in target.items():
            if name in self.categories:
                known = sorted(set(self.categories[name]))
                if wanted not in known:
                    raise InputError(f"Expected one of {known} for {name!r}, got {wanted!r}.")
            elif name not in names:
                raise InputError(f"Expected a target for one of {names}, got {name!r}.")
            elif isinstance(wanted, str) or len(wanted) != 2 or not wanted[0] <= wanted[1]:
                raise InputError(f"Expected a range (low, high) for {name!r}, got {wanted!r}.")

    def classes(self, by: str) -> list[Target]:
        """Return the classes of one attribute between which sampling is balanced.

        These are a category's values, or five equally wide ranges that hold the middle 95 % of a number.

        Raises:
            InputError: for an attribute that is not known.
        """
        if by in self.categories:
            return [{by: name} for name in sorted(set(self.categories[by]))]
        if by not in self.numbers:
            raise InputError(f"Expected one of {(*self.numbers, *self.categories)} to balance by, got {by!r}.")
        values = self.numbers[by]
        values = values[torch.isfinite(values)]
        low, high = torch.quantile(values, torch.tensor([0.025, 0.975])).tolist()
        edges = torch.linspace(low, high, _CLASSES + 1).tolist()
        return [{by: (start, stop)} for start, stop in itertools.pairwise(edges)]

    def state_dict(self) -> dict[str, dict[str, torch.Tensor] | dict[str, list[str]]]:
        """Return the attributes as plain data, from which the constructor builds them again."""
        categories = {name: list(values) for name, values in self.categories.items()}
        return {"measured": dict(self.measured), "told": dict(self.told), "categories": categories}
