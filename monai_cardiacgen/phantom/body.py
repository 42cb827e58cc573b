"""The chest and upper abdomen around the heart, as a short-axis plane cuts them.

Everything is placed in the chest's own axes: u points from the breastbone to the spine, v from head to feet,
both in mm from the heart. The stack's `turn` carries them into the image.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor

from .outline import Outline, angles, coverage, draw_texture, draw_waves, ellipse, smooth_minimum
from .stack import Stack

#: Fat is drawn with a negative signal (opposed phase): where it shares a pixel with water both cancel.
Signals = Mapping[str, float]


class _Canvas:
    """The signal `(Z, H, W)` of a stack; what is painted later lies on top."""

    def __init__(self, stack: Stack, signals: Signals, generator: torch.Generator) -> None:
        self.stack = stack
        self.signals = signals
        self.generator = generator
        self.x, self.y = stack.x, stack.y
        cos, sin = math.cos(stack.turn), math.sin(stack.turn)
        self.u = self.x[None, :] * cos + self.y[:, None] * sin  # (H, W)
        self.v = -self.x[None, :] * sin + self.y[:, None] * cos
        width, height, planes = stack.size
        self.shape = (planes, height, width)
        self.height = stack.z - stack.z.mean()  # (Z,)
        self.signal = torch.zeros(self.shape)

    def uniform(self, low: float, high: float) -> float:
        return low + (high - low) * float(torch.rand((), generator=self.generator))

    def texture(self, grain: float, planes: float = 2.0) -> Tensor:
        cells = grain / self.stack.spacing[0]
        return draw_texture(self.generator, self.shape, (planes, cells, cells))

    def ellipse(
        self, u: float, v: float, semi_axes: tuple[float, float], drift: float = 0.25, waves: float = 0.06
    ) -> Outline:
        """Return an organ at (u, v) that wanders and changes its size from slice to slice."""
        cos, sin = math.cos(self.stack.turn), math.sin(self.stack.turn)
        slope = torch.randn(2, generator=self.generator) * drift
        along, down = u + slope[0] * self.height, v + slope[1] * self.height
        centre = torch.stack((along * cos - down * sin, along * sin + down * cos), dim=1)
        scale = 1 + self.uniform(-0.004, 0.004) * self.height
        axes = torch.tensor(semi_axes) * scale[:, None]
        turn = self.stack.turn + self.uniform(-0.4, 0.4)
        return ellipse(centre, axes, turn, draw_waves(self.generator, (2, 3, 4, 5), waves))

    def paint(self, cover: Tensor, value: Tensor | float) -> None:
        self.signal = self.signal + cover * (value - self.signal)

    def paint_outline(
        self,
        outline: Outline,
        value: float,
        within: Tensor | None = None,
        softness: float = 2.0,
        grain: Tensor | None = None,
    ) -> None:
        """Paint an outline inside its bounding box only."""
        reach = float(outline.radius.max()) + softness
        if reach <= 0:
            return
        low, high = outline.centre.amin(0) - reach, outline.centre.amax(0) + reach
        columns, rows = (
            _span(self.x, float(low[0]), float(high[0])),
            _span(self.y, float(low[1]), float(high[1])),
        )
        if columns.stop <= columns.start or rows.stop <= rows.start:
            return
        box = (slice(None), rows, columns)
        cover = coverage(outline.distance(self.x[columns], self.y[rows]), softness)
        if within is not None:
            cover = cover * within[box]
        painted = value * (1 + grain[box]) if grain is not None else value
        self.signal[box] += cover * (painted - self.signal[box])


def _span(axis: Tensor, low: float, high: float) -> slice:
    inside = torch.nonzero((axis >= low) & (axis <= high))
    return slice(int(inside[0]), int(inside[-1]) + 1) if len(inside) else slice(0, 0)


def paint_body(stack: Stack, sack: Tensor, heart_size: float, signals: Signals, generator: torch.Generator) -> Tensor:
    """Draw a patient's chest without the heart.

    Args:
        stack: where the slices lie.
        sack: level set in mm `(Z, H, W)` of the heart: fat fills the angles between it, chest and diaphragm.
        heart_size: outer radius of the left ventricle in mm: the diaphragm lies below it.
        signals: the signal of every tissue of `bssfp.TISSUES`, fat negative.
        generator: a CPU generator.

    Returns:
        Signed signal `(Z, H, W)`.
    """
    canvas = _Canvas(stack, signals, generator)
    _paint_arm(canvas)
    to_wall = _paint_chest_wall(canvas)
    cavity = coverage(-to_wall, 2.5)
    to_diaphragm = _draw_diaphragm(canvas, heart_size + canvas.uniform(-2, 6))
    _paint_lungs(canvas, cavity)
    _paint_mediastinum(canvas, cavity, heart_size)
    _paint_fat_pads(canvas, sack, to_wall, to_diaphragm)
    abdomen = _paint_abdomen(canvas, cavity, to_diaphragm)
    _paint_organs(canvas, abdomen, heart_size)
    _paint_vessels(canvas, cavity, heart_size)
    return canvas.signal


def _paint_arm(canvas: _Canvas) -> None:
    """An arm beside the chest in some patients."""
    if canvas.uniform(0, 1) < 0.5:
        return
    u, v = canvas.uniform(165, 200), canvas.uniform(-80, 60)
    size = canvas.uniform(30, 42)
    signals = canvas.signals
    canvas.paint_outline(canvas.ellipse(u, v, (size, size * 1.3)), signals["fat"])
    canvas.paint_outline(canvas.ellipse(u, v, (size * 0.75, size)), signals["muscle"])
    canvas.paint_outline(canvas.ellipse(u, v, (size * 0.2, size * 0.2)), signals["marrow"])


def _paint_chest_wall(canvas: _Canvas) -> Tensor:
    """Skin, fat with its septa, muscles and ribs; returns the level set of the wall (negative: inside it)."""
    signals, uniform = canvas.signals, canvas.uniform
    breast, depth = uniform(84, 100), uniform(94, 120)
    fat = uniform(5, 13) if uniform(0, 1) < 0.4 else uniform(13, 34)
    muscle = uniform(8, 15)
    outer = depth + fat
    tall = uniform(230, 330) - 70 * min(1.0, max(0.0, canvas.stack.turn))  # a turned plane is more axial
    body = canvas.ellipse(outer - breast - fat, uniform(15, 55), (outer, tall), waves=0.02)
    closer = uniform(0.15, 0.5) * canvas.height  # towards the apex the plane nears the breastbone
    turn = canvas.stack.turn
    drift = closer[:, None] * torch.tensor([math.cos(turn), math.sin(turn)])
    boxy = 1 + 0.07 * (1 - torch.cos(4 * (angles() - turn)))  # flatter sides than an ellipse's
    inside = Outline(body.centre + drift, body.radius * boxy).distance(canvas.x, canvas.y)

    canvas.paint(coverage(inside, 2.0), signals["muscle"])
    uneven = (1 + 0.3 * canvas.texture(70, 4) + 0.06 * canvas.texture(9)).clamp(0.3, 2.0)
    back = coverage(60 - canvas.u, 80.0)  # the muscles of the back
    layer = inside + 2 + fat * uneven
    septa = torch.exp(-((canvas.texture(8) / 0.1) ** 2)) * 0.4
    fatty = signals["fat"] * (1 + 0.06 * canvas.texture(30) + 0.03 * canvas.texture(4)) * (1 - septa)
    canvas.paint(coverage(inside + 1.8, 2.0), fatty)
    streaks = 0.15 * canvas.texture(4) + 0.1 * canvas.texture(14)
    canvas.paint(coverage(layer, 2.5), signals["muscle"] * (1 + streaks))
    thick = muscle * (1 + 1.6 * back + 0.25 * canvas.texture(40, 4)).clamp(0.5, 4.0)
    sheets = coverage((canvas.texture(16) + 0.3 * canvas.texture(5)).abs() - 0.16, 0.25)
    canvas.paint(coverage(layer + 2, 2.0) * sheets, signals["fat"] * 0.85)
    _paint_ribs(canvas, layer, thick)
    narrowing = 0.9 * (-uniform(45, 85) - canvas.v).clamp(min=0)  # towards the lung's apex
    return -(layer + thick + narrowing)


def _paint_ribs(canvas: _Canvas, layer: Tensor, thick: Tensor) -> None:
    """Ovals of dark bone with marrow inside the muscle layer, one in each stretch of the wall."""
    around = torch.atan2(canvas.v - 30, canvas.u - 25) + 0.03 * canvas.texture(50, 4)
    step = (
        canvas.uniform(9, 13) * around / (2 * math.pi)
        + canvas.uniform(0, 1)
        + canvas.uniform(-0.03, 0.03) * canvas.height[:, None, None]
    )
    across = (step.remainder(1) - 0.5) / (0.22 + 0.06 * canvas.texture(40, 4)).clamp(0.08, 0.34)
    oval = torch.sqrt(((layer + 0.66 * thick) / (0.36 * thick)) ** 2 + across**2)
    canvas.paint(coverage(oval - 1, 0.6), 0.5 * canvas.signals["muscle"])
    canvas.paint(coverage(oval - 0.62, 0.5), canvas.signals["marrow"] * canvas.uniform(0.8, 1.5))


def _paint_lungs(canvas: _Canvas, cavity: Tensor) -> None:
    """Dark parenchyma with the bright dots and strokes of its vessels."""
    signals, uniform = canvas.signals, canvas.uniform
    canvas.paint(
        cavity, signals["lung"] * uniform(0.8, 1.9) * (1 + 0.2 * canvas.texture(40) + 0.25 * canvas.texture(3))
    )
    hilum = torch.exp(-(((canvas.u - 45) / 60) ** 2 + ((canvas.v + 40) / 50) ** 2))
    small = canvas.texture(uniform(3.2, 4.5), 1.0) - uniform(2.3, 2.9) + 0.8 * hilum
    large = canvas.texture(uniform(6.0, 8.0), 1.5) - uniform(2.3, 3.0) + 0.9 * hilum
    vessels = (torch.maximum(small, large) * 1.6).clamp(0, 1)
    canvas.paint(cavity * vessels, signals["arterial blood"] * uniform(0.6, 1.0))


def _paint_mediastinum(canvas: _Canvas, cavity: Tensor, size: float) -> None:
    """The great vessels above the heart near the base."""
    signals, uniform = canvas.signals, canvas.uniform
    basal = canvas.stack.z < uniform(5, 25)
    for u, v in ((uniform(-35, -10), -size - uniform(8, 18)), (uniform(-5, 25), -size - uniform(14, 30))):
        vessel = canvas.ellipse(u, v, (uniform(10, 14), uniform(10, 15)), drift=0.4, waves=0.02)
        shown = Outline(vessel.centre, torch.where(basal[:, None], vessel.radius, -20.0))
        canvas.paint_outline(shown.grown(3), signals["fat"] * 0.9, cavity, softness=3)
        canvas.paint_outline(shown.grown(1.5), signals["muscle"], cavity)
        canvas.paint_outline(shown, signals["arterial blood"] * uniform(0.7, 1.1), cavity)


def _draw_diaphragm(canvas: _Canvas, bottom: float) -> Tensor:
    """Return the height in mm `(Z, H, W)` above a dome whose top is `bottom` mm below the heart's centre."""
    uniform = canvas.uniform
    away = canvas.u - uniform(-30, 30)
    dome = bottom + (uniform(1, 9) * (away / 50) ** 2).clamp(max=uniform(15, 45))
    dome = dome + uniform(-0.3, 0.1) * canvas.height[:, None, None] + 2.0 * canvas.texture(50, 4)
    return dome - canvas.v


