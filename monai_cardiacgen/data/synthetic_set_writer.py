"""Write a set of synthetic cases that may be stopped at any moment and gone on with."""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import torch

from ..errors import DataError, InputError
from .case_files import checked_affine, checked_pair, sha256_of, write_nifti
from .files import read_json, write_json
from .manifest import append_line, cut_torn_line
from .set_description import CaseRecord, SetDescription
from .synthetic_set import DATALIST, DESCRIPTION, IMAGES, LABELS, MANIFEST, SyntheticSet


class SyntheticSetWriter:
    """Writes synthetic cases as NIfTI pairs with a manifest, and a MONAI datalist at the end.

    `set.json` says what the set is. Each case is `images/case_000000.nii.gz` (float32) and
    `labels/case_000000.nii.gz` (the scheme's codes), then one line of `manifest.jsonl`: its record, the bundle, the
    file names and their SHA-256. A case without its line does not exist: when the writer is killed, the next one
    writes it again. `dataset.json` is written at `close`. One writer at a time.

    Args:
        folder: made where it does not exist; a set that it holds is continued.
        description: what all cases have in common.

    Raises:
        InputError: when the folder holds a set of another description.
        DataError: when what the folder holds is damaged, or other files are in it.

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

    def __init__(self, folder: str | os.PathLike[str], description: SetDescription) -> None:
        self.folder = Path(folder)
        self.description = description
        self._begin()
        for sub in (IMAGES, LABELS):
            (self.folder / sub).mkdir(exist_ok=True)
        for sub in (".", IMAGES, LABELS):
            for left in (self.folder / sub).glob(".*.part"):  # by a writer that was killed
                left.unlink()
        cut_torn_line(self.folder / MANIFEST)
        self._numbers = {entry.record.number for entry in SyntheticSet(self.folder).entries}

    def __enter__(self) -> SyntheticSetWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def missing(self, count: int) -> list[int]:
        """Return the numbers below `count` that the set does not hold yet."""
        return [number for number in range(count) if number not in self._numbers]

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
        """
        if record.number in self._numbers:
            raise InputError(f"Expected a case that {self.folder} lacks, got {record.case}; ask missing() for numbers.")
        dims = self.description.spatial_dims
        pixels, codes = checked_pair(image, label, self.description.scheme, dims)
        matrix = checked_affine(affine, self.description.spacing)
        names = {"image": f"{IMAGES}/{record.case}.nii.gz", "label": f"{LABELS}/{record.case}.nii.gz"}
        write_nifti(self.folder / names["image"], pixels, matrix)
        small = max(self.description.scheme.codes) < 2**8
        write_nifti(self.folder / names["label"], codes.astype(np.uint8) if small else codes, matrix)
        line = {
            **record.to_json(),
            "synthetic": True,
            "bundle": self.description.bundle,
            "version": self.description.version,
            **names,
            **{f"{key}_sha256": sha256_of(self.folder / name) for key, name in names.items()},
        }
        append_line(self.folder / MANIFEST, line)
        self._numbers.add(record.number)

    def close(self) -> None:
        """Write `dataset.json` for the cases that there are; more can be added later."""
        write_json(self.folder / DATALIST, SyntheticSet(self.folder).decathlon())

    def _begin(self) -> None:
        """Say what the set is, or see that the folder holds a set of the same description."""
        path = self.folder / DESCRIPTION
        if path.exists():
            there = SetDescription.from_json(read_json(path), path)
            if there != self.description:
                raise InputError(
                    f"Expected the set in {self.folder} to be the one that is continued, but it was begun as "
                    f"{there.to_json()}, not as {self.description.to_json()}; name another folder."
                )
            return
        left = set(self.folder.glob(f".{DESCRIPTION}.*.part"))  # by a writer that was killed
        if self.folder.exists() and (not self.folder.is_dir() or set(self.folder.iterdir()) - left):
            raise DataError(
                f"Expected an empty folder or a synthetic set at {self.folder}, got something else; name a new folder."
            )
        write_json(path, self.description.to_json())
