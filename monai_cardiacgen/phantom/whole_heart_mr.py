"""Whole-heart MR of a phantom patient: axial three-dimensional bSSFP with bright blood."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from ..anatomy.schemes import (
    ASCENDING_AORTA,
    LEFT_ATRIUM,
    LV_CAVITY,
    MYOCARDIUM,
    PULMONARY_ARTERY,
    RIGHT_ATRIUM,
    RV_CAVITY,
)
from .bssfp import TISSUES, tissue_signal
from .outline import draw_texture
from .scanner import Scanner, acquire
from .whole_heart_patient import Painting

#: Which of the sequence's tissues each of the phantom's consists of.
_TISSUES = {
    "skin": "muscle",
    "fat": "fat",
    "muscle": "muscle",
    "lung": "lung",
    "lung vessel": "venous blood",
    "bone": "bone",
    "marrow": "marrow",
    "cartilage": "muscle",
    "disc": "gut",
    "canal": "fluid",
    "cord": "spleen",
    "liver": "liver",
    "spleen": "spleen",
    "stomach": "gut",
    "oesophagus": "muscle",
    "wall": "muscle",
    "papillary muscle": "myocardium",
    "vein": "arterial blood",
    "pulmonary branch": "venous blood",
    "superior vena cava": "venous blood",
    "inferior vena cava": "venous blood",
    "descending aorta": "arterial blood",
    LV_CAVITY: "arterial blood",
    LEFT_ATRIUM: "arterial blood",
    RIGHT_ATRIUM: "venous blood",
    RV_CAVITY: "venous blood",
    MYOCARDIUM: "myocardium",
    ASCENDING_AORTA: "arterial blood",
    PULMONARY_ARTERY: "venous blood",
}


@dataclass(frozen=True)
class WholeHeartMRScan:
    """What differs from one whole-heart protocol to the next.

    Attributes:
        scanner: flip angle, repetition time, noise, measured k-space, and how the image is stored.
        preparation: echo time in ms of the T2 preparation, which darkens muscle; 0 for none.
        fat: what the fat suppression leaves of fat's signal; 1 for none.
        coil: strength of the front coil's falloff, relative to `coil_reach`.
        coil_reach: mm over which it falls.
    """

    scanner: Scanner
    preparation: float
    fat: float
    coil: float
    coil_reach: float


def draw_whole_heart_mr_scan(generator: torch.Generator) -> WholeHeartMRScan:
    """Draw a protocol: T2-prepared, most with fat suppression."""

    def uniform(low: float, high: float) -> float:
        return low + (high - low) * float(torch.rand((), generator=generator))

    scanner = Scanner(
        flip_angle=math.radians(uniform(60, 100)),
        repetition_time=uniform(3.4, 5.0),
        noise=uniform(0.03, 0.07),
        sampled=(uniform(0.7, 1.0), uniform(0.6, 1.0)),
        smoothness=uniform(0.3, 1.0),
        coil=0.0,
        coil_reach=1.0,
        field=0.0,
        offset=max(0.0, uniform(-0.04, 0.05)),
        gain=uniform(250, 900),
    )
    suppressed = uniform(0, 1) < 0.8
    return WholeHeartMRScan(
        scanner=scanner,
        preparation=uniform(25, 50) if uniform(0, 1) < 0.85 else 0.0,
        fat=uniform(0.1, 0.4) if suppressed else 1.0,
        coil=uniform(0.3, 0.9),
        coil_reach=uniform(90, 160),
    )


def whole_heart_mr_image(painting: Painting, scan: WholeHeartMRScan, generator: torch.Generator) -> Tensor:
    """Return the stored magnitude image `(X, Y, Z)`, float32 whole numbers of at least 0.

    Each tissue has the steady-state signal of its relaxation times, weighted by the T2 preparation's
    :math:`e^{-TE_{prep}/T_2}`, relative to arterial blood; coils make the front brighter than the back.

    Args:
        painting: the patient's solids on a grid.
        scan: the protocol.
        generator: a CPU generator; textures, field and noise come from it.

    Source:
        Weber et al., whole-heart steady-state free precession, DOI 10.1002/mrm.10653;
        Brittain et al., T2 preparation, DOI 10.1002/mrm.1910330515.
    """
    grid = painting.grid
    cells = [max(10 / edge, 1.0) for edge in grid.spacing]
    coarse = draw_texture(generator, grid.size, (3 * cells[0], 3 * cells[1], 3 * cells[2]))
    fine = draw_texture(generator, grid.size, (cells[0] / 2, cells[1] / 2, cells[2] / 2))
    signal = painting.image(_signals(scan, coarse, fine))
    signal = signal * _sensitivity(scan, painting, generator)
    measured = acquire(signal.permute(2, 1, 0).contiguous(), scan.scanner, generator)
    return measured.permute(2, 1, 0).contiguous()


def _signals(scan: WholeHeartMRScan, coarse: Tensor, fine: Tensor) -> dict[str, float | Tensor]:
    """Return signal by tissue, 1 for arterial blood; fat in opposed phase is negative."""
    signals = {
        name: tissue_signal(tissue, scan.scanner.flip_angle, scan.scanner.repetition_time)
        * math.exp(-scan.preparation / tissue.t2)
        for name, tissue in TISSUES.items()
    }
    blood = signals["arterial blood"]
    relative = {name: signal / blood for name, signal in signals.items()}
    relative["fat"] *= scan.fat
    flow = 1 + 0.05 * coarse + 0.03 * fine
    relative["fluid"] *= 0.5  # the brain water pulsates
    values: dict[str, float | Tensor] = {"air": 0.0}
    for tissue, name in _TISSUES.items():
        values[tissue] = relative[name] * flow if name.endswith("blood") else relative[name] * (1 + 0.06 * fine)
    return values


def _sensitivity(scan: WholeHeartMRScan, painting: Painting, generator: torch.Generator) -> Tensor:
    """Return the coils' sensitivity and what the excitation makes of it `(X, Y, Z)`, about 1 at the heart."""
    front, back = 130 + 20 * torch.rand(2, generator=generator)
    share = 0.35 + 0.4 * float(torch.rand((), generator=generator))
    sideways = 25 * torch.randn(2, generator=generator)
    x, y, z = painting.points
    coils = torch.zeros(painting.grid.size)
    middle = 0.0
    for weight, at, aside in ((1.0, front, sideways[0]), (share, -back - 40, sideways[1])):
        away = ((x + 10 - aside) ** 2 + (y - at) ** 2 + (0.6 * z) ** 2) / scan.coil_reach**2
        coils += weight / (1 + away) ** 1.5
        middle += weight / (1 + float(at) ** 2 / scan.coil_reach**2) ** 1.5
    slow = draw_texture(generator, painting.grid.size, (60, 60, 60))
    return (coils / middle) ** scan.coil * (1 + 0.06 * slow)
