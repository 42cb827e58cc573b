"""An autoencoder that is written out, a disc of blood in a wall by radius and thickness, and a sampler on it."""

from __future__ import annotations

import torch

from monai_cardiacgen.anatomy.check import AnatomyCheck
from monai_cardiacgen.anatomy.schemes import ACDC
from monai_cardiacgen.inferers.latent_sampler import LatentSampler
from monai_cardiacgen.networks.nets.anatomical_vae import AnatomicalVAE
from monai_cardiacgen.seeding import seeded

SIDE, SPACING = 40, (2.0, 2.0)


class DiscVAE(AnatomicalVAE):
    """Latent: the cavity's radius minus 6 and the wall's thickness minus 3, in pixels."""

    def __init__(self, spatial_dims: int = 2, condition_size: int = 0, side: int = SIDE) -> None:
        super().__init__(
            spatial_dims, 4, (side,) * spatial_dims, latent_size=2, channels=(2,), condition_size=condition_size
        )
        axis = torch.arange(side) - (side - 1) / 2
        grid = torch.meshgrid(*[axis] * spatial_dims, indexing="ij")
        self.register_buffer("distance", sum(one**2 for one in grid).sqrt())

    def decode(self, latent, condition=None):
        view = (-1, *[1] * self.spatial_dims)
        radius, wall = (6 + latent[:, 0]).view(view), (3 + latent[:, 1]).view(view)
        outer = radius + wall - self.distance
        inner = radius - self.distance
        return torch.stack((-outer, torch.full_like(outer, -99), torch.minimum(outer, -inner), inner), dim=1)

    def encode(self, one_hot, condition=None):
        area = one_hot.flatten(2).sum(dim=2)
        radius, outer = (area[:, 3] / torch.pi).sqrt(), ((area[:, 3] + area[:, 2]) / torch.pi).sqrt()
        mean = torch.stack((radius - 6, outer - radius - 3), dim=1)
        return mean, torch.zeros_like(mean)


def latents(count: int = 40) -> torch.Tensor:
    return 0.7 * torch.randn(count, 2, generator=seeded(0)).clamp(-2, 2)


def disc_sampler(proposal: str = "kernel_density", **changes) -> LatentSampler:
    offsets = torch.randint(-5, 6, (40, 2), generator=seeded(1))
    arguments = {"latents": latents(), "offsets": offsets, "check": AnatomyCheck(ACDC), **changes}
    return LatentSampler(DiscVAE(), ACDC, SPACING, proposal=proposal, **arguments)
