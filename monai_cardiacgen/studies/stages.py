"""A study in stages: settings that are kept, times that add up over stops, bars that show where it is."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import TimeRemainingColumn as Remaining

from ..data.files import read_json, write_json
from ..errors import InputError


def keep_settings(path: Path, settings: Mapping[str, Any]) -> None:
    """Write the settings, or compare them with those that the study was begun with.

    Raises:
        InputError: when the folder holds a study with other settings.
    """
    if path.exists():
        before = read_json(path)
        changed = [name for name in {**before, **settings} if before.get(name) != settings.get(name)]
        if changed:
            told = ", ".join(f"{name} {before.get(name)!r} (now {settings.get(name)!r})" for name in changed)
            raise InputError(
                f"Expected the settings that {path.parent} was begun with, {told}; "
                f"choose another folder with --out, or delete this one."
            )
    else:
        write_json(path, settings)


class Stages:
    """Shows a bar a stage and keeps its time in a file, so that a stopped study still knows what it took.

    Args:
        path: JSON file of the times.
        console: where the bars are drawn.
    """

    def __init__(self, path: Path, console: Console) -> None:
        self._path = path
        self._state: dict[str, Any] = read_json(path) if path.exists() else {}
        self._bars = Progress(
            TextColumn("{task.description:<34}"),
            BarColumn(bar_width=28),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            Remaining(),
            console=console,
        )

    def __enter__(self) -> Stages:
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    @property
    def seconds(self) -> dict[str, float]:
        """Seconds by stage, in the order of their first begin."""
        return {name: float(stage["seconds"]) for name, stage in self._state.items()}

    def is_done(self, name: str) -> bool:
        """Whether this stage was finished, in this run or an earlier one."""
        return bool(self._state.get(name, {}).get("done", False))

    @contextmanager
    def stage(self, name: str) -> Iterator[Callable[[int, int], None]]:
        """Give a callback for (done, total) and add the time of the block, if it does any work, to the stage's."""
        finished_before = self.is_done(name)
        bar: TaskID = self._bars.add_task(name, total=None)
        begin = time.monotonic()
        done = False
        try:
            yield lambda count, total: self._bars.update(bar, completed=count, total=total)
            done = True
            task = self._bars.tasks[self._bars.task_ids.index(bar)]
            self._bars.update(bar, total=task.total or 1, completed=task.total or 1)
        finally:
            if not finished_before:  # reading back what is there is not the stage's work
                before = self._state.get(name, {}).get("seconds", 0.0)
                self._state[name] = {"seconds": round(before + time.monotonic() - begin, 1), "done": done}
                write_json(self._path, self._state)


def environment(device: torch.device) -> dict[str, str]:
    """Return what the times and the numbers depend on: machine, threads and versions."""
    packages = ("monai_cardiacgen", "monai", "torch", "pytorch-ignite", "numpy", "scipy", "nibabel")
    return {
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else "CPU",
        "processor": f"{platform.machine()}, {os.cpu_count()} cores, {torch.get_num_threads()} threads used",
        "system": f"{platform.system()} {platform.release()}",
        "Python": platform.python_version(),
        **{name: version(name) for name in packages},
    }
