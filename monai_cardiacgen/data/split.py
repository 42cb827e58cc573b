"""Patients for training, validation and testing: nobody is in two of them."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import torch

from ..errors import DataError, InputError
from ..seeding import seeded
from .files import read_json, write_json

PARTS = ("training", "validation", "testing")


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
        items: datalist items with the keys `patient` and, where there are groups, `group`, as the readers give them.
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
    groups = _groups(items)
    if training < 1 or validation < 0 or training + validation >= len(groups):
        raise InputError(
            f"Expected at least 1 training patient and 1 left for testing of {len(groups)} patients, "
            f"got {training} for training and {validation} for validation; ask for fewer."
        )
    queues = _shuffled(groups, seed)
    rounds = max((len(queue) for queue in queues), default=0)
    order = [queue[turn] for turn in range(rounds) for queue in queues if turn < len(queue)]
    parts = (order[:training], order[training : training + validation], order[training + validation :])
    return _split(items, parts)


def folds_by_patient(items: Sequence[dict[str, Any]], folds: int, seed: int) -> list[Split]:
    """Split a datalist by patient for cross-validation: each patient is for testing in exactly one of the splits.

    Each fold gets as many patients of each group as the others, give or take one.

    Args:
        items: see `split_by_patient`.
        folds: number of splits, at least 2 and at most the number of patients.
        seed: another seed draws other patients.

    Returns:
        One split a fold; all patients who are not tested are for training, nobody is for validation.

    Raises:
        InputError: when `folds` is out of range.
        DataError: when a patient's items name two groups.

    Example:
        >>> items = [{"patient": f"p{n}", "group": "DCM" if n % 2 else "NOR"} for n in range(8)]
        >>> [sorted(item["group"] for item in split.testing) for split in folds_by_patient(items, folds=4, seed=0)]
        [['DCM', 'NOR'], ['DCM', 'NOR'], ['DCM', 'NOR'], ['DCM', 'NOR']]
    """
    groups = _groups(items)
    if not 2 <= folds <= len(groups):
        raise InputError(f"Expected 2 folds or more and at most one a patient ({len(groups)}), got {folds}.")
    order = list(chain.from_iterable(_shuffled(groups, seed)))  # group after group, dealt out like cards
    hands = [order[fold::folds] for fold in range(folds)]
    return [_split(items, ([one for one in order if one not in set(hand)], [], hand)) for hand in hands]


def write_split(path: str | os.PathLike[str], split: Split) -> None:
    """Write the patients of each part as JSON, so that others can train and test on the very same ones.

    Raises:
        DataError: when a patient is in two parts.
    """
    content = {part: sorted({item["patient"] for item in getattr(split, part)}) for part in PARTS}
    _check_once(content, "the split to write")
    write_json(Path(path), content)


def read_split(path: str | os.PathLike[str], items: Sequence[dict[str, Any]]) -> Split:
    """Return the split of a datalist that `write_split` wrote.

    Args:
        path: the JSON file: an object of the lists `training`, `validation` and `testing` of patients.
        items: the datalist of all these patients, and of nobody else.

    Raises:
        DataError: when the file is missing or no split, a patient is in two parts, or file and datalist name
            different patients.
    """
    source = Path(path)
    content = read_json(source)
    lists = [content.get(part) for part in PARTS]
    names = [name for one in lists if isinstance(one, list) for name in one]
    if set(content) != set(PARTS) or not all(isinstance(one, list) for one in lists):
        raise DataError(f"Expected the lists {', '.join(PARTS)} in {source}, got {sorted(content)}; write it again.")
    if not all(isinstance(name, str) for name in names):
        raise DataError(f"Expected the names of patients in {source}, got other values; write it again.")
    _check_once(content, str(source))
    patients = {item["patient"] for item in items}
    for missing, where, remedy in (
        (set(names) - patients, "the datalist", "read the folder that the split was made of"),
        (patients - set(names), f"the split {source}", "leave these items out, or split again"),
    ):
        if missing:
            raise DataError(
                f"Expected the same patients in split and datalist, {where} lacks {_few(missing)}; {remedy}."
            )
    return _split(items, tuple(content[part] for part in PARTS))


def _check_once(content: dict[str, list[str]], where: str) -> None:
    counts = Counter(chain.from_iterable(content[part] for part in PARTS))
    twice = {patient for patient, count in counts.items() if count > 1}
    if twice:
        raise DataError(f"Expected every patient once in {where}, got more of {_few(twice)}; split again by patient.")


def _few(names: set[str]) -> str:
    """Return up to five names and how many more there are."""
    shown = ", ".join(sorted(names)[:5])
    return shown if len(names) <= 5 else f"{shown} and {len(names) - 5} more"


def _split(items: Sequence[dict[str, Any]], parts: Sequence[Sequence[str]]) -> Split:
    chosen = [set(part) for part in parts]
    return Split(*([item for item in items if item["patient"] in part] for part in chosen))


def _groups(items: Sequence[dict[str, Any]]) -> dict[str, str]:
    """Return each patient's group; one for all where the items have none."""
    groups: dict[str, str] = {}
    for item in items:
        if "patient" not in item:
            raise DataError(
                f"Expected a patient in every item, got one with {sorted(item)}; name whose images these are."
            )
        group = item.get("group", "unknown")
        if groups.setdefault(item["patient"], group) != group:
            raise DataError(
                f"Expected one group for {item['patient']}, got {groups[item['patient']]!r} and "
                f"{group!r}; correct the items of this patient."
            )
    return groups


def _shuffled(groups: dict[str, str], seed: int) -> list[list[str]]:
    """Return the patients of each group, groups and patients in random order."""
    generator = seeded(seed)
    queues = []
    names = sorted(set(groups.values()))
    for index in torch.randperm(len(names), generator=generator).tolist():
        members = sorted(patient for patient, group in groups.items() if group == names[index])
        queues.append([members[place] for place in torch.randperm(len(members), generator=generator).tolist()])
    return queues
