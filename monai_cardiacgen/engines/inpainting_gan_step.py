"""The two steps of a conditional Wasserstein GAN that makes hidden pixels: the critic's, and the generator's."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F
from torch.optim import Optimizer

from ..errors import InputError
from ..losses.wasserstein import WassersteinCriticLoss, WassersteinGeneratorLoss, between, gradient_norm
from ..ranks import all_rows, mean_of_ranks, own_rows
from .generator_move import move_generator
from .synchronised import synchronised

Terms = dict[str, torch.Tensor]


class InpaintingGANStep:
    r"""Moves critic and generator on one batch of images with hidden pixels and the label of a structure in them.

    The generator is asked twice of each image $y$ with the mask $m$ of its hidden pixels: without the structure's label
    $l$, $(g_0, b, p) = G(y, m)$, and with it, $g = G(y, m, l)$, which completes the image,
    $\hat y = m\, g + (1 - m)\, y$. The critic, which sees the mask too, minimises the Wasserstein loss with
    the gradient penalty on hidden pixels; known ones are alike in both. The generator minimises

    $$-\lambda\, D(\hat y, m) + \langle |g - y| \rangle + \langle |g_0 - y| \rangle
      + 0.1\, \langle |g_0 - y| / b + \log b \rangle + 0.5\, \langle H(l, p) \rangle
      + 0.1\, \mathrm{mean}\, |g - y|$$

    with means $\langle \cdot \rangle$ over hidden pixels and the cross-entropy $H$. The fourth term teaches `b` alone,
    the difference to expect: it is the negative logarithm of Laplace's density, up to a constant, and $g_0$ gets no
    gradient from it. That known pixels are drawn, too, keeps the generator's misfit on them a measure of what it
    cannot draw.

    With several ranks the batch is this rank's part of the whole batch, and all ranks move alike.

    Args:
        network: masked images to images, expected differences and logits, such as `InpaintingGenerator`; rows by rows.
        critic: images and masks, joined along the channels, to scores `(B,)`, such as `WGANCritic`.
        network_optimizer: of `network`.
        critic_optimizer: of `critic`.
        critic_loss: with its weight of the penalty.
        autocast: gives the precision's context; the penalty leaves it.
        adversarial: λ, the weight of the critic's score.

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
        self,
        image: torch.Tensor,
        hidden: torch.Tensor,
        label: torch.Tensor,
        generator: torch.Generator,
        fire: Callable[[Any], None],
    ) -> tuple[Terms, torch.Tensor]:
        """Move both on one batch: the critic on detached fakes, then the generator.

        Args:
            image: `(B, C, *spatial)` in [0, 1].
            hidden: `(B, 1, *spatial)`, 1 where pixels are hidden, 0 elsewhere; some in every batch.
            label: `(B, 1, *spatial)`, 1 where the structure is, 0 elsewhere.
            generator: CPU generator of the points of the penalty, in the same state on every rank.
            fire: called with MONAI's iteration events as they come.

        Returns:
            `critic_loss`, `critic_estimate` (of the Wasserstein-1 distance), `gradient_norm`, `adversarial` (weighted),
            `reconstruction` (with the label), `guess` (without), `expectation` (weighted) and `localisation` (the
            cross-entropy, weighted), means over the whole batch, detached; and the completed images, detached.
        """
        whole = len(all_rows(image.new_empty(len(image), 1)))
        share = own_rows(torch.rand(whole, generator=generator)).to(image.device)
        channels = image.shape[1]
        asked = [torch.cat([image, hidden, told], dim=1) for told in (2 * label - 1, torch.zeros_like(label))]
        with self.autocast():
            told, guessed = self.inpaint(torch.cat(asked)).to(image.dtype).chunk(2)
        made = told[:, :channels]
        completed = torch.lerp(image, made, hidden)
        with self.autocast():
            terms: Terms = self.judge(image, completed.detach(), hidden, share)
        self.critic_optimizer.zero_grad(set_to_none=True)
        terms["critic_loss"].backward()
        self.critic_optimizer.step()
        self.critic.requires_grad_(False)  # it judges, but does not learn here
        with self.autocast():
            scores = self.critic(torch.cat([completed, hidden], dim=1)).to(image.dtype)
        away = (made - image).abs()
        losses: Terms = {
            "adversarial": self.adversarial * self.generator_loss(scores),
            "reconstruction": _mean_where(away, hidden) + 0.1 * away.mean(),
            **_guess_losses(guessed, image, hidden, label),
        }
        move_generator(losses, self.network_optimizer, fire)
        self.critic.requires_grad_(True)
        terms |= losses
        return mean_of_ranks({name: term.detach() for name, term in terms.items()}), completed.detach()

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


def _guess_losses(guessed: torch.Tensor, image: torch.Tensor, hidden: torch.Tensor, label: torch.Tensor) -> Terms:
    """Return the losses of what the generator made without the label: image, expected differences, logits."""
    channels = image.shape[1]
    made, expected, logits = guessed.split((channels, channels, 1), dim=1)
    away = (made - image).abs()
    surprise = away.detach() / expected + expected.log()
    entropy = F.binary_cross_entropy_with_logits(logits, label, reduction="none")
    return {
        "guess": _mean_where(away, hidden),
        "expectation": 0.1 * _mean_where(surprise, hidden),
        "localisation": 0.5 * _mean_where(entropy, hidden),
    }


def _mean_where(values: torch.Tensor, hidden: torch.Tensor) -> torch.Tensor:
    """Return the mean over hidden pixels and all channels."""
    return (values * hidden).sum() / (hidden.sum() * values.shape[1])


__all__ = ["InpaintingGANStep"]
