"""Does synthesis help, and how much data does it save? All arms of a study, each in a folder of its own."""

from __future__ import annotations

import json
import multiprocessing
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from dataclasses import asdict, dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import torch
from monai.transforms import CenterSpatialCrop

from ..._version import __version__
from ...data.files import read_csv, write_json
from ...data.same_scans import without_same_scans
from ...data.slices import IMAGE, LABEL
from ...data.split import Split, read_split, split_by_patient, write_split
from ...inferers import CardiacSynthesizer, PhantomSynthesizer
from ...transforms import RandCardiacSynthd
from ..augmented_batch import Augmentation
from ..evaluation import write_scores
from ..segmentation import segmentation_loss, train_segmentation
from ..slice_scores import write_slice_scores
from ..stages import environment, keep_settings
from ..strong_augmentation import StrongAugmentation
from ..synthesis import SynthesisBudget, train_synthesizer
from .study_settings import ARMS, Arm, StudySettings, network_folder, new_network

#: Seconds between two looks at what the trainings have written.
_LOOK = 2.0


@dataclass(frozen=True)
class PlannedRun:
    """One training and its test: its place is `out / network / amount / seed / arm`."""

    network: str
    amount: int
    seed: int
    arm: str

    def folder(self, out: Path) -> Path:
        """Return the run's own folder."""
        return out / network_folder(self.network) / f"{self.amount}_patients" / f"seed_{self.seed}" / self.arm


def planned_runs(settings: StudySettings) -> list[PlannedRun]:
    """Return all runs, seed by seed, so that a study that is stopped early has whole comparisons."""
    return [
        PlannedRun(network, amount, seed, arm)
        for seed in settings.seeds
        for amount in settings.amounts
        for network in settings.networks
        for arm in settings.arms
    ]


