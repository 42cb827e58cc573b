"""A parametric heart in the two apical planes: chambers as contours that contract to a given ejection fraction.

Both planes share the left ventricle's volumes and its long axis. A plane's frame is in mm with the apex of the
left cavity at the origin, x to the right of the screen and y away from the probe, so the mitral valve lies at
about `(0, length)`; it ascends towards the apex in systole, while the apex and the atrium's roof stay. Contraction
0 is end diastole, 1 end systole.

Every chamber is the same primitive: a base between two points and a rounded body that ends in a tip.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from ..errors import InputError

#: The apical two- and four-chamber view.
VIEWS = ("2CH", "4CH")
#: Points of a chamber's contour, from the base's left end by the tip to its right end.
POINTS = 241


@dataclass(frozen=True)
class ChamberForm:
    """A chamber's form apart from its size.

    Attributes:
        widest: height of its greatest width above the base, relative to its length.
        fullness: exponent of its closing; 2 is an ellipse, more a blunter tip.
        lean: sideways shift of the tip, relative to the length.
        bend: sideways bow of its axis, relative to the greatest half width.
        waves: relative deviations of the left and right half width by order `(2, orders)`.
    """

    widest: float
    fullness: float
    lean: float
    bend: float
    waves: Tensor

    def half_widths(self, base: float, radius: float) -> Tensor:
        """Return the left and right half widths in mm `(2, POINTS)`, read at each contour point's height."""
        height = _heights()
        low = ((self.widest - height) / self.widest).clamp(min=0)
        high = ((height - self.widest) / (1 - self.widest)).clamp(min=0)
        width = (radius - (radius - base) * low**2) * (1 - high**self.fullness).clamp(min=0).sqrt()
        orders = torch.arange(1, self.waves.shape[1] + 1, dtype=torch.float32)
        waved: Tensor = width * (1 + self.waves @ torch.sin(math.pi * orders[:, None] * height))
        return waved

    def contour(self, left: Tensor, right: Tensor, length: float, radius: float) -> Tensor:
        """Return the contour in mm `(POINTS, 2)` from `left` by the tip to `right`, both `(2,)` in mm.

        The tip lies to the right of the way from `right` to `left` on the screen, `length` mm off the base.
        """
        along = (right - left) / (right - left).norm()
        upwards = torch.stack((along[1], -along[0]))
        widths = self.half_widths(float((right - left).norm()) / 2, radius)
        height = _heights()
        first = torch.arange(POINTS) <= POINTS // 2
        side = torch.where(first, -widths[0], widths[1])
        side = side + self.lean * length * height + self.bend * radius * torch.sin(math.pi * height)
        points: Tensor = (left + right) / 2 + side[:, None] * along + (height * length)[:, None] * upwards
        return points


def _heights() -> Tensor:
    """Return the contour points' heights `(POINTS,)` above the base, relative: 0 at the base, 1 at the tip."""
    height: Tensor = torch.sin(torch.linspace(0, math.pi, POINTS)).clamp(0, 1)
    height[[0, -1]] = 0.0
    return height


@dataclass(frozen=True)
class PlaneForm:
    """What a view adds to the patient: forms of the chambers that it cuts; lengths relative unless said.

    Attributes:
        view: one of `VIEWS`.
        ventricle, atrium: forms of the left heart's chambers.
        breadth: width of the left ventricle against the mean of both views.
        mitral_tilt: angle in radians of the mitral plane against the screen's horizontal.
        wall_left, wall_right, wall_apex: thickness of the myocardium at its three marks, against the mean.
        atrium_bulge: the atrium's greatest half width against the relaxed mitral ring's.
        right_width, right_length: of the right ventricle, in half widths and lengths of the left one.
        right_form: form of the right chambers.
    """

    view: str
    ventricle: ChamberForm
    atrium: ChamberForm
    breadth: float
    mitral_tilt: float
    wall_left: float
    wall_right: float
    wall_apex: float
    atrium_bulge: float
    right_width: float
    right_length: float
    right_form: ChamberForm


