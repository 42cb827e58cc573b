"""Small labelled hearts and tiny networks, for tests of what trains and what synthesizes."""

from __future__ import annotations

import torch

from monai_cardiacgen.anatomy.schemes import ACDC
from monai_cardiacgen.engines.spade_gan import SPADEGAN
from monai_cardiacgen.inferers.cardiac_synthesizer import CardiacSynthesizer
from monai_cardiacgen.inferers.latent_sampler import LatentSampler
from monai_cardiacgen.networks.nets.anatomical_vae import AnatomicalVAE
from monai_cardiacgen.networks.nets.multiscale_discriminator import MultiscaleDiscriminator
from monai_cardiacgen.networks.nets.spade_generator import SPADEGenerator
from monai_cardiacgen.networks.nets.style_encoder import StyleEncoder
from monai_cardiacgen.seeding import seeded

SIDE = 32


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


def tiny_gan(**weights: float) -> SPADEGAN:
    """Return image networks of few channels with weights of a fixed seed."""
    torch.manual_seed(2)
    return SPADEGAN(
        SPADEGenerator(2, ACDC.num_classes, channels=(16, 8, 8), hidden_channels=8, style_size=6, start_size=(8, 8)),
        StyleEncoder(2, channels=(8, 8, 8), style_size=6, end_size=(4, 4)),
        MultiscaleDiscriminator(2, 1 + ACDC.num_classes, channels=(8, 8), scales=2),
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
