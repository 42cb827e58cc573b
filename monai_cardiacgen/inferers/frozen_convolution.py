"""A frozen convolution by the quickest of the ways that give the same result."""

from __future__ import annotations

import itertools

import torch
from torch import nn
from torch.nn import functional as F

from ..errors import InputError
from .winograd import WinogradConvolution, pays


class FrozenConvolution:
    """Convolves as a given layer does, with what can be done once done once.

    oneDNN reorders a layer's weights before it multiplies with them, which for many channels and few pixels takes
    longer than the product. PyTorch's compiler packs weights with two operators that other code may call too; where
    they are missing, and off the CPU, the layer's own kernel runs. Where there are many channels, Winograd's way
    is quicker still; to a single one, a matrix product whose rows are shifted and summed.

    Args:
        layer: a convolution of stride 1; its weights must not change any more.
        dtype: number format of the images.

    Raises:
        InputError: for another layer.
    """

    def __init__(self, layer: nn.Module, dtype: torch.dtype) -> None:
        if not isinstance(layer, nn.Conv2d | nn.Conv3d):
            raise InputError(f"Expected a convolution in two or three dimensions, got {type(layer).__name__}.")
        self.layer = layer
        self.weight: torch.Tensor = layer.weight.detach().to(dtype)
        self.bias: torch.Tensor | None = None if layer.bias is None else layer.bias.detach().to(dtype)
        self.padding = [int(side) for side in layer.padding]
        self._packed: dict[torch.Size, torch.Tensor] = {}
        self._winograd: WinogradConvolution | None = None

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """Return the layer's output of channels-last `x`, `(B, C, *spatial)`."""
        if not can_pack(x):
            convolve = F.conv2d if x.ndim == 4 else F.conv3d
            return convolve(x, self.weight, self.bias, padding=self.padding)
        if x.dtype == torch.float32 and pays(self.layer, x.shape):
            self._winograd = self._winograd or WinogradConvolution(self.layer)
            return self._winograd(x)
        if x.dtype == torch.float32 and len(self.weight) == 1:
            return self._to_one_channel(x)
        ones = [1] * (x.ndim - 2)
        if x.shape not in self._packed:  # the best layout depends on the size
            self._packed[x.shape] = torch.ops.mkldnn._reorder_convolution_weight(
                self.weight, self.padding, ones, ones, 1, x.shape
            )
        result: torch.Tensor = torch.ops.mkldnn._convolution_pointwise(
            x, self._packed[x.shape], self.bias, self.padding, ones, ones, 1, "none", [], ""
        )
        return result

    def _to_one_channel(self, x: torch.Tensor) -> torch.Tensor:
        """Return what each place of the kernel makes of all pixels, shifted by that place and summed."""
        kernel, size = self.weight.shape[2:], x.shape[2:]
        products = self.weight[0].flatten(1).T @ x.movedim(1, -1).reshape(-1, x.shape[1]).T
        out = x.new_zeros(len(x), *(side + long - 1 for side, long in zip(size, kernel, strict=True)))
        for place, product in zip(itertools.product(*map(range, kernel)), products, strict=True):
            steps = (long - 1 - at for at, long in zip(place, kernel, strict=True))
            shifted = (slice(step, step + side) for step, side in zip(steps, size, strict=True))
            out[(slice(None), *shifted)] += product.view(len(x), *size)
        cut = (long - 1 - pad for long, pad in zip(kernel, self.padding, strict=True))
        out = out[(slice(None), *(slice(begin, side - begin) for begin, side in zip(cut, out.shape[1:], strict=True)))]
        return (out if self.bias is None else out + self.bias).unsqueeze(1)


def can_pack(x: torch.Tensor) -> bool:
    """Return whether this build of PyTorch packs weights for the device and number format of `x`."""
    return (
        x.device.type == "cpu"
        and torch.backends.mkldnn.is_available()
        and hasattr(torch.ops.mkldnn, "_convolution_pointwise")
        and hasattr(torch.ops.mkldnn, "_reorder_convolution_weight")
        and (x.dtype == torch.float32 or (x.dtype == torch.bfloat16 and torch.ops.mkldnn._is_mkldnn_bf16_supported()))
    )
