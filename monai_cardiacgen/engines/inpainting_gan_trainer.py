"""Trains a conditional Wasserstein GAN that makes the hidden pixels of an image."""

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
from .inpainting_gan_step import InpaintingGANStep
from .resumable_trainer import ResumableTrainer, Stateful
from .spade_gan_trainer import averaged

#: What the generator minimises.
LOSSES = ("adversarial", "reconstruction", "guess", "expectation", "localisation")


class InpaintingGANTrainer(ResumableTrainer):
    """Trains a generator that makes hidden pixels of those round them, and the critic that judges what was made.

    Each iteration takes one batch: the critic moves once, on fakes that are detached, then the generator once: see
    `InpaintingGANStep`.

    `state.output` holds `image`, `label` (as the batch had it), `pred` (the completed images, detached), `loss` (what
    the generator minimises) and by name `critic_loss`, `critic_estimate` (of the Wasserstein-1 distance),
    `gradient_norm`, `adversarial`, `reconstruction`, `guess`, `expectation` and `localisation`. `LossCurves` keeps all
    these numbers.

    Args:
        device: where the networks are trained.
        max_epochs: epochs in all.
        train_data_loader: gives batches in which `prepare_batch` finds images `(B, C, *spatial)` in [0, 1] and, as
            label, `(B, 2, *spatial)`: not 0 where pixels are hidden, some in every batch, and not 0 in the structure.
        network: masked images to images, expected differences and logits, such as `InpaintingGenerator`.
        critic: images and masks, joined along the channels, to scores `(B,)`, each of its own row alone, such as
            `WGANCritic`: without batch norm.
        network_optimizer: of `network`.
        critic_optimizer: of `critic`.
        adversarial: weight of the critic's score in the generator's loss; see `InpaintingGANStep`.
        penalty_weight: of the gradient penalty.
        ema_decay: of the running average of `network`, in `average`; this is what one inpaints with.
        seed: of all draws.
        prepare_batch: batch to image and label.
        epoch_length: iterations an epoch; by default the loader's length.
        train_handlers: MONAI and ignite handlers.
        amp: bfloat16 autocast where the device gains by it; the penalty stays in the images' precision.
        decollate: MONAI's: split batch and output into rows after each iteration.
        postprocessing: a MONAI transform of the output.

    Raises:
        InputError: for a negative weight; in training, for a batch in which nothing is hidden.

    Source:
        Yu et al., "Generative image inpainting with contextual attention", CVPR 2018, DOI 10.1109/CVPR.2018.00577;
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
        adversarial: float = 0.02,
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
        self.step = InpaintingGANStep(
            self.network,
            self.critic,
            network_optimizer,
            critic_optimizer,
            WassersteinCriticLoss(penalty_weight),
            self.autocast,
            adversarial,
        )

    def _iteration(self, engine: Engine, batchdata: Any) -> dict[str, Any]:
        image, label = self.prepared(engine, batchdata)
        hidden, structure = (label != 0).to(image.dtype).split(1, dim=1)
        if not bool(hidden.any()):
            raise InputError("Expected a batch with pixels to make anew, got masks that hide none.")
        # Until the step is done, handlers of its events find this batch, not the last one's output.
        engine.state.output = {CommonKeys.IMAGE: image, CommonKeys.LABEL: label}
        self.network.train()
        self.critic.train()
        terms, completed = self.step(image, hidden, structure, self.generator, engine.fire_event)
        self.average.update_parameters(self.network)
        engine.state.output = {
            CommonKeys.IMAGE: image,
            CommonKeys.LABEL: label,
            CommonKeys.PRED: completed,
            CommonKeys.LOSS: float(sum(terms[name] for name in LOSSES)),
            **{name: float(term) for name, term in terms.items()},
        }
        engine.fire_event(IterationEvents.MODEL_COMPLETED)
        return engine.state.output  # type: ignore[no-any-return]


__all__ = ["InpaintingGANTrainer"]