def _paint_fat_pads(canvas: _Canvas, sack: Tensor, to_wall: Tensor, to_diaphragm: Tensor) -> None:
    """Fat in the angles between the heart's sack, the chest wall and the diaphragm."""
    blend = (canvas.uniform(14, 40) * (1 + 0.35 * canvas.texture(30, 4))).clamp(min=6)
    joined = smooth_minimum(smooth_minimum(sack, to_wall, blend), to_diaphragm, blend)
    pads = joined + 1.5 + 0.8 * canvas.texture(7)
    cavity = coverage(-to_wall, 2.5)
    canvas.paint(coverage(pads - 1.5, 2.0) * cavity, 0.6 * canvas.signals["muscle"])
    threads = ((canvas.texture(4, 1.0) - 1.7) * 2).clamp(0, 0.8)
    canvas.paint(coverage(pads, 2.0) * cavity, canvas.signals["fat"] * 0.95 * (1 - threads))


def _paint_abdomen(canvas: _Canvas, cavity: Tensor, to_diaphragm: Tensor) -> Tensor:
    """Fat and bowel below the diaphragm; returns the abdomen's share `(Z, H, W)`."""
    signals, uniform = canvas.signals, canvas.uniform
    canvas.paint(cavity * coverage(to_diaphragm, 3.0), signals["muscle"])
    abdomen = cavity * coverage(to_diaphragm + 3.0, 3.0)

    loops, kind = canvas.texture(17) + 0.35 * canvas.texture(7), canvas.texture(24)
    bowel = ((loops + uniform(-0.1, 0.5)) * 3).clamp(0, 1)
    filling = signals["gut"] * (1 + 0.2 * canvas.texture(5))
    fluid = ((kind - 1.0) * 4).clamp(0, 1)
    gas = ((-kind - 1.0) * 4).clamp(0, 1)
    filling = filling + fluid * (0.7 * signals["fluid"] - filling) + gas * (signals["bone"] - filling)
    threads = ((canvas.texture(5, 1.0) - 1.6) * 2).clamp(0, 1)
    fatty = signals["fat"] * (0.9 + 0.08 * canvas.texture(14)) * (1 - 0.8 * threads)
    canvas.paint(abdomen, fatty + bowel * (filling - fatty))
    return abdomen


