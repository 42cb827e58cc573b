"""The loss of the anatomical variational autoencoder: reconstruction of the label map and a divergence."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from monai.losses.dice import DiceLoss
from torch import nn

from ..errors import InputError, ShapeError


def kullback_leibler(mean: torch.Tensor, log_variance: torch.Tensor) -> torch.Tensor:
    """Return the divergence of N(mean, exp(log_variance)) from N(0, I), summed over the latent.

    `KL = -1/2 sum_j (1 + log s_j^2 - m_j^2 - s_j^2)`, then the mean over the batch, so that a weight means
    the same for every batch size.

    Args:
        mean: `(B, L)`.
        log_variance: `(B, L)`, natural logarithm.

    Example:
        >>> kullback_leibler(torch.ones(2, 16), torch.zeros(2, 16))
        tensor(8.)

    Source: Kingma and Welling, "Auto-encoding variational Bayes", ICLR 2014, arXiv:1312.6114, appendix B.
    """
    divergence = -0.5 * (1 + log_variance - mean.square() - log_variance.exp())
    return divergence.flatten(start_dim=1).sum(dim=1).mean()


class EvidenceLowerBoundLoss(nn.Module):
    """`cross_entropy * CE + dice * (1 - Dice) + divergence * KL`; the defaults are Painchaud's.

    The soft Dice leaves out the background and is taken over the whole batch for each class: a slice beyond
    the right ventricle then counts its false pixels, but not as a failed structure of its own.

    Args:
        cross_entropy: weight of the mean cross entropy per pixel.
        dice: weight of the soft Dice loss.
        divergence: weight of the divergence, which is summed over the latent.

    Example:
        >>> one_hot = torch.eye(2)[torch.tensor([[[0, 1]]])].movedim(-1, 1)
        >>> mean = torch.zeros(1, 16)
        >>> bool(EvidenceLowerBoundLoss()(100 * one_hot, one_hot, mean, mean) < 1e-4)
        True

    Source: Painchaud et al., "Cardiac segmentation with strong anatomical guarantees", IEEE TMI 2020,
    DOI 10.1109/TMI.2020.3003240.
    """

    def __init__(self, cross_entropy: float = 0.1, dice: float = 1.0, divergence: float = 1e-4) -> None:
        super().__init__()
        if not all(0 <= weight < math.inf for weight in (cross_entropy, dice, divergence)):
            raise InputError(
                f"Expected weights of at least 0, got {cross_entropy}, {dice} and {divergence}; 0 leaves a term out."
            )
        self.cross_entropy = cross_entropy
        self.dice = dice
        self.divergence = divergence
        self.soft_dice = DiceLoss(include_background=False, softmax=True, batch=True)

    def forward(
        self, logits: torch.Tensor, one_hot: torch.Tensor, mean: torch.Tensor, log_variance: torch.Tensor
    ) -> torch.Tensor:
        """Return the scalar loss.

        Args:
            logits: the decoder's `(B, C, *spatial)` before softmax.
            one_hot: the label map `(B, C, *spatial)`, float.
            mean: `(B, L)` of the encoder.
            log_variance: `(B, L)` of the encoder.

        Raises:
            ShapeError: when logits and label map, or mean and variance, differ in shape.
        """
        if logits.shape != one_hot.shape:
            raise ShapeError(
                f"Expected logits and one-hot label map of one shape (B, C, *spatial), got "
                f"{tuple(logits.shape)} and {tuple(one_hot.shape)}; give the network the label map's size."
            )
        if mean.shape != log_variance.shape or len(mean) != len(logits):
            raise ShapeError(
                f"Expected mean and log variance (B, L) of the {len(logits)} rows, got {tuple(mean.shape)} and "
                f"{tuple(log_variance.shape)}; pass those that the encoder gave."
            )
        reconstruction = self.cross_entropy * F.cross_entropy(logits, one_hot) + self.dice * self.soft_dice(
            logits, one_hot
        )
        total: torch.Tensor = reconstruction + self.divergence * kullback_leibler(mean, log_variance)
        return total
