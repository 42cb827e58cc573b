"""Trains the image half of paper 1 alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from ignite.engine import Engine
from monai.engines import IterationEvents, PrepareBatch, default_prepare_batch
from monai.utils import CommonKeys
from torch.optim import Optimizer
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from ..anatomy.labels import LabelScheme
from .batch_condition import batch_condition
from .resumable_trainer import ResumableTrainer, Stateful
from .spade_gan import SPADEGAN
from .spade_gan_step import SPADEGANStep


class SPADEGANTrainer(ResumableTrainer):
    """Trains a `SPADEGAN` on images and label maps.

    Each iteration takes one real batch of its own size for both players; the fakes that the discriminator sees are
    detached. With several ranks each takes its part of the whole batch, and all move alike: see `SPADEGANStep`.

    `state.output` holds `image`, `label`, `pred` (the painted images, detached), `loss` (what the
    generator minimises) and every loss term by name.

    Args:
        device: where the networks are trained.
        max_epochs: epochs in all.
        train_data_loader: gives `image` `(B, 1, *spatial)` in [0, 1] and `label` `(B, 1, *spatial)`, codes of
            `scheme`; with several ranks a loader a rank, all with batches of one size; and `condition` `(B, K)` where
            the generator is conditional, as `EncodeHeartConditiond` adds it.
        gan: the networks and their losses; with `DiffAugment` in them where training images are few.
        generator_optimizer: of `gan.generator` and `gan.style_encoder`.
        discriminator_optimizer: of `gan.discriminator`.
        scheme: the label maps' codes.
        ema_decay: of the running average of generator and style encoder; these are what one samples from.
        seed: of all draws.
        prepare_batch: batch to image and label; a transform's `prepare_batch()` fits.
        epoch_length: iterations an epoch; by default the loader's length.
        train_handlers: MONAI and ignite handlers.
        amp: bfloat16 autocast where the device gains by it.
        accumulation: parts that each batch is taken in, for batches larger than memory.
        decollate: MONAI's: split batch and output into rows after each iteration.
        postprocessing: a MONAI transform of the output.

    Source:
        Skandarani et al., MIDL 2020; Park et al., CVPR 2019, DOI 10.1109/CVPR.2019.00244.
    """

    def __init__(
        self,
        device: torch.device | str,
        max_epochs: int,
        train_data_loader: Any,
        gan: SPADEGAN,
        generator_optimizer: Optimizer,
        discriminator_optimizer: Optimizer,
        scheme: LabelScheme,
        ema_decay: float = 0.995,
        seed: int = 0,
        prepare_batch: PrepareBatch | Callable[..., Any] = default_prepare_batch,
        epoch_length: int | None = None,
        train_handlers: Sequence[Any] | None = None,
        amp: bool = True,
        accumulation: int = 1,
        decollate: bool = False,
        postprocessing: Callable[[Any], Any] | None = None,
    ) -> None:
        self.scheme = scheme
        self.gan = gan.to(device)
        self.average = averaged(self.gan, ema_decay)
        self.generator_optimizer = generator_optimizer
        self.discriminator_optimizer = discriminator_optimizer
        stateful: dict[str, Stateful] = {
            "gan": self.gan,
            "average": self.average,
            "generator_optimizer": generator_optimizer,
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

        self.step = SPADEGANStep(self.gan, generator_optimizer, discriminator_optimizer, self.autocast, accumulation)

    def _iteration(self, engine: Engine, batchdata: dict[str, torch.Tensor]) -> dict[str, Any]:
        image, label = self.prepared(engine, batchdata)
        # Until the step is done, handlers of its events find this batch, not the last one's output.
        engine.state.output = {CommonKeys.IMAGE: image, CommonKeys.LABEL: label}
        self.gan.train()
        condition = batch_condition(batchdata, self.gan.generator.condition_size, len(label), label.device)
        one_hot = self.scheme.one_hot(label[:, 0])
        losses, painted = self.step(image, one_hot, self.generator, engine.fire_event, condition)
        self.average.update_parameters(self.gan)
        engine.state.output = gan_output(image, label, losses, painted)
        engine.fire_event(IterationEvents.MODEL_COMPLETED)
        return engine.state.output  # type: ignore[no-any-return]


def averaged(network: torch.nn.Module, decay: float) -> AveragedModel:
    """Return the exponential running average of a network's weights; its buffers follow the network's."""
    return AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(decay))


def gan_output(
    image: torch.Tensor, label: torch.Tensor, losses: dict[str, torch.Tensor], painted: torch.Tensor
) -> dict[str, Any]:
    """Return what an iteration leaves in `state.output`."""
    generator_loss = torch.stack([value for name, value in losses.items() if name != "discriminator"]).sum()
    return {
        CommonKeys.IMAGE: image,
        CommonKeys.LABEL: label,
        CommonKeys.PRED: painted,
        CommonKeys.LOSS: float(generator_loss),
        **{name: float(value) for name, value in losses.items()},
    }
