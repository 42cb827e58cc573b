"""Batches as a segmentation network is trained on them: prepared, augmented, and with channel numbers for the loss."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from monai.engines import PrepareBatch, default_prepare_batch

from ..anatomy.labels import LabelScheme
from ..seeding import seeded

#: From images and label maps `(B, 1, H, W)` and a CPU generator to augmented ones.
Augmentation = Callable[[torch.Tensor, torch.Tensor, torch.Generator], tuple[torch.Tensor, torch.Tensor]]


class AugmentedBatch(PrepareBatch):
    """Prepares a batch, augments it as a whole, and turns codes into channel numbers.

    Args:
        augment: of images and label maps, real and synthetic alike.
        scheme: of the label maps' codes.

    Attributes:
        generator: of the augmentation's draws; set anew for each epoch or round.
        prepare: from the loader's batch to images and label maps; MONAI's own, or that of a transform.
    """

    def __init__(self, augment: Augmentation, scheme: LabelScheme) -> None:
        self.augment, self.scheme = augment, scheme
        self.generator = seeded(0)
        self.prepare: Callable[..., Any] = default_prepare_batch

    def __call__(
        self,
        batchdata: Mapping[str, Any],
        device: Any = None,
        non_blocking: bool = False,
        **more: Any,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return images `(B, 1, H, W)` and channel numbers `(B, 1, H, W)` on the device."""
        prepared = self.prepare(batchdata, device, non_blocking, **more)
        image, label = (torch.as_tensor(one).as_subclass(torch.Tensor) for one in prepared)
        image, label = self.augment(image, label, self.generator)
        return image, self.scheme.to_channels(label)


__all__ = ["Augmentation", "AugmentedBatch"]
