"""The SPADE generator against the published architecture: easy maps, hard maps, training steps, share of the peak."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from functools import partial

import torch

from .alternated import Clock, Comparison
from .hearts import HARD_CASES, distinct_share
from .machine import operations, peak_convolution
from .painters import DENSE, FLOOR, PEAK, PUBLISHED, main_convolutions, painting_ways, pair_of, training_ways


def compare_painting(
    clock: Clock,
    filters: Sequence[int],
    sizes: Sequence[int],
    labels: Sequence[int],
    batches: Sequence[int],
    dtypes: Sequence[torch.dtype],
) -> Iterator[Comparison]:
    """Paint fresh label maps in every way; the floor and the machine's peak are timed among them."""
    for number, side, classes in ((n, s, c) for c in labels for s in sizes for n in filters):
        pair = pair_of(number, side, classes, clock.device)
        for batch, dtype in ((b, d) for d in dtypes for b in batches):
            ways = painting_ways(pair, dtype)
            ways[FLOOR] = main_convolutions(pair, batch, dtype)
            ways[PEAK] = peak_convolution(clock.device, dtype)
            seconds, differences = clock.alternate(ways, partial(pair.inputs, batch=batch), PUBLISHED)
            rates = {way: operations(ways[way], *pair.inputs(0, batch)) / 1e9 for way in (FLOOR, PEAK)}
            yield Comparison(
                "painting",
                f"{number} filters, {side} x {side}, {classes} labels" + _how(batch, dtype),
                PUBLISHED,
                seconds,
                differences,
                _shares(seconds, rates),
            )


def _how(batch: int, dtype: torch.dtype) -> str:
    """Return what a case's name says beyond one image in float32."""
    return (f", batch {batch}" if batch > 1 else "") + ("" if dtype == torch.float32 else f", {str(dtype)[6:]}")


def _shares(seconds: dict[str, list[float]], billions: dict[str, float]) -> dict[str, str]:
    """Return of every way how near it comes to the floor and to the machine's peak.

    The share of the peak counts only the operations that no way can leave away: those of the main convolutions.
    """
    peak = billions[PEAK] / statistics.median(seconds[PEAK])
    notes = {PEAK: f"{peak:.0f} GFLOP/s"}
    for way, times in seconds.items():
        if way != PEAK:
            floor = statistics.median([f / t for f, t in zip(seconds[FLOOR], times, strict=True)])
            used = billions[FLOOR] / statistics.median(times) / peak
            notes[way] = f"{100 * floor:.0f} % of the floor, {100 * used:.0f} % of the peak"
    return notes


def compare_hard_maps(clock: Clock, filters: int, size: int, labels: Sequence[int]) -> Iterator[Comparison]:
    """Paint maps on which distinct patches save less or nothing: no way should be slower than the convolutions."""
    for classes in labels:
        pair = pair_of(filters, size, classes, clock.device)
        for name, change in HARD_CASES.items():
            ways = painting_ways(pair, torch.float32)
            share = distinct_share(pair.inputs(0, 1, change)[0].cpu())
            seconds, differences = clock.alternate(ways, partial(pair.inputs, change=change), DENSE)
            case = f"{name}, {classes} labels ({100 * share:.1f} % of the patches distinct)"
            yield Comparison("hard maps", case, DENSE, seconds, differences)


def compare_training(clock: Clock, filters: int, sizes: Sequence[int], batch: int) -> Iterator[Comparison]:
    """Run forward and backward passes; differences are of the gradients, relative to the largest."""
    for size in sizes:
        pair = pair_of(filters, size, 4, clock.device)
        ways = training_ways(pair)
        seconds, differences = clock.alternate(ways, partial(pair.inputs, batch=batch), PUBLISHED)
        largest = max(float(weight.grad.abs().max()) for weight in pair.published.parameters())
        relative = {way: away / largest for way, away in differences.items()}
        case = f"{filters} filters, {size} x {size}, batch {batch}"
        yield Comparison("training step", case, PUBLISHED, seconds, relative)
