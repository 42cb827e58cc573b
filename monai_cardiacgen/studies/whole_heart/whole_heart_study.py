"""The study of whole-heart CT from patients to tables and pictures; stopped, it goes on where it was."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ...anatomy.schemes import MM_WHS, WHOLE_HEART_NAME
from ...data.axial_slices import AxialSlices
from ...data.files import load_checkpoint, read_csv, save_checkpoint, whole_file, write_csv, write_json
from ...data.slices import IMAGE, LABEL
from ...inferers import SimilarityFilter
from ...metrics import RandomFeatures
from ...networks.nets import ENet
from ...phantom.write_mmwhs import write_mmwhs_phantom
from ..heart_figures import save_figure
from ..segmentation import dice_by_volume, train_segmentation
from .conditional_gan_figures import curves_figure, progress_figure
from .conditional_painter import ConditionalPainter
from .memorising import memorising_painter
from .random_structures import kept_structures
from .whole_heart_figures import closest_pairs_figure, conditions_figure
from .whole_heart_scores import (
    MeanPainter,
    Painter,
    Slices,
    by_patient,
    feature_distances,
    painted_by_condition,
    score_patients,
    stacked,
    with_segmentation,
)
from .whole_heart_tables import condition_table, filter_table, structure_table

Progress = Callable[[str, int, int], None]
PARTS = ("training", "validation", "testing")
STRUCTURES = MM_WHS.names[1:]
MEANS = "whole heart, mean greys"
SPACE = "64 random convolution features, seed 0"


@dataclass(frozen=True)
class WholeHeartStudySettings:
    """Who is trained on and tested on, and how.

    Attributes:
        patients: for training, validation and testing.
        seed: of phantoms: this one for training, the next two for the others.
        step: every how many slices of a volume one is taken.
        each: every how many of the test patients' slices one is measured.
        segmentation: steps of the network that reads labels back.
        memorised: images that a generator is made to memorise.
        memorising: steps in which it does.
        refused: share of real images of new patients that the similarity filter may refuse.
    """

    patients: tuple[int, int, int] = (60, 20, 24)
    seed: int = 200
    step: int = 2
    each: int = 3
    segmentation: int = 300
    memorised: int = 5
    memorising: int = 150
    refused: float = 0.05


def run_whole_heart_study(
    out: Path,
    settings: WholeHeartStudySettings,
    bundle: Path,
    folder: Path | None = None,
    progress: Progress | None = None,
) -> str:
    """Write tables and pictures into a folder, and return the tables as Markdown.

    Args:
        out: of the results; delete it to begin anew.
        settings: as in the run that it goes on with.
        bundle: with a painter that was trained on the training patients; curves and samples of its training, where the
            bundle has them, are drawn.
        folder: with `training`, `validation` and `testing`, volumes of one's own in MM-WHS's layout; by default
            phantoms are written to `out`.
        progress: called with a stage, what is done of it, and its total.
    """
    tell = progress or (lambda stage, done, total: None)
    painter = ConditionalPainter.from_bundle(bundle)
    parts = _parts(out, settings, painter, folder, tell)
    segmenter = _segmenter(out / "segmentation", settings, parts, tell)
    painters: dict[str | None, Painter] = {None: painter, MEANS: MeanPainter(parts["training"])}
    parts = {**parts, "testing": parts["testing"][:: settings.each]}
    rows, distances = _scored(out, parts, painters, segmenter, painter.about["window"], tell)
    _draw(out, parts["testing"], painter, bundle / "models")
    dice = dice_by_volume(segmenter, _phased(parts["validation"][::3]), MM_WHS).nanmean(dim=0)
    write_json(
        out / "results.json",
        {
            "settings": asdict(settings),
            "slices": {part: len(slices) for part, slices in parts.items()},
            "feature_space": SPACE,
            "distances": distances,
            "validation_dice": dict(zip(STRUCTURES, dice.tolist(), strict=True)),
        },
    )
    refused = _filtered(out, settings, parts, painter, tell)
    text = "\n\n".join([condition_table(rows, distances), structure_table(rows), filter_table(refused)])
    with whole_file(out / "tables.md") as beside:
        beside.write_text(text + "\n", encoding="utf-8")
    return text


def _parts(
    out: Path,
    settings: WholeHeartStudySettings,
    painter: ConditionalPainter,
    folder: Path | None,
    tell: Progress,
) -> dict[str, Slices]:
    """Return the slices of training, validation and testing, from the file that an earlier run wrote."""
    path = out / "slices.pt"
    parts: dict[str, Slices] = {}
    if path.is_file():
        return load_checkpoint(path)
    for number, (part, count) in enumerate(zip(PARTS, settings.patients, strict=True)):
        root = (out / "volumes" if folder is None else folder) / part
        if folder is None:
            write_mmwhs_phantom(root, count, settings.seed + number, "ct", _of(tell, f"{part} patients", count))
        parts[part] = AxialSlices(
            root,
            [painter.about["side"]] * 2,
            window=painter.about["window"],
            step=settings.step,
            patients=count,
            progress=_of(tell, f"{part} slices", count),
        ).elements
    save_checkpoint(path, parts)
    return parts


def _of(tell: Progress, stage: str, total: int) -> Callable[[int], None]:
    return lambda done: tell(stage, done, total)


def _phased(slices: Slices) -> list[dict[str, Any]]:
    """Return the slices with the one phase that CT has, as the segmentation's validation wants it."""
    return [{**one, "phase": ""} for one in slices]


