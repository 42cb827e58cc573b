"""One HTML page that tells what a study did and found; it needs no other file and no network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..anatomy.labels import LabelScheme
from ..data.files import whole_file
from .comparison import HEADINGS, Comparison, cells, compare_arms, reading
from .evaluation import Score
from .figures import Cases, arms_figure, dice_figure, hearts_figure, losses_figure, pairs_figure
from .html_page import details, document, duration, pairs_table, paragraphs, picture, split_table, table, text


@dataclass(frozen=True)
class Report:
    """All that the page shows.

    Attributes:
        title: the page's heading.
        question: one paragraph: what was asked, on what data.
        steps: what was done, one sentence each.
        arms: names of the two arms, the one without synthesis first.
        scores: of each arm on the same test volumes.
        histories: of each arm's training, columns `iteration` and what else was followed.
        synthesis: history of the synthesizer's training.
        real: slices of the training patients.
        synthetic: what the synthesizer made to set beside them, by mode.
        hearts: more of them, for a sheet.
        scheme: the codes of all label maps.
        split: use (`"training"`, ...) to the names of its patients.
        settings: every setting of the study, as text.
        timings: stage to seconds.
        environment: hardware and versions.
        provenance: what the synthesizer says of itself.
        caveats: what the numbers cannot tell, one sentence each.
        seed: of the bootstrap.
    """

    title: str
    question: str
    steps: Sequence[str]
    arms: tuple[str, str]
    scores: tuple[Sequence[Score], Sequence[Score]]
    histories: tuple[Sequence[Mapping[str, Any]], Sequence[Mapping[str, Any]]]
    synthesis: Sequence[Mapping[str, Any]]
    real: Cases
    synthetic: Mapping[str, Cases]
    hearts: Cases
    scheme: LabelScheme
    split: Mapping[str, Sequence[str]]
    settings: Mapping[str, str]
    timings: Mapping[str, float]
    environment: Mapping[str, str]
    provenance: Mapping[str, Any]
    caveats: Sequence[str] = ()
    seed: int = 0


def write_report(report: Report, path: Path) -> Path:
    """Write the page and return its path."""
    with whole_file(path) as beside:
        beside.write_text(page(report), encoding="utf-8")
    return path


def page(report: Report) -> str:
    """Return the page as HTML."""
    dice = compare_arms(*report.scores, measure="dice", seed=report.seed)
    distance = compare_arms(*report.scores, measure="hd95", seed=report.seed)
    first, *others = reading(dice, report.arms)
    histories = dict(zip(report.arms, report.histories, strict=True))
    body = [
        f"<h1>{text(report.title)}</h1>",
        f'<p class="lead">{text(report.question)}</p>',
        f'<div class="verdict"><p><strong>{text(first)}</strong></p>{paragraphs(others)}</div>',
        "<h2>What was done</h2>",
        "<ol>" + "".join(f"<li>{text(step)}</li>" for step in report.steps) + "</ol>",
        split_table(report.split),
        "<h2>Real and synthetic, side by side</h2>",
        picture(
            pairs_figure(report.real, report.synthetic, report.scheme),
            "Slices of training patients (left), and what the transform's modes make of each: vary deforms the heart "
            "and keeps its surroundings, restyle paints the same label map as another scan, new draws a heart and its "
            "image, whatever stands in the row. Contours of synthetic slices were there before the image was painted.",
        ),
        picture(
            hearts_figure(report.hearts, report.scheme),
            f"{len(report.hearts.image)} synthetic slices as they came, none left out by eye.",
        ),
        "<h2>Does it help?</h2>",
        _comparison_table(dice, report.arms),
        picture(
            dice_figure(dice, report.arms),
            "Dice by structure, mean over test patients; whiskers are 95 % bootstrap intervals. Right: the paired "
            "difference; a whisker that crosses the dashed line does not tell the arms apart.",
        ),
        _comparison_table(distance, report.arms),
        f'<p class="note">{_counting(report)}</p>',
        paragraphs(report.caveats),
        "<h2>How the networks learned</h2>",
        picture(
            arms_figure(histories),
            "Segmentation: training loss and Dice on the validation patients. The dot marks the weights that were "
            "kept. Both arms had the same number of steps.",
        ),
        picture(losses_figure(report.synthesis), "Synthesizer: each part of its losses, mean over each round."),
        "<h2>Times, settings and versions</h2>",
        pairs_table("Time by stage", {name: duration(value) for name, value in report.timings.items()}),
        details("Settings", pairs_table("", report.settings)),
        details("Environment", pairs_table("", report.environment)),
        details("What the synthesizer says of itself", pairs_table("", report.provenance)),
    ]
    return document(report.title, body)


def _comparison_table(rows: Sequence[Comparison], arms: tuple[str, str]) -> str:
    heading = HEADINGS[rows[0].measure][0]
    better = "higher is better" if rows[0].measure == "dice" else "lower is better"
    caption = f"{heading}, {better}: mean over {rows[-1].first.patients} test patients (95 % interval)"
    return table(caption, ("structure", *arms, "difference"), [cells(row) for row in rows], totals=(len(rows) - 1,))


def _counting(report: Report) -> str:
    """Return how the measures were counted, with the number of volumes that have none."""
    absent = [sum(score.hd95 != score.hd95 for score in scores) for scores in report.scores]
    return text(
        "Each patient counts once: the mean of both phases, on the grid of the files. A structure that neither "
        "expert nor network marked is left out. HD95 is the 95th percentile of the symmetric surface distance in "
        "3D; it does not exist where one of both marked nothing (then Dice is 0), and is left out there: "
        f"{absent[0]} and {absent[1]} of {len(report.scores[0])} values in the two arms."
    )
