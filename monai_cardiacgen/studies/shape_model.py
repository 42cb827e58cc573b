"""Train a shape model: the anatomical autoencoder alone, on the label maps of many patients."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from monai.data import DataLoader, Dataset
from torch import nn

from ..anatomy.labels import LabelScheme
from ..anatomy.placement import centre_heart
from ..anatomy.schemes import ACDC
from ..data.round_sampler import RoundSampler
from ..data.slices import LABEL
from ..engines import AnatomicalVAETrainer
from ..errors import InputError
from ..handlers import TrainingRounds
from ..losses import EvidenceLowerBoundLoss
from ..networks.nets import AnatomicalVAE
from ..seeding import seeded
from .resumed_training import run_resumed

CONDITION = "condition"


@dataclass(frozen=True)
class ShapeBudget:
    """How long and how large: the defaults train in about a quarter of an hour on one core at 96 x 96.

    Attributes:
        iterations: steps, a multiple of `iterations_per_round`.
        iterations_per_round: steps between two checkpoints.
        batch_size: label maps a step.
        channels: features of the autoencoder's levels, finest first.
        latent_size: number of latent values.
    """

    iterations: int = 4000
    iterations_per_round: int = 100
    batch_size: int = 32
    channels: tuple[int, ...] = (16, 32, 64, 128)
    latent_size: int = 16

    def __post_init__(self) -> None:
        if self.iterations < 1 or self.iterations % self.iterations_per_round or self.batch_size < 2:
            raise InputError(
                f"Expected iterations that are a multiple of {self.iterations_per_round} and batches of at least 2, "
                f"got {self.iterations} and {self.batch_size}."
            )


class MovedHearts:
    """Turns, scales and bends label maps a little about their middle: MONAI's `prepare_batch` here.

    It never mirrors: a mirrored heart is another organ. Bending is a smooth random field, which makes hearts of
    shapes between those of few patients.

    Args:
        scheme: codes of the maps.
        rotation: largest angle in degrees, uniform in both directions.
        scale: largest logarithm of the factor, uniform in both directions.
        bend: standard deviation of the displacement, as a fraction of the side.

    Attributes:
        generator: of the draws; `TrainingRounds` sets it anew for each epoch.
    """

    #: Control points of the displacement field along each axis.
    POINTS = 6

    def __init__(self, scheme: LabelScheme, rotation: float = 30.0, scale: float = 0.18, bend: float = 0.02) -> None:
        self.scheme = scheme
        self.rotation, self.scale, self.bend = rotation, scale, bend
        self.generator = seeded(0)

    def __call__(
        self, batch: Mapping[str, torch.Tensor], device: torch.device | str | None, non_blocking: bool = False
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Return the moved one-hot maps `(B, C, H, W)` and the conditions `(B, K)`, or None, on the device."""
        label = batch[LABEL].to(device, non_blocking=non_blocking)
        condition = batch.get(CONDITION)
        one_hot = self.scheme.one_hot(label[:, 0])
        moved = F.grid_sample(one_hot, self._grid(one_hot), mode="bilinear", align_corners=False)
        # What comes in from beyond the border has no weight in any class: it is background.
        moved[:, 0] += 1 - moved.sum(dim=1)
        hard = F.one_hot(moved.argmax(dim=1), self.scheme.num_classes).movedim(-1, 1).to(one_hot)
        return hard, None if condition is None else condition.to(device, non_blocking=non_blocking)

    def _grid(self, maps: torch.Tensor) -> torch.Tensor:
        count = len(maps)
        turn, size = (2 * torch.rand(2, count, generator=self.generator) - 1).unbind()
        angle, factor = turn * math.radians(self.rotation), (size * self.scale).exp()
        cosine, sine, nothing = angle.cos() / factor, angle.sin() / factor, torch.zeros(count)
        rows = (torch.stack((cosine, -sine, nothing), dim=1), torch.stack((sine, cosine, nothing), dim=1))
        grid = F.affine_grid(torch.stack(rows, dim=1), list(maps.shape), align_corners=False)
        points = torch.randn(count, 2, self.POINTS, self.POINTS, generator=self.generator) * 2 * self.bend
        field = F.interpolate(points, size=maps.shape[2:], mode="bicubic", align_corners=False)
        return (grid + field.movedim(1, -1)).to(maps)


def heart_maps(slices: Sequence[Mapping[str, Any]], conditioned: bool) -> list[dict[str, torch.Tensor]]:
    """Return the label maps of slices with a heart, each heart in the middle of its map.

    Args:
        slices: of `load_slices`, whole stacks in their order.
        conditioned: add `condition`, see `slice_conditions`.

    Returns:
        One dictionary a slice: `label` `(1, H, W)` int64 and, if asked for, `condition` `(2,)` float32.
    """
    hearts = [one for one in slices if bool((torch.as_tensor(one[LABEL]) > 0).any())]
    if not hearts:
        raise InputError(f"Expected slices with hearts, got {len(slices)} slices without any label.")
    labels = torch.stack([torch.as_tensor(one[LABEL]).as_subclass(torch.Tensor)[0] for one in hearts])
    centred, _ = centre_heart(labels)
    maps = [{LABEL: one[None]} for one in centred]
    if conditioned:
        for one, condition in zip(maps, slice_conditions(hearts), strict=True):
            one[CONDITION] = condition
    return maps


