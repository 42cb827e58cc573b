"""Cine MR of a phantom patient: tissues in, magnitude images and their label maps out."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor

from ..anatomy.schemes import ACDC, LV_CAVITY, MYOCARDIUM, RV_CAVITY
from .anatomy import Heart
from .body import paint_body
from .bssfp import TISSUES, tissue_signal
from .outline import ANGLES, Outline, coverage, distances, draw_texture, draw_waves, ellipse, smooth_minimum
from .scanner import Scanner, acquire, draw_sensitivity
from .stack import Stack


@dataclass(frozen=True)
class _Texture:
    """Random fields of one patient, shared by both phases.

    Attributes:
        blood: relative brightness of flowing blood `(layers, h, w)`.
        grain: unit noise of the wall's and the trabeculae's size `(layers, h, w)`.
        bands: unit noise whose zeros run where muscle bands cross the right cavity `(layers, h, w)`.
        fat_rim: mm of fat around the heart by direction `(ANGLES,)`.
        spikes: how far trabeculae reach into the cavity, in [0, 1], `(layers, ANGLES)`.
    """

    blood: Tensor
    grain: Tensor
    bands: Tensor
    fat_rim: Tensor
    spikes: Tensor


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
        signals = {
            name: tissue_signal(tissue, scanner.flip_angle, scanner.repetition_time) for name, tissue in TISSUES.items()
        }
        blood = signals["arterial blood"]
        self._signals = {name: signal / blood for name, signal in signals.items()}
        #: Thin layers through which a slice's thickness is averaged (partial volume).
        self._layers = 4 if stack.thickness > 5 else 2
        self._body = paint_body(stack, self._sack(), heart.radius + heart.wall, self._signals, generator)
        self._sensitivity = draw_sensitivity(scanner, stack, generator)
        self._box, self._x, self._y = self._heart_box()
        self._texture = self._draw_texture()

    def image(self, contraction: float) -> tuple[Tensor, Tensor]:
        """Return the stored magnitude image, float32, and ACDC's codes, uint8, each `(X, Y, Z)`.

        Args:
            contraction: 0 for end diastole ... 1 for end systole.
        """
        signal = self._body.clone()
        label = torch.zeros(signal.shape, dtype=torch.uint8)
        signal[self._box], label[self._box] = self._render_heart(contraction)
        magnitude = acquire(signal * self._sensitivity, self.scanner, self._generator)
        return magnitude.permute(2, 1, 0), label.permute(2, 1, 0)

    def _sack(self) -> Tensor:
        """Return the level set in mm `(Z, H, W)` of both ventricles at end diastole, grooves filled."""
        z, x, y = self.stack.z, self.stack.x, self.stack.y
        _, epicardium = self.heart.left_ventricle(z, 0.0)
        right = self.heart.right_ventricle(z, 0.0).distance(x, y)
        return smooth_minimum(epicardium.distance(x, y), right - 3.0, 14.0)

    def _heart_box(self) -> tuple[tuple[slice, slice, slice], Tensor, Tensor]:
        """Return the part of the slices that the heart can reach, and its x and y in mm."""
        reach = self.heart.radius + self.heart.wall + self.heart.rv_width + 22
        x, y = self.stack.x, self.stack.y
        rows, columns = (torch.nonzero(axis.abs() <= reach).flatten() for axis in (y, x))
        box = (
            slice(None),
            slice(int(rows[0]), int(rows[-1]) + 1),
            slice(int(columns[0]), int(columns[-1]) + 1),
        )
        return box, x[box[2]], y[box[1]]

    def _draw_texture(self) -> _Texture:
        generator, layers = self._generator, self._layers
        cells = 1 / self.stack.spacing[0]
        size = (self.stack.size[2] * layers, len(self._y), len(self._x))
        coarse = draw_texture(generator, size, (layers, 20 * cells, 20 * cells))
        fine = draw_texture(generator, size, (layers, 3.5 * cells, 3.5 * cells))
        spikes = torch.stack([draw_waves(generator, (3, 5, 7, 8, 11, 13, 17), 0.55) for _ in range(self.stack.size[2])])
        return _Texture(
            blood=1 + 0.07 * coarse + 0.05 * fine,
            grain=draw_texture(generator, size, (0.8 * layers, 3.5 * cells, 3.5 * cells)),
            bands=draw_texture(generator, size, (1.5 * layers, 8 * cells, 8 * cells)),
            fat_rim=(1.0 + 1.6 * draw_waves(generator, (1, 2, 3, 5), 1.0)).clamp(0, 7),
            spikes=spikes.repeat_interleave(layers, dim=0).clamp(0, 1),
        )

    def _render_heart(self, contraction: float) -> tuple[Tensor, Tensor]:
        """Return the signed signal of the heart's surroundings and its codes, each `(Z, h, w)`."""
        heart, signals, texture = self.heart, self._signals, self._texture
        z, pixel = self.stack.layers(self._layers).flatten(), self.stack.spacing[0]
        endocardium, epicardium = heart.left_ventricle(z, contraction)
        lumen = self._rough(endocardium, z, contraction)
        to_lumen, to_cavity, to_epicardium = distances((lumen, endocardium, epicardium), self._x, self._y)
        to_right = heart.right_ventricle(z, contraction).distance(self._x, self._y)
        below_mitral = (z >= heart.base(contraction)).float()[:, None, None]

        paint = _Paint(self._body[self._box].repeat_interleave(self._layers, dim=0))
        # The sack: fat fills the grooves between the ventricles, the dark pericardium bounds it.
        together = smooth_minimum(to_epicardium, to_right - 3.0, 14.0) - self._rim()
        paint(coverage(together - 1.0, pixel), 0.6 * signals["muscle"])
        paint(coverage(together, pixel), signals["fat"])
        self._paint_roots(paint, z, contraction)

        paint(coverage(to_right - 3.0, pixel), signals["myocardium"])
        venous = signals["venous blood"] * texture.blood
        columns = self._columns(z, to_right, contraction)
        paint(coverage(to_right, pixel), venous + columns * (signals["myocardium"] - venous))

        wall = signals["myocardium"] * (1 + 0.09 * texture.grain)
        paint(coverage(to_epicardium, pixel) * below_mitral, wall)
        filled = coverage(to_lumen, pixel) * below_mitral
        paint(filled, signals["arterial blood"] * texture.blood)
        inlets = coverage(-to_cavity - 5.0, 9.0) * (self._bands(0.2) * (texture.grain + 0.2)).clamp(0, 0.9)
        paint(inlets * filled, signals["myocardium"])
        for papillary in self._papillaries(endocardium, z, contraction):
            paint(coverage(papillary.distance(self._x, self._y), pixel) * filled, signals["myocardium"])
        return self._through_plane(paint.signal), self._label(to_right, to_epicardium, to_cavity, contraction)

    def _through_plane(self, layers: Tensor) -> Tensor:
        """Average `(Z * layers, h, w)` through each slice."""
        averaged: Tensor = layers.unflatten(0, (-1, self._layers)).mean(1)
        return averaged

    def _label(self, to_right: Tensor, to_epicardium: Tensor, to_cavity: Tensor, contraction: float) -> Tensor:
        """Return ACDC's codes `(Z, h, w)` from level sets averaged through each slice, as a reader sees it.

        Averaged level sets stay nested, so the wall's ring is closed in slices of any thickness.
        """
        below_mitral = (self.stack.z >= self.heart.base(contraction))[:, None, None]
        below_tricuspid = (self.stack.z >= self.heart.rv_plane(contraction))[:, None, None]
        right, outer, inner = (
            (self._through_plane(layers) < 0) & below_mitral for layers in (to_right, to_epicardium, to_cavity)
        )
        label = torch.zeros(right.shape, dtype=torch.uint8)
        label[_largest_parts(right & below_tricuspid & ~outer)] = ACDC.code(RV_CAVITY)
        label[outer] = ACDC.code(MYOCARDIUM)
        label[inner] = ACDC.code(LV_CAVITY)
        return label

    def _rough(self, endocardium: Outline, z: Tensor, contraction: float) -> Outline:
        """Return the cavity's border with trabeculae, deeper towards the apex and at end systole."""
        inner = endocardium.radius.clamp(min=0)
        apical = (0.3 + z / self.heart.length).clamp(0, 1.2)[:, None]
        squeezed = contraction * (1 - self.heart.systolic_radius)
        depth = (0.1 + 0.5 * squeezed) * inner * apical
        return Outline(endocardium.centre, endocardium.radius - depth * self._texture.spikes)

    def _columns(self, z: Tensor, to_right: Tensor, contraction: float) -> Tensor:
        """Return the right ventricle's muscle bands `(layers, h, w)` in [0, 1]: many near apex and free wall."""
        apical = ((z - self.heart.rv_plane(contraction)) / self.heart.rv_length)[:, None, None]
        near_wall = coverage(-to_right - 10.0, 14.0)
        rarity = 0.9 - 1.2 * apical.clamp(0, 1) - 1.0 * near_wall
        return (
            self._bands(0.24 + 0.12 * contraction)
            * ((self._texture.grain + 0.6 - rarity) * 1.2).clamp(0, 0.95)
            * (apical > 0)
        )

    def _bands(self, width: float) -> Tensor:
        """Return winding strands of muscle `(layers, h, w)` in [0, 1]."""
        return torch.exp(-((self._texture.bands / width) ** 2))

    def _rim(self) -> Tensor:
        """Return the thickness in mm `(1, h, w)` of the fat around the heart, by direction."""
        origin = Outline(torch.zeros(1, 2), torch.zeros(1, ANGLES))
        around = Outline(origin.centre, self._texture.fat_rim[None])
        from_origin, from_rim = distances((origin, around), self._x, self._y)
        return from_origin - from_rim

    def _paint_roots(self, paint: _Paint, z: Tensor, contraction: float) -> None:
        """Paint what lies above the mitral plane: left atrium and aortic root with their thin walls."""
        heart, signals = self.heart, self._signals
        above = heart.base(contraction) - z
        layers = torch.nonzero(above > 0).flatten()
        if not len(layers):
            return
        above, centre = above[layers], heart.centre(z[layers])
        wide = heart.radius * (0.95 + 0.006 * above)
        back = heart.septum + math.pi * 0.85
        shift = torch.tensor([math.cos(back), math.sin(back)]) * 0.12 * heart.radius
        atrium = ellipse(centre + shift, torch.stack((wide, wide * 0.85), dim=1), heart.septum)
        root = torch.where(above > 4, 0.5 * heart.radius, -5.0)
        towards = torch.tensor([math.cos(heart.septum), math.sin(heart.septum)]) * 0.55 * heart.radius
        aorta = ellipse(centre + towards, torch.stack((root, root), dim=1), 0.0)
        pixel = self.stack.spacing[0]
        for outline in (atrium, aorta):
            reach = outline.distance(self._x, self._y)
            paint(coverage(reach - 2.0, pixel), signals["muscle"], layers)
            paint(coverage(reach, pixel), signals["arterial blood"] * self._texture.blood[layers], layers)

    def _papillaries(self, endocardium: Outline, z: Tensor, contraction: float) -> list[Outline]:
        """Return the two papillary muscles, which spring from the free wall in the middle third."""
        heart = self.heart
        along = ((z - heart.base(contraction)) / (heart.length - heart.base(contraction))).clamp(0, 1)
        present = (1 - ((along - 0.5) / 0.3) ** 2).clamp(min=0)
        size = (4.0 + 1.3 * contraction) * torch.sqrt(present) * (heart.radius / 27) ** 0.5
        muscles = []
        for side in (0.72, -0.83):
            at = heart.septum + math.pi + side
            place = round(at / (2 * math.pi) * ANGLES) % ANGLES
            reach = (endocardium.radius[:, place].clamp(min=0) - size * 1.3).clamp(min=0)
            centre = endocardium.centre + reach[:, None] * torch.tensor([math.cos(at), math.sin(at)])
            axes = torch.stack((size * 1.2, size * 0.85), dim=1)
            waves = 0.5 * self._texture.spikes[0].roll(place) - 0.1
            muscles.append(ellipse(centre, torch.where(axes > 0.5, axes, -1.0), at, waves))
        return muscles


def _largest_parts(planes: Tensor) -> Tensor:
    """Return of each plane of a boolean `(Z, h, w)` its largest part: slivers at the crescent's tips go."""
    kept = torch.zeros_like(planes)
    for plane, target in zip(planes, kept, strict=True):
        parts, number = ndimage.label(plane.numpy(), structure=np.ones((3, 3)))
        if number:
            largest = 1 + int(np.bincount(parts.ravel())[1:].argmax())
            target.copy_(torch.from_numpy(parts == largest))
    return kept


class _Paint:
    """A signal that is painted over; what comes later lies on top."""

    def __init__(self, signal: Tensor) -> None:
        self.signal = signal

    def __call__(self, cover: Tensor, value: Tensor | float, layers: Tensor | None = None) -> None:
        if layers is None:
            self.signal = self.signal + cover * (value - self.signal)
        else:
            self.signal[layers] += cover * (value - self.signal[layers])
