"""The two steps of a Wasserstein GAN with gradient penalty: the critic's, and the generator's."""

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


class WGANGPStep:
    """Moves the critic on a real batch, or the generating network, by one step.

    With several ranks, the batch is this rank's part of the whole batch: latents and points of the penalty are drawn
    for the whole batch from one generator, each rank takes its own rows, and all ranks move alike, as one process on
    the whole batch does, up to rounding.

    Args:
        network: latents `(B, latent_size)` to samples, on its device; all its parameters take part in each forward.
        critic: samples to scores `(B,)`, each of its own sample alone: without batch norm.
        network_optimizer: of `network`.
        critic_optimizer: of `critic`.
        latent_size: length of a latent.
        critic_loss: the critic's loss with its weight of the penalty.
        autocast: gives the precision's context; the penalty leaves it.

    Raises:
        InputError: for a `latent_size` that is not positive.
    """

    def __init__(
        self,
        network: nn.Module,
        critic: nn.Module,
        network_optimizer: Optimizer,
        critic_optimizer: Optimizer,
        latent_size: int,
        critic_loss: WassersteinCriticLoss,
        autocast: Callable[[], AbstractContextManager[Any]],
    ) -> None:
        if latent_size < 1:
            raise InputError(f"Expected latent_size to be at least 1, got {latent_size!r}.")
        self.network = network
        self.critic = critic
        self.network_optimizer = network_optimizer
        self.critic_optimizer = critic_optimizer
        self.latent_size = latent_size
        self.critic_loss = critic_loss
        self.generator_loss = WassersteinGeneratorLoss()
        self.autocast = autocast
        self.judge = synchronised(self._judge, critic)
        self.deceive = synchronised(self._deceive, network)

    def move_critic(
        self, real: torch.Tensor, generator: torch.Generator, fire: Callable[[Any], None]
    ) -> tuple[Terms, torch.Tensor]:
        """Move the critic on real samples and as many new fakes.

        Args:
            real: `(B, ...)`; with several ranks as many on each.
            generator: CPU generator of all draws, in the same state on every rank.
            fire: called with MONAI's iteration events as they come.

        Returns:
            `critic_loss`, `critic_estimate` (of the Wasserstein-1 distance) and `gradient_norm`, means over the whole
            batch, detached; and the fakes, detached.
        """
        whole = len(all_rows(real.new_empty(len(real), 1)))
        latent = self._latents(whole, generator, real.device)
        share = own_rows(torch.rand(whole, generator=generator)).to(real.device)
        # A context of its own: autocast would keep the weights that it has rounded without a gradient.
        with self.autocast(), torch.no_grad():
            fake = self.network(latent.to(real.dtype)).to(real.dtype)
        fire(IterationEvents.FORWARD_COMPLETED)
        with self.autocast():
            terms: Terms = self.judge(real, fake, share)
        fire(IterationEvents.LOSS_COMPLETED)
        self.critic_optimizer.zero_grad(set_to_none=True)
        terms["critic_loss"].backward()
        fire(IterationEvents.BACKWARD_COMPLETED)
        self.critic_optimizer.step()
        return mean_of_ranks({name: term.detach() for name, term in terms.items()}), fake

    def move_network(self, like: torch.Tensor, generator: torch.Generator) -> Terms:
        """Move the generating network on as many new fakes as there are rows in `like`.

        Args:
            like: this rank's real samples; their number, device and precision count.
            generator: CPU generator of the latents, in the same state on every rank.

        Returns:
            `generator_loss`, the mean over the whole batch, detached.
        """
        whole = len(all_rows(like.new_empty(len(like), 1)))
        latent = self._latents(whole, generator, like.device).to(like.dtype)
        self.critic.requires_grad_(False)  # it judges, but does not learn here
        with self.autocast():
            loss: torch.Tensor = self.deceive(latent)
        self.network_optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.network_optimizer.step()
        self.critic.requires_grad_(True)
        return mean_of_ranks({"generator_loss": loss.detach()})

    def _latents(self, whole: int, generator: torch.Generator, device: torch.device) -> torch.Tensor:
        return own_rows(torch.randn(whole, self.latent_size, generator=generator)).to(device)

    def _judge(self, real: torch.Tensor, fake: torch.Tensor, share: torch.Tensor) -> Terms:
        real_scores, fake_scores = self.critic(torch.cat((real, fake))).to(real.dtype).chunk(2)
        norm = gradient_norm(self.critic, between(real, fake, share))
        return {
            "critic_loss": self.critic_loss(real_scores, fake_scores, norm),
            "critic_estimate": (real_scores.mean() - fake_scores.mean()).detach(),
            "gradient_norm": norm.mean().detach(),
        }

    def _deceive(self, latent: torch.Tensor) -> torch.Tensor:
        return self.generator_loss(self.critic(self.network(latent)).to(latent.dtype))  # type: ignore[no-any-return]


__all__ = ["WGANGPStep"]
