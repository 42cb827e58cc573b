"""A named space of features, for distances mean nothing without the name of the space they were taken in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch

from ..checks import check_finite
from ..errors import InputError, ShapeError

#: Images that the network sees at a time.
_TOGETHER = 64


@dataclass(frozen=True)
class FeatureSpace:
    """Features of images by a network, and the name that stands in every result taken with them.

    Args:
        name: says which network it is and what it was trained on, for example `"RadImageNet ResNet-50"`.
        network: images `(B, C, *spatial)` to features `(B, F)`, or to maps `(B, F, *spatial)`, of which the mean is
            taken; in eval mode where that makes a difference.

    Raises:
        InputError: for an empty name.

    Example:
        >>> from monai_cardiacgen.metrics import RandomFeatures
        >>> space = FeatureSpace("random convolutions, seed 0", RandomFeatures(0))
        >>> space(torch.rand(3, 1, 64, 64)).shape
        torch.Size([3, 64])
    """

    name: str
    network: Callable[[torch.Tensor], torch.Tensor]

    def __post_init__(self) -> None:
        if not self.name.strip():
            raise InputError("Expected a name for the feature space, got none; say which network it is.")

    @torch.no_grad()
    def __call__(self, images: torch.Tensor) -> torch.Tensor:
        """Return the features `(B, F)` of images, some of them at a time.

        Raises:
            ShapeError: when the network gives something else than features of each image.
            IntensityError: when these are not finite.
        """
        parts = [self.network(some) for some in images.split(_TOGETHER)]
        features = torch.cat(parts) if parts else images.new_zeros(0, 0)
        if features.ndim > 2:
            features = features.flatten(2).mean(dim=2)
        if features.ndim != 2 or len(features) != len(images):
            raise ShapeError(f"Expected features (B, F) of {len(images)} images, got {tuple(features.shape)}.")
        check_finite(features, f"the features of {self.name!r}")
        return features


__all__ = ["FeatureSpace"]
