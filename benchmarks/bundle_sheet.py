"""Draw a sheet of what a bundle paints: `python -m benchmarks.bundle_sheet BUNDLE SHEET.png`."""

from __future__ import annotations

import argparse
from pathlib import Path

from monai_cardiacgen.inferers import CardiacSynthesizer
from monai_cardiacgen.seeding import seeded
from monai_cardiacgen.studies.figures import Cases, hearts_figure


def draw_sheet(bundle: Path, sheet: Path, count: int = 24, seed: int = 0) -> None:
    """Write a PNG of the first `count` slices that a bundle draws, with their labels' contours; none is chosen."""
    synthesizer = CardiacSynthesizer.from_bundle(bundle)
    drawn = synthesizer.sample(count, seeded(seed))
    hearts_figure(Cases(drawn.image, drawn.label), synthesizer.scheme).savefig(sheet, dpi=110)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("bundle", type=Path)
    parser.add_argument("sheet", type=Path)
    parser.add_argument("--count", type=int, default=24)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    draw_sheet(options.bundle, options.sheet, options.count, options.seed)


if __name__ == "__main__":
    main()
