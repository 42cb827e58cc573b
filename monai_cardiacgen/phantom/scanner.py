"""What a scanner makes of the signal: coil, off-resonance, measured k-space, noise and export."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from .bssfp import banding
from .outline import draw_texture
from .stack import Stack


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
        flip_angle=math.radians(uniform(34, 60)),
        repetition_time=uniform(2.7, 3.5),
        noise=uniform(0.014, 0.045),
        sampled=(uniform(0.52, 0.9), uniform(0.52, 0.9)),
        smoothness=uniform(0.2, 1.0),
        coil=uniform(0.35, 1.15),
        coil_reach=uniform(80, 145),
        field=uniform(1.0, 4.5),
        offset=max(0.0, uniform(-0.06, 0.16)),
        gain=uniform(90, 200) if uniform(0, 1) < 0.8 else uniform(200, 700),
    )


def draw_sensitivity(scanner: Scanner, stack: Stack, generator: torch.Generator) -> Tensor:
    """Draw coil falloff, banding and slice-to-slice gain `(Z, H, W)`; about 1 at the heart."""
    x, y = stack.x[None, :], stack.y[:, None]
    at = 105 + 25 * torch.rand(2, generator=generator)
    sides = stack.turn + 0.5 * torch.randn(2, generator=generator) + torch.tensor([math.pi, 0.0])
    weight = (1.0, 0.25 + 0.5 * float(torch.rand((), generator=generator)))
    coil = torch.zeros(len(stack.y), len(stack.x))
    for side, distance, strength in zip(sides, at, weight, strict=True):
        away = torch.hypot(x - distance * torch.cos(side), y - distance * torch.sin(side))
        coil += strength / (1 + (away / scanner.coil_reach) ** 2) ** 1.5
    middle = coil[stack.y.abs().argmin(), stack.x.abs().argmin()]
    falloff = (coil / middle) ** scanner.coil

    planes = stack.size[2]
    linear = 0.3 * torch.randn(3, generator=generator)
    rim = ((x**2 + y**2) / 170**2) ** 1.5 * scanner.field
    precession = linear[0] + linear[1] * x / 80 + linear[2] * y / 80 + rim
    size = (planes, len(stack.y), len(stack.x))
    precession = precession + 0.3 * draw_texture(generator, size, (4, 45, 45))
    gain = 1 + 0.06 * torch.randn(planes, generator=generator)
    bands = banding(precession, scanner.flip_angle, scanner.repetition_time)
    return falloff * bands * gain[:, None, None]


def acquire(signal: Tensor, scanner: Scanner, generator: torch.Generator) -> Tensor:
    """Return the stored magnitude image `(Z, H, W)`, float32, of a signed signal.

    Complex Gaussian noise is added before the magnitude, so that the image's noise is Rician
    (Gudbjartsson and Patz, DOI 10.1002/mrm.1910340618), and band-limited with the signal.
    """
    noise = torch.randn((2, *signal.shape), generator=generator) * scanner.noise
    window = _window(scanner, signal.shape[1], signal.shape[2])
    spectrum = torch.fft.fft2(torch.complex(signal + noise[0], noise[1]))
    stored: Tensor = ((torch.fft.ifft2(spectrum * window).abs() + scanner.offset) * scanner.gain).round()
    return stored


def _window(scanner: Scanner, height: int, width: int) -> Tensor:
    """Return the weight `(H, W)` of each spatial frequency."""
    weights = []
    for side, sampled in zip((height, width), reversed(scanner.sampled), strict=True):
        position = torch.fft.fftfreq(side).abs() * 2 / sampled
        flat = 1 - 0.9 * scanner.smoothness
        slope = ((position - flat) / (1 - flat)).clamp(0, 1)
        weights.append(torch.where(position <= 1, 0.5 + 0.5 * torch.cos(math.pi * slope * 0.9), 0.0))
    return weights[0][:, None] * weights[1][None, :]
