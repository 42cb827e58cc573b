"""A heart in space: the measures of its four chambers, the left wall and the great vessels, and where each lies.

The left ventricle has axes of its own: s points from its long axis to the right ventricle, t to its anterior
wall, w from the mitral plane to the apex. All else is placed from there, so that what belongs together
touches in every heart: left ventricle and aorta at the aortic valve, right ventricle and pulmonary artery at
the pulmonary one, each atrium and its ventricle at the valve between them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from ..errors import InputError
from .solids import Ripple, Vessel, draw_ripple, vessel
from .volume_grid import rotation

#: Normal, dilated and hypertrophic left ventricles, as ACDC abbreviates them.
WHOLE_HEART_GROUPS = ("NOR", "DCM", "HCM")

#: The left ventricle's axes s, t, w (rows) in RAS: its apex points left, forward and down.
_AXES = torch.tensor([[0.604, 0.797, 0.0], [-0.358, 0.272, 0.893], [-0.712, 0.539, -0.450]])
#: Where the middle of the mitral plane lies in RAS mm; the spine's middle has x = 0.
_BASE = (-15.0, 0.0, 0.0)


@dataclass(frozen=True)
class WholeHeart:
    """One patient's heart at end diastole; lengths in mm.

    Attributes:
        group: one of `WHOLE_HEART_GROUPS`.
        size: relative size of everything that has no length of its own.
        axes: the left ventricle's s, t and w as rows `(3, 3)`, RAS.
        radius, length: greatest radius and long axis of the left cavity.
        wall, apical_wall: thickness of its wall at the greatest radius and at the apex.
        septal_thickening: extra thickness of the septum, relative.
        rv_width: from the septum to the free wall at the base.
        la_axes, ra_axes: semi-axes of the atria to the right, front and head.
        aorta, pulmonary: radii of the ascending aorta and the pulmonary trunk.
        aortic_label_top: mm above the mitral plane's middle where the ascending aorta's label ends.
        ripples: the surfaces' irregularities, one a chamber.
    """

    group: str
    size: float
    axes: Tensor
    radius: float
    length: float
    wall: float
    apical_wall: float
    septal_thickening: float
    rv_width: float
    la_axes: tuple[float, float, float]
    ra_axes: tuple[float, float, float]
    aorta: float
    pulmonary: float
    aortic_label_top: float
    ripples: tuple[Ripple, ...]

    @property
    def base(self) -> Tensor:
        """The middle of the mitral plane in RAS mm `(3,)`."""
        return torch.tensor(_BASE)

    def place(self, s: float, t: float, w: float) -> Tensor:
        """Return RAS mm `(3,)` of a point given along the left ventricle's axes in mm from its base."""
        return self.base + torch.tensor((s, t, w)) @ self.axes

    @property
    def aortic_valve(self) -> tuple[Tensor, Tensor]:
        """Its centre in RAS mm and the unit vector of the outflow, each `(3,)`."""
        centre = self.place(0.50 * self.radius, 0.38 * self.radius, -8.0)
        return centre, _unit(torch.tensor((0.5, 0.62, -0.60)) @ self.axes)

    @property
    def pulmonary_valve(self) -> tuple[Tensor, Tensor]:
        """Its centre in RAS mm and the unit vector of the outflow, each `(3,)`."""
        outer = self.radius + self.wall
        centre = self.place(0.70 * outer, outer + 0.72 * self.pulmonary, 4.0)
        return centre, _unit(torch.tensor((-0.05, -0.45, 0.90)))

    @property
    def tricuspid_valve(self) -> tuple[Tensor, Tensor]:
        """Its centre in RAS mm and the unit vector towards the right atrium, each `(3,)`."""
        outer = self.radius + self.wall
        return self.place(outer + 0.34 * self.rv_width, -8.0, 4.0), _unit(torch.tensor((0.74, -0.62, 0.12)))

    @property
    def la_centre(self) -> Tensor:
        """Middle of the left atrium in RAS mm `(3,)`: behind the mitral plane."""
        right, front, head = self.la_axes
        reach = math.sqrt(sum((float(n) * a) ** 2 for n, a in zip(self.axes[2], (right, front, head), strict=True)))
        return self.place(-0.15 * self.radius, -0.22 * self.radius, -0.90 * reach) + torch.tensor((0.0, -3.0, 0.0))

    @property
    def ra_centre(self) -> Tensor:
        """Middle of the right atrium in RAS mm `(3,)`."""
        valve, normal = self.tricuspid_valve
        return valve + 0.82 * self.ra_axes[0] * normal + torch.tensor((4.0, -4.0, 2.0))

    def ascending_aorta(self) -> Vessel:
        """Return the aorta from its valve to the top of the arch."""
        valve, normal = self.aortic_valve
        root, size, r = valve + 12 * normal, self.size, self.aorta
        line = [valve - 3 * normal, valve, root, valve + 26 * normal]
        line += [torch.tensor(at) for at in ((11.0, 13.0, 54.0 * size), (10.0, 4.0, 80.0 * size), *self.arch[:2])]
        return vessel(
            [at.tolist() for at in line], (0.8 * r, 0.82 * r, 1.12 * r, 0.96 * r, r, 0.97 * r, 0.92 * r, 0.9 * r)
        )

    @property
    def arch(self) -> tuple[tuple[float, float, float], ...]:
        """Points of the aortic arch in RAS mm, from the front to the back."""
        top = 108.0 + 14 * (self.size - 1)
        return (4.0, -9.0, top - 8), (-6.0, -26.0, top), (-17.0, -45.0, top - 6)

    def pulmonary_trunk(self) -> Vessel:
        """Return the pulmonary artery from its valve to where it divides."""
        valve, normal = self.pulmonary_valve
        points = (valve - 3 * normal, valve, valve + 16 * normal, self.bifurcation)
        return vessel([at.tolist() for at in points], (self.pulmonary,) * 3 + (0.95 * self.pulmonary,))

    @property
    def bifurcation(self) -> Tensor:
        """Where the pulmonary trunk divides, in RAS mm `(3,)`."""
        valve, _ = self.pulmonary_valve
        return valve + self.size * torch.tensor((0.0, -36.0, 27.0))

    def pulmonary_branches(self) -> tuple[Vessel, Vessel]:
        """Return the right pulmonary artery, which passes behind the aorta, and the left one."""
        x, y, z = self.bifurcation.tolist()
        r = self.pulmonary
        right = ((x, y, z), (x + 16, y - 8, z - 3), (34.0, y - 20, z - 6), (62.0, y - 26, z - 14))
        left = ((x, y, z), (x - 12, y - 14, z + 4), (x - 30, y - 30, z), (x - 44, y - 42, z - 14))
        radii = (0.85 * r, 0.78 * r, 0.68 * r, 0.5 * r)
        return vessel(right, radii), vessel(left, radii)

    def great_veins(self) -> tuple[Vessel, Vessel]:
        """Return the superior and the inferior vena cava, from inside the right atrium outwards."""
        x, y, z = self.ra_centre.tolist()
        tall = self.ra_axes[2]
        superior = ((x - 1, y - 8, z + 0.7 * tall), (x - 1, y - 12, z + tall + 18), (36.0, y - 14, 170.0))
        inferior = ((x - 3, y - 6, z - 0.6 * tall), (x - 8, y - 14, z - tall - 18), (22.0, y - 40, z - tall - 110))
        return vessel(superior, (11.0, 9.5, 9.5)), vessel(inferior, (12.0, 12.5, 11.0))

    def pulmonary_veins(self) -> tuple[Vessel, ...]:
        """Return the four pulmonary veins, from inside the left atrium outwards: right and left, upper and lower."""
        right = self.la_axes[0]
        ends = ((1, -2, 12, 24), (1, -14, -10, -14), (-1, 4, 15, 28), (-1, -4, -8, -12))
        veins = []
        for side, back, low, far in ends:
            start = self.la_centre + torch.tensor((side * 0.55 * right, 0.25 * back, 0.7 * low))
            ostium = self.la_centre + torch.tensor((side * (right + 1.0), float(back), float(low)))
            end = self.la_centre + torch.tensor((side * (right + 30.0), 2.2 * back, float(far)))
            veins.append(vessel([at.tolist() for at in (start, ostium, end)], (9.5, 7.0, 5.0)))
        return tuple(veins)


