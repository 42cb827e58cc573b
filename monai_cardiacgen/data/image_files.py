"""Images without labels in a folder: what an inference begins with."""

from __future__ import annotations

import os
from pathlib import Path

from ..errors import DataError, InputError


def find_images(folder: str | os.PathLike[str], pattern: str = "*.nii.gz") -> list[dict[str, str]]:
    """List a folder's files as a MONAI datalist, by name.

    Args:
        folder: that holds them, not below it.
        pattern: of their names.

    Returns:
        One `{"image": path}` a file.

    Raises:
        InputError: when `pattern` is none.
        DataError: when there is no such file.
    """
    try:
        found = sorted(path for path in Path(folder).glob(pattern) if path.is_file())
    except (ValueError, NotImplementedError) as error:
        raise InputError(
            f"Expected a pattern of file names such as '*.nii.gz', got {pattern!r} ({error}); name the folder apart."
        ) from error
    if not found:
        raise DataError(f"Expected files {pattern} in {folder}, got none; pass the folder that holds them.")
    return [{"image": str(path)} for path in found]


__all__ = ["find_images"]
