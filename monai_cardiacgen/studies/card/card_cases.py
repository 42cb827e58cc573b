"""The images that a synthetic-data card compares: those of the set, and real ones brought onto its grid."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ...anatomy.labels import LabelScheme
from ...data.acdc import read_acdc
from ...data.camus import read_camus
from ...data.case_files import read_nifti
from ...data.datalist import read_decathlon, read_folder
from ...data.preprocessing import IMAGE, LABEL, Preprocessing, apical_preprocessing, short_axis_preprocessing
from ...data.split import Split, read_split, split_by_patient
from ...data.synthetic_set import SyntheticSet
from ...errors import DataError, InputError, ShapeError

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class CardCases:
    """Labelled slices of one kind.

    Attributes:
        image: `(N, 1, H, W)` float32 in [0, 1].
        label: `(N, H, W)` int64 codes.
        names: of each slice, to find it again.
        patients: of each slice; a synthetic case is its own.
    """

    image: torch.Tensor
    label: torch.Tensor
    names: tuple[str, ...]
    patients: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.image)

    @property
    def groups(self) -> torch.Tensor:
        """The number of each slice's patient, `(N,)` int64."""
        numbers = {patient: number for number, patient in enumerate(dict.fromkeys(self.patients))}
        return torch.tensor([numbers[patient] for patient in self.patients], dtype=torch.int64)

    def chosen(self, rows: torch.Tensor) -> CardCases:
        """Return some of the slices, by their numbers or by one truth value each."""
        wanted = rows.nonzero()[:, 0] if rows.dtype == torch.bool else rows
        numbers = wanted.tolist()
        return CardCases(
            self.image[wanted],
            self.label[wanted],
            tuple(self.names[row] for row in numbers),
            tuple(self.patients[row] for row in numbers),
        )

    def with_hearts(self) -> CardCases:
        """Return the slices that show a structure; a synthetic case always does."""
        return self.chosen((self.label != 0).flatten(1).any(dim=1))

    def slices(self) -> list[dict[str, Any]]:
        """Return the slices as a segmentation's training takes them."""
        return [
            {IMAGE: image, LABEL: label[None], "patient": patient, "phase": ""}
            for image, label, patient in zip(self.image, self.label, self.patients, strict=True)
        ]


def load_set(source: SyntheticSet, progress: Progress) -> CardCases:
    """Return all cases of a set of slices; images that are not in [0, 1] are scaled by their percentiles.

    Raises:
        InputError: for a set of volumes, or without cases.
        ShapeError: when the cases differ in size.
        DataError: when a file is missing or damaged.
    """
    if source.description.spatial_dims != 2 or not len(source):
        raise InputError(
            f"Expected a set of at least one slice, got {len(source)} cases with {source.description.spatial_dims} "
            f"axes in {source.folder}; write volumes slice by slice."
        )
    images, labels = [], []
    for done, entry in enumerate(source.entries, start=1):
        images.append(torch.from_numpy(read_nifti(entry.image)[0].astype(np.float32)))
        labels.append(torch.from_numpy(read_nifti(entry.label)[0].astype(np.int64)))
        progress(done, len(source))
    if len({tuple(one.shape) for one in (*images, *labels)}) > 1:
        raise ShapeError(f"Expected slices of one size in {source.folder}, got several; make a set for each size.")
    names = tuple(entry.record.case for entry in source.entries)
    return CardCases(torch.stack([_in_range(image) for image in images])[:, None], torch.stack(labels), names, names)


def read_real(path: Path) -> list[dict[str, Any]]:
    """List real labelled images: ACDC's folder, CAMUS's, pairs in a folder of one's own, or a `dataset.json`.

    Raises:
        DataError: when there is none of these, or files are missing or damaged.
    """
    if path.is_file():
        return read_decathlon(path)
    if any(path.glob("patient*/Info.cfg")):
        return read_acdc(path)
    if any(path.glob("patient*/patient*_4CH_ED.*")):
        return read_camus(path)
    if not path.is_dir():
        raise DataError(f"Expected real images in {path}, got nothing there; name a folder or a dataset.json.")
    return read_folder(path)


def split_real(items: Sequence[dict[str, Any]], split: Path | None, seed: int) -> tuple[Split, bool]:
    """Return training and other patients, and whether it is known that the generator saw the first ones only.

    Args:
        items: of `read_real`.
        split: JSON file of `write_split`; None puts half of the patients on either side.
        seed: of the halves.

    Raises:
        DataError: when the file and the items do not belong together.
        InputError: for fewer than six patients, three a side.
    """
    patients = len({item["patient"] for item in items})
    if patients < 6:
        raise InputError(f"Expected at least 6 real patients, got {patients}; chance cannot be told from fewer.")
    if split is not None:
        return read_split(split, items), True
    return split_by_patient(items, patients // 2, 0, seed), False


def load_real(
    items: Sequence[dict[str, Any]], source: SyntheticSet, size: Sequence[int], progress: Progress
) -> CardCases:
    """Return the slices of real images on the set's grid: its spacing, its size, intensities in [0, 1].

    Args:
        items: of `read_real`.
        source: the set.
        size: pixels of its slices.
        progress: called with the number of items done and their total.

    Raises:
        DataError: when a file cannot be read.
        LabelError: when a label has codes that the set's scheme does not know.
    """
    preprocessing = _preprocessing(source, size)
    images, labels, names, patients = [], [], [], []
    for done, item in enumerate(items, start=1):
        case = preprocessing({key: item[key] for key in (IMAGE, LABEL)})
        image, label = (torch.as_tensor(case[key]).as_subclass(torch.Tensor) for key in (IMAGE, LABEL))
        _check_codes(label, source.description.scheme)
        planes = range(image.shape[3]) if image.ndim == 4 else (None,)
        for plane in planes:
            images.append((image if plane is None else image[..., plane]).float())
            labels.append((label if plane is None else label[..., plane])[0])
            names.append(_name(item, plane))
            patients.append(str(item["patient"]))
        progress(done, len(items))
    return CardCases(torch.stack(images).clamp(0, 1), torch.stack(labels), tuple(names), tuple(patients))


def _preprocessing(source: SyntheticSet, size: Sequence[int]) -> Preprocessing:
    if source.description.view == "apical":
        return apical_preprocessing(size, source.description.spacing)
    return short_axis_preprocessing(source.description.spacing, size)


def _check_codes(label: torch.Tensor, scheme: LabelScheme) -> None:
    scheme.to_channels(label)


def _name(item: Mapping[str, Any], plane: int | None) -> str:
    parts = [str(item["patient"]), *(str(item[key]) for key in ("view", "phase") if item.get(key))]
    return " ".join(parts if plane is None else [*parts, f"slice {plane}"])


def _in_range(image: torch.Tensor) -> torch.Tensor:
    """Return an image in [0, 1]; another range is scaled as real images are."""
    if float(image.min()) >= -0.01 and float(image.max()) <= 1.01:
        return image.clamp(0, 1)
    low, high = (float(np.percentile(image.numpy(), percent)) for percent in (0.5, 99.5))
    return ((image - low) / max(high - low, 1e-6)).clamp(0, 1)


__all__ = ["CardCases", "load_real", "load_set", "read_real", "split_real"]
