"""A stack of short-axis slices: where its pixels lie around the heart."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Stack:
    """A short-axis stack, base first as in ACDC.

    Attributes:
        spacing: x, y, z in mm; z from one slice's centre to the next.
        size: pixels along x, y and number of slices.
        thickness: of a slice in mm.
        first: height of the first slice's centre in mm below the mitral plane at end diastole.
        offset: x and y in mm of the heart from the image's centre.
        turn: angle in radians by which the chest is turned in the image; 0 has the breastbone on the left
            and the head on top, positive turns clockwise on the screen.
    """

    spacing: tuple[float, float, float]
    size: tuple[int, int, int]
    thickness: float
    first: float
    offset: tuple[float, float]
    turn: float

    @property
    def x(self) -> Tensor:
        """Millimetres to the right of the heart `(W,)`."""
        return _centred(self.size[0], self.spacing[0]) - self.offset[0]

    @property
    def y(self) -> Tensor:
        """Millimetres below the heart `(H,)`."""
        return _centred(self.size[1], self.spacing[1]) - self.offset[1]

    @property
    def z(self) -> Tensor:
        """Heights `(Z,)` of the slices' centres in mm from the mitral plane at end diastole to the apex."""
        return self.first + torch.arange(self.size[2], dtype=torch.float32) * self.spacing[2]

    def layers(self, number: int) -> Tensor:
        """Return heights `(Z, number)` in mm of thin layers that fill each slice's thickness."""
        inside = (torch.arange(number, dtype=torch.float32) + 0.5) / number - 0.5
        return self.z[:, None] + inside * self.thickness


def _centred(number: int, spacing: float) -> Tensor:
    return (torch.arange(number, dtype=torch.float32) - (number - 1) / 2) * spacing


#: In-plane spacings in mm, slice distances with thicknesses in mm, and pixel counts along the longer and
#: shorter side, as clinical protocols have them.
_IN_PLANE = (1.25, 1.3672, 1.3672, 1.4063, 1.5625, 1.5625, 1.5625, 1.6797, 1.7578)
_THROUGH_PLANE = ((10.0, 8.0), (10.0, 7.0), (10.0, 6.0), (10.0, 5.0), (8.0, 8.0), (7.0, 7.0), (5.0, 5.0))
_SHORT_SIDES = (184, 208, 216, 216, 224, 232, 256)


def draw_turn(generator: torch.Generator) -> float:
    """Draw the angle in radians by which the chest is turned in the image (see `Stack`)."""
    small, low, high = torch.rand(3, generator=generator).tolist()
    return math.radians(-10 + 38 * low if small < 0.7 else 28 + 40 * high)


def draw_stack(length: float, turn: float, generator: torch.Generator) -> Stack:
    """Draw a stack for a left ventricle of `length` mm, wall included, in a chest turned by `turn`."""

    def uniform(low: float, high: float) -> float:
        return low + (high - low) * float(torch.rand((), generator=generator))

    def choose(number: int) -> int:
        return int(torch.randint(number, (), generator=generator))

    in_plane = _IN_PLANE[choose(len(_IN_PLANE))]
    gap, thickness = _THROUGH_PLANE[choose(len(_THROUGH_PLANE))]
    short = _SHORT_SIDES[choose(len(_SHORT_SIDES))]
    sides = (short, 256) if turn < math.radians(uniform(25, 45)) else (256, short)
    first = uniform(-1.0, 13.0)
    slices = max(5, round((length - first + uniform(-0.4, 0.8) * gap) / gap))
    offset = torch.randn(2, generator=generator).clamp(-2, 2) * torch.tensor((11.0, 12.0))
    return Stack(
        spacing=(in_plane, in_plane, gap),
        size=(*sides, slices),
        thickness=thickness,
        first=first,
        offset=(float(offset[0]) - 12.0, float(offset[1])),
        turn=turn,
    )
