"""Every training and generation of the package in a second or two: what is killed, starved and damaged."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from monai.bundle import ConfigWorkflow
from monai.data import DataLoader, Dataset
from torch import nn

from monai_cardiacgen.anatomy import ACDC, StructureCondition
from monai_cardiacgen.data import RoundSampler
from monai_cardiacgen.engines import (
    SPADEGAN,
    AnatomicalVAETrainer,
    ConditionalGANTrainer,
    ResumableTrainer,
    SPADEGANTrainer,
    VAEGANTrainer,
    WGANGPTrainer,
)
from monai_cardiacgen.generate import BATCH, PART, Form, generate_set
from monai_cardiacgen.handlers import LossCurves, RoundCheckpoint, TrainingRounds
from monai_cardiacgen.inferers import CardiacSynthesizer, LatentSampler
from monai_cardiacgen.losses import EvidenceLowerBoundLoss
from monai_cardiacgen.networks.nets import (
    AnatomicalVAE,
    ConditionalPatchCritic,
    ConditionalUNetGenerator,
    MultiscaleDiscriminator,
    SPADEGenerator,
    StyleEncoder,
    WGANCritic,
    WGANGenerator,
)
from monai_cardiacgen.phantom import write_acdc_phantom
from monai_cardiacgen.seeding import seeded
from monai_cardiacgen.studies.augmentation_study.study import run_study
from monai_cardiacgen.studies.augmentation_study.study_settings import StudySettings

from .hearts import heart_maps

SIDE, ROUNDS, ITERATIONS, ROWS = 32, 4, 2, 4
SEGMENTATION = Path(__file__).parents[1] / "bundles" / "cardiac_segmentation"
#: Overrides of the bundle of segmentation: its own phantoms, two steps an epoch.
_SMALL = {
    "network_def#channels": [4, 8],
    "network_def#strides": [2],
    "spacing": [6.0, 6.0],
    "spatial_size": [SIDE, SIDE],
    "slice_size": [48, 48],
    "training_patients": 1,
    "validation_patients": 1,
    "iterations_per_epoch": ITERATIONS,
    "batch_size": 2,
    "phantom_patients": 1,
    "synthetic_share": 0.5,
    "max_epochs": 3,
}


@dataclass(frozen=True)
class Work:
    """Something that takes long in earnest, and must survive whatever happens to it.

    Attributes:
        run: is given the prepared folder and the folder to work in, and goes on from what that one holds.
        prepare: writes once what every run needs, such as patients, into a folder.
    """

    run: Callable[[Path, Path], Any]
    prepare: Callable[[Path], Any] = lambda folder: None


def works() -> dict[str, Work]:
    """Return all works by name: the engines, a bundle with MONAI's own trainer, sets of both kinds, a study."""
    engines = {
        "AnatomicalVAETrainer": shape_training,
        "SPADEGANTrainer": painter_training,
        "VAEGANTrainer": joint_training,
        "WGANGPTrainer": critic_training,
        "ConditionalGANTrainer": conditional_training,
    }
    return {
        **{name: Work(_trained(make)) for name, make in engines.items()},
        "SupervisedTrainer": Work(train_bundle, _write_patients),
        "generation": Work(lambda prepared, folder: _generate(prepared, folder / "set", "nifti"), _write_bundle),
        "generation-hdf5": Work(lambda prepared, folder: _generate(prepared, folder / "set.h5", "hdf5"), _write_bundle),
        "study": Work(_study, _write_patients),
    }


def slices(count: int = 12) -> list[dict[str, torch.Tensor]]:
    """Return slices of made-up hearts: each structure has its grey level, and there is noise."""
    label = heart_maps(count, SIDE, ACDC.num_classes, seeded(1))[:, None]
    noise = 0.05 * torch.randn(label.shape, generator=seeded(2))
    image = (torch.tensor([0.4, 0.8, 0.1, 0.9])[label] + noise).clamp(0, 1)
    return [{"image": one, "label": other} for one, other in zip(image, label, strict=True)]


class Unmoved:
    """Gives image and label of a batch with noise of its own generator: an augmentation of whole batches."""

    generator = seeded(0)

    def __call__(self, batch: Any, device: Any, non_blocking: bool = False, **more: Any) -> tuple[Any, Any]:
        """Return image and label on the device."""
        noise = 0.01 * torch.randn(batch["image"].shape, generator=self.generator)
        return (batch["image"] + noise).clamp(0, 1).to(device), batch["label"].to(device)


@dataclass
class Parts:
    """What every engine takes: begun each round from its number, so that a training can go on."""

    sampler: RoundSampler
    loader: DataLoader
    augment: Unmoved


def parts() -> Parts:
    """Return a loader of made-up slices."""
    rows = slices()
    sampler = RoundSampler(len(rows), ROWS * ITERATIONS, seed=3)
    return Parts(sampler, DataLoader(Dataset(rows), batch_size=ROWS, sampler=sampler), Unmoved())


def _adam(*networks: nn.Module) -> torch.optim.Optimizer:
    return torch.optim.Adam([one for network in networks for one in network.parameters()], lr=1e-3)


def _vae() -> AnatomicalVAE:
    return AnatomicalVAE(2, ACDC.num_classes, (SIDE, SIDE), latent_size=4, channels=(16, 32))


