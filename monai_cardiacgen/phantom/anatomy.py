"""A parametric heart in 3D and time: two ventricles that contract, of the five kinds that ACDC tells apart.

The left ventricle is a truncated ellipsoid in a wall, the right one a flattened ellipsoid wrapped on the
septum. Heights z run along the long axis, in mm from the base at end diastole towards the apex. Contraction
0 is end diastole, 1 end systole: the cavity shrinks, the base descends, and the wall thickens because it
keeps its volume.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from ..errors import InputError
from .outline import ANGLES, Outline, angles, draw_waves, ellipse

#: Pathologies as ACDC names them: dilated, hypertrophic, infarcted, normal, abnormal right ventricle.
GROUPS = ("DCM", "HCM", "MINF", "NOR", "RV")


@dataclass(frozen=True)
class _Form:
    """The mean heart of a group; lengths in mm at end diastole, read off ACDC's label maps."""

    radius: float
    wall: float
    length: float
    systolic_radius: float  # of the cavity, relative to end diastole
    shortening: float  # of the long axis, relative
    rv_width: float
    rv_height: float
    rv_systolic_width: float  # relative


_FORMS = {
    "DCM": _Form(34.8, 8.3, 99, 0.92, 0.025, 38, 44, 0.78),
    "HCM": _Form(25.2, 11.0, 92, 0.62, 0.09, 35, 40, 0.60),
    "MINF": _Form(29.8, 8.8, 89, 0.81, 0.045, 35, 41, 0.62),
    "NOR": _Form(26.9, 8.0, 85, 0.66, 0.08, 41, 43, 0.66),
    "RV": _Form(25.6, 7.4, 72, 0.69, 0.065, 46, 49, 0.84),
}


@dataclass(frozen=True)
class Heart:
    """One patient's heart; angles in radians from the septum's middle, lengths in mm at end diastole.

    Attributes:
        group: one of `GROUPS`.
        septum: angle in the image from the left ventricle towards the right one.
        drift: shift of the left ventricle's centre in x and y, mm a mm of height.
        radius, length: greatest radius and long axis of the left cavity.
        wall, apical_wall: thickness at the greatest radius and at the apex.
        systolic_radius: cavity radius at end systole relative to end diastole.
        systolic_wall_volume: volume of the wall's segments at end systole, relative.
        shortening: of the long axis, relative.
        cavity_waves, wall_waves: relative deviations of the cavity's radius and the wall `(ANGLES,)`.
        septal_thickening: extra relative thickness of the septum.
        septal_flattening: relative retreat of a septum pressed by the right ventricle.
        scar, scar_height, scar_span: angle, height and half width (radians) of the infarct.
        scar_depth: 0 without infarct ... 1 for a thin wall that does not move.
        rv_width, rv_height: thickness of the crescent at its base, and half its extent along the septum.
        rv_base, rv_length: heights of the tricuspid plane and of the crescent's end below it.
        rv_systolic_width, rv_descent: relative width at end systole, descent of the tricuspid plane.
        rv_waves: relative deviation of the right ventricle's outline `(ANGLES,)`.
        rv_turn: angle of the crescent against the septum's middle.
    """

    group: str
    septum: float
    drift: tuple[float, float]
    radius: float
    length: float
    wall: float
    apical_wall: float
    systolic_radius: float
    systolic_wall_volume: float
    shortening: float
    cavity_waves: Tensor
    wall_waves: Tensor
    septal_thickening: float
    septal_flattening: float
    scar: float
    scar_height: float
    scar_span: float
    scar_depth: float
    rv_width: float
    rv_height: float
    rv_base: float
    rv_length: float
    rv_systolic_width: float
    rv_descent: float
    rv_waves: Tensor
    rv_turn: float

    def base(self, contraction: float) -> float:
        """Return the height in mm of the mitral plane: it descends towards the apex."""
        return self.length * self.shortening * contraction

    def rv_plane(self, contraction: float) -> float:
        """Return the height in mm of the tricuspid plane."""
        return self.rv_base + self.rv_descent * contraction

    def centre(self, z: Tensor) -> Tensor:
        """Return x and y in mm `(Z, 2)` of the long axis at heights `z` `(Z,)`; 0 at half the length."""
        return (z[:, None] - self.length / 2) * torch.tensor(self.drift)

    def left_ventricle(self, z: Tensor, contraction: float) -> tuple[Outline, Outline]:
        """Return endocardium and epicardium at heights `z` `(Z,)` in mm; below the apex radii are < 0."""
        base = self.base(contraction)
        material = (z - base) * (self.length / (self.length - base))
        relative = (angles() - self.septum + math.pi).remainder(2 * math.pi) - math.pi
        scar = self._scar(material, relative)

        relaxed = _ellipsoid(material, self.radius, self.length)[:, None] * (1 + self.cavity_waves)
        relaxed = relaxed * (1 - self.septal_flattening * torch.exp(-((relative / 0.75) ** 2)))
        outer = _ellipsoid(material, self.radius + self.wall, self.length + self.apical_wall)[:, None]
        wall = outer - _ellipsoid(material, self.radius, self.length)[:, None].clamp(min=0)
        apical = (material / self.length).clamp(0, 1)[:, None]
        thickening = (
            1 - 0.25 * apical**2 + self.wall_waves + self.septal_thickening * torch.exp(-((relative / 1.1) ** 2))
        )
        wall = wall * torch.where(wall > 0, thickening * (1 - 0.42 * scar), 1.0)

        shrinking = (1 - self.systolic_radius) * (0.95 + 0.2 * apical) * (1 - 0.95 * scar) * contraction
        cavity = relaxed * (1 - shrinking)
        growth = 1 + (self.systolic_wall_volume - 1) * (1 - scar) * contraction
        inner = relaxed.clamp(min=0)
        kept = growth * ((inner + wall.clamp(min=0)) ** 2 - inner**2)  # the ring's area over pi
        epicardium = torch.sqrt(cavity.clamp(min=0) ** 2 + kept) + wall.clamp(max=0)
        centre = self.centre(z)
        return Outline(centre, cavity), Outline(centre, epicardium)

    def right_ventricle(self, z: Tensor, contraction: float) -> Outline:
        """Return the right cavity's outline; the left epicardium covers its inner part."""
        _, epicardium = self.left_ventricle(z, contraction)
        plane = self.rv_plane(contraction)
        height = ((z - plane) / (self.rv_base + self.rv_length - plane)).clamp(min=0)
        taper = 1 - height**1.35
        direction = self.septum + self.rv_turn
        towards = round(direction / (2 * math.pi) * ANGLES) % ANGLES
        septal = epicardium.radius[:, towards].clamp(min=1)
        narrowing = 1 - (1 - self.rv_systolic_width) * contraction
        width = self.rv_width * narrowing * taper
        along = 0.5 * width + 0.55 * septal
        tall, low = self.rv_height * (0.4 + 0.6 * narrowing), 0.7 * septal
        across = low + (tall - low) * taper.clamp(0, 1).sqrt()
        step = septal + width - along
        centre = epicardium.centre + step[:, None] * torch.tensor([math.cos(direction), math.sin(direction)])
        waves = self.rv_waves.roll(towards)
        return ellipse(centre, torch.stack((along, across), dim=1), direction, waves)

    def _scar(self, material: Tensor, relative: Tensor) -> Tensor:
        """Return how much of the infarct lies at heights `material` and angles `relative` `(Z, ANGLES)`."""
        away = (relative - self.scar + math.pi).remainder(2 * math.pi) - math.pi
        around = torch.exp(-((away / self.scar_span) ** 4))
        along = torch.exp(-(((material - self.scar_height) / (0.42 * self.length)) ** 2))
        return self.scar_depth * along[:, None] * around


