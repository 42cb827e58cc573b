"""Diversity: how alike are pairs of images by multi-scale structural similarity?"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from monai.metrics.regression import compute_ms_ssim

from ..checks import check_finite
from ..errors import InputError, ShapeError

#: Of the five scales, the finest first, and the window, as in the paper.
_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
_WINDOW, _SIGMA = 11, 1.5
_TOGETHER = 64


@dataclass(frozen=True)
class PairSimilarity:
    """How alike images are in pairs.

    Attributes:
        values: `(P,)` float32, of each pair, in [0, 1]; 1 for equal images.
        scales: how many scales the images' size allowed; values of other numbers of scales do not compare.
    """

    values: torch.Tensor
    scales: int

    @property
    def mean(self) -> float:
        """Over the pairs: low where images are diverse."""
        return float(self.values.mean())


def pair_similarity(
    images: torch.Tensor, generator: torch.Generator, groups: torch.Tensor | None = None
) -> PairSimilarity:
    r"""Return the multi-scale structural similarity of images, paired at random, each image in one pair at most.

    $$\mathrm{MS\text{-}SSIM} = l_S^{w_S} \prod_{s=1}^{S} (c_s\, k_s)^{w_s}$$

    with luminance $l$, contrast $c$ and structure $k$ on images halved $s - 1$ times. The paper's five scales need
    sides above 160 pixels; of smaller images as many are taken as leave a window of 11 pixels room, with the paper's
    weights scaled to sum to 1. Compare with real images of the same size; a generator whose images are all alike has
    larger values.

    Args:
        images: `(N, 1, *spatial)` in [0, 1], at least two, two or three spatial axes of at least 11 pixels.
        generator: of the pairs, on the CPU.
        groups: `(N,)` int64, for example patients: pairs of one group are left out, two slices of one heart being
            alike in any case.

    Raises:
        ShapeError: for other shapes, or sides too short.
        InputError: when no pair is left.
        IntensityError: for NaN or infinity.

    Example:
        >>> images = torch.rand(8, 1, 64, 64, generator=torch.Generator().manual_seed(0))
        >>> similarity = pair_similarity(images, torch.Generator().manual_seed(1))
        >>> len(similarity.values), similarity.scales, similarity.mean < 0.2
        (4, 3, True)

    Source:
        Wang, Simoncelli and Bovik, Asilomar 2003, DOI 10.1109/ACSSC.2003.1292216; for diversity: Odena, Olah and
        Shlens, ICML 2017, arXiv:1610.09585.
    """
    if images.ndim not in (4, 5) or min(images.shape[2:]) < _WINDOW:
        raise ShapeError(f"Expected images (N, 1, *spatial) of at least {_WINDOW} pixels, got {tuple(images.shape)}.")
    check_finite(images, "the images")
    order = torch.randperm(len(images), generator=generator)
    pairs = order[: len(order) // 2 * 2].view(-1, 2)
    if groups is not None:
        members = groups.cpu()[pairs]
        pairs = pairs[members[:, 0] != members[:, 1]]
    if not len(pairs):
        raise InputError(f"Expected at least one pair of images of two groups, got {len(images)} images.")
    scales = _scales(min(images.shape[2:]))
    weights = [weight / sum(_WEIGHTS[:scales]) for weight in _WEIGHTS[:scales]]
    values = [
        compute_ms_ssim(
            images[some[:, 0]].float(),
            images[some[:, 1]].float(),
            spatial_dims=images.ndim - 2,
            kernel_size=_WINDOW,
            kernel_sigma=_SIGMA,
            weights=weights,
        ).flatten()
        for some in pairs.to(images.device).split(_TOGETHER)
    ]
    return PairSimilarity(torch.cat(values), scales)


def _scales(side: int) -> int:
    """Return how many times, at most 5, an image can be looked at when it is halved between."""
    scales = 1
    # MONAI asks for the square of how often the image is halved, which is more than the windows need at four scales.
    while scales < len(_WEIGHTS) and side // max(2**scales, scales**2) >= _WINDOW:
        scales += 1
    return scales


__all__ = ["PairSimilarity", "pair_similarity"]