@dataclass(frozen=True)
class ApicalPlane:
    """The contours that an apical view cuts, in mm `(points, 2)`; see the module for the frame.

    Attributes:
        endocardium: from the mitral ring's left point by the apex to its right point.
        epicardium: point by point across the wall from `endocardium`.
        left_atrium: from the mitral ring's left point by the roof to its right point.
        leaflets: the two mitral leaflets, from the ring to where they meet.
        right_ventricle, right_atrium: the right heart, only in the four-chamber view.
    """

    endocardium: Tensor
    epicardium: Tensor
    left_atrium: Tensor
    leaflets: tuple[Tensor, Tensor]
    right_ventricle: Tensor | None
    right_atrium: Tensor | None


@dataclass(frozen=True)
class ApicalHeart:
    """One patient's heart as apical echocardiography sees it; lengths in mm, volumes in mL.

    Attributes:
        sex: `"F"` or `"M"`.
        volume: of the left cavity at end diastole, by Simpson's biplane rule.
        ejection_fraction: in [0, 1].
        length: of the left cavity at end diastole, mitral plane to apex.
        shortening: of the length at end systole, relative.
        ring: half width of the mitral ring at end diastole, relative to the cavity's greatest half width.
        wall: mean thickness of the myocardium at end diastole.
        thickening: of the myocardium at end systole, relative.
        atrium_length: of the left atrium at end diastole.
        atrium_filling: growth of the atrium's width at end systole, relative.
        tenting: how far the closed mitral leaflets reach into the cavity.
        planes: forms in the order of `VIEWS`.
    """

    sex: str
    volume: float
    ejection_fraction: float
    length: float
    shortening: float
    ring: float
    wall: float
    thickening: float
    atrium_length: float
    atrium_filling: float
    tenting: float
    planes: tuple[PlaneForm, PlaneForm]

    def cavity_length(self, contraction: float) -> float:
        """Return the left cavity's length in mm."""
        return self.length * (1 - self.shortening * contraction)

    def radius(self, contraction: float) -> float:
        """Return the mean greatest half width in mm that gives the cavity its volume.

        Simpson's biplane rule: `V = pi / 4 * integral of d_2CH * d_4CH dh` over the long axis, with the cavity's
        diameters d in both views.

        Source:
            Lang et al., DOI 10.1016/j.echo.2014.10.003.
        """
        volume = 1000 * self.volume * (1 - self.ejection_fraction * contraction)
        return math.sqrt(volume / self._biplane(1.0, contraction))  # every width is in proportion to the greatest

    def _biplane(self, radius: float, contraction: float) -> float:
        """Return Simpson's biplane volume in mm3 of a cavity with this greatest half width."""
        half = POINTS // 2 + 1
        height = _heights()[:half]
        across = torch.ones(half)
        for plane in self.planes:
            widths = plane.ventricle.half_widths(
                self._ring(radius, contraction) * plane.breadth, radius * plane.breadth
            )
            across = across * (widths[0, :half] + widths[1, :half])
        return float(math.pi / 4 * torch.trapezoid(across, height) * self.cavity_length(contraction))

    def _ring(self, radius: float, contraction: float) -> float:
        """Return the mitral ring's half width in mm: in systole it narrows less than the cavity."""
        return radius * min(0.97, self.ring * (1 + 0.22 * self.ejection_fraction * contraction))

    def plane(self, view: str, contraction: float) -> ApicalPlane:
        """Return the contours of a view.

        Args:
            view: one of `VIEWS`.
            contraction: 0 for end diastole ... 1 for end systole.

        Raises:
            InputError: when there is no such view.
        """
        if view not in VIEWS:
            raise InputError(f"Expected a view of {VIEWS}, got {view!r}; choose one of them.")
        form = self.planes[VIEWS.index(view)]
        radius, length = self.radius(contraction), self.cavity_length(contraction)
        half_ring = self._ring(radius, contraction) * form.breadth
        cos, sin = math.cos(form.mitral_tilt), math.sin(form.mitral_tilt)
        along, upwards = torch.tensor([cos, sin]), torch.tensor([sin, -cos])
        middle = -length * upwards - form.ventricle.lean * length * along  # so that the apex is the origin
        left, right = middle - half_ring * along, middle + half_ring * along

        endocardium = form.ventricle.contour(left, right, length, radius * form.breadth)
        thickness = self.wall * (1 + self.thickening * contraction) * _along_wall(form)
        epicardium = endocardium + thickness[:, None] * outward(endocardium)
        relaxed_ring = self._ring(self.radius(0.0), 0.0) * form.breadth
        depth = self.atrium_length + self.length * self.shortening * contraction
        atrium = relaxed_ring * form.atrium_bulge * (1 + self.atrium_filling * contraction)
        roof_first = form.atrium.contour(right, left, depth, atrium)  # the tip lies on the other side
        coaptation = middle + self.tenting * upwards + 0.25 * half_ring * along
        return ApicalPlane(
            endocardium,
            epicardium,
            roof_first.flip(0),
            (_leaflet(left, coaptation, upwards), _leaflet(right, coaptation, upwards)),
            *(self._right_heart(form, epicardium, radius, length, contraction) if view == "4CH" else (None, None)),
        )

    def _right_heart(
        self, form: PlaneForm, epicardium: Tensor, radius: float, length: float, contraction: float
    ) -> tuple[Tensor, Tensor]:
        """Return right ventricle and right atrium, which lie to the left of the septum."""
        septal = epicardium[POINTS // 30] + torch.tensor([-0.5, 0.0])
        ring = 0.8 * form.right_width * self.radius(0.0) * (1 - 0.12 * contraction)
        tilt = form.mitral_tilt + 0.18
        along, upwards = (
            torch.tensor([-math.cos(tilt), -math.sin(tilt)]),
            torch.tensor([math.sin(tilt), -math.cos(tilt)]),
        )
        outer = septal + 2 * ring * along
        ventricle = form.right_form.contour(outer, septal, form.right_length * length, ring * 1.12)
        roof = self.atrium_length * 0.85 + self.length * self.shortening * contraction
        inner = septal + 0.12 * ring * along - 1.0 * upwards
        atrium = form.atrium.contour(inner, outer - 1.0 * upwards, roof, ring * 1.15)
        return ventricle, atrium.flip(0)


def outward(contour: Tensor) -> Tensor:
    """Return unit normals `(points, 2)` of a contour that runs left, tip, right: away from the chamber."""
    tangent = torch.empty_like(contour)
    tangent[1:-1] = contour[2:] - contour[:-2]
    tangent[0], tangent[-1] = contour[1] - contour[0], contour[-1] - contour[-2]
    tangent = tangent / tangent.norm(dim=1, keepdim=True).clamp(min=1e-6)
    return torch.stack((tangent[:, 1], -tangent[:, 0]), dim=1)


def _along_wall(form: PlaneForm) -> Tensor:
    """Return the relative thickness `(POINTS,)` of the wall along the endocardium, smooth over the apex."""
    share = torch.linspace(0, 1, POINTS)
    apical = torch.sin(math.pi * share) ** 3
    basal = form.wall_left + (form.wall_right - form.wall_left) * (0.5 - 0.5 * torch.cos(math.pi * share))
    return basal * (1 - apical) + form.wall_apex * apical


def _leaflet(ring: Tensor, coaptation: Tensor, upwards: Tensor) -> Tensor:
    """Return a leaflet `(40, 2)`, bowed towards the atrium."""
    share = torch.linspace(0, 1, 40)[:, None]
    return ring + share * (coaptation - ring) + 1.5 * torch.sin(math.pi * share) * -upwards
