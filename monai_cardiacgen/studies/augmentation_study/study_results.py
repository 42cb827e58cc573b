"""The finished runs of an augmentation study, read from its folder."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ...data.files import read_csv
from ..evaluation import Score, read_scores
from ..slice_scores import SliceScore, read_slice_scores
from .study_settings import ARMS

#: A run's folder within the study's: network, number of training patients, seed, arm.
_FOLDER = re.compile(r"(?P<network>[^/]+)/(?P<amount>\d+)_patients/seed_(?P<seed>\d+)/(?P<arm>[^/]+)")
_NETWORKS = {"unet": "U-Net", "enet": "ENet"}


@dataclass(frozen=True)
class Run:
    """One training and its test.

    Attributes:
        network: name of its folder.
        amount: number of real training patients.
        seed: of the choice of patients, of weights and batches.
        arm: name of its folder.
        folder: where the run was written.
        scores: on the test volumes.
        slices: on the slices of the same volumes.
    """

    network: str
    amount: int
    seed: int
    arm: str
    folder: Path
    scores: Sequence[Score]
    slices: Sequence[SliceScore]

    def history(self) -> list[dict[str, str]]:
        """Return the training's curves, a row a round; empty where there are none."""
        path = self.folder / "history.csv"
        return read_csv(path) if path.exists() else []


def read_runs(out: Path) -> list[Run]:
    """Return the finished runs by network, amount, arm and seed; a run without `scores.csv` is not finished.

    Raises:
        DataError: when a table of a finished run is missing or damaged.
    """
    runs = []
    for path in out.glob("*/*_patients/seed_*/*/scores.csv"):
        named = _FOLDER.fullmatch(path.parent.relative_to(out).as_posix())
        if named is not None:
            runs.append(
                Run(
                    named["network"],
                    int(named["amount"]),
                    int(named["seed"]),
                    named["arm"],
                    path.parent,
                    read_scores(path),
                    read_slice_scores(path.with_name("slices.csv")),
                )
            )
    order = list(ARMS)
    place = {arm: order.index(arm) if arm in order else len(order) for arm in {run.arm for run in runs}}
    return sorted(runs, key=lambda run: (run.network, run.amount, place[run.arm], run.arm, run.seed))


def arm_title(arm: str) -> str:
    """Return how tables and figures call an arm."""
    return ARMS[arm].title if arm in ARMS else arm.replace("_", " ")


def network_title(network: str) -> str:
    """Return how tables and figures call a network."""
    return _NETWORKS.get(network, network)


def by_condition(runs: Sequence[Run]) -> dict[tuple[str, int], dict[str, list[Run]]]:
    """Return the runs by network and amount, and of each by arm, all in the runs' order."""
    conditions: dict[tuple[str, int], dict[str, list[Run]]] = {}
    for run in runs:
        conditions.setdefault((run.network, run.amount), {}).setdefault(run.arm, []).append(run)
    return conditions
