"""The memorisation test of a synthetic-data card: which cases are copies of real slices, and of which."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch

from ...metrics import Memorisation, find_memorised
from .card_cases import CardCases

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Pair:
    """A synthetic case beside the real slice that it is nearest to.

    Attributes:
        case: name of the synthetic case.
        real: name of the real slice.
        nearness: how many times nearer it is to that slice than to any slice of the other patients.
        limit: nearness above which a case is a copy.
        correlation: with that slice, at the best place.
        flipped: axes along which the case has to be flipped to lie on the slice.
        shift: pixels by which it has then to be moved.
        images: the case, the case moved onto the slice, the slice, and the nearest of the other patients,
            `(4, H, W)`.
    """

    case: str
    real: str
    nearness: float
    limit: float
    correlation: float
    flipped: tuple[int, ...]
    shift: tuple[int, ...]
    images: torch.Tensor

    @property
    def excess(self) -> float:
        """Nearness over its limit: above 1 the case counts as a copy."""
        return self.nearness / self.limit

    @property
    def is_copy(self) -> bool:
        """Whether the case counts as a copy."""
        return self.excess > 1


@dataclass(frozen=True)
class Copies:
    """What the test found.

    Attributes:
        pairs: every case with its nearest real slice, the nearest first.
        limits: of each comparison that was made.
        chance: nearness of held-out real slices, of all comparisons.
        compared: one sentence: what was compared with what.
    """

    pairs: tuple[Pair, ...]
    limits: tuple[float, ...]
    chance: torch.Tensor
    compared: str

    @property
    def cases(self) -> list[str]:
        """Names of the copies."""
        return sorted(pair.case for pair in self.pairs if pair.is_copy)


def find_copies(made: CardCases, training: CardCases, others: CardCases, known: bool, progress: Progress) -> Copies:
    """Compare each case with all real slices.

    Args:
        made: the set.
        training: slices of the patients that the generator was trained on, or of one half of all patients.
        others: slices of the other patients.
        known: whether the generator has not seen the others. Where that is not known, the test is made both ways: a
            copy is much nearer to one slice of either half than to all of the other half.
        progress: called with the number of comparisons done and their total.
    """
    ways = [(training, others)] if known else [(training, others), (others, training)]
    best: dict[str, Pair] = {}
    limits, chances = [], []
    for done, (near, far) in enumerate(ways, start=1):
        found = find_memorised(made.image, near.image, far.image, far.groups)
        for row in range(len(made)):
            pair = _pair(made, near, far, found, row)
            if pair.case not in best or pair.excess > best[pair.case].excess:
                best[pair.case] = pair
        limits.append(found.limit)
        chances.append(found.chance)
        progress(done, len(ways))
    pairs = sorted(best.values(), key=lambda pair: pair.excess, reverse=True)
    return Copies(tuple(pairs), tuple(limits), torch.cat(chances), _compared(training, others, known))


def _pair(made: CardCases, near: CardCases, far: CardCases, found: Memorisation, row: int) -> Pair:
    match, image = found.training, made.image[row, 0]
    flipped = tuple(axis for axis, whether in enumerate(match.flipped[row].tolist()) if whether)
    shift = tuple(match.shift[row].tolist())
    real, stranger = (
        cases.image[int(index[row]), 0] for cases, index in ((near, match.index), (far, found.held_out.index))
    )
    return Pair(
        made.names[row],
        near.names[int(match.index[row])],
        float(found.nearness[row]),
        found.limit,
        float(match.correlation[row]),
        flipped,
        shift,
        torch.stack([image, _moved(image.flip(flipped), shift), real, stranger]),
    )


def _moved(image: torch.Tensor, shift: Sequence[int]) -> torch.Tensor:
    """Return an image moved by whole pixels; what comes in from outside is black."""
    moved = image.roll(tuple(shift), tuple(range(image.ndim)))
    for axis, by in enumerate(shift):
        outside = range(by) if by > 0 else range(image.shape[axis] + by, image.shape[axis])
        moved = moved.index_fill(axis, torch.tensor(list(outside), dtype=torch.int64), 0.0)
    return moved


def _compared(training: CardCases, others: CardCases, known: bool) -> str:
    numbers = [f"{len(cases)} slices of {len(set(cases.patients))} patients" for cases in (training, others)]
    if known:
        return f"Every case was compared with {numbers[0]} in training; {numbers[1]} that were held out give chance."
    return (
        f"Which patients the generator was trained on is not known: every case was compared with {numbers[0]} and with "
        f"{numbers[1]}, and each side gave chance for the other."
    )


__all__ = ["Copies", "Pair", "find_copies"]
