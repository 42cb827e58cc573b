"""Killed at random moments and begun again, every training and generation ends with the same bits as one undisturbed.

```
OMP_NUM_THREADS=1 python -m benchmarks.kill_and_continue --kills 50 --engine all
```

A run is sent SIGKILL at a moment that is uniform over an undisturbed run's time, begun again in the same folder, sent
SIGKILL again, and so on until one ends before its moment. After every kill each file with a final name must load; in
the end every file must hold what an undisturbed run's holds, bit for bit. Then the next run begins in a new folder,
until there were so many kills.

Importing PyTorch and MONAI takes longer than a tiny training. So this process imports them, computes nothing itself,
and forks a child for every attempt; `--interpreters` starts an interpreter for every attempt instead, and counts the
moment from where its imports are done.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import multiprocessing
import os
import random
import struct
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

import h5py
import nibabel
import torch
import torch._dynamo  # the first optimizer imports it: here once, and not in every fork

from monai_cardiacgen.data.files import load_checkpoint
from monai_cardiacgen.data.manifest import read_lines

from .tiny_trainings import Work, works

#: What a killed run may leave beside the files with final names: files being written, and a lock that nobody holds.
_UNFINISHED = (".part", ".lock")


class Attempt(Protocol):
    """A process that does a work."""

    def ended(self, seconds: float | None) -> bool:
        """Wait so long, or to the end, and return whether it has ended; an error of its own is raised."""

    def kill(self) -> None:
        """Send SIGKILL and wait."""


Begin = Callable[[str, Path, Path], Attempt]


def main(arguments: Sequence[str] | None = None) -> int:
    """Kill and continue, print a line an engine, and return 0 where every kill was survived."""
    known = works()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=50, help="of each engine")
    parser.add_argument("--engine", action="append", choices=[*known, "all"], help="repeat it for several")
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    parser.add_argument("--interpreters", action="store_true", help="start an interpreter for every attempt")
    parser.add_argument("--child", nargs=3, metavar=("ENGINE", "PREPARED", "FOLDER"), help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.child:
        name, prepared, folder = given.child
        print("begun", flush=True)
        known[name].run(Path(prepared), Path(folder))
        return 0
    if not given.engine:
        parser.error("Expected --engine NAME or --engine all.")
    names = list(known) if "all" in given.engine else given.engine
    begin = Interpreter if given.interpreters else Fork
    survived = [kill_and_continue(name, known[name], begin, given.kills, given.seed) for name in names]
    return 0 if all(one == given.kills for one in survived) else 1


def kill_and_continue(name: str, work: Work, begin: Begin, kills: int, seed: int) -> int:
    """Kill a work so many times, print how it went, and return how many kills it survived.

    Args:
        name: of the work.
        work: what is killed.
        begin: `Fork` or `Interpreter`.
        kills: how often.
        seed: of the moments.
    """
    moments = random.Random(f"{name} {seed}")
    with tempfile.TemporaryDirectory() as place:
        root = Path(place)
        (root / "prepared").mkdir()
        Child(lambda: work.prepare(root / "prepared")).ended(None)
        seconds = [_undisturbed(begin, name, root / "prepared", root / f"undisturbed{turn}") for turn in range(2)]
        expected = contents(root / "undisturbed0")
        if contents(root / "undisturbed1") != expected:
            raise RuntimeError(f"Expected two undisturbed runs of {name} to be the same; they are not.")
        survived = done = runs = writing = 0
        while done < kills:
            folder, here, faults = root / f"run{runs}", 0, []
            runs += 1
            while done + here < kills and _killed(
                begin(name, root / "prepared", folder), moments.uniform(0, max(seconds))
            ):
                here += 1
                writing += any(folder.rglob(".*.part"))
                faults += unreadable(folder)
            begin(name, root / "prepared", folder).ended(None)
            if contents(folder) != expected:
                faults.append("it ended with other bits than the undisturbed run")
            for fault in faults:
                print(f"  {name}, run {runs}: {fault}", flush=True)
            done += here
            survived += 0 if faults else here
    print(
        f"{name}: {survived} of {kills}; {runs} runs, {writing} kills in the middle of a file, undisturbed "
        f"{max(seconds):.1f} s, {len(expected)} files, seed {seed}, {begin.__name__.lower()}s",
        flush=True,
    )
    return survived


def _killed(attempt: Attempt, moment: float) -> bool:
    """Kill an attempt at a moment, and return whether it had not ended before."""
    if attempt.ended(moment):
        return False
    attempt.kill()
    return True


def _undisturbed(begin: Begin, name: str, prepared: Path, folder: Path) -> float:
    """Let a work run to its end, and return the seconds that it took."""
    attempt, begun = begin(name, prepared, folder), time.perf_counter()
    attempt.ended(None)
    return time.perf_counter() - begun


class Child:
    """A fork of this process, which has imported all and computed nothing."""

    def __init__(self, work: Callable[[], Any]) -> None:
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as the child
        self._process = multiprocessing.get_context("fork").Process(target=self._run, args=(work,))
        self._process.start()

    def ended(self, seconds: float | None) -> bool:
        """Wait so long, or to the end, and return whether it has ended; an error of its own is raised."""
        self._process.join(seconds)
        if self._process.exitcode:
            self._log.seek(0)
            raise RuntimeError(f"Expected a run to end well, got:\n{self._log.read().decode()[-3000:]}")
        return self._process.exitcode is not None

    def kill(self) -> None:
        """Send SIGKILL and wait."""
        self._process.kill()
        self._process.join()

    def _run(self, work: Callable[[], Any]) -> None:
        for stream in (1, 2):
            os.dup2(self._log.fileno(), stream)
        try:
            work()
        except BaseException:
            os.write(2, traceback.format_exc().encode())
            os._exit(1)
        os._exit(0)


class Fork(Child):
    """A fork that does one of `works`."""

    def __init__(self, name: str, prepared: Path, folder: Path) -> None:
        super().__init__(lambda: works()[name].run(prepared, folder))


class Interpreter:
    """An interpreter of its own that does one of `works`; its time counts from the end of its imports."""

    def __init__(self, name: str, prepared: Path, folder: Path) -> None:
        command = [sys.executable, "-m", "benchmarks.kill_and_continue", "--child", name, str(prepared), str(folder)]
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as the child
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=self._log)
        self._process.stdout.readline()

    def ended(self, seconds: float | None) -> bool:
        """Wait so long, or to the end, and return whether it has ended; an error of its own is raised."""
        try:
            self._process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            return False
        if self._process.returncode:
            self._log.seek(0)
            raise RuntimeError(f"Expected a run to end well, got:\n{self._log.read().decode()[-3000:]}")
        return True

    def kill(self) -> None:
        """Send SIGKILL and wait."""
        self._process.kill()
        self._process.communicate()


def unreadable(folder: Path) -> list[str]:
    """Return what is wrong with the files of a folder that have final names: nothing, if all is well."""
    faults = []
    for path in _final(folder):
        try:
            _content(path)
        except Exception as error:  # whatever a reader makes of half a file
            faults.append(f"{path.relative_to(folder)} does not load: {error!r}")
    return faults


def contents(folder: Path) -> dict[str, str]:
    """Return what every file with a final name holds, as SHA-256 by name."""
    names = {path: path.relative_to(folder).as_posix() for path in _final(folder)}
    return {name: hashlib.sha256(_content(path)).hexdigest() for path, name in names.items()}


def _final(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.rglob("*")) if path.is_file() and not path.name.endswith(_UNFINISHED)]


def _content(path: Path) -> bytes:
    """Return what a file holds, having read all of it: tensors bit by bit, or the bytes."""
    if path.suffix == ".pt":
        return b"".join(_bits(load_checkpoint(path)))
    content = path.read_bytes()
    if path.suffix == ".h5":
        with h5py.File(path) as file:
            for key in file:
                file[key][:]
    elif path.suffix == ".gz":
        nibabel.Nifti1Image.from_bytes(gzip.decompress(content)).get_fdata()
    elif path.suffix == ".json":
        json.loads(content)
    elif path.suffix == ".jsonl":
        read_lines(path)
    return content


def _bits(value: Any) -> Iterator[bytes]:
    """Yield what a checkpoint holds; pickled bytes may differ where this does not."""
    if isinstance(value, torch.Tensor):
        yield f"{value.dtype}{tuple(value.shape)}".encode()
        yield value.contiguous().view(-1).view(torch.uint8).numpy().tobytes() if value.numel() else b""
    elif isinstance(value, dict):
        for key, one in value.items():
            yield repr(key).encode()
            yield from _bits(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _bits(one)
    else:
        yield struct.pack("d", value) if isinstance(value, float) else repr(value).encode()


if __name__ == "__main__":
    sys.exit(main())
