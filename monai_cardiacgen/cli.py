"""The commands: parsing, progress and calls."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import timedelta
from enum import Enum
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TimeRemainingColumn, track
from rich.text import Text

from ._version import __version__
from .card_command import card
from .check_bundle_command import check_bundle
from .doctor_command import doctor
from .endings import plain_endings
from .label_command import label
from .study_command import study

# Torch and MONAI take seconds to import: commands do it themselves, so that --help and --version are quick.

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

_LINE_EVERY = 60  # seconds between lines of progress in a log


class Data(str, Enum):
    """Where the demo's patients come from."""

    phantom = "phantom"
    acdc = "acdc"


class Layout(str, Enum):
    """The dataset in whose layout phantom patients are written."""

    acdc = "acdc"
    camus = "camus"
    mmwhs_ct = "mmwhs-ct"
    mmwhs_mr = "mmwhs-mr"


class Form(str, Enum):
    """How a synthetic set is written."""

    nifti = "nifti"
    nnunet = "nnunet"
    hdf5 = "hdf5"


class Modality(str, Enum):
    """What kind of images a bundle makes, as DICOM calls it."""

    MR = "MR"
    CT = "CT"
    US = "US"


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"cardiacgen {__version__}")
        raise typer.Exit


@app.callback()
def cardiacgen(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and end.")
    ] = False,
) -> None:
    """Labelled synthetic cardiac images for MONAI.

    Begin with: cardiacgen doctor, then cardiacgen phantom patients, then cardiacgen demo
    """


