"""Train a generator that makes a hidden vessel of what is round it, and read what was trained."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import torch
from monai.data import DataLoader, Dataset

from ...data.files import load_checkpoint, read_json, save_checkpoint, write_json
from ...data.round_sampler import RoundSampler
from ...engines import InpaintingGANTrainer
from ...errors import CheckpointError, DataError, InputError
from ...handlers import TrainingRounds
from ...networks.nets import InpaintingGenerator, WGANCritic
from ...seeding import seeded
from ..resumed_training import run_resumed
from .hidden_boxes import HiddenBoxes

_NETWORK, _WEIGHTS = Path("configs") / "inpainter.json", Path("models") / "inpainter.pt"


@dataclass(frozen=True)
class InpaintingBudget:
    """How long and how large; the defaults train in less than an hour on one core.

    Attributes:
        iterations: steps of both networks, a multiple of `iterations_per_round`.
        iterations_per_round: steps between two checkpoints.
        batch_size: patches a step.
        patch_size: side of a patch in pixels.
        channels: of the generator.
        features: of the critic, at full size.
        adversarial: weight of the critic's score.
        learning_rate: of both networks; it falls linearly to 0 in the second half.
    """

    iterations: int = 3000
    iterations_per_round: int = 100
    batch_size: int = 16
    patch_size: int = 64
    channels: tuple[int, ...] = (24, 48, 96, 96)
    features: int = 8
    adversarial: float = 0.02
    learning_rate: float = 1e-3

    def __post_init__(self) -> None:
        if self.iterations < 1 or self.iterations_per_round < 1 or self.iterations % self.iterations_per_round:
            raise InputError(
                f"Expected iterations that are a multiple of {self.iterations_per_round}, got {self.iterations}."
            )


@dataclass(frozen=True)
class InpaintingNetworks:
    """A generator of hidden pixels and the critic that judges them.

    Attributes:
        generator: of hidden pixels.
        critic: patches and masks to scores.
    """

    generator: InpaintingGenerator
    critic: WGANCritic


@dataclass(frozen=True)
class VesselInpainter:
    """A trained generator of hidden pixels.

    Attributes:
        generator: of hidden pixels.
        about: plain values told with it, such as the patches' `spacing` and `patch_size`.
    """

    generator: InpaintingGenerator
    about: Mapping[str, Any] = field(default_factory=dict)

    def to_bundle(self, folder: str | os.PathLike[str], about: Mapping[str, Any] | None = None) -> Path:
        """Write `models/inpainter.pt` and `configs/inpainter.json` into a folder.

        Args:
            folder: of a MONAI bundle, or any.
            about: plain values to tell instead of those that came with the network.

        Returns:
            The folder.
        """
        root = Path(folder)
        save_checkpoint(root / _WEIGHTS, {name: value.cpu() for name, value in self.generator.state_dict().items()})
        told = dict(self.about if about is None else about)
        write_json(root / _NETWORK, {"generator": self.generator.arguments, "about": told})
        return root

    @classmethod
    def from_bundle(cls, folder: str | os.PathLike[str]) -> VesselInpainter:
        """Read what `to_bundle` wrote; JSON and tensors are read, nothing is executed.

        Raises:
            CheckpointError: when a file is missing, damaged, or holds something else.
        """
        root = Path(folder)
        try:
            told = read_json(root / _NETWORK)
            inpainter = cls(InpaintingGenerator(**told["generator"]), told["about"])
            inpainter.generator.load_state_dict(load_checkpoint(root / _WEIGHTS))
        except (DataError, KeyError, TypeError, RuntimeError) as error:
            raise CheckpointError(
                f"Expected a trained inpainting generator in {root}, got none ({error}); train it, or pass the "
                f"bundle's folder, the one with configs/ in it."
            ) from error
        inpainter.generator.eval()
        return inpainter


def new_inpainting_networks(patch_size: int, channels: Sequence[int], features: int, seed: int) -> InpaintingNetworks:
    """Return untrained networks, whose weights a seed draws, laid out for the processor's convolutions."""
    with torch.random.fork_rng(devices=[]):  # the caller's own draws stay as they are
        torch.manual_seed(seed)
        generator = InpaintingGenerator(2, 1, channels)
        critic = WGANCritic(2, patch_size, in_channels=2, features=features)
    for network in (generator, critic):
        # torch counts this one as untyped
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return InpaintingNetworks(generator, critic)


