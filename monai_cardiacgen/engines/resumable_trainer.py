"""What all trainers here share: their own randomness, mixed precision by device, and an exact resume."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

import torch
from ignite.engine import Engine
from monai.engines import PrepareBatch, Trainer

from ..errors import CheckpointError
from ..seeding import seeded


class Stateful(Protocol):
    """Anything whose state can be taken and given back: networks, optimizers, schedulers, gradient scalers."""

    def state_dict(self) -> dict[str, Any]:
        """Return the state."""

    def load_state_dict(self, state_dict: Any) -> Any:
        """Take a state back."""


def autocast(device: torch.device, enabled: bool) -> AbstractContextManager[Any]:
    """Return bfloat16 autocast for `device`; the CPU gets it only where it pays, with AMX tiles.

    bfloat16 needs no gradient scaler. On a CPU without AMX it is no faster than float32, so it stays off there.
    """
    pays = device.type != "cpu" or torch.cpu._is_amx_tile_supported()
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=enabled and pays)


class ResumableTrainer(Trainer):
    """A MONAI `Trainer` whose `state_dict` is enough to go on bit for bit.

    Subclasses write `_iteration`, and name in `stateful` what they train. All random numbers come from
    `self.generator`, on the CPU, so that a seed gives the same draws on every device; its state is saved too.
    With a data loader whose order depends on the epoch alone, a training that is saved at the end of an epoch,
    loaded and continued ends with the very weights of an undisturbed one.

    Args:
        device: where the networks are trained.
        max_epochs: epochs in all, those of an earlier run counted.
        train_data_loader: gives batches that `prepare_batch` understands.
        stateful: name to network, optimizer, average, ...: what `state_dict` holds.
        prepare_batch: `(batch, device, non_blocking, **to_kwargs)` to `(image, label)`; the transforms'
            `prepare_batch()` fits.
        seed: of the trainer's generator.
        epoch_length: iterations an epoch; by default the loader's length.
        train_handlers: MONAI and ignite handlers.
        amp: bfloat16 autocast where the device gains by it.
        decollate: MONAI's: split batch and output into rows before `postprocessing`.
        postprocessing: a MONAI transform of the output, run on `MODEL_COMPLETED`.
    """

    def __init__(
        self,
        device: torch.device | str,
        max_epochs: int,
        train_data_loader: Any,
        stateful: Mapping[str, Stateful],
        prepare_batch: PrepareBatch | Callable[..., Any],
        seed: int = 0,
        epoch_length: int | None = None,
        train_handlers: Sequence[Any] | None = None,
        amp: bool = True,
        decollate: bool = False,
        postprocessing: Callable[[Any], Any] | None = None,
    ) -> None:
        super().__init__(
            device=device,
            max_epochs=max_epochs,
            data_loader=train_data_loader,
            epoch_length=epoch_length,
            prepare_batch=prepare_batch,
            handlers=list(train_handlers or ()),
            decollate=decollate,
            postprocessing=postprocessing,
        )
        # MONAI's own switch stays off: it would add CUDA's gradient scaler, which bfloat16 does not need.
        self.mixed_precision = amp
        self.stateful = dict(stateful)
        self.generator = seeded(seed)

    def autocast(self) -> AbstractContextManager[Any]:
        """Return this trainer's autocast."""
        return autocast(self.state.device, self.mixed_precision)

    def prepared(self, engine: Engine, batchdata: Any) -> tuple[torch.Tensor, torch.Tensor]:
        """Return image and label as plain tensors on the device.

        MONAI's `MetaTensor`s cost time in every small operation of a network.
        """
        image, label = self.prepare_batch(
            batchdata,
            engine.state.device,
            engine.non_blocking,
            **engine.to_kwargs,
        )
        return torch.as_tensor(image).as_subclass(torch.Tensor), torch.as_tensor(label).as_subclass(torch.Tensor)

    def state_dict(self) -> Any:
        """Return ignite's state and that of all that is trained, of the generator and of the counters."""
        state = super().state_dict()
        state["training"] = {
            "iteration": self.state.iteration,
            "epoch": self.state.epoch,
            "generator": self.generator.get_state(),
            **{name: part.state_dict() for name, part in self.stateful.items()},
        }
        return state

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take a state back, so that `run` goes on where it was saved.

        Raises:
            CheckpointError: when the state lacks a part, or is of another trainer.
        """
        training = state_dict.get("training")
        expected = {"iteration", "epoch", "generator", *self.stateful}
        if not isinstance(training, Mapping) or set(training) != expected:
            found = sorted(training) if isinstance(training, Mapping) else sorted(state_dict)
            raise CheckpointError(
                f"Expected a trainer's state with {sorted(expected)}, got {found}; it is of another trainer."
            )
        try:
            for name, part in self.stateful.items():
                part.load_state_dict(training[name])
            self.generator.set_state(training["generator"])
        except (RuntimeError, ValueError, KeyError) as error:
            raise CheckpointError(f"This state does not fit the trainer: {error}") from error
        self.state.iteration = int(training["iteration"])
        self.state.epoch = int(training["epoch"])


__all__ = ["ResumableTrainer", "Stateful", "autocast"]