def run_study(
    settings: StudySettings,
    out: Path,
    *,
    workers: int = 1,
    device: torch.device | str = "cpu",
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Train and test all arms, or go on where an earlier call was stopped.

    `settings.json` and `split.json` are written first. A run that is finished has `scores.csv`; one that was stopped
    goes on from its last round.

    Args:
        settings: what to do.
        out: the study's folder; another study needs another one.
        workers: trainings side by side, each on one thread of the CPU where there are several.
        device: where networks are trained.
        progress: called with the number of optimizer steps done by all segmentation networks, and their total.

    Raises:
        InputError: when `out` was begun with other settings.
        DataError: when the data is missing or damaged.
    """
    split = study_split(settings)  # first, so that a wrong folder leaves nothing behind
    keep_settings(out / "settings.json", json.loads(json.dumps({**asdict(settings), "version": __version__})))
    write_json(out / "environment.json", environment(torch.device(device)))
    if not (out / "split.json").exists():
        write_split(out / "split.json", split)
    left = [run for run in planned_runs(settings) if not (run.folder(out) / "scores.csv").exists()]
    phantoms = None
    if any(ARMS[run.arm].prob and ARMS[run.arm].source == "phantom" for run in left):
        phantoms = settings.cohort().phantoms(settings.phantoms).fill()

    def tell() -> None:
        if progress is not None:
            progress(_steps_done(settings, out), settings.iterations * len(planned_runs(settings)))

    tell()
    # A synthesizer serves several arms and networks: it is there before the first of them asks for it.
    first = {
        (run.amount, run.seed): partial(train_synthesizer_of, run.amount, run.seed, settings, out, str(device))
        for run in left
        if ARMS[run.arm].prob and ARMS[run.arm].source == "vaegan"
    }
    for jobs in (list(first.values()), [partial(run_arm, run, settings, out, phantoms, str(device)) for run in left]):
        _run_jobs(jobs, workers, tell)


def study_split(settings: StudySettings) -> Split:
    """Return the study's split: its training patients are those that the amounts are drawn from.

    Without a split's file, a scan that stands under two names is used once.

    Raises:
        InputError: when there are too few patients for the largest amount.
        DataError: when the data is missing, or the split's file is of other data.
    """
    items = settings.cohort().items(settings.data_dir)
    if settings.split is not None:
        return read_split(settings.split, items)
    items = without_same_scans(items)
    patients = len({item["patient"] for item in items})
    return split_by_patient(items, patients - settings.validation - settings.testing, settings.validation, seed=0)


def training_items(settings: StudySettings, split: Split, amount: int, seed: int) -> list[dict[str, Any]]:
    """Return the items of `amount` training patients that the seed draws, their groups as even as possible."""
    if amount == len({item["patient"] for item in split.training}):
        return list(split.training)
    return split_by_patient(split.training, amount, 0, seed).training


def run_arm(
    run: PlannedRun, settings: StudySettings, out: Path, phantoms: PhantomSynthesizer | None, device: str, threads: int
) -> None:
    """Train one arm, or go on with it, and test it; `scores.csv` is written last.

    Args:
        run: which.
        settings: the study's.
        out: the study's folder.
        phantoms: for arms with this source.
        device: where to train.
        threads: of the CPU; 0 leaves them as they are.
    """
    if threads:
        torch.set_num_threads(threads)
    arm, folder = ARMS[run.arm], run.folder(out)
    split = study_split(settings)
    items = training_items(settings, split, run.amount, run.seed)
    cohort = settings.cohort()
    training = cohort.training(items)
    network = train_segmentation(
        new_network(run.network, run.seed, cohort.scheme.num_classes),
        training,
        _validation(settings),
        folder,
        iterations=settings.iterations,
        iterations_per_round=settings.iterations_per_round,
        batch_size=settings.batch_size,
        learning_rate=settings.learning_rate,
        seed=run.seed,
        scheme=cohort.scheme,
        synth=_synth(run, settings, out, phantoms, device),
        fine_tuned=arm.fine_tuned,
        augment=_augmentation(arm, settings),
        loss=segmentation_loss(),
        device=device,
    )
    scores, slices = cohort.test(network, split.testing)
    write_slice_scores(folder / "slices.csv", slices)
    write_scores(folder / "scores.csv", scores)


def train_synthesizer_of(
    amount: int, seed: int, settings: StudySettings, out: Path, device: str, threads: int = 0
) -> CardiacSynthesizer:
    """Return the synthesizer of an amount's and seed's training patients, trained on nobody else, or go on with it.

    Args:
        amount: of training patients.
        seed: that draws them.
        settings: the study's.
        out: the study's folder.
        device: where to train.
        threads: of the CPU; 0 leaves them as they are.
    """
    if threads:
        torch.set_num_threads(threads)
    cohort = settings.cohort()
    training = cohort.training(training_items(settings, study_split(settings), amount, seed))
    return train_synthesizer(
        training,
        out / "synthesizers" / f"{amount}_patients" / f"seed_{seed}",
        spacing=cohort.spacing(training),
        spatial_size=cohort.size,
        budget=SynthesisBudget(iterations=settings.synthesis_iterations),
        scheme=cohort.scheme,
        view=cohort.view,
        seed=seed,
        device=device,
    )


def _synth(
    run: PlannedRun, settings: StudySettings, out: Path, phantoms: PhantomSynthesizer | None, device: str
) -> RandCardiacSynthd | None:
    """Return the transform of an arm; None without synthesis."""
    arm = ARMS[run.arm]
    if not arm.prob:
        return None
    synthesizer: PhantomSynthesizer | CardiacSynthesizer | None = phantoms
    if arm.source == "vaegan":
        synthesizer = train_synthesizer_of(run.amount, run.seed, settings, out, device).to(device)
    if synthesizer is None:
        raise ValueError("an arm with phantoms needs a PhantomSynthesizer")
    # Slices lie on the synthesizer's own grid: stretched frames have no spacing in common.
    return RandCardiacSynthd(
        (IMAGE, LABEL),
        synthesizer,
        arm.prob,
        arm.mode,
        strength=0.6,
        intensity_range=(0.0, 1.0),
        spacing=synthesizer.spacing,
    )


def _augmentation(arm: Arm, settings: StudySettings) -> Augmentation:
    if arm.augmented:
        return StrongAugmentation((settings.side,) * 2)
    middle = CenterSpatialCrop((1, settings.side, settings.side))
    return lambda image, label, generator: (middle(image), middle(label))


@lru_cache(maxsize=1)
def _validation(settings: StudySettings) -> list[dict[str, Any]]:
    """Return the validation slices; kept, for all runs of a process need the same."""
    return settings.cohort().slices(study_split(settings).validation)


def _run_jobs(jobs: Sequence[Callable[[int], Any]], workers: int, tell: Callable[[], None]) -> None:
    """Run jobs, so many side by side, each given its number of threads (0: as they are); the first error stops all."""
    if workers == 1:
        for job in jobs:
            job(0)
            tell()
        return
    # Forked processes may not use CUDA, nor threads that their parent has started.
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        waiting = {pool.submit(job, 1) for job in jobs}
        try:
            while waiting:
                done, waiting = wait(waiting, timeout=_LOOK, return_when=FIRST_COMPLETED)
                for future in done:
                    future.result()
                tell()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _steps_done(settings: StudySettings, out: Path) -> int:
    """Return the optimizer steps of all runs, as far as their histories tell."""
    histories = (run.folder(out) / "history.csv" for run in planned_runs(settings))
    return sum(settings.iterations_per_round * len(read_csv(path)) for path in histories if path.exists())


__all__ = [
    "PlannedRun",
    "planned_runs",
    "run_arm",
    "run_study",
    "study_split",
    "train_synthesizer_of",
    "training_items",
]
