"""The server's writable folder: what MONAI Label starts from, copies of bundles, and of studies that are not flat."""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from pathlib import Path

from ..data.acdc import read_acdc
from ..data.files import whole_file
from ..errors import DataError

#: MONAI Label looks for a subclass of its app in this file.
_MAIN = 'from monai_cardiacgen.label.app.cardiac_app import CardiacLabelApp\n\n__all__ = ["CardiacLabelApp"]\n'
#: The names of `whole_file`, and of the file that is written into it.
_PART = re.compile(r"\..*\.[0-9]+\.part(\.nii(\.gz)?)?")
_ENDINGS = (".json", ".conf", ".pt", ".md", ".txt")


def prepare_app_folder(folder: Path, bundles: Sequence[Path]) -> Path:
    """Write or renew the folder, and return it.

    `main.py`; `bundles/NAME`, a copy of each bundle's configurations and weights, whose weights trainings replace; an
    empty `uploads/`, for what an ended server left in it is half a file. A file that was copied before is kept: weights
    may have been trained by this server.

    Raises:
        DataError: when a bundle has no `configs/metadata.json`, two share a name, or the folder cannot be written.
    """
    names = [bundle.resolve().name for bundle in bundles]
    if len(set(names)) < len(names):
        raise DataError(f"Expected bundles of different names, got {sorted(names)}; rename one's folder.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(uploads_of(folder), ignore_errors=True)
        uploads_of(folder).mkdir()
        for bundle, name in zip(bundles, names, strict=True):
            _copy_bundle(bundle, folder / "bundles" / name)
        with whole_file(folder / "main.py") as beside:
            beside.write_text(_MAIN, encoding="utf-8")
    except PermissionError as error:
        raise DataError(
            f"Expected a folder that can be written at {folder} ({error}); pass another as --app."
        ) from error
    return folder


def uploads_of(folder: Path) -> Path:
    """Return where the server keeps what a request brings, and nothing else."""
    return folder / "uploads"


def bundles_of(folder: Path) -> list[Path]:
    """Return the bundles of an app folder, by name."""
    return sorted(path for path in (folder / "bundles").glob("*") if path.is_dir())


def remove_half_files(studies: Path) -> None:
    """Delete what a server that was killed while it wrote left beside the studies and their labels.

    It is for the time before a server starts: a file that one is writing has such a name, too.
    """
    for left in studies.rglob(".*.part*"):
        if _PART.fullmatch(left.name):
            left.unlink(missing_ok=True)


def flat_studies(source: Path, folder: Path) -> Path:
    """Return a flat folder of studies, as MONAI Label wants them: `source` itself, or a copy of ACDC's layout.

    The copy lies in `studies/` of the app folder, for MONAI Label writes beside the images and may delete them; the
    patients' labels become `final` ones. A frame that is there is kept with its label, which may have been edited.

    Args:
        source: NIfTI files side by side, or patients in ACDC's layout.
        folder: the app folder.

    Raises:
        DataError: when `source` is no folder, its patients are damaged, or `studies/` is another folder's copy.
    """
    if not source.is_dir():
        raise DataError(f"Expected a folder of studies at {source}, got none; pass one with --studies.")
    if not any(source.glob("patient*/Info.cfg")):
        return source
    studies, told = folder / "studies", folder / "studies_of.txt"
    if told.is_file() and told.read_text(encoding="utf-8") != str(source.resolve()):
        raise DataError(f"Expected the app folder {folder} to serve {source}, it serves others; pass another as --app.")
    items = read_acdc(source)
    with whole_file(told) as beside:
        beside.write_text(str(source.resolve()), encoding="utf-8")
    for item in items:
        image, label = Path(item["image"]), Path(item["label"])
        if not (studies / image.name).is_file():  # the image last: without it, the frame is copied again
            _copy_file(label, studies / "labels" / "final" / image.name)
            _copy_file(image, studies / image.name)
    return studies


def _copy_bundle(source: Path, target: Path) -> None:
    if not (source / "configs" / "metadata.json").is_file():
        raise DataError(f"Expected a bundle with configs/metadata.json at {source}, got none; pass its folder.")
    for part in ("configs", "models"):
        for path in sorted((source / part).glob("*")):
            wanted = path.suffix in _ENDINGS and not path.name.startswith("training")  # of a training's checkpoint
            if wanted and not (target / part / path.name).is_file():
                _copy_file(path, target / part / path.name)


def _copy_file(source: Path, target: Path) -> None:
    with whole_file(target) as beside:
        shutil.copyfile(source, beside)


__all__ = ["bundles_of", "flat_studies", "prepare_app_folder", "remove_half_files", "uploads_of"]
