"""Tables and figure of docs/echo_causes.md, of the trainings that benchmarks.echo_causes has finished.

    OMP_NUM_THREADS=1 python -m benchmarks.echo_causes_page --data CAMUS/database_nifti [--out runs/echo_causes]

Writes OUT/tables.md, OUT/echo_causes.png and OUT/echo_painters.png, and measures each painter on the label maps of the
test patients.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.echo_arguments import echo_arguments
from benchmarks.echo_causes import ARMS, PAINTERS, Causes, CausesSettings, painted_label
from monai_cardiacgen.anatomy.schemes import CAMUS
from monai_cardiacgen.data.files import load_checkpoint, read_json, whole_file, write_json
from monai_cardiacgen.metrics import checkerboard_score, coverage_and_density
from monai_cardiacgen.metrics.radial_spectrum import spectral_ratio
from monai_cardiacgen.studies.augmentation_study.study_settings import new_network
from monai_cardiacgen.studies.bootstrap import Interval, bootstrap_crossed, bootstrap_difference
from monai_cardiacgen.studies.echo.case_map import block_features
from monai_cardiacgen.studies.echo.style_parts import measure_style_parts
from monai_cardiacgen.studies.evaluation import read_scores
from monai_cardiacgen.studies.figure_parts import (
    FIRST,
    SECOND,
    draw_contours,
    draw_whiskers,
    dress_axis,
    new_figure,
    show_slice,
    structures_legend,
)
from monai_cardiacgen.studies.segmentation import dice_by_volume

MEASURES = ("dice", "hd", "assd")
TITLES: Mapping[str, str] = {
    "real": "real",
    "only_paper": "only painted, paper's settings",
    "only_ours": "only painted, ours",
    "added_paper": "real + painted, paper's settings",
    "added_ours": "real + painted, ours",
    "added_no_diffaugment": "real + painted, ours without DiffAugment",
    "scheduled_paper": "real + painted, paper's settings, then real",
    "scheduled_ours": "real + painted, ours, then real",
    "short_real": "real, a quarter of the steps",
    "only_mirrored": "ours, mirrored",
    "only_no_sector": "ours without the sector",
    "only_no_atrium": "ours without the atrium",
    "only_not_told": "ours, not told view and phase",
    "only_no_diffaugment": "ours without DiffAugment",
    "only_no_noise": "ours without noise",
    "only_no_style": "ours without a style",
    "only_paper_style": "paper's settings with a style head",
    "only_ours_real_maps": "ours on real label maps",
    "only_paper_real_maps": "paper's settings on real label maps",
}
#: What an arm is compared with, where it is not with real frames.
AGAINST: Mapping[str, str] = {
    **{f"only_{name}": "only_ours" for name in PAINTERS if name not in ("paper", "ours")},
    "only_paper_style": "only_paper",
    "only_ours_real_maps": "only_ours",
    "only_paper_real_maps": "only_paper",
}


def patients_of(path: Path, measure: str, contour: str | None = None) -> dict[str, float]:
    """Return each test patient's mean over frames and contours; NaN where a network marked nothing is left out."""
    values: dict[str, list[float]] = {}
    for score in read_scores(path):
        if contour in (None, score.structure):
            values.setdefault(score.patient, []).append(getattr(score, measure))
    return {patient: float(np.nanmean(some)) for patient, some in sorted(values.items())}


class Results:
    """The finished trainings' scores by network and arm: `(trainings, patients)`."""

    def __init__(self, out: Path) -> None:
        self.paths: dict[tuple[str, str], dict[int, Path]] = {}
        for path in sorted((out / "segmentation").glob("*/*/seed_*/scores.csv")):
            network, arm, seed = path.parts[-4:-1]
            self.paths.setdefault((network, arm), {})[int(seed.removeprefix("seed_"))] = path

    def table(self, network: str, arm: str, measure: str, seeds: Sequence[int], contour: str | None) -> np.ndarray:
        """Return the values of some trainings."""
        rows = [patients_of(self.paths[network, arm][seed], measure, contour) for seed in seeds]
        return np.array([list(row.values()) for row in rows])

    def mean(self, network: str, arm: str, measure: str, contour: str | None = None) -> Interval:
        """Return an arm's mean."""
        return bootstrap_crossed(self.table(network, arm, measure, sorted(self.paths[network, arm]), contour))

    def difference(
        self, network: str, arm: str, other: str, measure: str, contour: str | None = None
    ) -> Interval | None:
        """Return arm less other, paired, over the seeds that both have; None where there is none."""
        both = [self.paths.get((network, name), {}) for name in (arm, other)]
        seeds = sorted(set(both[0]) & set(both[1]))
        if not seeds:
            return None
        one, two = (self.table(network, name, measure, seeds, contour) for name in (arm, other))
        return bootstrap_crossed(one - two)

    def trainings(self, network: str, arm: str) -> int:
        """Return how many there are."""
        return len(self.paths[network, arm])


