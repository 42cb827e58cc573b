"""The style encoder: what a scan looks like, apart from where its structures are."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import torch
from monai.networks.layers.factories import Conv, Norm
from torch import nn
from torch.nn import functional as F

from ...checks import check_batch, check_divisible, check_spatial_dims
from ...errors import InputError


class StyleEncoder(nn.Module):
    """Encodes an image as the mean and the logarithm of the variance of its style.

    Statistics of the first layers are kept (no norm there): brightness and contrast belong to a style.

    Args:
        spatial_dims: 2 or 3.
        in_channels: channels of the image.
        channels: features of each stride-2 level.
        style_size: length of the style vector.
        end_size: the last features are pooled to this size, so that any image size is taken.

    Attributes:
        arguments: the constructor's arguments, from which the same network is built again.

    Example:
        >>> StyleEncoder(2, channels=(8, 16), style_size=6)(torch.rand(3, 1, 32, 32)).shape
        torch.Size([3, 6])

    Source:
        Park et al., CVPR 2019, DOI 10.1109/CVPR.2019.00244, section on multi-modal synthesis.
    """

    def __init__(
        self,
        spatial_dims: int,
        in_channels: int = 1,
        channels: Sequence[int] = (32, 64, 128, 128),
        style_size: int = 64,
        end_size: Sequence[int] = (6, 6),
    ) -> None:
        super().__init__()
        check_spatial_dims(spatial_dims)
        if not channels or style_size < 1:
            raise InputError(
                f"Expected at least one level in channels and a style of at least 1 number, got {tuple(channels)} and "
                f"{style_size}; for a generator without a style there is no encoder."
            )
        self.arguments = {
            "spatial_dims": spatial_dims,
            "in_channels": in_channels,
            "channels": list(channels),
            "style_size": style_size,
            "end_size": list(end_size),
        }
        self.spatial_dims = spatial_dims
        self.in_channels = in_channels
        self.factor = 2 ** len(channels)
        self.end_size = tuple(end_size)
        layers: list[nn.Module] = []
        for level, (before, after) in enumerate(itertools.pairwise((in_channels, *channels))):
            layers.append(Conv[Conv.CONV, spatial_dims](before, after, kernel_size=3, stride=2, padding=1))
            if level >= 2:
                layers.append(Norm[Norm.GROUP, spatial_dims](num_groups=8, num_channels=after))
            layers.append(nn.LeakyReLU(0.2))
        self.features = nn.Sequential(*layers)
        pooled = channels[-1] * torch.Size(end_size).numel()
        self.mean = nn.Linear(pooled, style_size)
        self.log_variance = nn.Linear(pooled, style_size)

    def encode(self, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return mean and log variance `(B, style_size)` of images `(B, in_channels, *spatial)` in [0, 1].

        Raises:
            ShapeError: for wrong channels or dimensions, or a side that the depth does not divide.
        """
        check_batch(image, self.in_channels, self.spatial_dims, "the image")
        check_divisible(image.shape[2:], self.factor, "the image")
        features = self.features(image)
        if features.shape[2:] != self.end_size:
            features = F.interpolate(features, self.end_size, mode="area")
        flat = features.flatten(1)
        return self.mean(flat), self.log_variance(flat)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Return the mean style `(B, style_size)`."""
        return self.encode(image)[0]
