"""Where a bundle is: a folder, a zip file, or a name in MONAI's hub directory."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import torch

from ..errors import CheckpointError, DataError

#: What of a zip file is unpacked: plain JSON and weights.
_FOLDERS = {"configs": ".json", "models": ".pt"}


@contextlib.contextmanager
def bundle_folder(source: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a bundle's folder; of a zip file, its JSON and weights in a folder that goes away afterwards.

    Args:
        source: the bundle's folder; a zip file of it; or, where there is neither, the name of a bundle that MONAI's
            `download` has put into its directory, `torch.hub.get_dir()/bundle`.

    Raises:
        CheckpointError: when there is nothing of the kind, or the zip file is damaged or holds no bundle.
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
            for one in members:
                kind = one.parts[-2] if one.parent.parent == root and len(one.parts) > 1 else ""
                if one.suffix == _FOLDERS.get(kind):
                    target = folder / kind / one.name
                    target.parent.mkdir(exist_ok=True)
                    with archive.open(str(one)) as packed, target.open("wb") as file:
                        shutil.copyfileobj(packed, file)
    # The zip reader's own: a way of packing that it does not know, or a password, beside damage.
    except (zipfile.BadZipFile, DataError, EOFError, NotImplementedError, RuntimeError) as error:
        raise CheckpointError(
            f"Expected a zip file of one bundle in {path}, got another ({error}); pass a bundle's folder or zip."
        ) from error
    return folder


__all__ = ["bundle_folder"]
