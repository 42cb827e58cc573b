"""Trains a Wasserstein GAN with gradient penalty."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from ignite.engine import Engine
from monai.engines import IterationEvents, PrepareBatch, default_prepare_batch
from monai.utils import CommonKeys
from torch import nn
from torch.optim import Optimizer

from ..errors import InputError
from ..losses.wasserstein import WassersteinCriticLoss
from .resumable_trainer import ResumableTrainer, Stateful
from .spade_gan_trainer import averaged
from .wgan_gp_step import WGANGPStep


class WGANGPTrainer(ResumableTrainer):
    """Trains a generating network and its critic on samples without labels.

    An iteration is one step of the critic on one batch of the loader, which no other step sees. After each
    `critic_steps` of them, counted over the epochs, the generating network takes one step. Both take as many fakes
    as the real batch has rows; those that the critic sees are detached. The iteration events are those of the
    critic's step. With several ranks each takes its part of the whole batch, and all move alike: see `WGANGPStep`.

    `state.output` holds `image` (the real batch), `pred` (the fakes that the critic saw), `loss` (what the critic
    minimises), `critic_estimate` (of the Wasserstein-1 distance), `gradient_norm` (mean over the points of the
    penalty), and `generator_loss` where the generating network has moved. `LossCurves` keeps all these numbers.

    The source trains with `torch.optim.Adam(..., lr=1e-4, betas=(0.0, 0.9))` for both.

    Args:
        device: where the networks are trained.
        max_epochs: epochs in all.
        train_data_loader: gives batches whose image `prepare_batch` finds, by default `image` `(B, ...)`; with several
            ranks a loader a rank, all with batches of one size.
        network: latents `(B, latent_size)` to samples of the images' shape, such as `WGANGenerator`.
        critic: samples to scores `(B,)`, each of its own sample alone, such as `WGANCritic`: without batch norm.
        network_optimizer: of `network`.
        critic_optimizer: of `critic`.
        latent_size: length of a latent; latents are standard normal.
        critic_steps: steps of the critic for one of `network`.
        penalty_weight: of the gradient penalty.
        ema_decay: of the running average of `network`, in `average`; this is what one samples from.
        seed: of all draws.
        prepare_batch: batch to image and anything; a transform's `prepare_batch()` fits.
        epoch_length: iterations an epoch; by default the loader's length.
        train_handlers: MONAI and ignite handlers.
        amp: bfloat16 autocast where the device gains by it; the penalty stays in the images' precision.
        decollate: MONAI's: split batch and output into rows after each iteration.
        postprocessing: a MONAI transform of the output.

    Raises:
        InputError: for less than one critic step, no latent, or a negative weight.

    Source:
        Gulrajani et al., "Improved training of Wasserstein GANs", NeurIPS 2017, arXiv:1704.00028.
    """

    def __init__(
        self,
        device: torch.device | str,
        max_epochs: int,
        train_data_loader: Any,
        network: nn.Module,
        critic: nn.Module,
        network_optimizer: Optimizer,
        critic_optimizer: Optimizer,
        latent_size: int = 100,
        critic_steps: int = 5,
        penalty_weight: float = 10.0,
        ema_decay: float = 0.995,
        seed: int = 0,
        prepare_batch: PrepareBatch | Callable[..., Any] = default_prepare_batch,
        epoch_length: int | None = None,
        train_handlers: Sequence[Any] | None = None,
        amp: bool = True,
        decollate: bool = False,
        postprocessing: Callable[[Any], Any] | None = None,
    ) -> None:
        if critic_steps < 1:
            raise InputError(f"Expected at least one critic step, got critic_steps={critic_steps!r}.")
        self.critic_steps = critic_steps
        self.network = network.to(device)
        self.critic = critic.to(device)
        self.average = averaged(self.network, ema_decay)
        stateful: dict[str, Stateful] = {
            "network": self.network,
            "critic": self.critic,
            "average": self.average,
            "network_optimizer": network_optimizer,
            "critic_optimizer": critic_optimizer,
        }
        super().__init__(
            device=device,
            max_epochs=max_epochs,
            train_data_loader=train_data_loader,
            stateful=stateful,
            prepare_batch=prepare_batch,
            seed=seed,
            epoch_length=epoch_length,
            train_handlers=train_handlers,
            amp=amp,
            decollate=decollate,
            postprocessing=postprocessing,
        )
        self.step = WGANGPStep(
            self.network,
            self.critic,
            network_optimizer,
            critic_optimizer,
            latent_size,
            WassersteinCriticLoss(penalty_weight),
            self.autocast,
        )

    def _iteration(self, engine: Engine, batchdata: Any) -> dict[str, Any]:
        prepared = self.prepare_batch(batchdata, engine.state.device, engine.non_blocking, **engine.to_kwargs)
        image = prepared if isinstance(prepared, torch.Tensor) else prepared[0]  # MONAI gives `reals` alone
        real = torch.as_tensor(image).as_subclass(torch.Tensor)
        # Until the step is done, handlers of its events find this batch, not the last one's output.
        engine.state.output = {CommonKeys.IMAGE: real}
        self.network.train()
        self.critic.train()
        terms, fake = self.step.move_critic(real, self.generator, engine.fire_event)
        if engine.state.iteration % self.critic_steps == 0:
            terms |= self.step.move_network(real, self.generator)
            self.average.update_parameters(self.network)
        engine.state.output = {
            CommonKeys.IMAGE: real,
            CommonKeys.PRED: fake,
            CommonKeys.LOSS: float(terms.pop("critic_loss")),
            **{name: float(term) for name, term in terms.items()},
        }
        engine.fire_event(IterationEvents.MODEL_COMPLETED)
        return engine.state.output  # type: ignore[no-any-return]


__all__ = ["WGANGPTrainer"]
