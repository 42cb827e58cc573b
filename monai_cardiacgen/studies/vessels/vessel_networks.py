"""Train a Wasserstein GAN on patches round a vessel, and read what was trained."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import torch
from monai.data import DataLoader, Dataset, MetaTensor

from ...data.files import load_checkpoint, read_json, save_checkpoint, write_json
from ...data.round_sampler import RoundSampler
from ...data.seed_dataset import case_seed
from ...engines import WGANGPTrainer
from ...errors import CheckpointError, DataError, InputError
from ...handlers import TrainingRounds
from ...networks.nets import WGANCritic, WGANGenerator
from ...seeding import seeded
from ..resumed_training import run_resumed
from .aortic_patches import MovedPatches

_NETWORKS = Path("configs") / "networks.json"


@dataclass(frozen=True)
class VesselBudget:
    """How long and how large; the defaults train in about half an hour on one core.

    Attributes:
        iterations: steps of the critic, a multiple of `iterations_per_round`.
        iterations_per_round: steps between two checkpoints.
        batch_size: patches a step.
        patch_size: side of a patch in pixels.
        features: of both networks, at full size.
        latent_size: length of a latent.
        critic_steps: steps of the critic for one of the generator.
        learning_rate: of both networks; it falls linearly to 0 in the second half.
    """

    iterations: int = 3000
    iterations_per_round: int = 100
    batch_size: int = 49
    patch_size: int = 64
    features: int = 8
    latent_size: int = 100
    critic_steps: int = 1
    learning_rate: float = 1e-3

    def __post_init__(self) -> None:
        if self.iterations < 1 or self.iterations_per_round < 1 or self.iterations % self.iterations_per_round:
            raise InputError(
                f"Expected iterations that are a multiple of {self.iterations_per_round}, got {self.iterations}."
            )


class VesselGAN(torch.nn.Module):
    """A trained generator of patches and its critic.

    Args:
        generator: latents to patches in [0, 1].
        critic: patches to scores.
        about: plain values told with them, such as the patches' `spacing`.
    """

    def __init__(self, generator: WGANGenerator, critic: WGANCritic, about: Mapping[str, Any] | None = None) -> None:
        super().__init__()
        self.generator = generator
        self.critic = critic
        self.about = dict(about or {})

    @torch.no_grad()
    def sample(self, count: int, generator: torch.Generator, batch: int = 49) -> torch.Tensor:
        """Draw patches `(count, 1, H, W)` in [0, 1]."""
        latents = torch.randn(count, self.generator.latent_size, generator=generator)
        device = next(self.generator.parameters()).device
        return torch.cat([self.generator(part.to(device)).cpu() for part in latents.split(batch)])

    def to_bundle(self, folder: str | os.PathLike[str], about: Mapping[str, Any] | None = None) -> Path:
        """Write `models/model.pt` (the generator), `models/critic.pt` and `configs/networks.json` into a folder.

        Args:
            folder: of a MONAI bundle, or any.
            about: plain values to tell instead of those that came with the networks.

        Returns:
            The folder.
        """
        root = Path(folder)
        for name, network in (("model", self.generator), ("critic", self.critic)):
            save_checkpoint(root / "models" / f"{name}.pt", {k: v.cpu() for k, v in network.state_dict().items()})
        arguments = {"generator": self.generator.arguments, "critic": self.critic.arguments}
        write_json(root / _NETWORKS, {**arguments, "about": self.about if about is None else dict(about)})
        return root

    @classmethod
    def from_bundle(cls, folder: str | os.PathLike[str]) -> VesselGAN:
        """Read what `to_bundle` wrote; JSON and tensors are read, nothing is executed.

        Raises:
            CheckpointError: when a file is missing, damaged, or holds something else.
        """
        root = Path(folder)
        try:
            told = read_json(root / _NETWORKS)
            gan = cls(WGANGenerator(**told["generator"]), WGANCritic(**told["critic"]), told["about"])
            gan.generator.load_state_dict(load_checkpoint(root / "models" / "model.pt"))
            gan.critic.load_state_dict(load_checkpoint(root / "models" / "critic.pt"))
        except (DataError, KeyError, TypeError, RuntimeError) as error:
            raise CheckpointError(
                f"Expected a trained generator and critic in {root}, got none ({error}); train them, or pass the "
                f"bundle's folder, the one with configs/ in it."
            ) from error
        return gan.eval()


class Latents(Dataset):
    """Standard normal latents as a MONAI dataset; a case depends on the seed and its number alone.

    Each element's `image` is a latent `(latent_size,)`, a `MetaTensor` whose affine and name are those of the patch
    that a generator makes of it: `patch_000000` and so on.

    Args:
        count: of latents.
        latent_size: length of each.
        seed: of all draws.
        spacing: mm a pixel of the patches.
    """

    def __init__(self, count: int, latent_size: int, seed: int, spacing: float) -> None:
        affine = torch.diag(torch.tensor([spacing, spacing, 1.0, 1.0], dtype=torch.float64))
        drawn = [
            torch.randn(latent_size, generator=seeded(case_seed(seed, number)), dtype=torch.float32)
            for number in range(count)
        ]
        names = [f"patch_{number:06d}.nii.gz" for number in range(count)]
        super().__init__(
            [
                {"image": MetaTensor(latent, affine=affine, meta={"filename_or_obj": name})}
                for latent, name in zip(drawn, names, strict=True)
            ]
        )


def new_vessel_gan(patch_size: int, features: int, latent_size: int, seed: int) -> VesselGAN:
    """Return untrained networks, whose weights a seed draws, laid out for the processor's convolutions."""
    with torch.random.fork_rng(devices=[]):  # the caller's own draws stay as they are
        torch.manual_seed(seed)
        generator = WGANGenerator(2, patch_size, latent_size=latent_size, features=features)
        critic = WGANCritic(2, patch_size, features=features)
    gan = VesselGAN(generator, critic)
    # torch counts this one as untyped
    return gan.to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]


