"""Where a bundle is: a folder, a zip file, or a name in MONAI's hub directory."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

import torch

from ..errors import CheckpointError, DataError

#: What of a zip file is unpacked: plain JSON and weights.
_FOLDERS = {"configs": ".json", "models": ".pt"}
#: Bytes that these may have unpacked, and how many times the zip file's own: weights hardly shrink, JSON tenfold.
MOST_BYTES, MOST_RATIO = 4 * 1024**3, 100
#: JSON files and weights of one bundle.
MOST_FILES = 1000


@contextlib.contextmanager
def bundle_folder(source: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a bundle's folder; of a zip file, its JSON and weights in a folder that goes away afterwards.

    Args:
        source: the bundle's folder; a zip file of it; or, where there is neither, the name of a bundle that MONAI's
            `download` has put into its directory, `torch.hub.get_dir()/bundle`.

    Raises:
        CheckpointError: when there is nothing of the kind, or the zip file is damaged, holds no bundle, or unpacks to
            more than a bundle has.
    """
    path = Path(source)
    if path.is_file():
        with tempfile.TemporaryDirectory() as unpacked:
            yield _unpacked(path, Path(unpacked))
        return
    hub = Path(torch.hub.get_dir()) / "bundle"
    named = hub / path
    if path.is_dir() or not named.is_dir() or len(path.parts) != 1:
        yield path  # its reader says what is missing
        return
    yield named


def _unpacked(path: Path, folder: Path) -> Path:
    """Unpack what is read of a zip file's one bundle."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = [PurePosixPath(name) for name in archive.namelist()]
            roots = {one.parents[1] for one in members if one.parts[-2:] == ("configs", "metadata.json")}
            if len(roots) != 1:
                raise DataError(f"{len(roots)} of them")
            (root,) = roots
            wanted = [one for one in members if one.suffix == _FOLDERS.get(_folder_in(root, one))]
            _check_size(path, [archive.getinfo(str(one)).file_size for one in wanted])
            for one in wanted:
                target = folder / one.parts[-2] / one.name
                target.parent.mkdir(exist_ok=True)
                with archive.open(str(one)) as packed, target.open("wb") as file:
                    shutil.copyfileobj(packed, file)  # never more than the size that was looked at
    # The zip reader's own: a way of packing that it does not know, or a password, beside damage; a name too long.
    except (zipfile.BadZipFile, DataError, EOFError, KeyError, NotImplementedError, OSError, RuntimeError) as error:
        raise CheckpointError(
            f"Expected a zip file of one bundle in {path}, got another ({error}); pass a bundle's folder or zip."
        ) from error
    return folder


def _folder_in(root: PurePosixPath, member: PurePosixPath) -> str:
    """Return the name of the folder, right below the bundle's, that a member lies in; nothing elsewhere."""
    return member.parts[-2] if len(member.parts) > 1 and member.parent.parent == root else ""


def _check_size(path: Path, sizes: Sequence[int]) -> None:
    """Raise `DataError` where a zip file would unpack to more than a bundle has."""
    most = min(MOST_BYTES, MOST_RATIO * path.stat().st_size)
    if sum(sizes) > most or len(sizes) > MOST_FILES:
        raise DataError(
            f"{len(sizes)} files of {sum(sizes)} bytes, where at most {MOST_FILES} of {most} are unpacked: "
            f"{MOST_BYTES} bytes, and {MOST_RATIO} times the zip file"
        )


__all__ = ["bundle_folder"]
