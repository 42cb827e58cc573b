"""Train a synthesizer on the slices of a few patients: paper 1 in one call."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from ignite.engine import Engine, Events
from monai.data import DataLoader, Dataset
from monai.transforms import CenterSpatialCrop

from .._version import __version__
from ..anatomy.check import AnatomyCheck
from ..anatomy.labels import ACDC, LabelScheme
from ..data.files import load_checkpoint, read_csv, save_checkpoint, write_csv
from ..data.round_sampler import RoundSampler
from ..data.slices import IMAGE, LABEL
from ..engines.spade_gan import SPADEGAN
from ..engines.vaegan_trainer import VAEGANTrainer
from ..errors import InputError
from ..inferers.cardiac_synthesizer import CardiacSynthesizer
from ..inferers.latent_sampler import LatentSampler
from ..networks.nets.anatomical_vae import AnatomicalVAE
from ..networks.nets.multiscale_discriminator import MultiscaleDiscriminator
from ..networks.nets.spade_generator import SPADEGenerator
from ..networks.nets.style_encoder import StyleEncoder
from ..seeding import seeded
from .augmentation import OrdinaryAugmentation

_EMA_DECAY = 0.99


@dataclass(frozen=True)
class SynthesisBudget:
    """How long and how large: the demo's values train in five minutes on two cores.

    Attributes:
        iterations: steps of each half, a multiple of `iterations_per_round`.
        iterations_per_round: steps between two checkpoints.
        batch_size: slices a step.
        channels: features of the generator's levels, coarsest first.
    """

    iterations: int = 600
    iterations_per_round: int = 50
    batch_size: int = 8
    channels: tuple[int, ...] = (128, 128, 64, 32, 16)

    def __post_init__(self) -> None:
        if self.iterations < 1 or self.iterations % self.iterations_per_round or self.batch_size < 2:
            raise InputError(
                f"Expected iterations that are a multiple of {self.iterations_per_round} and batches of at least 2, "
                f"got {self.iterations} and {self.batch_size}."
            )


def train_synthesizer(
    slices: Sequence[Mapping[str, Any]],
    folder: Path,
    *,
    spacing: tuple[float, float],
    spatial_size: tuple[int, int],
    budget: SynthesisBudget | None = None,
    scheme: LabelScheme = ACDC,
    seed: int = 0,
    device: torch.device | str = "cpu",
    progress: Callable[[int, int], None] | None = None,
) -> CardiacSynthesizer:
    """Train VAE and SPADE GAN together and return them as a synthesizer.

    Every batch is rotated, scaled and shifted a little, never mirrored: a mirrored heart is another organ. After
    each round all is written to `folder`; called again with the same arguments, the training goes on from there and
    ends, on the CPU, with the weights of an undisturbed one.

    Args:
        slices: of `load_slices`: `image` `(1, H, W)` in [0, 1] and `label` `(1, H, W)`; larger than `spatial_size`
            if possible, so that rotating brings in no black corners.
        folder: `synthesis.pt` (to go on) and `synthesis.csv` (the curves) are written here.
        spacing: of the slices, in mm.
        spatial_size: of the synthesizer's images, in pixels, each side a multiple of 16.
        budget: how long and how large.
        scheme: codes of the label maps.
        seed: of weights, batches and draws.
        device: where to train.
        progress: called with the number of iterations done and their total.

    Raises:
        InputError: when no slice shows a heart.
        CheckpointError: when `folder` holds a damaged checkpoint, or that of another training.
    """
    budget = budget or SynthesisBudget()
    hearts = [one for one in slices if bool((torch.as_tensor(one[LABEL]) > 0).any())]
    if not hearts:
        raise InputError(f"Expected slices with hearts, got {len(slices)} slices without any label.")
    # A slice without a heart teaches the shape model nothing and the painter nothing about hearts.
    sampler = RoundSampler(len(hearts), budget.batch_size * budget.iterations_per_round, seed)
    trainer = _trainer(hearts, sampler, spatial_size, budget, scheme, seed, device)
    training = _Training(trainer, sampler, folder, budget, progress)
    training.run()
    return _synthesizer(trainer, hearts, spacing, spatial_size, scheme, seed, budget)


def _trainer(
    hearts: Sequence[Mapping[str, Any]],
    sampler: RoundSampler,
    spatial_size: tuple[int, int],
    budget: SynthesisBudget,
    scheme: LabelScheme,
    seed: int,
    device: torch.device | str,
) -> VAEGANTrainer:
    with torch.random.fork_rng():  # initial weights come from torch's own generator
        torch.manual_seed(seed)
        start_size = tuple(side // 2 ** (len(budget.channels) - 1) for side in spatial_size)
        vae = AnatomicalVAE(2, scheme.num_classes, spatial_size)
        gan = SPADEGAN(
            SPADEGenerator(2, scheme.num_classes, channels=budget.channels, start_size=start_size),
            StyleEncoder(2, end_size=start_size),
            MultiscaleDiscriminator(2, 1 + scheme.num_classes),
        )
    painters = [*gan.generator.parameters(), *gan.style_encoder.parameters()]
    images = [{IMAGE: torch.as_tensor(one[IMAGE]), LABEL: torch.as_tensor(one[LABEL])} for one in hearts]
    return VAEGANTrainer(
        device=device,
        max_epochs=budget.iterations // budget.iterations_per_round,
        train_data_loader=DataLoader(Dataset(images), batch_size=budget.batch_size, sampler=sampler),
        vae=vae,
        vae_optimizer=torch.optim.AdamW(vae.parameters(), lr=1e-3, weight_decay=1e-3),
        gan=gan,
        # TTUR, four times the paper's rates: the training is some hundred times shorter.
        generator_optimizer=torch.optim.Adam(painters, lr=4e-4, betas=(0.0, 0.999)),
        discriminator_optimizer=torch.optim.Adam(gan.discriminator.parameters(), lr=8e-4, betas=(0.0, 0.999)),
        scheme=scheme,
        ema_decay=_EMA_DECAY,
        seed=seed,
        prepare_batch=_Moved(spatial_size, seed),
    )


class _Moved:
    """Rotates, scales and shifts a batch, then cuts its middle: MONAI's `prepare_batch` of this training."""

    def __init__(self, spatial_size: tuple[int, int], seed: int) -> None:
        self.middle = CenterSpatialCrop((1, *spatial_size))  # of (B, 1, H, W): MONAI leaves the first axis alone
        self.generator = seeded(seed + 1)
        self.move = OrdinaryAugmentation(
            rotation=20, shift=0.04, scale=0.12, flip=0, gamma=0.2, contrast=0, brightness=0, noise=0
        )

    def __call__(
        self, batch: Mapping[str, torch.Tensor], device: torch.device, non_blocking: bool = False
    ) -> tuple[torch.Tensor, torch.Tensor]:
        image, label = (batch[key].to(device, non_blocking=non_blocking) for key in (IMAGE, LABEL))
        image, label = self.move(image, label, self.generator)
        return self.middle(image), self.middle(label)


