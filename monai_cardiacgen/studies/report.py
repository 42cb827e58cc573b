"""One HTML page that tells what a study did and found; it needs no other file and no network."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from ..anatomy.labels import LabelScheme
from ..data.files import whole_file
from .comparison import HEADINGS, Comparison, cells, compare_arms, reading
from .evaluation import Score
from .figures import Cases, arms_figure, dice_figure, hearts_figure, losses_figure, pairs_figure, png_base64

_STYLE = """
:root { color-scheme: light dark; --ink: #1d2329; --soft: #5b6770; --page: #ffffff; --card: #f4f6f7;
  --line: #d8dde1; --accent: #c2410c; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ec; --soft: #a3adb5; --page: #14181b; --card: #1e2428;
  --line: #343c42; --accent: #fb923c; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 16px/1.6 system-ui, sans-serif; }
main { max-width: 62rem; margin: 0 auto; padding: 2.5rem 1.25rem 4rem; }
h1 { font-size: 1.9rem; line-height: 1.25; margin: 0 0 .5rem; }
h2 { font-size: 1.3rem; margin: 2.75rem 0 .6rem; padding-top: 1.25rem; border-top: 1px solid var(--line); }
p { max-width: 44rem; margin: .6rem 0; }
.lead { font-size: 1.1rem; color: var(--soft); }
.verdict { background: var(--card); border-left: 4px solid var(--accent); padding: .7rem 1.1rem;
  margin: 1.5rem 0; border-radius: 0 6px 6px 0; }
figure { margin: 1.25rem 0; }
figure img { display: block; width: 100%; height: auto; background: #fff; border: 1px solid var(--line);
  border-radius: 6px; padding: .5rem; }
figcaption, .note { color: var(--soft); font-size: .92rem; max-width: 44rem; margin-top: .5rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; margin: 1rem 0; width: 100%; font-size: .95rem; font-variant-numeric: tabular-nums; }
caption { text-align: left; font-weight: 600; padding: .3rem 0; }
th, td { text-align: right; padding: .4rem .55rem; border-bottom: 1px solid var(--line); white-space: nowrap; }
th:first-child, td:first-child { text-align: left; }
td.words { text-align: left; white-space: normal; }
thead th { color: var(--soft); font-weight: 600; font-size: .9rem; }
tr.total { font-weight: 700; }
details { margin: .8rem 0; } summary { cursor: pointer; font-weight: 600; }
"""


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
        f"<h1>{_text(report.title)}</h1>",
        f'<p class="lead">{_text(report.question)}</p>',
        f'<div class="verdict"><p><strong>{_text(first)}</strong></p>{_paragraphs(others)}</div>',
        "<h2>What was done</h2>",
        "<ol>" + "".join(f"<li>{_text(step)}</li>" for step in report.steps) + "</ol>",
        _split_table(report.split),
        "<h2>Real and synthetic, side by side</h2>",
        _picture(
            pairs_figure(report.real, report.synthetic, report.scheme),
            "Slices of training patients (left), and what the transform's modes make of each: vary deforms the heart "
            "and keeps its surroundings, restyle paints the same label map as another scan, new draws a heart and its "
            "image, whatever stands in the row. Contours of synthetic slices were there before the image was painted.",
        ),
        _picture(
            hearts_figure(report.hearts, report.scheme),
            f"{len(report.hearts.image)} synthetic slices as they came, none left out by eye.",
        ),
        "<h2>Does it help?</h2>",
        _comparison_table(dice, report.arms),
        _picture(
            dice_figure(dice, report.arms),
            "Dice by structure, mean over test patients; whiskers are 95 % bootstrap intervals. Right: the paired "
            "difference; a whisker that crosses the dashed line does not tell the arms apart.",
        ),
        _comparison_table(distance, report.arms),
        f'<p class="note">{_counting(report)}</p>',
        _paragraphs(report.caveats),
        "<h2>How the networks learned</h2>",
        _picture(
            arms_figure(histories),
            "Segmentation: training loss and Dice on the validation patients. The dot marks the weights that were "
            "kept. Both arms had the same number of steps.",
        ),
        _picture(losses_figure(report.synthesis), "Synthesizer: each part of its losses, mean over each round."),
        "<h2>Times, settings and versions</h2>",
        _pairs_table("Time by stage", {name: _duration(value) for name, value in report.timings.items()}),
        "<details><summary>Settings</summary>" + _pairs_table("", report.settings) + "</details>",
        "<details><summary>Environment</summary>" + _pairs_table("", report.environment) + "</details>",
        "<details><summary>What the synthesizer says of itself</summary>"
        + _pairs_table("", report.provenance)
        + "</details>",
    ]
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{_text(report.title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n"
        + "\n".join(body)
        + "\n</main>\n</body>\n</html>\n"
    )


def _text(content: Any) -> str:
    return html.escape(str(content))


def _paragraphs(sentences: Sequence[str]) -> str:
    return "".join(f"<p>{_text(sentence)}</p>" for sentence in sentences)


def _picture(figure: Figure, caption: str) -> str:
    return (
        f'<figure><img alt="{_text(caption)}" src="data:image/png;base64,{png_base64(figure)}">'
        f"<figcaption>{_text(caption)}</figcaption></figure>"
    )


def _comparison_table(rows: Sequence[Comparison], arms: tuple[str, str]) -> str:
    heading = HEADINGS[rows[0].measure][0]
    better = "higher is better" if rows[0].measure == "dice" else "lower is better"
    head = "".join(f'<th scope="col">{_text(name)}</th>' for name in ("structure", *arms, "difference"))
    lines = []
    for row in rows:
        name, *values = cells(row)
        kind = ' class="total"' if row is rows[-1] else ""
        lines.append(
            f'<tr{kind}><th scope="row">{_text(name)}</th>' + "".join(f"<td>{_text(v)}</td>" for v in values) + "</tr>"
        )
    return (
        f'<div class="scroll"><table><caption>{_text(heading)}, {better}: mean over {rows[-1].first.patients} test '
        f"patients (95 % interval)</caption><thead><tr>{head}</tr></thead><tbody>{''.join(lines)}</tbody></table></div>"
    )


def _split_table(split: Mapping[str, Sequence[str]]) -> str:
    lines = "".join(
        f'<tr><th scope="row">{_text(use)}</th><td>{len(patients)}</td>'
        f'<td class="words">{_text(", ".join(patients))}</td></tr>'
        for use, patients in split.items()
    )
    return (
        "<details><summary>"
        + _text(", ".join(f"{len(patients)} patients for {use}" for use, patients in split.items()))
        + f'</summary><div class="scroll"><table><tbody>{lines}</tbody></table></div></details>'
    )


def _pairs_table(caption: str, content: Mapping[str, Any]) -> str:
    lines = "".join(
        f'<tr><th scope="row">{_text(name)}</th><td class="words">{_text(value)}</td></tr>'
        for name, value in content.items()
    )
    head = f"<caption>{_text(caption)}</caption>" if caption else ""
    return f'<div class="scroll"><table>{head}<tbody>{lines}</tbody></table></div>'


def _counting(report: Report) -> str:
    """Return how the measures were counted, with the number of volumes that have none."""
    absent = [sum(score.hd95 != score.hd95 for score in scores) for scores in report.scores]
    return _text(
        "Each patient counts once: the mean of both phases, on the grid of the files. A structure that neither "
        "expert nor network marked is left out. HD95 is the 95th percentile of the symmetric surface distance in "
        "3D; it does not exist where one of both marked nothing (then Dice is 0), and is left out there: "
        f"{absent[0]} and {absent[1]} of {len(report.scores[0])} values in the two arms."
    )


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
