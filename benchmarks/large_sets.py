"""Sets made in different ways are the same files: by one process, by two ranks, killed, and with a rank lost.

```
python benchmarks/large_sets.py BUNDLE OUT -n 10000 --kills 5
```

Every way writes a set of its own below OUT. After each it prints its time, and in the end whether every file of
every set has the same name and the same bytes; the exit status says so too.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

MODULE = ("-m", "monai_cardiacgen", "generate")


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the sets, compare them, and return 0 where all are the same."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("bundle", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("-n", "--count", type=int, default=10_000)
    parser.add_argument("--kills", type=int, default=5, help="how often the killed run is killed")
    parser.add_argument("--format", default="nifti", choices=("nifti", "hdf5"))
    parser.add_argument(
        "--ways", nargs="+", default=("one", "two", "killed", "lost"), choices=("one", "two", "killed", "lost")
    )
    given = parser.parse_args(arguments)
    digests = {}
    for way in given.ways:
        folder = given.out / way
        folder.mkdir(parents=True)
        target = folder / ("set.h5" if given.format == "hdf5" else "set")
        command = [*MODULE, str(given.bundle), "-n", str(given.count), "--out", str(target), "--format", given.format]
        begun = time.monotonic()
        {"one": one_process, "two": two_ranks, "killed": killed, "lost": rank_lost}[way](
            command, target, given.count, given.kills
        )
        print(f"{way}: {time.monotonic() - begun:.0f} s", flush=True)
        digests[way] = {path.relative_to(folder): digest(path) for path in sorted(folder.rglob("*")) if path.is_file()}
    first = digests[given.ways[0]]
    same = all(one == first for one in digests.values())
    print(f"{len(first)} files a set, {'all the same' if same else 'NOT THE SAME'} in {', '.join(given.ways)}")
    return 0 if same else 1


def one_process(command: list[str], *_: object) -> None:
    """Let one process make the set undisturbed."""
    subprocess.run([sys.executable, *command], check=True)


def two_ranks(command: list[str], *_: object) -> None:
    """Let `torchrun` start two ranks."""
    subprocess.run([*torchrun(), *command], check=True)


def killed(command: list[str], target: Path, count: int, kills: int) -> None:
    """Kill a process each time it has made a further share of the set, and let the last one end it."""
    for kill in range(1, kills + 1):
        process = subprocess.Popen([sys.executable, *command])
        wait_until(process, target, count * kill // (kills + 1))
        process.kill()
        process.wait()
        print(f"  killed with {made(target)} of {count} cases on the disk", flush=True)
    subprocess.run([sys.executable, *command], check=True)


def rank_lost(command: list[str], target: Path, count: int, _: object) -> None:
    """Kill one of two ranks half-way; `torchrun` notices it and starts both again."""
    launcher = subprocess.Popen([*torchrun("--max-restarts", "1"), *command])
    wait_until(launcher, target, count // 2)
    os.kill(max(children(launcher.pid)), signal.SIGKILL)
    print(f"  rank killed with {made(target)} of {count} cases on the disk", flush=True)
    if launcher.wait():
        raise SystemExit("the set was not completed after a rank was lost")


def torchrun(*more: str) -> list[str]:
    """Return the launcher's command for two ranks on this machine; other launchers may run beside it."""
    return [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", *more]


def wait_until(process: subprocess.Popen[bytes], target: Path, count: int) -> None:
    """Wait until a set that is being made has so many cases on the disk."""
    while made(target) < count:
        if process.poll() is not None:
            raise SystemExit(f"the run ended by itself before it had {count} cases")
        time.sleep(0.02)


def made(target: Path) -> int:
    """Count the cases of a set that is being made, by the lines and the parts that its writers have finished."""
    if target.suffix == ".h5":
        return 64 * len(list(target.with_name(f"{target.name}.parts").glob("part_*.h5")))
    files = (target / "manifest.jsonl", *target.glob("manifest.jsonl.parts/*.jsonl"))
    return sum(file.read_bytes().count(b"\n") for file in files if file.exists())


def children(process: int) -> Iterator[int]:
    """Yield the processes that a process has started, as Linux lists them."""
    for task in Path(f"/proc/{process}/task").iterdir():
        yield from map(int, (task / "children").read_text().split())


def digest(path: Path) -> str:
    """Return a file's SHA-256."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


if __name__ == "__main__":
    sys.exit(main())
