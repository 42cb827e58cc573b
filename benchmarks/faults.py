"""A full disk, a read-only one and damaged checkpoints: one error, nothing half-written, and the same bits in the end.

```
OMP_NUM_THREADS=1 python -m benchmarks.faults --engine all --times 20
```

The disks are real, small ones (tmpfs), which the script mounts where nobody else sees them: it starts itself again by
`unshare`, so it needs Linux, but no rights of an administrator.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from torch.optim.optimizer import register_optimizer_step_post_hook

from monai_cardiacgen.data.files import load_checkpoint, read_json, write_json
from monai_cardiacgen.errors import CardiacGenError

from .kill_and_continue import Child, contents, unreadable
from .tiny_trainings import Work, works

#: Bytes that a disk has beyond what the run needs.
_SPARE = 2**22


def main(arguments: Sequence[str] | None = None) -> int:
    """Do every fault to every engine, print a line each, and return 0 where all went as promised."""
    known = works()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--times", type=int, default=20, help="how often a disk is full and a checkpoint damaged")
    parser.add_argument("--engine", action="append", choices=[*known, "all"], help="repeat it for several")
    parser.add_argument("--seed", type=int, default=0, help="of the moments and of the damage")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if not given.engine:
        parser.error("Expected --engine NAME or --engine all.")
    if not given.inside:
        command = [sys.executable, "-m", "benchmarks.faults", *(sys.argv[1:] if arguments is None else arguments)]
        return subprocess.run(["unshare", "--user", "--map-root-user", "--mount", *command, "--inside"]).returncode
    names = list(known) if "all" in given.engine else given.engine
    return 0 if all([_all_faults(name, known[name], given.times, given.seed) for name in names]) else 1


@dataclass(frozen=True)
class Ending:
    """How a run ended.

    Attributes:
        error: the sentence of our own error; empty where there was none.
        warned: the warnings that name a checkpoint.
        steps: of optimizers.
    """

    error: str
    warned: list[str]
    steps: int


def ending(run: Callable[[], Any]) -> Ending:
    """Let a fork do something to its end; an error that is not ours is raised."""
    with tempfile.TemporaryDirectory() as folder:
        told = Path(folder) / "ending.json"
        Child(lambda: write_json(told, _ending(run))).ended(None)
        return Ending(**read_json(told))


def _ending(run: Callable[[], Any]) -> dict[str, Any]:
    steps: list[int] = []
    register_optimizer_step_post_hook(lambda *_: steps.append(1))
    error = ""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            run()
        except Exception as raised:
            error = _our_sentence(raised)
    warned = [str(one.message) for one in caught if "checkpoint" in str(one.message)]
    return {"error": error, "warned": warned, "steps": len(steps)}


def _our_sentence(raised: Exception) -> str:
    """Return the sentence of our error, which MONAI wraps where a bundle raises it; others are raised again."""
    cause: BaseException | None = raised
    while cause is not None and not isinstance(cause, CardiacGenError):
        cause = cause.__cause__
    if cause is None:
        raise raised
    return str(cause)


def _all_faults(name: str, work: Work, times: int, seed: int) -> bool:
    draws = random.Random(f"{name} {seed}")
    with tempfile.TemporaryDirectory() as place:
        root = Path(place)
        for folder in ("prepared", "disk"):
            (root / folder).mkdir()
        Child(lambda: work.prepare(root / "prepared")).ended(None)
        run = partial(work.run, root / "prepared")
        Child(lambda: run(root / "undisturbed")).ended(None)
        expected = contents(root / "undisturbed")
        full = sum(full_disk(run, root / "disk", expected, size_of(root / "undisturbed"), draws) for _ in range(times))
        lines = {f"disk full: {full} of {times}": full == times}
        read_only = read_only_disk(run, root / "disk")
        lines[f"read-only disk: {'told at once' if read_only else 'NOT AS PROMISED'}"] = read_only
        if (root / "undisturbed" / "training.pt").is_file():
            results = [damaged(run, root / "undisturbed" / "training.pt", expected, draws) for _ in range(times)]
            right = [one for one in results if one is not None]
            lines[f"checkpoint damaged: {len(right)} of {times}, told {sum(right)} times"] = len(right) == times
    print(f"{name}: {'; '.join(lines)}; seed {seed}", flush=True)
    return all(lines.values())


def size_of(folder: Path) -> int:
    """Return the bytes of all files below a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


@contextmanager
def small_disk(at: Path, size: int) -> Iterator[Path]:
    """Mount a disk of so many bytes, and take it away."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(at)], check=True)
    try:
        yield at
    finally:
        subprocess.run(["umount", str(at)], check=True)


def full_disk(run: Callable[[Path], Any], at: Path, expected: dict[str, str], size: int, draws: random.Random) -> bool:
    """Leave a run less room than it needs, then enough, and return whether all went as promised."""
    with small_disk(at, 2 * size + _SPARE):
        ballast, folder = at / "ballast", at / "run"
        with ballast.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, size + _SPARE + draws.randrange(size))
        first = ending(lambda: run(folder))
        whole = not unreadable(folder) and not any(folder.rglob(".*.part"))
        ballast.unlink()
        second = ending(lambda: run(folder))
        right = bool(first.error) and whole and not second.error and contents(folder) == expected
        if not right:
            print(f"  {first}; files whole: {whole}; {second}", flush=True)
        return right


def read_only_disk(run: Callable[[Path], Any], at: Path) -> bool:
    """Let a run begin on a disk that takes nothing, and return whether that was told before any step."""
    with small_disk(at, _SPARE):
        (at / "run").mkdir()
        subprocess.run(["mount", "-o", "remount,ro", str(at)], check=True)
        found = ending(lambda: run(at / "run"))
        right = "system refuses (Read-only file system)" in found.error and not found.steps
        if not right:
            print(f"  {found}", flush=True)
        return right


def damaged(run: Callable[[Path], Any], path: Path, expected: dict[str, str], draws: random.Random) -> bool | None:
    """Cut a finished training's last checkpoint or turn one of its bits, and let it run again.

    Returns:
        Whether the damage was told; None where something else was not as promised. A bit that means nothing, such as
        one of the archive's padding, may change without a word: then the checkpoint holds what it held.
    """
    content = bytearray(path.read_bytes())
    before = contents(path.parent)[path.name]
    if draws.random() < 0.5:
        del content[draws.randrange(len(content)) :]
    else:
        content[draws.randrange(len(content))] ^= 1 << draws.randrange(8)
    path.write_bytes(content)
    harmless = not unreadable(path.parent) and contents(path.parent)[path.name] == before
    found = ending(lambda: run(path.parent))
    told = any(f"{path} is damaged" in one and "training.previous.pt" in one for one in found.warned)
    load_checkpoint(path)
    if found.error or told == harmless or contents(path.parent) != expected:
        print(f"  {found}; harmless: {harmless}", flush=True)
        return None
    return told


if __name__ == "__main__":
    sys.exit(main())
