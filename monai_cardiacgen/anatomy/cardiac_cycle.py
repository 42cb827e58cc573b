"""The left ventricle's filling through one cycle, from end diastole to end diastole."""

from __future__ import annotations

import torch
from scipy.interpolate import PchipInterpolator

from ..errors import InputError

#: Share of the cycle, share of the stroke volume that is out: ejection until 0.37, early filling to 0.62, diastasis,
#: atrial contraction from 0.85 on. At rest systole takes about three eighths of the cycle and early filling brings
#: about two thirds of the stroke volume back (Nagueh et al., JASE 2016, DOI 10.1016/j.echo.2016.01.011; Boron and
#: Boulpaep, Medical Physiology, chapter 22).
_TIMES = (0.0, 0.06, 0.21, 0.37, 0.43, 0.53, 0.65, 0.85, 0.93, 1.0)
_EJECTED = (0.0, 0.04, 0.62, 1.0, 0.97, 0.60, 0.32, 0.24, 0.08, 0.0)


def ejected_share(time: torch.Tensor) -> torch.Tensor:
    """Return how much of the stroke volume has left the left ventricle, in [0, 1].

    A smooth curve without overshoot: 0 at end diastole, 1 at end systole, then early filling, diastasis and the
    atrial contraction.

    Args:
        time: share of the cycle, any shape; 0 and 1 are end diastole.

    Raises:
        InputError: for values outside [0, 1].

    Example:
        >>> [round(value, 2) for value in ejected_share(torch.tensor([0.0, 0.37, 0.75, 1.0])).tolist()]
        [0.0, 1.0, 0.28, 0.0]
    """
    if not bool(((time >= 0) & (time <= 1)).all()):
        raise InputError(f"Expected shares of the cycle in [0, 1], got {time}.")
    curve = PchipInterpolator(_TIMES, _EJECTED)
    share = torch.as_tensor(curve(time.detach().cpu().numpy()), dtype=torch.float32)
    return share.clamp(0, 1).to(time.device)  # rounding may pass the ends
