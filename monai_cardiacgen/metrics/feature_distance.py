"""Distances of the distributions of features: FID's and KID's formulas, and features that need no download."""

from __future__ import annotations

import itertools

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from ..checks import check_finite
from ..errors import InputError, ShapeError
from .feature_statistics import FeatureStatistics
from .frechet_metric import frechet_of

Array = npt.NDArray[np.float64]


class RandomFeatures(nn.Module):
    """64 features of a patch from convolutions with random weights that a seed draws: nothing is downloaded.

    Four convolutions of stride 2 with 16, 32, 64 and 64 channels, each followed by a leaky ReLU, of which the last is
    averaged over the patch. Random embeddings are blind to nothing that ImageNet's classes do not need; their
    distances compare only with others in the same space.

    Args:
        seed: of the weights.

    Example:
        >>> RandomFeatures()(torch.rand(3, 1, 64, 64)).shape
        torch.Size([3, 64])

    Source:
        Naeem et al., "Reliable fidelity and diversity metrics for generative models", ICML 2020, arXiv:2002.09797.
    """

    def __init__(self, seed: int = 0) -> None:
        super().__init__()
        widths = (1, 16, 32, 64, 64)
        layers: list[nn.Module] = []
        with torch.random.fork_rng(devices=[]):  # the caller's own draws stay as they are
            torch.manual_seed(seed)
            for before, after in itertools.pairwise(widths):
                layers += [nn.Conv2d(before, after, 4, stride=2, padding=1), nn.LeakyReLU(0.2)]
                nn.init.kaiming_normal_(layers[-2].weight, a=0.2)  # type: ignore[arg-type]
        self.layers = nn.Sequential(*layers).requires_grad_(False).eval()

    def forward(self, patches: torch.Tensor) -> torch.Tensor:
        """Return the features `(N, 64)` of patches `(N, 1, H, W)` in [0, 1]."""
        features: torch.Tensor = self.layers(2 * patches - 1).mean(dim=(2, 3))
        return features


def frechet_distance(one: torch.Tensor, other: torch.Tensor) -> float:
    r"""Return the squared Fréchet distance of the normal distributions with the features' means and covariances.

    $$\lVert\mu_1 - \mu_2\rVert^2 + \mathrm{tr}(\Sigma_1 + \Sigma_2 - 2 (\Sigma_1 \Sigma_2)^{1/2})$$

    Args:
        one: `(N, F)`, at least as many as there are features, or the covariance has no rank.
        other: `(M, F)`, likewise.

    Raises:
        InputError: for fewer samples than features.
        ShapeError: when the features differ in number.

    Example:
        >>> features = torch.randn(100, 3)
        >>> round(frechet_distance(features, features + 2), 3)
        12.0

    Source:
        Heusel et al., NeurIPS 2017, arXiv:1706.08500, in whatever space the features are.
    """
    _pair(one, other)
    return frechet_of(FeatureStatistics(one), FeatureStatistics(other))


def kernel_distance(one: torch.Tensor, other: torch.Tensor) -> float:
    r"""Return the unbiased squared maximum mean discrepancy for the kernel $(x \cdot y / F + 1)^3$: KID's formula.

    It may be slightly negative.

    Args:
        one: `(N, F)`, N at least 2.
        other: `(M, F)`, M at least 2.

    Raises:
        InputError: for fewer samples.
        ShapeError: when the features differ in number.

    Source:
        Bińkowski et al., "Demystifying MMD GANs", ICLR 2018, arXiv:1801.01401.
    """
    first, second = _pair(one, other)
    if min(len(first), len(second)) < 2:
        raise InputError(f"Expected at least 2 samples of either, got {len(first)} and {len(second)}.")

    def kernel(x: Array, y: Array) -> Array:
        product: Array = (x @ y.T / x.shape[1] + 1) ** 3
        return product

    within = [
        (kernel(each, each).sum() - np.trace(kernel(each, each))) / (len(each) * (len(each) - 1))
        for each in (first, second)
    ]
    return float(within[0] + within[1] - 2 * kernel(first, second).mean())


def _pair(one: torch.Tensor, other: torch.Tensor) -> tuple[Array, Array]:
    if one.ndim != 2 or other.ndim != 2 or one.shape[1] != other.shape[1]:
        raise ShapeError(f"Expected features (N, F) and (M, F), got {tuple(one.shape)} and {tuple(other.shape)}.")
    for features in (one, other):
        check_finite(features, "the features")
    return one.double().numpy(), other.double().numpy()
