"""Run the benchmarks and write their tables: `python -m benchmarks [--quick] [--only NAME ...] [--device cuda]`."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterable
from itertools import chain
from pathlib import Path

import torch

from .alternated import Clock, Comparison, in_a_process_of_its_own
from .machine import describe_machine
from .memory import compare_memory
from .monai_networks import compare_with_monai
from .painters import DENSE, OPTIMIZED, OURS, PUBLISHED
from .painting import compare_hard_maps, compare_painting, compare_training
from .tables import as_markdown, write_results
from .transform import compare_training_loop, compare_transform

Comparisons = Callable[[], Iterable[Comparison]]
_DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}
_WAYS = [PUBLISHED, DENSE, OURS, OPTIMIZED]
#: Filters, side and labels of the cases of painting.
_PAINTED = (*((filters, side, 4) for side in (256, 128) for filters in (64, 32, 16)), (32, 256, 9))


def full(clock: Clock, batches: list[int], dtypes: list[torch.dtype]) -> dict[str, Comparisons]:
    """Return all comparisons of the page."""
    device = clock.device
    return {
        "painting": lambda: chain.from_iterable(
            in_a_process_of_its_own(compare_painting, clock, (filters,), (side,), (labels,), batches, dtypes)
            for filters, side, labels in _PAINTED
        ),
        "hard": lambda: compare_hard_maps(clock, 32, 256, (4,)),
        "training": lambda: chain(
            compare_training(clock, 64, (128,), max(batches[0], 1)), compare_training(clock, 32, (256,), batches[0])
        ),
        "monai": lambda: compare_with_monai(clock, 256, 64),
        "transform": lambda: compare_transform(clock, 256),
        "loop": lambda: compare_training_loop(256, 16, (0, 1, 2), 2, device),
        "memory": lambda: compare_memory(_WAYS, 64, (256,), device),
    }


def quick(clock: Clock, batches: list[int], dtypes: list[torch.dtype]) -> dict[str, Comparisons]:
    """Return the same comparisons, small: to see that all runs, not to be quoted."""
    device = clock.device
    return {
        "painting": lambda: compare_painting(clock, (16,), (256, 128), (4,), batches, dtypes),
        "hard": lambda: compare_hard_maps(clock, 16, 128, (4,)),
        "training": lambda: compare_training(clock, 16, (128,), batches[0]),
        "monai": lambda: compare_with_monai(clock, 128, 16),
        "transform": lambda: compare_transform(clock, 128),
        "loop": lambda: compare_training_loop(64, 16, (0, 1), 1, device),
        "memory": lambda: compare_memory(_WAYS, 16, (128,), device),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="small sizes and few turns, in three minutes")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="some of the comparisons")
    parser.add_argument("--device", default="cpu", type=torch.device)
    parser.add_argument("--batch", nargs="+", type=int, default=[1], help="images a call in painting")
    parser.add_argument("--dtype", nargs="+", choices=_DTYPES, default=["float32"], help="autocast in painting")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path, help="folder of the results; without it they are printed only")
    parser.add_argument("--page", type=Path, help="page whose tables are replaced, between its marks")
    options = parser.parse_args()
    if options.page is not None and not options.page.is_file():
        parser.error(f"Expected a page whose tables are replaced, got {options.page}; copy docs/benchmarks.md there.")
    torch.set_num_threads(options.threads)
    clock = (
        Clock(options.device, budget=2.0, fewest=2, most=10) if options.quick else Clock(options.device, budget=12.0)
    )
    offered = (quick if options.quick else full)(clock, options.batch, [_DTYPES[name] for name in options.dtype])
    chosen = options.only or list(offered)
    if not set(chosen) <= set(offered):
        parser.error(f"Expected some of {', '.join(offered)}, got {', '.join(chosen)}.")
    machine, comparisons, begin = describe_machine(options.device), [], time.perf_counter()
    for name in chosen:
        for comparison in offered[name]():
            comparisons.append(comparison)
            print(as_markdown({"at": f"{time.perf_counter() - begin:.0f} s"}, [comparison]), flush=True)
            if options.out:
                write_results(options.out, options.page, machine, comparisons)
    print(as_markdown(machine, comparisons))


if __name__ == "__main__":
    main()
