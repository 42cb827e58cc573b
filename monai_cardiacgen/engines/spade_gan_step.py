"""One step of a SPADE GAN: discriminator, then generator and style encoder."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import torch
from monai.engines import IterationEvents
from torch import nn
from torch.optim import Optimizer

from ..errors import InputError
from ..ranks import mean_of_ranks
from .paint_batch import PaintBatch, paint_batches
from .spade_gan import SPADEGAN, Painting
from .synchronised import reduced, synchronised

Fire = Callable[[Any], None]


class SPADEGANStep:
    """Moves discriminator, then generator and style encoder, by one step on a batch.

    With several ranks, the batch is this rank's part of the whole batch, and all ranks move alike. With
    `accumulation` the batch goes through the networks in as many parts, whose gradients are added up: memory for a
    part, the step of the batch. Its price is a second painting of each part, since the discriminator must have
    moved before the generator is judged. In both cases the step is that of one process on the whole batch, up to
    rounding: a part's means are weighted by its rows, a donor's style is encoded wherever it is needed, and the power
    iterations of spectral norm, which move once a forward pass, begin each part where they began the first.

    Args:
        gan: the networks and their losses, on their device.
        generator_optimizer: of generator and style encoder.
        discriminator_optimizer: of the discriminator.
        autocast: gives the precision's context.
        accumulation: parts that a batch is taken in.

    Raises:
        InputError: for less than one part.
    """

    def __init__(
        self,
        gan: SPADEGAN,
        generator_optimizer: Optimizer,
        discriminator_optimizer: Optimizer,
        autocast: Callable[[], AbstractContextManager[Any]],
        accumulation: int = 1,
    ) -> None:
        if accumulation < 1:
            raise InputError(f"Expected a batch in at least one part, got accumulation={accumulation}.")
        self.gan = gan
        self.generator_optimizer = generator_optimizer
        self.discriminator_optimizer = discriminator_optimizer
        self.autocast = autocast
        self.accumulation = accumulation
        painters = [gan.generator] if gan.style_encoder is None else [gan.generator, gan.style_encoder]
        self.paint = synchronised(gan.paint, *painters)
        self.discriminator_loss = synchronised(gan.discriminator_loss, gan.discriminator)

    def __call__(
        self,
        image: torch.Tensor,
        one_hot: torch.Tensor,
        generator: torch.Generator,
        fire: Fire,
        condition: torch.Tensor | None = None,
    ) -> tuple[dict[str, torch.Tensor], torch.Tensor]:
        """Take the step.

        Args:
            image: real images `(B, 1, *spatial)` in [0, 1].
            one_hot: their label maps `(B, C, *spatial)`.
            generator: CPU generator of all draws, in the same state on every rank.
            fire: called with MONAI's iteration events as they come.
            condition: `(B, K)` for conditional networks; None for others.

        Returns:
            The loss terms of the whole batch, detached, by name; and what was painted of `image`'s rows, detached.
        """
        batches = paint_batches(image, one_hot, self.gan.draw(one_hot, generator), self.accumulation, condition)
        losses, painted = self._whole(batches[0], fire) if len(batches) == 1 else self._in_parts(batches, fire)
        return mean_of_ranks(losses), painted

    def _whole(self, batch: PaintBatch, fire: Fire) -> tuple[dict[str, torch.Tensor], torch.Tensor]:
        with self.autocast():
            painting: Painting = self.paint(batch)
            fire(IterationEvents.FORWARD_COMPLETED)
            discriminator_loss = self.discriminator_loss(batch, painting)
        self.discriminator_optimizer.zero_grad(set_to_none=True)
        discriminator_loss.backward()
        self.discriminator_optimizer.step()

        self.gan.discriminator.requires_grad_(False)  # judged, not trained, from here on
        with self.autocast():
            losses = self.gan.generator_losses(batch, painting)
            total = torch.stack(list(losses.values())).sum()
            fire(IterationEvents.LOSS_COMPLETED)
        self.generator_optimizer.zero_grad(set_to_none=True)
        total.backward()
        fire(IterationEvents.BACKWARD_COMPLETED)
        self.generator_optimizer.step()
        self.gan.discriminator.requires_grad_(True)
        return _sums([{"discriminator": discriminator_loss, **losses}]), painting.image.detach()

    def _in_parts(self, batches: list[PaintBatch], fire: Fire) -> tuple[dict[str, torch.Tensor], torch.Tensor]:
        last, judged, minimised, painted = batches[-1], [], [], []
        rewind_generator, rewind_discriminator = _rewinder(self.gan.generator), _rewinder(self.gan.discriminator)
        self.discriminator_optimizer.zero_grad(set_to_none=True)
        for batch in batches:
            rewind_generator()
            rewind_discriminator()
            with reduced(self.discriminator_loss, wanted=batch is last):
                with self.autocast():
                    with torch.no_grad():
                        painting = self.gan.paint(batch)
                    if batch is last:
                        fire(IterationEvents.FORWARD_COMPLETED)
                    loss = self.discriminator_loss(batch, painting)
                loss.backward()
            judged.append({"discriminator": loss})
        self.discriminator_optimizer.step()

        self.gan.discriminator.requires_grad_(False)
        rewind_discriminator = _rewinder(self.gan.discriminator)
        self.generator_optimizer.zero_grad(set_to_none=True)
        for batch in batches:
            rewind_generator()
            rewind_discriminator()
            with reduced(self.paint, wanted=batch is last):
                with self.autocast():
                    painting = self.paint(batch)  # again, as it was painted for the discriminator
                    losses = self.gan.generator_losses(batch, painting)
                    total = torch.stack(list(losses.values())).sum()
                if batch is last:
                    fire(IterationEvents.LOSS_COMPLETED)
                total.backward()
            minimised.append(losses)
            painted.append(painting.image.detach())
        fire(IterationEvents.BACKWARD_COMPLETED)
        self.generator_optimizer.step()
        self.gan.discriminator.requires_grad_(True)
        return {**_sums(judged), **_sums(minimised)}, torch.cat(painted)


def _sums(parts: list[dict[str, torch.Tensor]]) -> dict[str, torch.Tensor]:
    return {name: torch.stack([part[name].detach() for part in parts]).sum() for name in parts[0]}


def _rewinder(network: nn.Module) -> Callable[[], None]:
    """Return what sets the network's power iterations back to where they are now.

    They are buffers that each forward pass moves on; a part of a batch must not find them further on than the whole.
    """
    buffers = [buffer for name, buffer in network.named_buffers() if ".parametrizations." in f".{name}"]
    kept = [buffer.clone() for buffer in buffers]

    def rewind() -> None:
        for buffer, then in zip(buffers, kept, strict=True):
            buffer.copy_(then)

    return rewind


__all__ = ["SPADEGANStep"]
