"""The chest around a whole heart: descending aorta, great veins, airways, lungs, bones, liver, fat and skin."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from .heart_solids import heart_solids
from .solids import FAR, Ripple, Solid, Vessel, draw_ripple, ellipsoid, union, vessel, vessels_surface
from .volume_grid import VolumeGrid, axial_grid
from .whole_heart import WholeHeart

#: Ranges of the descending aorta's radius in mm at the arch and at the diaphragm, and of its sway to the left and to
#: the back; each is drawn uniformly, whatever the rest of the patient is.
DESCENDING = ((11.6, 13.8), (10.8, 12.6))
SWAY = ((-2.0, 6.0), (-3.0, 3.0))


@dataclass(frozen=True)
class Thorax:
    """One patient's chest; RAS mm, the spine's middle at x = 0.

    Attributes:
        front, back, bottom: y of the heart's foremost and hindmost points, z of its lowest.
        width: half width of the rib cage's inside.
        fat: thickness of the fat under the skin.
        descending: radius of the descending aorta at the arch and at the diaphragm.
        sway: mm by which the descending aorta winds to the left and to the back.
        dome: how far the liver's dome rises above the heart's lowest point.
        rib_phase: z of a rib pair at the spine.
        fat_around_heart: mm of fat within the pericardium.
        stomach_air: radius of the bubble in the stomach.
        branches: pulmonary vessels as root, end `(N, 2, 3)` and radius `(N,)`.
        ripple: the irregularity of fat and domes.
    """

    front: float
    back: float
    bottom: float
    width: float
    fat: float
    descending: tuple[float, float]
    sway: tuple[float, float]
    dome: float
    rib_phase: float
    fat_around_heart: float
    stomach_air: float
    branches: tuple[Tensor, Tensor]
    ripple: Ripple

    @property
    def spine(self) -> float:
        """The y of the vertebral bodies' middle; oesophagus and fat lie before them."""
        return self.back - 29.0

    def descending_aorta(self, heart: WholeHeart) -> Vessel:
        """Return the aorta from the top of the arch down to the abdomen: centre line and radius, in mm."""
        arch, hiatus = self.descending
        left, back = self.sway
        y = self.spine + 17.0
        down = (
            (-25.0 - left, y - 1 - back, 76.0, arch),
            (-25.0 - left, y, 40.0, 0.97 * arch + 0.03 * hiatus),
            (-25.0 - 0.5 * left, y + back, 0.0, 0.5 * (arch + hiatus)),
            (-21.0, y + 1, -50.0, hiatus),
            (-13.0, y + 2, -100.0, hiatus),
            (-6.0, y + 3, -150.0, 0.95 * hiatus),
        )
        points = [*heart.arch, *(at[:3] for at in down)]
        radii = [0.9 * heart.aorta, 0.88 * heart.aorta, 0.5 * (0.88 * heart.aorta + arch), *(at[3] for at in down)]
        return vessel(points, radii)

    def solids(self, heart: WholeHeart, grid: VolumeGrid, points: Tensor, inner: list[Solid]) -> list[Solid]:
        """Return the chest in painting order; the heart's solids `inner` are laid over it."""
        wall = self._cage(points)
        sack = self._sack(inner)
        waves = self.ripple(points)
        solids = [
            Solid("skin", wall - self.fat - 17.0 - 1.5 * waves),
            Solid("fat", wall - self.fat - 15.0 - 1.5 * waves),
            Solid("muscle", wall - 15.0 + 1.0 * waves),
            Solid("lung", wall),
            *self._lung_vessels(grid, points, wall),
            Solid("fat", torch.maximum(self._mediastinum(points, sack), wall - 3.0)),
            *self._abdomen(points, wall, waves),
            *self._spine(points),
            *self._ribs(grid, points),
            *self._tubes(heart, grid, points),
            Solid("wall", sack - self.fat_around_heart - 1.0 - 1.2 * waves),
            Solid("fat", sack - self.fat_around_heart - 1.2 * waves),
        ]
        aorta = self.descending_aorta(heart).surface(grid, points)
        return [*solids, Solid("wall", aorta - 1.5), Solid("descending aorta", aorta)]

    def _cage(self, points: Tensor) -> Tensor:
        """Return the level set of the rib cage's inside, narrower towards the neck."""
        x, y, z = points
        depth = 0.5 * (self.front + 4 - (self.spine - 52))
        middle = 0.5 * (self.front + 4 + self.spine - 52)
        narrowing = 1 - 0.0030 * (z - 10).clamp(min=0) - 0.0006 * (z - 10).clamp(max=0).abs()
        body = ellipsoid(
            torch.stack((x, y, torch.zeros_like(z))),
            (0.0, middle, 0.0),
            (self.width * narrowing, depth * narrowing**0.3, 1.0),
        )
        groove = torch.hypot(x / 1.3, y - (self.spine - 52)) - 30.0  # the spine stands into the cage
        return torch.maximum(body, -groove)

    def _sack(self, inner: list[Solid]) -> Tensor:
        """Return the level set of the heart with its grooves filled."""
        chambers = [solid.surface.clamp(max=FAR / 2) for solid in inner if solid.code]
        return union(chambers, 12.0)

    def _mediastinum(self, points: Tensor, sack: Tensor) -> Tensor:
        x, y, z = points
        column = torch.hypot((x + 4) / 1.05, (y - self.spine - 12) / 1.25) - 29.0
        front = torch.hypot((x + 8) / 2.6, (y - self.front) / 0.9) - (11 + 0.08 * (z - 20).clamp(min=0))
        upper = torch.hypot((x - 6) / 1.15, (y - 0.45 * self.front) / 1.3) - 26 - 26 * ((70 - z) / 40).clamp(-1, 0)
        upper = torch.where(z > 30, upper, upper + (30 - z) * 0.6)
        return union((sack - 5.0, column, front, upper), 8.0)

    def _abdomen(self, points: Tensor, wall: Tensor, waves: Tensor) -> list[Solid]:
        """Return diaphragm, liver, stomach and spleen below the two domes."""
        x, y, z = points
        top = self.bottom + self.dome
        right = top - ((x - 58) ** 2 + 1.1 * (y - 2) ** 2) / 190
        left = top - 14 - ((x + 62) ** 2 + 1.1 * (y + 8) ** 2) / 190
        middle = self.bottom - 3 - (x**2 + (y - 20) ** 2) / 900
        roof = torch.maximum(torch.maximum(right, left), middle) + 1.5 * waves
        under = torch.maximum(0.85 * (z - roof), wall)
        liver = torch.maximum(under + 3.0, 0.7 * (-x - 42 - 0.25 * (y - 10)))
        spleen = ellipsoid(points, (-92.0, self.spine + 12, self.bottom - 26), (26.0, 34.0, 42.0))
        stomach = ellipsoid(points, (-66.0, 6.0, self.bottom - 34), (38.0, 40.0, 30.0))
        bubble = torch.maximum(stomach + 4.0, 34.0 - self.stomach_air - y + 6.0)
        return [
            Solid("muscle", under),
            Solid("fat", under + 3.0),
            Solid("liver", liver),
            Solid("spleen", torch.maximum(spleen, under + 4.0)),
            Solid("stomach", torch.maximum(stomach, under + 4.0)),
            Solid("air", torch.maximum(bubble, under + 8.0)),
        ]

    def _spine(self, points: Tensor) -> list[Solid]:
        x, y, z = points
        level = (z + self.rib_phase).remainder(24.0) - 12.0
        body = torch.hypot(x / 1.25, y - self.spine) - (14.5 + 1.2 * (level / 12) ** 2)
        disc = 2.6 - (level.abs() - 12).abs()
        canal = torch.hypot(x / 1.15, y - self.spine + 24) - 8.5
        arch = torch.maximum(torch.hypot(x / 1.2, y - self.spine + 25) - 15.0, level.abs() - 8.5)
        spinous = torch.maximum(
            torch.maximum(x.abs() - 3.2, (y - self.spine + 52).abs() - 17.0),
            (level + 3 + 0.3 * (y - self.spine + 40)).abs() - 6,
        )
        process = torch.maximum(torch.hypot(y - self.spine + 27 + 0.3 * x.abs(), level) - 5.5, x.abs() - 36)
        back = torch.hypot((x.abs() - 26) / 1.3, y - self.spine + 46) - 19.0  # the muscles beside the spine
        bony = union((body, arch, spinous, process))
        return [
            Solid("muscle", back),
            Solid("bone", bony),
            Solid("marrow", bony + 2.2),
            Solid("disc", torch.maximum(body + 0.6, -disc)),
            Solid("canal", canal),
            Solid("cord", canal + 3.2),
        ]

    def _ribs(self, grid: VolumeGrid, points: Tensor) -> list[Solid]:
        """Return ribs that run down from the spine to the front, and the breastbone."""
        depth = 0.5 * (self.front + 4 - (self.spine - 52)) + 6
        middle = 0.5 * (self.front + 4 + self.spine - 52)
        ribs, cartilage = [], []
        for number in range(-4, 9):
            height = 24.0 * number - self.rib_phase + 34
            for side in (-1, 1):
                line = []
                for step in range(13):
                    angle = math.radians(-72 + 145 * step / 12)
                    z = height - 62 * (step / 12) ** 1.2
                    shrink = 1 - 0.0030 * max(z - 10, 0) - 0.0006 * max(10 - z, 0)
                    line.append(
                        (side * (self.width * shrink + 6) * math.cos(angle), middle + depth * math.sin(angle), z)
                    )
                whole = vessel(line, (5.6,) * 13, step=14.0)
                front = round(0.82 * len(whole.line)) - 1
                ribs.append(whole.until(0.82))
                cartilage.append(Vessel(whole.line[front:], whole.radius[front:]))
        sternum = ellipsoid(points, (0.0, self.front + 11, 42.0), (19.0, 6.5, 95.0))
        bony, soft = (vessels_surface(tubes, grid, points, 5.0) for tubes in (ribs, cartilage))
        return [
            Solid("cartilage", soft + 0.5),
            Solid("bone", bony),
            Solid("marrow", bony + 2.4),
            Solid("bone", sternum),
            Solid("marrow", sternum + 2.0),
        ]

    def _lung_vessels(self, grid: VolumeGrid, points: Tensor, wall: Tensor) -> list[Solid]:
        lines, radii = self.branches
        tubes = [Vessel(line, torch.stack((radius, 0.6 * radius))) for line, radius in zip(lines, radii, strict=True)]
        return [Solid("lung vessel", torch.maximum(vessels_surface(tubes, grid, points, 3.0), wall + 4.0))]

    def _tubes(self, heart: WholeHeart, grid: VolumeGrid, points: Tensor) -> list[Solid]:
        """Return oesophagus, windpipe and main bronchi."""
        y = self.back - 7.0
        gullet = vessel(((-3, y, 150), (-4, y - 1, 60), (-5, y, 0), (-12, y + 6, -60), (-26, y + 16, -100)), (7,) * 5)
        fork = (2.0, self.back + 2, 76.0 * heart.size)
        pipe = vessel(((2.0, self.back - 2, 170.0), fork), (8.5, 8.5))
        bronchi = [
            vessel(
                (fork, (side * 22.0, self.back + 1, fork[2] - 20), (side * 44.0, self.back - 3, fork[2] - 38)),
                (7.5, 6.5, 5.0),
            )
            for side in (-1, 1)
        ]
        airways = vessels_surface((pipe, *bronchi), grid, points)
        return [
            Solid("oesophagus", gullet.surface(grid, points)),
            Solid("wall", airways - 1.5),
            Solid("air", airways),
        ]


