"""The multi-scale patch discriminator: is each patch of this image real, given its label map?"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import torch
from monai.networks.layers.factories import Conv, Norm, Pool
from torch import nn

from ...checks import check_batch, check_spatial_dims
from ...errors import InputError, ShapeError
from ..blocks.spectral_norm import spectral_norm


class PatchCritic(nn.Module):
    """One scale: stride-2 convolutions with spectral and instance norm, then one free convolution to logits.

    The last layer carries no spectral norm: bounded there too, the hinge loss hardly moves from 2.
    """

    def __init__(self, spatial_dims: int, in_channels: int, channels: Sequence[int]) -> None:
        super().__init__()
        convolution = Conv[Conv.CONV, spatial_dims]
        layers = []
        for level, (before, after) in enumerate(itertools.pairwise((in_channels, *channels))):
            stride = 2 if level < len(channels) - 1 else 1
            parts = [spectral_norm(convolution(before, after, kernel_size=4, stride=stride, padding=1))]
            if level:
                parts.append(Norm[Norm.INSTANCE, spatial_dims](after, affine=False))
            layers.append(nn.Sequential(*parts, nn.LeakyReLU(0.2)))
        layers.append(nn.Sequential(convolution(channels[-1], 1, kernel_size=4, padding=1)))
        self.layers = nn.ModuleList(layers)

    def forward(self, x: torch.Tensor) -> list[torch.Tensor]:
        """Return the features of every layer, the logits `(B, 1, *patches)` last."""
        features = []
        for layer in self.layers:
            x = layer(x)
            features.append(x)
        return features


class MultiscaleDiscriminator(nn.Module):
    """The same patch critic, with weights of its own, on an image pyramid (full size, half, ...).

    Args:
        spatial_dims: 2 or 3.
        in_channels: channels of image and condition together, joined by the caller.
        channels: features of each layer; all but the last one halve the size.
        scales: levels of the image pyramid.

    Example:
        >>> discriminator = MultiscaleDiscriminator(2, in_channels=5, channels=(8, 16), scales=2)
        >>> [len(features) for features in discriminator.features(torch.rand(1, 5, 32, 32))]
        [3, 3]

    Source:
        Wang et al., CVPR 2018, DOI 10.1109/CVPR.2018.00917; Park et al., CVPR 2019, DOI 10.1109/CVPR.2019.00244.
    """

    def __init__(
        self, spatial_dims: int, in_channels: int, channels: Sequence[int] = (32, 64, 128), scales: int = 2
    ) -> None:
        super().__init__()
        check_spatial_dims(spatial_dims)
        if not channels or scales < 1:
            raise InputError(
                f"Expected at least one level in channels and one scale, got {tuple(channels)} and {scales}; the "
                f"defaults are (32, 64, 128) and 2."
            )
        self.spatial_dims = spatial_dims
        self.in_channels = in_channels
        self.smallest_side = 2 ** (len(channels) + 1) * 2 ** (scales - 1)
        self.critics = nn.ModuleList(PatchCritic(spatial_dims, in_channels, channels) for _ in range(scales))
        self.halve = Pool[Pool.AVG, spatial_dims](kernel_size=3, stride=2, padding=1, count_include_pad=False)

    def features(self, x: torch.Tensor) -> list[list[torch.Tensor]]:
        """Return, scale by scale, the features of every layer, the logits last.

        Args:
            x: image and condition `(B, in_channels, *spatial)`.

        Raises:
            ShapeError: for wrong channels or dimensions, or an image too small for the pyramid.
        """
        check_batch(x, self.in_channels, self.spatial_dims, "image and condition")
        if min(x.shape[2:]) < self.smallest_side:
            raise ShapeError(
                f"Expected sides of at least {self.smallest_side} for {len(self.critics)} scales, "
                f"got {tuple(x.shape[2:])}; use fewer scales or layers."
            )
        scales = []
        for critic in self.critics:
            scales.append(critic(x))
            x = self.halve(x)
        return scales

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the logits of all patches of all scales, `(B, patches)`."""
        return torch.cat([features[-1].flatten(1) for features in self.features(x)], dim=1)
