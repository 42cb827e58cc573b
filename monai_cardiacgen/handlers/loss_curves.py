"""Loss curves: the mean of every loss term of each epoch."""

from __future__ import annotations

from typing import Any

from ignite.engine import Engine, Events


class LossCurves:
    """An ignite handler that keeps one row an epoch: the iteration reached and the mean of every number in the output.

    Attach it to any trainer whose `state.output` is a dictionary. It can be saved and loaded with the trainer, so
    that a training that goes on has its whole curves.

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

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []
        self._values: dict[str, list[float]] = {}

    def attach(self, engine: Engine) -> None:
        """Follow this engine."""
        engine.add_event_handler(Events.ITERATION_COMPLETED, self._follow)
        engine.add_event_handler(Events.EPOCH_COMPLETED, self._close)

    def state_dict(self) -> dict[str, Any]:
        """Return the rows."""
        return {"rows": self.rows}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take rows back."""
        self.rows = list(state_dict["rows"])

    def _follow(self, engine: Engine) -> None:
        for name, value in engine.state.output.items():
            if isinstance(value, float):
                self._values.setdefault(str(name), []).append(value)

    def _close(self, engine: Engine) -> None:
        means = {name: sum(values) / len(values) for name, values in self._values.items()}
        self.rows.append({"iteration": engine.state.iteration, **means})
        self._values = {}
