"""A convolution of an image that was enlarged by repeating its pixels, with the products that differ only."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import torch
from torch import nn

from ..errors import InputError
from .frozen_convolution import FrozenConvolution
from .pixel_sources import PixelSources


class EnlargedConvolution:
    r"""Convolves an image enlarged twice a side as a layer with kernels of 3 does: with 4 products instead of 9.

    Of three neighbours along an axis two are children of one parent, $w_{-1} x_{-1} + w_0 x_0 + w_1 x_1 = w_{-1} x_p
    + (w_0 + w_1) x_q$ for the first child of $q$ and alike for the second. So the children of each place within
    their parents are a convolution of the parents with kernels of 2. In three dimensions 8 products instead of 27.

    A few pixels may have a value of their own: their difference from their parent's value is spread to their
    neighbours afterwards.

    Args:
        layer: with kernels of 3, stride 1 and padding 1; its weights must not change any more.
        dtype: number format of the images.

    Raises:
        InputError: for another layer.
    """

    def __init__(self, layer: nn.Module, dtype: torch.dtype) -> None:
        if not isinstance(layer, nn.Conv2d | nn.Conv3d) or {*layer.kernel_size, *layer.padding} != {3, 1}:
            raise InputError(f"Expected a convolution with kernels of 3 and padding 1, got {layer}.")
        weight = layer.weight.detach()
        self.places = list(itertools.product((0, 1), repeat=weight.ndim - 2))
        self.features = weight.shape[0]
        kernels = torch.cat([_kernel_at(weight, place) for place in self.places])
        small = type(layer)(weight.shape[1], len(kernels), 2, padding=1, bias=layer.bias is not None).to(weight.device)
        small.weight.data = kernels
        if small.bias is not None and layer.bias is not None:
            small.bias.data = layer.bias.detach().repeat(len(self.places))
        self._convolution = FrozenConvolution(small, dtype)
        # (in_channels, taps * out_channels): what a pixel adds to each of its neighbours
        self._spread = weight.flatten(2).permute(1, 2, 0).flatten(1).to(dtype)

    def __call__(self, values: torch.Tensor, sources: PixelSources, shape: Sequence[int]) -> torch.Tensor:
        """Return the layer's output `(M, out_channels)` of maps of `shape` `(B, *spatial)`.

        Args:
            values: `(P, in_channels)`, of the parents and of the pixels with a value of their own.
            sources: how the pixels are made of them, with `own`.
            shape: of the enlarged maps.

        Raises:
            InputError: for sources of which every pixel has its own value.
        """
        parent, own = sources.parent, sources.own
        if parent is None or own is None:
            raise InputError(
                "Expected pixels that share their parents' values, got one a pixel; pass them to the layer."
            )
        half = [side // 2 for side in shape[1:]]
        parents = values[: len(values) - len(own)].view(shape[0], *half, -1)
        children = self._convolution(parents.movedim(-1, 1)).movedim(1, -1)
        flat = values.new_empty(math.prod(shape) + 1, self.features)  # the last row takes what leaves the image
        out = flat[:-1].view(*shape, self.features)
        for place, part in zip(self.places, children.split(self.features, dim=-1), strict=True):
            here = (slice(None), *(slice(step, None, 2) for step in place))
            out[here] = part[(slice(None), *(slice(step, step + side) for step, side in zip(place, half, strict=True)))]
        if len(own):
            first = len(values) - len(own)
            self._spread_to(flat, values[first:] - values.index_select(0, parent[first:]), own, shape)
        return flat[:-1]

    def _spread_to(self, out: torch.Tensor, difference: torch.Tensor, own: torch.Tensor, shape: Sequence[int]) -> None:
        """Add to `out` what pixels `own` `(K,)` add for their `difference` `(K, in_channels)` from their parents."""
        added = (difference @ self._spread).view(-1, self.features)
        steps = torch.tensor(list(itertools.product((1, 0, -1), repeat=len(shape) - 1)), device=out.device)
        row, *places = torch.unravel_index(own, tuple(shape))
        target, outside = row.unsqueeze(1), torch.zeros(len(own), len(steps), dtype=torch.bool, device=out.device)
        for axis, (place, side) in enumerate(zip(places, shape[1:], strict=True)):
            there = place.unsqueeze(1) + steps[:, axis]
            outside |= (there < 0) | (there >= side)
            target = target * side + there
        out.index_add_(0, target.masked_fill_(outside, len(out) - 1).flatten(), added)


def _kernel_at(weight: torch.Tensor, place: Sequence[int]) -> torch.Tensor:
    """Return the kernels of 2 that make the children at `place` (0 or 1 along each axis) within their parents."""
    for axis, step in enumerate(place, start=2):
        before, here, after = weight.split(1, dim=axis)
        weight = torch.cat((before + here, after) if step else (before, here + after), dim=axis)
    return weight
