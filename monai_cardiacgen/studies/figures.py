"""The figures of a study's page, drawn without a screen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import torch
from matplotlib.figure import Figure

from ..anatomy.labels import LabelScheme
from .comparison import Comparison
from .figure_parts import (
    FIRST,
    SECOND,
    draw_contours,
    draw_whiskers,
    dress_axis,
    new_figure,
    show_slice,
    structures_legend,
)


@dataclass(frozen=True)
class Cases:
    """Labelled slices to show.

    Attributes:
        image: `(N, 1, H, W)` in [0, 1].
        label: `(N, H, W)` codes.
    """

    image: torch.Tensor
    label: torch.Tensor


def pairs_figure(real: Cases, synthetic: Mapping[str, Cases], scheme: LabelScheme) -> Figure:
    """Return real slices and, beside each, synthetic ones by mode, each plain and with its label's contours."""
    columns = {"real": real, **synthetic}
    rows = min(len(cases.image) for cases in columns.values())
    figure = new_figure(3.0 * len(columns), 1.5 * rows + 0.9)
    parts = np.atleast_1d(cast(np.ndarray, figure.subfigures(1, len(columns), wspace=0.03)))
    for part, (title, cases) in zip(parts, columns.items(), strict=True):
        part.suptitle(title, fontsize=13, fontweight="bold")
        axes = part.subplots(rows, 2, squeeze=False)
        for row in range(rows):
            show_slice(axes[row, 0], cases.image[row, 0])
            show_slice(axes[row, 1], cases.image[row, 0])
            draw_contours(axes[row, 1], cases.label[row], scheme)
        axes[0, 0].set_title("image", fontsize=10)
        axes[0, 1].set_title("with its label", fontsize=10)
    structures_legend(figure, scheme)
    return figure


def hearts_figure(cases: Cases, scheme: LabelScheme, columns: int = 8) -> Figure:
    """Return a sheet of slices with the contours of their labels."""
    rows = -(-len(cases.image) // columns)
    figure = new_figure(1.3 * columns, 1.3 * rows + 0.5)
    axes = figure.subplots(rows, columns, squeeze=False)
    for axis in axes.flat:
        axis.set_axis_off()
    for axis, image, label in zip(axes.flat, cases.image, cases.label, strict=False):
        show_slice(axis, image[0])
        draw_contours(axis, label, scheme, width=0.9)
    structures_legend(figure, scheme)
    return figure


def losses_figure(history: Sequence[Mapping[str, Any]]) -> Figure:
    """Return one small panel for each column of a training's history but `iteration`."""
    names = [name for name in history[0] if name != "iteration"]
    columns = min(4, len(names))
    rows = -(-len(names) // columns)
    figure = new_figure(2.7 * columns, 2.1 * rows)
    axes = figure.subplots(rows, columns, squeeze=False)
    iterations = [float(row["iteration"]) for row in history]
    for axis in axes.flat[len(names) :]:
        axis.set_axis_off()
    for axis, name in zip(axes.flat, names, strict=False):
        axis.plot(iterations, [float(row[name]) for row in history], color=SECOND, linewidth=1.4, marker=".")
        dress_axis(axis, "iteration", name.replace("_", " "))
    return figure


def arms_figure(histories: Mapping[str, Sequence[Mapping[str, Any]]]) -> Figure:
    """Return the columns of both arms' histories, the arms in one panel; the round that was chosen is marked."""
    names = [name for name in next(iter(histories.values()))[0] if name != "iteration"]
    figure = new_figure(4.2 * len(names), 3.0)
    for axis, name in zip(figure.subplots(1, len(names), squeeze=False).flat, names, strict=True):
        for (arm, history), colour in zip(histories.items(), (FIRST, SECOND), strict=False):
            iterations = [float(row["iteration"]) for row in history]
            values = [float(row[name]) for row in history]
            axis.plot(iterations, values, color=colour, linewidth=1.6, label=arm)
            if name == "validation dice":
                best = int(np.argmax(values))
                axis.plot(iterations[best], values[best], "o", color=colour)
        dress_axis(axis, "iteration", name.replace("dice", "Dice"))
    figure.axes[0].legend(frameon=False, fontsize=9)
    return figure


def dice_figure(rows: Sequence[Comparison], arms: tuple[str, str]) -> Figure:
    """Return both arms' Dice by structure, and their paired difference, as dots with 95 % intervals."""
    figure = new_figure(8.4, 0.55 * len(rows) + 1.4)
    values, differences = figure.subplots(1, 2, sharey=True, width_ratios=(3, 2))
    places = np.arange(len(rows))[::-1]
    for name, shift, colour, marker in ((arms[0], 0.13, FIRST, "s"), (arms[1], -0.13, SECOND, "o")):
        intervals = [row.first if name == arms[0] else row.second for row in rows]
        draw_whiskers(values, intervals, places + shift, colour, marker, name)
    draw_whiskers(differences, [row.difference for row in rows], places, "#222222", "D", None)
    differences.axvline(0, color="#888888", linewidth=1, linestyle="--")
    values.set_yticks(places, [row.structure for row in rows])
    values.set_ylim(-0.6, len(rows) - 0.4)
    dress_axis(values, "Dice, mean over patients", "")
    dress_axis(differences, "paired difference, second − first", "")
    figure.legend(*values.get_legend_handles_labels(), loc="outside upper center", ncols=2, frameon=False, fontsize=9)
    return figure
