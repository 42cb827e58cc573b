"""The command `cardiacgen check-bundle`: parsing and printing."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .endings import plain_endings

_EXIT_FAULTS = 1


def check_bundle(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of a MONAI bundle; its configs are evaluated.")],
) -> None:
    """Check a bundle by the rules of MONAI's model zoo: a line a check, and what to do. Ends with 1 for any fault.

    Example: cardiacgen check-bundle bundles/cine_mr_vaegan
    """
    with plain_endings("The same command begins anew."):
        from .bundle_checks import check_bundle as checks_of

        checks = checks_of(folder)
    for check in checks:
        typer.echo(f"{'pass' if check.passed else 'FAIL' if check.faults else 'not run':8}{check.name}")
        for told in (*check.faults, check.missing):
            if told:
                typer.echo(f"{'':8}- {told}")
    faulty, left = sum(bool(check.faults) for check in checks), sum(bool(check.missing) for check in checks)
    typer.echo(f"{sum(check.passed for check in checks)} passed, {faulty} failed, {left} could not be run.")
    if faulty:
        raise typer.Exit(_EXIT_FAULTS)


__all__ = ["check_bundle"]
