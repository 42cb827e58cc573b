"""The figures of an augmentation study: Dice against patients, differences, boxes, curves, worst cases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from ...anatomy.labels import LabelScheme
from ..comparison import HEADINGS
from ..figure_parts import draw_contours, dress_axis, interval_ends, new_figure, show_slice, structures_legend
from .study_results import Run, arm_title, by_condition, network_title
from .study_settings import ARMS, BASELINE
from .study_statistics import Estimate, Part, patient_values

# Okabe and Ito's colours, darkened where they would be pale on white, and markers that tell the arms apart in grey.
_LOOKS = (
    ("#009e73", "D"),
    ("#5b6770", "s"),
    ("#56b4e9", "v"),
    ("#0072b2", "^"),
    ("#c2410c", "o"),
    ("#a0527d", "P"),
    ("#b58900", "X"),
)
_LOOK = {arm: _LOOKS[number % len(_LOOKS)] for number, arm in enumerate(ARMS)}
_OTHER = ("#222222", "*")


@dataclass(frozen=True)
class SegmentedSlice:
    """A slice that a network segmented, to be looked at.

    Attributes:
        title: whose slice it is, and how well it was found.
        image: `(H, W)` in [0, 1].
        expert: `(H, W)` codes.
        prediction: `(H, W)` codes.
    """

    title: str
    image: torch.Tensor
    expert: torch.Tensor
    prediction: torch.Tensor


def amounts_figure(means: Sequence[Estimate]) -> Figure:
    """Return an arm's mean with its interval against the number of training patients, a panel a network."""
    networks = list(dict.fromkeys(one.network for one in means))
    figure = new_figure(4.6 * len(networks) + 1.2, 3.8)
    axes = figure.subplots(1, len(networks), squeeze=False, sharey=True)[0]
    arms = list(dict.fromkeys(one.arm for one in means))
    for axis, network in zip(axes, networks, strict=True):
        amounts = sorted({one.amount for one in means if one.network == network})
        for number, arm in enumerate(arms):
            own = [one for one in means if (one.network, one.arm) == (network, arm)]
            centre, lengths = interval_ends([one.interval for one in own])
            # Amounts stand at even steps, arms beside each other, so that whiskers do not cover each other.
            places = [amounts.index(one.amount) + 0.06 * (number - (len(arms) - 1) / 2) for one in own]
            colour, marker = _LOOK.get(arm, _OTHER)
            axis.errorbar(
                places, centre, yerr=lengths, color=colour, marker=marker, markersize=6, capsize=3, linewidth=1.5
            )
        axis.set_xticks(range(len(amounts)), [str(amount) for amount in amounts])
        axis.set_xlim(-0.4, len(amounts) - 0.6)
        dress_axis(axis, "real training patients", network_title(network))
    axes[0].set_ylabel(f"{HEADINGS[means[0].measure][0]}, mean and 95 % interval", fontsize=9)
    _legend(figure, arms)
    return figure


def differences_figure(differences: Sequence[Estimate], baseline: str = BASELINE) -> Figure:
    """Return each arm's difference to the baseline as a forest plot, a panel a network, a row an amount and arm."""
    networks = list(dict.fromkeys(one.network for one in differences))
    rows = list(dict.fromkeys((one.amount, one.arm) for one in differences))
    figure = new_figure(4.2 * len(networks) + 1.6, 0.34 * len(rows) + 1.7)
    arms = list(dict.fromkeys(one.arm for one in differences))
    axes = figure.subplots(1, len(networks), squeeze=False, sharey=True, sharex=True)[0]
    heights = {row: -float(number) for number, row in enumerate(rows)}
    for axis, network in zip(axes, networks, strict=True):
        for one in differences:
            if one.network == network:
                centre, lengths = interval_ends([one.interval])
                colour, marker = _LOOK.get(one.arm, _OTHER)
                height = heights[one.amount, one.arm]
                axis.errorbar(
                    centre, [height], xerr=lengths, fmt=marker, color=colour, markersize=6, capsize=3, linewidth=1.5
                )
        axis.axvline(0, color="#888888", linewidth=1, linestyle="--")
        axis.set_yticks(list(heights.values()), [f"{amount} patients" for amount, _ in rows])
        axis.set_ylim(0.6 - len(rows), 0.6)
        heading = HEADINGS[differences[0].measure][0]
        dress_axis(axis, f"difference in {heading}, arm − {arm_title(baseline)}", network_title(network))
    _legend(figure, arms)
    return figure


