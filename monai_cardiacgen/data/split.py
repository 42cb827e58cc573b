"""Patients for training, validation and testing: nobody is in two of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from ..errors import DataError, InputError
from ..seeding import seeded


@dataclass(frozen=True)
class Split:
    """Datalist items by what they are for; each patient is in exactly one list."""

    training: list[dict[str, Any]]
    validation: list[dict[str, Any]]
    testing: list[dict[str, Any]]


def split_by_patient(items: Sequence[dict[str, Any]], training: int, validation: int, seed: int) -> Split:
    """Split a datalist by patient, each part with the pathology groups as even as their patients allow.

    The patients are shuffled within their groups, and the groups take turns: first for training, then for
    validation; all others are for testing.

    Args:
        items: datalist items with the keys `patient` and `group`, as `read_acdc` gives them.
        training: number of patients to train with, at least 1.
        validation: number of patients to choose settings with, may be 0.
        seed: another seed draws other patients.

    Returns:
        The items in their own order; at least one patient is left for testing.

    Raises:
        InputError: when the numbers are out of range or leave nobody for testing.
        DataError: when a patient's items name two groups.

    Example:
        >>> items = [{"patient": f"p{n}", "group": "DCM" if n % 2 else "NOR"} for n in range(8)]
        >>> split = split_by_patient(items, training=2, validation=2, seed=0)
        >>> sorted(item["group"] for item in split.training), len(split.testing)
        (['DCM', 'NOR'], 4)
    """
    groups: dict[str, str] = {}
    for item in items:
        if groups.setdefault(item["patient"], item["group"]) != item["group"]:
            raise DataError(
                f"Expected one group for {item['patient']}, got {groups[item['patient']]!r} and "
                f"{item['group']!r}; correct its Info.cfg."
            )
    if training < 1 or validation < 0 or training + validation >= len(groups):
        raise InputError(
            f"Expected at least 1 training patient and 1 left for testing of {len(groups)} patients, "
            f"got {training} for training and {validation} for validation; ask for fewer."
        )
    order = _take_turns(groups, seed)
    parts = (order[:training], order[training : training + validation], order[training + validation :])
    chosen = [[item for item in items if item["patient"] in set(part)] for part in parts]
    return Split(*chosen)


def _take_turns(groups: dict[str, str], seed: int) -> list[str]:
    """Return all patients, drawn from each group in turn."""
    generator = seeded(seed)
    queues = []
    names = sorted(set(groups.values()))
    for index in torch.randperm(len(names), generator=generator).tolist():
        members = sorted(patient for patient, group in groups.items() if group == names[index])
        queues.append([members[place] for place in torch.randperm(len(members), generator=generator).tolist()])
    rounds = max((len(queue) for queue in queues), default=0)
    return [queue[turn] for turn in range(rounds) for queue in queues if turn < len(queue)]
