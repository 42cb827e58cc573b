"""Feature matching: a fake image shall look to the discriminator's layers like its real counterpart."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import nn

from ..errors import InputError


class FeatureMatchingLoss(nn.Module):
    """Mean absolute difference of a discriminator's features, averaged over layers, then over scales.

    The real features are a target only: no gradient flows into them.

    Example:
        >>> FeatureMatchingLoss()([[torch.zeros(1, 8, 4, 4)]], [[torch.ones(1, 8, 4, 4)]])
        tensor(1.)

    Source: Wang et al., "High-resolution image synthesis and semantic manipulation with conditional GANs",
    CVPR 2018, DOI 10.1109/CVPR.2018.00917.
    """

    def forward(
        self, real_features: Sequence[Sequence[torch.Tensor]], fake_features: Sequence[Sequence[torch.Tensor]]
    ) -> torch.Tensor:
        """Return the scalar loss.

        Args:
            real_features: for each scale, one tensor a layer.
            fake_features: the same layers for the generated images, equal shapes.

        Raises:
            InputError: when there is no feature, or scales, layers or shapes differ.
        """
        real_shapes = [[tuple(layer.shape) for layer in scale] for scale in real_features]
        fake_shapes = [[tuple(layer.shape) for layer in scale] for scale in fake_features]
        if not real_shapes or not all(real_shapes) or real_shapes != fake_shapes:
            raise InputError(
                f"Expected the same layers for real as for fake images, at least one a scale, got the shapes "
                f"{real_shapes} and {fake_shapes}; take both from one discriminator and batches of one size."
            )
        scales = [
            torch.stack([F.l1_loss(f, r.detach()) for r, f in zip(real, fake, strict=True)]).mean()
            for real, fake in zip(real_features, fake_features, strict=True)
        ]
        return torch.stack(scales).mean()