def train_vessel_gan(
    patches: Sequence[Mapping[str, Any]],
    folder: Path,
    *,
    budget: VesselBudget | None = None,
    seed: int = 0,
    device: torch.device | str = "cpu",
    progress: Callable[[int, int], None] | None = None,
    begin: VesselGAN | None = None,
) -> VesselGAN:
    """Train generator and critic; called again with the same arguments, it goes on from the last whole round.

    Args:
        patches: with `image` `(1, side, side)` in [0, 1], as large as the budget's patches or larger.
        folder: `vessel.pt` (to go on) and `vessel.csv` (the curves) are written here.
        budget: how long and how large.
        seed: of weights, batches, windows and latents.
        device: where to train.
        progress: called with the number of iterations done and their total.
        begin: trained networks to begin with, of the budget's sizes; they are trained on, not copied.

    Returns:
        The running average of the generator, and the critic, on the CPU.

    Raises:
        InputError: when there is no patch, or one smaller than the budget's.
        CheckpointError: when `folder` holds a damaged checkpoint, or that of another training.
    """
    budget = budget or VesselBudget()
    if not patches:
        raise InputError("Expected patches to train with, got none.")
    trainer = vessel_trainer(patches, budget, seed, device, begin)
    run_resumed(trainer, folder / "vessel.pt", budget.iterations, progress)
    return trained_gan(trainer)


def trained_gan(trainer: WGANGPTrainer) -> VesselGAN:
    """Return what a trainer has trained, on the CPU; its networks are moved, not copied."""
    generator, critic = cast(WGANGenerator, trainer.average.module), cast(WGANCritic, trainer.critic)
    return VesselGAN(generator.to("cpu"), critic.to("cpu")).eval()


def vessel_trainer(
    patches: Sequence[Mapping[str, Any]],
    budget: VesselBudget,
    seed: int = 0,
    device: torch.device | str = "cpu",
    begin: VesselGAN | None = None,
) -> WGANGPTrainer:
    """Return the trainer of `train_vessel_gan` before its run."""
    gan = begin or new_vessel_gan(budget.patch_size, budget.features, budget.latent_size, seed)
    optimizers = [
        torch.optim.Adam(network.parameters(), lr=budget.learning_rate, betas=(0.0, 0.9))
        for network in (gan.generator, gan.critic)
    ]
    sampler = RoundSampler(len(patches), budget.batch_size * budget.iterations_per_round, seed)
    moved = MovedPatches(budget.patch_size)
    images = Dataset([{"image": one["image"]} for one in patches])
    # A loader draws a seed for its workers; by default from torch's own generator, which is the caller's.
    loader = DataLoader(images, batch_size=budget.batch_size, sampler=sampler, generator=seeded(seed))
    return WGANGPTrainer(
        device=device,
        max_epochs=budget.iterations // budget.iterations_per_round,
        train_data_loader=loader,
        network=gan.generator,
        critic=gan.critic,
        network_optimizer=optimizers[0],
        critic_optimizer=optimizers[1],
        latent_size=budget.latent_size,
        critic_steps=budget.critic_steps,
        seed=seed,
        prepare_batch=moved,
        train_handlers=[TrainingRounds(sampler, moved, optimizers)],
        amp=False,
    )
