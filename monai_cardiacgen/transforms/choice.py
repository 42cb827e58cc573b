"""What is drawn for a sample, and the record from which it can be drawn again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast, get_args

import torch

from ..errors import InputError
from ..types import Mode
from .provenance import Record

#: One mode, several that are equally likely, or a weight for each.
Modes = Mode | Sequence[Mode] | Mapping[Mode, float]

_SEED_RANGE = 2**63 - 1


@dataclass(frozen=True)
class SynthChoice:
    """What is drawn for one sample.

    Attributes:
        mode: how the sample is made.
        seed: of the generator from which the synthesizer draws.
        strength: of `"vary"`.
        condition: what the sample tells of its heart, such as view and phase; None where nobody asks.
    """

    mode: Mode
    seed: int
    strength: float
    condition: Mapping[str, str] | None = None


def mode_weights(mode: Modes) -> dict[Mode, float]:
    """Return a weight for each mode.

    Raises:
        InputError: when a mode is unknown, or no weight is positive.

    Example:
        >>> mode_weights(("new", "vary"))
        {'new': 1.0, 'vary': 1.0}
    """
    if isinstance(mode, str):
        weights: dict[Any, float] = {mode: 1.0}
    elif isinstance(mode, Mapping):
        weights = {name: float(weight) for name, weight in mode.items()}
    else:
        weights = dict.fromkeys(mode, 1.0)
    known = get_args(Mode)
    unknown = [name for name in weights if name not in known]
    bad = [weight for weight in weights.values() if not 0 <= weight < float("inf")]
    if unknown or bad or not sum(weights.values()) > 0:
        raise InputError(f"Expected mode to be of {known}, or weights for them that are not all 0, got {mode!r}.")
    return cast(dict[Mode, float], weights)


def draw_choice(weights: Mapping[Mode, float], strength: float, generator: torch.Generator) -> SynthChoice:
    """Draw a mode by its weight, and a seed."""
    chances = torch.tensor(list(weights.values()), dtype=torch.float64)
    mode = list(weights)[int(torch.multinomial(chances, 1, generator=generator))]
    return SynthChoice(mode, int(torch.randint(_SEED_RANGE, (), generator=generator)), strength)


def record_of(choice: SynthChoice, provenance: Mapping[str, Any]) -> Record:
    """Return the record of a case that the synthesizer of this `provenance` made by this choice."""
    return Record(
        synthetic=True,
        mode=choice.mode,
        seed=choice.seed,
        strength=choice.strength,
        bundle=str(provenance.get("name", "")),
        version=str(provenance.get("version", "")),
    )


def choice_of(record: Mapping[str, Any], provenance: Mapping[str, Any]) -> SynthChoice:
    """Return the choice that led to a record.

    Raises:
        InputError: when the record is a real sample's, none at all, or of another synthesizer than this `provenance`'s.
    """
    if not record.get("synthetic"):
        raise InputError("Expected the record of a synthetic case, got a real sample's; it needs no remaking.")
    try:
        choice = SynthChoice(record["mode"], int(record["seed"]), float(record["strength"]))
        mode_weights(choice.mode)
        found = record["bundle"], record["version"]
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"Expected the record of a synthetic case, got {dict(record)} ({error!r}); pass meta['cardiacgen'] of one."
        ) from error
    mine = record_of(choice, provenance)
    if found != (mine["bundle"], mine["version"]):
        raise InputError(
            f"Expected a record of bundle {mine['bundle']!r} {mine['version']}, got one of "
            f"{record['bundle']!r} {record['version']}; load that bundle to make the case again."
        )
    return choice
