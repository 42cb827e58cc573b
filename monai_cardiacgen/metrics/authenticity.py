"""Authenticity: how often is a synthetic case more than a real one with noise?"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from ..checks import check_finite
from ..errors import InputError, ShapeError


@dataclass(frozen=True)
class Authenticity:
    """What of M synthetic cases is authentic.

    Attributes:
        share: of the synthetic cases.
        authentic: `(M,)` bool; `share` is its mean.
        nearest: `(M,)` int64, the real case that each is nearest to.
    """

    share: float
    authentic: torch.Tensor
    nearest: torch.Tensor


def authenticity(real: torch.Tensor, synthetic: torch.Tensor, chunk: int = 1024) -> Authenticity:
    r"""Return which synthetic cases are no noisy copies of real training cases.

    With $x$ the real case that is nearest to the synthetic $y$, and $x'$ the real case nearest to $x$, $y$ is authentic
    when $\lVert y - x \rVert > \lVert x' - x \rVert$: a case nearer to a real one than any other real case is suspect.
    Two samples of one distribution do not have 1: compare with real cases of other patients in place of synthetic ones.

    Args:
        real: features `(N, D)` of the cases that the generator has learned from, at least two.
        synthetic: features `(M, D)` of the same kind, on the same device.
        chunk: rows of distances held at a time.

    Raises:
        ShapeError: unless both are `(cases, D)` with one D.
        InputError: for fewer than two real cases or no synthetic one, or a chunk below 1.
        IntensityError: for features that are not finite.

    Example:
        >>> real = torch.tensor([[0.0], [1.0], [3.0]])
        >>> authenticity(real, torch.tensor([[0.1], [3.5], [9.0]])).authentic.tolist()
        [False, False, True]

    Source:
        Alaa et al., "How faithful is your synthetic data?", ICML 2022, arXiv:2102.08921, DOI 10.48550/arXiv.2102.08921.
    """
    if real.ndim != 2 or synthetic.ndim != 2 or real.shape[1] != synthetic.shape[1]:
        raise ShapeError(
            f"Expected features (cases, D) of one D, got {tuple(real.shape)} and {tuple(synthetic.shape)}; take the "
            f"means of a network's features."
        )
    if len(real) < 2 or not len(synthetic) or chunk < 1:
        raise InputError(
            f"Expected at least two real cases and a synthetic one, got {len(real)} and {len(synthetic)} for "
            f"chunk={chunk}."
        )
    check_finite(real, "the real features")
    check_finite(synthetic, "the synthetic features")
    alone = []  # how far each real case is from the next
    for start in range(0, len(real), chunk):
        distance = _distance(real[start : start + chunk], real)
        row = torch.arange(len(distance), device=real.device)
        distance[row, row + start] = torch.inf
        alone.append(distance.min(dim=1).values)
    nearest = [_distance(rows, real).min(dim=1) for rows in synthetic.split(chunk)]
    apart, which = (torch.cat(parts) for parts in zip(*nearest, strict=True))
    authentic = apart > torch.cat(alone)[which]
    return Authenticity(int(authentic.sum()) / len(synthetic), authentic, which)


def _distance(rows: torch.Tensor, others: torch.Tensor) -> torch.Tensor:
    # By way of a matrix product, a point would lie off itself by rounding.
    return torch.cdist(rows, others, compute_mode="donot_use_mm_for_euclid_dist")


__all__ = ["Authenticity", "authenticity"]
