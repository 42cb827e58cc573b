"""Keeps the weights that validated best, through a stop and several ranks."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ignite.engine import Engine, Events
from torch import nn

from ..data.files import save_checkpoint
from ..ranks import rank


class BestWeights:
    """Saves a network's weights whenever the key metric of a MONAI evaluator has reached its best.

    It is a handler of the evaluator, and a part of a `RoundCheckpoint` of the trainer: a training that goes on knows
    the best score of the time before. With several ranks attach it on each; the first one writes.

    Args:
        network: whose weights are saved, as its plain `state_dict`.
        path: of the file.
    """

    def __init__(self, network: nn.Module, path: str | Path) -> None:
        self.network = network
        self.path = Path(path)
        self._evaluator: Engine | None = None

    def attach(self, engine: Engine) -> None:
        """Follow this evaluator."""
        self._evaluator = engine
        engine.add_event_handler(Events.EPOCH_COMPLETED, self._save)

    def state_dict(self) -> dict[str, float]:
        """Return the best score and its epoch; what MONAI begins with before any."""
        state = self._state()
        return {"score": float(state.best_metric), "epoch": float(state.best_metric_epoch)}

    def load_state_dict(self, state_dict: Mapping[str, float]) -> None:
        """Go on from there."""
        state = self._state()
        state.best_metric, state.best_metric_epoch = state_dict["score"], int(state_dict["epoch"])

    def _state(self) -> Any:
        if self._evaluator is None:
            raise RuntimeError("attach BestWeights to an evaluator before its state is taken or given back")
        return self._evaluator.state

    def _save(self, engine: Engine) -> None:
        if rank() == 0 and engine.state.best_metric_epoch == engine.state.epoch:
            weights = {name: value.detach().cpu() for name, value in self.network.state_dict().items()}
            save_checkpoint(self.path, weights)


__all__ = ["BestWeights"]
