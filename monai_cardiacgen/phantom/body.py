"""The chest and upper abdomen around the heart, as a short-axis plane cuts them.

Everything is placed in the chest's own axes: u points from the breastbone to the spine, v from head to feet,
both in mm from the heart. The stack's `turn` carries them into the image.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor

from .outline import Outline, coverage, draw_texture, draw_waves, ellipse
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


def paint_body(stack: Stack, heart_size: float, signals: Signals, generator: torch.Generator) -> Tensor:
    """Draw a patient's chest without the heart.

    Args:
        stack: where the slices lie.
        heart_size: outer radius of the left ventricle in mm: the diaphragm lies below it.
        signals: the signal of every tissue of `bssfp.TISSUES`, fat negative.
        generator: a CPU generator.

    Returns:
        Signed signal `(Z, H, W)`.
    """
    canvas = _Canvas(stack, signals, generator)
    _paint_arm(canvas)
    cavity = _paint_chest_wall(canvas)
    _paint_lungs(canvas, cavity)
    abdomen = _paint_abdomen(canvas, cavity, heart_size + canvas.uniform(2, 9))
    _paint_organs(canvas, abdomen, heart_size)
    _paint_vessels(canvas, heart_size)
    return canvas.signal


def _paint_arm(canvas: _Canvas) -> None:
    """An arm beside the chest in some patients."""
    if canvas.uniform(0, 1) < 0.45:
        return
    u, v = canvas.uniform(150, 190), canvas.uniform(-70, 60)
    size = canvas.uniform(30, 42)
    signals = canvas.signals
    canvas.paint_outline(canvas.ellipse(u, v, (size, size * 1.3)), signals["fat"])
    canvas.paint_outline(canvas.ellipse(u, v, (size * 0.75, size)), signals["muscle"])
    canvas.paint_outline(canvas.ellipse(u, v, (size * 0.2, size * 0.2)), signals["marrow"])


def _paint_chest_wall(canvas: _Canvas) -> Tensor:
    """Skin, fat with its septa, muscle and ribs; returns the share `(Z, H, W)` inside the rib cage."""
    signals, uniform = canvas.signals, canvas.uniform
    breast, depth = uniform(84, 100), uniform(112, 130)
    fat = uniform(5, 12) if uniform(0, 1) < 0.5 else uniform(12, 32)
    muscle = uniform(9, 16)
    outer = depth + fat
    body = canvas.ellipse(outer - breast - fat, uniform(10, 50), (outer, uniform(170, 250)), waves=0.02)
    closer = uniform(0.1, 0.4) * canvas.height  # towards the apex the plane nears the breastbone
    turn = canvas.stack.turn
    drift = closer[:, None] * torch.tensor([math.cos(turn), math.sin(turn)])
    inside = Outline(body.centre + drift, body.radius).distance(canvas.x, canvas.y)

    canvas.paint(coverage(inside, 2.0), signals["muscle"])
    layer = inside + 2 + fat * (1 + 0.25 * canvas.texture(90, 4)).clamp(0.35, 1.8)
    septa = torch.exp(-((canvas.texture(9) / 0.12) ** 2)) * 0.35
    fatty = signals["fat"] * (1 + 0.05 * canvas.texture(30)) * (1 - septa)
    canvas.paint(coverage(inside + 1.8, 2.0), fatty)
    streaks = 0.12 * canvas.texture(5)
    canvas.paint(coverage(layer, 2.5), signals["muscle"] * (1 + streaks))
    between = coverage((layer + 0.45 * muscle).abs() - 0.9 - 0.8 * canvas.texture(25), 2.0)
    canvas.paint(between, signals["fat"] * 0.9)
    _paint_ribs(canvas, layer, muscle)
    return coverage(layer + muscle, 2.5)


def _paint_ribs(canvas: _Canvas, layer: Tensor, muscle: float) -> None:
    """Ovals of dark bone with marrow inside the muscle layer."""
    around = torch.atan2(canvas.v - 20, canvas.u - 25)
    step = (
        canvas.uniform(16, 22) * around / (2 * math.pi)
        + canvas.uniform(0, 1)
        + 0.02 * canvas.height[:, None, None]
    )
    across = (step.remainder(1) - 0.5) / canvas.uniform(0.2, 0.3)
    oval = torch.sqrt(((layer + 0.62 * muscle) / (0.4 * muscle)) ** 2 + across**2)
    canvas.paint(coverage(oval - 1, 0.5), canvas.signals["bone"])
    canvas.paint(coverage(oval - 0.72, 0.4), canvas.signals["marrow"])


def _paint_lungs(canvas: _Canvas, cavity: Tensor) -> None:
    """Dark parenchyma with the bright dots and strokes of its vessels."""
    signals = canvas.signals
    canvas.paint(cavity, signals["lung"] * (1 + 0.15 * canvas.texture(40) + 0.1 * canvas.texture(4)))
    hilum = torch.exp(-(((canvas.u - 45) / 70) ** 2 + ((canvas.v + 45) / 60) ** 2))
    rarity = canvas.uniform(2.0, 2.7) - 0.7 * hilum
    vessels = ((canvas.texture(canvas.uniform(4.5, 6.5), 1.0) - rarity) * 2.5).clamp(0, 1)
    canvas.paint(cavity * vessels, signals["arterial blood"] * canvas.uniform(0.7, 1.1))


def _paint_abdomen(canvas: _Canvas, cavity: Tensor, bottom: float) -> Tensor:
    """Fat and bowel below the diaphragm; returns the abdomen's share `(Z, H, W)`."""
    signals, uniform = canvas.signals, canvas.uniform
    dome = bottom + uniform(8, 30) * ((canvas.u - uniform(-45, -5)) / 60) ** 2
    dome = dome.clamp(max=bottom + 75) + uniform(-0.25, 0.1) * canvas.height[:, None, None]
    below = dome - canvas.v + 2.0 * canvas.texture(60, 4)
    canvas.paint(cavity * coverage(below, 3.0), signals["muscle"])
    abdomen = cavity * coverage(below + 3.0, 3.0)

    loops, kind = canvas.texture(22), canvas.texture(26)
    bowel = ((loops + 0.2) * 4).clamp(0, 1)
    filling = signals["gut"] * (1 + 0.15 * canvas.texture(6))
    fluid = ((kind - 0.9) * 4).clamp(0, 1)
    gas = ((-kind - 1.0) * 4).clamp(0, 1)
    filling = filling + fluid * (0.8 * signals["fluid"] - filling) + gas * (signals["bone"] - filling)
    fatty = signals["fat"] * (0.95 + 0.06 * canvas.texture(14))
    canvas.paint(abdomen, fatty + bowel * (filling - fatty))
    return abdomen


