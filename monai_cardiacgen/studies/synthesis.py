"""Train a synthesizer on the slices of a few patients: paper 1 in one call."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

import torch
from monai.data import DataLoader, Dataset
from monai.transforms import CenterSpatialCrop

from .._version import __version__
from ..anatomy.check import AnatomyCheck, View
from ..anatomy.heart_condition import HeartCondition
from ..anatomy.labels import LabelScheme
from ..anatomy.schemes import ACDC
from ..data.round_sampler import RoundSampler
from ..data.slices import IMAGE, LABEL
from ..data.ultrasound_sector import ultrasound_sector
from ..engines import SPADEGAN, VAEGANTrainer
from ..errors import InputError
from ..handlers import TrainingRounds
from ..inferers import CardiacSynthesizer, LatentSampler, SectorProposal
from ..networks.nets import AnatomicalVAE, MultiscaleDiscriminator, SPADEGenerator, StyleEncoder
from ..seeding import seeded
from .augmentation import OrdinaryAugmentation
from .resumed_training import run_resumed

Slices = Sequence[Mapping[str, Any]]
#: Images whose styles are encoded at a time, and training images whose sectors a synthesizer keeps.
_TOGETHER, _SECTORS = 64, 200


@dataclass(frozen=True)
class SynthesisBudget:
    """How long and how large: the defaults train in about five minutes on two cores.

    Attributes:
        iterations: steps of each half, a multiple of `iterations_per_round`.
        iterations_per_round: steps between two checkpoints.
        batch_size: slices a step.
        channels: features of the generator's levels, coarsest first.
    """

    iterations: int = 400
    iterations_per_round: int = 50
    batch_size: int = 8
    channels: tuple[int, ...] = (128, 128, 64, 32, 16)

    def __post_init__(self) -> None:
        if self.iterations < 1 or self.iterations % self.iterations_per_round or self.batch_size < 2:
            raise InputError(
                f"Expected iterations that are a multiple of {self.iterations_per_round} and batches of at least 2, "
                f"got {self.iterations} and {self.batch_size}."
            )


class MovedMiddle:
    """Rotates, scales and shifts a batch a little, then cuts out its middle: MONAI's `prepare_batch` here.

    It never mirrors: a mirrored heart is another organ.

    Args:
        spatial_size: of what is cut out; larger slices come in, so that moving them shows no black corners.

    Attributes:
        generator: of the draws; `TrainingRounds` sets it anew for each epoch.
    """

    def __init__(self, spatial_size: Sequence[int]) -> None:
        self.middle = CenterSpatialCrop((1, *spatial_size))  # of (B, 1, H, W): MONAI leaves the first axis alone
        self.generator = seeded(0)
        self.move = OrdinaryAugmentation(
            rotation=20, shift=0.04, scale=0.12, flip=0, gamma=0.2, contrast=0, brightness=0, noise=0
        )

    def __call__(
        self, batch: Mapping[str, torch.Tensor], device: torch.device | str | None, non_blocking: bool = False
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return image and label `(B, 1, H, W)` of the batch on the device."""
        image, label = (plain(batch[key]).to(device, non_blocking=non_blocking) for key in (IMAGE, LABEL))
        image, label = self.move(image, label, self.generator)
        return self.middle(image), self.middle(label)


def train_synthesizer(
    slices: Slices,
    folder: Path,
    *,
    spacing: tuple[float, float],
    spatial_size: tuple[int, int],
    budget: SynthesisBudget | None = None,
    scheme: LabelScheme = ACDC,
    view: View = "short axis",
    name: str = "cine_mr_vaegan",
    seed: int = 0,
    device: torch.device | str = "cpu",
    progress: Callable[[int, int], None] | None = None,
) -> CardiacSynthesizer:
    """Train VAE and SPADE GAN together and return them as a synthesizer.

    After each round all is written to `folder`; called again with the same arguments, the training goes on from
    there and ends, on the CPU, with the weights of an undisturbed one.

    Args:
        slices: of `load_slices`: `image` `(1, H, W)` in [0, 1] and `label` `(1, H, W)`; larger than `spatial_size`
            if possible, so that moving them shows no black corners.
        folder: `synthesis.pt` (to go on) and `synthesis.csv` (the curves) are written here.
        spacing: of the slices, in mm.
        spatial_size: of the synthesizer's images, in pixels, each side a multiple of 16.
        budget: how long and how large.
        scheme: codes of the label maps.
        view: of the anatomy gate.
        name: recorded with every case that the synthesizer makes.
        seed: of weights, batches and draws.
        device: where to train.
        progress: called with the number of iterations done and their total.

    Raises:
        InputError: when no slice shows a heart.
        CheckpointError: when `folder` holds a damaged checkpoint, or that of another training.
    """
    budget = budget or SynthesisBudget()
    # A slice without a heart teaches the shape model nothing, and the painter nothing about hearts.
    hearts = [one for one in slices if bool((plain(one[LABEL]) > 0).any())]
    if not hearts:
        raise InputError(f"Expected slices with hearts, got {len(slices)} slices without any label.")
    trainer = _trainer(hearts, spatial_size, budget, scheme, seed, device)
    run_resumed(trainer, folder / "synthesis.pt", budget.iterations, progress)
    provenance = {"name": name, "seed": seed, "budget": asdict(budget), "slices": len(hearts)}
    return trained_synthesizer(trainer, hearts, spacing, provenance, view)


