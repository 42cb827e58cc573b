"""The training of the shape model: label maps through the anatomical autoencoder."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from ignite.engine import Engine
from monai.engines.utils import IterationEvents
from monai.utils.enums import CommonKeys
from torch import nn

from ..checks import check_finite
from ..networks.nets.anatomical_vae import AnatomicalVAE
from .resumable_trainer import ResumableTrainer, autocast

#: Called after each part of a step with the event that stands for it and what there is so far.
AfterEvent = Callable[[Any, dict[str, Any]], None]  # ignite is untyped: the event is one of IterationEvents


def prepare_one_hot(
    batch: Mapping[str, Any], device: torch.device, non_blocking: bool = False
) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Return a batch's one-hot `label` as float32 and its `condition` (None without), on the device."""
    one_hot = torch.as_tensor(batch[CommonKeys.LABEL]).as_subclass(torch.Tensor)
    condition = batch.get("condition")
    return (
        one_hot.to(device, torch.float32, non_blocking=non_blocking),
        None if condition is None else torch.as_tensor(condition).to(device, non_blocking=non_blocking),
    )


def _no_one(event: Any, output: dict[str, Any]) -> None:
    """Tell nobody."""


def vae_step(
    network: AnatomicalVAE,
    optimizer: torch.optim.Optimizer,
    loss_function: nn.Module,
    one_hot: torch.Tensor,
    noise: torch.Tensor,
    condition: torch.Tensor | None = None,
    amp: bool = False,
    after: AfterEvent = _no_one,
) -> dict[str, Any]:
    """Train the network on one batch, with the noise drawn by the caller.

    Args:
        network: the autoencoder, in training mode.
        optimizer: of its parameters.
        loss_function: `(logits, one_hot, mean, log_variance)` to a scalar, as `EvidenceLowerBoundLoss`.
        one_hot: label maps `(B, C, *spatial)`, float32.
        noise: standard normal `(B, latent_size)`, any device.
        condition: `(B, condition_size)`, or None.
        amp: bfloat16 autocast where the device gains by it; the loss is taken in float32.
        after: called with `FORWARD_COMPLETED`, `LOSS_COMPLETED`, `BACKWARD_COMPLETED` and
            `MODEL_COMPLETED` when that part is done, and the output so far.

    Returns:
        `label`, the one-hot maps; `pred`, the logits; `loss`, the scalar; detached.

    Raises:
        IntensityError: when the loss is not finite; the network is left as it was.
    """
    output: dict[str, Any] = {CommonKeys.LABEL: one_hot}
    optimizer.zero_grad(set_to_none=True)
    with autocast(one_hot.device, amp):
        mean, log_variance = network.encode(one_hot, condition)
        latent = mean + torch.exp(log_variance / 2) * noise.to(mean)
        logits = network.decode(latent, condition)
    output[CommonKeys.PRED] = logits
    after(IterationEvents.FORWARD_COMPLETED, output)

    loss = loss_function(logits.float(), one_hot, mean.float(), log_variance.float())
    check_finite(loss.detach(), "the autoencoder's loss")
    output[CommonKeys.LOSS] = loss
    after(IterationEvents.LOSS_COMPLETED, output)

    loss.backward()
    after(IterationEvents.BACKWARD_COMPLETED, output)

    optimizer.step()
    # Detached, so that a handler that keeps the output does not keep the graph.
    output.update({CommonKeys.PRED: logits.detach(), CommonKeys.LOSS: loss.detach()})
    after(IterationEvents.MODEL_COMPLETED, output)
    return output


class AnatomicalVAETrainer(ResumableTrainer):
    """Trains an `AnatomicalVAE` on one-hot label maps; goes on bit for bit from its `state_dict`.

    Args:
        device: where the network is trained.
        max_epochs: epochs in all, those of an earlier run counted.
        train_data_loader: gives batches that `prepare_batch` understands.
        network: the autoencoder; it is moved to the device.
        optimizer: of its parameters.
        loss_function: `(logits, one_hot, mean, log_variance)` to a scalar, as `EvidenceLowerBoundLoss`.
        epoch_length: iterations an epoch; by default the loader's length.
        prepare_batch: `(batch, device, non_blocking)` to `(one_hot, condition or None)`.
        seed: of the trainer's generator, from which every step's noise comes.
        train_handlers: MONAI and ignite handlers.
        amp: bfloat16 autocast where the device gains by it.
        decollate: MONAI's: split batch and output into rows before `postprocessing`.
        postprocessing: a MONAI transform of the output, run on `MODEL_COMPLETED`.

    Source:
        Painchaud et al., IEEE TMI 2020, DOI 10.1109/TMI.2020.3003240.
    """

    def __init__(
        self,
        device: torch.device | str,
        max_epochs: int,
        train_data_loader: Any,
        network: AnatomicalVAE,
        optimizer: torch.optim.Optimizer,
        loss_function: nn.Module,
        epoch_length: int | None = None,
        prepare_batch: Callable[..., tuple[torch.Tensor, torch.Tensor | None]] = prepare_one_hot,
        seed: int = 0,
        train_handlers: Sequence[Any] | None = None,
        amp: bool = False,
        decollate: bool = False,
        postprocessing: Callable[[Any], Any] | None = None,
    ) -> None:
        super().__init__(
            device=device,
            max_epochs=max_epochs,
            train_data_loader=train_data_loader,
            stateful={"network": network, "optimizer": optimizer},
            prepare_batch=prepare_batch,
            seed=seed,
            epoch_length=epoch_length,
            train_handlers=train_handlers,
            amp=amp,
            decollate=decollate,
            postprocessing=postprocessing,
        )
        self.network = network.to(device)
        self.optimizer = optimizer
        self.loss_function = loss_function

    def _iteration(self, engine: Engine, batchdata: Any) -> Any:
        """Train on one batch; every iteration event fires with `engine.state.output` up to date."""
        one_hot, condition = self.prepare_batch(batchdata, self.state.device, self.non_blocking, **self.to_kwargs)
        noise = torch.randn(len(one_hot), self.network.latent_size, generator=self.generator)

        def fire(event: Any, output: dict[str, Any]) -> None:
            engine.state.output = output
            engine.fire_event(event)

        self.network.train()
        amp = self.mixed_precision
        vae_step(self.network, self.optimizer, self.loss_function, one_hot, noise, condition, amp, after=fire)
        return engine.state.output  # decollated and postprocessed by now, if asked for