def draw_thorax(heart: WholeHeart, generator: torch.Generator) -> Thorax:
    """Draw a chest that this heart fits into.

    Args:
        heart: the patient's heart.
        generator: a CPU generator.
    """

    def uniform(low: float, high: float) -> float:
        return low + (high - low) * float(torch.rand((), generator=generator))

    coarse = axial_grid((48, 48, 48), (5.0, 5.0, 5.0))
    points = coarse.points()
    inside = union(solid.surface for solid in heart_solids(heart, coarse, points) if solid.code) < 0
    x, y, z = points[:, inside & (points[2] < 45)]
    hilum = torch.tensor((52.0, float(y.min()) + 20, 20.0))
    return Thorax(
        front=float(y.max()) + 6,
        back=float(y.min()),
        bottom=float(z.min()),
        width=max(uniform(122, 140), float(-x.min()) + 16),
        fat=uniform(8, 30),
        descending=(uniform(*DESCENDING[0]), uniform(*DESCENDING[1])),
        sway=(uniform(*SWAY[0]), uniform(*SWAY[1])),
        dome=uniform(4, 22),
        rib_phase=uniform(0, 24),
        fat_around_heart=uniform(2.5, 6.0),
        stomach_air=uniform(0, 30),
        branches=_draw_branches(hilum, generator),
        ripple=draw_ripple(generator, (50.0, 120.0)),
    )


