"""The transform for many samples in workers: flat memory, no thread or file left open, and the same samples again.

```
OMP_NUM_THREADS=1 python -m benchmarks.long_run --samples 20000 --workers 2
```

Every sample brings along what its worker holds at that moment: resident memory, threads and open files, as Linux tells.
"""

from __future__ import annotations

import argparse
import gc
import hashlib
import os
import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from monai.data import DataLoader, Dataset
from monai.utils import set_determinism
from numpy.typing import NDArray

from monai_cardiacgen.transforms import RandCardiacSynthd

from .tiny_trainings import SIDE, slices, tiny_synthesizer

KEYS = ("image", "label")
MODES = ("new", "vary", "restyle")
#: Samples an epoch: workers live through all epochs, as in a training with `persistent_workers`.
_EPOCH = 1000
#: What memory may grow over the second half, in MiB; a sample has 12 kB.
_FLAT = 1.0
HELD = ("memory", "threads", "files")
#: What may differ between the halves: of two batches on their way to the parent, every tensor is an open file.
_MORE = {"threads": 0, "files": 12}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, print what the workers held, and return 0 where nothing grew and all samples came again."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=20_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--repeated", type=int, default=200, help="samples of each way to start the loader")
    given = parser.parse_args(arguments)
    right = [held_by_workers(given.samples, given.workers), same_samples(given.repeated)]
    return 0 if all(right) else 1


class Weighed(Dataset):
    """Replaces slices, and tells what the process holds."""

    def __init__(self, length: int) -> None:
        super().__init__(slices(24), transform())
        self.length = length

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: int) -> Any:
        """Return the sample, the process and what it holds."""
        sample = super().__getitem__(index % len(self.data))
        return {**{key: sample[key] for key in KEYS}, "process": os.getpid(), **held()}


def transform() -> RandCardiacSynthd:
    """Return the transform with a tiny synthesizer and all its modes; it replaces every other sample."""
    return RandCardiacSynthd(
        KEYS, tiny_synthesizer(), prob=0.5, mode=MODES, intensity_range=(0.0, 1.0), spacing=(2.0, 2.0)
    )


def held() -> dict[str, int]:
    """Return this process's resident memory in bytes, its threads and its open files."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return {
        "memory": pages * os.sysconf("SC_PAGE_SIZE"),
        "threads": len(os.listdir("/proc/self/task")),
        "files": len(os.listdir("/proc/self/fd")),
    }


def held_by_workers(samples: int, workers: int, flat: float = _FLAT) -> bool:
    """Draw samples in workers, print what these held, and return whether nothing grew, memory by `flat` MiB at most."""
    torch.manual_seed(0)
    before, begun = held(), time.perf_counter()
    loader = DataLoader(Weighed(min(samples, _EPOCH)), batch_size=8, num_workers=workers, persistent_workers=True)
    histories: dict[int, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    drawn = 0
    while drawn < samples:
        for batch in loader:
            drawn += len(batch["process"])
            for row, process in enumerate(batch["process"].tolist()):
                for name in HELD:
                    histories[process][name].append(int(batch[name][row]))
    seconds = time.perf_counter() - begun
    del loader, batch
    gc.collect()
    after = held()
    left = {name: after[name] - before[name] for name in _MORE}
    print(f"{drawn} samples of {SIDE} x {SIDE} in {workers} workers, {seconds:.0f} s; left in the parent: {left}")
    right = max(left.values()) <= 0
    for number, history in enumerate(histories.values()):
        growth, scatter = growth_over_second_half(np.array(history["memory"]))
        more = {name: more_than_in_first_half(history[name]) for name in _MORE}
        print(
            f"  worker {number}: {len(history['memory'])} samples, memory {history['memory'][-1] / 2**20:.1f} MiB, "
            f"over the second half {growth:+.3f} MiB by the fitted line, scatter about it {scatter:.3f} MiB; "
            f"more than in the first half: {more}",
            flush=True,
        )
        right &= growth < flat and all(more[name] <= most for name, most in _MORE.items())
    return right


def growth_over_second_half(memory: NDArray[np.int64]) -> tuple[float, float]:
    """Return how much a least-squares line through the second half rises, and the scatter about it, in MiB."""
    second = memory[len(memory) // 2 :] / 2**20
    at = np.arange(len(second))
    slope, level = np.polyfit(at, second, 1)
    return float(slope * len(second)), float(np.std(second - (slope * at + level)))


def more_than_in_first_half(counts: list[int]) -> int:
    """Return by how much the greatest count of the second half exceeds that of the first."""
    middle = len(counts) // 2
    return max(counts[middle:]) - max(counts[:middle])


def same_samples(count: int) -> bool:
    """Draw the same samples in several ways, print which agree, and return whether they do so as documented."""
    ways: dict[str, tuple[int, str | None]] = {"0": (0, None), "1 fork": (1, "fork"), "2 fork": (2, "fork")}
    ways |= {"2 fork again": (2, "fork"), "2 spawn": (2, "spawn")}
    by_sample = {name: _digest(count, *way, batched=False) for name, way in ways.items()}
    by_batch = {name: _digest(count, *way, batched=True) for name, way in list(ways.items())[:3]}
    expected = {
        "two workers again": by_sample["2 fork"] == by_sample["2 fork again"],
        "spawned as forked": by_sample["2 fork"] == by_sample["2 spawn"],
        "one worker as none": by_sample["1 fork"] == by_sample["0"],
        "two workers other than one": by_sample["2 fork"] != by_sample["1 fork"],
        "batch form as with any number of workers": len(set(by_batch.values())) == 1,
    }
    print(f"{count} samples again: " + ", ".join(f"{name}: {'yes' if it else 'NO'}" for name, it in expected.items()))
    return all(expected.values())


def _digest(count: int, workers: int, start: str | None, batched: bool) -> str:
    """Return the SHA-256 of the samples of an epoch, in their order."""
    set_determinism(seed=0)
    synth = transform()
    rows = (slices(24) * (count // 24 + 1))[:count]
    loader = DataLoader(
        Dataset(rows, None if batched else synth), batch_size=8, num_workers=workers, multiprocessing_context=start
    )
    prepare = synth.prepare_batch()
    digest = hashlib.sha256()
    for batch in loader:
        pair = prepare(batch, "cpu") if batched else (batch[key] for key in KEYS)
        for one in pair:
            digest.update(torch.as_tensor(one).as_subclass(torch.Tensor).contiguous().numpy().tobytes())
    set_determinism(seed=None)
    return digest.hexdigest()


if __name__ == "__main__":
    sys.exit(main())