def _unit(vector: Tensor) -> Tensor:
    unit: Tensor = vector / vector.norm()
    return unit


def draw_whole_heart(group: str, generator: torch.Generator) -> WholeHeart:
    """Draw a patient's heart.

    Args:
        group: one of `WHOLE_HEART_GROUPS`.
        generator: a CPU generator.

    Raises:
        InputError: when the group is none of these.
    """
    if group not in WHOLE_HEART_GROUPS:
        raise InputError(f"Expected a group of {WHOLE_HEART_GROUPS}, got {group!r}; choose one of these.")

    def normal(mean: float, relative: float) -> float:
        draw = float(torch.randn((), generator=generator).clamp(-2, 2))
        return mean * math.exp(relative * draw)

    def uniform(low: float, high: float) -> float:
        return low + (high - low) * float(torch.rand((), generator=generator))

    size = normal(1.0, 0.05)
    radius, wall, length = {"NOR": (24.2, 9.0, 83.0), "DCM": (32.0, 8.8, 94.0), "HCM": (22.6, 13.5, 82.0)}[group]
    tilt = rotation([math.radians(uniform(-9, 9)) for _ in range(3)])
    atrium = {"NOR": 1.0, "DCM": 1.12, "HCM": 1.08}[group] * size
    la = tuple(normal(mean, 0.06) * atrium for mean in (32.0, 20.5, 26.0))
    ra = tuple(normal(mean, 0.06) * size for mean in (25.5, 27.0, 31.0))
    return WholeHeart(
        group=group,
        size=size,
        axes=_AXES @ torch.from_numpy(tilt).to(torch.float32).T,
        radius=normal(radius, 0.06) * size,
        length=normal(length, 0.05) * size,
        wall=normal(wall, 0.08),
        apical_wall=uniform(5.0, 7.0),
        septal_thickening=uniform(0.15, 0.45) if group == "HCM" else uniform(-0.05, 0.12),
        rv_width=normal(33.0, 0.08) * size,
        la_axes=(la[0], la[1], la[2]),
        ra_axes=(ra[0], ra[1], ra[2]),
        aorta=normal(15.5, 0.07) * size,
        pulmonary=normal(12.8, 0.06) * size,
        aortic_label_top=uniform(48.0, 70.0) * size,
        ripples=tuple(draw_ripple(generator, (45.0, 90.0)) for _ in range(5)),
    )
