"""Write large sets of synthetic cases into one HDF5 file, part by part, so that little is lost when it stops."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from threading import Lock
from typing import Any

import h5py
import numpy as np
import torch

from ..errors import DataError, InputError, ShapeError
from .case_files import checked_affine, checked_pair
from .disk_space import check_free_space
from .files import check_writable, whole_file
from .set_description import CaseRecord, SetDescription
from .set_writer import SetWriter, check_numbers_differ
from .synthetic_hdf5 import AFFINE, DESCRIPTION, IMAGE, LABEL, NUMBER, RECORD, open_hdf5, read_description
from .writer_lock import WriterLock

_KINDS = {IMAGE: np.float32, LABEL: np.uint16, AFFINE: np.float64, NUMBER: np.int64, RECORD: h5py.string_dtype()}


class SyntheticHDF5Writer(SetWriter):
    """Writes synthetic cases of one size into one compressed HDF5 file.

    The file has a dataset a key: `image` `(N, *spatial)` float32, `label` `(N, *spatial)` (the scheme's codes),
    `affine` `(N, 4, 4)`, `number` `(N,)` and `record` `(N,)` (JSON), in the order of the numbers; one chunk a case, so
    that reading a case unpacks nothing else. An HDF5 file whose writer was killed may not open again. So cases are
    collected, and every `part_size` of them become a whole file of their own in the folder `NAME.parts`; `close` joins
    these, and what the file held already, into one file written beside and renamed; compressed chunks are copied as
    they are. A killed writer loses at most the part that it was collecting, and the next one goes on from there.

    Several processes, on one machine or on several that share the folder, may write one set together: one of them
    as rank 0, which begins first and closes last, the others with ranks of their own. Threads may share a writer
    through `add_all`.

    Args:
        path: of the file; a set that it holds is continued.
        description: what all cases have in common.
        part_size: cases a part.
        rank: 0 for the only writer, or the one that begins and ends the set; it holds a lock meanwhile.

    Raises:
        InputError: when the file holds a set of another description, or `part_size` is below 1.
        DataError: when what is there is damaged, or another run writes it.
    """

    def __init__(
        self, path: str | os.PathLike[str], description: SetDescription, part_size: int = 64, rank: int = 0
    ) -> None:
        if part_size < 1:
            raise InputError(f"Expected at least one case a part, got {part_size}.")
        super().__init__(description, rank)
        self.path = Path(path)
        self.part_size = part_size
        self._parts = self.path.with_name(f"{self.path.name}.parts")
        self._collected: list[dict[str, Any]] = []
        self._size: tuple[int, ...] | None = None
        self._state = Lock()
        try:
            if rank == 0:
                self._begin()
            for one in self._whole_files():
                self._take_over(one)
        except BaseException:
            self._release()
            raise

    def add(self, image: torch.Tensor, label: torch.Tensor, record: CaseRecord, affine: Any = None) -> None:
        """Collect one case; arguments and errors are those of `SyntheticSetWriter.add`.

        Raises:
            ShapeError: also when the size is another than that of the set's first case.
        """
        self._collected.append(self._checked(image, label, record, affine))
        self._numbers.add(record.number)
        if len(self._collected) == self.part_size:
            self._write_collected()

    def add_all(self, cases: Sequence[tuple[torch.Tensor, torch.Tensor, CaseRecord]], affine: Any = None) -> None:
        """Write several cases as one part at once; arguments and errors are those of `add`."""
        check_numbers_differ([record for _, _, record in cases])
        if not cases:
            return
        self._write_part([self._checked(*case, affine) for case in cases])
        with self._state:
            self._numbers |= {record.number for _, _, record in cases}

    def close(self) -> None:
        """Write what is collected; as rank 0, join all parts into the one file.

        All other ranks must have closed before; another writer can add more later.
        """
        try:
            if self._collected:
                self._write_collected()
            if self.rank == 0:
                self._join()
        finally:
            self._release()

    def _checked(self, image: torch.Tensor, label: torch.Tensor, record: CaseRecord, affine: Any) -> dict[str, Any]:
        """Return a case as the rows of the datasets."""
        if record.number in self._numbers:
            raise InputError(f"Expected a case that {self.path} lacks, got {record.case}; ask missing() for numbers.")
        pixels, codes = checked_pair(image, label, self.description.scheme, self.description.spatial_dims)
        with self._state:
            self._size = self._size or pixels.shape
        if self._size != pixels.shape:
            raise ShapeError(
                f"Expected cases of {self._size} voxels, the first one's, got {pixels.shape}; crop or pad."
            )
        return {
            IMAGE: pixels,
            LABEL: codes,
            AFFINE: checked_affine(affine, self.description.spacing),
            NUMBER: record.number,
            RECORD: json.dumps(record.to_json()),
        }

    def _write_collected(self) -> None:
        self._write_part(self._collected)
        self._collected = []

    def _write_part(self, cases: list[dict[str, Any]]) -> None:
        """Write cases as a whole file, named by its first case.

        HDF5 writes to memory: a full disk in the middle of its own writing leaves a file that it cannot close.
        """
        part = self._parts / f"part_{cases[0][NUMBER]:09d}.h5"
        with h5py.File(part, "w", driver="core", backing_store=False) as file:
            self._describe(file)
            _make_datasets(file, len(cases), cases[0][IMAGE].shape)
            for key in _KINDS:
                values = [case[key] for case in cases]
                file[key][...] = np.array(values, dtype=object) if key == RECORD else np.stack(values)
            file.flush()
            content = file.id.get_file_image()
        with whole_file(part) as beside:
            beside.write_bytes(content)

    def _join(self) -> None:
        """Write all whole files' cases into one file, in the order of their numbers, and remove the parts."""
        parts = sorted(self._parts.glob("part_*.h5"))
        if parts:
            sources = self._whole_files()
            check_free_space(self.path, sum(one.stat().st_size for one in sources), files=1)
            with whole_file(self.path) as beside, h5py.File(beside, "w") as file:
                self._describe(file)
                _copy_in_order(sources, file)
        for part in parts:
            part.unlink()

    def _describe(self, file: h5py.File) -> None:
        file.attrs[DESCRIPTION] = json.dumps(self.description.to_json())

    def _whole_files(self) -> list[Path]:
        """Return the file, where it is there, and the parts that are not joined yet."""
        return [self.path] * self.path.exists() + sorted(self._parts.glob("part_*.h5"))

    def _begin(self) -> None:
        check_writable(self.path)
        self._parts.mkdir(parents=True, exist_ok=True)
        self._lock = WriterLock(self._parts / ".lock", self.path)
        for left in (*self._parts.glob(".*.part"), *self.path.parent.glob(f".{self.path.name}.*.part")):
            left.unlink()  # by a writer that was killed

    def _release(self) -> None:
        """Let go of the lock, and of the folder of the parts when it is empty."""
        held = self._lock is not None
        super()._release()
        if held and not any(self._parts.iterdir()):
            self._parts.rmdir()

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
        if self.rank == 0 and path != self.path and numbers <= self._numbers:
            path.unlink()
        self._numbers |= numbers
        self._size = size


def _copy_in_order(sources: list[Path], target: h5py.File) -> None:
    """Write every case of whole files once, in the order of the numbers; the bytes do not depend on the files' cut."""
    places: dict[int, tuple[Path, int]] = {}
    rows: dict[str, dict[int, Any]] = {AFFINE: {}, RECORD: {}}
    size: tuple[int, ...] = ()
    for source in sources:
        with open_hdf5(source) as file:
            size = file[IMAGE].shape[1:]
            _check_chunks(file, source)
            numbers, *columns = (file[key][:] for key in (NUMBER, AFFINE, RECORD))
        for row, number in enumerate(numbers.tolist()):
            if number not in places:
                places[number] = (source, row)
                for key, column in zip((AFFINE, RECORD), columns, strict=True):
                    rows[key][number] = column[row]
    order = sorted(places)
    _make_datasets(target, len(order), size)
    target[NUMBER][...] = order
    target[AFFINE][...] = np.stack([rows[AFFINE][number] for number in order])
    target[RECORD][...] = np.array([rows[RECORD][number] for number in order], dtype=object)
    inside = (0,) * len(size)
    opened: h5py.File | None = None
    for index, number in enumerate(order):
        source, row = places[number]
        if opened is None or opened.filename != str(source):
            if opened is not None:
                opened.close()
            opened = open_hdf5(source)
        for key in (IMAGE, LABEL):
            mask, chunk = opened[key].id.read_direct_chunk((row, *inside))
            target[key].id.write_direct_chunk((index, *inside), chunk, mask)
    if opened is not None:
        opened.close()


def _check_chunks(file: h5py.File, path: Path) -> None:
    """See that the compressed chunks of a file can be copied as they are."""
    for key in (IMAGE, LABEL):
        one = file[key]
        if (one.chunks, one.compression, one.shuffle, one.dtype) != ((1, *one.shape[1:]), "gzip", True, _KINDS[key]):
            raise DataError(f"Expected {path} as SyntheticHDF5Writer writes it, got other chunks; write the set again.")


def _make_datasets(file: h5py.File, count: int, size: tuple[int, ...]) -> None:
    for key, shape in ((IMAGE, size), (LABEL, size), (AFFINE, (4, 4)), (NUMBER, ()), (RECORD, ())):
        packed = key in (IMAGE, LABEL)
        file.create_dataset(
            key,
            (count, *shape),
            _KINDS[key],
            maxshape=(None, *shape),
            chunks=(1 if packed else 256, *shape),
            **({"compression": "gzip", "shuffle": True} if packed else {}),
        )
