"""One step of the shape model on a batch of label maps."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import torch
from monai.engines.utils import IterationEvents
from monai.utils.enums import CommonKeys
from torch import nn
from torch.optim import Optimizer

from ..checks import check_finite
from ..errors import InputError
from ..networks.nets.anatomical_vae import AnatomicalVAE
from ..ranks import mean_of_ranks, world_size
from .synchronised import reduced, synchronised

#: Called after each part of a step with the event that stands for it and what there is so far.
AfterEvent = Callable[[Any, dict[str, Any]], None]  # ignite is untyped: the event is one of IterationEvents


def _no_one(event: Any, output: dict[str, Any]) -> None:
    """Tell nobody."""


class AnatomicalVAEStep:
    """Moves the autoencoder by one step on a batch, with the noise drawn by the caller.

    With several ranks, the batch is this rank's part of the whole batch, and all ranks move alike. With
    `accumulation` the batch goes through the network in as many parts of at least two rows, whose gradients are added
    up. Means over rows, such as cross entropy and divergence, then are those of the whole batch. Statistics over rows
    are not: batch norm sees the rows of its own part (on GPUs, of all ranks; see `shared_batch_norm`), and soft Dice
    over a batch is averaged over the parts.

    Args:
        network: the autoencoder, on its device.
        optimizer: of its parameters.
        loss_function: `(logits, one_hot, mean, log_variance)` to a scalar, as `EvidenceLowerBoundLoss`.
        autocast: gives the precision's context; the loss is taken in float32.
        accumulation: parts that a batch is taken in.

    Raises:
        InputError: for less than one part.

    Source:
        Painchaud et al., IEEE TMI 2020, DOI 10.1109/TMI.2020.3003240.
    """

    def __init__(
        self,
        network: AnatomicalVAE,
        optimizer: Optimizer,
        loss_function: nn.Module,
        autocast: Callable[[], AbstractContextManager[Any]],
        accumulation: int = 1,
    ) -> None:
        if accumulation < 1:
            raise InputError(f"Expected a batch in at least one part, got accumulation={accumulation}.")
        self.network = network
        self.optimizer = optimizer
        self.loss_function = loss_function
        self.autocast = autocast
        self.accumulation = accumulation
        self.reconstruct = synchronised(self._reconstruct, network)

    def __call__(
        self,
        one_hot: torch.Tensor,
        noise: torch.Tensor,
        condition: torch.Tensor | None = None,
        whole_batch: int | None = None,
        after: AfterEvent = _no_one,
    ) -> dict[str, Any]:
        """Take the step; the network must be in training mode.

        Args:
            one_hot: label maps `(B, C, *spatial)`, float32.
            noise: standard normal `(B, latent_size)`, any device.
            condition: `(B, condition_size)`, or None.
            whole_batch: rows of all ranks together; None when this is the only rank.
            after: called with `FORWARD_COMPLETED`, `LOSS_COMPLETED`, `BACKWARD_COMPLETED` and `MODEL_COMPLETED` when
                that part is done (of the last part of a batch), and the output so far.

        Returns:
            `label`, the one-hot maps; `pred`, the logits; `loss`, the scalar of the whole batch; detached.

        Raises:
            IntensityError: when the loss is not finite; the network is left as it was.
        """
        batch, whole = len(one_hot), whole_batch or len(one_hot)
        output: dict[str, Any] = {CommonKeys.LABEL: one_hot}
        predictions, losses = [], []
        self.optimizer.zero_grad(set_to_none=True)
        parts = torch.arange(batch).tensor_split(max(1, min(self.accumulation, batch // 2)))
        for part in parts:
            first, last, is_last = int(part[0]), int(part[-1]) + 1, part is parts[-1]
            told = None if condition is None else condition[first:last]
            with reduced(self.reconstruct, wanted=is_last):
                with self.autocast():
                    logits, mean, log_variance = self.reconstruct(one_hot[first:last], noise[first:last], told)
                predictions.append(logits.detach())
                if is_last:
                    output[CommonKeys.PRED] = torch.cat(predictions)
                    after(IterationEvents.FORWARD_COMPLETED, output)

                loss = self.loss_function(logits.float(), one_hot[first:last], mean.float(), log_variance.float())
                check_finite(loss.detach(), "the autoencoder's loss")
                loss = loss * (world_size() * len(part) / whole)
                losses.append(loss.detach())
                if is_last:
                    output[CommonKeys.LOSS] = torch.stack(losses).sum()
                    after(IterationEvents.LOSS_COMPLETED, output)
                loss.backward()
        after(IterationEvents.BACKWARD_COMPLETED, output)

        self.optimizer.step()
        output.update(mean_of_ranks({CommonKeys.LOSS: output[CommonKeys.LOSS]}))
        after(IterationEvents.MODEL_COMPLETED, output)
        return output

    def _reconstruct(
        self, one_hot: torch.Tensor, noise: torch.Tensor, condition: torch.Tensor | None
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        mean, log_variance = self.network.encode(one_hot, condition)
        latent = mean + torch.exp(log_variance / 2) * noise.to(mean)
        return self.network.decode(latent, condition), mean, log_variance


__all__ = ["AnatomicalVAEStep"]
