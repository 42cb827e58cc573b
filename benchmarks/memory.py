"""Memory that one image takes: each way in a process of its own, which says how far its memory rose.

`python -m benchmarks.memory WAY FILTERS SIZE` prints bytes; `compare_memory` starts these.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch

from .alternated import Comparison
from .painters import OPTIMIZED, PUBLISHED, network_ways, optimized_ways, pair_of


def compare_memory(
    ways: Sequence[str], filters: int, sizes: Sequence[int], device: torch.device
) -> Iterator[Comparison]:
    """Measure the rise of memory in painting one image, in bytes."""
    for size in sizes:
        risen = {way: [_measured(way, filters, size, device)] for way in ways}
        yield Comparison("memory", f"{filters} filters, {size} x {size}", PUBLISHED, risen)


def _measured(way: str, filters: int, size: int, device: torch.device) -> float:
    command = [sys.executable, "-m", "benchmarks.memory", way, str(filters), str(size), device.type]
    root = Path(__file__).parent.parent
    # glibc then gives freed blocks back at once, so that memory rises and falls with the tensors.
    environment = os.environ | {"MALLOC_MMAP_THRESHOLD_": "65536"}
    done = subprocess.run(command, cwd=root, env=environment, check=True, capture_output=True, text=True)
    return float(done.stdout.split()[-1])


def risen_memory(way: str, filters: int, size: int, device: torch.device) -> int:
    """Return by how many bytes the memory rose at most while an image was painted for the second time."""
    pair = pair_of(filters, size, 4, device)
    paint = (optimized_ways(pair) if way == OPTIMIZED else network_ways(pair, torch.float32))[way]
    small = pair_of(1, 128, 4, device)
    network_ways(small, torch.float32)[PUBLISHED](*small.inputs(0))  # libraries are loaded and warm
    if device.type == "cuda":
        paint(*pair.inputs(0))
        before = torch.cuda.memory_allocated(device)
        torch.cuda.reset_peak_memory_stats(device)
        paint(*pair.inputs(1))
        return torch.cuda.max_memory_allocated(device) - before
    inputs = pair.inputs(1)
    Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")  # Linux: the peak starts from here
    before = _status("VmRSS")
    paint(*inputs)
    return _status("VmHWM") - before


def _status(name: str) -> int:
    """Return the bytes of resident memory that this process holds now (`VmRSS`) or held at most (`VmHWM`)."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return 1024 * int(next(line for line in lines if line.startswith(name)).split()[1])


if __name__ == "__main__":
    torch.set_num_threads(1)
    print(risen_memory(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), torch.device(sys.argv[4])))
