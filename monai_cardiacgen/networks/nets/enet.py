"""ENet: a segmentation network of a third of a million parameters."""

from __future__ import annotations

import torch
from monai.networks.layers.factories import Conv
from torch import nn

from ...checks import check_batch, check_divisible, check_spatial_dims
from ...errors import InputError
from ..blocks.enet_blocks import (
    ENetBottleneck,
    ENetDownsampling,
    ENetInitialBlock,
    ENetUpsampling,
    asymmetric_conv,
    dilated_conv,
)
from ..blocks.scripted_by_trace import ScriptedByTrace

_CHANNELS = (16, 64, 128)
_EARLY_DROPOUT, _DROPOUT = 0.01, 0.1


class ENet(nn.Module):
    """Segments an image with a deep, narrow encoder and a small decoder that only fills in details.

    The decoder has no skip connections but the positions that max-pooling chose. It follows the authors'
    program where the paper leaves something open: `ReLU` and no dropout in the decoder, batch norm with
    epsilon 1e-3. The 3D form has one more asymmetric convolution a bottleneck and is otherwise the same.

    Args:
        spatial_dims: 2 or 3.
        in_channels: channels of the image, at most 15: the first block adds them to its own, 16 together.
        out_channels: number of classes, background included.

    Raises:
        InputError: for other `spatial_dims`, or too many channels.

    Example:
        >>> ENet(2, in_channels=1, out_channels=4)(torch.rand(2, 1, 32, 24)).shape
        torch.Size([2, 4, 32, 24])

    Source:
        Paszke et al., "ENet: A deep neural network architecture for real-time semantic segmentation", 2016,
        arXiv:1606.02147.
    """

    factor = 8

    def __init__(self, spatial_dims: int, in_channels: int, out_channels: int) -> None:
        super().__init__()
        check_spatial_dims(spatial_dims)
        first, middle, last = _CHANNELS
        if not 0 < in_channels < first:
            raise InputError(f"Expected 1 to {first - 1} image channels, got {in_channels}.")
        self.spatial_dims = spatial_dims
        self.in_channels = in_channels
        self.initial = ENetInitialBlock(spatial_dims, in_channels, first)
        self.down1 = ENetDownsampling(spatial_dims, first, middle, _EARLY_DROPOUT)
        self.stage1 = nn.Sequential(
            *(
                ENetBottleneck(spatial_dims, middle, dilated_conv(spatial_dims, middle // 4), _EARLY_DROPOUT)
                for _ in range(4)
            )
        )
        self.down2 = ENetDownsampling(spatial_dims, middle, last, _DROPOUT)
        self.stage2 = self._context(last)
        self.stage3 = self._context(last)
        self.up4 = ENetUpsampling(spatial_dims, last, middle)
        self.stage4 = nn.Sequential(self._decoding(middle), self._decoding(middle))
        self.up5 = ENetUpsampling(spatial_dims, middle, first)
        self.stage5 = self._decoding(first)
        self.classify = Conv[Conv.CONVTRANS, spatial_dims](first, out_channels, kernel_size=2, stride=2)

    def _context(self, channels: int) -> nn.Sequential:
        """Return eight bottlenecks at an eighth of the size, most of them with a longer reach."""
        dims, reduced = self.spatial_dims, channels // 4
        middles = [
            dilated_conv(dims, reduced),
            dilated_conv(dims, reduced, dilation=2),
            asymmetric_conv(dims, reduced),
            dilated_conv(dims, reduced, dilation=4),
            dilated_conv(dims, reduced),
            dilated_conv(dims, reduced, dilation=8),
            asymmetric_conv(dims, reduced),
            dilated_conv(dims, reduced, dilation=16),
        ]
        return nn.Sequential(*(ENetBottleneck(dims, channels, middle, _DROPOUT) for middle in middles))

    def _decoding(self, channels: int) -> ENetBottleneck:
        middle = dilated_conv(self.spatial_dims, channels // 4)
        return ENetBottleneck(self.spatial_dims, channels, middle, activation=nn.ReLU)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Return the logits `(B, out_channels, *spatial)` of an image `(B, in_channels, *spatial)`.

        Raises:
            ShapeError: for wrong channels or dimensions, or a side that 8 does not divide.
        """
        check_batch(image, self.in_channels, self.spatial_dims, "the image")
        check_divisible(image.shape[2:], self.factor, "the image")
        x, indices1 = self.down1(self.initial(image))
        x, indices2 = self.down2(self.stage1(x))
        x = self.stage3(self.stage2(x))
        x = self.stage4(self.up4(x, indices2))
        x = self.stage5(self.up5(x, indices1))
        logits: torch.Tensor = self.classify(x)
        return logits

    def __prepare_scriptable__(self) -> ScriptedByTrace:
        """Return what TorchScript holds: the trace on one small row."""
        size = (4 * self.factor,) * self.spatial_dims
        return ScriptedByTrace(self, self.classify.weight.new_zeros(1, self.in_channels, *size))
