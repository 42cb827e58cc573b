"""What a SPADE norm of the fast painter makes of pixels: by the tables of its patches, or by its convolutions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import torch
from torch.nn import functional as F

from ..networks.blocks.label_patches import LabelPatches
from ..networks.blocks.modulation import pieces
from ..networks.blocks.spade import SpatiallyAdaptiveNorm
from .pixel_modulation import Modulate, modulate
from .pixel_sources import PixelSources

#: Of LeakyReLU, for values below 0.
SLOPE = 0.2
#: Mean and standard deviation of every row and channel.
Statistics = tuple[torch.Tensor, torch.Tensor]


class Modulation(Protocol):
    """A norm and its modulation of pixels `x` with their mean and standard deviation."""

    def activated(self, x: torch.Tensor, statistics: Statistics) -> torch.Tensor:
        """Return LeakyReLU of all modulated values of the norm's sources, `(P, C)`."""

    def add_product(self, out: torch.Tensor, x: torch.Tensor, statistics: Statistics, weight: torch.Tensor) -> None:
        """Add the product of all modulated pixels, without activation, and `weight` `(C, O)` to `out` `(M, O)`."""


class TabulatedModulation:
    """Norm and modulation where scale and shift of a pixel are those of its patch."""

    def __init__(
        self,
        norm: SpatiallyAdaptiveNorm,
        table: torch.Tensor,
        patches: LabelPatches,
        style: torch.Tensor,
        sources: PixelSources,
        kernel: Modulate,
    ) -> None:
        gamma_beta = norm.with_style(table, patches, style)
        self.gamma, self.beta = gamma_beta.chunk(2, dim=1)
        self.row = patches.row
        self.sources = sources
        self.kernel = kernel

    def activated(self, x: torch.Tensor, statistics: Statistics) -> torch.Tensor:
        """See `Modulation`."""
        out = x.new_empty(len(self.sources.lookup), x.shape[1])
        cuts = pieces(x, len(out)) if self.kernel is modulate else [(0, len(out))]
        tables, slope = self._tables(x, statistics), torch.tensor(SLOPE)
        for begin, end in cuts:
            self._modulate(x, begin, end, tables, slope, out[begin:end])
        return out

    def add_product(self, out: torch.Tensor, x: torch.Tensor, statistics: Statistics, weight: torch.Tensor) -> None:
        """See `Modulation`."""
        tables, slope = self._tables(x, statistics), torch.tensor(1.0)
        product = out if self.sources.value is None else out.new_zeros(len(self.sources.lookup), out.shape[1])
        for begin, end in pieces(x, len(product)):
            part = x.new_empty(end - begin, x.shape[1])
            self._modulate(x, begin, end, tables, slope, part)
            product[begin:end].addmm_(part, weight)
        if self.sources.value is not None:
            for begin, end in pieces(out):
                out[begin:end] += product.index_select(0, self.sources.value[begin:end])

    def _modulate(
        self, x: torch.Tensor, begin: int, end: int, tables: Statistics, slope: torch.Tensor, out: torch.Tensor
    ) -> None:
        """Write the modulated values from `begin` to `end` to `out`."""
        parent = (
            torch.arange(begin, end, device=x.device) if self.sources.parent is None else self.sources.parent[begin:end]
        )
        self.kernel(x, parent, self.sources.lookup[begin:end], *tables, slope, out)

    def _tables(self, x: torch.Tensor, statistics: Statistics) -> tuple[torch.Tensor, torch.Tensor]:
        mean, deviation = (one if len(one) == 1 else one[self.row] for one in statistics)
        scale = (1 + self.gamma) / deviation
        return scale.to(x.dtype), (self.beta - mean * scale).to(x.dtype)


class DenseModulation:
    """Norm and modulation where every pixel has a scale and a shift of its own, by the norm's convolutions."""

    def __init__(
        self, norm: SpatiallyAdaptiveNorm, label: torch.Tensor, style: torch.Tensor, parent: torch.Tensor | None
    ) -> None:
        self.norm = norm
        self.label = label
        self.style = style
        self.parent = parent

    def activated(self, x: torch.Tensor, statistics: Statistics) -> torch.Tensor:
        """See `Modulation`."""
        out = x.new_empty(self.label.numel(), x.shape[1])
        for begin, end, part in self._pieces(x, statistics):
            out[begin:end] = F.leaky_relu_(part, SLOPE)
        return out

    def add_product(self, out: torch.Tensor, x: torch.Tensor, statistics: Statistics, weight: torch.Tensor) -> None:
        """See `Modulation`."""
        for begin, end, part in self._pieces(x, statistics):
            out[begin:end].addmm_(part, weight)

    def _pieces(self, x: torch.Tensor, statistics: Statistics) -> Iterator[tuple[int, int, torch.Tensor]]:
        one_hot = F.one_hot(self.label, self.norm.shared.in_channels).movedim(-1, 1).to(torch.float32)
        of_labels = self.norm.gamma_beta(F.relu_(self.norm.shared(one_hot))).movedim(1, -1).flatten(1, -2)
        of_style = None if self.norm.style is None else self.norm.style(self.style).unflatten(1, (one_hot.shape[1], -1))
        begin = 0
        for row, (mean, deviation) in enumerate(zip(*statistics, strict=True)):
            label = self.label[row].flatten()
            for low, high in pieces(x, len(label)):
                table = of_labels[row, low:high]
                if of_style is not None:
                    table = table + of_style[row].index_select(0, label[low:high])
                gamma, beta = table.chunk(2, dim=1)
                at = slice(begin + low, begin + high)
                values = x[at] if self.parent is None else x.index_select(0, self.parent[at])
                normalised = (values - mean) / deviation
                yield begin + low, begin + high, torch.addcmul(normalised, normalised, gamma).add_(beta).to(x.dtype)
            begin += len(label)