@app.command(rich_help_panel="Begin")
def demo(
    data: Annotated[Data, typer.Option(help="Phantom patients, which need no download, or real ones.")] = Data.phantom,
    data_dir: Annotated[Path | None, typer.Option(help="ACDC's training folder as the challenge ships it.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder of the results.", show_default="runs/demo or runs/acdc")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of everything random.")] = 0,
    patients: Annotated[int, typer.Option(min=3, help="Phantom patients to write.")] = 20,
    training: Annotated[
        int | None, typer.Option(min=1, help="Patients to train with.", show_default="5, for ACDC 8")
    ] = None,
    validation: Annotated[
        int | None, typer.Option(min=1, help="Patients to validate with.", show_default="3, for ACDC 12")
    ] = None,
    synthesis_iterations: Annotated[int, typer.Option(min=50, help="Steps of the synthesizer.")] = 400,
    segmentation_iterations: Annotated[
        int | None, typer.Option(min=50, help="Steps of each arm.", show_default="600, for ACDC 800")
    ] = None,
) -> None:
    """Train a synthesizer, use it as one transform, and see whether it helps to segment.

    Example: cardiacgen demo --data acdc --data-dir ACDC/training
    """
    with plain_endings("The same command goes on where it was."):
        from .demo import DemoSettings, run_demo

        real = data is Data.acdc
        settings = DemoSettings(
            data=data.value,
            data_dir=None if data_dir is None else str(data_dir.resolve()),
            seed=seed,
            patients=patients,
            training=training or (8 if real else 5),
            validation=validation or (12 if real else 3),
            synthesis_iterations=synthesis_iterations,
            segmentation_iterations=segmentation_iterations or (800 if real else 600),
        )
        run_demo(settings, out or Path("runs/acdc" if real else "runs/demo"), Console())


@app.command(rich_help_panel="Make")
def hearts(
    data_dir: Annotated[Path, typer.Argument(help="Folder of labelled patients in ACDC's layout.")],
    out: Annotated[Path, typer.Option(help="Folder of the results.")] = Path("runs/hearts"),
    count: Annotated[int, typer.Option(min=1, help="Label maps to draw.")] = 10_000,
    patients: Annotated[int, typer.Option(min=0, help="Whole patients to draw.")] = 3,
    frames: Annotated[int, typer.Option(min=3, help="Frames of each patient's cine.")] = 30,
    ejection_fraction: Annotated[
        float | None, typer.Option(min=0.05, max=0.85, help="Of the patients.", show_default="whatever is drawn")
    ] = None,
    iterations: Annotated[int, typer.Option(min=100, help="Training steps of each shape model.")] = 1800,
    seed: Annotated[int, typer.Option(min=0, help="Seed of everything random.")] = 0,
) -> None:
    """Learn the shapes of hearts, and draw label maps, stacks and cines that keep all anatomical criteria.

    Example: cardiacgen hearts ACDC/training --count 1000 --patients 1
    """
    with plain_endings(
        "The same command goes on where it was.", "Patients to try it with: cardiacgen phantom patients --patients 20"
    ):
        from .studies.hearts import HeartsSettings, run_hearts

        settings = HeartsSettings(str(data_dir.resolve()), count, patients, frames, ejection_fraction, iterations, seed)
        run_hearts(settings, out, Console())


app.command(rich_help_panel="Judge")(study)
app.command(rich_help_panel="Judge")(card)
app.command(rich_help_panel="Judge")(check_bundle)
app.command(rich_help_panel="Begin")(doctor)
app.command(rich_help_panel="Make")(label)


@app.command(rich_help_panel="Begin")
def phantom(
    out: Annotated[Path, typer.Argument(help="Folder to write to; patients that it holds are kept.")],
    patients: Annotated[int, typer.Option(min=1, help="How many patients the folder shall hold.")] = 10,
    seed: Annotated[int, typer.Option(min=0, help="A patient depends on it and on its own number.")] = 0,
    dataset: Annotated[
        Layout, typer.Option(help="Cine MR as ACDC, apical echo as CAMUS, whole-heart CT or MR as MM-WHS.")
    ] = Layout.acdc,
) -> None:
    """Write phantom patients in a public dataset's layout.

    Example: cardiacgen phantom patients --patients 20 --dataset camus
    """
    with plain_endings("The same command goes on where it was."):
        from . import phantom as phantoms

        writers: dict[Layout, Callable[..., Path]] = {
            Layout.acdc: phantoms.write_acdc_phantom,
            Layout.camus: phantoms.write_camus_phantom,
            Layout.mmwhs_ct: partial(phantoms.write_mmwhs_phantom, modality="ct"),
            Layout.mmwhs_mr: partial(phantoms.write_mmwhs_phantom, modality="mr"),
        }
        for number in track(range(1, patients + 1), description="Phantom patients"):
            writers[dataset](out, number, seed)
        typer.echo(f"{patients} patients in {out}")


class _Rate(ProgressColumn):
    """Cases a second, over the last half minute and in the end over all."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:.3g} cases/s")


class _CasesShown:
    """Shows how many cases there are, the rate and the remaining time; into a file or a pipe a line a minute."""

    def __init__(self, console: Console) -> None:
        columns = (BarColumn(), MofNCompleteColumn(), _Rate(), TimeRemainingColumn())
        self._bar = Progress("Synthetic cases", *columns, console=console, speed_estimate_period=30)
        self._begun = self._told = (monotonic(), 0)

    def __enter__(self) -> Callable[[int, int], None]:
        return self._show

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def _show(self, done: int, total: int) -> None:
        if not self._bar.tasks:  # other ranks than the first are never called, and draw nothing
            self._bar.add_task("", completed=done, total=total)
            self._begun = self._told = (monotonic(), done)
            self._bar.start()
        self._bar.update(self._bar.task_ids[0], completed=done)
        now = monotonic()
        if not self._bar.console.is_terminal and now - self._told[0] >= _LINE_EVERY:
            rate = (done - self._begun[1]) / (now - self._begun[0])
            left = timedelta(seconds=round((total - done) / max(rate, 1e-9)))
            self._bar.console.print(f"{done} of {total} cases, {rate:.3g} cases/s, {left} left")
            self._told = (now, done)


@app.command(rich_help_panel="Make")
def generate(
    bundle: Annotated[
        Path, typer.Argument(help="MONAI bundle with a synthesizer: folder, zip file, or name in the hub.")
    ],
    out: Annotated[Path, typer.Option(help="Folder of the set; for hdf5 the file; for nnunet the folder nnUNet_raw.")],
    count: Annotated[int, typer.Option("--count", "-n", min=1, help="How many cases the set shall hold.")] = 100,
    seed: Annotated[int, typer.Option(min=0, help="A case depends on it and on its own number.")] = 0,
    form: Annotated[Form, typer.Option("--format", help="How the set is written.")] = Form.nifti,
    modality: Annotated[Modality, typer.Option(help="What the images are.")] = Modality.MR,
    dataset_id: Annotated[int, typer.Option(min=1, max=999, help="For nnunet: NNN of DatasetNNN_Name.")] = 500,
    first: Annotated[int, typer.Option(min=0, help="Number of the first case, for one shard of a larger set.")] = 0,
    force: Annotated[
        bool, typer.Option("--force", help="For nnunet: export a set with copies of training images, and say so in it.")
    ] = False,
) -> None:
    """Write a set of synthetic cases; stopped, the same command goes on, and a larger count adds to the set.

    Example: cardiacgen generate runs/demo/bundle -n 1000 --out runs/set

    Several processes make the same set together: torchrun --nproc-per-node 2 -m monai_cardiacgen generate ...
    """
    with plain_endings(
        "The same command goes on where it was.", "A bundle is made by: cardiacgen demo, which writes runs/demo/bundle"
    ):
        from .data.nnunet_export import Copies
        from .generate import generate_set

        with _CasesShown(Console()) as shown:
            copies: Copies = "export" if force else "refuse"
            written = generate_set(
                bundle, out, count, seed, form.value, modality.value, dataset_id, first, shown, copies
            )
        if os.environ.get("RANK", "0") == "0":
            typer.echo(f"{count} cases in {written}")


def main() -> None:
    """Run the command line; the console script `cardiacgen`."""
    # OpenMP's threads wait for each other by spinning for milliseconds: beside another busy process that makes
    # training tens of times slower. A short spin costs nothing on an idle machine. It must be set before torch loads.
    os.environ.setdefault("GOMP_SPINCOUNT", "20000")
    app()
