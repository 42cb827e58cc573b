"""A conditional autoencoder that is written out: two ventricles from base to apex, in two phases."""

from __future__ import annotations

import torch

from monai_cardiacgen.anatomy.schemes import ACDC
from monai_cardiacgen.inferers.patient_fit import fit_patient_sampler
from monai_cardiacgen.inferers.patient_sampler import PatientSampler
from monai_cardiacgen.inferers.synthetic_patient import ShortAxisStack
from monai_cardiacgen.networks.nets.anatomical_vae import AnatomicalVAE
from monai_cardiacgen.seeding import seeded

SIDE, SPACING = 64, (2.0, 2.0)


class StackVAE(AnatomicalVAE):
    """Latent: the basal cavity's radius minus 10 and the wall's thickness minus 4, in pixels, at end diastole."""

    def __init__(self) -> None:
        super().__init__(2, 4, (SIDE, SIDE), latent_size=2, channels=(2,), condition_size=2)
        axis = torch.arange(SIDE) - (SIDE - 1) / 2
        self.register_buffer("row", axis[:, None].expand(SIDE, SIDE).clone())
        self.register_buffer("column", axis[None].expand(SIDE, SIDE).clone())

    @staticmethod
    def shrinkage(condition):
        position, phase = condition[:, 0], condition[:, 1]
        along = (1 - (0.42 * (position + 1)) ** 2).sqrt()
        return along * (1 - 0.15 * (phase + 1))  # the end-systolic radius is 0.7 of the end-diastolic

    def decode(self, latent, condition=None):
        scale = self.shrinkage(condition)
        radius = ((10 + latent[:, 0]) * scale).view(-1, 1, 1)
        wall = (4 + latent[:, 1] + 2 * (1 - scale)).view(-1, 1, 1)
        away = (self.row**2 + self.column**2).sqrt()
        beside = (self.row**2 + (self.column + radius) ** 2).sqrt()
        inner, outer, right = radius - away, radius + wall - away, radius + wall - beside
        return torch.stack(
            (-torch.maximum(outer, right), torch.minimum(right, -outer), torch.minimum(outer, -inner), inner), 1
        )

    def encode(self, one_hot, condition=None):
        scale = self.shrinkage(condition)
        area = one_hot.flatten(2).sum(dim=2)
        radius, outer = (area[:, 3] / torch.pi).sqrt(), ((area[:, 3] + area[:, 2]) / torch.pi).sqrt()
        mean = torch.stack((radius / scale - 10, outer - radius - 4 - 2 * (1 - scale)), dim=1)
        return mean, torch.zeros_like(mean)


def stack(latent: torch.Tensor, phase: float, slices: int, length: float, drift: float = 0.0) -> ShortAxisStack:
    """Return a stack of `slices` over `length` mm, its hearts drifting by so many pixels towards the apex."""
    position = torch.linspace(-1, 1, slices)
    condition = torch.stack((position, torch.full_like(position, phase)), dim=1)
    label = ACDC.to_codes(StackVAE().decode(latent.expand(slices, 2), condition).argmax(dim=1))
    label = torch.stack([torch.roll(one, round(drift * n / slices), 0) for n, one in enumerate(label)], dim=-1)
    return ShortAxisStack(label, (*SPACING, length / (slices - 1)))


def training_patients(count: int = 12) -> list[tuple[ShortAxisStack, ShortAxisStack]]:
    generator = seeded(0)
    pairs = []
    for number in range(count):
        latent = torch.randn(1, 2, generator=generator).clamp(-1.5, 1.5) * torch.tensor([1.0, 0.4])
        slices = 8 + number % 3
        pairs.append((stack(latent, -1.0, slices, 80 + 3 * number), stack(latent, 1.0, slices - 1, 66 + 3 * number)))
    return pairs


def disc_patients(**changes) -> PatientSampler:
    told = {"group": ["DCM" if number % 2 else "NOR" for number in range(12)]}
    return fit_patient_sampler(StackVAE(), ACDC, training_patients(), told, **changes)