def _segmenter(
    folder: Path, settings: WholeHeartStudySettings, parts: Mapping[str, Slices], tell: Progress
) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = ENet(2, 1, MM_WHS.num_classes)
    return train_segmentation(
        network,
        _phased(parts["training"]),
        _phased(parts["validation"][::3]),
        folder,
        iterations=settings.segmentation,
        iterations_per_round=min(100, settings.segmentation),
        batch_size=8,
        scheme=MM_WHS,
        progress=lambda done, total: tell("segmentation", done, total),
    )


def _scored(
    out: Path,
    parts: Mapping[str, Slices],
    painters: Mapping[str | None, Painter],
    segmenter: nn.Module,
    window: Sequence[float],
    tell: Progress,
) -> tuple[list[dict[str, str]], dict[str, dict[str, Any]]]:
    """Return rows by patient, and distances in feature space by condition, from the files of an earlier run if any."""
    table, kept = out / "cases.csv", out / "distances.pt"
    if not (table.is_file() and kept.is_file()):
        slices, features = with_segmentation(parts["testing"], segmenter), RandomFeatures()
        real = _images_by_patient(slices, stacked(slices, IMAGE))
        rows: list[dict[str, Any]] = []
        distances: dict[str, dict[str, Any]] = {}
        conditions: list[tuple[str, Painter, Sequence[str]]] = [
            (WHOLE_HEART_NAME, painters[None], STRUCTURES),
            (MEANS, painters[MEANS], STRUCTURES),
            *((name, painters[None], [name]) for name in STRUCTURES),
        ]
        for done, (condition, painter, structures) in enumerate(conditions, 1):
            shown, painted = painted_by_condition(painter, slices, structures)
            rows += score_patients(shown, painted, condition, structures, segmenter, window)
            made, beside = (_images_by_patient(shown, images) for images in (painted, stacked(shown, IMAGE)))
            distances[condition] = feature_distances(made, beside, features, SPACE)
            tell("conditions", done, len(conditions))
        training = _images_by_patient(parts["training"], stacked(parts["training"], IMAGE))
        distances["training patients"] = feature_distances(training, real, features, SPACE)
        write_csv(table, rows)
        save_checkpoint(kept, distances)
    return read_csv(table), load_checkpoint(kept)


