"""Small labelled hearts and tiny networks, for tests of what trains and what synthesizes."""

from __future__ import annotations

import torch

from monai_cardiacgen.anatomy.heart_condition import HeartCondition
from monai_cardiacgen.anatomy.labels import LabelScheme
from monai_cardiacgen.anatomy.schemes import ACDC, CAMUS, CAMUS_SECTOR
from monai_cardiacgen.engines.spade_gan import SPADEGAN
from monai_cardiacgen.inferers.cardiac_synthesizer import CardiacSynthesizer
from monai_cardiacgen.inferers.latent_sampler import LatentSampler
from monai_cardiacgen.inferers.sector_proposal import SectorProposal
from monai_cardiacgen.networks.nets.anatomical_vae import AnatomicalVAE
from monai_cardiacgen.networks.nets.multiscale_discriminator import MultiscaleDiscriminator
from monai_cardiacgen.networks.nets.spade_generator import SPADEGenerator
from monai_cardiacgen.networks.nets.style_encoder import StyleEncoder
from monai_cardiacgen.seeding import seeded

SIDE = 32
#: In words, what conditional hearts are told here.
VIEWS = HeartCondition({"view": ("2CH", "4CH")})
#: One of each view and phase.
APICAL_ITEMS = [{"view": view, "phase": phase} for view in ("2CH", "4CH") for phase in ("ED", "ES")]


#: Sizes of the echo bundle's networks, for trainings of seconds.
TINY_PAINTER = (
    ("network_def#channels", [8, 8]),
    ("start_size", [16, 16]),
    ("hidden_channels", 4),
    ("discriminator#channels", [4, 4]),
)


