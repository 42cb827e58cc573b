"""The two steps of a conditional Wasserstein GAN that makes hidden pixels: the critic's, and the generator's."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import torch
from monai.engines import IterationEvents
from torch import nn
from torch.optim import Optimizer

from ..errors import InputError
from ..losses.wasserstein import WassersteinCriticLoss, WassersteinGeneratorLoss, between, gradient_norm
from ..ranks import all_rows, mean_of_ranks, own_rows
from .synchronised import synchronised

Terms = dict[str, torch.Tensor]


class InpaintingGANStep:
    r"""Moves critic and generator on one batch of images with hidden pixels.

    With the image $y$, the mask $m$ of its hidden pixels and what the generator makes, $(g, b) = G(y, m)$, the image is
    completed, $\hat y = m\, g + (1 - m)\, y$. The critic, which sees the mask too, minimises the Wasserstein loss with
    the gradient penalty on hidden pixels; known ones are alike in both. The generator minimises

    $$-\lambda\, D(\hat y, m) + \frac{\sum m\, |g - y|}{\sum m} + 0.1\, \mathrm{mean}\, |g - y|
      + 0.1\, \frac{\sum m\, (|g - y| / b + \log b)}{\sum m}$$

    The last term teaches `b` alone, the difference to expect: it is the negative logarithm of Laplace's density, up to
    a constant, and `g` gets no gradient from it. That known pixels are drawn, too, keeps the generator's misfit on
    them a measure of what it cannot draw.

    With several ranks the batch is this rank's part of the whole batch, and all ranks move alike.

    Args:
        network: masked images to images and expected differences, such as `InpaintingGenerator`.
        critic: images and masks, joined along the channels, to scores `(B,)`, such as `WGANCritic`.
        network_optimizer: of `network`.
        critic_optimizer: of `critic`.
        critic_loss: with its weight of the penalty.
        autocast: gives the precision's context; the penalty leaves it.
        adversarial: λ, the weight of the critic's score, per unit of intensity.

    Raises:
        InputError: for a negative weight.

    Source:
        Yu et al., "Generative image inpainting with contextual attention", CVPR 2018, DOI 10.1109/CVPR.2018.00577;
        Gulrajani et al., NeurIPS 2017, arXiv:1704.00028; Kendall and Gal, NeurIPS 2017, arXiv:1703.04977.
    """

    def __init__(
        self,
        network: nn.Module,
        critic: nn.Module,
        network_optimizer: Optimizer,
        critic_optimizer: Optimizer,
        critic_loss: WassersteinCriticLoss,
        autocast: Callable[[], AbstractContextManager[Any]],
        adversarial: float = 0.02,
    ) -> None:
        if not adversarial >= 0:
            raise InputError(f"Expected an adversarial weight of at least 0, got {adversarial!r}.")
        self.network = network
        self.critic = critic
        self.network_optimizer = network_optimizer
        self.critic_optimizer = critic_optimizer
        self.critic_loss = critic_loss
        self.generator_loss = WassersteinGeneratorLoss()
        self.autocast = autocast
        self.adversarial = adversarial
        self.judge = synchronised(self._judge, critic)
        self.inpaint = synchronised(network, network)

    def __call__(
        self, image: torch.Tensor, hidden: torch.Tensor, generator: torch.Generator, fire: Callable[[Any], None]
    ) -> tuple[Terms, torch.Tensor]:
        """Move both on one batch: the critic on detached fakes, then the generator.

        Args:
            image: `(B, C, *spatial)` in [0, 1].
            hidden: `(B, 1, *spatial)`, 1 where pixels are hidden, 0 elsewhere; some in every batch.
            generator: CPU generator of the points of the penalty, in the same state on every rank.
            fire: called with MONAI's iteration events as they come.

        Returns:
            `critic_loss`, `critic_estimate` (of the Wasserstein-1 distance), `gradient_norm`, `adversarial` (weighted),
            `reconstruction` and `expectation` (the last term, weighted), means over the whole batch, detached; and the
            completed images, detached.
        """
        whole = len(all_rows(image.new_empty(len(image), 1)))
        share = own_rows(torch.rand(whole, generator=generator)).to(image.device)
        with self.autocast():
            made, expected = self.inpaint(torch.cat([image, hidden], dim=1)).to(image.dtype).chunk(2, dim=1)
        completed = torch.lerp(image, made, hidden)
        with self.autocast():
            terms: Terms = self.judge(image, completed.detach(), hidden, share)
        self.critic_optimizer.zero_grad(set_to_none=True)
        terms["critic_loss"].backward()
        self.critic_optimizer.step()
        terms |= self._move_network(image, hidden, made, expected, completed, fire)
        return mean_of_ranks({name: term.detach() for name, term in terms.items()}), completed.detach()

    def _move_network(
        self,
        image: torch.Tensor,
        hidden: torch.Tensor,
        made: torch.Tensor,
        expected: torch.Tensor,
        completed: torch.Tensor,
        fire: Callable[[Any], None],
    ) -> Terms:
        self.critic.requires_grad_(False)  # it judges, but does not learn here
        with self.autocast():
            scores = self.critic(torch.cat([completed, hidden], dim=1)).to(image.dtype)
        away = (made - image).abs()
        surprise = away.detach() / expected + expected.log()
        terms = {
            "adversarial": self.adversarial * self.generator_loss(scores),
            "reconstruction": _mean_where(away, hidden) + 0.1 * away.mean(),
            "expectation": 0.1 * _mean_where(surprise, hidden),
        }
        fire(IterationEvents.FORWARD_COMPLETED)
        loss = torch.stack(list(terms.values())).sum()
        fire(IterationEvents.LOSS_COMPLETED)
        self.network_optimizer.zero_grad(set_to_none=True)
        loss.backward()
        fire(IterationEvents.BACKWARD_COMPLETED)
        self.network_optimizer.step()
        self.critic.requires_grad_(True)
        return terms

    def _judge(self, image: torch.Tensor, completed: torch.Tensor, hidden: torch.Tensor, share: torch.Tensor) -> Terms:
        joined = torch.cat([torch.cat([image, completed]), torch.cat([hidden, hidden])], dim=1)
        real_scores, fake_scores = self.critic(joined).to(image.dtype).chunk(2)

        def score_of_hidden(points: torch.Tensor) -> torch.Tensor:
            scores: torch.Tensor = self.critic(torch.cat([torch.lerp(image, points, hidden), hidden], dim=1))
            return scores

        norm = gradient_norm(score_of_hidden, between(image, completed, share))
        return {
            "critic_loss": self.critic_loss(real_scores, fake_scores, norm),
            "critic_estimate": (real_scores.mean() - fake_scores.mean()).detach(),
            "gradient_norm": norm.mean().detach(),
        }


def _mean_where(values: torch.Tensor, hidden: torch.Tensor) -> torch.Tensor:
    """Return the mean over hidden pixels and all channels."""
    return (values * hidden).sum() / (hidden.sum() * values.shape[1])


__all__ = ["InpaintingGANStep"]
