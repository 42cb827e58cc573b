"""The discriminator of a conditional GAN: does each patch of this image belong to its condition?"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import torch
from monai.networks.layers.factories import Conv, Norm
from torch import nn

from ...checks import check_batch, check_divisible, check_spatial_dims
from ...errors import InputError

_SLOPE = 0.2
_HALVINGS = 3


class ConditionalPatchCritic(nn.Module):
    """Tells real from made images by patches, with the condition joined to the image.

    Three convolutions halve the size, the others keep it, each with batch norm and LeakyReLU; the last one, of stride
    1, gives one value a patch. Five layers make 32 x 32 values of an image of 256 x 256.

    Args:
        spatial_dims: 2 or 3.
        in_channels: channels of image and condition together, joined by the caller.
        channels: features of each layer but the last one; at least three.

    Raises:
        InputError: for other `spatial_dims`, or fewer than three numbers of features.

    Example:
        >>> ConditionalPatchCritic(2, in_channels=9, channels=(4, 8, 8, 8))(torch.rand(2, 9, 64, 64)).shape
        torch.Size([2, 1, 8, 8])

    Source:
        Habijan et al. 2022, arXiv:2205.09842; PatchGAN: Isola et al., CVPR 2017, DOI 10.1109/CVPR.2017.632.
    """

    def __init__(self, spatial_dims: int, in_channels: int, channels: Sequence[int] = (64, 128, 256, 512)) -> None:
        super().__init__()
        check_spatial_dims(spatial_dims)
        if len(channels) < _HALVINGS:
            raise InputError(f"Expected at least {_HALVINGS} numbers of features in channels, got {tuple(channels)}.")
        self.spatial_dims = spatial_dims
        self.in_channels = in_channels
        self.factor = 2**_HALVINGS
        layers: list[nn.Module] = []
        for level, (before, after) in enumerate(itertools.pairwise((in_channels, *channels))):
            halve = level < _HALVINGS
            convolution = Conv[Conv.CONV, spatial_dims](
                before, after, kernel_size=4 if halve else 3, stride=2 if halve else 1, padding=1, bias=False
            )
            layers += [convolution, Norm[Norm.BATCH, spatial_dims](after), nn.LeakyReLU(_SLOPE, inplace=True)]
        layers.append(Conv[Conv.CONV, spatial_dims](channels[-1], 1, kernel_size=3, padding=1))
        self.layers = nn.Sequential(*layers)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return a value for every patch, `(B, 1, *patches)`: 1 for real and 0 for made, once trained.

        Args:
            x: image and condition `(B, in_channels, *spatial)`.

        Raises:
            ShapeError: for wrong channels or dimensions, or a side that is not a multiple of 8.
        """
        check_batch(x, self.in_channels, self.spatial_dims, "image and condition")
        check_divisible(x.shape[2:], self.factor, "image and condition")
        values: torch.Tensor = self.layers(x)
        return values
