"""Where the heart lies in a short-axis stack, estimated without any label of the stack itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ..errors import DataError, InputError
from .case_files import read_nifti

CENTRE = "heart_centre"
_SMOOTHING = 4.0  # mm
_MOVING_SHARE = 0.05  # of the pixels


def centred_by_motion(items: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the items with `heart_centre`, `(x, y)` in pixels of the file, from what moves between ED and ES.

    $D(x, y) = G_{4 mm} * mean_z |I_{ED} - I_{ES}|$, each image divided by its 99th percentile; the centre is the
    centre of gravity of the 5 % of the pixels with the largest $D$. Between end diastole and end systole hardly
    anything but the heart moves. No label is read. Both phases of a patient get the same centre.

    Args:
        items: of `read_acdc`; those of a patient without two phases of one size get no centre, and are cropped about
            the middle of the image.

    Raises:
        DataError: when an image is missing or damaged.
    """
    pairs: dict[str, dict[str, dict[str, Any]]] = {}
    for item in items:
        pairs.setdefault(item["patient"], {})[item["phase"]] = item
    centres = {}
    for patient, phases in pairs.items():
        if {"ED", "ES"} <= set(phases):
            diastole, systole = (read_nifti(phases[phase]["image"])[0] for phase in ("ED", "ES"))
            if diastole.shape == systole.shape:
                centres[patient] = moving_centre(diastole, systole, phases["ED"]["spacing"][:2])
    return [{**item, CENTRE: centres[item["patient"]]} if item["patient"] in centres else dict(item) for item in items]


def moving_centre(diastole: NDArray[Any], systole: NDArray[Any], spacing: Sequence[float]) -> tuple[float, float]:
    """Return `(x, y)` in pixels, the centre of what differs between two stacks `(X, Y, Z)`; see `centred_by_motion`.

    Where nothing differs it is the middle of the image.
    """
    difference = np.abs(_normalised(diastole) - _normalised(systole)).mean(axis=2)
    smooth = ndimage.gaussian_filter(difference, [_SMOOTHING / size for size in spacing])
    moving = np.where(smooth >= np.quantile(smooth, 1 - _MOVING_SHARE), smooth, 0.0)
    if not moving.any():
        return (difference.shape[0] - 1) / 2, (difference.shape[1] - 1) / 2
    x, y = ndimage.center_of_mass(moving)
    return float(x), float(y)


def heart_offset(items: Sequence[dict[str, Any]]) -> tuple[float, float]:
    """Return in mm how far the hearts of labelled training items lie from the middle of their images, on average.

    Args:
        items: of a reader of short-axis stacks, with `label` and `spacing`; those without a labelled pixel are skipped.

    Returns:
        Along the file's first two axes, from the image's middle to the middle of the box round the heart.

    Raises:
        InputError: when no item shows a heart.
        DataError: when a label is missing or damaged.
    """
    offsets = []
    for item in items:
        heart = read_nifti(item["label"])[0] > 0
        if heart.any():
            inside = np.argwhere(heart.reshape(*heart.shape[:2], -1).any(axis=2))
            middle = (inside.min(axis=0) + inside.max(axis=0)) / 2
            offsets.append((middle - (np.asarray(heart.shape[:2]) - 1) / 2) * item["spacing"][:2])
    if not offsets:
        raise InputError(f"Expected labels that show a heart, got none in {len(items)} item(s); pass training items.")
    x, y = np.mean(offsets, axis=0)
    return float(x), float(y)


def centred_by_offset(items: Sequence[dict[str, Any]], offset: Sequence[float]) -> list[dict[str, Any]]:
    """Return the items with `heart_centre` at a fixed place: the image's middle moved by `offset` in mm.

    For images without a second phase. The offset is that of the training items (`heart_offset`), so that no label
    of the items themselves is read.

    Raises:
        DataError: when an image is missing or damaged.
    """
    centred = []
    for item in items:
        shape = read_nifti(item["image"])[0].shape
        if len(shape) < 2:
            raise DataError(f"Expected an image of two or three axes in {item['image']}, got {shape}.")
        x, y = ((shape[axis] - 1) / 2 + offset[axis] / item["spacing"][axis] for axis in (0, 1))
        centred.append({**item, CENTRE: (x, y)})
    return centred


def _normalised(image: NDArray[Any]) -> NDArray[np.float64]:
    values = image.astype(np.float64)
    top = float(np.percentile(values, 99))
    return values / top if top > 0 else values
