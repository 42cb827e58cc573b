"""A label map as the condition of a generator: one structure, several, or all."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from ..errors import LabelError, ShapeError
from .labels import LabelScheme


class StructureCondition:
    """Makes label maps one-hot, with a channel for what is in none of the chosen structures and one for each of these.

    Args:
        scheme: of the label maps.
        structures: names of the chosen ones, in the order of their channels; none for all of the scheme.

    Attributes:
        channels: of the condition.

    Raises:
        LabelError: when the scheme lacks a structure, or one is named twice.

    Example:
        >>> from monai_cardiacgen.anatomy import ACDC
        >>> condition = StructureCondition(ACDC, ["myocardium"])
        >>> condition(torch.tensor([[[0, 1, 2, 3]]]))[0, 1].tolist()
        [0.0, 0.0, 1.0, 0.0]
    """

    def __init__(self, scheme: LabelScheme, structures: Sequence[str] | None = None) -> None:
        self.scheme = scheme
        self.structures = scheme.names[1:] if structures is None else tuple(structures)
        if not self.structures or len(set(self.structures)) < len(self.structures):
            raise LabelError(f"Expected structures of {scheme.names[1:]}, each once, got {self.structures}.")
        self._chosen = [scheme.channel(name) for name in self.structures]
        self.channels = 1 + len(self._chosen)

    def __call__(self, label: torch.Tensor) -> torch.Tensor:
        """Return the condition `(B, channels, *spatial)`, float32, of codes `(B, 1, *spatial)`.

        Raises:
            ShapeError: for another number of channels than one.
            LabelError: for unknown codes.
        """
        if label.ndim < 3 or label.shape[1] != 1:
            raise ShapeError(f"Expected label maps (B, 1, ...), got {tuple(label.shape)}; keep the channel axis.")
        chosen = self.scheme.one_hot(label[:, 0])[:, self._chosen]
        return torch.cat([1 - chosen.sum(dim=1, keepdim=True), chosen], dim=1)

    def channel_numbers(self, shown: Sequence[str]) -> list[int]:
        """Return the channel that each code of the scheme belongs to when some structures are shown and others not.

        Args:
            shown: names of structures; those that are not chosen, and all others, are background.

        Example:
            >>> from monai_cardiacgen.anatomy import ACDC
            >>> StructureCondition(ACDC).channel_numbers(["myocardium"])
            [0, 0, 2, 0]
        """
        numbers = {name: number for number, name in enumerate(self.structures, start=1) if name in shown}
        return [numbers.get(name, 0) for name in self.scheme.names]
