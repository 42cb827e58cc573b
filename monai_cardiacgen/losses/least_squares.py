"""The least-squares form of adversarial training, over a discriminator's values by patch, and its accuracy."""

from __future__ import annotations

import torch
from torch import nn

#: A discriminator's value from which on a patch counts as taken for real: half-way between the targets.
_HALF = 0.5


class LeastSquaresDiscriminatorLoss(nn.Module):
    """What the discriminator minimises: `mean((1 - real)^2) + mean(fake^2)`.

    Example:
        >>> LeastSquaresDiscriminatorLoss()(torch.zeros(1, 1, 4, 4), torch.zeros(1, 1, 4, 4))
        tensor(1.)

    Source: Mao et al., "Least squares generative adversarial networks", ICCV 2017, DOI 10.1109/ICCV.2017.304.
    """

    def forward(self, real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
        """Return the scalar loss of values of any shape, `fake` of images detached from their generator."""
        return (1 - real).square().mean() + fake.square().mean()


class LeastSquaresGeneratorLoss(nn.Module):
    """What the generator minimises beside `LeastSquaresDiscriminatorLoss`: `mean((1 - fake)^2)`.

    Example:
        >>> LeastSquaresGeneratorLoss()(torch.zeros(1, 1, 4, 4))
        tensor(1.)

    Source: Mao et al., ICCV 2017, DOI 10.1109/ICCV.2017.304.
    """

    def forward(self, fake: torch.Tensor) -> torch.Tensor:
        """Return the scalar loss of values of any shape."""
        return (1 - fake).square().mean()


@torch.no_grad()
def discriminator_accuracy(real: torch.Tensor, fake: torch.Tensor) -> tuple[float, float]:
    """Return which share of the patches of real and of made images a discriminator takes for what they are.

    Its values are near 1 for real and near 0 for made ones; the border is one half. An undecided discriminator has
    shares that sum to 1.

    Args:
        real: values by patch of real images, any shape.
        fake: of made images.
    """
    return float((real > _HALF).float().mean()), float((fake <= _HALF).float().mean())
