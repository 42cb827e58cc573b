"""Images without labels in a folder: what an inference begins with."""

from __future__ import annotations

import os
from pathlib import Path

from ..errors import DataError


def find_images(folder: str | os.PathLike[str], pattern: str = "*.nii.gz") -> list[dict[str, str]]:
    """List a folder's files as a MONAI datalist, by name.

    Args:
        folder: that holds them, not below it.
        pattern: of their names.

    Returns:
        One `{"image": path}` a file.

    Raises:
        DataError: when there is none.
    """
    found = sorted(path for path in Path(folder).glob(pattern) if path.is_file())
    if not found:
        raise DataError(f"Expected files {pattern} in {folder}, got none; pass the folder that holds them.")
    return [{"image": str(path)} for path in found]


__all__ = ["find_images"]