def boxes_figure(runs: Sequence[Run], network: str) -> Figure:
    """Return boxes of the patients' Dice by structure, amount and arm; a patient's value is the mean over seeds.

    Boxes span the quartiles, with the median; whiskers reach to the farthest patient within 1.5 times their height.
    """
    conditions = {amount: arms for (name, amount), arms in by_condition(runs).items() if name == network}
    arms = list(dict.fromkeys(arm for own in conditions.values() for arm in own))
    structures = list(dict.fromkeys(score.structure for score in runs[0].scores))
    figure = new_figure(max(6.0, 2.0 + 0.42 * len(arms) * len(conditions)), 2.3 * len(structures) + 0.7)
    axes = figure.subplots(len(structures), 1, squeeze=False, sharex=True, sharey=True)[:, 0]
    width = 0.8 / len(arms)
    for axis, structure in zip(axes, structures, strict=True):
        for place, own in enumerate(conditions.values()):
            for arm, trainings in own.items():
                centre = place + width * (arms.index(arm) - (len(arms) - 1) / 2)
                _box(axis, _mean_over_seeds(trainings, Part(structure)), centre, 0.85 * width, arm)
        dress_axis(axis, "", structure)
        axis.set_ylabel("Dice", fontsize=9)
        axis.set_xticks(range(len(conditions)), [str(amount) for amount in conditions])
    axes[-1].set_xlabel("real training patients", fontsize=9)
    _legend(figure, arms, boxes=True)
    return figure


def validation_figure(runs: Sequence[Run], network: str) -> Figure:
    """Return Dice on the validation patients against the steps, a panel an amount; thick is the mean of trainings."""
    conditions = {amount: arms for (name, amount), arms in by_condition(runs).items() if name == network}
    arms = list(dict.fromkeys(arm for own in conditions.values() for arm in own))
    figure = new_figure(3.4 * len(conditions) + 0.6, 3.4)
    axes = figure.subplots(1, len(conditions), squeeze=False, sharey=True)[0]
    for axis, (amount, own) in zip(axes, conditions.items(), strict=True):
        for arm, trainings in own.items():
            colour, marker = _LOOK.get(arm, _OTHER)
            curves = [_validation(run) for run in trainings]
            for curve in curves:
                axis.plot(*curve, color=colour, linewidth=0.7, alpha=0.5)
            shortest = min(len(steps) for steps, _ in curves)
            mean = np.mean([dice[:shortest] for _, dice in curves], axis=0)
            axis.plot(curves[0][0][:shortest], mean, color=colour, linewidth=2, marker=marker, markersize=4)
        dress_axis(axis, "optimizer steps", f"{amount} training patients")
    axes[0].set_ylabel("Dice on the validation patients", fontsize=9)
    _legend(figure, arms)
    return figure


def cases_figure(cases: Sequence[SegmentedSlice], scheme: LabelScheme, columns: int = 2) -> Figure:
    """Return each slice with the expert's contours and, beside it, with the network's."""
    rows = -(-len(cases) // columns)
    figure = new_figure(4.4 * columns, 2.4 * rows + 0.5)
    axes = figure.subplots(rows, 2 * columns, squeeze=False).reshape(-1, 2)
    for axis in axes.flat:
        axis.set_axis_off()
    for (left, right), case in zip(axes, cases, strict=False):
        for axis, name, label in ((left, "expert", case.expert), (right, "network", case.prediction)):
            show_slice(axis, case.image)
            draw_contours(axis, label, scheme)
            axis.text(
                0.02, 0.98, name, transform=axis.transAxes, color="white", va="top", fontsize=9,
                bbox={"facecolor": "black", "alpha": 0.5, "linewidth": 0, "pad": 1.5},
            )  # fmt: skip
        left.set_title(case.title, fontsize=9, loc="left")
    structures_legend(figure, scheme)
    return figure


def _box(axis: Axes, values: np.ndarray, centre: float, width: float, arm: str) -> None:
    colour, _ = _LOOK.get(arm, _OTHER)
    axis.boxplot(
        [values[~np.isnan(values)]],
        positions=[centre],
        widths=width,
        patch_artist=True,
        manage_ticks=False,
        boxprops={"facecolor": colour, "alpha": 0.55, "edgecolor": colour},
        medianprops={"color": "black", "linewidth": 1.4},
        whiskerprops={"color": colour},
        capprops={"color": colour},
        flierprops={"marker": ".", "markersize": 4, "markerfacecolor": colour, "markeredgecolor": colour},
    )


def _mean_over_seeds(runs: Sequence[Run], part: Part) -> np.ndarray:
    """Return each patient's mean over the seeds that have a value; NaN where none has."""
    values = patient_values(runs, "dice", part).values()
    table = np.array([[one[patient] for patient in sorted(one)] for one in values])  # (S, P): all tested the same
    known = ~np.isnan(table)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(known, table, 0).sum(axis=0) / known.sum(axis=0))


def _validation(run: Run) -> tuple[list[float], list[float]]:
    rows = run.history()
    return [float(row["iteration"]) for row in rows], [float(row["validation dice"]) for row in rows]


def _legend(figure: Figure, arms: Sequence[str], boxes: bool = False) -> None:
    entries: list[Patch | Line2D] = []
    for arm in arms:
        colour, marker = _LOOK.get(arm, _OTHER)
        entries.append(
            Patch(facecolor=colour, alpha=0.55, edgecolor=colour)
            if boxes
            else Line2D([], [], color=colour, marker=marker, linewidth=1.6)
        )
    columns = max(1, int(figure.get_size_inches()[0] // 2.9))
    figure.legend(
        entries, [arm_title(arm) for arm in arms], loc="outside upper center", ncols=columns, frameon=False, fontsize=9
    )
