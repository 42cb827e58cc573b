"""Apical echocardiography of a phantom patient: contours in, sector images and their exact label maps out."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ..anatomy.schemes import CAMUS, LEFT_ATRIUM, LV_CAVITY, MYOCARDIUM
from .apical_heart import POINTS, ApicalHeart, ApicalPlane
from .filled_contour import filled_contour
from .outline import draw_texture
from .scatterers import Scatterers, draw_field, draw_surface, draw_wall, joined
from .ultrasound import (
    Probe,
    beam_space,
    compress,
    draw_clutter,
    draw_gain,
    draw_noise,
    draw_probe,
    point_spread,
    polar,
    scan_convert,
    screen,
)

#: Side of a pixel in mm, as in CAMUS.
SPACING = 0.308


@dataclass(frozen=True)
class _Pose:
    """How the heart lies under the probe: rotation in radians, then the apex's place in mm."""

    turn: float
    apex: tuple[float, float]

    def __call__(self, points: Tensor) -> Tensor:
        cos, sin = math.cos(self.turn), math.sin(self.turn)
        return points @ torch.tensor([[cos, sin], [-sin, cos]]) + torch.tensor(self.apex)


class ApicalEcho:
    """A view of a patient under a probe, ready to be imaged at any contraction.

    The heart lies in the sector so that the whole left cavity is seen; its wall may be cut by the sector's sides and
    the left atrium by its end, as on real images, and the label map ends there too.

    Args:
        heart: the patient's heart.
        view: `"2CH"` or `"4CH"`.
        generator: a CPU generator; the pose, the machine, textures and noise come from it.
    """

    def __init__(self, heart: ApicalHeart, view: str, generator: torch.Generator) -> None:
        self.heart = heart
        self.view = view
        self._generator = generator
        self._pose, self.probe = _draw_pose(heart, view, generator)
        self._pixels = screen(self.probe, SPACING)
        height, width = self._pixels.shape[:2]
        self._sector = self.probe.covers(self._pixels)
        reach = float(self._pixels[..., 0].max())
        self._box = ((-reach, 0.0), (reach, self.probe.far))
        self._field = draw_field(*self._box, generator)
        relaxed = self._plane(0.0)
        smooth = draw_wall(relaxed.endocardium, relaxed.epicardium, generator)
        ridges = draw_texture(generator, (1, POINTS, 1), (1, 4, 1))[0, :, 0]  # trabeculae, which experts draw over
        depth = 0.12 * ridges[smooth.along.to(torch.int64)] * (1 - smooth.across)
        self._wall = replace(smooth, across=smooth.across - depth)
        coarse = draw_texture(generator, (1, height, width), (1, 45 / SPACING, 60 / SPACING))[0]
        fine = draw_texture(generator, (1, height, width), (1, 5 / SPACING, 12 / SPACING))[0]
        self._surroundings = self._uniform(-7, -2) + 5.0 * coarse + 3.5 * fine
        self._wall_level = self._draw_wall_level()
        self._blood = self._uniform(-30, -22)
        self._gain = draw_gain(self.probe, generator)
        self._levels = {name: self._uniform(*span) for name, span in _SURFACES.items()}
        self._far_arcs = [self._draw_far_arc(relaxed) for _ in range(2)]
        self._threads = torch.rand(int(torch.randint(0, 11, (), generator=generator)), 3, generator=generator)
        self._papillaries = torch.rand(2, 4, generator=generator)

    def image(self, contraction: float) -> tuple[Tensor, Tensor]:
        """Return the grey values and CAMUS's codes, both uint8 `(X, Y)`: x across the sector, y away from the probe.

        Grey values are 0 outside the sector and at least 1 inside.

        Args:
            contraction: 0 for end diastole ... 1 for end systole.
        """
        plane = self._plane(contraction)
        label = self._label(plane)
        scatterers = joined([*self._tissues(plane, label), *self._surfaces(plane)])
        echoes = point_spread(beam_space(scatterers.points, scatterers.amplitude, self.probe), self.probe)
        echoes = echoes * 10 ** (self._gain / 20) + draw_clutter(self.probe, self._generator)
        # The machine dims beams without contact, so half of the lost dB are lost for the noise too.
        echoes = echoes + draw_noise(self.probe, self._generator) * 10 ** (self._gain / 40)
        grey = scan_convert(compress(echoes, self.probe), self.probe, self._pixels)
        stored = (1 + 254 * grey).round().to(torch.uint8)
        return torch.where(self._sector, stored, 0).T.contiguous(), label.T.contiguous()

    def label(self, contraction: float) -> Tensor:
        """Return CAMUS's codes alone, uint8 `(X, Y)`, as `image` gives them; nothing random is drawn."""
        return self._label(self._plane(contraction)).T.contiguous()

    @property
    def quality(self) -> str:
        """How readable the image is, in CAMUS's words."""
        return self.probe.quality

    def _uniform(self, low: float, high: float) -> float:
        return low + (high - low) * float(torch.rand((), generator=self._generator))

    def _plane(self, contraction: float) -> ApicalPlane:
        """Return the view's contours in mm from the probe."""
        return _posed(self.heart.plane(self.view, contraction), self._pose)

    def _inside(self, contour: Tensor) -> Tensor:
        """Return the pixels `(H, W)` whose centres a closed contour in mm holds."""
        half = self._pixels.shape[1] // 2
        corners = (contour / SPACING + torch.tensor([half, 0.0])).flip(1).numpy()
        return torch.from_numpy(filled_contour((self._pixels.shape[0], self._pixels.shape[1]), corners))

    def _label(self, plane: ApicalPlane) -> Tensor:
        """Return CAMUS's codes `(H, W)`, uint8; the mitral plane parts ventricle and atrium."""
        label = torch.zeros(self._sector.shape, dtype=torch.uint8)
        label[self._inside(plane.left_atrium)] = CAMUS.code(LEFT_ATRIUM)
        wall = torch.cat((plane.endocardium, plane.epicardium.flip(0)))
        label[self._inside(wall)] = CAMUS.code(MYOCARDIUM)
        label[self._inside(plane.endocardium)] = CAMUS.code(LV_CAVITY)
        return torch.where(self._sector, label, 0)

    def _draw_wall_level(self) -> Tensor:
        """Draw dB along and across the myocardium `(POINTS, 8)`: segments differ, and the apex is fainter."""
        segments = draw_texture(self._generator, (1, POINTS, 8), (1, 28, 8))[0]
        strands = draw_texture(self._generator, (1, POINTS, 8), (1, 7, 2))[0]
        apex = torch.sin(torch.linspace(0, math.pi, POINTS)) ** 4
        return 4.0 * segments + 2.5 * strands + 1.5 - self._uniform(3, 10) * apex[:, None]

    def _draw_far_arc(self, plane: ApicalPlane) -> Tensor:
        """Draw the pericardium behind the atria `(60, 2)`, a bright arc."""
        bottom = float(plane.left_atrium[:, 1].max()) + self._uniform(3, 12)
        middle, span = self._uniform(-0.25, 0.25), self._uniform(0.15, 0.5)
        angle = middle + torch.linspace(-span, span, 60)
        depth = bottom * (1 + 0.15 * (angle - middle) * self._uniform(-1, 1) - 0.25 * (angle - middle) ** 2)
        return torch.stack((depth * angle.sin(), depth * angle.cos()), dim=1)

    def _tissues(self, plane: ApicalPlane, label: Tensor) -> list[Scatterers]:
        """Return what fills surroundings, wall and cavities."""
        blood = (label == CAMUS.code(LV_CAVITY)) | (label == CAMUS.code(LEFT_ATRIUM))
        for chamber in (plane.right_ventricle, plane.right_atrium):
            if chamber is not None:
                blood |= self._inside(chamber)
        wall = self._inside(torch.cat((plane.endocardium, plane.epicardium.flip(0))))
        muscle = self._papillary_muscles(plane) & blood & ~wall
        solid = torch.where(wall | (blood & ~muscle), 0.0, 10 ** (self._surroundings / 20))
        solid = torch.where(muscle, 10 ** (-4 / 20), solid)
        liquid = torch.where(blood & ~wall, 10 ** (self._blood / 20), 0.0)
        moving = self._wall.at(plane.endocardium, plane.epicardium)
        level = self._wall_level[
            self._wall.along.to(torch.int64), (self._wall.across * 7).round().clamp(0, 7).to(torch.int64)
        ]
        return [
            self._weighted(self._field, solid),
            self._weighted(draw_field(*self._box, self._generator), liquid),
            Scatterers(moving.points, moving.amplitude * 10 ** (level / 20)),
        ]

    def _weighted(self, field: Scatterers, weight: Tensor) -> Scatterers:
        """Return scatterers with their amplitude multiplied by a map `(H, W)`; those of weight 0 are left out."""
        half = self._pixels.shape[1] // 2
        column = (field.points[:, 0] / SPACING).round().to(torch.int64) + half
        row = (field.points[:, 1] / SPACING).round().to(torch.int64)
        factor = weight[row.clamp(0, weight.shape[0] - 1), column.clamp(0, weight.shape[1] - 1)]
        kept = factor > 0
        return Scatterers(field.points[kept], field.amplitude[kept] * factor[kept])

    def _papillary_muscles(self, plane: ApicalPlane) -> Tensor:
        """Return the pixels `(H, W)` of the papillary muscles: rods on either side in the middle of the cavity."""
        muscles = torch.zeros(self._sector.shape, dtype=torch.bool)
        middle = plane.endocardium[[0, -1]].mean(0)
        apex = plane.endocardium[POINTS // 2]
        for side, (seen, height, width, lift) in zip((0.30, 0.70), self._papillaries.tolist(), strict=True):
            if seen < 0.45:
                continue
            root = plane.endocardium[round((side + 0.05 * (height - 0.5)) * (POINTS - 1))]
            tip = root + (0.25 + 0.15 * height) * (middle - apex) + (0.15 + 0.15 * lift) * ((middle + apex) / 2 - root)
            along = tip - root
            across = torch.stack((along[1], -along[0])) / along.norm() * (1.5 + 2.0 * width)
            muscles |= self._inside(torch.stack((root - across, tip - across / 2, tip + across / 2, root + across)))
        return muscles

    def _chordae(self, plane: ApicalPlane) -> list[Tensor]:
        """Return short pieces of chordae and trabeculae in the cavity `(2, 2)`, most in its basal half."""
        middle = plane.endocardium[[0, -1]].mean(0)
        apex = plane.endocardium[POINTS // 2]
        pieces = []
        for height, side, length in self._threads.tolist():
            row = round((0.03 + 0.3 * height) * (POINTS - 1))
            left, right = plane.endocardium[row], plane.endocardium[POINTS - 1 - row]
            at = left + (0.1 + 0.8 * side) * (right - left)
            pieces.append(torch.stack((at, at + (0.02 + 0.06 * length) * (apex - middle))))
        return pieces

    def _surfaces(self, plane: ApicalPlane) -> list[Scatterers]:
        """Return the borders that reflect."""
        ring = [end + torch.tensor([[-2.5, 0.4], [2.5, -0.4]]) for end in plane.endocardium[[0, -1]]]
        lines = [("leaflet", leaflet) for leaflet in plane.leaflets] + [("ring", spot) for spot in ring]
        lines += [("endocardium", plane.endocardium), ("pericardium", plane.epicardium), ("atrium", plane.left_atrium)]
        lines += [("arc", arc) for arc in self._far_arcs] + [("chorda", chorda) for chorda in self._chordae(plane)]
        if plane.right_ventricle is not None and plane.right_atrium is not None:
            outer, inner = plane.right_ventricle[0], plane.right_ventricle[-1]
            valve = torch.stack((outer, (outer + inner) / 2 + torch.tensor([0.0, 4.0]), inner))
            free = plane.right_ventricle[: int(0.42 * POINTS)]
            lines += [("right wall", free), ("atrium", plane.right_atrium), ("tricuspid", valve)]
        rough = {
            "ring": (1.5, 0.7),
            "right wall": (1.3, 0.5),
            "arc": (1.5, 0.5),
            "chorda": (0.9, 0.4),
            "atrium": (0.8, 0.15),
        }
        return [
            draw_surface(line, self._levels[name], *rough.get(name, (0.5, 0.3)), self._generator)
            for name, line in lines
        ]


#: Range of each surface's level in dB where it faces the probe, relative to the myocardium.
_SURFACES = {
    "leaflet": (7.0, 16.0),
    "ring": (8.0, 17.0),
    "endocardium": (2.0, 8.0),
    "pericardium": (6.0, 13.0),
    "atrium": (6.0, 13.0),
    "right wall": (4.0, 10.0),
    "arc": (8.0, 16.0),
    "chorda": (-6.0, 6.0),
    "tricuspid": (2.0, 10.0),
}


def _posed(plane: ApicalPlane, pose: _Pose) -> ApicalPlane:
    """Return a plane's contours as the probe sees them."""
    right = [None if part is None else pose(part) for part in (plane.right_ventricle, plane.right_atrium)]
    leaflets = (pose(plane.leaflets[0]), pose(plane.leaflets[1]))
    left = (pose(part) for part in (plane.endocardium, plane.epicardium, plane.left_atrium))
    endocardium, epicardium, atrium = left
    return ApicalPlane(endocardium, epicardium, atrium, leaflets, *right)


def _draw_pose(heart: ApicalHeart, view: str, generator: torch.Generator) -> tuple[_Pose, Probe]:
    """Draw where the heart lies and a sector that holds the left cavity at both phases.

    A pose whose cavity leaves the sector, or whose wall leaves too much of it, is drawn again a little deeper.
    """
    planes = [heart.plane(view, contraction) for contraction in (0.0, 1.0)]
    for tries in range(200):
        turn, sideways, deeper, share = torch.randn(4, generator=generator).clamp(-2, 2).tolist()
        pose = _Pose(0.12 * turn, (5.0 * sideways, 29 + 4.0 * deeper + 0.4 * tries))
        seen = [_posed(plane, pose) for plane in planes]
        far = max(float(plane.left_atrium[:, 1].max()) for plane in seen) * (1.06 + 0.07 * share)
        probe = draw_probe(far, generator)
        if all(_is_seen(plane, probe) for plane in seen):
            break
    return pose, probe


def _is_seen(plane: ApicalPlane, probe: Probe) -> bool:
    depth, angle = polar(plane.endocardium)
    margin = (probe.half_angle - angle.abs()) * depth
    wall = torch.stack(
        [plane.endocardium + share * (plane.epicardium - plane.endocardium) for share in (0.3, 0.6, 0.9)]
    )
    return bool((margin > 2.5).all()) and float(probe.covers(wall).float().mean()) > 0.9
