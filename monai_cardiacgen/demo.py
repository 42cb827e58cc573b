"""The main job from end to end: train a synthesizer, use it as one transform, and see whether it helps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import torch
from rich.console import Console

from ._version import __version__
from .anatomy.schemes import ACDC
from .data import Split, read_acdc, split_by_patient, without_same_scans
from .data.files import read_csv
from .data.slices import IMAGE, LABEL, ShortAxisGrid, load_slices
from .errors import InputError
from .inferers.cardiac_synthesizer import CardiacSynthesizer
from .networks.nets.enet import ENet
from .phantom.write import write_acdc_phantom
from .seeding import seeded
from .studies.comparison import compare_arms, console_table, reading
from .studies.evaluation import Score, evaluate_segmentation, load_test_volumes, read_scores, write_scores
from .studies.figures import Cases
from .studies.report import Report, write_report
from .studies.segmentation import train_segmentation
from .studies.stages import Stages, environment, keep_settings
from .studies.synthesis import SynthesisBudget, train_synthesizer
from .transforms import RandCardiacSynthd
from .types import Mode

ARMS = ("ordinary augmentation", "with RandCardiacSynthd")
_FOLDERS = ("ordinary", "with_synthesis")
_PAIRS, _SHEET = 5, 24


@dataclass(frozen=True)
class DemoSettings:
    """What the demo does; the same settings give the same numbers on a machine with as many threads.

    Attributes:
        data: `"phantom"`, or `"acdc"` for real patients.
        data_dir: ACDC's folder as the challenge ships it; None for the phantom, which the demo writes.
        seed: of everything random.
        patients: how many phantom patients are written; not used for real ones.
        training: patients for training the synthesizer and both arms.
        validation: patients that choose each arm's weights; all others are for testing.
        spacing: in-plane pixel size of the study's grid in mm.
        side: pixels of a slice along both axes.
        margin: pixels more on each side for the synthesizer's training, so that turning brings in no black corners.
        synthesis_iterations: steps of the synthesizer.
        segmentation_iterations: steps of each arm.
        batch_size: slices a step of each arm.
        iterations_per_round: steps between two checkpoints of everything.
        prob: how often `RandCardiacSynthd` replaces a sample.
        modes: its modes with their weights; after so short a training `vary`, which keeps the real surroundings,
            looks most like a scan.
        strength: how far its mode `vary` moves a heart.
        fine_tuned: share of the second arm's steps, the last ones, on real slices alone, as in paper 1.
    """

    data: Literal["phantom", "acdc"] = "phantom"
    data_dir: str | None = None
    seed: int = 0
    patients: int = 20
    training: int = 5
    validation: int = 3
    spacing: float = 2.0
    side: int = 96
    margin: int = 16
    synthesis_iterations: int = 400
    segmentation_iterations: int = 600
    batch_size: int = 8
    iterations_per_round: int = 50
    prob: float = 0.5
    modes: dict[Mode, float] = field(default_factory=lambda: {"vary": 1.0})
    strength: float = 0.6
    fine_tuned: float = 0.4

    def __post_init__(self) -> None:
        if self.data == "phantom" and self.training + self.validation >= self.patients:
            raise InputError(f"Expected patients left for testing, got {self.patients}; ask for more with --patients.")
        if (self.data == "acdc") != (self.data_dir is not None):
            raise InputError(
                f"Expected a data folder with --data acdc, and none with the phantom, got {self.data!r} and "
                f"{self.data_dir!r}; name ACDC's folder with --data-dir."
            )


def run_demo(settings: DemoSettings, out: Path, console: Console) -> Path:
    """Run the demo, or go on with it where it was stopped; print the table and return the page's path.

    Args:
        settings: what to do.
        out: folder of all that is written; a run with other settings needs another one.
        console: where bars and table are printed.

    Raises:
        InputError: when `out` was begun with other settings, or the settings do not fit the data.
        DataError: when the data is missing or damaged.
    """
    keep_settings(out / "settings.json", {**asdict(settings), "version": __version__})
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    _print_protocol(settings, out, console)
    with Stages(out / "times.json", console) as stages:
        split = _split(settings, out, stages)
        keep_settings(out / "split.json", {name: _patients(items) for name, items in vars(split).items()})
        grid = ShortAxisGrid((settings.spacing,) * 2, (settings.side,) * 2)
        with stages.stage("Load training slices") as progress:
            training = load_slices(split.training, grid, progress=progress)
            validation = load_slices(split.validation, grid)
        synthesizer = _synthesizer(settings, split, out, stages, device)
        scores = _arms(settings, training, validation, split, synthesizer, grid, out, stages, device)
        with stages.stage("Write the page"):
            report = _report(settings, split, training, synthesizer, scores, out, stages, device)
            page = write_report(report, out / "index.html")
    rows = compare_arms(*scores, seed=settings.seed)
    console.print(console_table(rows, ARMS))
    for sentence in reading(rows, ARMS):
        console.print(sentence, highlight=False)
    console.print(f"The page with pictures and curves: [bold]{page.resolve()}[/bold]", soft_wrap=True)
    return page


def _print_protocol(settings: DemoSettings, out: Path, console: Console) -> None:
    source = "phantom patients that it writes itself" if settings.data == "phantom" else settings.data_dir
    console.print(
        f"Data: {source}. Patients: {settings.training} for training, {settings.validation} for validation, all "
        f"others for testing; never split by slice. Seed {settings.seed}. Each arm: "
        f"{settings.segmentation_iterations} steps. All is written to {out}; stopped, the same command goes on.",
        highlight=False,
    )


def _split(settings: DemoSettings, out: Path, stages: Stages) -> Split:
    folder = out / "phantom" if settings.data_dir is None else Path(settings.data_dir)
    if settings.data_dir is None:
        with stages.stage("Write phantom patients") as progress:
            write_acdc_phantom(folder, settings.patients, settings.seed, lambda done: progress(done, settings.patients))
    items = without_same_scans(read_acdc(folder))
    return split_by_patient(items, settings.training, settings.validation, settings.seed)


def _synthesizer(
    settings: DemoSettings, split: Split, out: Path, stages: Stages, device: torch.device
) -> CardiacSynthesizer:
    """Train on the training patients, write the bundle, and read it back: what follows uses what a user would."""
    name, bundle = "Train the synthesizer", out / "bundle"
    with stages.stage(name) as progress:
        if not stages.is_done(name):
            wide = ShortAxisGrid((settings.spacing,) * 2, (settings.side + 2 * settings.margin,) * 2)
            trained = train_synthesizer(
                load_slices(split.training, wide, hearts_only=True),
                out / "synthesizer",
                spacing=(settings.spacing, settings.spacing),
                spatial_size=(settings.side, settings.side),
                budget=SynthesisBudget(
                    iterations=settings.synthesis_iterations, iterations_per_round=settings.iterations_per_round
                ),
                seed=settings.seed,
                device=device,
                progress=progress,
            )
            trained.to_bundle(bundle)
    return CardiacSynthesizer.from_bundle(bundle).to(device)


def _arms(
    settings: DemoSettings,
    training: Sequence[dict[str, Any]],
    validation: Sequence[dict[str, Any]],
    split: Split,
    synthesizer: CardiacSynthesizer,
    grid: ShortAxisGrid,
    out: Path,
    stages: Stages,
    device: torch.device,
) -> tuple[list[Score], list[Score]]:
    """Train and test both arms from the same weights, with the same batches and the same number of steps."""
    volumes: list[dict[str, Any]] = []
    scores = []
    synth = RandCardiacSynthd(
        (IMAGE, LABEL),
        synthesizer,
        prob=settings.prob,
        mode=settings.modes,
        strength=settings.strength,
        intensity_range=(0.0, 1.0),
    )
    for arm, name, transform in zip(ARMS, _FOLDERS, (None, synth), strict=True):
        path = out / name / "scores.csv"
        with torch.random.fork_rng():
            torch.manual_seed(settings.seed)
            network = ENet(2, in_channels=1, out_channels=ACDC.num_classes)
        with stages.stage(f"Train: {arm}") as progress:
            best = train_segmentation(
                network,
                training,
                validation,
                out / name,
                iterations=settings.segmentation_iterations,
                iterations_per_round=settings.iterations_per_round,
                batch_size=settings.batch_size,
                seed=settings.seed,
                synth=transform,
                fine_tuned=settings.fine_tuned,
                device=device,
                progress=progress,
            )
        with stages.stage(f"Test: {arm}") as progress:
            if not path.exists():
                volumes = volumes or load_test_volumes(split.testing, grid)
                tested, _ = evaluate_segmentation(best, volumes, grid, progress=progress)
                write_scores(path, tested)
        scores.append(read_scores(path))
    return scores[0], scores[1]


def _report(
    settings: DemoSettings,
    split: Split,
    training: Sequence[dict[str, Any]],
    synthesizer: CardiacSynthesizer,
    scores: tuple[list[Score], list[Score]],
    out: Path,
    stages: Stages,
    device: torch.device,
) -> Report:
    hearts = [one for one in training if bool(one[LABEL].any())]
    shown = [hearts[(2 * number + 1) * len(hearts) // (2 * _PAIRS)] for number in range(_PAIRS)]
    image = torch.stack([one[IMAGE].as_tensor() for one in shown])
    label = torch.stack([one[LABEL].as_tensor()[0] for one in shown])
    generator = seeded(settings.seed)
    made = {
        "vary": synthesizer.vary(image, label, settings.strength, generator),
        "restyle": synthesizer.restyle(image, label, generator),
        "new": synthesizer.sample(_PAIRS, generator),
    }
    sheet = synthesizer.sample(_SHEET, generator)
    kind = "phantom" if settings.data == "phantom" else "ACDC"
    return Report(
        title="Does a cardiac image synthesizer help to segment?",
        question=(
            f"ENet was trained twice on the same {settings.training} {kind} patients, once with ordinary augmentation "
            f"alone and once with RandCardiacSynthd added, and tested on {len(_patients(split.testing))} patients "
            f"that nothing was trained on."
        ),
        steps=_steps(settings, kind, split),
        arms=ARMS,
        scores=scores,
        histories=(read_csv(out / _FOLDERS[0] / "history.csv"), read_csv(out / _FOLDERS[1] / "history.csv")),
        synthesis=read_csv(out / "synthesizer" / "synthesis.csv"),
        real=Cases(image, label),
        synthetic={mode: Cases(cases.image.cpu(), cases.label.cpu()) for mode, cases in made.items()},
        hearts=Cases(sheet.image.cpu(), sheet.label.cpu()),
        scheme=ACDC,
        split={name: _patients(items) for name, items in vars(split).items()},
        settings={name: str(value) for name, value in asdict(settings).items()},
        timings=stages.seconds,
        environment=environment(device),
        provenance=synthesizer.provenance,
        caveats=_caveats(settings),
        seed=settings.seed,
    )


def _steps(settings: DemoSettings, kind: str, split: Split) -> list[str]:
    modes = ", ".join(f"{mode} {weight:.0%}" for mode, weight in settings.modes.items())
    tuned = f", but for the last {settings.fine_tuned:.0%} of the steps" if settings.fine_tuned else ""
    return [
        f"The {kind} patients were split by patient, with the pathology groups as even as possible: "
        f"{settings.training} for training, {settings.validation} for validation, the rest for testing.",
        f"Slices were resampled to {settings.spacing:g} mm and cut to {settings.side} × {settings.side} pixels; the "
        f"intensities of each stack were scaled to [0, 1] by their 0.5 and 99.5 percentiles.",
        f"An anatomical variational autoencoder and a SPADE GAN were trained together for "
        f"{settings.synthesis_iterations} steps on the training patients alone, and written as a bundle.",
        f"ENet was trained twice from the same weights for {settings.segmentation_iterations} steps on the "
        f"{len(split.training)} training stacks, with rotations, shifts, scaling, contrast and noise; in the second "
        f"arm RandCardiacSynthd first replaced each slice with probability {settings.prob:g} ({modes}){tuned}.",
        "The weights that were best on the validation patients were tested on the test patients, on the grid of the "
        "files. Intervals are 95 % percentile bootstrap intervals over patients; the difference is paired.",
    ]


def _caveats(settings: DemoSettings) -> list[str]:
    caveats = [
        "Each arm was trained once: the intervals tell how the numbers depend on which patients were tested, not on "
        "the seed of the training."
    ]
    if settings.data == "phantom":
        caveats.append(
            "Phantom patients are made by formulas: this run shows that the parts work together, not what they are "
            "worth on real scans. Run it with --data acdc for that."
        )
    return caveats


def _patients(items: Sequence[dict[str, Any]]) -> list[str]:
    return sorted({item["patient"] for item in items})
