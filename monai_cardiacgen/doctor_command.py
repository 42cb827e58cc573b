"""The command `cardiacgen doctor`: what this machine has, and what is missing."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires, version
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import typer
from packaging.requirements import Requirement
from rich.console import Console
from rich.table import Column, Table

from .endings import plain_endings

_PACKAGE = "monai_cardiacgen"
#: Free room below which a training with its checkpoints may not fit.
_LEAST_GIB = 2.0


class Finding(NamedTuple):
    """One line of the report.

    Attributes:
        what: was looked at.
        found: in words.
        remedy: what to do; empty where nothing is wrong.
    """

    what: str
    found: str
    remedy: str = ""


def doctor() -> None:
    """Say which versions and devices there are, what is missing, and how to get it; code 1 if something is wrong.

    Example: cardiacgen doctor
    """
    with plain_endings("Nothing was changed."):
        findings = [*find_packages(), *find_devices(), find_room(Path.cwd())]
        table = Table(Column(overflow="fold"), Column("found", overflow="fold"), "what to do", box=None)
        for one in findings:
            table.add_row(one.what, one.found, one.remedy)
        Console().print(table)
        ill = [one for one in findings if one.remedy]
        typer.echo(f"{len(ill)} of {len(findings)} need something." if ill else "All is well.")
        raise typer.Exit(int(bool(ill)))


def find_packages() -> Iterator[Finding]:
    """Yield Python, this package and each of the packages that it requires; extras only where they are there."""
    yield Finding("Python", f"{platform.python_version()}, {sys.executable}")
    yield Finding(_PACKAGE, version(_PACKAGE))
    for line in requires(_PACKAGE) or []:
        wanted = Requirement(line)
        extra = wanted.marker is not None and not wanted.marker.evaluate({"extra": ""})
        try:
            found = version(wanted.name)
        except PackageNotFoundError:
            if not extra:
                yield Finding(wanted.name, "missing", f'pip install "{wanted}"')
            continue
        if wanted.specifier.contains(found, prereleases=True):
            if not extra:
                yield Finding(wanted.name, found)
        else:
            yield Finding(wanted.name, found, f'pip install "{wanted.name}{wanted.specifier}"')


def find_devices() -> Iterator[Finding]:
    """Yield the processor, what its vector units can do, and each GPU."""
    if find_spec("torch") is None:
        return
    import torch

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    yield Finding("processor", f"{platform.machine()}, {cores} cores, torch uses {torch.get_num_threads()} threads")
    tiles = torch.cpu._is_amx_tile_supported()
    pays = "AMX: bfloat16 is used" if tiles else "no AMX: float32 is faster than bfloat16, and is used"
    yield Finding("vector units", f"{torch.backends.cpu.get_cpu_capability()}, {pays}")
    for number in range(torch.cuda.device_count()):
        memory = torch.cuda.get_device_properties(number).total_memory / 2**30
        yield Finding(f"GPU {number}", f"{torch.cuda.get_device_name(number)}, {memory:.0f} GiB")
    if not torch.cuda.is_available():
        built = f"torch is built for CUDA {torch.version.cuda}" if torch.version.cuda else "torch is built for the CPU"
        yield Finding("GPU", f"none; {built}")


def find_room(folder: Path) -> Finding:
    """Return whether results can be written to a folder."""
    free = shutil.disk_usage(folder).free / 2**30
    if not os.access(folder, os.W_OK):
        return Finding(f"{folder}", "cannot be written", "pass another folder with --out")
    scarce = "" if free >= _LEAST_GIB else f"free at least {_LEAST_GIB:g} GiB, or pass another folder with --out"
    return Finding(f"{folder}", f"{free:.1f} GiB free", scarce)


__all__ = ["Finding", "doctor", "find_devices", "find_packages", "find_room"]
