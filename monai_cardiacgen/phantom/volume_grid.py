"""Where the voxels of a volume lie in the patient."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ..checks import check_spacing
from ..errors import ShapeError


@dataclass(frozen=True)
class VolumeGrid:
    """A regular grid in the patient; world axes point to the right, the front and the head (RAS), in mm.

    Attributes:
        size: number of voxels along x, y and z.
        affine: `(4, 4)`, from voxel indices to RAS mm, as NIfTI has it.
    """

    size: tuple[int, int, int]
    affine: npt.NDArray[np.float64]

    @property
    def spacing(self) -> tuple[float, float, float]:
        """Voxel edges in mm."""
        x, y, z = np.linalg.norm(self.affine[:3, :3], axis=0)
        return float(x), float(y), float(z)

    def points(self) -> Tensor:
        """Return the RAS mm of every voxel's centre, float32 `(3, X, Y, Z)`."""
        matrix = torch.from_numpy(self.affine).to(torch.float32)
        indices = [torch.arange(side, dtype=torch.float32) for side in self.size]
        rays = [
            (matrix[:3, axis, None] * index).view(3, *(-1 if axis == other else 1 for other in range(3)))
            for axis, index in enumerate(indices)
        ]
        return rays[0] + rays[1] + rays[2] + matrix[:3, 3].view(3, 1, 1, 1)

    def index(self, points: Tensor) -> Tensor:
        """Return fractional voxel indices `(N, 3)` of RAS mm `(N, 3)`."""
        inverse = torch.from_numpy(np.linalg.inv(self.affine))
        homogeneous = torch.cat((points.double(), torch.ones(len(points), 1, dtype=torch.float64)), dim=1)
        return (homogeneous @ inverse.T)[:, :3].to(torch.float32)

    def box(self, centre: Tensor, reach: float) -> tuple[slice, slice, slice]:
        """Return the part of the grid that holds all voxels within `reach` mm of a point `(3,)`."""
        middle = self.index(centre[None])[0]
        low, high = (
            [float(at) + sign * reach / edge for at, edge in zip(middle, self.spacing, strict=True)] for sign in (-1, 1)
        )
        x, y, z = (
            slice(min(max(math.floor(a), 0), side), min(max(math.ceil(b) + 1, 0), side))
            for a, b, side in zip(low, high, self.size, strict=True)
        )
        return x, y, z


def axial_grid(
    size: Sequence[int],
    spacing: Sequence[float],
    centre: Sequence[float] = (0.0, 0.0, 0.0),
    tilt: Sequence[float] = (0.0, 0.0, 0.0),
) -> VolumeGrid:
    """Return a grid of axial slices: x runs to the patient's left, y to the back, z to the head.

    Args:
        size: voxels along x, y and z, each at least 2.
        spacing: mm along x, y and z.
        centre: RAS mm of the grid's middle.
        tilt: turns in radians of the whole grid about the right, front and head axes; 0 for true axial slices.

    Raises:
        ShapeError: when a side is shorter than 2.
        SpacingError: when the spacing is not three positive numbers.

    Example:
        >>> axial_grid((3, 3, 3), (2.0, 2.0, 3.0)).affine.diagonal().tolist()
        [-2.0, -2.0, 3.0, 1.0]
    """
    if len(size) != 3 or min(size) < 2:
        raise ShapeError(f"Expected 3 sides of at least 2 voxels, got {tuple(size)}; give the size as (X, Y, Z).")
    edges = np.array(check_spacing(spacing, 3))
    affine = np.eye(4)
    affine[:3, :3] = rotation(tilt) @ np.diag(edges * (-1, -1, 1))
    affine[:3, 3] = np.asarray(centre, dtype=np.float64) - affine[:3, :3] @ ((np.asarray(size) - 1) / 2)
    x, y, z = (int(side) for side in size)
    return VolumeGrid((x, y, z), affine)


def rotation(angles: Sequence[float]) -> npt.NDArray[np.float64]:
    """Return the rotation matrix of turns in radians about x, then y, then z."""
    turned = np.eye(3)
    for axis, angle in enumerate(angles):
        first, second = (other for other in range(3) if other != axis)
        turn = np.eye(3)
        turn[first, first] = turn[second, second] = math.cos(angle)
        sign = -1.0 if axis == 1 else 1.0
        turn[second, first], turn[first, second] = sign * math.sin(angle), -sign * math.sin(angle)
        turned = turn @ turned
    return turned
