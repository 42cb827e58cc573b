"""Batches mirrored as SPADE's own training does: the horizontal flip of apical echocardiograms, an option here."""

from __future__ import annotations

from collections.abc import Mapping

import torch

from ...data.slices import IMAGE, LABEL
from ...errors import InputError
from ...seeding import seeded
from ..synthesis import plain


class MirroredBatch:
    """Mirrors images with their label maps across the beam with some probability: MONAI's `prepare_batch` here.

    A mirrored apical view is no view of the heart: the walls that the beam meets left and right are different ones.

    Args:
        prob: of each row, in [0, 1]; 0 leaves every batch as it is.

    Attributes:
        generator: of the draws; `TrainingRounds` sets it anew for each epoch.

    Raises:
        InputError: for a probability outside [0, 1].
    """

    def __init__(self, prob: float = 0.5) -> None:
        if not 0 <= prob <= 1:
            raise InputError(f"Expected a probability in [0, 1], got {prob}.")
        self.prob = prob
        self.generator = seeded(0)

    def __call__(
        self, batch: Mapping[str, torch.Tensor], device: torch.device | str | None, non_blocking: bool = False
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return image and label `(B, 1, H, W)` of the batch on the device."""
        image, label = (plain(batch[key]).to(device, non_blocking=non_blocking) for key in (IMAGE, LABEL))
        drawn = torch.rand(len(image), generator=self.generator) < self.prob
        mirrored = drawn.to(image.device)[:, None, None, None]
        return torch.where(mirrored, image.flip(2), image), torch.where(mirrored, label.flip(2), label)


__all__ = ["MirroredBatch"]
