"""A training that is stopped at any moment goes on from its last whole round."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ignite.engine import Engine, Events

from ..data.checkpoint_pair import CheckpointPair
from ..errors import CheckpointError
from ..ranks import of_first_rank, rank


class RoundCheckpoint:
    """Saves a training's whole state after each epoch, and loads it when the engine starts.

    The trainers of `engines` tell their whole state themselves. Of another engine, such as MONAI's `SupervisedTrainer`,
    name the `parts` that have one; the numbers of its epoch and iteration are kept with them.

    The file is written beside and then renamed: a stop while it is written leaves the one before. That one is kept,
    too, as `NAME.previous.pt`: when the file is found damaged, a warning says so and the training goes on from there.
    To begin anew, delete the file. Attach the handler after those whose state the engine saves.

    With several ranks attach it on each: the first one reads and writes the file, all get its content. What one
    number of ranks has written, another can go on with.

    Args:
        path: of the checkpoint file.
        parts: name to network, optimizer, schedule, ...; none for an engine whose own `state_dict` is enough.

    Raises:
        CheckpointError: at the start, when the file is that of another training, or damaged with none before it.
        DataError: at the start, when the folder cannot be written to; at the end of an epoch, when the disk is full.
    """

    def __init__(self, path: str | Path, parts: Mapping[str, Any] | None = None) -> None:
        self.pair = CheckpointPair(path)
        self.parts = None if parts is None else dict(parts)

    def attach(self, engine: Engine) -> None:
        """Follow this engine."""
        engine.add_event_handler(Events.STARTED, self._load)
        engine.add_event_handler(Events.EPOCH_COMPLETED, self._save)

    def _load(self, engine: Engine) -> None:
        state = None
        if rank() == 0:
            self.pair.check_writable()
            state = self.pair.load()
        state = of_first_rank(state)
        if state is None:
            return
        if self.parts is None:
            engine.load_state_dict(state)
            return
        if set(state) != {"epoch", "iteration", *self.parts}:
            raise CheckpointError(
                f"Expected in {self.pair.path} a training's state with {sorted(self.parts)}, got {sorted(state)}; it "
                f"is of another training: choose another folder."
            )
        try:
            for name, part in self.parts.items():
                part.load_state_dict(state[name])
        except (RuntimeError, ValueError, KeyError) as error:
            raise CheckpointError(f"The state in {self.pair.path} does not fit this training: {error}") from error
        engine.state.epoch, engine.state.iteration = int(state["epoch"]), int(state["iteration"])

    def _save(self, engine: Engine) -> None:
        if rank() > 0:
            return
        if self.parts is None:
            self.pair.save(engine.state_dict())
            return
        counters = {"epoch": engine.state.epoch, "iteration": engine.state.iteration}
        self.pair.save({**counters, **{name: part.state_dict() for name, part in self.parts.items()}})
