"""The command `cardiacgen card`: parsing, progress and calls."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from .endings import plain_endings


def card(
    folder: Annotated[Path, typer.Argument(metavar="SET", help="Folder of a synthetic set.")],
    real: Annotated[
        Path, typer.Option(help="Real labelled patients: ACDC's or CAMUS's folder, a folder of pairs, a dataset.json.")
    ],
    split: Annotated[
        Path | None,
        typer.Option(help="JSON file of the patients for training, validation and testing of the generator."),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder of the card.", show_default="runs/card_SET")] = None,
    downstream: Annotated[
        bool, typer.Option("--downstream", help="Train a network on the set, and test it on real patients.")
    ] = False,
    iterations: Annotated[int, typer.Option(min=50, help="Steps of each network, a multiple of 50.")] = 300,
    seed: Annotated[int, typer.Option(min=0, help="Seed of everything random.")] = 0,
) -> None:
    """Say what a synthetic set holds, how good it is, and whether it copies training patients: a page and JSON.

    Example: cardiacgen card runs/set --real ACDC/training --split runs/demo/split.json --downstream
    """
    with plain_endings(
        "The same command goes on where it was.", "A set is made by: cardiacgen generate BUNDLE --out SET"
    ):
        from .studies.card.synthetic_card import CardSettings, make_card
        from .studies.card.synthetic_card_page import verdict, write_card_page

        target = out or Path("runs") / f"card_{folder.resolve().name}"
        settings = CardSettings(
            str(folder.resolve()),
            str(real.resolve()),
            None if split is None else str(split.resolve()),
            downstream,
            iterations,
            seed=seed,
        )
        made = make_card(settings, target, Console())
        page = write_card_page(made, target / "index.html")
        for sentence in verdict(made):
            typer.echo(sentence)
        typer.echo(f"The page with pictures and tables: {page.resolve()}")


__all__ = ["card"]
