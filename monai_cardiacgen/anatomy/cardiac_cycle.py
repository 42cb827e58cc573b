"""The left ventricle's filling through one cycle, from end diastole to end diastole."""

from __future__ import annotations

import math

import torch

from ..errors import InputError

#: Share of the cycle, share of the stroke volume that is out: ejection until 0.37, early filling to 0.65, diastasis,
#: and the atrial contraction from 0.80 on. At rest systole takes about three eighths of the cycle, and early filling
#: brings most of the stroke volume back (Nagueh et al., JASE 2016, DOI 10.1016/j.echo.2016.01.011).
_KNOTS = ((0.0, 0.0), (0.37, 1.0), (0.65, 0.28), (0.80, 0.22), (1.0, 0.0))


def ejected_share(time: torch.Tensor) -> torch.Tensor:
    r"""Return how much of the stroke volume has left the left ventricle, in [0, 1].

    A smooth curve: 0 at end diastole, 1 at end systole, then early filling, diastasis and the atrial contraction.
    Between two knots $(t_0, v_0)$ and $(t_1, v_1)$ it is

    $$v_0 + (v_1 - v_0)\, \frac{1}{2} \left(1 - \cos \pi \frac{t - t_0}{t_1 - t_0}\right).$$

    Args:
        time: share of the cycle, any shape; 0 and 1 are end diastole.

    Raises:
        InputError: for values outside [0, 1].

    Example:
        >>> [round(value, 2) for value in ejected_share(torch.tensor([0.0, 0.37, 0.65, 1.0])).tolist()]
        [0.0, 1.0, 0.28, 0.0]
    """
    if not bool(((time >= 0) & (time <= 1)).all()):
        raise InputError(f"Expected shares of the cycle in [0, 1], got {time}.")
    times, values = torch.tensor(_KNOTS, dtype=time.dtype, device=time.device).T.contiguous()
    after = torch.bucketize(time, times, right=True).clamp(1, len(_KNOTS) - 1)
    begin, end = times[after - 1], times[after]
    eased = (1 - torch.cos(math.pi * (time - begin) / (end - begin))) / 2
    return torch.lerp(values[after - 1], values[after], eased)
