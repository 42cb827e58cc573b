"""Read a set of synthetic cases from one HDF5 file, case by case, in as many processes as one likes."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import torch
from monai.data import MetaTensor
from torch.utils.data import Dataset

from ..errors import DataError
from .image_header import MOST_DEFLATED
from .set_description import CaseRecord, SetDescription

DESCRIPTION = "cardiacgen"
IMAGE, LABEL, AFFINE, NUMBER, RECORD = "image", "label", "affine", "number", "record"
#: NumPy's kinds of numbers: floating point, unsigned, signed.
_KINDS = {IMAGE: "f", LABEL: "u", AFFINE: "f", NUMBER: "i", RECORD: "string"}


class SyntheticHDF5(Dataset[Any]):
    """The cases of a file that `SyntheticHDF5Writer` wrote, in the order of their numbers.

    Each is a dictionary with `image` `(1, *spatial)` float32 and `label` `(1, *spatial)` int64 codes, `MetaTensor`s
    with their affine, and the other keys of a `SyntheticSet`'s items. The file is opened by each process for itself,
    with the first case that it asks for: workers of a `DataLoader` may be forked or spawned.

    Args:
        path: of the file.
        transform: applied to every case, for example a MONAI `Compose`.

    Attributes:
        description: what all cases have in common.

    Raises:
        DataError: when the file is missing or damaged, is no synthetic set, or refers to other files.
    """

    def __init__(self, path: str | os.PathLike[str], transform: Callable[[dict[str, Any]], Any] | None = None) -> None:
        self.path = Path(path)
        self.transform = transform
        with open_hdf5(self.path) as file:
            self.description = read_description(file, self.path)
            numbers = file[NUMBER][:]
            if len(np.unique(numbers)) < len(numbers) or file[IMAGE].ndim != 1 + self.description.spatial_dims:
                raise DataError(
                    f"Expected every case of {self.path} once and with {self.description.spatial_dims} axes, got "
                    f"images of {file[IMAGE].shape} and the numbers {numbers[:8].tolist()}; make the set again."
                )
            self._rows = np.argsort(numbers, kind="stable")
        self._file: h5py.File | None = None
        self._process = -1

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: int) -> Any:
        row = int(self._rows[index])
        file = self._opened()
        try:
            record = CaseRecord.from_json(json.loads(file[RECORD][row]), f"row {row} of {self.path}")
            image, label, affine = (file[key][row] for key in (IMAGE, LABEL, AFFINE))
        except (OSError, ValueError, RecursionError) as error:
            raise DataError(
                f"Expected a whole case in row {row} of {self.path}, could not read it ({error}); make the set again."
            ) from error
        matrix = torch.from_numpy(affine)
        item = {
            IMAGE: MetaTensor(torch.from_numpy(image)[None], affine=matrix),
            LABEL: MetaTensor(torch.from_numpy(label.astype(np.int64))[None], affine=matrix),
            **record.datalist_item(self.description),
        }
        return item if self.transform is None else self.transform(item)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_file": None, "_process": -1}

    def _opened(self) -> h5py.File:
        """Return the file, opened by this very process: a handle must not be shared with a forked worker."""
        if self._file is None or self._process != os.getpid():
            self._file = open_hdf5(self.path)
            self._process = os.getpid()
        return self._file


def open_hdf5(path: Path) -> h5py.File:
    """Open a file of a synthetic set for reading.

    Raises:
        DataError: when it is missing or damaged, lacks a dataset, or one of them lies in another file.
    """
    try:
        file = h5py.File(path, "r")
    except OSError as error:
        raise DataError(
            f"Expected an HDF5 file at {path}, could not open it ({error}); name the file, or write it again."
        ) from error
    problem = _problem(file) or _claim(file, path)
    if problem:
        file.close()
        raise DataError(f"Expected a set of synthetic cases in {path}, got {problem}; do not use this file.")
    return file


def read_description(file: h5py.File, path: Path) -> SetDescription:
    """Return what an open file says about its set; raise `DataError` where it says something else."""
    try:
        content = json.loads(str(file.attrs.get(DESCRIPTION, "")))
    except (ValueError, RecursionError):
        content = {}
    return SetDescription.from_json(content if isinstance(content, dict) else {}, path)


def _problem(file: h5py.File) -> str:
    """Return what speaks against a file, or nothing."""
    counts = set()
    for key, axes in ((IMAGE, None), (LABEL, None), (AFFINE, 3), (NUMBER, 1), (RECORD, 1)):
        if not isinstance(file.get(key, getlink=True), h5py.HardLink):  # others may lead to another file
            return f"no dataset {key!r} of its own"
        dataset = file[key]
        if not isinstance(dataset, h5py.Dataset) or dataset.is_virtual or dataset.external is not None:
            return f"no dataset {key!r} of its own"
        kind = "string" if h5py.check_string_dtype(dataset.dtype) else dataset.dtype.kind
        if axes not in (None, dataset.ndim) or kind != _KINDS[key]:
            return f"{key!r} of shape {dataset.shape} and type {dataset.dtype}"
        counts.add(len(dataset) if dataset.ndim else -1)
    if len(counts) > 1 or file[IMAGE].shape != file[LABEL].shape or file[AFFINE].shape[1:] != (4, 4):
        return "datasets of different lengths"
    return ""


def _claim(file: h5py.File, path: Path) -> str:
    """Return what a file claims to hold beyond what it can, which reading it would take memory for; or nothing."""
    claimed = sum(file[key].nbytes for key in _KINDS)
    most = MOST_DEFLATED * path.stat().st_size
    return f"{path.stat().st_size} bytes that claim to be {claimed}" if claimed > most else ""
