"""The hinge form of adversarial training, over the logits of a discriminator at several scales."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import nn

from ..errors import InputError


class HingeDiscriminatorLoss(nn.Module):
    """What the discriminator minimises: `mean(max(0, 1 - real)) + mean(max(0, 1 + fake))`.

    Patches are averaged within a scale, then scales are averaged. An undecided discriminator (logits 0) pays
    2, one that keeps real logits above 1 and fake ones below -1 pays 0.

    Attributes:
        border: the logit that is as near to the side of real images as to that of fake ones.

    Example:
        >>> HingeDiscriminatorLoss()([torch.zeros(1, 1, 4, 4)], [torch.zeros(1, 1, 4, 4)])
        tensor(2.)

    Source: Lim and Ye, "Geometric GAN", 2017, arXiv:1705.02894; its use over scales: Park et al., "Semantic
    image synthesis with spatially-adaptive normalization", CVPR 2019, DOI 10.1109/CVPR.2019.00244.
    """

    border = 0.0

    def forward(self, real_logits: Sequence[torch.Tensor], fake_logits: Sequence[torch.Tensor]) -> torch.Tensor:
        """Return the scalar loss.

        Args:
            real_logits: one tensor of any shape a scale, before any activation.
            fake_logits: as `real_logits`, for generated images that are detached from their generator.

        Raises:
            InputError: when there is no scale, or the two numbers of scales differ.
        """
        if not real_logits or len(real_logits) != len(fake_logits):
            raise InputError(
                f"Expected logits of as many scales for real as for fake images, at least one, "
                f"got {len(real_logits)} and {len(fake_logits)}; pass a list of one tensor a scale."
            )
        scales = [
            F.relu(1 - real).mean() + F.relu(1 + fake).mean()
            for real, fake in zip(real_logits, fake_logits, strict=True)
        ]
        return torch.stack(scales).mean()


class HingeGeneratorLoss(nn.Module):
    """What the generator minimises beside `HingeDiscriminatorLoss`: `-mean(fake)`, without any hinge.

    Example:
        >>> HingeGeneratorLoss()([torch.full((1, 1, 4, 4), 3.0)])
        tensor(-3.)

    Source: Lim and Ye, "Geometric GAN", 2017, arXiv:1705.02894.
    """

    def forward(self, fake_logits: Sequence[torch.Tensor]) -> torch.Tensor:
        """Return the scalar loss of one tensor of logits a scale.

        Raises:
            InputError: when there is no scale.
        """
        if not fake_logits:
            raise InputError("Expected the logits of at least one scale, got none; pass a list of tensors.")
        return torch.stack([-fake.mean() for fake in fake_logits]).mean()