def slice_conditions(hearts: Sequence[Mapping[str, Any]]) -> torch.Tensor:
    """Return what a conditional shape model is told of each slice, `(N, 2)` float32.

    The first value is the slice's place between the most basal (-1) and the most apical (1) annotated slice of
    its stack, the second the phase: -1 at end diastole, 1 at end systole.

    Args:
        hearts: slices with a heart, with `patient`, `phase` and `slice`; the first slice of a stack is basal.
    """
    stacks: dict[tuple[str, str], list[int]] = {}
    for one in hearts:
        stacks.setdefault((one["patient"], one["phase"]), []).append(int(one["slice"]))
    rows = []
    for one in hearts:
        numbers = stacks[one["patient"], one["phase"]]
        base, extent = min(numbers), max(1, max(numbers) - min(numbers))
        rows.append((2 * (int(one["slice"]) - base) / extent - 1, -1.0 if one["phase"] == "ED" else 1.0))
    return torch.tensor(rows, dtype=torch.float32).view(-1, 2)


def train_shape_model(
    maps: Sequence[Mapping[str, torch.Tensor]],
    folder: Path,
    *,
    budget: ShapeBudget | None = None,
    scheme: LabelScheme = ACDC,
    seed: int = 0,
    device: torch.device | str = "cpu",
    progress: Callable[[int, int], None] | None = None,
) -> AnatomicalVAE:
    """Train an anatomical autoencoder and return it in evaluation mode, on the CPU.

    After each round all is written to `folder`; called again with the same arguments, the training goes on from
    there and ends, on the CPU, with the weights of an undisturbed one.

    Args:
        maps: of `heart_maps`; with conditions, the autoencoder is conditional.
        folder: `shape_model.pt` (to go on) and `shape_model.csv` (the curves) are written here.
        budget: how long and how large.
        scheme: codes of the maps.
        seed: of weights, batches and draws.
        device: where to train.
        progress: called with the number of iterations done and their total.

    Raises:
        CheckpointError: when `folder` holds a damaged checkpoint, or that of another training.
    """
    budget = budget or ShapeBudget()
    with torch.random.fork_rng():  # initial weights come from torch's own generator
        torch.manual_seed(seed)
        vae = AnatomicalVAE(
            2,
            scheme.num_classes,
            maps[0][LABEL].shape[1:],
            latent_size=budget.latent_size,
            channels=budget.channels,
            condition_size=len(maps[0][CONDITION]) if CONDITION in maps[0] else 0,
        )
    # A quarter faster on the CPU; the one-hot maps come this way too. torch's types do not know of it.
    vae.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    moved, path = MovedHearts(scheme), folder / "shape_model.pt"
    fit_autoencoder(vae, maps, moved, EvidenceLowerBoundLoss(), path, budget, seed, device, progress)
    return vae.to("cpu").eval()


def fit_autoencoder(
    vae: AnatomicalVAE,
    maps: Sequence[Mapping[str, Any]],
    moved: Any,
    loss: nn.Module,
    path: Path,
    budget: ShapeBudget,
    seed: int,
    device: torch.device | str,
    progress: Callable[[int, int], None] | None,
) -> None:
    """Train an autoencoder in place; stopped, the same call goes on.

    Args:
        vae: with its initial weights.
        maps: of `heart_maps`.
        moved: MONAI's `prepare_batch`, with a `generator` of its draws.
        loss: of the autoencoder.
        path: of the checkpoint; the curves lie beside it, with the ending `.csv`.
        budget: how long.
        seed: of batches and draws.
        device: where to train.
        progress: called with the number of iterations done and their total.

    Raises:
        CheckpointError: when the checkpoint is damaged, or that of another training.
    """
    optimizer = torch.optim.Adam(vae.parameters(), lr=2e-3, weight_decay=1e-5)
    sampler = RoundSampler(len(maps), budget.batch_size * budget.iterations_per_round, seed)
    loader = DataLoader(Dataset(maps), batch_size=budget.batch_size, sampler=sampler, generator=seeded(seed))
    trainer = AnatomicalVAETrainer(
        device=device,
        max_epochs=budget.iterations // budget.iterations_per_round,
        train_data_loader=loader,
        network=vae,
        optimizer=optimizer,
        loss_function=loss,
        prepare_batch=moved,
        seed=seed,
        train_handlers=[TrainingRounds(sampler, moved, [optimizer])],
    )
    run_resumed(trainer, path, budget.iterations, progress)
