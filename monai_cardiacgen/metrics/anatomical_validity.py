"""The share of label maps that an anatomical check lets through, with its interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from scipy.stats import binomtest

from ..anatomy.check import AnatomyCheck
from ..errors import InputError, ShapeError

#: Label maps that are checked at a time.
_TOGETHER = 256


@dataclass(frozen=True)
class Share:
    """A share of independent cases with its Wilson interval.

    Attributes:
        share: `count / total`.
        low: lower end of the interval.
        high: upper end.
        count: cases that have it.
        total: cases.
    """

    share: float
    low: float
    high: float
    count: int
    total: int


@dataclass(frozen=True)
class AnatomicalValidity:
    """How many label maps are valid, and what the others break.

    Attributes:
        valid: the share that breaks no criterion.
        broken: how many maps break each criterion that any of them breaks.
        is_valid: `(B,)` bool.
    """

    valid: Share
    broken: dict[str, int]
    is_valid: torch.Tensor


def share_of(which: torch.Tensor, level: float = 0.95) -> Share:
    r"""Return the share of true values with its Wilson score interval, which holds at 0 and at 1, too.

    $$\frac{p + z^2 / 2n}{1 + z^2 / n} \pm \frac{z}{1 + z^2 / n} \sqrt{\frac{p (1 - p)}{n} + \frac{z^2}{4 n^2}}$$

    Args:
        which: `(N,)` bool, independent cases, at least one.
        level: the interval's nominal coverage, in (0, 1).

    Raises:
        ShapeError: unless `which` is `(N,)`.
        InputError: for no cases, or a level out of its range.

    Example:
        >>> share = share_of(torch.tensor([True] * 19 + [False]))
        >>> share.share, round(share.low, 3), round(share.high, 3)
        (0.95, 0.764, 0.991)

    Source:
        Wilson, Journal of the American Statistical Association 1927, DOI 10.1080/01621459.1927.10502953.
    """
    if which.ndim != 1:
        raise ShapeError(f"Expected one truth value a case (N,), got {tuple(which.shape)}.")
    if not len(which) or not 0 < level < 1:
        raise InputError(f"Expected at least one case and a level in (0, 1), got {len(which)} and {level!r}.")
    count, total = int(which.sum()), len(which)
    interval = binomtest(count, total).proportion_ci(confidence_level=level, method="wilson")
    return Share(count / total, float(interval.low), float(interval.high), count, total)


def anatomical_validity(
    label: torch.Tensor, check: AnatomyCheck, spacing: Sequence[float], level: float = 0.95
) -> AnatomicalValidity:
    """Return how many label maps break no anatomical criterion.

    Args:
        label: `(B, *spatial)`, codes of the check's scheme, at least one map.
        check: of the maps' view.
        spacing: mm along the spatial axes.
        level: the interval's nominal coverage.

    Raises:
        InputError: for no maps; what `check` raises.

    Example:
        >>> from monai_cardiacgen.anatomy.schemes import ACDC
        >>> label = torch.zeros(2, 32, 32, dtype=torch.int64)
        >>> label[1, 4, 4] = label[1, 20, 20] = ACDC.code("left ventricular cavity")
        >>> anatomical_validity(label, AnatomyCheck(ACDC, "short axis"), (1.5, 1.5)).valid.count
        1

    Source:
        Painchaud et al., IEEE TMI 2020, DOI 10.1109/TMI.2020.3003240.
    """
    if not len(label):
        raise InputError("Expected at least one label map, got none.")
    reports = [check(some, spacing) for some in label.split(_TOGETHER)]
    valid = torch.cat([report.valid for report in reports])
    breaks = sum((report.broken.sum(dim=0) for report in reports), torch.zeros((), dtype=torch.int64))
    counts = zip(reports[0].criteria, breaks.tolist(), strict=True)
    return AnatomicalValidity(
        share_of(valid, level), {criterion.name: count for criterion, count in counts if count}, valid
    )


__all__ = ["AnatomicalValidity", "Share", "anatomical_validity", "share_of"]