def trained_synthesizer(
    trainer: VAEGANTrainer,
    slices: Slices,
    spacing: tuple[float, ...],
    provenance: Mapping[str, Any],
    view: View = "short axis",
    heart_condition: HeartCondition | None = None,
) -> CardiacSynthesizer:
    """Return what a trainer has trained, on the CPU, with the latents and styles of its training slices.

    Conditions of the slices go with their hearts, and where the trainer's painter sees the ultrasound sector and its
    shape model does not, sectors of the slices go round drawn hearts.

    Args:
        trainer: after its run; its networks are moved to the CPU and used, not copied.
        slices: those that it was trained on, each with a heart.
        spacing: of the slices, in mm.
        provenance: what is recorded with every synthetic case, beside the version.
        view: of the anatomy gate.
        heart_condition: of which the slices' conditions are made, so that they can be asked for in words.
    """
    vae = trainer.vae.to("cpu").eval()
    gan = cast(SPADEGAN, trainer.gan_average.module).to("cpu").eval()
    middle = CenterSpatialCrop((1, *vae.spatial_size))
    image, label = (plain(middle(torch.stack([plain(one[key]) for one in slices]))) for key in (IMAGE, LABEL))
    hearts = trainer.hearts_in(label[:, 0])
    whole = (hearts > 0).flatten(1).any(dim=1)  # cutting the middle may have cut a heart off
    told = {key: _of_each(slices, whole, key) for key in ("position", "phase", "group", "view")}
    conditions = _of_each(slices, whole, "condition") if vae.condition_size else None
    sampler = LatentSampler.fit(
        vae,
        trainer.shape_scheme,
        spacing,
        hearts[whole],
        check=AnatomyCheck(trainer.shape_scheme, view),
        told={key: values for key, values in told.items() if values is not None},
        patients=_of_each(slices, whole, "patient"),
        conditions=None if conditions is None else torch.stack([plain(one) for one in conditions]),
    )
    styles = torch.zeros(int(whole.sum()), 0)
    if gan.style_encoder is not None:
        with torch.no_grad():
            styles = torch.cat([gan.style_encoder(some) for some in image[whole].split(_TOGETHER)])
    sectors = None
    if trainer.scheme != trainer.shape_scheme:
        some = torch.linspace(0, len(image) - 1, _SECTORS).round().long().unique()
        sectors = SectorProposal(ultrasound_sector(image[some]), trainer.shape_scheme, trainer.scheme)
    return CardiacSynthesizer(
        trainer.scheme,
        spacing,
        sampler,
        gan.generator,
        gan.style_encoder,
        styles,
        view=view,
        provenance={"version": __version__, **provenance},
        sectors=sectors,
        heart_condition=heart_condition,
    )


def _of_each(slices: Slices, wanted: torch.Tensor, key: str) -> list[Any] | None:
    """Return one value of each wanted slice, or None where not all of them have it."""
    chosen = [one for one, is_wanted in zip(slices, wanted.tolist(), strict=True) if is_wanted]
    return [one[key] for one in chosen] if all(key in one for one in chosen) else None


def plain(tensor: Any) -> torch.Tensor:
    """Return a tensor without MONAI's metadata."""
    return torch.as_tensor(tensor).as_subclass(torch.Tensor)


def _trainer(
    hearts: Slices,
    spatial_size: tuple[int, int],
    budget: SynthesisBudget,
    scheme: LabelScheme,
    seed: int,
    device: torch.device | str,
) -> VAEGANTrainer:
    with torch.random.fork_rng():  # initial weights come from torch's own generator
        torch.manual_seed(seed)
        start_size = tuple(side // 2 ** (len(budget.channels) - 1) for side in spatial_size)
        # A third of the paper's channels: as good on few patients, and four times as fast to draw from.
        # Large maps in blocks: finer borders than the shape model can say are interpolated, at a quarter of the cost.
        pooling = max(1, min(spatial_size) // 128)
        vae = AnatomicalVAE(2, scheme.num_classes, spatial_size, channels=(16, 32, 64, 128), pooling=pooling)
        gan = SPADEGAN(
            SPADEGenerator(2, scheme.num_classes, channels=budget.channels, start_size=start_size),
            StyleEncoder(2, end_size=start_size),
            MultiscaleDiscriminator(2, 1 + scheme.num_classes),
        )
    vae_optimizer = torch.optim.Adam(vae.parameters(), lr=2e-3, weight_decay=1e-5)
    # TTUR at four times the paper's rates: this training is some hundred times shorter than the paper's.
    generator_optimizer = torch.optim.Adam(gan.painter_parameters(), lr=4e-4, betas=(0.0, 0.999))
    discriminator_optimizer = torch.optim.Adam(gan.discriminator.parameters(), lr=8e-4, betas=(0.0, 0.999))
    sampler = RoundSampler(len(hearts), budget.batch_size * budget.iterations_per_round, seed)
    moved = MovedMiddle(spatial_size)
    images = Dataset([{key: plain(one[key]) for key in (IMAGE, LABEL)} for one in hearts])
    # A loader draws a seed for its workers; by default from torch's own generator, which is the caller's.
    loader = DataLoader(images, batch_size=budget.batch_size, sampler=sampler, generator=seeded(seed))
    return VAEGANTrainer(
        device=device,
        max_epochs=budget.iterations // budget.iterations_per_round,
        train_data_loader=loader,
        vae=vae,
        vae_optimizer=vae_optimizer,
        gan=gan,
        generator_optimizer=generator_optimizer,
        discriminator_optimizer=discriminator_optimizer,
        scheme=scheme,
        ema_decay=0.99,
        seed=seed,
        prepare_batch=moved,
        train_handlers=[TrainingRounds(sampler, moved, [vae_optimizer, generator_optimizer, discriminator_optimizer])],
    )
