"""Contours in text files, and the pixels that they enclose."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError

#: Lines through each column of pixels on which a contour is measured.
LINES = 16


def read_contour(path: Path) -> NDArray[np.float64]:
    """Return the points `(N, 2)`, x and y in pixels as the file says, of a text file with one `x y` pair a line.

    Raises:
        DataError: when the file is missing, holds something else, or fewer than 3 points.
    """
    try:
        lines = path.read_text(encoding="ascii").splitlines()
    except FileNotFoundError:
        raise DataError(f"{path}: missing") from None
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read ({error})") from error
    rows = [line.split() for line in lines if line.strip()]
    try:
        points = np.array([[float(value) for value in row] for row in rows])
    except ValueError:
        points = np.empty(0)
    if points.ndim != 2 or points.shape[1] != 2 or not np.isfinite(points).all():
        raise DataError(f"{path}: expected one pair 'x y' of numbers in every line, got other text")
    if len(points) < 3:
        raise DataError(f"{path}: expected a contour of at least 3 points, got {len(points)}")
    return points


def coverage(points: NDArray[np.float64], shape: Sequence[int]) -> NDArray[np.float64]:
    """Return the share of each pixel that a closed contour encloses.

    Each column of pixels is cut by `LINES` lines along y, on which the enclosed length is exact: where an edge crosses
    a line upwards, what lies below the crossing counts, where one crosses downwards, it counts back.

    Args:
        points: `(N, 2)`, x along the first axis and y along the second; a whole number is a pixel's centre, and
            (0, 0) is the centre of the first pixel. The last point is joined to the first.
        shape: `(X, Y)` pixels; what lies outside counts nowhere.

    Returns:
        `(X, Y)` in [0, 1].

    Example:
        >>> square = np.array([[0.5, 0.5], [2.0, 0.5], [2.0, 1.5], [0.5, 1.5]])
        >>> coverage(square, (4, 3))[:, 1].tolist()
        [0.0, 1.0, 0.5, 0.0]
    """
    width, height = shape
    lines = (np.arange(width * LINES) + 0.5) / LINES - 0.5  # x of each line
    start, end = points[:, None], np.roll(points, -1, axis=0)[:, None]
    edges, crossed = np.nonzero((start[..., 0] <= lines) != (end[..., 0] <= lines))
    (x0, y0), (x1, y1) = start[edges, 0].T, end[edges, 0].T
    crossing = y0 + (y1 - y0) * (lines[crossed] - x0) / (x1 - x0)
    below = np.clip(crossing[:, None] - (np.arange(height) - 0.5), 0, 1)  # length of each pixel below the crossing
    shares = np.zeros((width, height))
    np.add.at(shares, crossed // LINES, np.sign(x1 - x0)[:, None] * below / LINES)
    return np.clip(np.abs(shares), 0, 1)
