"""Loss curves: the mean of every loss term of each epoch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ignite.engine import Engine, Events

from ..data.files import read_csv, write_csv
from ..ranks import rank


class LossCurves:
    """An ignite handler that keeps one row an epoch: the iteration reached and the mean of every number in the output.

    Attach it to any trainer whose `state.output` is a dictionary, or a decollated list of them. It can be saved and
    loaded with the trainer, so that a training that goes on has its whole curves; or it keeps them in a file
    of its own.

    Args:
        path: of a table that is written after each epoch, by the first rank; a training that goes on reads its rows
            back. Attach the handler before the one that saves the training, so that no epoch lacks its row.

    Attributes:
        rows: `{"iteration": ..., name: mean, ...}`, one an epoch.

    Example:
        >>> from ignite.engine import Engine
        >>> engine, curves = Engine(lambda engine, value: {"loss": value}), LossCurves()
        >>> curves.attach(engine)
        >>> _ = engine.run([1.0, 3.0], max_epochs=1)
        >>> curves.rows
        [{'iteration': 2, 'loss': 2.0}]
    """

    def __init__(self, path: str | Path | None = None) -> None:
        self.path = None if path is None else Path(path)
        self.rows: list[dict[str, Any]] = []
        self._values: dict[str, list[float]] = {}

    def attach(self, engine: Engine) -> None:
        """Follow this engine."""
        if self.path is not None:
            engine.add_event_handler(Events.EPOCH_STARTED, self._read_back)
        engine.add_event_handler(Events.ITERATION_COMPLETED, self._follow)
        engine.add_event_handler(Events.EPOCH_COMPLETED, self._close)

    def state_dict(self) -> dict[str, Any]:
        """Return the rows."""
        return {"rows": self.rows}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take rows back."""
        self.rows = list(state_dict["rows"])

    def _read_back(self, engine: Engine) -> None:
        """Take the rows of earlier epochs from the file, once the engine knows where it goes on."""
        if self.path is not None and not self.rows and engine.state.epoch > 1 and self.path.is_file():
            table = [{name: float(value) for name, value in row.items()} for row in read_csv(self.path)]
            past = [row for row in table if row["iteration"] <= engine.state.iteration]
            self.rows = [{**row, "iteration": int(row["iteration"])} for row in past]

    def _follow(self, engine: Engine) -> None:
        output = engine.state.output
        for name, value in (output[0] if isinstance(output, list) else output).items():  # rows repeat its numbers
            if isinstance(value, float):
                self._values.setdefault(str(name), []).append(value)

    def _close(self, engine: Engine) -> None:
        means = {name: sum(values) / len(values) for name, values in self._values.items()}
        self.rows.append({"iteration": engine.state.iteration, **means})
        self._values = {}
        if self.path is not None and rank() == 0:
            write_csv(self.path, self.rows)
