"""Cine MR of a phantom patient: tissues in, magnitude images and their label maps out."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from ..anatomy.labels import ACDC, LV_CAVITY, MYOCARDIUM, RV_CAVITY
from .anatomy import Heart
from .body import paint_body
from .bssfp import TISSUES, banding, tissue_signal
from .outline import ANGLES, Outline, coverage, draw_texture, draw_waves, ellipse
from .stack import Stack

#: Thin layers through which a slice's thickness is averaged (partial volume).
_LAYERS = 4


@dataclass(frozen=True)
class Scanner:
    """What differs from one scanner and protocol to the next.

    Attributes:
        flip_angle: radians.
        repetition_time: ms.
        noise: standard deviation of each complex part, relative to the left ventricle's blood.
        sampled: share of the k-space that was measured along x and y; the rest is zero-filled.
        smoothness: 0 for a sharp edge of the measured k-space (Gibbs ringing) ... 1 for a Hann window.
        coil: strength of the surface coil's falloff, 0 (uniform) ... 1.
        coil_reach: mm over which the coil's sensitivity falls.
        field: greatest off-resonance precession at the rim, in radians a repetition.
        offset: what the export adds, relative to the blood.
        gain: stored value of the blood.
    """

    flip_angle: float
    repetition_time: float
    noise: float
    sampled: tuple[float, float]
    smoothness: float
    coil: float
    coil_reach: float
    field: float
    offset: float
    gain: float


def draw_scanner(generator: torch.Generator) -> Scanner:
    """Draw a scanner and protocol."""

    def uniform(low: float, high: float) -> float:
        return low + (high - low) * float(torch.rand((), generator=generator))

    return Scanner(
        flip_angle=math.radians(uniform(42, 62)),
        repetition_time=uniform(2.7, 3.5),
        noise=uniform(0.012, 0.04),
        sampled=(uniform(0.6, 0.95), uniform(0.6, 0.95)),
        smoothness=uniform(0.2, 1.0),
        coil=uniform(0.25, 1.0),
        coil_reach=uniform(90, 160),
        field=uniform(1.5, 5.5),
        offset=max(0.0, uniform(-0.08, 0.14)),
        gain=uniform(90, 200) if uniform(0, 1) < 0.8 else uniform(200, 700),
    )


@dataclass(frozen=True)
class _Texture:
    """Random fields of one patient, shared by both phases."""

    blood: Tensor  # (Z * layers, h, w)
    trabeculae: Tensor  # (Z * layers, h, w)
    fat_rim: Tensor  # (ANGLES,) mm
    spikes: Tensor  # (Z * layers, ANGLES) in [0, 1]


class CineMR:
    """A patient on a scanner, ready to be imaged at any contraction.

    Args:
        heart: the patient's heart.
        stack: where the slices lie.
        scanner: how they are measured.
        generator: a CPU generator; the body, textures and noise come from it.
    """

    def __init__(self, heart: Heart, stack: Stack, scanner: Scanner, generator: torch.Generator) -> None:
        self.heart = heart
        self.stack = stack
        self.scanner = scanner
        self._generator = generator
        blood = tissue_signal(TISSUES["arterial blood"], scanner.flip_angle, scanner.repetition_time)
        self._signals = {
            name: tissue_signal(tissue, scanner.flip_angle, scanner.repetition_time) / blood
            for name, tissue in TISSUES.items()
        }
        self._body = paint_body(stack, heart.radius + heart.wall, self._signals, generator)
        self._sensitivity = self._draw_sensitivity()
        self._box, self._x, self._y = self._heart_box()
        self._texture = self._draw_texture()

    def image(self, contraction: float) -> tuple[Tensor, Tensor]:
        """Return the stored magnitude image, float32, and ACDC's codes, uint8, each `(X, Y, Z)`.

        Args:
            contraction: 0 for end diastole ... 1 for end systole.
        """
        signal = self._body.clone()
        signal[self._box] = self._render_heart(contraction)
        magnitude = self._acquire(signal * self._sensitivity)
        return magnitude.permute(2, 1, 0), self._label(contraction).permute(2, 1, 0)

    def _heart_box(self) -> tuple[tuple[slice, slice, slice], Tensor, Tensor]:
        """Return the part of the slices that the heart can reach, and its x and y in mm."""
        reach = self.heart.radius + self.heart.wall + self.heart.rv_width + 32
        x, y = self.stack.x, self.stack.y
        rows, columns = (torch.nonzero(axis.abs() <= reach).flatten() for axis in (y, x))
        box = (
            slice(None),
            slice(int(rows[0]), int(rows[-1]) + 1),
            slice(int(columns[0]), int(columns[-1]) + 1),
        )
        return box, x[box[2]], y[box[1]]

    def _draw_sensitivity(self) -> Tensor:
        """Draw coil falloff, banding and slice-to-slice gain `(Z, H, W)`; about 1 at the heart."""
        stack, scanner, generator = self.stack, self.scanner, self._generator
        x, y = stack.x[None, :], stack.y[:, None]
        at = 105 + 25 * torch.rand(2, generator=generator)
        sides = (
            stack.turn + math.pi + 0.5 * torch.randn(2, generator=generator) + torch.tensor([0.0, math.pi])
        )
        weight = (1.0, 0.25 + 0.5 * float(torch.rand((), generator=generator)))
        coil = torch.zeros(len(stack.y), len(stack.x))
        for side, distance, strength in zip(sides, at, weight, strict=True):
            away = torch.hypot(x - distance * torch.cos(side), y - distance * torch.sin(side))
            coil += strength / (1 + (away / scanner.coil_reach) ** 2) ** 1.5
        middle = coil[stack.y.abs().argmin(), stack.x.abs().argmin()]
        falloff = (coil / middle) ** scanner.coil

        planes = stack.size[2]
        linear = 0.35 * torch.randn(3, generator=generator)
        rim = ((x**2 + y**2) / 170**2) ** 1.5 * scanner.field
        precession = linear[0] + linear[1] * x / 80 + linear[2] * y / 80 + rim
        size = (planes, len(stack.y), len(stack.x))
        precession = precession + 0.3 * draw_texture(generator, size, (4, 50, 50))
        gain = 1 + 0.06 * torch.randn(planes, generator=generator)
        bands = banding(precession, scanner.flip_angle, scanner.repetition_time)
        return falloff * bands * gain[:, None, None]

    def _draw_texture(self) -> _Texture:
        generator = self._generator
        cells = 1 / self.stack.spacing[0]
        planes = self.stack.size[2] * _LAYERS
        size = (planes, len(self._y), len(self._x))
        blood = 0.5 * draw_texture(generator, size, (_LAYERS, 22 * cells, 22 * cells))
        blood = blood + 0.5 * draw_texture(generator, size, (_LAYERS, 7 * cells, 7 * cells))
        return _Texture(
            blood=1 + 0.09 * blood,
            trabeculae=draw_texture(generator, size, (3, 6 * cells, 6 * cells)),
            fat_rim=(3.5 + 2.5 * draw_waves(generator, (1, 2, 3, 5, 7), 1.0)).clamp(0.3, 14),
            spikes=_draw_spikes(planes, generator),
        )

    def _render_heart(self, contraction: float) -> Tensor:
        """Return the signed signal `(Z, h, w)` of the heart's surroundings, averaged through each slice."""
        heart, signals, texture = self.heart, self._signals, self._texture
        layers = self.stack.layers(_LAYERS)
        z, pixel = layers.flatten(), self.stack.spacing[0]
        endocardium, epicardium = heart.left_ventricle(z, contraction)
        right = heart.right_ventricle(z, contraction)
        to_epicardium = epicardium.distance(self._x, self._y)
        to_right = right.distance(self._x, self._y)
        below_mitral = (z >= heart.base(contraction)).float()[:, None, None]
        below_tricuspid = (z >= heart.rv_plane(contraction)).float()[:, None, None]

        signal = self._body[self._box].repeat_interleave(_LAYERS, dim=0)

        def paint(cover: Tensor, value: Tensor | float) -> None:
            nonlocal signal
            signal = signal + cover * (value - signal)

        # The sack: fat fills the grooves between the ventricles, the dark pericardium bounds it.
        together = _smooth_minimum(to_epicardium, to_right - 3.0, 14.0)
        rim = self._rim(z)
        paint(coverage(together - rim - 1.6, pixel), signals["bone"])
        paint(coverage(together - rim, pixel), signals["fat"])
        for outline, value in self._atria(z, contraction):
            cover = coverage(outline.distance(self._x, self._y), pixel)
            paint(cover, value * texture.blood)

        paint(coverage(to_right - 3.0, pixel), signals["myocardium"])
        columns = ((texture.trabeculae - 1.0) * 2).clamp(0, 0.9) * coverage(-to_right - 16.0, 10.0)
        filling = signals["venous blood"] * texture.blood
        columns = columns * below_tricuspid
        paint(coverage(to_right, pixel), filling + columns * (signals["myocardium"] - filling))

        grain = 1 + 0.06 * texture.trabeculae
        paint(coverage(to_epicardium, pixel) * below_mitral, signals["myocardium"] * grain)
        inner = endocardium.radius.clamp(min=0)
        depth = (0.10 + 0.22 * contraction) * inner * (0.35 + z / heart.length).clamp(0, 1.2)[:, None]
        spiky = Outline(endocardium.centre, endocardium.radius - depth * texture.spikes)
        lumen = coverage(spiky.distance(self._x, self._y), pixel) * below_mitral
        paint(lumen, signals["arterial blood"] * texture.blood)
        for papillary in self._papillaries(endocardium, z, contraction):
            paint(coverage(papillary.distance(self._x, self._y), pixel) * lumen, signals["myocardium"])
        averaged: Tensor = signal.unflatten(0, (len(layers), _LAYERS)).mean(1)
        return averaged

    def _rim(self, z: Tensor) -> Tensor:
        """Return the thickness in mm `(1, h, w)` of the fat around the heart, by direction."""
        around = Outline(torch.zeros(1, 2), self._texture.fat_rim[None])
        return torch.hypot(self._x[None, None, :], self._y[None, :, None]) - around.distance(self._x, self._y)

    def _atria(self, z: Tensor, contraction: float) -> list[tuple[Outline, float]]:
        """Return what lies above the ventricles' planes: left atrium, aortic root and right atrium."""
        heart, signals = self.heart, self._signals
        centre = heart.centre(z)
        above = heart.base(contraction) - z
        open_left = torch.where(above > 0, heart.radius * (0.95 + 0.006 * above), -1.0)
        back = heart.septum + math.pi * 0.85
        shift = torch.tensor([math.cos(back), math.sin(back)]) * 0.12 * heart.radius
        atrium = ellipse(centre + shift, torch.stack((open_left, open_left * 0.85), dim=1), heart.septum)
        root = torch.where(above > 4, 0.5 * heart.radius, -1.0)
        towards = torch.tensor([math.cos(heart.septum), math.sin(heart.septum)]) * 0.55 * heart.radius
        aorta = ellipse(centre + towards, torch.stack((root, root), dim=1), 0.0)
        return [
            (atrium.grown(2.0), signals["muscle"]),
            (atrium, signals["arterial blood"] * 0.95),
            (aorta.grown(2.0), signals["muscle"]),
            (aorta, signals["arterial blood"]),
        ]

    def _papillaries(self, endocardium: Outline, z: Tensor, contraction: float) -> list[Outline]:
        """Return the two papillary muscles, which spring from the free wall in the middle third."""
        heart = self.heart
        along = ((z - heart.base(contraction)) / heart.length).clamp(0, 1)
        present = 1 - ((along - 0.5) / 0.27) ** 2
        size = (3.2 + 1.8 * contraction) * torch.sqrt(present.clamp(min=0)) * (heart.radius / 27)
        muscles = []
        for side in (0.62, -0.72):
            at = heart.septum + math.pi + side * 1.15
            place = round(at / (2 * math.pi) * ANGLES) % ANGLES
            reach = (endocardium.radius[:, place].clamp(min=0) - size * 1.25).clamp(min=0)
            centre = endocardium.centre + reach[:, None] * torch.tensor([math.cos(at), math.sin(at)])
            axes = torch.stack((size * 1.15, size * 0.9), dim=1)
            muscles.append(ellipse(centre, torch.where(axes > 0.5, axes, -1.0), at))
        return muscles

    def _acquire(self, signal: Tensor) -> Tensor:
        """Return the stored image `(Z, H, W)`: measured k-space, Rician noise, export."""
        scanner = self.scanner
        noise = torch.randn((2, *signal.shape), generator=self._generator) * scanner.noise
        window = self._window(signal.shape[1], signal.shape[2])
        measured = torch.complex(signal + noise[0], noise[1])
        image = torch.fft.ifft2(torch.fft.fft2(measured) * window).abs()
        stored: Tensor = ((image + scanner.offset) * scanner.gain).round()
        return stored

    def _window(self, height: int, width: int) -> Tensor:
        """Return the weight `(H, W)` of each spatial frequency."""
        weights = []
        for side, sampled in zip((height, width), reversed(self.scanner.sampled), strict=True):
            position = torch.fft.fftfreq(side).abs() * 2 / sampled
            flat = 1 - self.scanner.smoothness * 0.9
            slope = ((position - flat) / (1 - flat)).clamp(0, 1)
            weights.append(torch.where(position <= 1, 0.5 + 0.5 * torch.cos(math.pi * slope * 0.9), 0.0))
        return weights[0][:, None] * weights[1][None, :]

    def _label(self, contraction: float) -> Tensor:
        """Return ACDC's codes `(Z, H, W)`: level sets averaged through each slice, as a reader sees them."""
        heart, planes = self.heart, self.stack.size[2]
        z = self.stack.layers(_LAYERS).flatten()
        endocardium, epicardium = heart.left_ventricle(z, contraction)
        outlines = (heart.right_ventricle(z, contraction), epicardium, endocardium)
        right, outer, inner = (
            outline.distance(self._x, self._y).unflatten(0, (planes, _LAYERS)).mean(1) < 0
            for outline in outlines
        )
        below_mitral = (self.stack.z >= heart.base(contraction))[:, None, None]
        below_tricuspid = (self.stack.z >= heart.rv_plane(contraction))[:, None, None]
        part = torch.zeros(right.shape, dtype=torch.uint8)
        part[right & below_tricuspid & below_mitral] = ACDC.code(RV_CAVITY)
        part[outer & below_mitral] = ACDC.code(MYOCARDIUM)
        part[inner & below_mitral] = ACDC.code(LV_CAVITY)
        label = torch.zeros(self._body.shape, dtype=torch.uint8)
        label[self._box] = part
        return label


def _smooth_minimum(first: Tensor, second: Tensor, blend: float) -> Tensor:
    """Return the smaller of two level sets in mm, rounded off over `blend` mm where both are near."""
    near = ((blend - (first - second).abs()) / blend).clamp(min=0)
    return torch.minimum(first, second) - near**2 * blend / 4


def _draw_spikes(planes: int, generator: torch.Generator) -> Tensor:
    """Draw how far trabeculae reach into the cavity `(planes, ANGLES)` in [0, 1], alike in near planes."""
    anchors = torch.stack(
        [draw_waves(generator, (5, 7, 9, 11, 13), 0.6) for _ in range(max(2, planes // 6 + 1))]
    )
    position = torch.linspace(0, len(anchors) - 1, planes)
    below = position.floor().to(torch.int64).clamp(max=len(anchors) - 2)
    return torch.lerp(anchors[below], anchors[below + 1], (position - below)[:, None]).clamp(0, 1)
