"""Star-shaped outlines: the one primitive from which every structure of the phantom is drawn.

An outline gives, for each plane z, a centre and the distance from it to the border at each angle. In a plane
the level set `d = r - R(angle)` is negative inside; clipped to half a pixel it is the share of a pixel that
the structure covers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

#: Angles at which an outline is tabulated; angle 0 points along +x, a quarter turn along +y.
ANGLES = 180


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
        dx = x[None, None, :] - self.centre[:, 0, None, None]
        dy = y[None, :, None] - self.centre[:, 1, None, None]
        position = torch.atan2(dy, dx) * (ANGLES / (2 * math.pi)) % ANGLES
        below = position.floor()
        share = position - below
        below = below.to(torch.int64).clamp_(max=ANGLES - 1).flatten(1)
        table = torch.cat((self.radius, self.radius[:, :1]), dim=1)  # (Z, ANGLES + 1)
        low, high = (table.gather(1, below + step).view_as(dx + dy) for step in (0, 1))
        return torch.hypot(dx, dy) - torch.lerp(low, high, share)

    def grown(self, margin: float | Tensor) -> Outline:
        """Return the outline moved outwards by `margin` mm."""
        return Outline(self.centre, self.radius + margin)


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


def draw_waves(generator: torch.Generator, orders: tuple[int, ...], size: float) -> Tensor:
    """Return a random sum of cosines over the angle `(ANGLES,)`, of about `size` standard deviation."""
    amplitude = torch.randn(len(orders), generator=generator) * size * math.sqrt(2 / len(orders))
    phase = torch.rand(len(orders), generator=generator) * 2 * math.pi
    order = torch.tensor(orders, dtype=torch.float32)
    return (amplitude[:, None] * torch.cos(order[:, None] * angles() + phase[:, None])).sum(0)


def draw_texture(
    generator: torch.Generator, size: tuple[int, int, int], cells: tuple[float, float, float]
) -> Tensor:
    """Return smooth noise of unit variance `(Z, H, W)`; its grain is `cells` pixels of each axis."""
    planes, height, width = size
    coarse = [max(2, math.ceil(side / cell) + 1) for side, cell in zip(size, cells, strict=True)]
    noise = torch.randn(coarse, generator=generator)
    if coarse[0] != planes:
        position = torch.arange(planes) / max(1.0, cells[0])
        below = position.floor().to(torch.int64).clamp(max=coarse[0] - 2)
        noise = torch.lerp(noise[below], noise[below + 1], (position - below)[:, None, None])
    grown = [math.ceil((side - 1) * cell) for side, cell in zip(coarse[1:], cells[1:], strict=True)]
    noise = F.interpolate(noise[:, None], size=grown, mode="bicubic", align_corners=False)[:, 0]
    top, left = ((have - want) // 2 for have, want in zip(grown, (height, width), strict=True))
    texture = noise[:, max(0, top) :, max(0, left) :][:, :height, :width]
    if texture.shape != (planes, height, width):
        texture = F.interpolate(texture[:, None], size=(height, width), mode="bilinear")[:, 0]
    return texture / texture.std().clamp(min=1e-6)
