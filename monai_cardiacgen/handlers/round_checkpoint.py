"""A training that is stopped at any moment goes on from its last whole round."""

from __future__ import annotations

from pathlib import Path

from ignite.engine import Engine, Events

from ..data.files import load_checkpoint, save_checkpoint


class RoundCheckpoint:
    """Saves an engine's whole state after each epoch, and loads it when the engine starts.

    The file is written beside and then renamed: a stop while it is written leaves the one before. Attach it after
    the handlers whose state the engine saves.

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
        if self.path.is_file():
            engine.load_state_dict(load_checkpoint(self.path))

    def _save(self, engine: Engine) -> None:
        save_checkpoint(self.path, engine.state_dict())
