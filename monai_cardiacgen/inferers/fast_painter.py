"""A SPADE generator for inference: the same images at a fraction of the cost."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional as F

from ..checks import check_divisible
from ..errors import InputError
from ..networks.blocks.label_patches import LabelPatches, distinct_patches, subsampled
from ..networks.blocks.modulation import channel_statistics, pieces
from ..networks.blocks.spade import SPADEResidualBlock
from ..networks.nets.spade_generator import SPADEGenerator
from .enlarged_convolution import EnlargedConvolution
from .frozen_convolution import FrozenConvolution
from .painter_modulation import SLOPE, DenseModulation, Modulation, TabulatedModulation
from .patch_tables import PatchTables
from .pixel_box import Box, box_of, parents_of_box, within
from .pixel_modulation import Modulate, compiled_modulate, modulate
from .pixel_sources import PixelSources, parents_of, pixel_sources

#: How far the last level's second convolution and the image's look beyond a box together.
_HALO = 2


class FastPainter(nn.Module):
    """Paints what a trained `SPADEGenerator` paints, up to rounding.

    * Gamma and beta of a label patch are computed when it is met for the first time and then kept (`PatchTables`).
    * Instance norm is applied to these tables, so that norm, modulation and activation read and write the image
      once. A feature map is not enlarged before it is modulated: each pixel reads its parent, and the statistics
      are the parents'.
    * Images lie channels-last, worked on in pieces that stay in the CPU's cache; weights are packed once.
    * Where a level's map has too many distinct patches (noise), its convolutions run.

    No compiler is needed; with one, norm, modulation and activation become one kernel. The generator's weights must
    not change any more.

    Args:
        generator: the trained generator, spectral norms folded; it is not changed.
        dtype: number format of the feature maps; tables and statistics stay in float32.
        compiled: use PyTorch's compiler, which needs a C++ compiler for the CPU and Triton for a GPU.

    Raises:
        InputError: for a generator with spectral norms, or a number format that is neither float32 nor bfloat16.
        RuntimeError: PyTorch's, where it is to compile and there is no compiler.
    """

    def __init__(self, generator: SPADEGenerator, dtype: torch.dtype = torch.float32, compiled: bool = False) -> None:
        super().__init__()
        if any(nn.utils.parametrize.is_parametrized(module) for module in generator.modules()):
            raise InputError("Expected a generator without spectral norms; pass it through fold_spectral_norm first.")
        if dtype not in (torch.float32, torch.bfloat16):
            raise InputError(f"Expected the number format torch.float32 or torch.bfloat16, got {dtype}.")
        self.generator = generator
        self.dtype = dtype
        self.compiled = compiled
        self._prepare()

    def _prepare(self) -> None:
        device = self.generator.to_image.weight.device
        kernel = compiled_modulate(device, self.dtype) if self.compiled else modulate
        self._levels = [_Level(block, self.dtype, kernel) for block in self.generator.blocks]  # type: ignore[arg-type]
        self._to_image = FrozenConvolution(self.generator.to_image, self.dtype)

    def _apply(self, *arguments: object, **named: object) -> FastPainter:
        """Move as any module; what was derived from the weights is derived anew."""
        super()._apply(*arguments, **named)
        self._prepare()
        return self

    def __getstate__(self) -> dict[str, object]:
        """Leave out what is derived from the weights: packed weights cannot be copied to another process."""
        return {key: value for key, value in self.__dict__.items() if key not in ("_levels", "_to_image")}

    def __setstate__(self, state: dict[str, object]) -> None:
        """Restore, and derive the rest anew."""
        super().__setstate__(state)
        self._prepare()

    @torch.no_grad()
    def forward(
        self,
        label: torch.Tensor,
        style: torch.Tensor,
        noise: Sequence[torch.Tensor] | None = None,
        condition: torch.Tensor | None = None,
        needed: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Return the image `(B, out_channels, *spatial)` in [0, 1], float32.

        Args:
            label: channel numbers of the label map, `(B, *spatial)`, int64, of a size that the generator takes.
            style: `(B, style_size)`.
            noise: as of the generator.
            condition: as of the generator.
            needed: where the image is wanted, `(B, 1, *spatial)`, bool; elsewhere it may be 0. None for everywhere.

        Raises:
            ShapeError: for a size that the generator's depth does not divide, or a style or condition that does not
                fit.
        """
        generator = self.generator
        check_divisible(label.shape[1:], generator.factor, "the label map")
        style = generator.style_and_condition(style, condition, len(label))
        sizes = generator.level_sizes(label.shape[1:])
        dims = len(sizes[0])
        coarse = F.one_hot(subsampled(label, generator.factor, dims), generator.label_channels).movedim(-1, 1)
        x = generator.coarsest(style, coarse.to(style.dtype))
        rows = x.movedim(1, -1).reshape(-1, x.shape[1]).to(self.dtype)
        box = None if needed is None else box_of(needed[:, 0], _HALO)
        for number, (level, size) in enumerate(zip(self._levels, sizes, strict=True)):
            here = subsampled(label, 2 ** (len(sizes) - 1 - number), dims)
            parent = parents_of(len(label), size, label.device) if number else None
            its_noise = None if noise is None else noise[number]
            its_box = box if number == len(sizes) - 1 else None
            rows = level(rows, here, generator.label_channels, style, parent, its_noise, its_box)
        rows = F.leaky_relu_(rows, SLOPE)
        size = sizes[-1] if box is None else tuple(side.stop - side.start for side in box)
        painted = torch.sigmoid(self._to_image(rows.view(len(label), *size, -1).movedim(-1, 1)).to(torch.float32))
        if box is None:
            return painted
        image = painted.new_zeros(*painted.shape[:2], *sizes[-1])
        image[(slice(None), slice(None), *box)] = painted
        return image

    @torch.no_grad()
    def learn(self, label: torch.Tensor) -> None:
        """Compute gamma and beta of the patches of label maps `(B, *spatial)`, channel numbers, ahead of painting."""
        for row in label.split(1):
            for number, level in enumerate(reversed(self._levels)):
                here = subsampled(row, 2**number, row.ndim - 1)
                patches = distinct_patches(here, self.generator.label_channels)
                if patches is not None:
                    level.tables.of(patches)


