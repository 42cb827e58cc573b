"""The training of the shape model: label maps through the anatomical autoencoder."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from ignite.engine import Engine
from monai.utils.enums import CommonKeys
from torch import nn

from ..networks.nets.anatomical_vae import AnatomicalVAE
from ..ranks import own_rows, world_size
from .anatomical_vae_step import AnatomicalVAEStep
from .resumable_trainer import ResumableTrainer
from .synchronised import shared_batch_norm


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


class AnatomicalVAETrainer(ResumableTrainer):
    """Trains an `AnatomicalVAE` on one-hot label maps; goes on bit for bit from its `state_dict`.

    With several ranks each takes its part of the whole batch, and all move alike: see `AnatomicalVAEStep`.

    Args:
        device: where the network is trained.
        max_epochs: epochs in all, those of an earlier run counted.
        train_data_loader: gives batches that `prepare_batch` understands; with several ranks a loader a rank, all
            with batches of one size.
        network: the autoencoder; it is moved to the device.
        optimizer: of its parameters.
        loss_function: `(logits, one_hot, mean, log_variance)` to a scalar, as `EvidenceLowerBoundLoss`.
        epoch_length: iterations an epoch; by default the loader's length.
        prepare_batch: `(batch, device, non_blocking)` to `(one_hot, condition or None)`.
        seed: of the trainer's generator, from which every step's noise comes.
        train_handlers: MONAI and ignite handlers.
        amp: bfloat16 autocast where the device gains by it.
        accumulation: parts that each batch is taken in, for batches larger than memory.
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
        accumulation: int = 1,
        decollate: bool = False,
        postprocessing: Callable[[Any], Any] | None = None,
    ) -> None:
        self.network = shared_batch_norm(network, device)
        super().__init__(
            device=device,
            max_epochs=max_epochs,
            train_data_loader=train_data_loader,
            stateful={"network": self.network, "optimizer": optimizer},
            prepare_batch=prepare_batch,
            seed=seed,
            epoch_length=epoch_length,
            train_handlers=train_handlers,
            amp=amp,
            decollate=decollate,
            postprocessing=postprocessing,
        )
        self.optimizer = optimizer
        self.loss_function = loss_function
        self.step = AnatomicalVAEStep(self.network, optimizer, loss_function, self.autocast, accumulation)

    def _iteration(self, engine: Engine, batchdata: Any) -> Any:
        """Train on one batch; every iteration event fires with `engine.state.output` up to date."""
        one_hot, condition = self.prepare_batch(batchdata, self.state.device, self.non_blocking, **self.to_kwargs)
        rows = len(one_hot) * world_size()
        noise = own_rows(torch.randn(rows, self.network.latent_size, generator=self.generator))

        def fire(event: Any, output: dict[str, Any]) -> None:
            engine.state.output = output
            engine.fire_event(event)

        self.network.train()
        self.step(one_hot, noise, condition, whole_batch=rows, after=fire)
        return engine.state.output  # decollated and postprocessed by now, if asked for
