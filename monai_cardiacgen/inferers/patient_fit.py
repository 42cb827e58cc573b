"""Training patients become vectors: what a `PatientSampler` is fitted to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch

from ..anatomy.labels import LabelScheme
from ..anatomy.placement import centre_heart
from ..errors import InputError
from ..networks.nets.anatomical_vae import AnatomicalVAE
from .heart_attributes import HeartAttributes
from .patient_sampler import DIASTOLIC_VOLUME, EJECTION_FRACTION, PatientSampler
from .stack_trajectory import StackTrajectory
from .synthetic_patient import ShortAxisStack


def fit_patient_sampler(
    vae: AnatomicalVAE,
    scheme: LabelScheme,
    stacks: Sequence[tuple[ShortAxisStack, ShortAxisStack]],
    told: Mapping[str, Sequence[str]] | None = None,
    max_draws: int = 50,
) -> PatientSampler:
    """Return a sampler of patients like those given.

    Args:
        vae: the trained conditional autoencoder.
        scheme: codes of the maps.
        stacks: each patient's at end diastole and at end systole, of one pixel size, slices without a heart left out.
        told: further attributes, a text a patient, for example its `"group"`.
        max_draws: draws a patient before giving up.

    Raises:
        InputError: for fewer than 3 patients, pixels of several sizes, or stacks of one slice.
        LabelError: when a slice has no heart.
    """
    sizes = {stack.spacing[:2] for pair in stacks for stack in pair}
    if len(sizes) != 1:
        raise InputError(f"Expected stacks with one pixel size, got {sorted(sizes)} mm; resample them.")
    trajectories, volumes, fractions = [], [], []
    for pair in stacks:
        trajectories.append(_trajectory(vae, scheme, pair))
        diastole, systole = (stack.volume(scheme) for stack in pair)
        volumes.append(diastole)
        fractions.append(1 - systole / diastole if diastole else 0.0)
    measured = {EJECTION_FRACTION: torch.tensor(fractions), DIASTOLIC_VOLUME: torch.tensor(volumes)}
    attributes = HeartAttributes.of(measured, told or {})
    return PatientSampler(vae, scheme, next(iter(sizes)), trajectories, attributes, max_draws)


@torch.no_grad()
def _trajectory(
    vae: AnatomicalVAE, scheme: LabelScheme, pair: tuple[ShortAxisStack, ShortAxisStack]
) -> StackTrajectory:
    device = next(vae.parameters()).device
    positions, features, lengths = [], [], []
    for stack, phase in zip(pair, (-1.0, 1.0), strict=True):
        slices = stack.label.shape[2]
        position = torch.linspace(-1, 1, slices) if slices > 1 else torch.zeros(1)
        condition = torch.stack((position, torch.full_like(position, phase)), dim=1)
        centred, offset = centre_heart(stack.label.movedim(2, 0))
        latent = vae.encode(scheme.one_hot(centred).to(device), condition.to(device))[0].cpu()
        positions.append(position)
        features.append(torch.cat((latent, offset * torch.tensor(stack.spacing[:2])), dim=1))
        lengths.append(stack.spacing[2] * (slices - 1))
    # Where the heart lies in its image says how the scan was planned: the middle of the diastolic stack is the origin.
    origin = features[0][:, -2:].mean(dim=0)
    for one in features:
        one[:, -2:] -= origin
    return StackTrajectory.fit(positions, features, lengths)