def vessel_places(patches: Sequence[Mapping[str, Any]]) -> Dataset:
    """Return the patches' `image`, and their vessels' `centre` and `radius` in pixels: the truth where there is one."""
    told = []
    for one in patches:
        true = "true_" if math.isfinite(one["true_radius"]) else ""
        spacing = float(torch.linalg.vector_norm(one["affine"][:3, 0]))  # mm a pixel
        radius = torch.tensor(one[f"{true}radius"] / spacing, dtype=torch.float32)
        told.append({"image": one["image"], "centre": one[f"{true}centre"], "radius": radius})
    return Dataset(told)


def inpainting_trainer(
    patches: Sequence[Mapping[str, Any]],
    budget: InpaintingBudget,
    seed: int = 0,
    device: torch.device | str = "cpu",
) -> InpaintingGANTrainer:
    """Return the trainer of `train_inpainter` before its run."""
    networks = new_inpainting_networks(budget.patch_size, budget.channels, budget.features, seed)
    optimizers = [
        torch.optim.Adam(network.parameters(), lr=budget.learning_rate, betas=betas)
        for network, betas in ((networks.generator, (0.5, 0.99)), (networks.critic, (0.0, 0.9)))
    ]
    sampler = RoundSampler(len(patches), budget.batch_size * budget.iterations_per_round, seed)
    hidden = HiddenBoxes(budget.patch_size)
    loader = DataLoader(
        # A loader draws a seed for its workers; by default from torch's own generator, which is the caller's.
        vessel_places(patches),
        batch_size=budget.batch_size,
        sampler=sampler,
        generator=seeded(seed),
    )
    return InpaintingGANTrainer(
        device=device,
        max_epochs=budget.iterations // budget.iterations_per_round,
        train_data_loader=loader,
        network=networks.generator,
        critic=networks.critic,
        network_optimizer=optimizers[0],
        critic_optimizer=optimizers[1],
        adversarial=budget.adversarial,
        seed=seed,
        prepare_batch=hidden,
        train_handlers=[TrainingRounds(sampler, hidden, optimizers)],
        amp=False,
    )


def train_inpainter(
    patches: Sequence[Mapping[str, Any]],
    folder: Path,
    *,
    budget: InpaintingBudget | None = None,
    seed: int = 0,
    device: torch.device | str = "cpu",
    progress: Callable[[int, int], None] | None = None,
) -> VesselInpainter:
    """Train a generator of hidden pixels; called again with the same arguments, it goes on from the last whole round.

    Args:
        patches: with `image` `(1, side, side)` in [0, 1], as large as the budget's patches or larger, `centre`,
            `true_centre` and `true_radius`, as of `AorticPatches`.
        folder: `inpainter.pt` (to go on) and `inpainter.csv` (the curves) are written here.
        budget: how long and how large.
        seed: of weights, batches, windows and boxes.
        device: where to train.
        progress: called with the number of iterations done and their total.

    Returns:
        The running average of the generator, on the CPU.

    Raises:
        InputError: when there is no patch, or one smaller than the budget's.
        CheckpointError: when `folder` holds a damaged checkpoint, or that of another training.
    """
    budget = budget or InpaintingBudget()
    if not patches:
        raise InputError("Expected patches to train with, got none.")
    trainer = inpainting_trainer(patches, budget, seed, device)
    run_resumed(trainer, folder / "inpainter.pt", budget.iterations, progress)
    return trained_inpainter(trainer)


def trained_inpainter(trainer: InpaintingGANTrainer) -> VesselInpainter:
    """Return the generator that a trainer has trained, on the CPU; it is moved, not copied."""
    return VesselInpainter(cast(InpaintingGenerator, trainer.average.module).to("cpu").eval())


__all__ = [
    "InpaintingBudget",
    "InpaintingNetworks",
    "VesselInpainter",
    "inpainting_trainer",
    "new_inpainting_networks",
    "train_inpainter",
    "trained_inpainter",
    "vessel_places",
]
