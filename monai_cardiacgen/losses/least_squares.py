"""The least-squares form of adversarial training, over the values of a discriminator at several scales."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from ..errors import InputError


class LeastSquaresDiscriminatorLoss(nn.Module):
    """What the discriminator minimises: `mean((1 - real)^2) + mean(fake^2)`.

    Patches are averaged within a scale, then scales are averaged. Trained, the value of a patch is the share of real
    images among those that look like it.

    Attributes:
        border: the value that is as near to the target of real images as to that of generated ones.

    Example:
        >>> LeastSquaresDiscriminatorLoss()([torch.zeros(1, 1, 4, 4)], [torch.zeros(1, 1, 4, 4)])
        tensor(1.)

    Source: Mao et al., "Least squares generative adversarial networks", ICCV 2017, DOI 10.1109/ICCV.2017.304.
    """

    border = 0.5

    def forward(self, real: Sequence[torch.Tensor], fake: Sequence[torch.Tensor]) -> torch.Tensor:
        """Return the scalar loss.

        Args:
            real: one tensor of any shape a scale, without activation.
            fake: as `real`, for generated images that are detached from their generator.

        Raises:
            InputError: when there is no scale, or the two numbers of scales differ.
        """
        if not len(real) or len(real) != len(fake):
            raise InputError(
                f"Expected values of as many scales for real as for generated images, at least one, "
                f"got {len(real)} and {len(fake)}; pass a list of one tensor a scale."
            )
        scales = [(1 - one).square().mean() + other.square().mean() for one, other in zip(real, fake, strict=True)]
        return torch.stack(scales).mean()


class LeastSquaresGeneratorLoss(nn.Module):
    """What the generator minimises beside `LeastSquaresDiscriminatorLoss`: `mean((1 - fake)^2)`.

    Example:
        >>> LeastSquaresGeneratorLoss()([torch.zeros(1, 1, 4, 4)])
        tensor(1.)

    Source: Mao et al., ICCV 2017, DOI 10.1109/ICCV.2017.304.
    """

    def forward(self, fake: Sequence[torch.Tensor]) -> torch.Tensor:
        """Return the scalar loss of one tensor of values a scale.

        Raises:
            InputError: when there is no scale.
        """
        if not len(fake):
            raise InputError("Expected the values of at least one scale, got none; pass a list of tensors.")
        return torch.stack([(1 - one).square().mean() for one in fake]).mean()
