"""What speaks against a decoded heart."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch

from ..anatomy.check import AnatomyCheck
from .hearts import cut_off

#: Side in mm of a square (in 3D: cube) than which no heart is smaller; ACDC's smallest slices have 130 mm^2.
SMALLEST_HEART = 10.0


def heart_faults(
    label: torch.Tensor, offset: torch.Tensor, spacing: Sequence[float], check: AnatomyCheck | None
) -> list[list[str]]:
    """Return for each centred map what speaks against it at that offset; nothing for a valid heart.

    Args:
        label: centred maps `(B, *spatial)`, codes.
        offset: pixels `(B, dims)` by which each heart will be moved.
        spacing: mm between pixels along the axes.
        check: the anatomy gate; None for none.
    """
    faults: list[list[str]] = [[] for _ in label]
    if check is not None:
        report = check(label, spacing)
        for row, criterion in torch.nonzero(report.broken).tolist():
            faults[row].append(report.criteria[criterion].name)
    sizes = math.prod(spacing) * (label > 0).flatten(start_dim=1).sum(dim=1)
    present = (sizes >= SMALLEST_HEART ** label[0].ndim).tolist() if len(label) else []
    cut = cut_off(label, offset).tolist()
    for row, found in enumerate(faults):
        if not present[row]:
            found.append("no heart")
        elif cut[row]:
            found.append("cut off at the border")
    return faults
