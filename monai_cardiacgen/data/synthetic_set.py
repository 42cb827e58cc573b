"""Read a set of synthetic cases: a MONAI datalist whose every file can be verified."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, overload

from ..errors import DataError
from .case_files import sha256_of
from .files import read_json
from .manifest import all_lines
from .set_description import CaseRecord, SetDescription, inner_path

DESCRIPTION, MANIFEST, DATALIST = "set.json", "manifest.jsonl", "dataset.json"
IMAGES, LABELS = "images", "labels"


@dataclass(frozen=True)
class SetEntry:
    """One line of a set's manifest.

    Attributes:
        record: how the case was made, and what its checks said.
        image: the image's file.
        label: the label's file.
        image_sha256: of the image's file, hexadecimal.
        label_sha256: of the label's file, hexadecimal.
    """

    record: CaseRecord
    image: Path
    label: Path
    image_sha256: str
    label_sha256: str


class SyntheticSet(Sequence[dict[str, Any]]):
    """The cases of a folder that `SyntheticSetWriter` wrote, as MONAI datalist items in the order of their numbers.

    Each item has `image` and `label` (paths), `patient` (the name of the case), `synthetic` (True), `mode`, `seed`,
    `strength`, `bundle`, `version`, `view`, `spacing`, and what the writer was told about the case. A set whose
    writers were stopped, or are at work, can be read: it has the cases that are complete.

    Args:
        folder: the set's.

    Attributes:
        folder: the set's.
        description: what all cases have in common.
        entries: the manifest's lines, in the order of their numbers.

    Raises:
        DataError: when the folder holds no set, or its manifest is damaged or names files outside of the set.

    Example:
        ```python
        cases = SyntheticSet("runs/synthetic")
        cases.verify()
        dataset = monai.data.Dataset(cases, LoadImaged(("image", "label"), ensure_channel_first=True))
        ```
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = Path(folder)
        self.description = SetDescription.from_json(read_json(self.folder / DESCRIPTION), self.folder / DESCRIPTION)
        root = self.folder.resolve()
        manifest = self.folder / MANIFEST
        entries = [self._entry(line, where, root) for where, line in all_lines(manifest)]
        self.entries = sorted(entries, key=lambda entry: entry.record.number)
        numbers = [entry.record.number for entry in self.entries]
        if len(set(numbers)) < len(numbers):
            twice = sorted({one for one, next_one in pairwise(numbers) if one == next_one})
            raise DataError(
                f"Expected every case once in {manifest}, got the numbers {twice} again; make the set again."
            )

    def __len__(self) -> int:
        return len(self.entries)

    @overload
    def __getitem__(self, index: int) -> dict[str, Any]: ...

    @overload
    def __getitem__(self, index: slice) -> list[dict[str, Any]]: ...

    def __getitem__(self, index: int | slice) -> dict[str, Any] | list[dict[str, Any]]:
        """Return the datalist item of a case, or those of a slice of the cases."""
        if isinstance(index, slice):
            return [self._item(entry) for entry in self.entries[index]]
        return self._item(self.entries[index])

    def verify(self) -> None:
        """Compare every file with its SHA-256.

        Raises:
            DataError: one for the whole set, which names every file that is missing or has changed.
        """
        problems = []
        for entry in self.entries:
            for path, expected in ((entry.image, entry.image_sha256), (entry.label, entry.label_sha256)):
                if not path.is_file():
                    problems.append(f"{path}: missing")
                elif sha256_of(path) != expected:
                    problems.append(f"{path}: not what was written")
        if problems:
            listed = "\n".join(f"  {problem}" for problem in problems)
            raise DataError(
                f"Expected the files of {self.folder} as they were written, got {len(problems)} problem(s); delete "
                f"the lines of these cases from {MANIFEST} and write them again:\n{listed}"
            )

    def decathlon(self) -> dict[str, Any]:
        """Return the set in the form of the Medical Segmentation Decathlon, which MONAI's datalists have.

        File names are relative to the set's folder; `load_decathlon_datalist` reads it back.
        """
        one = self.description
        training = []
        for entry in self.entries:
            files = {"image": entry.image, "label": entry.label}
            relative = {key: f"./{path.relative_to(self.folder.resolve()).as_posix()}" for key, path in files.items()}
            item = {**self._item(entry), **relative, "spacing": list(one.spacing)}
            training.append(item)
        return {
            "name": self.folder.resolve().name,
            "description": f"synthetic cases made by {one.bundle} {one.version}",
            "reference": f"{one.bundle} {one.version}",
            "tensorImageSize": f"{one.spatial_dims}D",
            "modality": {"0": one.modality},
            "labels": {str(code): name for code, name in zip(one.scheme.codes, one.scheme.names, strict=True)},
            "numTraining": len(training),
            "numTest": 0,
            "training": training,
            "test": [],
        }

    def _item(self, entry: SetEntry) -> dict[str, Any]:
        files = {"image": str(entry.image), "label": str(entry.label)}
        return {**files, **entry.record.datalist_item(self.description)}

    def _entry(self, line: Mapping[str, Any], where: str, root: Path) -> SetEntry:
        digests = [line.get(f"{key}_sha256") for key in ("image", "label")]
        if not all(isinstance(digest, str) for digest in digests):
            raise DataError(f"Expected the SHA-256 of both files in {where}, got {digests}; make the set again.")
        return SetEntry(
            CaseRecord.from_json(line, where),
            _inside(root, line.get("image"), where),
            _inside(root, line.get("label"), where),
            str(digests[0]),
            str(digests[1]),
        )


def _inside(root: Path, name: Any, where: str) -> Path:
    """Return the file that a manifest's line names, or refuse it when it leaves the set, by a link too."""
    try:
        path = (root / inner_path(name, where)).resolve()
        path.exists()
    except DataError:
        raise
    except (OSError, RuntimeError) as error:  # a name too long for the file system, or links in a circle
        raise DataError(f"Expected a file's name in {where}, got another ({error}); do not use this set.") from error
    if not path.is_relative_to(root):
        raise DataError(f"Expected a file inside the synthetic set in {where}, got {path}; do not use this set.")
    return path