def interval_text(found: Interval | None, measure: str, signed: bool = True) -> str:
    """Return a mean and its interval; bold where a difference's excludes zero."""
    if found is None:
        return ""
    digits = 3 if measure == "dice" else 1
    mean, low, high = (f"{one:{'+' if signed else ''}.{digits}f}" for one in (found.mean, found.low, found.high))
    text = f"{mean} ({low} to {high})".replace("-", "−")
    return f"**{mean.replace('-', '−')}**" + text[len(mean) :] if signed and found.excludes_zero else text


def arms_table(results: Results, network: str) -> str:
    """Return a network's arms, each with its difference to real frames or to ours."""
    lines = ["| arm | trainings | Dice | HD | ASSD | difference in Dice | to |", "| --- " * 7 + "|"]
    for arm, title in TITLES.items():
        if (network, arm) not in results.paths:
            continue
        other = AGAINST.get(arm, "real")
        means = [interval_text(results.mean(network, arm, measure), measure, signed=False) for measure in MEASURES]
        found = None if arm == other else results.difference(network, arm, other, "dice")
        lines.append(
            f"| {title} | {results.trainings(network, arm)} | {' | '.join(means)} | {interval_text(found, 'dice')} | "
            f"{TITLES[other] if found else ''} |"
        )
    return "\n".join(lines)


def contours_table(results: Results, network: str) -> str:
    """Return each arm's mean Dice by contour, with its difference."""
    contours = ("endocardium", "epicardium", "left atrium")
    lines = ["| arm | " + " | ".join(contours) + " |", "| --- " * 4 + "|"]
    for arm, title in TITLES.items():
        if (network, arm) in results.paths:
            other, cells = AGAINST.get(arm, "real"), []
            for contour in contours:
                mean = results.mean(network, arm, "dice", contour).mean
                found = None if arm == other else results.difference(network, arm, other, "dice", contour)
                cells.append(f"{mean:.3f}" + (f", {interval_text(found, 'dice')}" if found else ""))
            lines.append(f"| {title} | {' | '.join(cells)} |")
    return "\n".join(lines)


def painter_measures(study: Causes, name: str, seed: int) -> dict[str, object]:
    """Return what is measured of a painter's images on the test patients' label maps and on the drawn hearts."""
    path = study.out / "painters" / name / f"seed_{seed}" / "measures.json"
    if path.exists():
        return read_json(path)
    frames = study.frames("testing")
    real = torch.stack([one["image"] for one in frames])
    on_real, on_drawn = (study.painted(name, seed, maps) for maps in ("testing", "drawn"))
    names = [one["patient"] for one in frames]
    order = sorted(set(names))
    rows = [[number for number, one in enumerate(names) if one == patient] for patient in order]
    scores = [checkerboard_score(image, (2, 4, 8)) for image in (real, on_real["image"])]
    grid = [
        bootstrap_difference(*([float(one[some, place].mean()) for some in rows] for one in scores))
        for place in range(3)
    ]
    drawn = on_drawn["image"][: len(real)]
    found = coverage_and_density(block_features(real), block_features(drawn))
    painter = study.painter(name, seed)
    measured: dict[str, object] = {
        "checkerboard": [[one.mean, one.low, one.high] for one in grid],
        "power": spectral_ratio(on_real["image"], real, 1.0),
        "coverage": found.coverage,
        "density": found.density,
        "shows its labels": _shown(study, on_drawn),
    }
    if painter.style_encoder is not None:
        label = painted_label(torch.cat([one["label"] for one in frames[:6]]), name, painter.scheme)
        style = painter.encode_style(real[torch.linspace(0, len(real) - 1, 6).long()])
        measured["beyond grey levels"] = measure_style_parts(painter, label, style).beyond_grey_levels
    write_json(path, measured)
    return measured


def _shown(study: Causes, cases: Mapping[str, torch.Tensor]) -> float:
    """Return the Dice of the network of real frames on painted cases: do they show what their labels say?"""
    network = new_network("unet", 0, CAMUS.num_classes)
    network.load_state_dict(load_checkpoint(study.segmentation("unet", "real", 0) / "best.pt")["network"])
    slices = [
        {"image": image, "label": label[None], "patient": str(number), "phase": ""}
        for number, (image, label) in enumerate(zip(cases["image"], cases["label"], strict=True))
    ][:240]
    return float(dice_by_volume(network, slices, CAMUS).nanmean())