def _paint_organs(canvas: _Canvas, abdomen: Tensor, bottom: float) -> None:
    """Spleen, kidney, stomach and liver, in the order in which they cover each other."""
    signals, uniform = canvas.signals, canvas.uniform
    fine = 0.05 * canvas.texture(3) + 0.06 * canvas.texture(35)
    rough = 0.3 * canvas.texture(8)
    if uniform(0, 1) < 0.8:
        at = uniform(75, 105), bottom + uniform(30, 60)
        spleen = canvas.ellipse(*at, (uniform(20, 32), uniform(30, 50)), waves=0.1)
        canvas.paint_outline(spleen.grown(2.5), signals["fat"], abdomen)
        canvas.paint_outline(spleen, signals["spleen"], abdomen, grain=fine)
    if uniform(0, 1) < 0.45:
        at = uniform(45, 85), bottom + uniform(80, 115)
        kidney = canvas.ellipse(*at, (uniform(22, 28), uniform(34, 48)), waves=0.04)
        canvas.paint_outline(kidney.grown(4), signals["fat"], abdomen)
        canvas.paint_outline(kidney, signals["kidney"] * 1.15, abdomen, grain=fine)
        canvas.paint_outline(kidney.grown(-8), signals["kidney"] * 0.85, abdomen, softness=5, grain=fine)
        canvas.paint_outline(kidney.grown(-18), signals["fat"] * 0.7, abdomen, softness=8, grain=rough)
    if uniform(0, 1) < 0.85:
        at = uniform(25, 65), bottom + uniform(24, 42)
        stomach = canvas.ellipse(*at, (uniform(24, 46), uniform(18, 32)), waves=0.12)
        canvas.paint_outline(stomach.grown(2), signals["fat"], abdomen)
        canvas.paint_outline(stomach, signals["muscle"], abdomen, grain=fine)
        content = ("fluid", "gut", "bone", "gut")[int(torch.randint(4, (), generator=canvas.generator))]
        inner = stomach.grown(-uniform(4, 7))
        canvas.paint_outline(inner, signals[content] * 0.75, abdomen, softness=6, grain=rough)

    twigs = ((canvas.texture(11, 1.0).abs() - uniform(1.5, 2.0)) * 2.5).clamp(0, 1)
    bright = fine + twigs * (uniform(0.6, 0.9) * signals["venous blood"] / signals["liver"] - 1)
    at = uniform(-65, -25), bottom + uniform(45, 85)
    liver = canvas.ellipse(*at, (uniform(55, 105), uniform(45, 90)), drift=0.6, waves=0.09)
    canvas.paint_outline(liver.grown(2), signals["fat"] * 0.5, abdomen)
    canvas.paint_outline(liver, signals["liver"], abdomen, grain=bright)


