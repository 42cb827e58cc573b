"""What a phased array makes of scatterers: beam space, its point spread, compression, and the sector on the screen.

Echoes are demodulated: a scatterer at depth r adds `a exp(-i 4 pi r / wavelength)`, so that its neighbours within
a resolution cell interfere as under a pulse with a carrier, and the magnitude is the envelope.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from .outline import draw_texture

#: Depth in mm from one sample of a beam to the next.
SAMPLE = 0.2
#: How readable an image is, in CAMUS's words, and the share of each in that dataset (DOI 10.1109/TMI.2019.2900516).
QUALITIES = {"Good": 0.35, "Medium": 0.46, "Poor": 0.19}


@dataclass(frozen=True)
class Probe:
    """A phased array and the machine's settings; lengths in mm, angles in radians, levels in dB.

    Attributes:
        quality: one of `QUALITIES`.
        half_angle: from the middle beam to the outermost.
        near, far: depths at which the sector begins and ends.
        wavelength: of the received harmonic.
        pulse: standard deviation of the envelope of an echo along a beam.
        beam_width: standard deviation of the beam's angle at its focus.
        focus: depth at which the beam is narrowest.
        aperture: width that blurs the beam away from its focus.
        side_lobes: level of the pedestal that is ten times as wide as the beam.
        attenuation: slope in dB a mm that the machine's gain does not make up for.
        noise: level at the focus relative to the myocardium; it rises with depth as the gain does.
        noise_slope: dB a mm by which it rises.
        clutter: level of the near field's reverberations at the probe.
        clutter_reach: depth over which they fade.
        dynamic_range: dB from black to white.
        brightness: grey value, in [0, 1], of the myocardium's mean level.
    """

    quality: str
    half_angle: float
    near: float
    far: float
    wavelength: float
    pulse: float
    beam_width: float
    focus: float
    aperture: float
    side_lobes: float
    attenuation: float
    noise: float
    noise_slope: float
    clutter: float
    clutter_reach: float
    dynamic_range: float
    brightness: float

    @property
    def depths(self) -> Tensor:
        """Depth in mm of each sample `(R,)`."""
        return torch.arange(self.near, self.far + SAMPLE, SAMPLE)

    @property
    def beams(self) -> Tensor:
        """Angle of each beam `(B,)`, 0 straight down, positive to the right; a margin beyond the sector is kept."""
        step = self.beam_width / 2
        number = math.ceil((self.half_angle + 6 * self.beam_width) / step)
        return torch.arange(-number, number + 1) * step

    def covers(self, points: Tensor) -> Tensor:
        """Return whether each point `(..., 2)` in mm from the probe lies within the sector."""
        depth, angle = polar(points)
        return (depth >= self.near) & (depth <= self.far) & (angle.abs() <= self.half_angle)


def polar(points: Tensor) -> tuple[Tensor, Tensor]:
    """Return depth in mm and angle in radians of points `(..., 2)`: x to the right, y away from the probe."""
    return torch.hypot(points[..., 0], points[..., 1]), torch.atan2(points[..., 0], points[..., 1])


def draw_probe(far: float, generator: torch.Generator) -> Probe:
    """Draw a machine and its settings for a sector that ends at `far` mm."""

    def uniform(low: float, high: float) -> float:
        return low + (high - low) * float(torch.rand((), generator=generator))

    weights = torch.tensor(list(QUALITIES.values()))
    grade = int(torch.multinomial(weights, 1, generator=generator))
    return Probe(
        quality=list(QUALITIES)[grade],
        half_angle=math.radians(uniform(36, 39) if uniform(0, 1) < 0.8 else uniform(39, 46)),
        near=uniform(1.5, 4.0),
        far=far,
        wavelength=uniform(0.42, 0.55),
        pulse=uniform(0.3, 0.45),
        beam_width=math.radians(uniform(0.75, 1.05)),
        focus=uniform(70, 110),
        aperture=uniform(0.3, 0.8),
        side_lobes=uniform(-32, -26) + grade,
        attenuation=uniform(-0.05, 0.05),
        noise=uniform(-17, -10) + 1.5 * grade,
        noise_slope=uniform(0.02, 0.11),
        clutter=uniform(-3, 9),
        clutter_reach=uniform(7, 22),
        dynamic_range=uniform(42, 58),
        brightness=uniform(0.42, 0.6),
    )


def beam_space(points: Tensor, amplitude: Tensor, probe: Probe) -> Tensor:
    """Return the demodulated echoes `(R, B)`, complex, of point scatterers.

    Args:
        points: mm `(N, 2)` from the probe.
        amplitude: of each scatterer `(N,)`; where the squares in a mm2 add up to 1, the echoes' mean power is 1.
        probe: the machine; see `Probe.depths` and `Probe.beams` for the samples.
    """
    rows, beams = len(probe.depths), probe.beams
    depth, angle = polar(points)
    row = ((depth - probe.near) / SAMPLE).round().to(torch.int64)
    column = ((angle - beams[0]) / (beams[1] - beams[0])).round().to(torch.int64)
    inside = (row >= 0) & (row < rows) & (column >= 0) & (column < len(beams))
    cell = (row * len(beams) + column)[inside]
    area = SAMPLE * float(beams[1] - beams[0]) * depth[inside]  # of a sample in mm2
    amplitude = amplitude[inside] / area.sqrt()
    phase = (-4 * math.pi / probe.wavelength) * depth[inside]
    parts = [
        torch.bincount(cell, weights=amplitude * wave, minlength=rows * len(beams))
        for wave in (phase.cos(), phase.sin())
    ]
    return torch.complex(*(part.to(torch.float32) for part in parts)).view(rows, len(beams))


def point_spread(echoes: Tensor, probe: Probe) -> Tensor:
    """Return echoes `(R, B)` blurred by pulse and beam; the mean power of speckle is kept at every depth.

    The beam is a Gaussian in angle of standard deviation `sqrt(beam_width^2 + (aperture (1/r - 1/focus))^2)` on a
    wide pedestal: narrowest at the focus, and ever wider in mm beyond it.
    """
    rows, columns = echoes.shape
    step = float(probe.beams[1] - probe.beams[0])
    lag = torch.fft.fftfreq(2 * rows) * 2 * math.pi / SAMPLE
    pulse = torch.exp(-0.5 * (lag * probe.pulse) ** 2)
    blurred = torch.fft.ifft(torch.fft.fft(echoes, 2 * rows, dim=0) * pulse[:, None], dim=0)[:rows]

    defocus = probe.aperture * (1 / probe.depths - 1 / probe.focus)
    width = torch.sqrt(probe.beam_width**2 + defocus**2).clamp(max=0.25)
    order = torch.fft.fftfreq(columns) * 2 * math.pi / step
    beam = torch.exp(-0.5 * (order * width[:, None]) ** 2) * (width[:, None] / probe.beam_width).sqrt()
    pedestal = 10 * 10 ** (probe.side_lobes / 20) * torch.exp(-0.5 * (10 * order * probe.beam_width) ** 2)
    gain = _unit_power(pulse) * _unit_power(torch.exp(-0.5 * (order * probe.beam_width) ** 2))
    focused: Tensor = torch.fft.ifft(torch.fft.fft(blurred, dim=1) * (beam + pedestal), dim=1) * gain
    return focused


def _unit_power(transfer: Tensor) -> float:
    """Return the factor that gives a filter's output of white noise the power of its input."""
    return float((transfer**2).mean() ** -0.5)


