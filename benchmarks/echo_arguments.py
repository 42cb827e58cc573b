"""What all commands about echo's causes are given: patients, a folder of results, and the bundle that draws hearts."""

from __future__ import annotations

import argparse
from pathlib import Path

BUNDLE = Path(__file__).parents[1] / "bundles" / "echo_spade"


def echo_arguments(description: str | None) -> argparse.ArgumentParser:
    """Return a parser of `--data`, `--out` and `--bundle`."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="CAMUS's database_nifti")
    parser.add_argument("--out", type=Path, default=Path("runs/echo_causes"))
    parser.add_argument("--bundle", type=Path, default=BUNDLE, help="whose shape model draws the hearts")
    return parser
