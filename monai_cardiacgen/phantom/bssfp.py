"""The balanced steady-state free precession (bSSFP) signal and the tissues that it tells apart."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Tissue:
    """What the sequence sees of a tissue.

    Attributes:
        t1: longitudinal relaxation time in ms.
        t2: transverse relaxation time in ms.
        density: proton density relative to water.
        shift: chemical shift in Hz at 1.5 T.
    """

    t1: float
    t2: float
    density: float
    shift: float = 0.0


#: Relaxation times at 1.5 T, rounded from Stanisz et al. (DOI 10.1002/mrm.20605) and
#: de Bazelaire et al. (DOI 10.1148/radiol.2303021331); blood by its oxygenation (DOI 10.1002/jmri.1880010303).
TISSUES = {
    "arterial blood": Tissue(1500, 230, 0.95),
    "venous blood": Tissue(1500, 140, 0.95),
    "myocardium": Tissue(1030, 48, 0.80),
    "muscle": Tissue(1000, 38, 0.80),
    "fat": Tissue(290, 85, 0.90, shift=-220.0),
    "liver": Tissue(580, 46, 0.85),
    "spleen": Tissue(1060, 78, 0.80),
    "kidney": Tissue(970, 85, 0.80),
    "marrow": Tissue(550, 50, 0.55),
    "fluid": Tissue(2500, 900, 1.00),
    "gut": Tissue(900, 55, 0.75),
    "lung": Tissue(1100, 40, 0.25),
    "bone": Tissue(1000, 20, 0.05),
}


def bssfp_signal(
    t1: float,
    t2: float,
    flip_angle: float,
    repetition_time: float,
    precession: Tensor | float = 0.0,
) -> Tensor:
    r"""Return the complex transverse magnetisation halfway between two pulses of alternating sign.

    With :math:`E_{1,2} = e^{-TR/T_{1,2}}` and the precession angle :math:`\beta` gained in one TR (the
    alternation of the pulses shifts it by half a turn, :math:`\theta = \beta + \pi`),

    .. math:: M_{xy} = M_0 (1 - E_1) \sin\alpha \frac{1 - E_2 e^{-i\theta}}
              {(1 - E_1 \cos\alpha)(1 - E_2 \cos\theta) - E_2 (E_1 - \cos\alpha)(E_2 - \cos\theta)}
              \; e^{-TE/T_2} e^{i \beta TE/TR}, \quad TE = TR/2.

    Args:
        t1: ms.
        t2: ms.
        flip_angle: radians.
        repetition_time: ms.
        precession: beta in radians, any shape; +-pi are the dark bands.

    Returns:
        Complex magnetisation for unit equilibrium magnetisation, the shape of `precession`.

    Example:
        >>> round(float(bssfp_signal(1500, 250, 1.0, 3.0).abs()), 3)
        0.196

    Source:
        Scheffler and Lehnhardt, Eur Radiol 2003, DOI 10.1007/s00330-003-1957-x.
    """
    beta = torch.as_tensor(precession, dtype=torch.float64)
    theta = beta + math.pi
    e1, e2 = math.exp(-repetition_time / t1), math.exp(-repetition_time / t2)
    cos_flip = math.cos(flip_angle)
    denominator = (1 - e1 * cos_flip) * (1 - e2 * theta.cos()) - e2 * (e1 - cos_flip) * (e2 - theta.cos())
    numerator = (1 - e1) * math.sin(flip_angle) * (1 - e2 * torch.polar(torch.ones_like(theta), -theta))
    echo = torch.polar(torch.full_like(beta, math.sqrt(e2)), beta / 2)
    return (numerator / denominator * echo).to(torch.complex64)


def tissue_signal(tissue: Tissue, flip_angle: float, repetition_time: float) -> float:
    """Return a tissue's signal on resonance, negative where it is opposed to water's (fat at common TR).

    Args:
        tissue: relaxation times, density and chemical shift.
        flip_angle: radians.
        repetition_time: ms.
    """
    precession = 2 * math.pi * tissue.shift * repetition_time / 1000
    signal = bssfp_signal(tissue.t1, tissue.t2, flip_angle, repetition_time, precession)
    sign = 1.0 if float(signal.real) >= 0 else -1.0
    return sign * tissue.density * float(signal.abs())


def banding(precession: Tensor, flip_angle: float, repetition_time: float) -> Tensor:
    """Return muscle's signal relative to on resonance, by the precession in radians of any shape."""
    muscle = TISSUES["muscle"]
    on_resonance = bssfp_signal(muscle.t1, muscle.t2, flip_angle, repetition_time).abs()
    table = bssfp_signal(muscle.t1, muscle.t2, flip_angle, repetition_time, torch.linspace(0, 2 * math.pi, 257))
    position = precession.remainder(2 * math.pi) * (256 / (2 * math.pi))
    return ((table.abs() / on_resonance)[position.round().to(torch.int64)]).to(torch.float32)
