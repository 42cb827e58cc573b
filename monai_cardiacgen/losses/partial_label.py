"""Segmentation losses and scores for label maps in which some structures are not annotated."""

from __future__ import annotations

from collections.abc import Callable

import torch
from monai.losses.dice import DiceCELoss
from torch import nn

from ..errors import LabelError, ShapeError


class PartialLabelLoss(nn.Module):
    """The marginal loss: what a label map does not tell apart is one class, the network's and the expert's.

    With `U` the channels that a row does not tell apart (the background among them), the row is scored in the classes
    `U` and each known channel, where the network's probability of `U` is the sum over its channels:

    `p_U = sum_{u in U} p_u`, that is, `logit_U = logsumexp_{u in U} logit_u`.

    So a structure without annotation is neither rewarded nor punished where it takes the place of the background, and
    is punished where it takes a known structure's place. Where everything is known this is the loss itself.

    Args:
        loss: from logits and one-hot label map, `(B, C, *spatial)` each with the merged class as channel 0, to a
            mean over the batch. It meets various `C`, so it must not weight classes; the default is MONAI's
            `DiceCELoss(softmax=True)`.

    Example:
        >>> logits = torch.tensor([[[[2.0]], [[1.0]], [[-1.0]]]])  # background, myocardium, cavity
        >>> background = torch.tensor([[[[1.0]], [[0.0]], [[0.0]]]])
        >>> swapped = logits[:, [1, 0, 2]]
        >>> known = torch.tensor([[False, False, True]])  # the cavity only
        >>> loss = PartialLabelLoss()
        >>> bool(loss(logits, background, known) == loss(swapped, background, known))
        True

    Source:
        Shi et al., "Marginal loss and exclusion loss for partially supervised multi-organ segmentation", Medical Image
        Analysis 2021, DOI 10.1016/j.media.2021.101979.
    """

    def __init__(self, loss: Callable[[torch.Tensor, torch.Tensor], torch.Tensor] | None = None) -> None:
        super().__init__()
        self.loss = DiceCELoss(softmax=True) if loss is None else loss

    def forward(self, logits: torch.Tensor, one_hot: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
        """Return the scalar loss: the mean over the rows.

        Args:
            logits: `(B, C, *spatial)` before softmax, background first.
            one_hot: `(B, C, *spatial)`, float; what is not annotated may be in any of the channels that are not known.
            known: `(B, C)` bool, which channels each row tells apart: rows of `LabelScheme.known`. The background's
                own entry does not matter: it stands for everything else.

        Raises:
            ShapeError: when the shapes do not fit each other.
            LabelError: when a row knows no structure, so that nothing can be learnt from it.
        """
        _check(logits, one_hot, known)
        total = logits.new_zeros(())
        patterns, rows_of = torch.unique(known[:, 1:], dim=0, return_inverse=True)
        for number, pattern in enumerate(patterns):
            rows = rows_of == number
            structures = 1 + pattern.nonzero()[:, 0]
            rest = torch.cat((known.new_ones(1), ~pattern)).nonzero()[:, 0]
            merged = logits[rows][:, rest].logsumexp(dim=1, keepdim=True)
            merged_target = one_hot[rows][:, rest].sum(dim=1, keepdim=True)
            value = self.loss(
                torch.cat((merged, logits[rows][:, structures]), dim=1),
                torch.cat((merged_target, one_hot[rows][:, structures]), dim=1),
            )
            total = total + value * rows.sum() / len(logits)
        return total


def only_known(scores: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
    """Return scores with NaN where the structure was not annotated, so that nobody's guess is counted as an error.

    Args:
        scores: `(B, C)` of a metric by class, such as MONAI's `compute_dice`, floating point.
        known: `(B, C)` bool, of the same classes.

    Raises:
        ShapeError: when the shapes differ.

    Example:
        >>> only_known(torch.tensor([[0.9, 0.0]]), torch.tensor([[True, False]]))
        tensor([[0.9000,    nan]])
    """
    if scores.shape != known.shape:
        raise ShapeError(
            f"Expected scores and known of one shape (B, C), got {tuple(scores.shape)} and {tuple(known.shape)}; "
            f"leave the background out of both, or of none."
        )
    return scores.masked_fill(~known.to(scores.device), torch.nan)


def _check(logits: torch.Tensor, one_hot: torch.Tensor, known: torch.Tensor) -> None:
    if logits.shape != one_hot.shape:
        raise ShapeError(
            f"Expected logits and one-hot label map of one shape (B, C, *spatial), got "
            f"{tuple(logits.shape)} and {tuple(one_hot.shape)}; give the network the label map's size."
        )
    if known.shape != logits.shape[:2] or known.dtype != torch.bool:
        raise ShapeError(
            f"Expected known of shape {tuple(logits.shape[:2])} and bool, got {tuple(known.shape)} and {known.dtype}; "
            f"stack LabelScheme.known(annotated) of each row."
        )
    empty = (~known[:, 1:].any(dim=1)).nonzero()[:, 0].tolist()
    if empty:
        raise LabelError(f"Expected a known structure in every row, got none in row(s) {empty}; leave these out.")