def _draw_branches(hilum: Tensor, generator: torch.Generator, count: int = 150) -> tuple[Tensor, Tensor]:
    """Return straight lung vessels, `count` on either side: roots from the hilum, the others forked off their ends."""
    roots = 9
    lines, radii = [], []
    for side in (-1.0, 1.0):
        own: list[tuple[Tensor, Tensor, float]] = []
        for number in range(count):
            spread = torch.randn(3, generator=generator)
            if number < roots:
                start, radius = hilum * torch.tensor((side, 1.0, 1.0)), 4.2
                direction = spread * torch.tensor((0.5, 0.9, 1.0)) + torch.tensor((0.7 * side, -0.1, 0.0))
            else:
                mother = own[(number - roots) // 2]  # two daughters each, one generation after the other
                start, radius = mother[0] + mother[1], 0.78 * mother[2]
                direction = torch.nn.functional.normalize(mother[1], dim=0) + 0.45 * spread
            length = (16 + 4 * radius) * (0.7 + 0.6 * float(torch.rand((), generator=generator)))
            own.append((start, length * torch.nn.functional.normalize(direction, dim=0), radius))
        lines += [torch.stack((start, start + along)) for start, along, _ in own]
        radii += [radius for *_, radius in own]
    return torch.stack(lines), torch.tensor(radii)
