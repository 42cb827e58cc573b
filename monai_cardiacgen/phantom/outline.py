"""Star-shaped outlines: the one primitive from which every structure of the phantom is drawn.

An outline gives, for each plane z, a centre and the distance from it to the border at each angle. In a plane
the level set `d = r - R(angle)` is negative inside; clipped to half a pixel it is the share of a pixel that
the structure covers.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

#: Angles at which an outline is tabulated; angle 0 points along +x, a quarter turn along +y.
ANGLES = 720


def angles() -> Tensor:
    """Return the tabulated angles in radians `(ANGLES,)`."""
    return torch.arange(ANGLES, dtype=torch.float32) * (2 * math.pi / ANGLES)


@dataclass(frozen=True)
class Outline:
    """A closed border in each of Z planes.

    Attributes:
        centre: x and y in mm `(Z, 2)`.
        radius: mm from the centre to the border `(Z, ANGLES)`; negative where the plane misses the structure.
    """

    centre: Tensor
    radius: Tensor

    def distance(self, x: Tensor, y: Tensor) -> Tensor:
        """Return `r - R(angle)` in mm `(Z, H, W)` on the grid of `y` `(H,)` and `x` `(W,)` in mm."""
        return distances((self,), x, y)[0]

    def grown(self, margin: float | Tensor) -> Outline:
        """Return the outline moved outwards by `margin` mm."""
        return Outline(self.centre, self.radius + margin)


def distances(outlines: Sequence[Outline], x: Tensor, y: Tensor) -> list[Tensor]:
    """Return the level sets of outlines that share their centres; see `Outline.distance`."""
    dx = x[None, None, :] - outlines[0].centre[:, 0, None, None]
    dy = y[None, :, None] - outlines[0].centre[:, 1, None, None]
    reach = torch.hypot(dx, dy)
    nearest = (torch.atan2(dy, dx) * (ANGLES / (2 * math.pi)) + (ANGLES + 0.5)).to(torch.int64) % ANGLES
    nearest = nearest.flatten(1)
    return [reach - outline.radius.gather(1, nearest).view_as(reach) for outline in outlines]


def ellipse(centre: Tensor, semi_axes: Tensor, turn: float, waves: Tensor | None = None) -> Outline:
    """Return ellipses in Z planes.

    Args:
        centre: mm `(Z, 2)`.
        semi_axes: mm `(Z, 2)`; a plane whose first semi-axis is not positive is missed.
        turn: angle of the first axis in radians.
        waves: relative deviation of the radius `(ANGLES,)`, or None.
    """
    angle = angles() - turn
    first, second = semi_axes.clamp(min=1e-3).unbind(1)
    radius = torch.rsqrt((angle.cos() / first[:, None]) ** 2 + (angle.sin() / second[:, None]) ** 2)
    if waves is not None:
        radius = radius * (1 + waves)
    return Outline(centre, torch.where(semi_axes[:, :1] > 0, radius, semi_axes[:, :1] - 1))


def coverage(distance: Tensor, softness: float) -> Tensor:
    """Return each pixel's share inside the border, from a level set and the edge's width, both in mm."""
    return (0.5 - distance / softness).clamp_(0, 1)


def smooth_minimum(first: Tensor, second: Tensor, blend: float | Tensor) -> Tensor:
    """Return the smaller of two level sets in mm, rounded off over `blend` mm where both are near.

    Source:
        The quadratic form of Quilez, https://iquilezles.org/articles/smin/.
    """
    near = ((blend - (first - second).abs()) / blend).clamp(min=0)
    return torch.minimum(first, second) - near**2 * blend / 4


def draw_waves(generator: torch.Generator, orders: tuple[int, ...], size: float) -> Tensor:
    """Return a random sum of cosines over the angle `(ANGLES,)`, of about `size` standard deviation."""
    amplitude = torch.randn(len(orders), generator=generator) * size * math.sqrt(2 / len(orders))
    phase = torch.rand(len(orders), generator=generator) * 2 * math.pi
    order = torch.tensor(orders, dtype=torch.float32)
    return (amplitude[:, None] * torch.cos(order[:, None] * angles() + phase[:, None])).sum(0)


def draw_texture(generator: torch.Generator, size: tuple[int, int, int], cells: tuple[float, float, float]) -> Tensor:
    """Return smooth noise of unit variance `(Z, H, W)`; its grain is `cells` pixels of each axis."""
    weights = [_blend(side, cell) for side, cell in zip(size, cells, strict=True)]
    noise = torch.randn([weight.shape[1] for weight in weights], generator=generator)
    noise = (weights[0] @ noise.flatten(1)).unflatten(1, noise.shape[1:])
    texture = weights[1] @ noise @ weights[2].T
    scaled: Tensor = texture / texture.std().clamp(min=1e-6)
    return scaled


def _blend(side: int, cell: float) -> Tensor:
    """Return Gaussian weights `(side, knots)` that blend knots `cell` pixels apart."""
    cell = max(cell, 1.0)
    knots = torch.arange(-1, math.ceil(side / cell) + 2)
    away = torch.arange(side)[:, None] / cell - knots[None, :]
    weight = torch.exp(-((away / 0.75) ** 2))
    blend: Tensor = weight / weight.norm(dim=1, keepdim=True)
    return blend
