"""CT to MR and back on paired phantoms: from volumes to a table and a picture; stopped, it goes on where it was."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ...anatomy.schemes import MM_WHS
from ...anatomy.structure_condition import StructureCondition
from ...data.files import load_checkpoint, save_checkpoint, whole_file, write_csv
from ...data.slices import IMAGE, LABEL
from ...phantom.write_mmwhs import write_mmwhs_phantom
from ...transforms.translate_modality import TranslateModality
from ..bootstrap import bootstrap_mean
from ..heart_figures import save_figure
from .conditional_painter import ConditionalPainter
from .paired_modalities import CT, MR, PairedSlices, train_translator
from .whole_heart_figures import translation_figure
from .whole_heart_scores import MeanPainter, by_patient, slice_errors, stacked

Progress = Callable[[str, int, int], None]
PARTS = ("training", "testing")
PAIRED, VIA_LABEL = "translated, learned from pairs", "painted from the label map, no pairs"
GREYS, MATCHED, AS_IT_IS = "mean greys of the label map", "histogram matched", "as it is"
THERE_AND_BACK = "translated to MR and back"
MEASURES = {"ssim": 3, "psnr": 2, "mae": 4}


@dataclass(frozen=True)
class TranslationStudySettings:
    """Who is trained on and tested on, and how long.

    Attributes:
        patients: for training and testing.
        seeds: of the phantoms: those of the study of label maps, so that its painter has seen no test patient either.
        step: every how many slices of a volume one is taken.
        iterations: of each direction's training.
    """

    patients: tuple[int, int] = (20, 10)
    seeds: tuple[int, int] = (200, 202)
    step: int = 3
    iterations: int = 250


def run_translation_study(
    out: Path, settings: TranslationStudySettings, bundle: Path, progress: Progress | None = None
) -> str:
    """Write `translation.md`, `translation.csv` and `translation.png` into a folder, and return the table.

    Args:
        out: of the results; phantoms are written to `out/volumes`.
        settings: as in the run that it goes on with.
        bundle: with a painter of CT, for the way through the label map; MR's is trained here.
        progress: called with a stage, what is done of it, and its total.
    """
    tell = progress or (lambda stage, done, total: None)
    painter = ConditionalPainter.from_bundle(bundle)
    parts = _parts(out, settings, painter.about["side"], tell)
    training, slices = parts["training"], parts["testing"]
    condition = StructureCondition(MM_WHS)

    def trained(source: str, target: str, to_condition: StructureCondition | None = None) -> TranslateModality:
        network = train_translator(
            training,
            source,
            target,
            out / f"{source}_to_{target}.pt",
            iterations=settings.iterations,
            to_condition=to_condition,
            progress=partial(tell, f"{source} to {target}"),
        )
        return TranslateModality(network, target.upper(), source=(0.0, 1.0), to_condition=to_condition)

    paired = {MR: trained(CT, MR), CT: trained(MR, CT)}
    by_label = {
        MR: trained(LABEL, MR, condition),
        CT: TranslateModality(painter.generator, "CT", to_condition=painter.condition),
    }
    made: dict[tuple[str, str], tuple[torch.Tensor, torch.Tensor]] = {}
    label = stacked(slices, LABEL)
    for source, target in ((CT, MR), (MR, CT)):
        given, wanted, name = stacked(slices, source), stacked(slices, target), target.upper()
        greys = MeanPainter([{IMAGE: one[target], LABEL: one[LABEL]} for one in training])
        ways = {
            PAIRED: _each(paired[target], given),
            VIA_LABEL: _each(by_label[target], label),
            GREYS: greys(label),
            MATCHED: matched_greys(given, stacked(training, source), stacked(training, target)),
            AS_IT_IS: given,
        }
        made.update({(name, way): (images, wanted) for way, images in ways.items()})
    made["CT", THERE_AND_BACK] = (_each(paired[CT], made["MR", PAIRED][0]), stacked(slices, CT))
    rows = [row for (wanted, way), pair in made.items() for row in _scores(slices, *pair, wanted, way)]
    write_csv(out / "translation.csv", rows)
    text = _table(rows)
    with whole_file(out / "translation.md") as beside:
        beside.write_text(text + "\n", encoding="utf-8")
    _draw(out, slices, made)
    return text


def matched_greys(image: torch.Tensor, source: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Return an image whose greys are changed, as one rising function does, so that `source`'s histogram is `target`'s.

    Args:
        image: in [0, 1], any shape.
        source: images of the modality that it is of.
        target: images of the modality that is wanted.
    """
    levels = np.linspace(0, 1, 257)
    known, wanted = (np.quantile(one.numpy(), levels) for one in (source, target))
    return torch.from_numpy(np.interp(image.numpy(), known, wanted)).to(image)


