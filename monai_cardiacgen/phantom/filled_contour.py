"""The pixels that a contour holds."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def filled_contour(shape: tuple[int, int], corners: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Return the pixels whose centres a closed contour holds, by the even-odd rule.

    Along each row, a pixel lies inside when the contour is crossed an odd number of times before it. The work grows
    with rows times corners; `skimage.draw.polygon2mask`, which gives the same, asks all corners about every pixel.

    Args:
        shape: rows and columns.
        corners: `(N, 2)`, row and column; the last is joined with the first. They may lie outside.

    Returns:
        `(rows, columns)`.
    """
    rows, columns = shape
    row, column = np.asarray(corners, dtype=np.float64).T
    next_row, next_column = np.roll(row, -1), np.roll(column, -1)
    at = np.arange(rows)[:, None]
    crossed, edge = np.nonzero((row <= at) != (next_row <= at))
    along = (crossed - row[edge]) / (next_row - row)[edge]
    crossing = column[edge] + along * (next_column - column)[edge]
    toggles = np.zeros((rows, columns + 1), dtype=np.int64)
    np.add.at(toggles, (crossed, np.ceil(crossing).clip(0, columns).astype(np.int64)), 1)
    inside: NDArray[np.bool_] = toggles[:, :columns].cumsum(axis=1) % 2 == 1
    return inside


__all__ = ["filled_contour"]