def draw_noise(probe: Probe, generator: torch.Generator) -> Tensor:
    """Return electronic noise `(R, B)`, complex: short along the beam, nearly independent from beam to beam.

    Its mean magnitude follows `Probe.noise` and `Probe.noise_slope`.
    """
    level = probe.noise + probe.noise_slope * (probe.depths - probe.focus)
    narrow = torch.exp(-0.5 * (torch.arange(-4.0, 5) * SAMPLE / (0.4 * probe.pulse)) ** 2)
    noise = _filtered(probe, narrow, torch.tensor([0.15, 1.0, 0.15]), generator)
    return noise * 10 ** (level[:, None] / 20)


def draw_clutter(probe: Probe, generator: torch.Generator) -> Tensor:
    """Return reverberations of the near field `(R, B)`, complex: layers along the probe that fade with depth."""
    thick = torch.exp(-0.5 * (torch.arange(-9.0, 10) * SAMPLE / (1.2 * probe.pulse)) ** 2)
    across = math.radians(6.0) / float(probe.beams[1] - probe.beams[0])
    wide = torch.exp(-0.5 * (torch.arange(-math.ceil(2 * across), math.ceil(2 * across) + 1) / across) ** 2)
    clutter = _filtered(probe, thick, wide, generator) + _filtered(
        probe, thick, torch.tensor([0.5, 1.0, 0.5]), generator
    )
    fade = probe.clutter - 8.7 * (probe.depths - probe.near) / probe.clutter_reach  # 8.7 dB are one factor e
    return clutter * 10 ** (fade[:, None] / 20)