def _paint_vessels(canvas: _Canvas, cavity: Tensor, bottom: float) -> None:
    """Spine with its canal, descending aorta and inferior vena cava."""
    signals, uniform = canvas.signals, canvas.uniform
    if uniform(0, 1) < 0.6:
        u, v, tall = uniform(92, 118), uniform(-20, 90), uniform(26, 45)
        body = canvas.ellipse(u, v, (uniform(15, 19), tall), drift=0.3, waves=0.08)
        canvas.paint_outline(body.grown(9), signals["muscle"], cavity, softness=6)
        canvas.paint_outline(body.grown(2), signals["bone"], cavity)
        canvas.paint_outline(body, signals["marrow"] * 1.2, cavity, softness=3, grain=0.1 * canvas.texture(6))
        canal = canvas.ellipse(u + 26, v, (6, 8), drift=0.2)
        canvas.paint_outline(canal, signals["fluid"] * 0.7, cavity, softness=3)
    aorta_at = (uniform(35, 75), bottom + uniform(-5, 30))
    aorta = canvas.ellipse(*aorta_at, (uniform(8.5, 12), uniform(8.5, 13)), drift=0.35, waves=0.03)
    canvas.paint_outline(aorta.grown(2), signals["muscle"], cavity)
    canvas.paint_outline(aorta, signals["arterial blood"] * uniform(0.8, 1.2), cavity)
    cava_at = (uniform(-20, 20), bottom + uniform(25, 60))
    cava = canvas.ellipse(*cava_at, (uniform(7, 12), uniform(5, 9)), drift=0.4)
    canvas.paint_outline(cava, signals["venous blood"] * uniform(0.7, 1.2), cavity)
