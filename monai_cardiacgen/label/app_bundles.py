"""Which of the given bundles can do what: told by their files, which are read and not run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..data.files import read_json
from ..errors import DataError

#: What of a bundle the server needs; checkpoints of trainings stay behind.
_SYNTHESIZER = ("configs/synthesizer.json", "models/model.pt", "models/synthesizer.pt")
_INPAINTER = ("configs/inference.json", "configs/inpainter.json", "models/inpainter.pt")
_SEGMENTER = ("configs/inference.json", "configs/train.json", "configs/metadata.json")


@dataclass(frozen=True)
class AppBundles:
    """Bundles by what they can do; of each kind the first that was given, None where there is none.

    Attributes:
        segmenter: trains a network, and segments once it has weights.
        synthesizer: draws and paints short-axis slices; it has weights.
        inpainter: makes a vessel's region anew of what is round it; it has weights.
    """

    segmenter: Path | None = None
    synthesizer: Path | None = None
    inpainter: Path | None = None


def find_app_bundles(folders: Sequence[Path]) -> AppBundles:
    """Return which of the bundles serve for what; one that serves for nothing is left aside.

    Raises:
        DataError: for a folder without `configs/metadata.json`, or one that holds no JSON.
    """
    found: dict[str, Path] = {}
    for folder in folders:
        kind = _kind(folder)
        if kind is not None:
            found.setdefault(kind, folder)
    return AppBundles(**found)


def _kind(folder: Path) -> str | None:
    described = read_json(folder / "configs" / "metadata.json")
    if _has(folder, _SYNTHESIZER):
        told = read_json(folder / "configs" / "synthesizer.json")
        return "synthesizer" if told.get("view") == "short axis" and len(told.get("spacing", ())) == 2 else None
    if _has(folder, _INPAINTER):
        return "inpainter"
    if _has(folder, _SEGMENTER) and _gives_segmentations(described):
        return "segmenter"
    return None


def _has(folder: Path, names: Sequence[str]) -> bool:
    return all((folder / name).is_file() for name in names)


def _gives_segmentations(described: dict[str, object]) -> bool:
    try:
        formats = described["network_data_format"]["outputs"]["pred"]["format"]  # type: ignore[index]
    except (KeyError, TypeError) as error:
        raise DataError(
            f"Expected network_data_format with outputs in a bundle's metadata, got none ({error})."
        ) from error
    return bool(formats == "segmentation")


__all__ = ["AppBundles", "find_app_bundles"]