def _gan() -> SPADEGAN:
    return SPADEGAN(
        SPADEGenerator(
            2, ACDC.num_classes, channels=(16, 8, 8), hidden_channels=8, style_size=6, start_size=(SIDE // 4, SIDE // 4)
        ),
        StyleEncoder(2, channels=(8, 8, 8), style_size=6, end_size=(4, 4)),
        MultiscaleDiscriminator(2, 1 + ACDC.num_classes, channels=(8, 8), scales=2),
    )


def shape_training(given: Parts) -> tuple[ResumableTrainer, list[torch.optim.Optimizer]]:
    """Return a training of the shape model."""
    vae = _vae()
    optimizer = _adam(vae)

    def one_hot(batch: Any, device: Any, non_blocking: bool = False) -> tuple[torch.Tensor, None]:
        return ACDC.one_hot(batch["label"][:, 0].to(device)), None

    trainer = AnatomicalVAETrainer(
        "cpu", ROUNDS, given.loader, vae, optimizer, EvidenceLowerBoundLoss(), prepare_batch=one_hot
    )
    return trainer, [optimizer]


def painter_training(given: Parts) -> tuple[ResumableTrainer, list[torch.optim.Optimizer]]:
    """Return a training of the SPADE painter alone."""
    gan = _gan()
    both = [_adam(gan.generator, gan.style_encoder), _adam(gan.discriminator)]
    return SPADEGANTrainer("cpu", ROUNDS, given.loader, gan, *both, ACDC, prepare_batch=given.augment), both


def joint_training(given: Parts) -> tuple[ResumableTrainer, list[torch.optim.Optimizer]]:
    """Return a training of shape model and painter together."""
    vae, gan = _vae(), _gan()
    three = [_adam(vae), _adam(gan.generator, gan.style_encoder), _adam(gan.discriminator)]
    trainer = VAEGANTrainer(
        "cpu", ROUNDS, given.loader, vae, three[0], gan, three[1], three[2], ACDC, prepare_batch=given.augment
    )
    return trainer, three


def critic_training(given: Parts) -> tuple[ResumableTrainer, list[torch.optim.Optimizer]]:
    """Return a training of the Wasserstein GAN with gradient penalty."""
    generator, critic = WGANGenerator(2, SIDE, features=4), WGANCritic(2, SIDE, features=4)
    both = [_adam(generator), _adam(critic)]
    trainer = WGANGPTrainer(
        "cpu", ROUNDS, given.loader, generator, critic, *both, critic_steps=2, prepare_batch=given.augment
    )
    return trainer, both


def conditional_training(given: Parts) -> tuple[ResumableTrainer, list[torch.optim.Optimizer]]:
    """Return a training of the conditional GAN."""
    generator = ConditionalUNetGenerator(2, ACDC.num_classes, channels=(8, 8, 8))
    critic = ConditionalPatchCritic(2, 1 + ACDC.num_classes, channels=(4, 8, 8))
    both = [_adam(generator), _adam(critic)]
    trainer = ConditionalGANTrainer(
        "cpu", ROUNDS, given.loader, generator, critic, *both, StructureCondition(ACDC), prepare_batch=given.augment
    )
    return trainer, both


def _trained(make: Callable[[Parts], tuple[ResumableTrainer, list[torch.optim.Optimizer]]]) -> Callable[..., None]:
    """Return what trains to the end with a checkpoint a round, as the bundles do."""

    def run(prepared: Path, folder: Path) -> None:
        torch.manual_seed(0)
        given = parts()
        trainer, optimizers = make(given)
        TrainingRounds(given.sampler, given.augment, optimizers).attach(trainer)
        curves = LossCurves()
        curves.attach(trainer)
        trainer.stateful["curves"] = curves
        RoundCheckpoint(folder / "training.pt").attach(trainer)
        trainer.run()

    return run


def train_bundle(prepared: Path, folder: Path) -> None:
    """Train the bundle of segmentation, whose trainer is MONAI's own."""
    config = str(SEGMENTATION / "configs" / "train.json")
    workflow = ConfigWorkflow(config, workflow_type="train", logging_file=False, **_SMALL)
    workflow.parser.update({"bundle_root": str(folder), "dataset_dir": str(prepared / "patients")})
    workflow.initialize()
    workflow.run()


def _write_patients(folder: Path) -> None:
    write_acdc_phantom(folder / "patients", patients=4, seed=0)


def tiny_synthesizer() -> CardiacSynthesizer:
    """Return a synthesizer of `SIDE` x `SIDE` whose shape model was trained for a moment and its painter was not."""
    torch.manual_seed(0)
    rows = slices(24)
    images, labels = (torch.stack([row[key] for row in rows]) for key in ("image", "label"))
    vae, gan = _vae(), _gan().eval()
    optimizer = _adam(vae)
    for _ in range(60):
        optimizer.zero_grad()
        nn.functional.cross_entropy(vae(ACDC.one_hot(labels[:, 0])), labels[:, 0]).backward()
        optimizer.step()
    sampler = LatentSampler.fit(vae.eval(), ACDC, (2.0, 2.0), labels[:, 0], check=None)
    with torch.no_grad():
        styles = gan.style_encoder(images)
    return CardiacSynthesizer(ACDC, (2.0, 2.0), sampler, gan.generator, gan.style_encoder, styles)


def _write_bundle(folder: Path) -> None:
    tiny_synthesizer().to_bundle(folder / "bundle")


def _generate(prepared: Path, target: Path, form: Form) -> None:
    count = PART + BATCH if form == "hdf5" else 2 * BATCH + 3
    generate_set(prepared / "bundle", target, count, seed=1, form=form)


def _study(prepared: Path, folder: Path) -> None:
    """Train and test two arms."""
    settings = StudySettings(
        str(prepared / "patients"),
        amounts=(1,),
        seeds=(0,),
        arms=("ordinary", "on_the_fly"),
        validation=1,
        testing=2,
        spacing=6.0,
        side=SIDE,
        margin=4,
        iterations=4,
        iterations_per_round=2,
        batch_size=2,
        phantoms=1,
    )
    run_study(settings, folder)
