"""Generations that are killed, for tests of what remains of them; called in processes of their own."""

from __future__ import annotations

import os
import signal
import warnings
from functools import partial
from pathlib import Path

from synthetic_cases import killed_after
from torch.distributed.launcher.api import LaunchConfig, elastic_launch

from monai_cardiacgen import generate
from monai_cardiacgen.generate import BATCH, Form, generate_set

COUNT = 5 * BATCH + 3


def killed_five_times(bundle: Path, target: Path, form: Form) -> None:
    """Begin a set five times, each time killed at another place, and end it."""
    generate.PART = BATCH
    make = partial(generate_set, bundle, target, COUNT, seed=1, form=form)
    # A case's two files are put in place by a rename each; of an HDF5 set each part, and in the end the file.
    for calls in (1, 2, 2, 1, 1) if form == "hdf5" else (1, 9, 40, 20, 5):
        assert killed_after(calls, "replace", make)
    make()


def two_ranks_of_which_one_dies(bundle: Path, target: Path, form: Form) -> None:
    """Make a set by two ranks, the second of which kills itself and is started again."""
    launch = LaunchConfig(
        min_nodes=1, max_nodes=1, nproc_per_node=2, run_id=target.parent.name, rdzv_backend="c10d",
        rdzv_endpoint="localhost:0", max_restarts=1, monitor_interval=0.05, start_method="fork",
    )  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about forking with threads: the children compute with one
        elastic_launch(launch, _make_or_die)(bundle, target, form)


def _make_or_die(bundle: Path, target: Path, form: Form) -> None:
    """Make a set as one rank; rank 1 kills itself in the middle of a file, at its first start."""
    generate.PART = BATCH
    if (os.environ["RANK"], os.environ["TORCHELASTIC_RESTART_COUNT"]) == ("1", "0"):
        real, left = os.replace, [2 if form == "hdf5" else 10]

        def replace(*names):
            left[0] -= 1
            if not left[0]:
                os.kill(os.getpid(), signal.SIGKILL)
            real(*names)

        os.replace = replace
    generate_set(bundle, target, COUNT, seed=1, form=form)
