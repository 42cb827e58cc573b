"""The Wasserstein form of adversarial training, with a penalty on the gradient of each sample's own score."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn

from ..errors import InputError, ShapeError


class WassersteinCriticLoss(nn.Module):
    r"""What the critic minimises: `mean(fake) - mean(real) + penalty_weight * mean((gradient_norm - 1) ** 2)`.

    $$L = E[D(G(z))] - E[D(x)] + \lambda\, E[(\lVert\nabla D(\hat{x})\rVert_{2} - 1)^{2}]$$

    `mean(real) - mean(fake)` estimates the Wasserstein-1 distance of the two distributions. The penalty is soft, so
    that the estimate is somewhat too large: for two points that lie `w` apart the best critic has the slope
    `1 + w / (2 * penalty_weight)`.

    Args:
        penalty_weight: lambda; 0 for no penalty.

    Raises:
        InputError: for a negative weight.

    Example:
        >>> WassersteinCriticLoss()(torch.tensor([3.0]), torch.tensor([1.0]), torch.tensor([2.0]))
        tensor(8.)

    Source:
        Gulrajani et al., "Improved training of Wasserstein GANs", NeurIPS 2017, arXiv:1704.00028.
    """

    def __init__(self, penalty_weight: float = 10.0) -> None:
        super().__init__()
        if not penalty_weight >= 0:
            raise InputError(f"Expected a penalty_weight of at least 0, got {penalty_weight!r}; the paper takes 10.")
        self.penalty_weight = penalty_weight

    def forward(
        self, real_scores: torch.Tensor, fake_scores: torch.Tensor, gradient_norm: torch.Tensor
    ) -> torch.Tensor:
        """Return the scalar loss.

        Args:
            real_scores: `(B,)`.
            fake_scores: `(B,)`, of generated samples that are detached from their generator.
            gradient_norm: `(B,)`, of `gradient_norm` at points between both.
        """
        penalty = self.penalty_weight * _penalty(gradient_norm).mean()
        return fake_scores.mean() - real_scores.mean() + penalty


class WassersteinGeneratorLoss(nn.Module):
    """What the generator minimises beside `WassersteinCriticLoss`: `-mean(fake)`.

    Example:
        >>> WassersteinGeneratorLoss()(torch.tensor([1.0, 3.0]))
        tensor(-2.)

    Source:
        Arjovsky et al., "Wasserstein generative adversarial networks", ICML 2017, arXiv:1701.07875.
    """

    def forward(self, fake_scores: torch.Tensor) -> torch.Tensor:
        """Return the scalar loss of scores `(B,)`."""
        return -fake_scores.mean()


def gradient_penalty(
    critic: Callable[[torch.Tensor], torch.Tensor],
    real: torch.Tensor,
    fake: torch.Tensor,
    generator: torch.Generator,
) -> torch.Tensor:
    r"""Return each sample's penalty `(B,)`, at a random point between a real and a generated sample.

    $$(\lVert\nabla D(\hat{x})\rVert_{2} - 1)^{2}, \quad \hat{x} = x + u\,(G(z) - x), \quad u \sim U(0, 1)$$

    Args:
        critic: samples `(B, ...)` to scores `(B,)`, each of its own sample alone.
        real: `(B, ...)`, floating point.
        fake: as `real`; no gradient flows into either.
        generator: CPU generator of `u`, one number a sample.

    Raises:
        ShapeError: when real and generated samples differ in shape, or the critic gives other than `(B,)`.

    Example:
        >>> images = torch.rand(2, 1, 8, 8)
        >>> gradient_penalty(lambda x: 3 * x[:, 0, 0, 0], images, images, torch.Generator())
        tensor([4., 4.])

    Source:
        Gulrajani et al., "Improved training of Wasserstein GANs", NeurIPS 2017, arXiv:1704.00028.
    """
    share = torch.rand(len(real), generator=generator)
    return _penalty(gradient_norm(critic, between(real, fake, share)))


def between(real: torch.Tensor, fake: torch.Tensor, share: torch.Tensor) -> torch.Tensor:
    """Return `real + share * (fake - real)`, detached, of `(B, ...)`, `(B, ...)` and one share a sample, `(B,)`.

    Raises:
        ShapeError: when the three do not fit.
    """
    if real.shape != fake.shape or share.shape != real.shape[:1]:
        raise ShapeError(
            f"Expected real and generated samples of one shape and a share for each, got {tuple(real.shape)}, "
            f"{tuple(fake.shape)} and {tuple(share.shape)}; make as many samples as the real batch has."
        )
    share = share.to(real).reshape(-1, *[1] * (real.ndim - 1))
    return torch.lerp(real.detach(), fake.detach().to(real), share)


def gradient_norm(critic: Callable[[torch.Tensor], torch.Tensor], points: torch.Tensor) -> torch.Tensor:
    """Return the Euclidean norm `(B,)` of the gradient of each point's own score, itself differentiable.

    Autocast is left here: 8 bits of a gradient's norm would be felt in the penalty, which asks how far it is from 1.

    Args:
        critic: as in `gradient_penalty`.
        points: `(B, ...)`, floating point.

    Raises:
        ShapeError: when the critic gives other than `(B,)`.
    """
    points = points.detach().requires_grad_()
    with torch.autocast(points.device.type, enabled=False):
        scores = critic(points)
        if scores.shape != points.shape[:1]:
            raise ShapeError(
                f"Expected one score a sample, ({len(points)},), got {tuple(scores.shape)}; "
                f"let the critic end with [:, 0]."
            )
        (gradient,) = torch.autograd.grad(scores.sum(), points, create_graph=True)
        norm: torch.Tensor = torch.linalg.vector_norm(gradient.flatten(1), dim=1)
    return norm


def _penalty(norm: torch.Tensor) -> torch.Tensor:
    return (norm - 1).square()