def _each(transform: TranslateModality, images: torch.Tensor) -> torch.Tensor:
    return torch.stack([transform(one) for one in images])


def _parts(
    out: Path, settings: TranslationStudySettings, side: int, tell: Progress
) -> dict[str, Sequence[Mapping[str, Any]]]:
    path = out / "pairs.pt"
    if not path.is_file():
        parts = {}
        for part, count, seed in zip(PARTS, settings.patients, settings.seeds, strict=True):
            folders = [out / "volumes" / part, out / "volumes" / f"{part}_mr"]
            write_mmwhs_phantom(folders[0], count, seed, "ct", _of(tell, f"{part} CT", count))
            write_mmwhs_phantom(folders[1], count, seed, "mr", _of(tell, f"{part} MR", count))
            parts[part] = PairedSlices(folders[0], folders[1], (side, side), settings.step, count).elements
        save_checkpoint(path, parts)
    return load_checkpoint(path)


def _of(tell: Progress, stage: str, total: int) -> Callable[[int], None]:
    return lambda done: tell(stage, done, total)


def _scores(
    slices: Sequence[Mapping[str, Any]], made: torch.Tensor, real: torch.Tensor, wanted: str, way: str
) -> list[dict[str, Any]]:
    """Return a row for each patient: means over the slices."""
    numbered = [{**one, "number": number} for number, one in enumerate(slices)]
    rows = []
    for patient, group in by_patient(numbered).items():
        mine = [one["number"] for one in group]
        rows.append({"patient": patient, "wanted": wanted, "way": way, **slice_errors(real[mine], made[mine])})
    return rows


def _table(rows: Sequence[Mapping[str, Any]]) -> str:
    lines = ["| wanted | made by | SSIM | PSNR (dB) | mean absolute error |", "| --- " * 5 + "|"]
    for wanted, way in dict.fromkeys((row["wanted"], row["way"]) for row in rows):
        cells = []
        for measure, digits in MEASURES.items():
            found = bootstrap_mean([row[measure] for row in rows if (row["wanted"], row["way"]) == (wanted, way)])
            cells.append(f"{found.mean:.{digits}f} ({found.low:.{digits}f} to {found.high:.{digits}f})")
        lines.append("| " + " | ".join([wanted, way, *cells]) + " |")
    return "\n".join(lines)


def _draw(
    out: Path,
    slices: Sequence[Mapping[str, Any]],
    made: Mapping[tuple[str, str], tuple[torch.Tensor, torch.Tensor]],
) -> None:
    numbered = [{**one, "number": number} for number, one in enumerate(slices)]
    # The middle slice of each of the first patients: nobody chose them.
    shown = [group[len(group) // 2]["number"] for group in list(by_patient(numbered).values())[:4]]
    columns = [("CT", stacked(slices, CT)[shown]), ("MR", stacked(slices, MR)[shown])]
    for wanted in ("MR", "CT"):
        for way in (PAIRED, VIA_LABEL):
            columns.append((f"{wanted}, {way}", made[wanted, way][0][shown]))
    save_figure(out / "translation.png", translation_figure(columns))


__all__ = ["TranslationStudySettings", "run_translation_study"]
