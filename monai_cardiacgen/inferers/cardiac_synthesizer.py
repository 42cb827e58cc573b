"""The synthesizer: shapes, styles and the painter together, as a bundle holds them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ..anatomy.labels import LabelScheme
from ..checks import check_batch, check_finite, check_spacing
from ..errors import InputError
from ..networks.blocks.spade import fold_spectral_norm
from ..networks.nets.spade_generator import SPADEGenerator
from ..networks.nets.style_encoder import StyleEncoder
from ..seeding import row_generators
from ..types import Generators
from .fast_painter import FastPainter
from .heart_share import heart_share
from .latent_sampler import LatentSampler
from .painter_check import verified_painter
from .painter_condition import check_conditions, painter_condition
from .sector_proposal import SectorProposal, check_schemes
from .style_mixture import mixed_styles
from .synthesizer_files import read_synthesizer, write_synthesizer
from .synthetic_cases import SyntheticCases, check_pair


class CardiacSynthesizer(nn.Module):
    """Draws hearts from an anatomical latent space and paints an image on each, in the style of real scans.

    All networks are frozen and in evaluation mode; nothing here needs gradients. Every random number comes from
    the generators that are passed in: with one generator a row, a row's result does not depend on its batch.

    Args:
        scheme: codes and order of the structures.
        spacing: pixel size in mm along the label map's axes.
        sampler: draws label maps.
        generator: paints label maps.
        style_encoder: encodes the style of a real image; None for a generator without a style.
        styles: `(N, style_size)`, the styles of the training images, in the order of the sampler's latents; new
            styles are drawn between these.
        view: the imaging plane, for example `"short axis"`.
        provenance: what made it: name, version, seed, data; copied into every record of a synthetic case.
        sectors: where the painter sees the ultrasound sector as a class, which the sampler's hearts do not have: puts
            one round each drawn heart. `scheme` then has the sector.

    Raises:
        InputError: when there is not one style of the generator's length for each of the sampler's hearts, or the
            generator is told other conditions than the sampler's hearts.
        LabelError: when the sampler's scheme and `scheme` differ by more than the sectors.

    Source:
        Skandarani et al., "On the effectiveness of GAN generated cardiac MRIs for segmentation", MIDL 2020.
    """

    #: Softening of the border between a repainted heart and its real surroundings, in pixels.
    FEATHER = 3
    #: How many of the training hearts most like a new one its style may come from.
    ALIKE = 6

    def __init__(
        self,
        scheme: LabelScheme,
        spacing: tuple[float, ...],
        sampler: LatentSampler,
        generator: SPADEGenerator,
        style_encoder: StyleEncoder | None,
        styles: torch.Tensor,
        view: str = "short axis",
        provenance: Mapping[str, Any] | None = None,
        sectors: SectorProposal | None = None,
    ) -> None:
        super().__init__()
        expected = (len(sampler.latents), generator.style_size)
        if tuple(styles.shape) != expected:
            raise InputError(
                f"Expected styles of shape {expected}, one for each heart of the sampler, got {tuple(styles.shape)}; "
                f"encode the images of the sampler's training hearts with the style encoder."
            )
        check_conditions(generator.condition_size, sampler)
        check_schemes(scheme, sampler.scheme, sectors)
        self.scheme = scheme
        self.spacing = check_spacing(spacing, generator.spatial_dims)
        self.view = view
        self.provenance = dict(provenance or {})
        self.sampler = sampler
        self.sectors = sectors
        self.generator: SPADEGenerator = generator
        fold_spectral_norm(self.generator)
        self.painter: FastPainter | None = None
        self.style_encoder = style_encoder
        self.register_buffer("styles", styles.detach().clone())
        self.styles: torch.Tensor
        self.requires_grad_(False)
        self.eval()

    @classmethod
    def from_bundle(cls, folder: str | Path) -> CardiacSynthesizer:
        """Read a synthesizer from a MONAI bundle's folder, on the CPU; nothing in the bundle is executed.

        Raises:
            CheckpointError: when the folder holds no synthesizer, or a damaged one.
        """
        return cls(**read_synthesizer(Path(folder)))

    def to_bundle(self, folder: str | Path) -> Path:
        """Write description and weights into a MONAI bundle's folder; what else lies there stays."""
        write_synthesizer(
            Path(folder),
            self.scheme,
            self.spacing,
            self.sampler,
            self.generator,
            self.style_encoder,
            self.styles,
            self.view,
            self.provenance,
            self.sectors,
        )
        return Path(folder)

    @property
    def spatial_size(self) -> tuple[int, ...]:
        """Size of the label maps and images in pixels."""
        return self.sampler.vae.spatial_size

    @property
    def device(self) -> torch.device:
        """Where the networks are."""
        return self.styles.device

    def optimize(self, dtype: torch.dtype | None = None, compiled: bool = False) -> CardiacSynthesizer:
        """Paint several times faster from now on (see `FastPainter`; where it differs, warn and stay), and return this.

        Where two classes are equally likely up to rounding, a drawn heart may have the other in that pixel.

        Args:
            dtype: number format of the feature maps, `torch.float32` or `torch.bfloat16`; by default bfloat16 where
                the device gains by it (GPUs, CPUs with AMX tiles). Images then differ by up to 0.03, else by 1e-5.
            compiled: use PyTorch's compiler where there is one. It takes some 20 s once, so it is for long work.
        """
        self.painter = verified_painter(self.generator, self.sampler, dtype, compiled, self.sectors)
        return self

    def train(self, mode: bool = True) -> CardiacSynthesizer:
        """Stay in evaluation mode: a synthesizer inside a network under training must not change."""
        super().train(False)
        return self

    @torch.no_grad()
    def sample(self, n: int, generator: Generators) -> SyntheticCases:
        """Draw `n` new hearts and paint each in a new style.

        The style lies between those of two training images whose hearts are much like the new one: what surrounds
        a heart depends on the slice's level, and on where the heart lies.

        Raises:
            SamplingError: when no valid heart is found within the sampler's number of draws.
        """
        rows = row_generators(generator, n)
        hearts = self.sampler.sample(n, rows)
        label = hearts.label if self.sectors is None else self.sectors.around(hearts.label, rows)
        alike = self.sampler.nearest_training_hearts(hearts, self.ALIKE)
        image = self._paint(label, mixed_styles(self.styles, alike, rows), rows, hearts.condition)
        return SyntheticCases(image, label)

    @torch.no_grad()
    def synthesize(
        self,
        label: torch.Tensor,
        style: torch.Tensor | None,
        generator: Generators,
        condition: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Paint label maps `(B, *spatial)` (codes) in the given styles `(B, style_size)`, or in new ones.

        Args:
            label: the maps.
            style: of each; None for new ones.
            generator: one generator, or one a row.
            condition: `(B, K)` for a conditional generator; None for the likeliest, see `painter_condition`.

        Returns:
            `(B, 1, *spatial)`, float32 in [0, 1].

        Raises:
            LabelError: for codes that the scheme does not know.
            ShapeError: for a size that the generator's depth does not divide, or styles that do not fit.
        """
        rows = row_generators(generator, len(label))
        return self._paint(label, self.draw_styles(rows) if style is None else style, rows, condition)

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

    @torch.no_grad()
    def vary(
        self,
        image: torch.Tensor,
        label: torch.Tensor,
        strength: float,
        generator: Generators,
        condition: torch.Tensor | None = None,
    ) -> SyntheticCases:
        """Deform each heart through the latent space and repaint it in its own image's style.

        What lies away from both the old and the new heart is kept from the real image.

        Args:
            image: `(B, 1, *spatial)` in [0, 1].
            label: `(B, *spatial)`, codes.
            strength: in (0, 1], how far from the present heart; 1 is the spread of the training hearts.
            generator: one generator, or one a row.
            condition: as of `synthesize`.

        Raises:
            ShapeError: when image and label differ in size, or do not have the synthesizer's size.
            LabelError: for unknown codes, or a label map without a heart.
        """
        check_pair(image, label, self.spatial_size, self.spacing)
        rows = row_generators(generator, len(label))
        kept, label = image.to(self.device, torch.float32), label.to(self.device)
        before = self.hearts_in(label)
        hearts = self.sampler.near(before, strength, rows, condition)
        after = hearts.label if self.sectors is None else self.sectors.moved(label, hearts.label, kept)
        painted = self._paint(after, self.encode_style(image), rows, hearts.condition)
        share = heart_share(before, hearts.label, self.FEATHER)
        return SyntheticCases(share * painted + (1 - share) * kept, after)

    @torch.no_grad()
    def restyle(
        self,
        image: torch.Tensor,
        label: torch.Tensor,
        generator: Generators,
        condition: torch.Tensor | None = None,
    ) -> SyntheticCases:
        """Paint the same label maps as new scans, each between its own style and another one.

        Args:
            image: `(B, 1, *spatial)` in [0, 1].
            label: `(B, *spatial)`, codes.
            generator: one generator, or one a row.
            condition: as of `synthesize`.

        Raises:
            ShapeError: when image and label differ in size, or do not have the synthesizer's size.
            LabelError: for unknown codes.
        """
        check_pair(image, label, self.spatial_size, self.spacing)
        rows = row_generators(generator, len(label))
        return SyntheticCases(self._paint(label, self.draw_styles(rows), rows, condition), label.to(self.device))

    def hearts_in(self, label: torch.Tensor) -> torch.Tensor:
        """Return label maps without the ultrasound sector, in the sampler's codes."""
        return label if self.sectors is None else self.sectors.hearts_in(label)

    def _paint(
        self, label: torch.Tensor, style: torch.Tensor, rows: list[torch.Generator], condition: torch.Tensor | None
    ) -> torch.Tensor:
        label, style = label.to(self.device), style.to(self.device)
        told = painter_condition(self.generator.condition_size, self.sampler, self.hearts_in(label), condition)
        noise = [level.to(self.device) for level in self.generator.draw_noise(label.shape[1:], rows)]
        if self.painter is None:
            image: torch.Tensor = self.generator(self.scheme.one_hot(label), style, noise, told)
        else:
            image = self.painter(self.scheme.to_channels(label), style, noise, told)
        return image


__all__ = ["CardiacSynthesizer", "SyntheticCases"]
