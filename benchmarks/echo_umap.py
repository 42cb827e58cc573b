"""Do painted echo frames leave out parts of the real ones? The paper's annex B, on painters of benchmarks.echo_causes.

    OMP_NUM_THREADS=1 python -m benchmarks.echo_umap --data CAMUS/database_nifti [--out runs/echo_causes]

Frames of the test patients, of as many training frames, and drawn hearts as painted by the paper's painter and by ours
lie on one UMAP (extra `umap`). Writes OUT/echo_umap.png, which shows points alone, and prints coverage and density.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.echo_arguments import echo_arguments
from benchmarks.echo_causes import Causes, CausesSettings
from monai_cardiacgen.metrics import CoverageDensity, coverage_and_density
from monai_cardiacgen.seeding import seeded
from monai_cardiacgen.studies.bootstrap import bootstrap_mean
from monai_cardiacgen.studies.echo.case_map import (
    CaseMap,
    MapMethod,
    RegionalCoverage,
    block_features,
    coverage_by_region,
    map_cases,
)
from monai_cardiacgen.studies.figure_parts import FIRST, SECOND, dress_axis, new_figure

#: Painters that are drawn beside real training frames, and how they are called.
PAINTERS: Mapping[str, str] = {"paper": "painted, paper's settings", "ours": "painted, ours"}
TRAINING = "real training frames"
COLOURS, MARKERS = ("#2563eb", "#111111", SECOND), ("s", "D", "^")
REGIONS = 6


def features_of(study: Causes) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    """Return the features of the test frames, and of as many others: training frames, and hearts of each painter."""
    real = block_features(torch.stack([one["image"] for one in study.frames("testing")]))
    training = study.frames("training")
    rows = torch.randperm(len(training), generator=seeded(0))[: len(real)]
    others = {TRAINING: block_features(torch.stack([training[row]["image"] for row in rows.tolist()]))}
    for name, title in PAINTERS.items():
        others[title] = block_features(study.painted(name, 0)["image"][: len(real)])
    return real, others


def regions_of(
    real: torch.Tensor, others: Mapping[str, torch.Tensor], method: MapMethod = "umap", regions: int = REGIONS
) -> dict[str, tuple[CaseMap, RegionalCoverage]]:
    """Return each set's place on one map of all, and its coverage and density by region; regions are the same."""
    whole = map_cases(real, torch.cat(list(others.values())), method)
    places = np.split(whole.synthetic, np.cumsum([len(one) for one in others.values()])[:-1])
    found = {}
    for (title, features), where in zip(others.items(), places, strict=True):
        on_map = CaseMap(whole.real, where, method)
        found[title] = on_map, coverage_by_region(on_map, real, features, regions=regions)
    return found


def coverage_cell(found: CoverageDensity, patients: Sequence[str]) -> str:
    """Return coverage with its interval over the patients of the real frames."""
    covered = found.covered.double()
    of_patient = [
        float(covered[[row for row, one in enumerate(patients) if one == patient]].mean())
        for patient in sorted(set(patients))
    ]
    interval = bootstrap_mean(of_patient)
    return f"{found.coverage:.2f} ({interval.low:.2f} to {interval.high:.2f})"


def regions_table(
    found: Mapping[str, tuple[CaseMap, RegionalCoverage]],
    real: torch.Tensor,
    others: Mapping[str, torch.Tensor],
    patients: Sequence[str],
) -> str:
    """Return coverage and density (in brackets, after the number of frames) by region, and of all frames."""
    lines = ["| region | real test frames | " + " | ".join(found) + " |", "| --- " * (2 + len(found)) + "|"]
    first = next(iter(found.values()))[1]
    for number, one in enumerate(first.regions):
        cells = [
            f"{region.coverage:.2f} ({region.synthetic} frames, {region.density:.2f})"
            for region in (regions.regions[number] for _, regions in found.values())
        ]
        lines.append(f"| {number + 1} | {one.real} | {' | '.join(cells)} |")
    compared = {title: coverage_and_density(real, features) for title, features in others.items()}
    for name, cells in (
        ("all: coverage", [coverage_cell(one, patients) for one in compared.values()]),
        ("all: density", [f"{one.density:.2f}" for one in compared.values()]),
        ("all: far from every real frame", [f"{1 - one.precision:.2f}" for one in compared.values()]),
    ):
        lines.append(f"| {name} | {len(real)} | {' | '.join(cells)} |")
    return "\n".join(lines)


def umap_figure(found: Mapping[str, tuple[CaseMap, RegionalCoverage]]) -> Figure:
    """Return the map once for each set, beside the real test frames, and coverage, density and frames by region."""
    figure = new_figure(12.5, 8)
    axes = figure.subplots(2, 3)
    limits = np.concatenate([np.concatenate((one.real, one.synthetic)) for one, _ in found.values()])
    low, high = limits.min(axis=0), limits.max(axis=0)
    margin = 0.05 * (high - low)
    looks = list(zip(COLOURS, MARKERS, strict=True))
    for axis, (title, (on_map, regions)), look in zip(axes[0], found.items(), looks, strict=True):
        _plane(axis, title, on_map, regions, look)
        axis.set_xlim(low[0] - margin[0], high[0] + margin[0])
        axis.set_ylim(low[1] - margin[1], high[1] + margin[1])
    measures = {
        "coverage": "coverage (share of real test frames)",
        "density": "density (1: as the real test frames)",
        "synthetic": "frames (real test frames: bars)",
    }
    for axis, (value, name) in zip(axes[1], measures.items(), strict=True):
        numbers = np.arange(1, len(regions.regions) + 1)
        for shift, (title, (_, by_region)), (colour, marker) in zip((-0.2, 0, 0.2), found.items(), looks, strict=True):
            values = [getattr(one, value) for one in by_region.regions]
            axis.plot(numbers + shift, values, marker, color=colour, label=title, clip_on=False)
        axis.set_xticks(numbers)
        axis.set_ylim(bottom=0)
        axis.set_ylabel(name, fontsize=9)
        dress_axis(axis, "region", "By region")
    axes[1, 2].bar(numbers, [one.real for one in regions.regions], color=FIRST, alpha=0.3, width=0.8)
    axes[1, 2].legend(loc="upper left", frameon=False, fontsize=8)
    return figure


def _plane(axis: Axes, title: str, on_map: CaseMap, regions: RegionalCoverage, look: tuple[str, str]) -> None:
    axis.scatter(*on_map.real.T, s=12, color=FIRST, alpha=0.5, linewidths=0, label="real test frames")
    axis.scatter(*on_map.synthetic.T, s=12, color=look[0], marker=look[1], alpha=0.7, linewidths=0, label=title)
    for number, one in enumerate(regions.regions, start=1):
        box = {"boxstyle": "circle,pad=0.2", "facecolor": "white", "edgecolor": "black", "linewidth": 0.8}
        axis.annotate(str(number), one.centre, ha="center", va="center", fontsize=8, bbox=box)
    dress_axis(axis, "UMAP 1 (no unit)", title[0].upper() + title[1:])
    axis.set_ylabel("UMAP 2 (no unit)", fontsize=9)
    axis.legend(loc="best", fontsize=8, markerscale=1.5)


def main() -> None:
    given = echo_arguments(__doc__).parse_args()
    study = Causes(given.data, given.bundle, given.out, CausesSettings())
    real, others = features_of(study)
    found = regions_of(real, others)
    umap_figure(found).savefig(given.out / "echo_umap.png", dpi=130, metadata={"Software": None})
    print(regions_table(found, real, others, [one["patient"] for one in study.frames("testing")]))


if __name__ == "__main__":
    main()
