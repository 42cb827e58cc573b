"""The synthesizer: shapes, styles and the painter together, as a bundle holds them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from ..anatomy.heart_condition import HeartCondition
from ..anatomy.labels import LabelScheme
from ..data.bundle_folder import bundle_folder
from ..networks.nets.style_encoder import StyleEncoder
from ..seeding import row_generators
from ..types import Generators
from .heart_share import heart_share
from .label_painter import LabelPainter
from .latent_sampler import LatentSampler
from .painter_condition import Conditions
from .painter_network import PainterNetwork
from .sector_proposal import SectorProposal
from .style_mixture import mixed_styles
from .synthesizer_files import fitting_parts, read_synthesizer, write_synthesizer
from .synthetic_cases import SyntheticCases, check_pair


class CardiacSynthesizer(LabelPainter):
    """Draws hearts from an anatomical latent space and paints an image on each, in the style of real scans.

    All networks are frozen and in evaluation mode; nothing here needs gradients. Every random number comes from
    the generators that are passed in: with one generator a row, a row's result does not depend on its batch.

    Args:
        scheme: codes and order of the structures.
        spacing: pixel size in mm along the label map's axes.
        sampler: draws label maps.
        generator: paints label maps: SPADE's, or a `StylelessPainter` of a conditional generator.
        style_encoder: encodes the style of a real image; None for a generator without a style.
        styles: `(N, style_size)`, the styles of the training images, in the order of the sampler's latents; new
            styles are drawn between these.
        view: the imaging plane, for example `"short axis"`.
        provenance: what made it: name, version, seed, data; copied into every record of a synthetic case.
        sectors: where the painter sees the ultrasound sector as a class, which the sampler's hearts do not have: puts
            one round each drawn heart. `scheme` then has the sector.
        heart_condition: the categories of which the conditions of the sampler's hearts are made, for example
            `APICAL_CONDITION`, so that they can be asked for in words, and `RandCardiacSynth` reads them from samples.

    Raises:
        InputError: when there is not one style of the generator's length for each of the sampler's hearts, or the
            generator is told other conditions than the sampler's hearts, or these are none of `heart_condition`.
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
        generator: PainterNetwork,
        style_encoder: StyleEncoder | None,
        styles: torch.Tensor,
        view: str = "short axis",
        provenance: Mapping[str, Any] | None = None,
        sectors: SectorProposal | None = None,
        heart_condition: HeartCondition | None = None,
    ) -> None:
        super().__init__(scheme, spacing, sampler, generator, style_encoder, styles, sectors, heart_condition)
        self.view = view
        self.provenance = dict(provenance or {})

    @classmethod
    def from_bundle(cls, folder: str | Path) -> CardiacSynthesizer:
        """Read a synthesizer from a MONAI bundle, on the CPU; nothing in the bundle is executed.

        Args:
            folder: the bundle's; or a zip file of it, or the name of a bundle in MONAI's hub directory (see
                `bundle_folder`).

        Raises:
            CheckpointError: when there is no synthesizer, or a damaged one.
        """
        with bundle_folder(folder) as root:
            parts = read_synthesizer(root)
            with fitting_parts(root):
                return cls(**parts)

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
            self.heart_condition,
        )
        return Path(folder)

    @torch.no_grad()
    def sample(self, n: int, generator: Generators, condition: Conditions | None = None) -> SyntheticCases:
        """Draw `n` new hearts and paint each in a new style.

        The style lies between those of two training images whose hearts are much like the new one: what surrounds
        a heart depends on the slice's level, and on where the heart lies.

        Args:
            n: number of cases.
            generator: one generator, or one a row.
            condition: what the hearts shall be, where hearts have conditions: in words, for example
                `{"view": "4CH", "phase": "ED"}`, or as a vector, one for all rows or one a row. None draws conditions
                as often as they occur among the training hearts.

        Raises:
            InputError: for a condition that no training heart has, or not one a row.
            SamplingError: when no valid heart is found within the sampler's number of draws.
        """
        rows = row_generators(generator, n)
        hearts = self.sampler.sample(n, rows, self.told(condition, n))
        label = hearts.label if self.sectors is None else self.sectors.around(hearts.label, rows)
        alike = self.sampler.nearest_training_hearts(hearts, self.ALIKE)
        image = self._paint(label, mixed_styles(self.styles, alike, rows), rows, hearts.condition)
        return SyntheticCases(image, label, hearts.condition if self.sampler.vae.condition_size else None)

    @torch.no_grad()
    def vary(
        self,
        image: torch.Tensor,
        label: torch.Tensor,
        strength: float,
        generator: Generators,
        condition: Conditions | None = None,
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
            InputError: for a condition that is unknown, or not one a row.
        """
        check_pair(image, label, self.spatial_size, self.spacing)
        rows = row_generators(generator, len(label))
        kept, label = image.to(self.device, torch.float32), label.to(self.device)
        before = self.hearts_in(label)
        hearts = self.sampler.near(before, strength, rows, self.told(condition, len(label)))
        after = hearts.label if self.sectors is None else self.sectors.moved(label, hearts.label, kept)
        share = heart_share(before, hearts.label, self.FEATHER)
        painted = self._paint(after, self.encode_style(image), rows, hearts.condition, needed=share > 0)
        return SyntheticCases(
            share * painted + (1 - share) * kept, after, hearts.condition if self.sampler.vae.condition_size else None
        )

    @torch.no_grad()
    def restyle(
        self,
        image: torch.Tensor,
        label: torch.Tensor,
        generator: Generators,
        condition: Conditions | None = None,
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
            InputError: for a condition that is unknown, or not one a row.
        """
        check_pair(image, label, self.spatial_size, self.spacing)
        rows = row_generators(generator, len(label))
        label = label.to(self.device)
        told = self.condition_of(label, self.told(condition, len(label)))
        return SyntheticCases(self._paint(label, self.draw_styles(rows), rows, told), label, told)


__all__ = ["CardiacSynthesizer", "SyntheticCases"]
