"""Solids in space by level sets: mm outside a surface, negative inside.

The level sets are first-order distances: right near the surface, where the share of a voxel that a solid
fills is read off them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np
import torch
from scipy.interpolate import CubicSpline
from torch import Tensor

from .outline import smooth_minimum
from .volume_grid import VolumeGrid

#: The level set in mm far from a solid that was evaluated near its surface only.
FAR = 60.0


@dataclass(frozen=True)
class Solid:
    """What a painter lays into the volume, over what lies there already.

    Attributes:
        tissue: what it consists of.
        surface: level set in mm `(X, Y, Z)`.
        code: what the label map says inside; None leaves the label as it was.
    """

    tissue: str
    surface: Tensor
    code: int | None = 0


@dataclass(frozen=True)
class Vessel:
    """A bent tube.

    Attributes:
        line: centre line in RAS mm `(N, 3)`.
        radius: mm at each point of the line `(N,)`.
    """

    line: Tensor
    radius: Tensor

    def grown(self, margin: float) -> Vessel:
        """Return the vessel with a wall of `margin` mm."""
        return Vessel(self.line, self.radius + margin)

    def until(self, share: float) -> Vessel:
        """Return the first `share` of the line."""
        end = max(2, round(share * len(self.line)))
        return Vessel(self.line[:end], self.radius[:end])

    def surface(self, grid: VolumeGrid, points: Tensor) -> Tensor:
        """Return the level set in mm `(X, Y, Z)`; see `vessels_surface`."""
        return vessels_surface((self,), grid, points)


def vessels_surface(vessels: Iterable[Vessel], grid: VolumeGrid, points: Tensor, margin: float = 12.0) -> Tensor:
    """Return the level set in mm `(X, Y, Z)` of vessels as one; farther than `margin` mm away it is `FAR`.

    Args:
        vessels: the tubes.
        grid: where the voxels lie.
        points: the grid's `points()`.
        margin: mm.
    """
    surface = torch.full(grid.size, FAR)
    for tube in vessels:
        for start, end, first, last in zip(
            tube.line[:-1], tube.line[1:], tube.radius[:-1], tube.radius[1:], strict=True
        ):
            along = end - start
            length = float(along.norm())
            box = grid.box((start + end) / 2, length / 2 + float(torch.maximum(first, last)) + margin)
            if any(part.start == part.stop for part in box):
                continue
            x, y, z = (points[(axis, *box)] - float(start[axis]) for axis in range(3))
            u, v, w = along.tolist()
            share = ((x * u + y * v + z * w) / max(length**2, 1e-6)).clamp_(0, 1)
            nearest = torch.sqrt((x - share * u) ** 2 + (y - share * v) ** 2 + (z - share * w) ** 2)
            nearest -= float(first) + share * float(last - first)
            surface[box] = torch.minimum(surface[box], nearest)
    return surface


def vessel(points: Sequence[Sequence[float]], radius: Sequence[float], step: float = 5.0) -> Vessel:
    """Return a tube along a smooth curve through some points.

    Args:
        points: RAS mm, at least 2.
        radius: mm at each point.
        step: greatest length of the straight pieces in mm.
    """
    knots = np.asarray(points, dtype=np.float64)
    along = np.concatenate(([0.0], np.cumsum(np.linalg.norm(np.diff(knots, axis=0), axis=1))))
    at = np.linspace(0, along[-1], max(2, math.ceil(along[-1] / step) + 1))
    line = CubicSpline(along, knots, bc_type="natural")(at) if len(knots) > 2 else _straight(along, knots, at)
    return Vessel(
        torch.from_numpy(np.asarray(line)).to(torch.float32),
        torch.from_numpy(np.interp(at, along, np.asarray(radius, dtype=np.float64))).to(torch.float32),
    )


def _straight(along: np.ndarray, knots: np.ndarray, at: np.ndarray) -> np.ndarray:
    return np.stack([np.interp(at, along, column) for column in knots.T], axis=1)


def ellipsoid(local: Tensor, centre: Sequence[float], semi_axes: Sequence[float | Tensor]) -> Tensor:
    """Return the level set in mm of an ellipsoid along the axes of `local` `(3, X, Y, Z)`.

    A semi-axis may be a tensor, so that an ellipsoid can be longer on one side than on the other.
    """
    reach, steepness = torch.zeros(local.shape[1:]), torch.zeros(local.shape[1:])
    for along, middle, semi in zip(local, centre, semi_axes, strict=True):
        relative = (along - middle) / semi
        reach += relative**2
        steepness += (relative / semi) ** 2
    reach = reach.sqrt_()
    return (reach - 1) * reach / steepness.sqrt_().clamp_(min=1e-4)


def beyond(points: Tensor, through: Tensor, normal: Tensor) -> Tensor:
    """Return mm `(X, Y, Z)` by which points lie beyond a plane, positive where the unit `normal` points to."""
    return torch.einsum("c,cxyz->xyz", normal, points) - float(normal @ through)


def union(surfaces: Iterable[Tensor], blend: float = 0.0) -> Tensor:
    """Return the level set of several solids as one; corners between them are rounded over `blend` mm."""
    if blend > 0:
        return reduce(lambda first, second: smooth_minimum(first, second, blend), surfaces)
    return reduce(torch.minimum, surfaces)


@dataclass(frozen=True)
class Ripple:
    """A smooth random function of space, the same on every grid.

    Attributes:
        waves: wave vectors in radians a mm `(N, 3)`.
        phase: radians `(N,)`.
        height: of each wave, so that the sum has unit variance.
    """

    waves: Tensor
    phase: Tensor
    height: float

    def __call__(self, points: Tensor) -> Tensor:
        """Return values `(X, Y, Z)` of unit variance at `points` `(3, X, Y, Z)`."""
        total = torch.zeros(points.shape[1:])
        for wave, phase in zip(self.waves, self.phase, strict=True):
            total += torch.cos(torch.einsum("c,cxyz->xyz", wave, points) + phase)
        return total * self.height


def draw_ripple(generator: torch.Generator, wavelength: tuple[float, float], count: int = 6) -> Ripple:
    """Draw a ripple of plane waves with lengths in mm between two bounds."""
    direction = torch.nn.functional.normalize(torch.randn(count, 3, generator=generator), dim=1)
    low, high = wavelength
    length = low + (high - low) * torch.rand(count, 1, generator=generator)
    phase = 2 * math.pi * torch.rand(count, generator=generator)
    return Ripple(direction * (2 * math.pi / length), phase, math.sqrt(2 / count))