class _Level:
    """One residual block on pixels `(N, C)`: see `SPADEResidualBlock`, whose steps these are."""

    def __init__(self, block: SPADEResidualBlock, dtype: torch.dtype, kernel: Modulate) -> None:
        self.block = block
        self.kernel = kernel
        self.norms = [block.norm_0, block.norm_1, *([] if block.norm_s is None else [block.norm_s])]
        self.tables = PatchTables(self.norms)
        self.first, self.second = FrozenConvolution(block.conv_0, dtype), FrozenConvolution(block.conv_1, dtype)
        self.dtype = dtype
        self.enlarged: EnlargedConvolution | None = None
        self.shortcut: torch.Tensor | None = None
        if block.conv_s is not None:
            self.shortcut = torch.as_tensor(block.conv_s.weight).detach().flatten(1).T.to(dtype)
        strength = block.noise_strength.detach().flatten().to(dtype)
        self.strength = strength if bool(strength.any()) else None

    def __call__(
        self,
        x: torch.Tensor,
        label: torch.Tensor,
        classes: int,
        style: torch.Tensor,
        parent: torch.Tensor | None,
        noise: torch.Tensor | None,
        box: Box | None = None,
    ) -> torch.Tensor:
        """Return the block's output `(N, out_channels)` of `x`, which `parent` enlarges to the label map's size.

        What follows the last statistics, which are those of all pixels, is done within `box` only.
        """
        patches = distinct_patches(label, classes)
        inner = None if patches is None else box
        modulations = self._modulations(label, patches, style, parent, inner)
        statistics = channel_statistics(x, len(label))  # every parent has as many children: they have the same
        hidden = modulations[0].activated(x, statistics)
        if isinstance(modulations[0], TabulatedModulation) and modulations[0].sources.own is not None:
            self.enlarged = self.enlarged or EnlargedConvolution(self.block.conv_0, self.dtype)
            hidden = self.enlarged(hidden, modulations[0].sources, label.shape)
        else:
            hidden = _convolved(self.first, hidden, label.shape)
        if noise is not None and self.strength is not None:
            hidden.addcmul_(noise.to(hidden.dtype).reshape(-1, 1), self.strength)
        hidden_statistics, shape = channel_statistics(hidden, len(label)), label.shape
        if inner is not None:
            hidden, x = within(hidden, shape, inner), within(x, *parents_of_box(shape, inner))
            shape = label[(slice(None), *inner)].shape
            parent = parents_of(len(label), shape[1:], label.device)
        hidden = modulations[1].activated(hidden, hidden_statistics)
        out = _convolved(self.second, hidden, shape)
        if self.shortcut is None:
            for begin, end in pieces(out):
                out[begin:end] += x[begin:end] if parent is None else x.index_select(0, parent[begin:end])
        else:
            modulations[2].add_product(out, x, statistics, self.shortcut)
        return out if box is None or box is inner else within(out, shape, box)

    def _modulations(
        self,
        label: torch.Tensor,
        patches: LabelPatches | None,
        style: torch.Tensor,
        parent: torch.Tensor | None,
        box: Box | None,
    ) -> list[Modulation]:
        """Return what the norms do here; the first and the shortcut's see pixels that `parent` enlarges.

        With a `box`, all but the first see what lies in it.
        """
        if patches is None:
            parents = (parent, None, parent)
            return [DenseModulation(norm, label, style, its) for norm, its in zip(self.norms, parents, strict=False)]
        enlarged = _enlarged(patches.lookup, parent)
        lookup, shortcut = patches.lookup, enlarged
        if box is not None:
            lookup = lookup[(slice(None), *box)]
            shortcut = _enlarged(lookup, parents_of(len(label), lookup.shape[1:], label.device))
        sources = (enlarged, PixelSources(None, lookup.flatten()), shortcut)
        return [
            TabulatedModulation(norm, table, patches, style, its, self.kernel)
            for norm, table, its in zip(self.norms, self.tables.of(patches), sources, strict=False)
        ]


def _enlarged(lookup: torch.Tensor, parent: torch.Tensor | None) -> PixelSources:
    return PixelSources(None, lookup.flatten()) if parent is None else pixel_sources(lookup, parent)


def _convolved(convolution: FrozenConvolution, pixels: torch.Tensor, shape: torch.Size) -> torch.Tensor:
    """Convolve pixels `(N, C)` that lie as label maps of `shape` do."""
    out = convolution(pixels.view(*shape, -1).movedim(-1, 1)).movedim(1, -1)
    return out.reshape(pixels.shape[0], -1)
