"""Phantom patients written one after the other, a folder each, none of them half."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from ..errors import DataError, InputError
from ..seeding import seeded


def write_patient_folders(
    folder: str | os.PathLike[str],
    patients: int,
    seed: int,
    name: str,
    write: Callable[[Path, str, int], None],
    progress: Callable[[int], None] | None,
) -> Path:
    """Write the patients that a folder lacks, each beside its place, and renamed when complete.

    Args:
        folder: made where it does not exist; patients that it already holds are kept.
        patients: how many patients the folder shall hold, at least 1.
        seed: 0 or greater.
        name: of a patient's folder, with a field for the number: `"patient{:03d}"`.
        write: called with a folder to write into, the patient's name and number.
        progress: called with the number of patients that exist, after each.

    Returns:
        The folder.

    Raises:
        InputError: when `patients` or `seed` is out of range.
        DataError: when there can be no such folder.
    """
    check_patients(patients, seed)
    root = Path(folder)
    try:
        root.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(
            f"Expected a folder to write to at {root}, but the system refuses ({error.strerror}); name another place."
        ) from error
    for number in range(1, patients + 1):
        target = root / name.format(number)
        if not target.exists():
            beside = empty_beside(target)
            write(beside, target.name, number)
            beside.rename(target)
        if progress is not None:
            progress(number)
    return root


def check_patients(patients: int, seed: int) -> None:
    """Raise `InputError` unless there is a patient to write, and the seed is one."""
    if patients < 1 or seed < 0:
        raise InputError(f"Expected at least 1 patient and a seed of at least 0, got {patients} and {seed}.")


def empty_beside(target: Path) -> Path:
    """Return an empty folder beside `target`, in place of one that a stopped run left."""
    beside = target.with_name(f".{target.name}.partial")
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir()
    return beside


def patient_generator(seed: int, number: int, *stream: int) -> torch.Generator:
    """Return a generator that depends on the seed, the patient's number and, where there are several, the stream."""
    return seeded(int(np.random.SeedSequence((seed, number, *stream)).generate_state(1, np.uint64)[0]))
