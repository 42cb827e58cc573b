"""How far two label maps agree, structure by structure, and how far two segmentations do not."""

from __future__ import annotations

import torch

from ..anatomy.labels import LabelScheme


def structure_dice(first: torch.Tensor, second: torch.Tensor, scheme: LabelScheme) -> dict[str, float | None]:
    r"""Return the Dice coefficient of every structure, $2 |A \cap B| / (|A| + |B|)$; None where neither map has it.

    Args:
        first: codes, any shape.
        second: codes, the same shape.
        scheme: of both.

    Raises:
        LabelError: for unknown codes.

    Example:
        >>> from monai_cardiacgen.anatomy import ACDC
        >>> structure_dice(torch.tensor([3, 3, 0]), torch.tensor([3, 0, 0]), ACDC)["left ventricular cavity"]
        0.6666666666666666
    """
    ours, theirs = scheme.to_channels(first), scheme.to_channels(second)
    scores: dict[str, float | None] = {}
    for channel, name in enumerate(scheme.names[1:], start=1):
        a, b = ours == channel, theirs == channel
        total = int(a.sum()) + int(b.sum())
        scores[name] = 2 * int((a & b).sum()) / total if total else None
    return scores


def disagreement(first: torch.Tensor, second: torch.Tensor, scheme: LabelScheme) -> float:
    """Return 1 minus the mean Dice coefficient of the structures that either map has, in [0, 1]; 0 for two empty maps.

    Raises:
        LabelError: for unknown codes.
    """
    known = [score for score in structure_dice(first, second, scheme).values() if score is not None]
    return 1 - sum(known) / len(known) if known else 0.0


__all__ = ["disagreement", "structure_dice"]
