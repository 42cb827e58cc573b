"""All checks of a bundle, in the order in which their faults are best put right."""

from __future__ import annotations

import os
from pathlib import Path

from ..errors import DataError
from .check import Check
from .expressions import check_expressions
from .files import check_files
from .metadata import check_metadata
from .networks import check_networks


def check_bundle(folder: str | os.PathLike[str]) -> list[Check]:
    """Return what the checks of MONAI's model zoo, and some that it has no machine for, find in a bundle.

    The bundle's configurations are evaluated, as MONAI does: check only what you would run.

    Args:
        folder: the bundle's, the one with `configs` in it.

    Raises:
        DataError: when the folder holds no bundle, or a configuration that is no JSON.

    Source:
        https://github.com/Project-MONAI/model-zoo, `ci/verify_bundle.py`.
    """
    root = Path(folder).resolve()
    if not (root / "configs" / "metadata.json").is_file():
        raise DataError(
            f"Expected a bundle in {root}, got no configs/metadata.json; pass the folder with configs/ in it."
        )
    return [*check_files(root), check_expressions(root), *check_metadata(root), *check_networks(root)]


__all__ = ["check_bundle"]