def _ellipsoid(z: Tensor, radius: float, length: float) -> Tensor:
    """Return the radius in mm of a truncated ellipsoid at heights `z`; below its apex, minus the depth."""
    widest = 0.22 * length
    share = (z - widest) / torch.where(z > widest, length - widest, 3.2 * widest)
    return radius * torch.sqrt((1 - share**2).clamp(min=0)) - (z - length).clamp(min=0)


def draw_heart(group: str, turn: float, generator: torch.Generator) -> Heart:
    """Draw a patient's heart.

    Args:
        group: one of `GROUPS`.
        turn: angle in radians by which the chest is turned in the image (see `stack.Stack`).
        generator: a CPU generator.

    Raises:
        InputError: when the group is none of ACDC's.
    """
    if group not in _FORMS:
        raise InputError(f"Expected a group of {GROUPS}, got {group!r}; choose one of ACDC's names.")
    form = _FORMS[group]

    def normal(mean: float, relative: float) -> float:
        draw = float(torch.randn((), generator=generator).clamp(-2.2, 2.2))
        return mean * math.exp(relative * draw)

    def uniform(low: float, high: float) -> float:
        return low + (high - low) * float(torch.rand((), generator=generator))

    size = normal(1.0, 0.05)
    length = normal(form.length, 0.09) * size
    rv_reach = {"HCM": 0.84, "RV": 1.12}.get(group, 0.95)  # relative to the left ventricle's length
    return Heart(
        group=group,
        septum=math.radians(150) + 0.85 * turn + uniform(-0.35, 0.35),
        drift=(uniform(-0.1, 0.22), uniform(-0.1, 0.16)),
        radius=normal(form.radius, 0.07) * size,
        length=length,
        wall=normal(form.wall, 0.11),
        apical_wall=uniform(4.5, 7.0),
        systolic_radius=min(0.97, normal(form.systolic_radius, 0.06 if form.systolic_radius < 0.85 else 0.035)),
        systolic_wall_volume=uniform(1.02, 1.2),
        shortening=normal(form.shortening, 0.2),
        cavity_waves=draw_waves(generator, (2, 3, 4), 0.025),
        wall_waves=draw_waves(generator, (1, 2, 3), 0.07),
        septal_thickening=uniform(0.2, 0.75) if group == "HCM" else uniform(-0.05, 0.12),
        septal_flattening=uniform(0.05, 0.22) if group == "RV" else uniform(0.0, 0.05),
        scar=uniform(-math.pi, math.pi),
        scar_height=length * uniform(0.45, 0.9),
        scar_span=uniform(0.8, 1.5),
        scar_depth=uniform(0.75, 1.0) if group == "MINF" else 0.0,
        rv_width=normal(form.rv_width, 0.13) * size,
        rv_height=normal(form.rv_height, 0.07) * size,
        rv_base=uniform(-4.0, 5.0),
        rv_length=length * rv_reach * uniform(0.94, 1.06),
        rv_systolic_width=min(0.97, normal(form.rv_systolic_width, 0.1)),
        rv_descent=uniform(12.0, 20.0) * (0.5 if group in ("DCM", "RV") else 1.0),
        rv_waves=draw_waves(generator, (2, 3, 4, 5), 0.035),
        rv_turn=uniform(-0.25, 0.25),
    )
