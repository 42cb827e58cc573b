"""Whole hearts from nothing: a shape model of label volumes, and a synthesizer that paints them slice by slice."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from monai.transforms import (
    Compose,
    EnsureChannelFirstd,
    Lambdad,
    LoadImaged,
    Orientationd,
    ResizeWithPadOrCropd,
    Spacingd,
)

from ...anatomy.check import AnatomyCheck
from ...anatomy.schemes import MM_WHS
from ...data.mmwhs import correct_mmwhs_codes, read_mmwhs
from ...data.slices import LABEL
from ...errors import LabelError
from ...inferers import CardiacSynthesizer, LatentSampler, StylelessPainter
from ...losses import EvidenceLowerBoundLoss
from ...networks.nets import AnatomicalVAE
from ..shape_model import ShapeBudget, fit_autoencoder, heart_maps
from .conditional_painter import ConditionalPainter
from .moved_volumes import MovedVolumes

#: mm along the axes, and voxels: whole axial slices of the phantom's field of view, as the bundle's painter knows them.
SPACING = (2.0, 2.0, 2.0)
SPATIAL_SIZE = (128, 128, 96)
#: The autoencoder works on blocks of as many voxels a side.
BLOCK = 4


@dataclass(frozen=True)
class WholeHeartBudget(ShapeBudget):
    """How long and how large, as for slices: these defaults train in some minutes on one core."""

    iterations: int = 200
    iterations_per_round: int = 50
    batch_size: int = 8
    channels: tuple[int, ...] = (12, 24, 48)


def load_whole_hearts(
    folder: str | os.PathLike[str],
    spacing: Sequence[float] = SPACING,
    spatial_size: Sequence[int] = SPATIAL_SIZE,
    patients: int | None = None,
) -> list[dict[str, Any]]:
    """Return the label volumes of a folder in MM-WHS's layout on one grid.

    The first axis runs to the patient's left, the second to the back, the third to the head, as in `AxialSlices`. Image
    volumes are not opened.

    Args:
        folder: see `read_mmwhs`.
        spacing: mm.
        spatial_size: voxels about the volume's middle; what lies beyond is cut off.
        patients: at most as many, the first ones; all by default.

    Returns:
        A dictionary a patient: `label` `(1, H, W, D)`, int16 in MM-WHS's codes, and `patient`.

    Raises:
        DataError: when a file is missing or damaged, or the folder holds no volume.
    """
    load = Compose(
        [
            LoadImaged(LABEL),
            EnsureChannelFirstd(LABEL),
            Lambdad(LABEL, correct_mmwhs_codes),
            Orientationd(LABEL, axcodes="LPS", labels=(("L", "R"), ("P", "A"), ("I", "S"))),
            Spacingd(LABEL, pixdim=tuple(spacing), mode="nearest"),
            ResizeWithPadOrCropd(LABEL, tuple(spatial_size)),
        ]
    )
    items = read_mmwhs(folder)[:patients]
    return [
        {
            LABEL: torch.as_tensor(load({LABEL: one[LABEL]})[LABEL]).as_subclass(torch.Tensor).to(torch.int16),
            "patient": one["patient"],
        }
        for one in items
    ]


def train_whole_hearts(
    hearts: Sequence[Mapping[str, Any]],
    folder: Path,
    budget: WholeHeartBudget | None = None,
    seed: int = 0,
    device: torch.device | str = "cpu",
    progress: Callable[[int, int], None] | None = None,
) -> AnatomicalVAE:
    """Train an autoencoder on the shares of classes in blocks, and return it for whole volumes, on the CPU.

    Stopped, the same call goes on.

    Args:
        hearts: of `load_whole_hearts`.
        folder: the training's checkpoint and curves are written here.
        budget: how long and how large.
        seed: of weights, batches and draws.
        device: where to train.
        progress: called with the number of iterations done and their total.

    Raises:
        CheckpointError: when `folder` holds a damaged checkpoint, or that of another training.
    """
    budget = budget or WholeHeartBudget()
    size = tuple(hearts[0][LABEL].shape[1:])
    blocks = [side // BLOCK for side in size]
    with torch.random.fork_rng(devices=[]):  # initial weights come from torch's own generator
        torch.manual_seed(seed)
        coarse = AnatomicalVAE(3, MM_WHS.num_classes, blocks, budget.latent_size, budget.channels)
    coarse.to(memory_format=torch.channels_last_3d)  # type: ignore[call-overload]  # faster on the CPU
    # Dice would sharpen the shares, and with them the borders that are interpolated between.
    loss = EvidenceLowerBoundLoss(cross_entropy=10.0, dice=0.0)
    maps, moved = heart_maps(hearts, conditioned=False), MovedVolumes(MM_WHS, BLOCK)
    path = folder / "training_hearts.pt"
    fit_autoencoder(coarse, maps, moved, loss, path, budget, seed, device, progress)
    vae = AnatomicalVAE(3, MM_WHS.num_classes, size, budget.latent_size, budget.channels, pooling=BLOCK)
    vae.load_state_dict(coarse.to("cpu").state_dict())
    return vae.eval()


def whole_heart_synthesizer(
    hearts: Sequence[Mapping[str, Any]],
    vae: AnatomicalVAE,
    painter: ConditionalPainter,
    spacing: Sequence[float] = SPACING,
    provenance: Mapping[str, Any] | None = None,
) -> CardiacSynthesizer:
    """Return a synthesizer of whole hearts: drawn by the autoencoder, checked as volumes, painted slice by slice.

    Args:
        hearts: of the autoencoder's training.
        vae: of `train_whole_hearts`.
        painter: of whole axial slices from all seven structures.
        spacing: of the hearts, mm.
        provenance: see `CardiacSynthesizer`.

    Raises:
        LabelError: when the painter is told other structures than the seven of MM-WHS.
    """
    if painter.condition.structures != MM_WHS.names[1:]:
        raise LabelError(
            f"Expected a painter of {MM_WHS.names[1:]}, got one of {painter.condition.structures}; train it on all."
        )
    labels = torch.stack([one[LABEL][0] for one in hearts]).to(torch.int64)
    check = AnatomyCheck(MM_WHS, "whole heart")
    patients = [one["patient"] for one in hearts]
    sampler = LatentSampler.fit(vae, MM_WHS, spacing, labels, check=check, patients=patients)
    return CardiacSynthesizer(
        MM_WHS,
        tuple(spacing),
        sampler,
        StylelessPainter(painter.generator, spatial_dims=3),
        None,
        torch.zeros(len(labels), 0),
        view="axial",
        provenance=provenance,
    )


__all__ = [
    "SPACING",
    "SPATIAL_SIZE",
    "WholeHeartBudget",
    "load_whole_hearts",
    "train_whole_hearts",
    "whole_heart_synthesizer",
]
