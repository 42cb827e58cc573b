"""Trains the image half of paper 1 alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

import torch
from ignite.engine import Engine
from monai.engines import IterationEvents, PrepareBatch, default_prepare_batch
from monai.utils import CommonKeys
from torch.optim import Optimizer
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from ..anatomy.labels import LabelScheme
from .resumable_trainer import ResumableTrainer, Stateful
from .spade_gan import SPADEGAN, Painting

Fire = Callable[[Any], None]


def spade_gan_step(
    gan: SPADEGAN,
    image: torch.Tensor,
    one_hot: torch.Tensor,
    generator: torch.Generator,
    generator_optimizer: Optimizer,
    discriminator_optimizer: Optimizer,
    autocast: Callable[[], AbstractContextManager[Any]],
    fire: Fire,
) -> tuple[dict[str, torch.Tensor], Painting]:
    """Move discriminator, then generator and style encoder, by one step.

    Args:
        gan: the networks and their losses.
        image: real images `(B, 1, *spatial)` in [0, 1].
        one_hot: their label maps `(B, C, *spatial)`.
        generator: CPU generator of all draws.
        generator_optimizer: of generator and style encoder.
        discriminator_optimizer: of the discriminator.
        autocast: gives the precision's context.
        fire: called with MONAI's iteration events as they come.

    Returns:
        The loss terms, detached, by name; and what was painted.
    """
    draw = gan.draw(one_hot, generator)
    with autocast():
        painting = gan.paint(image, one_hot, draw)
        fire(IterationEvents.FORWARD_COMPLETED)
        discriminator_loss = gan.discriminator_loss(image, one_hot, painting)
    discriminator_optimizer.zero_grad(set_to_none=True)
    discriminator_loss.backward()
    discriminator_optimizer.step()

    gan.discriminator.requires_grad_(False)  # judged, not trained, from here on
    with autocast():
        losses = gan.generator_losses(image, one_hot, painting)
        total = torch.stack(list(losses.values())).sum()
        fire(IterationEvents.LOSS_COMPLETED)
    generator_optimizer.zero_grad(set_to_none=True)
    total.backward()
    fire(IterationEvents.BACKWARD_COMPLETED)
    generator_optimizer.step()
    gan.discriminator.requires_grad_(True)
    return {
        "discriminator": discriminator_loss.detach(),
        **{k: v.detach() for k, v in losses.items()},
    }, painting


class SPADEGANTrainer(ResumableTrainer):
    """Trains a `SPADEGAN` on images and label maps.

    Each iteration takes one real batch of its own size for both players; the fakes that the discriminator sees are
    detached. `state.output` holds `image`, `label`, `pred` (the painted images, detached), `loss` (what the
    generator minimises) and every loss term by name.

    Args:
        device: where the networks are trained.
        max_epochs: epochs in all.
        train_data_loader: gives `image` `(B, 1, *spatial)` in [0, 1] and `label` `(B, 1, *spatial)`, codes of
            `scheme`.
        gan: the networks and their losses.
        generator_optimizer: of `gan.generator` and `gan.style_encoder`.
        discriminator_optimizer: of `gan.discriminator`.
        scheme: the label maps' codes.
        ema_decay: of the running average of generator and style encoder; these are what one samples from.
        seed: of all draws.
        prepare_batch: batch to image and label; a transform's `prepare_batch()` fits.
        epoch_length: iterations an epoch; by default the loader's length.
        train_handlers: MONAI and ignite handlers.
        amp: bfloat16 autocast where the device gains by it.
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

    def _iteration(self, engine: Engine, batchdata: dict[str, torch.Tensor]) -> dict[str, Any]:
        image, label = self.prepared(engine, batchdata)
        # Until the step is done, handlers of its events find this batch, not the last one's output.
        engine.state.output = {CommonKeys.IMAGE: image, CommonKeys.LABEL: label}
        one_hot = self.scheme.one_hot(label[:, 0])
        self.gan.train()
        losses, painting = spade_gan_step(
            self.gan,
            image,
            one_hot,
            self.generator,
            self.generator_optimizer,
            self.discriminator_optimizer,
            self.autocast,
            engine.fire_event,
        )
        self.average.update_parameters(self.gan)
        engine.state.output = gan_output(image, label, losses, painting)
        engine.fire_event(IterationEvents.MODEL_COMPLETED)
        return engine.state.output  # type: ignore[no-any-return]


def averaged(network: torch.nn.Module, decay: float) -> AveragedModel:
    """Return the exponential running average of a network's weights; its buffers follow the network's."""
    return AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(decay))


def gan_output(
    image: torch.Tensor, label: torch.Tensor, losses: dict[str, torch.Tensor], painting: Painting
) -> dict[str, Any]:
    """Return what an iteration leaves in `state.output`."""
    generator_loss = torch.stack([value for name, value in losses.items() if name != "discriminator"]).sum()
    return {
        CommonKeys.IMAGE: image,
        CommonKeys.LABEL: label,
        CommonKeys.PRED: painting.image.detach(),
        CommonKeys.LOSS: float(generator_loss),
        **{name: float(value) for name, value in losses.items()},
    }
