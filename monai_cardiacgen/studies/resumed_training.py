"""A training that can be stopped at any moment, with its curves and its progress."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ignite.engine import Engine, Events

from ..data.files import write_csv
from ..engines.resumable_trainer import ResumableTrainer
from ..handlers import LossCurves, RoundCheckpoint


def run_resumed(
    trainer: ResumableTrainer, path: Path, iterations: int, progress: Callable[[int, int], None] | None
) -> None:
    """Run a trainer from where an earlier run left it to its end.

    Args:
        trainer: made with the same arguments as in the earlier run.
        path: checkpoint that is written after each round; the curves lie beside it, with the ending `.csv`.
        iterations: of the whole training.
        progress: called with the number of iterations done and their total.

    Raises:
        CheckpointError: when the checkpoint is damaged, or that of another training.
    """
    curves = LossCurves()
    curves.attach(trainer)
    trainer.stateful["curves"] = curves
    RoundCheckpoint(path).attach(trainer)

    def tell(engine: Engine) -> None:
        if progress is not None:
            progress(engine.state.iteration, iterations)

    trainer.add_event_handler(Events.STARTED | Events.ITERATION_COMPLETED, tell)
    trainer.run()
    write_csv(path.with_suffix(".csv"), curves.rows)
