"""One HTML page that tells what an augmentation study asked, did and found; it needs no other file and no network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from ...anatomy.labels import LabelScheme
from ...data.files import read_json, whole_file, write_csv
from ...errors import DataError
from ..html_page import details, document, pairs_table, paragraphs, picture, split_table, table, text
from ..stages import environment
from .cohort import Cohort, cohort
from .elsewhere import elsewhere_section
from .study_figures import (
    SegmentedSlice,
    amounts_figure,
    boxes_figure,
    cases_figure,
    differences_figure,
    validation_figure,
)
from .study_results import Run, arm_title, by_condition, network_title, read_runs
from .study_settings import ARMS, BASELINE
from .study_statistics import Estimate, arm_differences, arm_means, difference_sentence
from .study_tables import (
    all_estimates,
    amounts_table,
    csv_rows,
    measures_table,
    missed_structures,
    parts_table,
    positions,
    select,
    worst_cases,
)

#: The settings that make a cohort, with what studies had before they were settings.
_GRID = {"dataset": "acdc", "spacing": 2.0, "side": 96, "margin": 16}


def write_study_page(out: Path, pictures: Sequence[SegmentedSlice] = ()) -> Path:
    """Write `index.html`, `results.csv` (means) and `differences.csv` of all finished runs; return the page's path.

    Args:
        out: the study's folder, with `settings.json`, `split.json` and the runs; `environment.json` names the machine
            of the trainings, where it is there.
        pictures: worst cases to show.

    Raises:
        DataError: when no run is finished, or a file of the study is missing or damaged.
    """
    runs = read_runs(out)
    if not runs:
        raise DataError(f"Expected finished runs in {out}, found none; let at least one training run to its end.")
    means, differences = all_estimates(runs, arm_means), all_estimates(runs, arm_differences)
    write_csv(out / "results.csv", csv_rows(means))
    write_csv(out / "differences.csv", csv_rows(differences))
    path = out / "index.html"
    with whole_file(path) as beside:
        beside.write_text(_page(out, runs, means, differences, pictures), encoding="utf-8")
    return path


def _page(
    out: Path,
    runs: Sequence[Run],
    means: Sequence[Estimate],
    differences: Sequence[Estimate],
    pictures: Sequence[SegmentedSlice],
) -> str:
    settings, split = read_json(out / "settings.json"), read_json(out / "split.json")
    on_grid = cohort(*(settings.get(name, unsaid) for name, unsaid in _GRID.items()))
    title = "Does synthesis help to segment, and how much real data does it save?"
    body = [
        f"<h1>{text(title)}</h1>",
        f'<p class="lead">{text(_question(runs))}</p>',
        _verdict(differences),
        "<h2>What was done</h2>",
        "<ol>" + "".join(f"<li>{text(step)}</li>" for step in _protocol(settings, split, runs, on_grid)) + "</ol>",
        "<h2>Dice and distances</h2>",
    ]
    for network in dict.fromkeys(run.network for run in runs):
        body += _network_tables(network, runs, means, differences)
    body += [
        _note(
            "Each patient counts once: the mean of both phases and of all trainings, on the grid of the files. HD is "
            "the largest, HD95 the 95th percentile, ASSD the mean of the distances between both surfaces, in 3D "
            "for stacks. They "
            "do not exist for a structure of which the network found nothing (its Dice is 0), and are left out there: "
            "an arm that misses structures looks better in them than it is."
        ),
        details(
            "Structures that were missed", table("", ("network, patients, arm", "missed"), missed_structures(runs))
        ),
        *elsewhere_section(runs),
        "<h2>The figures</h2>",
        *_figures(runs, means, differences),
        "<h2>Where it fails</h2>",
        *_worst(runs, pictures, on_grid.scheme),
        "<h2>What these numbers cannot tell</h2>",
        paragraphs(_caveats(runs, differences, split)),
        "<h2>Patients, settings and versions</h2>",
        split_table(split),
        details("Settings", pairs_table("", settings)),
        _environment(out),
    ]
    return document(title, body)


def _question(runs: Sequence[Run]) -> str:
    networks = " and ".join(network_title(one) for one in dict.fromkeys(run.network for run in runs))
    amounts = ", ".join(str(one) for one in sorted({run.amount for run in runs}))
    arms, seeds = len({run.arm for run in runs}), len({run.seed for run in runs})
    times = "once" if seeds == 1 else f"{seeds} times, each time on other patients"
    return (
        f"{networks} learned from {amounts} real patients, in {arms} arms that differ only in what else they saw, "
        f"{times}, and all were tested on the same {len({score.patient for score in runs[0].scores})} patients that "
        f"nothing was trained on."
    )


def _verdict(differences: Sequence[Estimate]) -> str:
    whole = [one for network in _networks(differences) for one in select(differences, network)]
    if not whole:
        return f'<div class="verdict"><p>No arm can be compared with “{text(arm_title(BASELINE))}” yet.</p></div>'
    return f'<div class="verdict">{paragraphs([difference_sentence(one) for one in whole])}</div>'


def _protocol(
    settings: Mapping[str, Any], split: Mapping[str, Sequence[str]], runs: Sequence[Run], on_grid: Cohort
) -> list[str]:
    parts = ", ".join(f"{len(patients)} for {use}" for use, patients in split.items())
    planned = [settings.get(name, ()) for name in ("networks", "amounts", "seeds", "arms")]
    count = len(planned[0]) * len(planned[1]) * len(planned[2]) * len(planned[3])
    told = {name: settings.get(name, "?") for name in ("iterations", "batch_size")}
    steps = [
        f"Patients were split by patient: {parts}. Each amount is drawn from the training patients by the seed, with "
        f"the pathology groups as even as possible; the patients of validation and test are the same throughout.",
        on_grid.preparation,
        f"Every training took {told['iterations']} steps of {told['batch_size']} slices; arms of the same network and "
        f"seed started from the same weights, and the weights that were best on the validation patients were tested.",
        *(_arm_step(arm) for arm in dict.fromkeys(run.arm for run in runs)),
        "Predictions were carried back to the files' own grid before they were compared with the expert. Intervals are "
        "95 % percentile bootstrap intervals that draw test patients and trainings independently; differences are "
        "paired by patient and seed.",
    ]
    if count > len(runs):
        steps.append(f"{len(runs)} of {count} trainings were finished when this page was written.")
    return steps


def _arm_step(name: str) -> str:
    if name not in ARMS:
        return f"“{arm_title(name)}”."
    arm = ARMS[name]
    kind = {
        "phantom": "one of a phantom patient, made by formulas and not from any image",
        "vaegan": {
            "vary": "itself with its heart deformed by a synthesizer that was trained on these patients alone",
            "new": "a new one that a synthesizer drew and painted which was trained on these patients alone",
        }[arm.mode],
    }[arm.source]
    seen = "real slices alone" if not arm.prob else f"each slice replaced with probability {arm.prob:g} by {kind}"
    tuned = f", but for the last {arm.fine_tuned:.0%} of the steps" if arm.fine_tuned else ""
    augmented = "with" if arm.augmented else "without"
    return f"“{arm.title}”: {seen}{tuned}; {augmented} ordinary augmentation."


def _network_tables(
    network: str, runs: Sequence[Run], means: Sequence[Estimate], differences: Sequence[Estimate]
) -> list[str]:
    name = network_title(network)
    own, less = select(means, network), select(differences, network)
    head, rows = amounts_table(own)
    parts = [table(f"{name}: Dice over all structures, mean (95 % interval), by real training patients", head, rows)]
    baseline = arm_title(BASELINE)
    if less:
        head, rows = amounts_table(less, signed=True)
        parts.append(table(f"{name}: difference in Dice to “{baseline}” (95 % interval)", head, rows))
    groups, head, rows = measures_table(means, runs, network)
    parts.append(
        table(f"{name}: all measures, means; Dice: higher is better, mm: lower is better", head, rows, groups=groups)
    )
    head, rows = parts_table(means, runs, network)
    by_slice = " (volumes) and by the slice's third of the heart (slices)" if positions(runs) else ""
    inside = table(f"{name}: Dice by phase{by_slice}", head, rows)
    if less:
        head, rows = parts_table(differences, runs, network, signed=True)
        inside += table(f"{name}: their differences to “{baseline}”", head, rows)
    parts.append(details(f"{name}: by phase" + (" and by position in the heart" if by_slice else ""), inside))
    return parts


def _figures(runs: Sequence[Run], means: Sequence[Estimate], differences: Sequence[Estimate]) -> list[str]:
    whole = [one for network in _networks(means) for one in select(means, network)]
    less = [one for network in _networks(differences) for one in select(differences, network)]
    shown = [
        picture(
            amounts_figure(whole),
            "Dice over all structures against the number of real training patients: mean over test patients and "
            "trainings, whiskers are 95 % bootstrap intervals. Arms are shifted sideways a little to be told apart; "
            "whiskers of two arms may overlap while their paired difference, below, does not contain 0.",
        )
    ]
    if less:
        shown.append(
            picture(
                differences_figure(less),
                f"Paired differences in Dice to “{arm_title(BASELINE)}”, right of the dashed line is better; a whisker "
                f"(95 % bootstrap interval) that crosses it does not tell the arms apart.",
            )
        )
    for network in _networks(means):
        name = network_title(network)
        shown.append(
            picture(
                boxes_figure(runs, network),
                f"{name}: Dice of the test patients by structure, each patient the mean of both phases and of all "
                f"trainings. Boxes span the quartiles, the line is the median, dots lie beyond 1.5 times their height.",
            )
        )
        if all(run.history() for run in runs if run.network == network):
            shown.append(
                picture(
                    validation_figure(runs, network),
                    f"{name}: Dice on the validation patients during training; thin lines are single trainings, thick "
                    f"ones their mean. Each arm was tested with the weights at its own highest point.",
                )
            )
    return shown


def _worst(runs: Sequence[Run], pictures: Sequence[SegmentedSlice], scheme: LabelScheme) -> list[str]:
    parts = []
    for (network, amount), arms in by_condition(runs).items():
        name = f"{network_title(network)}, {amount} training patients"
        head, lowest, losing = worst_cases(arms, BASELINE)
        inside = table("Volumes with the lowest Dice, mean over structures and trainings", head, lowest)
        if losing:
            inside += table(f"Volumes where an arm falls farthest below “{arm_title(BASELINE)}”", head, losing)
        parts.append(details(name, inside))
    if pictures:
        caption = (
            f"{len(pictures)} of the worst slices: left the expert's contours, right the network's. They were chosen "
            f"for their low Dice and are not typical."
        )
        parts.append(picture(cases_figure(pictures, scheme), caption))
    return parts


def _caveats(runs: Sequence[Run], differences: Sequence[Estimate], split: Mapping[str, Sequence[str]]) -> list[str]:
    seeds = len({run.seed for run in runs})
    caveats = [
        "Each arm was trained once: the intervals tell how the numbers depend on which patients were tested, not on "
        "the luck of the training."
        if seeds == 1
        else f"The luck of the training is known from {seeds} trainings only: where it outweighs that of the patients, "
        f"the intervals are too narrow."
    ]
    compared = sum(len(select(differences, network)) for network in _networks(differences))
    if compared > 1:
        caveats.append(
            f"{compared} differences over all structures are looked at: each interval excludes 0 by chance in about "
            f"one of 20 studies, and they are not corrected for their number."
        )
    smallest, validation = min(run.amount for run in runs), len(split.get("validation", ()))
    if validation > smallest:
        caveats.append(
            f"The weights were chosen on {validation} labelled validation patients, more than the {smallest} of the "
            f"smallest training: with so few labels at hand, nobody would have that many for the choice. All arms had "
            f"the same."
        )
    return caveats


def _environment(out: Path) -> str:
    path = out / "environment.json"
    if path.exists():
        return details("Environment of the trainings", pairs_table("", read_json(path)))
    return details("Environment in which this page was written", pairs_table("", environment(torch.device("cpu"))))


def _networks(estimates: Sequence[Estimate]) -> list[str]:
    return list(dict.fromkeys(one.network for one in estimates))


def _note(content: str) -> str:
    return f'<p class="note">{text(content)}</p>'


__all__ = ["write_study_page"]
