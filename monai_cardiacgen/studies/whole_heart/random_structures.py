"""Batches whose conditions hold some of the structures: so one network serves one, several and all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch

from ...anatomy.labels import LabelScheme
from ...data.slices import IMAGE, LABEL
from ...errors import InputError
from ...seeding import seeded
from ..synthesis import plain


class RandomStructures:
    """Takes structures out of the label maps of a batch, but not out of its images: MONAI's `prepare_batch` here.

    A row keeps all its structures with the probability `whole`. Else k of the structures that it shows are kept: k is
    drawn from 1 to their number, then which ones.

    Args:
        scheme: of the label maps.
        structures: names of those that a condition may show; none for all of the scheme. All others are taken out.
        whole: probability in [0, 1].

    Attributes:
        generator: of the draws; `TrainingRounds` sets it anew for each epoch.

    Raises:
        InputError: for a probability outside [0, 1].
        LabelError: when the scheme lacks a structure.
    """

    def __init__(self, scheme: LabelScheme, structures: Sequence[str] | None = None, whole: float = 0.5) -> None:
        if not 0 <= whole <= 1:
            raise InputError(f"Expected a probability in [0, 1], got {whole}.")
        self.codes = scheme.codes[1:] if structures is None else tuple(scheme.code(name) for name in structures)
        self.whole = whole
        self.generator = seeded(0)

    def __call__(
        self, batch: Mapping[str, torch.Tensor], device: torch.device | str | None, non_blocking: bool = False
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return images and the remaining codes `(B, 1, *spatial)` of the batch on the device."""
        image, label = (plain(batch[key]) for key in (IMAGE, LABEL))
        kept = torch.stack([kept_structures(one, self._drawn(one)) for one in label])
        return image.to(device, non_blocking=non_blocking), kept.to(device, non_blocking=non_blocking)

    def _drawn(self, label: torch.Tensor) -> list[int]:
        shown = [code for code in self.codes if bool((label == code).any())]
        whole = float(torch.rand((), generator=self.generator)) < self.whole
        if whole or len(shown) < 2:
            return shown
        count = int(torch.randint(1, len(shown) + 1, (), generator=self.generator))
        return [shown[place] for place in torch.randperm(len(shown), generator=self.generator)[:count].tolist()]


def kept_structures(label: torch.Tensor, codes: Sequence[int]) -> torch.Tensor:
    """Return codes of any shape where they are among `codes`, and background elsewhere."""
    return torch.where(torch.isin(label, torch.tensor(list(codes), dtype=label.dtype)), label, 0)


__all__ = ["RandomStructures", "kept_structures"]
