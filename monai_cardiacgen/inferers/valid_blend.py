"""The shortest way from one label map to another that ends in a valid heart."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from ..anatomy.check import AnatomyCheck
from ..anatomy.geometry import distance_to_background

#: How far from its border, in mm, a structure still counts as more or less inside: bounds what an absent one weighs.
_REACH = 20.0
#: Steps of the search for the shortest way; it is done twice, the second time within one step of the first.
_STEPS = 8


def shortest_valid_way(
    start: torch.Tensor, end: torch.Tensor, spacing: Sequence[float], check: AnatomyCheck
) -> torch.Tensor | None:
    r"""Return the first valid map on the way from one map to another.

    With the signed distances $\phi_c$ to the border of class $c$, at most 20 mm, the way is

    $$\mathrm{argmax}_c\ (1 - \lambda)\, \phi_c^{start} + \lambda\, \phi_c^{end}, \quad 0 < \lambda \le 1.$$

    Args:
        start: channel numbers `(H, W)` of the check's scheme.
        end: likewise.
        spacing: mm between pixels along H and W.
        check: the verdict.

    Returns:
        Codes `(H, W)`, to 1/64 of the way; None where no map on the way is valid, the end included.
    """
    classes = check.scheme.num_classes
    first, last = (_signed_distances(one, classes, spacing) for one in (start, end))
    low, high, found = 0.0, 1.0, None
    for _ in range(2):
        shares = torch.linspace(low, high, _STEPS + 1)[1:].to(first)
        blends = torch.stack([torch.lerp(first, last, share).argmax(dim=0) for share in shares])
        codes = check.scheme.to_codes(blends)
        valid = check(codes, spacing).valid
        if not bool(valid.any()):
            return found
        number = int(valid.to(torch.int64).argmax())
        found, step = codes[number], (high - low) / _STEPS
        low, high = low + number * step, low + (number + 1) * step
    return found


def _signed_distances(channels: torch.Tensor, classes: int, spacing: Sequence[float]) -> torch.Tensor:
    """Return mm inside (positive) or outside of each class, `(classes, H, W)`, at most `_REACH`."""
    masks = torch.stack([channels == channel for channel in range(classes)])
    inside, outside = (distance_to_background(one, spacing).clamp(max=_REACH) for one in (masks, ~masks))
    return inside - outside
