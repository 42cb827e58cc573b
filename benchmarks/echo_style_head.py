"""Does a style head paint more than brightness? The paper's annex E, on painters of benchmarks.echo_causes.

    OMP_NUM_THREADS=1 python -m benchmarks.echo_style_head --data CAMUS/database_nifti [--out runs/echo_causes]

Four-chamber frames at end diastole of the first test patients are each painted in the style of each, and styles are
compared with how the patients themselves differ.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from benchmarks.echo_arguments import echo_arguments
from benchmarks.echo_causes import Causes, CausesSettings, painted_label
from monai_cardiacgen.seeding import seeded
from monai_cardiacgen.studies.echo.style_diversity import measure_style_diversity
from monai_cardiacgen.studies.echo.style_parts import measure_style_parts

#: Painters with a style, and their training.
PAINTERS: Sequence[tuple[str, int]] = (("paper_style", 0), ("ours", 0), ("ours", 1))


def styles_row(study: Causes, name: str, seed: int, patients: int = 20) -> str:
    """Return a painter's line: what two styles change in an image, and how that compares with two patients."""
    frames = [one for one in study.frames("testing") if (one["view"], one["phase"]) == ("4CH", "ED")][:patients]
    painter = study.painter(name, seed)
    image = torch.stack([one["image"] for one in frames])
    label = painted_label(torch.cat([one["label"] for one in frames]), name, painter.scheme)
    parts = measure_style_parts(painter, label[:6], painter.encode_style(image)).styles
    diversity = measure_style_diversity(painter, image, label, seeded(0))
    spreads = [diversity.histogram.diversity, diversity.texture.diversity]
    shares = [one / parts.whole for one in (parts.brightness, parts.contrast, parts.curve, parts.structure)]
    cells = [
        f"{name}, training {seed + 1}",
        f"{parts.whole**0.5:.3f}",
        *(f"{share:.2f}" for share in shares),
        *(f"{one.median:.2f} ({one.low:.2f} to {one.high:.2f})" for one in spreads),
    ]
    return f"| {' | '.join(cells)} |"


def main() -> None:
    given = echo_arguments(__doc__).parse_args()
    study = Causes(given.data, given.bundle, given.out, CausesSettings())
    print("| painter | two styles differ by | brightness | contrast | curve | structure | histogram | texture |")
    print("| --- " * 8 + "|")
    for name, seed in PAINTERS:
        print(styles_row(study, name, seed), flush=True)


if __name__ == "__main__":
    main()
