"""Trains a conditional GAN: whole-heart CT, SPADE and pix2pix alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from ignite.engine import Engine
from monai.engines import IterationEvents, PrepareBatch, default_prepare_batch
from monai.utils import CommonKeys
from torch import nn
from torch.optim import Optimizer

from .conditional_gan_step import ConditionalGANStep
from .resumable_trainer import ResumableTrainer, Stateful
from .spade_gan_trainer import averaged
from .synchronised import shared_batch_norm


class ConditionalGANTrainer(ResumableTrainer):
    """Trains a generator that makes the image of a condition, and the discriminator that judges the two together.

    Each iteration takes one batch: the discriminator moves `discriminator_steps` times, on fakes that are detached,
    then the generator once: see `ConditionalGANStep`. The condition may be a label map, of one structure, several or
    all (`StructureCondition` makes it one-hot), or an image of another modality.

    `state.output` holds `image`, `label` (the condition as the batch had it), `pred` (the generated images, detached),
    `loss` (what the generator minimises) and by name `adversarial`, `reconstruction`, `discriminator`, `real_accuracy`
    and `fake_accuracy`. `LossCurves` keeps all these numbers.

    The source trains both with `torch.optim.Adam(..., lr=1.3e-4)` and batches of 16.

    Args:
        device: where the networks are trained.
        max_epochs: epochs in all.
        train_data_loader: gives batches in which `prepare_batch` finds image and condition, by default `image`
            `(B, C, *spatial)` in [0, 1] and `label`.
        network: condition to image, such as `ConditionalUNetGenerator`.
        discriminator: image and condition to values by patch, such as `ConditionalPatchCritic`.
        network_optimizer: of `network`.
        discriminator_optimizer: of `discriminator`.
        to_condition: what the batch holds to what the network takes; for a label map `StructureCondition`. None for
            conditions that are as the network takes them.
        adversarial: weight of the adversarial term.
        reconstruction: weight of the mean absolute error.
        discriminator_steps: steps of the discriminator for one of the generator.
        discriminator_loss: by default least squares; `HingeDiscriminatorLoss` fits, too.
        generator_loss: of the same kind.
        ema_decay: of the running average of `network`, in `average`; this is what one generates with.
        seed: kept for a trainer's state; nothing is drawn.
        prepare_batch: batch to image and condition, by other keys than the default.
        epoch_length: iterations an epoch; by default the loader's length.
        train_handlers: MONAI and ignite handlers.
        amp: bfloat16 autocast where the device gains by it.
        decollate: MONAI's: split batch and output into rows after each iteration.
        postprocessing: a MONAI transform of the output.

    Raises:
        InputError: for less than one discriminator step.

    Source:
        Habijan et al. 2022, arXiv:2205.09842.
    """

    def __init__(
        self,
        device: torch.device | str,
        max_epochs: int,
        train_data_loader: Any,
        network: nn.Module,
        discriminator: nn.Module,
        network_optimizer: Optimizer,
        discriminator_optimizer: Optimizer,
        to_condition: Callable[[torch.Tensor], torch.Tensor] | None = None,
        adversarial: float = 0.012,
        reconstruction: float = 1.0,
        discriminator_steps: int = 1,
        discriminator_loss: nn.Module | None = None,
        generator_loss: nn.Module | None = None,
        ema_decay: float = 0.995,
        seed: int = 0,
        prepare_batch: PrepareBatch | Callable[..., Any] = default_prepare_batch,
        epoch_length: int | None = None,
        train_handlers: Sequence[Any] | None = None,
        amp: bool = True,
        decollate: bool = False,
        postprocessing: Callable[[Any], Any] | None = None,
    ) -> None:
        self.network = shared_batch_norm(network, device)
        self.discriminator = shared_batch_norm(discriminator, device)
        self.average = averaged(self.network, ema_decay)
        self.to_condition = to_condition
        stateful: dict[str, Stateful] = {
            "network": self.network,
            "discriminator": self.discriminator,
            "average": self.average,
            "network_optimizer": network_optimizer,
            "discriminator_optimizer": discriminator_optimizer,
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
        self.step = ConditionalGANStep(
            self.network,
            self.discriminator,
            network_optimizer,
            discriminator_optimizer,
            self.autocast,
            adversarial,
            reconstruction,
            discriminator_steps,
            discriminator_loss,
            generator_loss,
        )

    def _iteration(self, engine: Engine, batchdata: dict[str, torch.Tensor]) -> dict[str, Any]:
        image, label = self.prepared(engine, batchdata)
        condition = label if self.to_condition is None else self.to_condition(label)
        # Until the step is done, handlers of its events find this batch, not the last one's output.
        engine.state.output = {CommonKeys.IMAGE: image, CommonKeys.LABEL: label}
        self.network.train()
        self.discriminator.train()
        terms, painted = self.step(image, condition, engine.fire_event)
        self.average.update_parameters(self.network)
        engine.state.output = {
            CommonKeys.IMAGE: image,
            CommonKeys.LABEL: label,
            CommonKeys.PRED: painted,
            CommonKeys.LOSS: float(terms["adversarial"] + terms["reconstruction"]),
            **{name: float(term) for name, term in terms.items()},
        }
        engine.fire_event(IterationEvents.MODEL_COMPLETED)
        return engine.state.output  # type: ignore[no-any-return]


__all__ = ["ConditionalGANTrainer"]