def painters_table(study: Causes) -> str:
    """Return what was measured of each painter."""
    lines = [
        "| painter | grid, period 2 | period 4 | period 8 | power, coarse | fine | coverage | density | "
        "shows its labels | styles beyond grey levels |",
        "| --- " * 10 + "|",
    ]
    for name in PAINTERS:
        for seed in (0, 1):
            if (study.out / "painters" / name / f"seed_{seed}" / "on_drawn_maps.pt").exists():
                one = painter_measures(study, name, seed)
                grid = [
                    f"{mean:+.1f} ({low:+.1f} to {high:+.1f})".replace("-", "−")
                    for mean, low, high in one["checkerboard"]
                ]
                power = [f"{value:.2f}" for value in one["power"]]
                rest = [f"{one[key]:.2f}" for key in ("coverage", "density", "shows its labels")]
                beyond = f"{one['beyond grey levels']:.2f}" if "beyond grey levels" in one else "no style"
                title = name if seed == 0 else f"{name}, second training"
                lines.append(f"| {' | '.join([title, *grid, *power, *rest, beyond])} |")
    return "\n".join(lines)


def causes_figure(results: Results) -> Figure:
    """Return the arms' Dice, and what each fix is worth."""
    figure = new_figure(10.5, 4.4)
    left, right = figure.subplots(1, 2, width_ratios=[1.1, 1])
    main = [arm for arm in TITLES if arm not in AGAINST and ("unet", arm) in results.paths][::-1]
    places = np.arange(len(main), dtype=float)
    draw_whiskers(left, [results.mean("unet", arm, "dice") for arm in main], places, FIRST, "o", "U-Net")
    small = [arm for arm in main if ("enet", arm) in results.paths]
    if small:
        where = np.array([main.index(arm) - 0.2 for arm in small])
        draw_whiskers(left, [results.mean("enet", arm, "dice") for arm in small], where, SECOND, "s", "ENet")
    left.set_yticks(places, [TITLES[arm] for arm in main])
    left.legend(frameon=False, fontsize=9)
    dress_axis(left, "Dice on 60 real test patients", "What the networks learn from")
    fixes = [arm for arm in AGAINST if ("unet", arm) in results.paths and AGAINST[arm] == "only_ours"][::-1]
    found = [results.difference("unet", arm, "only_ours", "dice") for arm in fixes]
    draw_whiskers(right, [one for one in found if one], np.arange(len(fixes), dtype=float), FIRST, "o", None)
    right.axvline(0, color="#333333", linewidth=1)
    right.set_yticks(range(len(fixes)), [TITLES[arm].removeprefix("ours, ").removeprefix("ours ") for arm in fixes])
    dress_axis(right, "difference in Dice to all of ours, only painted", "One thing changed in ours")
    return figure


def paintings_figure(out: Path, count: int = 6) -> Figure:
    """Return the first drawn hearts as each painter paints them, with the hearts' contours in the last row."""
    painted = {
        name: load_checkpoint(path)
        for name in PAINTERS
        if (path := out / "painters" / name / "seed_0" / "on_drawn_maps.pt").exists()
    }
    figure = new_figure(1.25 * count + 1.6, 1.25 * (len(painted) + 1))
    axes = figure.subplots(len(painted) + 1, count, squeeze=False)
    for row, (name, cases) in zip(axes, painted.items(), strict=False):
        for axis, image in zip(row, cases["image"], strict=False):
            show_slice(axis, image[0])
        _name_row(row[0], name.replace("_", " "))
    for axis, image, label in zip(axes[-1], cases["image"], cases["label"], strict=False):
        show_slice(axis, torch.zeros_like(image[0]))
        draw_contours(axis, label, CAMUS)
    _name_row(axes[-1, 0], "drawn hearts")
    structures_legend(figure, CAMUS)
    return figure


def _name_row(axis: Axes, name: str) -> None:
    axis.text(-0.05, 0.5, name, transform=axis.transAxes, ha="right", va="center", fontsize=9)


def main(arguments: Sequence[str] | None = None, settings: CausesSettings | None = None) -> None:
    given = echo_arguments(__doc__).parse_args(arguments)
    results = Results(given.out)
    parts = [part(results, network) for network in ("unet", "enet") for part in (arms_table, contours_table)]
    study = Causes(given.data, given.bundle, given.out, settings or CausesSettings())
    text = "\n\n".join([*parts, painters_table(study)]) + "\n"
    with whole_file(given.out / "tables.md") as path:
        path.write_text(text)
    for name, figure in (("echo_causes", causes_figure(results)), ("echo_painters", paintings_figure(given.out))):
        figure.savefig(given.out / f"{name}.png", dpi=130, metadata={"Software": None})
    print(text)


assert set(TITLES) == set(ARMS)

if __name__ == "__main__":
    main()
