"""Write large sets of synthetic cases into one HDF5 file, part by part, so that little is lost when it stops."""

from __future__ import annotations

import json
import os
from pathlib import Path
from types import TracebackType
from typing import Any

import h5py
import numpy as np
import torch

from ..errors import InputError, ShapeError
from .case_files import checked_affine, checked_pair
from .files import whole_file
from .set_description import CaseRecord, SetDescription
from .synthetic_hdf5 import AFFINE, DESCRIPTION, IMAGE, LABEL, NUMBER, RECORD, open_hdf5, read_description

_IN_MEMORY = 64  # rows that are copied at a time


class SyntheticHDF5Writer:
    """Writes synthetic cases of one size into one compressed HDF5 file.

    The file has a dataset a key: `image` `(N, *spatial)` float32, `label` `(N, *spatial)` (the scheme's codes),
    `affine` `(N, 4, 4)`, `number` `(N,)` and `record` `(N,)` (JSON); one chunk a case, so that reading a case unpacks
    nothing else. An HDF5 file whose writer was killed may not open again. So cases are collected, and every
    `part_size` of them become a whole file of their own in the folder `NAME.parts`; `close` joins these, and what the
    file held already, into one file written beside and renamed. A killed writer loses at most the part that it was
    collecting, and the next one goes on from there. One writer at a time.

    Args:
        path: of the file; a set that it holds is continued.
        description: what all cases have in common.
        part_size: cases a part.

    Raises:
        InputError: when the file holds a set of another description, or `part_size` is below 1.
        DataError: when what is there is damaged.
    """

    def __init__(self, path: str | os.PathLike[str], description: SetDescription, part_size: int = 64) -> None:
        if part_size < 1:
            raise InputError(f"Expected at least one case a part, got {part_size}.")
        self.path = Path(path)
        self.description = description
        self.part_size = part_size
        self._parts = self.path.with_name(f"{self.path.name}.parts")
        self._collected: list[dict[str, Any]] = []
        self._numbers: set[int] = set()
        self._size: tuple[int, ...] | None = None
        self._parts.mkdir(parents=True, exist_ok=True)
        for left in (*self._parts.glob(".*.part"), *self.path.parent.glob(f".{self.path.name}.*.part")):
            left.unlink()  # by a writer that was killed
        for one in self._whole_files():
            self._take_over(one)

    def __enter__(self) -> SyntheticHDF5Writer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def missing(self, count: int) -> list[int]:
        """Return the numbers below `count` that the set does not hold yet."""
        return [number for number in range(count) if number not in self._numbers]

    def add(self, image: torch.Tensor, label: torch.Tensor, record: CaseRecord, affine: Any = None) -> None:
        """Collect one case; arguments and errors are those of `SyntheticSetWriter.add`.

        Raises:
            ShapeError: also when the size is another than that of the set's first case.
        """
        if record.number in self._numbers:
            raise InputError(f"Expected a case that {self.path} lacks, got {record.case}; ask missing() for numbers.")
        pixels, codes = checked_pair(image, label, self.description.scheme, self.description.spatial_dims)
        if self._size not in (None, pixels.shape):
            raise ShapeError(
                f"Expected cases of {self._size} voxels, the first one's, got {pixels.shape}; crop or pad."
            )
        self._size = pixels.shape
        case = {
            IMAGE: pixels,
            LABEL: codes,
            AFFINE: checked_affine(affine, self.description.spacing),
            NUMBER: np.int64(record.number),
            RECORD: json.dumps(record.to_json()),
        }
        self._collected.append(case)
        self._numbers.add(record.number)
        if len(self._collected) == self.part_size:
            self._write_part()

    def close(self) -> None:
        """Join all parts into the one file; more can be added by another writer."""
        if self._collected:
            self._write_part()
        parts = sorted(self._parts.glob("part_*.h5"))
        if parts:
            with whole_file(self.path) as beside, h5py.File(beside, "w") as file:
                self._describe(file)
                for one in self._whole_files():
                    with open_hdf5(one) as source:
                        _append(file, source)
        for part in parts:
            part.unlink()
        self._parts.rmdir()

    def _write_part(self) -> None:
        """Write the collected cases as a whole file, named by its first case."""
        columns = {key: np.stack([case[key] for case in self._collected]) for key in (IMAGE, LABEL, AFFINE, NUMBER)}
        first = int(columns[NUMBER][0])
        with whole_file(self._parts / f"part_{first:09d}.h5") as beside, h5py.File(beside, "w") as file:
            self._describe(file)
            _append(file, {**columns, RECORD: np.array([case[RECORD] for case in self._collected], dtype=object)})
        self._collected = []

    def _describe(self, file: h5py.File) -> None:
        file.attrs[DESCRIPTION] = json.dumps(self.description.to_json())

    def _whole_files(self) -> list[Path]:
        """Return the file, where it is there, and the parts that are not joined yet."""
        return [self.path] * self.path.exists() + sorted(self._parts.glob("part_*.h5"))

    def _take_over(self, path: Path) -> None:
        """Learn what a whole file holds; drop a part that was joined before the writer was killed."""
        with open_hdf5(path) as file:
            there = read_description(file, path)
            numbers = set(file[NUMBER][:].tolist())
            size = tuple(file[IMAGE].shape[1:])
        if there != self.description:
            raise InputError(
                f"Expected the set in {self.path} to be the one that is continued, but it was begun as "
                f"{there.to_json()}, not as {self.description.to_json()}; name another file."
            )
        if path != self.path and numbers <= self._numbers:
            path.unlink()
        self._numbers |= numbers
        self._size = size


def _append(file: h5py.File, rows: Any) -> None:
    """Append the rows of another file, or of a dictionary of arrays; the first ones make the datasets."""
    for key in (IMAGE, LABEL, AFFINE, NUMBER, RECORD):
        if key not in file:
            _make(file, key, rows[key].shape[1:])
        there, count = len(file[key]), len(rows[key])
        file[key].resize(there + count, axis=0)
        for start in range(0, count, _IN_MEMORY):
            some = slice(start, min(start + _IN_MEMORY, count))
            file[key][there + some.start : there + some.stop] = rows[key][some]


def _make(file: h5py.File, key: str, shape: tuple[int, ...]) -> None:
    kinds = {IMAGE: np.float32, LABEL: np.uint16, AFFINE: np.float64, NUMBER: np.int64, RECORD: h5py.string_dtype()}
    if key in (IMAGE, LABEL):
        file.create_dataset(
            key, (0, *shape), kinds[key], maxshape=(None, *shape), chunks=(1, *shape), compression="gzip", shuffle=True
        )
    else:
        file.create_dataset(key, (0, *shape), kinds[key], maxshape=(None, *shape), chunks=(256, *shape))
