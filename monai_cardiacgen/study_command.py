"""The command `cardiacgen study`: parsing, progress and calls."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from .endings import plain_endings


class Preset(str, Enum):
    """How large a study is."""

    quick = "quick"
    few = "few"
    paper1 = "paper1"
    echo = "echo"
    paper3 = "paper3"


def study(
    data_dir: Annotated[Path, typer.Argument(help="ACDC's training folder, or CAMUS's, as it is shipped.")],
    preset: Annotated[
        Preset,
        typer.Option(
            help="ACDC: quick, one comparison; few, 5 and 10 patients, 3 seeds; paper1, all, on a GPU. "
            "CAMUS: echo, 8, 20 and 50 patients, 3 seeds; paper3, all, on a GPU."
        ),
    ] = Preset.few,
    out: Annotated[Path | None, typer.Option(help="Folder of the results.", show_default="runs/study_PRESET")] = None,
    amount: Annotated[
        list[int] | None, typer.Option(help="Number of training patients; repeat it for several.")
    ] = None,
    seed: Annotated[list[int] | None, typer.Option(help="Of patients and weights; repeat it for several.")] = None,
    arm: Annotated[list[str] | None, typer.Option(help="Way to train, see docs/study.md; repeat for several.")] = None,
    network: Annotated[list[str] | None, typer.Option(help="unet, enet or a JSON file with a _target_.")] = None,
    split: Annotated[
        Path | None, typer.Option(help="JSON file of the patients for training, validation, test.")
    ] = None,
    sunnybrook: Annotated[
        Path | None, typer.Option(help="Sunnybrook's folder: the networks of ACDC are tested there, too.")
    ] = None,
    workers: Annotated[int, typer.Option(min=1, help="Trainings side by side.")] = 2,
) -> None:
    """Does synthesis help? Train with and without it on few real patients, test on others, write a page.

    Example: cardiacgen study ACDC/training --preset quick
    """
    with plain_endings(
        "The same command goes on where it was.", "To try it without data: cardiacgen phantom patients --patients 60"
    ):
        import torch

        from .studies.augmentation_study.elsewhere import score_on_sunnybrook
        from .studies.augmentation_study.study import run_study
        from .studies.augmentation_study.study_page import write_study_page
        from .studies.augmentation_study.study_pictures import worst_slices
        from .studies.augmentation_study.study_settings import preset_settings

        folder = out or Path(f"runs/study_{preset.value}")
        settings = preset_settings(
            preset.value,
            data_dir.resolve(),
            amounts=None if not amount else tuple(sorted(amount)),
            seeds=None if not seed else tuple(seed),
            arms=None if not arm else tuple(arm),
            networks=None if not network else tuple(network),
            split=None if split is None else str(split.resolve()),
        )
        device = "cuda" if torch.cuda.is_available() else "cpu"
        columns = (TextColumn("Training steps"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
        with Progress(*columns, TimeRemainingColumn(), console=Console()) as bar:
            task = bar.add_task("", total=None)
            run_study(
                settings,
                folder,
                workers=workers,
                device=device,
                progress=lambda done, total: bar.update(task, completed=done, total=total),
            )
        if sunnybrook is not None:
            score_on_sunnybrook(settings, folder, sunnybrook)
        page = write_study_page(folder, worst_slices(settings, folder))
        typer.echo(f"The page with tables and figures: {page.resolve()}")


__all__ = ["Preset", "study"]
