"""The transform beside MONAI's ordinary augmentation, and inside a MONAI training."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from monai.data import DataLoader, Dataset
from monai.engines import SupervisedTrainer, default_prepare_batch
from monai.inferers import SimpleInferer
from monai.losses import DiceCELoss
from monai.networks.nets import UNet
from monai.transforms import Compose, Rand2DElasticd, RandAffined, RandGaussianNoised
from monai.utils import set_determinism

from monai_cardiacgen.inferers import CardiacSynthesizer
from monai_cardiacgen.transforms import RandCardiacSynthd

from .alternated import Clock, Comparison, Way
from .phantom_samples import phantom_slices, stand_in_synthesizer

KEYS = ("image", "label")
_MODES = ("new", "vary", "restyle")


def ordinary(prob: float = 1.0) -> list[Any]:
    """Return MONAI's affine, elastic and noise transforms."""
    interpolation = ("bilinear", "nearest")
    return [
        RandAffined(
            KEYS, prob=prob, rotate_range=0.3, scale_range=(0.1, 0.1), translate_range=(8, 8), mode=interpolation
        ),
        Rand2DElasticd(KEYS, spacing=(30, 30), magnitude_range=(1, 2), prob=prob, mode=interpolation),
        RandGaussianNoised("image", prob=prob, std=0.05),
    ]


def synthesizers(size: int) -> dict[str, CardiacSynthesizer]:
    """Return the synthesizer as it is, optimized, and compiled too."""
    return {
        "": stand_in_synthesizer(size),
        ", optimized": stand_in_synthesizer(size).optimize(),
        ", compiled": stand_in_synthesizer(size).optimize(compiled=True),
    }


def compare_transform(clock: Clock, size: int) -> Iterator[Comparison]:
    """Time one sample: ordinary augmentation, and the transform in each mode; every sample is replaced."""
    samples, baseline = phantom_slices(16, size), "MONAI's affine + elastic + noise"
    augment = Compose(ordinary()).set_random_state(0)
    ways: dict[str, Way] = {baseline: lambda sample: _timed(augment, sample)}
    for name, synthesizer in synthesizers(size).items():
        for mode in _MODES:
            synth = RandCardiacSynthd(KEYS, synthesizer, prob=1.0, mode=mode).set_random_state(0)
            ways[mode + name] = lambda sample, transform=synth: _timed(transform, sample)
    seconds, _ = clock.alternate(ways, lambda turn: (samples[turn % len(samples)],), baseline)
    yield Comparison("transform", f"{size} x {size}, compact generator", baseline, seconds)


def _timed(transform: Callable[[Any], Any], sample: dict[str, Any]) -> None:
    transform(dict(sample))


def compare_training_loop(
    size: int, samples: int, workers: Sequence[int], turns: int, device: torch.device
) -> Iterator[Comparison]:
    """Train a U-Net on phantom slices with half of the samples synthetic: the clock on the wall, an epoch a turn.

    The synthesizer is optimized: what it gains is in the comparison of the transform alone.
    """
    slices, synthesizer = phantom_slices(samples, size), stand_in_synthesizer(size).optimize()
    baseline = "ordinary augmentation, 0 workers"
    trainings: dict[str, Callable[[], SupervisedTrainer]] = {}
    for number in workers:
        trainings[f"ordinary augmentation, {number} workers"] = _training(slices, [], number, device)
        synth = RandCardiacSynthd(KEYS, synthesizer, prob=0.5, mode=_MODES)
        trainings[f"with the transform, {number} workers"] = _training(slices, [synth], number, device)
    # The workers' synthesizer stays on the CPU. The affine transform has scaled what the samples tell of their spacing.
    there = synthesizer if device.type == "cpu" else stand_in_synthesizer(size).to(device).optimize()
    synth = RandCardiacSynthd(KEYS, there, prob=0.5, mode=_MODES, spacing=synthesizer.spacing)
    trainings["with prepare_batch, 0 workers"] = _training(slices, [], 0, device, synth.prepare_batch())
    seconds: dict[str, list[float]] = {name: [] for name in trainings}
    processor: dict[str, list[float]] = {name: [] for name in trainings}
    for turn in range(turns + 1):
        for name, training in trainings.items():
            trainer = training()
            begin, used = time.perf_counter(), _processor_seconds()
            trainer.run()
            if device.type == "cuda":
                torch.cuda.synchronize(device)
            if turn:
                seconds[name].append((time.perf_counter() - begin) / samples)
                processor[name].append((_processor_seconds() - used) / samples)
    notes = {
        name: f"{1 / statistics.median(times):.2f} samples a second; "
        f"{1000 * statistics.median(processor[name]):.0f} ms of processor time"
        for name, times in seconds.items()
    }
    yield Comparison("training loop", f"U-Net, {size} x {size}, batch 8", baseline, seconds, notes=notes)


def _processor_seconds() -> float:
    """Return what this process and its workers that have ended took."""
    return sum(os.times()[:4])


def _training(
    slices: list[dict[str, Any]],
    first: list[Any],
    workers: int,
    device: torch.device,
    prepare_batch: Callable[..., Any] = default_prepare_batch,
) -> Callable[[], SupervisedTrainer]:
    """Return what makes a trainer of one epoch, `first` before the ordinary augmentation."""

    def make() -> SupervisedTrainer:
        set_determinism(0)
        network = UNet(2, 1, 4, channels=(16, 32, 64, 128, 256), strides=(2, 2, 2, 2), num_res_units=2).to(device)
        data = Dataset(slices, Compose([*first, *ordinary()]))
        return SupervisedTrainer(
            device=device,
            max_epochs=1,
            train_data_loader=DataLoader(data, batch_size=8, shuffle=True, num_workers=workers),
            network=network,
            optimizer=torch.optim.Adam(network.parameters(), 1e-3),
            loss_function=DiceCELoss(to_onehot_y=True, softmax=True),
            inferer=SimpleInferer(),
            prepare_batch=prepare_batch,
        )

    return make