class _Training:
    """The rounds of one training: begin each from its number, write all after each, go on where it stood."""

    def __init__(
        self,
        trainer: VAEGANTrainer,
        sampler: RoundSampler,
        folder: Path,
        budget: SynthesisBudget,
        progress: Callable[[int, int], None] | None,
    ) -> None:
        self.trainer, self.sampler, self.budget, self.progress = trainer, sampler, budget, progress
        self.checkpoint, self.curves = folder / "synthesis.pt", folder / "synthesis.csv"
        self.rows: list[dict[str, Any]] = []
        self.sums: dict[str, float] = {}
        trainer.add_event_handler(Events.EPOCH_STARTED, self.begin_round)
        trainer.add_event_handler(Events.ITERATION_COMPLETED, self.follow)
        trainer.add_event_handler(Events.EPOCH_COMPLETED, self.end_round)

    def run(self) -> None:
        if self.checkpoint.is_file():
            self.trainer.load_state_dict(load_checkpoint(self.checkpoint))
            self.rows = [dict(row) for row in read_csv(self.curves)][: self.trainer.state.epoch]
        if self.progress is not None:
            self.progress(self.trainer.state.iteration, self.budget.iterations)
        if self.trainer.state.iteration < self.budget.iterations:
            self.trainer.run()

    def begin_round(self, engine: Engine) -> None:
        self.sampler.round_number = engine.state.epoch
        moved: _Moved = self.trainer.prepare_batch
        moved.generator = seeded((self.sampler.seed + 1) * 1_000_003 + engine.state.epoch)
        rate = self.rate(engine.state.epoch)
        for optimizer, largest in (
            (self.trainer.vae_optimizer, 1e-3),
            (self.trainer.generator_optimizer, 4e-4),
            (self.trainer.discriminator_optimizer, 8e-4),
        ):
            for group in optimizer.param_groups:
                group["lr"] = rate * largest

    def rate(self, round_number: int) -> float:
        """Return the share of the largest learning rate: constant, then falling over the last half of the rounds."""
        rounds = self.budget.iterations // self.budget.iterations_per_round
        return min(1.0, 2 * (1 - (round_number - 1) / rounds))

    def follow(self, engine: Engine) -> None:
        for name, value in engine.state.output.items():
            if isinstance(value, float):
                self.sums[name] = self.sums.get(name, 0.0) + value / self.budget.iterations_per_round
        if self.progress is not None:
            self.progress(engine.state.iteration, self.budget.iterations)

    def end_round(self, engine: Engine) -> None:
        self.rows.append({"iteration": engine.state.iteration, **self.sums})
        self.sums = {}
        write_csv(self.curves, self.rows)
        save_checkpoint(self.checkpoint, self.trainer.state_dict())


def _synthesizer(
    trainer: VAEGANTrainer,
    hearts: Sequence[Mapping[str, Any]],
    spacing: tuple[float, float],
    spatial_size: tuple[int, int],
    scheme: LabelScheme,
    seed: int,
    budget: SynthesisBudget,
) -> CardiacSynthesizer:
    middle = CenterSpatialCrop((1, *spatial_size))
    image, label = (
        middle(torch.stack([torch.as_tensor(one[key]) for one in hearts])).as_tensor() for key in (IMAGE, LABEL)
    )
    whole = (label > 0).flatten(1).any(dim=1)  # cutting the middle may have cut a heart off
    painters: SPADEGAN = trainer.gan_average.module.to("cpu").eval()
    sampler = LatentSampler.fit(
        trainer.vae.to("cpu").eval(), scheme, spacing, label[whole, 0], check=AnatomyCheck(scheme)
    )
    with torch.no_grad():
        styles = painters.style_encoder(image[whole])
    return CardiacSynthesizer(
        scheme,
        spacing,
        sampler,
        painters.generator,
        painters.style_encoder,
        styles,
        provenance={"version": __version__, "seed": seed, "budget": asdict(budget), "slices": len(hearts)},
    )