def _paint_organs(canvas: _Canvas, abdomen: Tensor, bottom: float) -> None:
    """Spleen, kidney, stomach and liver, in the order in which they cover each other."""
    signals, uniform = canvas.signals, canvas.uniform
    fine = 0.05 * canvas.texture(4) + 0.05 * canvas.texture(35)
    spleen = canvas.ellipse(uniform(75, 100), bottom + uniform(45, 80), (uniform(18, 26), uniform(35, 55)))
    canvas.paint_outline(spleen, signals["spleen"], abdomen, grain=fine)

    u, v = uniform(45, 85), bottom + uniform(80, 120)
    kidney = canvas.ellipse(u, v, (uniform(22, 28), uniform(34, 48)), waves=0.03)
    canvas.paint_outline(kidney, signals["kidney"] * 1.15, abdomen, grain=fine)
    canvas.paint_outline(kidney.grown(-8), signals["kidney"] * 0.8, abdomen, softness=5, grain=fine)
    canvas.paint_outline(kidney.grown(-17), signals["fat"], abdomen, softness=4)

    u, v = uniform(25, 60), bottom + uniform(30, 48)
    stomach = canvas.ellipse(u, v, (uniform(24, 42), uniform(20, 34)), waves=0.1)
    canvas.paint_outline(stomach, signals["muscle"], abdomen, grain=fine)
    content = ("fluid", "gut", "bone", "gut")[int(torch.randint(4, (), generator=canvas.generator))]
    rough = 0.25 * canvas.texture(9)
    canvas.paint_outline(stomach.grown(-4), signals[content] * 0.8, abdomen, softness=4, grain=rough)

    vessels = ((canvas.texture(14, 1.0).abs() - uniform(1.5, 1.9)) * 3).clamp(0, 1)
    bright = fine + vessels * (signals["venous blood"] * 0.8 / signals["liver"] - 1)
    liver = canvas.ellipse(
        uniform(-60, -25), bottom + uniform(55, 80), (uniform(60, 95), uniform(60, 85)), drift=0.5
    )
    canvas.paint_outline(liver.grown(2), signals["fat"] * 0.5, abdomen)
    canvas.paint_outline(liver, signals["liver"], abdomen, grain=bright)


def _paint_vessels(canvas: _Canvas, bottom: float) -> None:
    """Spine, descending aorta and inferior vena cava."""
    signals, uniform = canvas.signals, canvas.uniform
    u = uniform(98, 118)
    for level in range(-3, 5):
        vertebra = canvas.ellipse(u, level * 30.0 + uniform(-3, 3), (15, 12.5), drift=0.1, waves=0.03)
        canvas.paint_outline(vertebra.grown(2), signals["bone"])
        canvas.paint_outline(vertebra, signals["marrow"], softness=3)
    aorta_at = (uniform(40, 75), bottom + uniform(8, 35))
    aorta = canvas.ellipse(*aorta_at, (uniform(9, 12.5),) * 2, drift=0.35, waves=0.03)
    canvas.paint_outline(aorta.grown(2), signals["muscle"])
    canvas.paint_outline(aorta, signals["arterial blood"] * uniform(0.8, 1.2))
    cava = canvas.ellipse(
        uniform(-20, 20), bottom + uniform(30, 60), (uniform(8, 13), uniform(6, 10)), drift=0.4
    )
    canvas.paint_outline(cava, signals["venous blood"] * uniform(0.7, 1.2))
