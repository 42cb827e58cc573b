"""A synthesizer that is not trained but costs what a trained one does, and phantom slices for it to replace."""

from __future__ import annotations

import torch
from monai.data import MetaTensor
from monai.transforms import ResizeWithPadOrCrop

from monai_cardiacgen.anatomy import ACDC, AnatomyCheck
from monai_cardiacgen.inferers import CardiacSynthesizer, LatentSampler
from monai_cardiacgen.networks.nets import AnatomicalVAE, SPADEGenerator, StyleEncoder
from monai_cardiacgen.phantom import GROUPS, CineMR, draw_heart, draw_scanner, draw_stack, draw_turn
from monai_cardiacgen.seeding import seeded

from .hearts import FIELD, heart_maps

_KNOWN = 32


class StandInVAE(AnatomicalVAE):
    """An untrained autoencoder that runs its decoder at full cost and then says one of the hearts that it was told."""

    def __init__(self, size: int) -> None:
        pooling = max(1, size // 128)  # this and the channels as in the cine bundle
        super().__init__(2, ACDC.num_classes, (size, size), channels=(16, 32, 64, 128), pooling=pooling)
        self.register_buffer("hearts", 20 * ACDC.one_hot(heart_maps(_KNOWN, size, ACDC.num_classes, seeded(5))))
        self.register_buffer("points", torch.randn(_KNOWN, self.latent_size, generator=seeded(6)))

    def decode(self, latent: torch.Tensor, condition: torch.Tensor | None = None) -> torch.Tensor:
        """Return the logits of the known heart whose point is nearest, after as much work as for a new one."""
        super().decode(latent, condition)
        nearest = torch.cdist(latent, self.points).argmin(dim=1)
        return torch.cat([self.hearts[number : number + 1] for number in nearest.tolist()])


def stand_in_synthesizer(size: int) -> CardiacSynthesizer:
    """Return a synthesizer of `size` x `size` with the compact generator that the bundles have by default."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        vae = StandInVAE(size).eval()
        generator = SPADEGenerator(2, ACDC.num_classes, start_size=(size // 16, size // 16))
        encoder = StyleEncoder(2, style_size=generator.style_size)
    spacing = (FIELD / size, FIELD / size)
    offsets = torch.zeros(_KNOWN, 2, dtype=torch.int64)
    sampler = LatentSampler(vae, ACDC, spacing, vae.points, offsets, check=AnatomyCheck(ACDC), bandwidth=0.1)
    styles = torch.randn(_KNOWN, generator.style_size, generator=seeded(7))
    return CardiacSynthesizer(ACDC, spacing, sampler, generator, encoder, styles, provenance={"name": "stand-in"})


def phantom_slices(count: int, size: int) -> list[dict[str, MetaTensor]]:
    """Return image and label `(1, size, size)` of slices of phantom patients, as if of the synthesizer's spacing."""
    fit, generator, samples = ResizeWithPadOrCrop((size, size)), seeded(0), []
    affine = torch.diag(torch.tensor([FIELD / size, FIELD / size, 1.0, 1.0], dtype=torch.float64))
    while len(samples) < count:
        turn = draw_turn(generator)
        heart = draw_heart(GROUPS[len(samples) % len(GROUPS)], turn, generator)
        stack = draw_stack(heart.length + heart.apical_wall, turn, generator)
        image, label = CineMR(heart, stack, draw_scanner(generator), generator).image(0.0)
        for level in range(image.shape[2]):
            if label[..., level].any():
                pair = {"image": image[..., level] / image.max(), "label": label[..., level].long()}
                samples.append(
                    {key: MetaTensor(fit(one[None]).as_tensor(), affine=affine) for key, one in pair.items()}
                )
    return samples[:count]
