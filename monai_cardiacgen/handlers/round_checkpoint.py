"""A training that is stopped at any moment goes on from its last whole round."""

from __future__ import annotations

from pathlib import Path

from ignite.engine import Engine, Events

from ..data.files import load_checkpoint, save_checkpoint
from ..ranks import of_first_rank, rank


class RoundCheckpoint:
    """Saves an engine's whole state after each epoch, and loads it when the engine starts.

    The file is written beside and then renamed: a stop while it is written leaves the one before. Attach it after
    the handlers whose state the engine saves.

    With several ranks attach it on each: the first one reads and writes the file, all get its content. What one
    number of ranks has written, another can go on with.

    Args:
        path: of the one checkpoint file.

    Raises:
        CheckpointError: at the start, when the file is damaged or that of another training.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    def attach(self, engine: Engine) -> None:
        """Follow this engine, whose `state_dict` must be enough to go on."""
        engine.add_event_handler(Events.STARTED, self._load)
        engine.add_event_handler(Events.EPOCH_COMPLETED, self._save)

    def _load(self, engine: Engine) -> None:
        is_here = rank() == 0 and self.path.is_file()
        state = of_first_rank(load_checkpoint(self.path) if is_here else None)
        if state is not None:
            engine.load_state_dict(state)

    def _save(self, engine: Engine) -> None:
        if rank() == 0:
            save_checkpoint(self.path, engine.state_dict())