def _images_by_patient(shown: Slices, images: torch.Tensor) -> dict[str, torch.Tensor]:
    numbered = [{**one, "number": number} for number, one in enumerate(shown)]
    return {name: images[[one["number"] for one in group]] for name, group in by_patient(numbered).items()}


def _filtered(
    out: Path,
    settings: WholeHeartStudySettings,
    parts: Mapping[str, Slices],
    painter: ConditionalPainter,
    tell: Progress,
) -> list[dict[str, Any]]:
    """Return how many images of whom the similarity filter refuses, and draw the closest pairs."""
    training, held_out, testing = parts["training"], parts["validation"][::2], parts["testing"][::3]
    known = stacked(training, IMAGE)
    gate = SimilarityFilter(
        known, stacked(held_out, IMAGE), RandomFeatures(), settings.refused, [one["patient"] for one in held_out]
    )
    few = [training[int(place)] for place in torch.linspace(0, len(training) - 1, settings.memorised)]
    memoriser = memorising_painter(few, out / "memoriser.pt", settings.memorising, painter, tell)
    some = training[:: max(1, len(training) // 100)]
    groups = {
        f"memoriser, its {settings.memorised} label maps": memoriser(stacked(few, LABEL)),
        "memoriser, test patients": memoriser(stacked(testing, LABEL)),
        "bundle, test patients": painter(stacked(testing, LABEL)),
        "bundle, training patients": painter(stacked(some, LABEL)),
        "real, test patients": stacked(testing, IMAGE),
    }
    rows, drawn = [], []
    for done, (name, images) in enumerate(groups.items(), 1):
        nearest, passed = gate.nearest(images), gate(images)
        drawn.append((name, images, nearest, passed))
        rows.append(
            {
                "images": name,
                "count": len(images),
                "refused": int((~passed).sum()),
                "ssim": float(nearest.ssim.median()),
                "largest_ssim": float(nearest.ssim.max()),
                "correlation": float(nearest.correlation.median()),
            }
        )
        tell("similarity filter", done, len(groups))
    write_csv(out / "filter.csv", rows)
    save_figure(out / "pairs.png", closest_pairs_figure([drawn[place] for place in (0, 2, 4)], known))
    return rows


def _draw(out: Path, slices: Slices, painter: ConditionalPainter, models: Path) -> None:
    patients = list(by_patient(slices).values())[:2]  # the first ones: nobody chose them
    names = (*STRUCTURES, WHOLE_HEART_NAME)
    lines: list[list[list[torch.Tensor]]] = [[], [], []]
    for name in names:
        codes = MM_WHS.codes[1:] if name == WHOLE_HEART_NAME else [MM_WHS.code(name)]
        # Of each patient the slice that shows most of the structure.
        shown = [max(group, key=lambda one: _pixels(one[LABEL], codes)) for group in patients]
        label = kept_structures(stacked(shown, LABEL), codes)
        for line, images in zip(lines, (label, stacked(shown, IMAGE), painter(label)), strict=True):
            line.append(list(images[:, 0]))
    save_figure(out / "conditions.png", conditions_figure(names, lines[0], lines[1], lines[2]))
    if (models / "curves.csv").is_file():
        rows = [{name: float(value) for name, value in row.items()} for row in read_csv(models / "curves.csv")]
        save_figure(out / "curves.png", curves_figure(rows, decay=0.7))
    if (models / "samples.pt").is_file() and (models / "shown.pt").is_file():
        samples = {int(at): images.mT for at, images in load_checkpoint(models / "samples.pt").items()}
        shown_there = load_checkpoint(models / "shown.pt")
        channels = MM_WHS.to_channels(shown_there[LABEL][:, 0]).mT
        save_figure(out / "progress.png", progress_figure(channels, shown_there[IMAGE].mT, samples))


def _pixels(label: torch.Tensor, codes: Sequence[int]) -> int:
    return int((kept_structures(label, codes) > 0).sum())


__all__ = ["WholeHeartStudySettings", "run_whole_heart_study"]
