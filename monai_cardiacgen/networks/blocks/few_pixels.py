"""Convolutions of many channels and few pixels, where reading and writing the weights is what takes the time."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

from .spectral_norm import weight_product

#: Measured on two cores with AVX2, forwards and backwards: from so many weights and up to so many pixels of a batch
#: one matrix product takes half of the time of PyTorch's convolution, which lays the weights out anew ...
_WEIGHTS, _PIXELS = 512 * 512 * 9, 64
#: ... and products with fewer columns than this are slower than with as many.
_COLUMNS = 16


def convolve(layer: nn.Module, x: torch.Tensor) -> torch.Tensor:
    """Return the output of a convolution of stride 1 that keeps the size: where it pays, as one matrix product.

    Args:
        layer: `Conv2d` or `Conv3d`.
        x: `(B, C, *spatial)`.
    """
    pixels = len(x) * x[0, 0].numel()
    exporting = torch.compiler.is_compiling() or torch._C._get_tracing_state() is not None
    if exporting or x.device.type != "cpu" or not _pays(layer, pixels):
        result: torch.Tensor = layer(x)
        return result
    columns = F.unfold(x, 3, padding=1).transpose(0, 1).flatten(1)  # (C * 9, pixels)
    columns = F.pad(columns, (0, max(0, _COLUMNS - pixels)))
    out = weight_product(layer, columns)[:, :pixels] + torch.as_tensor(layer.bias).unsqueeze(1)
    return out.reshape(len(out), len(x), *x.shape[2:]).transpose(0, 1)


def _pays(layer: nn.Module, pixels: int) -> bool:
    return (
        isinstance(layer, nn.Conv2d)
        and layer.kernel_size == (3, 3)
        and layer.bias is not None
        and layer.in_channels * layer.out_channels * 9 >= _WEIGHTS
        and pixels <= _PIXELS
    )
