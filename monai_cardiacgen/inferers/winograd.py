"""Winograd's 3 x 3 convolution: four pixels of the output with 16 products instead of 36."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional as F

from ..errors import InputError

#: Values of the transformed input that are worked on at once, few enough to stay in the CPU's cache.
_BAND = 1 << 21
#: The filters' transform.
_G = ((1.0, 0.0, 0.0), (0.5, 0.5, 0.5), (0.5, -0.5, 0.5), (0.0, 0.0, 1.0))


class WinogradConvolution:
    r"""Convolves as a layer with 3 x 3 kernels does, in float32 on the CPU.

    Each 2 x 2 block of the output comes from a 4 x 4 block $d$ of the input: with the transformed filter
    $U = G g G^T$ it is $A^T \left[ U \odot (B^T d B) \right] A$, where products sum over the input's channels: 16
    matrix products. The transforms are sums, so that it pays where there are many channels.

    Args:
        layer: with 3 x 3 kernels, stride 1 and padding 1; its weights must not change any more.

    Raises:
        InputError: for another layer.

    Source:
        Lavin and Gray, CVPR 2016, DOI 10.1109/CVPR.2016.435, F(2 x 2, 3 x 3).
    """

    def __init__(self, layer: nn.Module) -> None:
        if not isinstance(layer, nn.Conv2d) or (layer.kernel_size, layer.stride, layer.padding) != (
            (3, 3),
            (1, 1),
            (1, 1),
        ):
            raise InputError(f"Expected a 3 x 3 convolution of stride 1 and padding 1, got {layer}.")
        transform = torch.tensor(_G, dtype=torch.float64)
        filters = torch.einsum("ax,oixy,by->abio", transform, layer.weight.detach().double(), transform)
        self.filters = filters.flatten(0, 1).to(torch.float32).contiguous()  # (16, in_channels, out_channels)
        self.bias = None if layer.bias is None else layer.bias.detach().to(torch.float32)

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """Return the layer's output `(B, out_channels, H, W)` of channels-last `x` with even sides."""
        batch, channels, height, width = x.shape
        padded = F.pad(x.movedim(1, -1), (0, 0, 1, 1, 1, 1))
        down, across = height // 2, width // 2
        out = x.new_empty(batch, down, 2, across, 2, self.filters.shape[2])
        band = max(1, _BAND // (16 * batch * across * channels))
        for begin in range(0, down, band):
            count = min(band, down - begin)
            rows = [padded[:, 2 * begin + step :: 2][:, :count] for step in range(4)]
            inputs = x.new_empty(4, 4, batch, count, across, channels)
            mixed = _to_frequencies(rows, x.new_empty(4, *rows[0].shape).unbind())
            for row, frequencies in zip(mixed, inputs, strict=True):
                _to_frequencies([row[:, :, step::2][:, :, :across] for step in range(4)], frequencies.unbind())
            products = torch.bmm(inputs.view(16, -1, channels), self.filters).view(4, 4, batch, count, across, -1)
            halves = products.new_empty(2, *products.shape[1:])
            for vertical, half in enumerate(_to_pixels(products.unbind(), halves.unbind())):
                _to_pixels(
                    half.unbind(), [out[:, begin : begin + count, vertical, :, horizontal] for horizontal in range(2)]
                )
        result = out.view(batch, height, width, -1)
        return (result if self.bias is None else result.add_(self.bias)).movedim(-1, 1)


def _to_frequencies(d: Sequence[torch.Tensor], out: Sequence[torch.Tensor]) -> Sequence[torch.Tensor]:
    """Write `B^T d` along one axis."""
    torch.sub(d[0], d[2], out=out[0])
    torch.add(d[1], d[2], out=out[1])
    torch.sub(d[2], d[1], out=out[2])
    torch.sub(d[1], d[3], out=out[3])
    return out


def _to_pixels(m: Sequence[torch.Tensor], out: Sequence[torch.Tensor]) -> Sequence[torch.Tensor]:
    """Write `A^T m` along one axis."""
    torch.add(m[0], m[1], out=out[0]).add_(m[2])
    torch.sub(m[1], m[2], out=out[1]).sub_(m[3])
    return out


def pays(layer: nn.Module, x_shape: torch.Size) -> bool:
    """Return whether Winograd's way is quicker than the direct one, as measured on two cores with AVX2.

    With few channels the transforms cost more than they save; with few pixels reading the filters is what takes
    the time, and there are 16 to 9 as many of them.
    """
    return (
        isinstance(layer, nn.Conv2d)
        and layer.kernel_size == (3, 3)
        and min(layer.in_channels, layer.out_channels) >= 256
        and x_shape[2] * x_shape[3] >= 256
        and x_shape[2] % 2 == x_shape[3] % 2 == 0
    )