def hearts(count: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Return images `(count, 1, 32, 32)` in [0, 1] and label maps `(count, 1, 32, 32)` in ACDC's codes.

    A bright disc in a dark ring, a bright crescent beside it, a grey background; sizes and places vary.
    """
    generator = seeded(seed)
    images, labels = [], []
    row, column = torch.meshgrid(torch.arange(SIDE), torch.arange(SIDE), indexing="ij")
    for _ in range(count):
        dy, dx, inner = (torch.rand(3, generator=generator) * torch.tensor([4.0, 4.0, 2.0])).tolist()
        from_lv = ((row - 14 - dy).square() + (column - 16 - dx).square()).sqrt()
        from_rv = ((row - 14 - dy).square() + (column - 10 - dx).square()).sqrt()
        label = torch.zeros(SIDE, SIDE, dtype=torch.int64)
        label[from_rv < 6] = 1
        label[from_lv < inner + 5] = 2
        label[from_lv < inner + 2] = 3
        brightness = torch.tensor([0.4, 0.8, 0.1, 0.9])[label]
        images.append((brightness + 0.05 * torch.randn(SIDE, SIDE, generator=generator)).clamp(0, 1))
        labels.append(label)
    return torch.stack(images)[:, None], torch.stack(labels)[:, None]


def tiny_vae() -> AnatomicalVAE:
    """Return a shape model of two levels with weights of a fixed seed."""
    torch.manual_seed(1)
    return AnatomicalVAE(2, ACDC.num_classes, (SIDE, SIDE), latent_size=4, channels=(16, 32))


def tiny_gan(classes: int = ACDC.num_classes, condition_size: int = 0, style_size: int = 6, **weights) -> SPADEGAN:
    """Return image networks of few channels with weights of a fixed seed; without a style where its size is 0."""
    torch.manual_seed(2)
    return SPADEGAN(
        SPADEGenerator(
            2,
            classes,
            channels=(16, 8, 8),
            hidden_channels=8,
            style_size=style_size,
            start_size=(8, 8),
            condition_size=condition_size,
        ),
        StyleEncoder(2, channels=(8, 8, 8), style_size=style_size, end_size=(4, 4)) if style_size else None,
        MultiscaleDiscriminator(2, 1 + classes + condition_size, channels=(8, 8), scales=2),
        **weights,
    )


def tiny_synthesizer() -> CardiacSynthesizer:
    """Return a synthesizer whose shape model was fitted for a moment and whose painter was not trained."""
    images, labels = hearts(12)
    vae = tiny_vae()
    one_hot = ACDC.one_hot(labels[:, 0])
    optimizer = torch.optim.Adam(vae.parameters(), lr=1e-2)
    for _ in range(60):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(vae(one_hot), labels[:, 0]).backward()
        optimizer.step()
    gan = tiny_gan().eval()
    with torch.no_grad():
        styles = gan.style_encoder(images)
    sampler = LatentSampler.fit(vae.eval(), ACDC, (2.0, 2.0), labels[:, 0], check=None)
    provenance = {"name": "tiny", "version": "0", "seed": 1}
    return CardiacSynthesizer(
        ACDC, (2.0, 2.0), sampler, gan.generator, gan.style_encoder, styles, provenance=provenance
    )


def fitted_sampler(labels: torch.Tensor, scheme: LabelScheme, conditions: torch.Tensor | None = None) -> LatentSampler:
    """Return a sampler of label maps `(N, 32, 32)` whose shape model was fitted for a moment."""
    size = 0 if conditions is None else conditions.shape[1]
    torch.manual_seed(1)
    vae = AnatomicalVAE(2, scheme.num_classes, (SIDE, SIDE), latent_size=4, channels=(16, 32), condition_size=size)
    optimizer = torch.optim.Adam(vae.parameters(), lr=1e-2)
    for _ in range(60):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(
            vae(scheme.one_hot(labels), conditions), scheme.to_channels(labels)
        ).backward()
        optimizer.step()
    return LatentSampler.fit(vae.eval(), scheme, (2.0, 2.0), labels, check=None, conditions=conditions)


def conditional_synthesizer(style_size: int = 6, heart_condition: HeartCondition | None = None) -> CardiacSynthesizer:
    """Return a synthesizer whose shape model and painter are told which of two kinds a heart is."""
    images, labels = hearts(12)
    sampler = fitted_sampler(labels[:, 0], ACDC, torch.eye(2)[torch.arange(12) % 2])
    gan = tiny_gan(condition_size=2, style_size=style_size, swapped=0.0).eval()
    with torch.no_grad():
        styles = torch.zeros(12, 0) if gan.style_encoder is None else gan.style_encoder(images)
    return CardiacSynthesizer(
        ACDC, (2.0, 2.0), sampler, gan.generator, gan.style_encoder, styles, heart_condition=heart_condition
    )


def in_sectors(labels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return boolean sectors `(B, 32, 32)` of three kinds, and hearts `(B, 32, 32)` in them in CAMUS_SECTOR's codes."""
    column, row = torch.meshgrid(torch.arange(SIDE), torch.arange(SIDE), indexing="ij")
    kinds = torch.stack([(column - 15.5).abs() <= half + row / 3 for half in (7, 8, 9)])
    sectors = kinds[torch.arange(len(labels)) % 3]
    return sectors, torch.where(sectors & (labels == 0), 4, labels)


def sector_synthesizer(condition_size: int = 2, heart_condition: HeartCondition | None = None) -> CardiacSynthesizer:
    """Return a synthesizer of hearts whose painter sees the ultrasound sector, told which of two kinds a heart is."""
    images, labels = hearts(12)
    conditions = torch.eye(2)[torch.arange(12) % 2] if condition_size else None
    if heart_condition is not None:
        conditions = heart_condition.encode(APICAL_ITEMS * 3)
        condition_size = heart_condition.size
    sampler = fitted_sampler(labels[:, 0], CAMUS, conditions)
    gan = tiny_gan(CAMUS_SECTOR.num_classes, condition_size).eval()
    with torch.no_grad():
        styles = gan.style_encoder(images)
    sectors = SectorProposal(in_sectors(labels[:, 0])[0])
    return CardiacSynthesizer(
        CAMUS_SECTOR,
        (2.0, 2.0),
        sampler,
        gan.generator,
        gan.style_encoder,
        styles,
        "apical",
        sectors=sectors,
        heart_condition=heart_condition,
    )
