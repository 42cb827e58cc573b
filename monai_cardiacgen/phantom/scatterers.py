"""Point scatterers: what fills the tissues, moves with the wall, and lies along the surfaces between them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from .apical_heart import POINTS
from .outline import draw_texture

#: Scatterers a mm2: more than ten a resolution cell, so that speckle is fully developed.
DENSITY = 16.0


@dataclass(frozen=True)
class Scatterers:
    """Points that echo.

    Attributes:
        points: mm `(N, 2)`, x to the right and y away from the probe.
        amplitude: signed `(N,)`; the squares of those in a mm2 of the myocardium add up to 1.
    """

    points: Tensor
    amplitude: Tensor


def draw_field(low: tuple[float, float], high: tuple[float, float], generator: torch.Generator) -> Scatterers:
    """Draw scatterers of the myocardium's power all over a box from `low` to `high`, x and y in mm."""
    sides = torch.tensor(high) - torch.tensor(low)
    number = int(sides.prod() * DENSITY)
    points = torch.tensor(low) + sides * torch.rand(number, 2, generator=generator)
    return Scatterers(points, _amplitudes(number, generator))


@dataclass(frozen=True)
class WallScatterers:
    """Scatterers of the myocardium by their place in the wall, so that they move with it.

    Attributes:
        along: index of the contour's point below each `(N,)`, in [0, POINTS - 1].
        across: 0 at the endocardium ... 1 at the epicardium `(N,)`.
        amplitude: `(N,)`.
    """

    along: Tensor
    across: Tensor
    amplitude: Tensor

    def at(self, endocardium: Tensor, epicardium: Tensor) -> Scatterers:
        """Return where the scatterers lie between two contours `(POINTS, 2)`."""
        below = self.along.to(torch.int64).clamp(0, POINTS - 2)
        share = (self.along - below)[:, None]
        inner, outer = (
            contour[below] + share * (contour[below + 1] - contour[below]) for contour in (endocardium, epicardium)
        )
        return Scatterers(inner + self.across[:, None] * (outer - inner), self.amplitude)


def draw_wall(endocardium: Tensor, epicardium: Tensor, generator: torch.Generator) -> WallScatterers:
    """Draw the myocardium's scatterers, uniform over the wall that two contours `(POINTS, 2)` bound."""
    inner, outer = (contour.diff(dim=0).norm(dim=1) for contour in (endocardium, epicardium))
    thickness = (epicardium - endocardium).norm(dim=1)
    area = (inner + outer) / 2 * (thickness[1:] + thickness[:-1]) / 2
    number = int(area.sum() * DENSITY)
    piece = torch.multinomial(area, number, replacement=True, generator=generator)
    along = piece + torch.rand(number, generator=generator)
    # A trapezoid's density across the wall: linear from the inner to the outer length, by its inverse.
    first, last = inner[piece], outer[piece]
    draw = torch.rand(number, generator=generator)
    growth = (last - first) / (first + last)
    across = torch.where(
        growth.abs() < 1e-4, draw, (growth - 1 + ((1 - growth) ** 2 + 4 * growth * draw).sqrt()) / (2 * growth)
    )
    return WallScatterers(along, across, _amplitudes(number, generator))


def draw_surface(
    line: Tensor, level: float, thickness: float, roughness: float, generator: torch.Generator
) -> Scatterers:
    """Draw a surface that reflects: strong where it faces the probe, weak where the beam runs along it.

    `amplitude ~ roughness + (1 - roughness) |cos(angle between beam and normal)|^4`, with patches of 4 dB.

    Args:
        line: mm `(points, 2)` from the probe.
        level: dB of the surface that faces the probe, relative to the myocardium.
        thickness: mm, standard deviation across the line.
        roughness: share that echoes in every direction, in [0, 1].
        generator: a CPU generator.
    """
    steps = line.diff(dim=0)
    lengths = steps.norm(dim=1)
    number = max(1, int(lengths.sum() * thickness * 2.5 * DENSITY))
    piece = torch.multinomial(lengths.clamp(min=1e-6), number, replacement=True, generator=generator)
    points = line[piece] + torch.rand(number, 1, generator=generator) * steps[piece]
    normal = torch.stack((steps[:, 1], -steps[:, 0]), dim=1) / lengths.clamp(min=1e-6)[:, None]
    facing = (normal[piece] * torch.nn.functional.normalize(points, dim=1)).sum(1).abs()
    points = points + thickness * torch.randn(number, 1, generator=generator) * normal[piece]
    patches = draw_texture(generator, (1, 64, 1), (1, 8, 1))[0, :, 0]
    patch = patches[piece * 64 // len(steps)]
    strength = 10 ** ((level + 4 * patch) / 20) * (roughness + (1 - roughness) * facing**4)
    return Scatterers(points, strength * _amplitudes(number, generator))


def _amplitudes(number: int, generator: torch.Generator) -> Tensor:
    return torch.randn(number, generator=generator) / math.sqrt(DENSITY)


def joined(parts: list[Scatterers]) -> Scatterers:
    """Return all scatterers in one."""
    return Scatterers(torch.cat([part.points for part in parts]), torch.cat([part.amplitude for part in parts]))
