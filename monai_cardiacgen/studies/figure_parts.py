"""What figures of a study share: their size and look, slices, contours, whiskers, and the way into a page."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure, SubFigure
from matplotlib.lines import Line2D

from ..anatomy.labels import LabelScheme
from .bootstrap import Interval

#: Colours of what is compared with, and of what is new; told apart in grey and by the colour-blind.
FIRST, SECOND = "#5b6770", "#c2410c"


def new_figure(width: float, height: float) -> Figure:
    """Return an empty figure of so many inches that needs no screen."""
    figure = Figure(figsize=(width, height), layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def show_slice(axis: Axes, image: torch.Tensor) -> None:
    """Draw a slice `(H, W)` the way short-axis views are read: the file's first axis runs to the right."""
    axis.imshow(image.cpu().numpy().T, cmap="gray", vmin=0, vmax=1, interpolation="bilinear")
    axis.set_axis_off()


def draw_contours(axis: Axes, label: torch.Tensor, scheme: LabelScheme, width: float = 1.2) -> None:
    """Draw the outline of each structure of the codes `(H, W)` in its colour."""
    for structure in scheme.structures:
        inside = (label == structure.code).cpu().numpy().T
        if inside.any():
            axis.contour(inside, levels=[0.5], colors=[structure.colour], linewidths=width)


def structures_legend(figure: Figure | SubFigure, scheme: LabelScheme) -> None:
    """Name the structures' colours below the figure."""
    lines = [Line2D([], [], color=structure.colour, linewidth=2) for structure in scheme.structures]
    names = [structure.name for structure in scheme.structures]
    figure.legend(lines, names, loc="outside lower center", ncols=len(names), frameon=False, fontsize=10)


def interval_ends(intervals: Sequence[Interval]) -> tuple[np.ndarray, np.ndarray]:
    """Return means `(N,)` and the whiskers' lengths `(2, N)` below and above them; 0 where there is no interval."""
    means = np.array([interval.mean for interval in intervals])
    ends = np.array([[interval.low, interval.high] for interval in intervals]).T
    return means, np.abs(np.where(np.isnan(ends), means, ends) - means)


def draw_whiskers(
    axis: Axes, intervals: Sequence[Interval], places: np.ndarray, colour: str, marker: str, name: str | None
) -> None:
    """Draw dots with horizontal whiskers at these heights."""
    means, arms = interval_ends(intervals)
    axis.errorbar(
        means, places, xerr=arms, fmt=marker, color=colour, markersize=6, capsize=3, linewidth=1.4, label=name
    )


def dress_axis(axis: Axes, across: str, title: str) -> None:
    """Give an axis its labels and the look of the house."""
    axis.set_xlabel(across, fontsize=9)
    axis.set_title(title, fontsize=10)
    axis.tick_params(labelsize=9)
    axis.grid(color="#dddddd", linewidth=0.6)
    axis.set_axisbelow(True)
    axis.spines[["top", "right"]].set_visible(False)


def png_base64(figure: Figure, dpi: int = 130) -> str:
    """Return the figure as a PNG in base64, for a page that needs no other file."""
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=dpi, metadata={"Software": None})
    return base64.b64encode(content.getvalue()).decode("ascii")
