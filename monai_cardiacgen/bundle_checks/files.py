"""Is a bundle's folder whole, small enough for the model zoo, and free of paths of one machine?"""

from __future__ import annotations

import re
from pathlib import Path

from .check import Check

#: What the model zoo keeps in git; larger files are linked in `large_files.yml`.
MOST_BYTES = 25_000_000
#: Without these no bundle of the zoo is whole.
_NEEDED = (
    "LICENSE",
    "configs/metadata.json",
    "configs/train.json",
    "configs/inference.json",
    "configs/logging.conf",
    "docs/README.md",
)
_TEXTS = {".json", ".yml", ".yaml", ".md", ".txt", ".conf", ".csv", ".py", ""}
#: Folders that begin on one machine: of a user, of a mounted disk, of a container.
_PERSONAL = re.compile(
    r"(?<![\w.:/])(?:/(?:home|Users|root|mnt|media|tmp|scratch|workspace|work|opt)/[\w.-]+|[A-Za-z]:\\[\w.-]+|~/[\w.-]+)"
)


def check_files(folder: Path) -> list[Check]:
    """Return the checks of what lies in a bundle's folder; a training's checkpoints and results count, too."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    needed = tuple(f"{name} is missing; add it." for name in _NEEDED if not (folder / name).is_file())
    large = tuple(
        f"{path.relative_to(folder)} has {path.stat().st_size / 1e6:.0f} MB; take it out or link it in large_files.yml."
        for path in files
        if path.stat().st_size >= MOST_BYTES
    )
    return [
        Check("all files are there", needed),
        Check(f"every file is below {MOST_BYTES // 1_000_000} MB", large),
        Check("no paths of one machine", tuple(fault for path in files for fault in _personal(path, folder))),
    ]


def _personal(path: Path, folder: Path) -> list[str]:
    """Return a fault for each line of a text file that has such a path."""
    if path.suffix not in _TEXTS:
        return []
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    found = ((number, _PERSONAL.search(line)) for number, line in enumerate(lines, start=1))
    return [
        f"{path.relative_to(folder)}, line {number}: {match[0]} is a path of one machine; make it relative."
        for number, match in found
        if match
    ]


__all__ = ["MOST_BYTES", "check_files"]
