"""The generator of a conditional GAN: a condition in, the image that belongs to it out."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import torch
from monai.networks.layers.factories import Conv, Norm
from torch import nn

from ...checks import check_batch, check_divisible, check_spatial_dims
from ...errors import InputError, ShapeError
from ..blocks.scripted_by_trace import ScriptedByTrace

_SLOPE = 0.2


class ConditionalUNetGenerator(nn.Module):
    """Makes an image of a condition: a one-hot label map of one structure, several or the whole heart, or an image.

    As many convolutions that halve the size as transposed convolutions that double it, each with batch norm and
    LeakyReLU; at the end a convolution of stride 1 and a sigmoid. The image follows from the condition alone: there
    is no noise. With skip connections what a convolution made is joined to what comes back at its size.

    Args:
        spatial_dims: 2 or 3.
        in_channels: channels of the condition; of a label map the classes, background included.
        out_channels: channels of the image.
        channels: features of each halving, finest first: seven in the paper, for sides that are multiples of 128.
        skip: join what was made at each size on the way down to what is made on the way up.

    Attributes:
        arguments: the constructor's arguments, from which the same network is built again.
        factor: what every side must be a multiple of.

    Raises:
        InputError: for other `spatial_dims`, or fewer than two levels.

    Example:
        >>> generator = ConditionalUNetGenerator(2, in_channels=8, channels=(4, 8, 8))
        >>> generator(torch.rand(2, 8, 16, 32)).shape
        torch.Size([2, 1, 16, 32])

    Source:
        Habijan et al., "Generation of artificial CT images using patch-based conditional generative adversarial
        networks", 2022, arXiv:2205.09842; the features: Isola et al., CVPR 2017, DOI 10.1109/CVPR.2017.632.
    """

    def __init__(
        self,
        spatial_dims: int,
        in_channels: int,
        out_channels: int = 1,
        channels: Sequence[int] = (64, 128, 256, 512, 512, 512, 512),
        skip: bool = True,
    ) -> None:
        super().__init__()
        check_spatial_dims(spatial_dims)
        if len(channels) < 2:
            raise InputError(f"Expected at least 2 levels in channels, got {tuple(channels)}.")
        self.arguments = {
            "spatial_dims": spatial_dims,
            "in_channels": in_channels,
            "out_channels": out_channels,
            "channels": list(channels),
            "skip": skip,
        }
        self.spatial_dims = spatial_dims
        self.in_channels = in_channels
        self.skip = skip
        self.factor = 2 ** len(channels)
        self.down = nn.ModuleList(
            self._layer(Conv.CONV, before, after) for before, after in itertools.pairwise((in_channels, *channels))
        )
        # On the way up every level but the coarsest finds twice its features where they are joined.
        joined = [channels[-1], *(features * (2 if skip else 1) for features in channels[-2::-1])]
        self.up = nn.ModuleList(
            self._layer(Conv.CONVTRANS, before, after)
            for before, after in zip(joined, (*channels[-2::-1], channels[0]), strict=True)
        )
        self.to_image = Conv[Conv.CONV, spatial_dims](channels[0], out_channels, kernel_size=3, padding=1)

    def _layer(self, kind: str, before: int, after: int) -> nn.Sequential:
        dims = self.spatial_dims
        convolution = Conv[kind, dims](before, after, kernel_size=4, stride=2, padding=1, bias=False)
        return nn.Sequential(convolution, Norm[Norm.BATCH, dims](after), nn.LeakyReLU(_SLOPE, inplace=True))

    def forward(self, condition: torch.Tensor) -> torch.Tensor:
        """Return the image `(B, out_channels, *spatial)` in [0, 1].

        Args:
            condition: `(B, in_channels, *spatial)`.

        Raises:
            ShapeError: for wrong channels or dimensions, a side that the depth does not divide, or, in training, one
                row whose coarsest level is a single pixel: batch norm has nothing to take a spread of.
        """
        check_batch(condition, self.in_channels, self.spatial_dims, "the condition")
        check_divisible(condition.shape[2:], self.factor, "the condition")
        if self.training and condition.shape[0] * condition[0, 0].numel() == self.factor**self.spatial_dims:
            raise ShapeError(
                f"Expected more than one row of {tuple(condition.shape[2:])} in training: batch norm at the coarsest "
                f"level, a single pixel, has nothing to take a spread of; use larger batches or fewer levels."
            )
        made = [condition]
        for layer in self.down:
            made.append(layer(made[-1]))
        x = made.pop()
        for level, layer in enumerate(self.up):
            if level and self.skip:
                x = torch.cat([x, made[-level]], dim=1)
            x = layer(x)
        image: torch.Tensor = torch.sigmoid(self.to_image(x))
        return image

    def __prepare_scriptable__(self) -> ScriptedByTrace:
        """Return what TorchScript holds: the trace on one small row."""
        size = (2 * self.factor,) * self.spatial_dims
        return ScriptedByTrace(self, self.to_image.weight.new_zeros(1, self.in_channels, *size))