def _filtered(probe: Probe, along: Tensor, across: Tensor, generator: torch.Generator) -> Tensor:
    """Return complex white noise of unit power filtered along and across the beams `(R, B)`."""
    size = (len(probe.depths), len(probe.beams))
    white = torch.randn((2, 1, *size), generator=generator) / math.sqrt(2)
    along, across = along / along.norm(), across / across.norm()
    smooth = F.conv2d(white, along[None, None, :, None], padding=(len(along) // 2, 0))
    smooth = F.conv2d(smooth, across[None, None, None, :], padding=(0, len(across) // 2))
    return torch.complex(smooth[0, 0], smooth[1, 0])


def draw_gain(probe: Probe, generator: torch.Generator) -> Tensor:
    """Return what reaches and leaves a place `(R, B)` in dB relative to a perfect image.

    Attenuation that the time-gain compensation misses, its sliders' waves, a darker rim, shadows of ribs and lung that
    begin at the skin near the sector's edges, and beams that lose contact.
    """
    depth, angle = probe.depths[:, None], probe.beams[None, :]
    rows, columns = len(probe.depths), len(probe.beams)
    step = float(probe.beams[1] - probe.beams[0])
    sliders = draw_texture(generator, (1, rows, 1), (1, 30 / SAMPLE, 1))[0]
    blotches = draw_texture(generator, (1, rows, columns), (1, 22 / SAMPLE, 0.2 / step))[0]
    gain = -probe.attenuation * (depth - probe.focus) + 1.5 * sliders + 3.0 * blotches

    def uniform(low: float, high: float) -> float:
        return low + (high - low) * float(torch.rand((), generator=generator))

    for side in (-1, 1):
        edge = probe.half_angle * uniform(0.45, 1.25)
        shadow = torch.sigmoid((side * angle - edge) / uniform(0.03, 0.1))
        gain = gain - uniform(4, 18) * shadow * torch.sigmoid((depth - uniform(15, 50)) / 12)
    for _ in range(int(torch.randint(0, 4, (), generator=generator))):
        at, width = uniform(-1, 1) * probe.half_angle, uniform(0.02, 0.09)
        gain = gain - uniform(3, 10) * torch.exp(-(((angle - at) / width) ** 2))
    return gain


def compress(echoes: Tensor, probe: Probe) -> Tensor:
    """Return grey values in [0, 1] `(R, B)` of complex echoes: the logarithm of the envelope, cut to the range.

    `brightness + 20 log10 |echo| / dynamic_range`; a magnitude of 1 is the myocardium's mean level.
    """
    level = 20 * torch.log10(echoes.abs().clamp(min=1e-6))
    return (probe.brightness + level / probe.dynamic_range).clamp(0, 1)


def screen(probe: Probe, spacing: float) -> Tensor:
    """Return the pixels' places in mm from the probe `(H, W, 2)`: the sector's bounding box, x before y."""
    half = math.ceil(probe.far * math.sin(probe.half_angle) / spacing)
    x = torch.arange(-half, half + 1) * spacing
    y = torch.arange(0, math.ceil(probe.far / spacing) + 1) * spacing
    return torch.stack(torch.meshgrid(x, y, indexing="xy"), dim=-1)


def scan_convert(grey: Tensor, probe: Probe, pixels: Tensor) -> Tensor:
    """Return a beam-space image `(R, B)` on the screen's pixels `(H, W)`, bilinearly; 0 outside the sector."""
    depth, angle = polar(pixels)
    beams = probe.beams
    row = (depth - probe.near) / SAMPLE / (len(grey) - 1) * 2 - 1
    column = angle / float(beams[-1])
    grid = torch.stack((column, row), dim=-1)[None]
    image = F.grid_sample(grey[None, None], grid, mode="bilinear", padding_mode="border", align_corners=True)[0, 0]
    return torch.where(probe.covers(pixels), image, 0.0)
