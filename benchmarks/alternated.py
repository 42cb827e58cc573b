"""Timing in turns: every way does the same input before the next input comes, so that all see the same machine."""

from __future__ import annotations

import multiprocessing
import statistics
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import torch

#: What is timed: a way of doing something with one turn's input.
Way = Callable[..., Any]


@dataclass(frozen=True)
class Spread:
    """Middle, least and greatest of some values."""

    median: float
    least: float
    greatest: float

    @classmethod
    def of(cls, values: list[float]) -> Spread:
        """Return the spread of one value or more."""
        return cls(statistics.median(values), min(values), max(values))


@dataclass(frozen=True)
class Comparison:
    """The ways of doing one thing, with what they took.

    Attributes:
        table: the table to which it belongs.
        case: what was done, for example "64 filters, 256 x 256, 4 labels".
        baseline: the way that the others are compared with.
        values: of every way in every turn: seconds, or bytes of memory.
        differences: the largest absolute difference of a way's results from the baseline's.
        notes: more figures by way, already with their units.
    """

    table: str
    case: str
    baseline: str
    values: Mapping[str, list[float]]
    differences: Mapping[str, float] = field(default_factory=dict)
    notes: Mapping[str, str] = field(default_factory=dict)

    def times_less(self, way: str) -> Spread:
        """Return how many times less than the baseline a way took, turn by turn."""
        return Spread.of([slow / fast for slow, fast in zip(self.values[self.baseline], self.values[way], strict=True)])


@dataclass(frozen=True)
class Clock:
    """How a call is timed, and for how long one comparison may go on.

    Attributes:
        device: on a GPU its queue is emptied before and after.
        budget: seconds of the clock on a wall for the turns of one comparison; the fewest turns are made anyhow.
        fewest, most: number of turns, without the first, which warms up and is not counted.
    """

    device: torch.device
    budget: float = 30.0
    fewest: int = 5
    most: int = 25

    def seconds(self, call: Callable[[], Any]) -> tuple[float, Any]:
        """Return the time of a call and its result.

        On the CPU it is the processor time of this process: of one thread, other processes do not lengthen it much.
        """
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
            begin = time.perf_counter()
            result = call()
            torch.cuda.synchronize(self.device)
            return time.perf_counter() - begin, result
        begin = time.process_time()
        result = call()
        return time.process_time() - begin, result

    def alternate(
        self, ways: Mapping[str, Way], draw: Callable[[int], tuple[Any, ...]], baseline: str
    ) -> tuple[dict[str, list[float]], dict[str, float]]:
        """Time the ways in turns.

        Args:
            ways: by name; those that return None are timed only.
            draw: makes the input of a turn from its number; not timed.
            baseline: the way whose results are the reference.

        Returns:
            The seconds by way and turn, and the largest differences from the baseline's results, all turns included.
        """
        names = list(ways)
        seconds: dict[str, list[float]] = {name: [] for name in names}
        differences = {name: 0.0 for name in names}
        turn, begin = 0, time.perf_counter()
        while turn <= self.fewest or (turn <= self.most and time.perf_counter() - begin < self.budget):
            inputs, results = draw(turn), {}
            first = turn % len(names)  # nobody always follows the same neighbour
            for name in names[first:] + names[:first]:
                elapsed, results[name] = self.seconds(lambda way=ways[name], given=inputs: way(*given))
                if turn:
                    seconds[name].append(elapsed)
            for name, result in results.items():
                if result is None or results[baseline] is None:
                    differences.pop(name, None)
                else:
                    differences[name] = max(differences[name], _largest_difference(result, results[baseline]))
            if not turn:
                begin = time.perf_counter()
            turn += 1
        return seconds, differences


def _largest_difference(result: torch.Tensor | list[torch.Tensor], expected: Any) -> float:
    pairs = zip(result, expected, strict=True) if isinstance(result, list) else [(result, expected)]
    return max(float((one.float() - other.float()).abs().max()) for one, other in pairs)


def in_a_process_of_its_own(compare: Callable[..., Iterable[Comparison]], *given: Any) -> list[Comparison]:
    """Return the comparisons that a function of a module makes in a fresh process with as many threads as here.

    What a first touch of fresh memory costs depends on what a process did before: a small network after a large one
    finds pages that the system has cleared already, and one in a process of its own, as users run it, does not.
    """
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, context, torch.set_num_threads, (torch.get_num_threads(),)) as process:
        return process.submit(_all_of, compare, given).result()


def _all_of(compare: Callable[..., Iterable[Comparison]], given: tuple[Any, ...]) -> list[Comparison]:
    return list(compare(*given))
