"""Write a set of synthetic cases that may be stopped at any moment and gone on with."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import torch

from ..errors import DataError, InputError
from .case_files import checked_affine, checked_pair, sha256_of, write_nifti
from .files import check_writable, read_json, write_json
from .manifest import append_lines, join_parts, new_part
from .set_description import CaseRecord, SetDescription
from .set_writer import SetWriter, check_numbers_differ
from .synthetic_set import DATALIST, DESCRIPTION, IMAGES, LABELS, MANIFEST, SyntheticSet
from .writer_lock import WriterLock

LOCK = ".lock"


class SyntheticSetWriter(SetWriter):
    """Writes synthetic cases as NIfTI pairs with a manifest, and a MONAI datalist at the end.

    `set.json` says what the set is. Each case is `images/case_000000.nii.gz` (float32) and
    `labels/case_000000.nii.gz` (the scheme's codes), then one line of the manifest: its record, the bundle, the
    file names and their SHA-256. A case without its line does not exist: when the writer is killed, the next one
    writes it again. A writer appends its lines to a part of its own in `manifest.jsonl.parts/`; `close` joins all
    parts into `manifest.jsonl`, in the order of the numbers, and writes `dataset.json`. Both are the same whoever
    wrote the cases, and in whatever order.

    Several processes, on one machine or on several that share the folder, may write one set together: one of them
    as rank 0, which begins first and closes last, the others with ranks of their own. Threads may share a writer.

    Args:
        folder: made where it does not exist; a set that it holds is continued.
        description: what all cases have in common.
        rank: 0 for the only writer, or the one that begins and ends the set; it holds a lock meanwhile.

    Raises:
        InputError: when the folder holds a set of another description.
        DataError: when what the folder holds is damaged, other files are in it, or another run writes it.

    Example:
        >>> import tempfile
        >>> from monai_cardiacgen.anatomy.schemes import ACDC
        >>> label = torch.zeros(8, 8, dtype=torch.int64)
        >>> label[2:6, 2:6] = ACDC.code("left ventricular cavity")
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     with SyntheticSetWriter(folder, SetDescription(ACDC, (2.0, 2.0), "cine", "1.0")) as writer:
        ...         for number in writer.missing(2):
        ...             writer.add(torch.rand(1, 8, 8), label, CaseRecord(number, seed=number + 100))
        ...     len(SyntheticSet(folder))
        2
    """

    def __init__(self, folder: str | os.PathLike[str], description: SetDescription, rank: int = 0) -> None:
        super().__init__(description, rank)
        self.folder = Path(folder)
        self._append = Lock()
        try:
            if rank == 0:
                self._begin()
            self._check_description()
            self._numbers = {entry.record.number for entry in SyntheticSet(self.folder).entries}
            if rank == 0:
                join_parts(self.folder / MANIFEST)
                (self.folder / f"{MANIFEST}.parts").mkdir()
            self._part = new_part(self.folder / MANIFEST, rank)
        except BaseException:
            self._release()
            raise

    def add(self, image: torch.Tensor, label: torch.Tensor, record: CaseRecord, affine: Any = None) -> None:
        """Write one case.

        Args:
            image: `(*spatial)` or `(1, *spatial)`.
            label: the same, with or without the channel; codes of the set's scheme.
            record: number, seed, mode and checks.
            affine: voxels to mm, 4 x 4; None for axes to the patient's left, back and head, from the origin.

        Raises:
            InputError: when the set holds this number already, or the affine has another spacing.
            ShapeError: when image and label do not fit the set or each other.
            IntensityError: when the image is not finite.
            LabelError: when the label holds a code that the scheme does not know.
            DataError: when the disk is full; then nothing of the case remains in the set.
        """
        self.add_all([(image, label, record)], affine)

    def add_all(self, cases: Sequence[tuple[torch.Tensor, torch.Tensor, CaseRecord]], affine: Any = None) -> None:
        """Write several cases, whose lines reach the disk together; arguments and errors are those of `add`."""
        check_numbers_differ([record for _, _, record in cases])
        lines = [self._write(*case, affine) for case in cases]
        with self._append:
            append_lines(self._part, lines)
            self._numbers |= {record.number for _, _, record in cases}

    def close(self) -> None:
        """As rank 0, join the manifest and write `dataset.json` for the cases that there are.

        All other ranks must have closed before; another writer can add more later.
        """
        try:
            if self.rank == 0:
                join_parts(self.folder / MANIFEST)
                write_json(self.folder / DATALIST, SyntheticSet(self.folder).decathlon())
        finally:
            self._release()

    def _write(self, image: torch.Tensor, label: torch.Tensor, record: CaseRecord, affine: Any) -> dict[str, Any]:
        """Write the files of a case and return its line."""
        if record.number in self._numbers:
            raise InputError(f"Expected a case that {self.folder} lacks, got {record.case}; ask missing() for numbers.")
        dims = self.description.spatial_dims
        pixels, codes = checked_pair(image, label, self.description.scheme, dims)
        matrix = checked_affine(affine, self.description.spacing)
        names = {"image": f"{IMAGES}/{record.case}.nii.gz", "label": f"{LABELS}/{record.case}.nii.gz"}
        write_nifti(self.folder / names["image"], pixels, matrix)
        small = max(self.description.scheme.codes) < 2**8
        write_nifti(self.folder / names["label"], codes.astype(np.uint8) if small else codes, matrix)
        return {
            **record.to_json(),
            "synthetic": True,
            "bundle": self.description.bundle,
            "version": self.description.version,
            **names,
            **{f"{key}_sha256": sha256_of(self.folder / name) for key, name in names.items()},
        }

    def _begin(self) -> None:
        """Make the folders and `set.json` where they are not there, and clear away what a killed writer left."""
        path = self.folder / DESCRIPTION
        left = {*self.folder.glob(f".{DESCRIPTION}.*.part"), self.folder / LOCK}
        empty = not self.folder.exists() or (self.folder.is_dir() and not set(self.folder.iterdir()) - left)
        if not path.exists() and not empty:
            raise DataError(
                f"Expected an empty folder or a synthetic set at {self.folder}, got something else; name a new folder."
            )
        check_writable(path)
        self._lock = WriterLock(self.folder / LOCK, self.folder)
        if not path.exists():
            write_json(path, self.description.to_json())
        for sub in (IMAGES, LABELS):
            (self.folder / sub).mkdir(exist_ok=True)
        for sub in (".", IMAGES, LABELS):
            for rest in (self.folder / sub).glob(".*.part"):
                rest.unlink()

    def _check_description(self) -> None:
        """See that the folder holds a set of this description."""
        path = self.folder / DESCRIPTION
        there = SetDescription.from_json(read_json(path), path)
        if there != self.description:
            raise InputError(
                f"Expected the set in {self.folder} to be the one that is continued, but it was begun as "
                f"{there.to_json()}, not as {self.description.to_json()}; name another folder."
            )
