"""The figures of a study's page, drawn without a screen."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure, SubFigure
from matplotlib.lines import Line2D

from ..anatomy.labels import LabelScheme
from .comparison import Comparison

_FIRST, _SECOND = "#5b6770", "#c2410c"  # told apart in grey and by the colour-blind


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
    figure = _figure(3.0 * len(columns), 1.5 * rows + 0.9)
    parts = np.atleast_1d(cast(np.ndarray, figure.subfigures(1, len(columns), wspace=0.03)))
    for part, (title, cases) in zip(parts, columns.items(), strict=True):
        part.suptitle(title, fontsize=13, fontweight="bold")
        axes = part.subplots(rows, 2, squeeze=False)
        for row in range(rows):
            _show(axes[row, 0], cases.image[row, 0])
            _show(axes[row, 1], cases.image[row, 0])
            _contours(axes[row, 1], cases.label[row], scheme)
        axes[0, 0].set_title("image", fontsize=10)
        axes[0, 1].set_title("with its label", fontsize=10)
    _structures_legend(figure, scheme)
    return figure


def hearts_figure(cases: Cases, scheme: LabelScheme, columns: int = 8) -> Figure:
    """Return a sheet of slices with the contours of their labels."""
    rows = -(-len(cases.image) // columns)
    figure = _figure(1.3 * columns, 1.3 * rows + 0.5)
    axes = figure.subplots(rows, columns, squeeze=False)
    for axis in axes.flat:
        axis.set_axis_off()
    for axis, image, label in zip(axes.flat, cases.image, cases.label, strict=False):
        _show(axis, image[0])
        _contours(axis, label, scheme, width=0.9)
    _structures_legend(figure, scheme)
    return figure


def losses_figure(history: Sequence[Mapping[str, Any]]) -> Figure:
    """Return one small panel for each column of a training's history but `iteration`."""
    names = [name for name in history[0] if name != "iteration"]
    columns = min(4, len(names))
    rows = -(-len(names) // columns)
    figure = _figure(2.7 * columns, 2.1 * rows)
    axes = figure.subplots(rows, columns, squeeze=False)
    iterations = [float(row["iteration"]) for row in history]
    for axis in axes.flat[len(names) :]:
        axis.set_axis_off()
    for axis, name in zip(axes.flat, names, strict=False):
        axis.plot(iterations, [float(row[name]) for row in history], color=_SECOND, linewidth=1.4, marker=".")
        _dress(axis, "iteration", name.replace("_", " "))
    return figure


def arms_figure(histories: Mapping[str, Sequence[Mapping[str, Any]]]) -> Figure:
    """Return the columns of both arms' histories, the arms in one panel; the round that was chosen is marked."""
    names = [name for name in next(iter(histories.values()))[0] if name != "iteration"]
    figure = _figure(4.2 * len(names), 3.0)
    for axis, name in zip(figure.subplots(1, len(names), squeeze=False).flat, names, strict=True):
        for (arm, history), colour in zip(histories.items(), (_FIRST, _SECOND), strict=False):
            iterations = [float(row["iteration"]) for row in history]
            values = [float(row[name]) for row in history]
            axis.plot(iterations, values, color=colour, linewidth=1.6, label=arm)
            if name == "validation dice":
                best = int(np.argmax(values))
                axis.plot(iterations[best], values[best], "o", color=colour)
        _dress(axis, "iteration", name.replace("dice", "Dice"))
    figure.axes[0].legend(frameon=False, fontsize=9)
    return figure


def dice_figure(rows: Sequence[Comparison], arms: tuple[str, str]) -> Figure:
    """Return both arms' Dice by structure, and their paired difference, as dots with 95 % intervals."""
    figure = _figure(8.4, 0.55 * len(rows) + 1.4)
    values, differences = figure.subplots(1, 2, sharey=True, width_ratios=(3, 2))
    places = np.arange(len(rows))[::-1]
    for name, shift, colour, marker in ((arms[0], 0.13, _FIRST, "s"), (arms[1], -0.13, _SECOND, "o")):
        intervals = [row.first if name == arms[0] else row.second for row in rows]
        _whiskers(values, intervals, places + shift, colour, marker, name)
    _whiskers(differences, [row.difference for row in rows], places, "#222222", "D", None)
    differences.axvline(0, color="#888888", linewidth=1, linestyle="--")
    values.set_yticks(places, [row.structure for row in rows])
    values.set_ylim(-0.6, len(rows) - 0.4)
    _dress(values, "Dice, mean over patients", "")
    _dress(differences, "paired difference, second − first", "")
    figure.legend(*values.get_legend_handles_labels(), loc="outside upper center", ncols=2, frameon=False, fontsize=9)
    return figure


def png_base64(figure: Figure, dpi: int = 130) -> str:
    """Return the figure as a PNG in base64, for a page that needs no other file."""
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=dpi, metadata={"Software": None})
    return base64.b64encode(content.getvalue()).decode("ascii")


def _figure(width: float, height: float) -> Figure:
    figure = Figure(figsize=(width, height), layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def _show(axis: Axes, image: torch.Tensor) -> None:
    """Draw a slice the way short-axis views are read: the file's first axis runs to the right."""
    axis.imshow(image.cpu().numpy().T, cmap="gray", vmin=0, vmax=1, interpolation="bilinear")
    axis.set_axis_off()


def _contours(axis: Axes, label: torch.Tensor, scheme: LabelScheme, width: float = 1.2) -> None:
    for structure in scheme.structures:
        inside = (label == structure.code).cpu().numpy().T
        if inside.any():
            axis.contour(inside, levels=[0.5], colors=[structure.colour], linewidths=width)


def _structures_legend(figure: Figure | SubFigure, scheme: LabelScheme) -> None:
    lines = [Line2D([], [], color=structure.colour, linewidth=2) for structure in scheme.structures]
    names = [structure.name for structure in scheme.structures]
    figure.legend(lines, names, loc="outside lower center", ncols=len(names), frameon=False, fontsize=10)


def _whiskers(
    axis: Axes, intervals: Sequence[Any], places: np.ndarray, colour: str, marker: str, name: str | None
) -> None:
    means = np.array([interval.mean for interval in intervals])
    ends = np.array([[interval.low, interval.high] for interval in intervals]).T
    ends = np.where(np.isnan(ends), means, ends)  # a single patient has a dot without whiskers
    arms = np.abs(ends - means)
    axis.errorbar(
        means, places, xerr=arms, fmt=marker, color=colour, markersize=6, capsize=3, linewidth=1.4, label=name
    )


def _dress(axis: Axes, across: str, title: str) -> None:
    axis.set_xlabel(across, fontsize=9)
    axis.set_title(title, fontsize=10)
    axis.tick_params(labelsize=9)
    axis.grid(color="#dddddd", linewidth=0.6)
    axis.set_axisbelow(True)
    axis.spines[["top", "right"]].set_visible(False)
