"""The half of a synthesizer that paints: label maps and styles in, images out."""

from __future__ import annotations

from typing import TypeVar

import torch
from torch import nn

from ..anatomy.heart_condition import HeartCondition
from ..anatomy.labels import LabelScheme
from ..checks import check_batch, check_finite, check_spacing
from ..errors import InputError
from ..networks.blocks.spade import fold_spectral_norm
from ..networks.nets.spade_generator import SPADEGenerator
from ..networks.nets.style_encoder import StyleEncoder
from ..seeding import row_generators
from ..types import Generators
from .fast_painter import FastPainter
from .latent_sampler import LatentSampler
from .painter_check import verified_painter
from .painter_condition import Conditions, check_conditions, painter_condition, told_conditions
from .painter_network import PainterNetwork
from .sector_proposal import SectorProposal, check_schemes
from .style_mixture import mixed_styles

#: The painter itself, or a class that paints and does more.
Painter = TypeVar("Painter", bound="LabelPainter")


class LabelPainter(nn.Module):
    """Paints images on label maps, in the styles of real scans or between them.

    All networks are frozen and in evaluation mode; nothing here needs gradients. Every random number comes from
    the generators that are passed in: with one generator a row, a row's result does not depend on its batch.

    Args:
        scheme: codes and order of the structures.
        spacing: pixel size in mm along the label map's axes.
        sampler: of the hearts that are to be painted; it tells what a conditional painter is told of a label map.
        generator: paints label maps: SPADE's, or a `StylelessPainter`.
        style_encoder: encodes the style of a real image; None for a generator without a style.
        styles: `(N, style_size)`, the styles of the training images, in the order of the sampler's latents.
        sectors: where the painter sees the ultrasound sector as a class, which the sampler's hearts do not have.
        heart_condition: the categories of which the hearts' conditions are made, so that they can be told in words.

    Raises:
        InputError: when there is not one style of the generator's length for each of the sampler's hearts, or the
            generator is told other conditions than the sampler's hearts, or these are none of `heart_condition`.
        LabelError: when the sampler's scheme and `scheme` differ by more than the sectors.
    """

    def __init__(
        self,
        scheme: LabelScheme,
        spacing: tuple[float, ...],
        sampler: LatentSampler,
        generator: PainterNetwork,
        style_encoder: StyleEncoder | None,
        styles: torch.Tensor,
        sectors: SectorProposal | None = None,
        heart_condition: HeartCondition | None = None,
    ) -> None:
        super().__init__()
        expected = (len(sampler.latents), generator.style_size)
        if tuple(styles.shape) != expected:
            raise InputError(
                f"Expected styles of shape {expected}, one for each heart of the sampler, got {tuple(styles.shape)}; "
                f"encode the images of the sampler's training hearts with the style encoder."
            )
        check_conditions(generator.condition_size, sampler, heart_condition)
        check_schemes(scheme, sampler.scheme, sectors)
        self.scheme = scheme
        self.spacing = check_spacing(spacing, generator.spatial_dims)
        self.sampler = sampler
        self.sectors = sectors
        self.heart_condition = heart_condition
        self.generator: PainterNetwork = generator
        fold_spectral_norm(self.generator)
        self.painter: FastPainter | None = None
        self.style_encoder = style_encoder
        self.register_buffer("styles", styles.detach().clone())
        self.styles: torch.Tensor
        self.requires_grad_(False)
        self.eval()

    @property
    def spatial_size(self) -> tuple[int, ...]:
        """Size of the label maps and images in pixels."""
        return self.sampler.vae.spatial_size

    @property
    def device(self) -> torch.device:
        """Where the networks are."""
        return self.styles.device

    def optimize(self: Painter, dtype: torch.dtype | None = None, compiled: bool = False) -> Painter:
        """Paint several times faster from now on (see `FastPainter`; where it differs, warn and stay), and return this.

        Where two classes are equally likely up to rounding, a drawn heart may have the other in that pixel. This is
        for SPADE's generator; a `StylelessPainter` stays as it is.

        Args:
            dtype: number format of the feature maps, `torch.float32` or `torch.bfloat16`; by default bfloat16 where
                the device gains by it (GPUs, CPUs with AMX tiles). Images then differ by up to 0.03, else by 1e-5;
                a painter that differs by more in bfloat16 paints in float32, with a warning.
            compiled: use PyTorch's compiler where there is one. It takes some 20 s once, so it is for long work.
        """
        if isinstance(self.generator, SPADEGenerator):
            self.painter = verified_painter(self.generator, self.sampler, dtype, compiled, self.sectors)
        return self

    def train(self: Painter, mode: bool = True) -> Painter:
        """Stay in evaluation mode: a synthesizer inside a network under training must not change."""
        super().train(False)
        return self

    @torch.no_grad()
    def synthesize(
        self,
        label: torch.Tensor,
        style: torch.Tensor | None,
        generator: Generators,
        condition: Conditions | None = None,
    ) -> torch.Tensor:
        """Paint label maps `(B, *spatial)` (codes) in the given styles `(B, style_size)`, or in new ones.

        Args:
            label: the maps.
            style: of each; None for new ones.
            generator: one generator, or one a row.
            condition: for a conditional generator: `(B, K)`, or in words, for example
                `{"view": "4CH", "phase": "ED"}`, one for all maps or one a map; None for the likeliest, see
                `painter_condition`.

        Returns:
            `(B, 1, *spatial)`, float32 in [0, 1].

        Raises:
            LabelError: for codes that the scheme does not know.
            ShapeError: for a size that the generator's depth does not divide, or styles that do not fit.
            IntensityError: for styles that are not finite.
            InputError: for a condition that is unknown, or not one a row.
        """
        rows = row_generators(generator, len(label))
        told = self.told(condition, len(label))
        if style is not None:
            check_finite(style, "the styles")
        return self._paint(label, self.draw_styles(rows) if style is None else style, rows, told)

    @torch.no_grad()
    def encode_style(self, image: torch.Tensor) -> torch.Tensor:
        """Return the styles `(B, style_size)` of images `(B, 1, *spatial)` in [0, 1].

        Raises:
            ShapeError: for wrong channels, dimensions or size.
            IntensityError: for values that are not finite.
        """
        check_batch(image, 1, len(self.spatial_size), "the image")
        check_finite(image, "the image")
        if self.style_encoder is None:
            return self.styles.new_zeros(len(image), 0)
        style: torch.Tensor = self.style_encoder(image.to(self.device, torch.float32))
        return style

    @torch.no_grad()
    def draw_styles(self, generator: Generators, n: int | None = None) -> torch.Tensor:
        """Return new styles `(n, style_size)`: each a random mixture of the styles of two training images.

        Args:
            generator: one generator a row, or a single one together with `n`.
            n: number of styles; by default one for each of the generators.
        """
        if n is None:
            n = 1 if isinstance(generator, torch.Generator) else len(generator)
        every = torch.arange(len(self.styles)).expand(n, -1)
        return mixed_styles(self.styles, every, row_generators(generator, n))

    def hearts_in(self, label: torch.Tensor) -> torch.Tensor:
        """Return label maps without the ultrasound sector, in the sampler's codes."""
        return label if self.sectors is None else self.sectors.hearts_in(label)

    def told(self, condition: Conditions | None, n: int) -> torch.Tensor | None:
        """Return conditions as vectors, one a row `(n, K)`; None where none is given.

        Raises:
            InputError: for conditions of hearts that have none, unknown words, or not one a row.
        """
        return told_conditions(self.sampler.vae.condition_size, self.heart_condition, condition, n)

    def condition_of(self, label: torch.Tensor, condition: torch.Tensor | None) -> torch.Tensor | None:
        """Return what the generator is told of label maps; see `painter_condition`."""
        return painter_condition(self.generator.condition_size, self.sampler, self.hearts_in(label), condition)

    def _paint(
        self,
        label: torch.Tensor,
        style: torch.Tensor,
        rows: list[torch.Generator],
        condition: torch.Tensor | None,
        needed: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Return images; where they are not `needed`, `(B, 1, *spatial)`, they may be 0."""
        label, style = label.to(self.device), style.to(self.device)
        told = self.condition_of(label, condition)
        noise = [level.to(self.device) for level in self.generator.draw_noise(label.shape[1:], rows)]
        if self.painter is None:
            image: torch.Tensor = self.generator(self.scheme.one_hot(label), style, noise, told)
        else:
            image = self.painter(self.scheme.to_channels(label), style, noise, told, needed)
        return image


__all__ = ["LabelPainter"]
