"""A figure of a label map with the places at which it breaks anatomical criteria."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ..anatomy.check import AnatomyCheck
from ..anatomy.evidence import find_evidence
from ..anatomy.labels import LabelScheme

#: Told apart from the structures by their white rim, and from each other by shape and colour.
_MARKS = tuple(
    (shape, colour)
    for shape in ("X", "o", "s", "D", "^", "v", "P", "*")
    for colour in ("#000000", "#ff00c8", "#fff200")
)
#: As many marks of one criterion are drawn large and with a rim.
_FEW = 8
#: mm of background that are shown around the heart.
_MARGIN = 8.0


def anatomy_figure(
    check: AnatomyCheck,
    label: torch.Tensor,
    spacing: Sequence[float],
    image: torch.Tensor | None = None,
) -> Figure:
    """Return a map in its scheme's colours with a mark on every pixel that breaks a criterion, and the reasons below.

    Axes are in mm from the map's corner, the first axis to the right and the second downwards. Of a whole heart the
    slice across the last axis is shown that holds most of the marked voxels; the reasons are the whole volume's.

    Args:
        check: the check that judges; its scheme and view.
        label: one map of the scheme's codes, integer `(H, W)`, of whole hearts `(H, W, D)`.
        spacing: mm between pixels along each spatial axis.
        image: shown under the label where given, in [0, 1], of the label's shape.

    Returns:
        A figure without a screen: `figure.savefig(...)`.

    Raises:
        ShapeError: when `label` is not one map of the check's view.
        LabelError: when `label` holds a code that the scheme does not know.
        SpacingError: when `spacing` is not one positive number for each spatial axis.

    Example:
        >>> label = torch.zeros(32, 32, dtype=torch.int64)
        >>> label[8:24, 8:24] = 2
        >>> label[9, 9] = 0
        >>> figure = anatomy_figure(AnatomyCheck(), label, (2.0, 2.0))
        >>> figure.axes[0].get_xlabel()
        'mm'
    """
    evidence = find_evidence(check, label, spacing)
    reasons = check(label[None], spacing).reasons(0)
    title = f"{check.view}: " + (f"breaks {len(reasons)} of {len(check.criteria)}" if reasons else "valid")
    if label.ndim == 3:
        shown = _busiest_slice(evidence, label)
        title += f"\nslice {shown + 1} of {label.shape[2]}"
        label, image = label[..., shown], None if image is None else image[..., shown]
        evidence = {name: where[..., shown] for name, where in evidence.items()}
    lines = [line for reason in reasons for line in textwrap.wrap(reason, 88, subsequent_indent="   ")]
    figure = Figure(figsize=(7.2, 5.0 + 0.19 * len(lines)), layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    axis = figure.add_subplot()
    _show(axis, label, check.scheme, spacing, image)
    handles = _mark(axis, evidence, spacing)
    _zoom(axis, label, spacing)
    axis.set_title(title, fontsize=11)
    axis.set_xlabel("mm")
    axis.set_ylabel("mm")
    handles = [*_structures(label, check.scheme), *handles]
    axis.legend(handles=handles, loc="upper left", bbox_to_anchor=(1.02, 1.0), frameon=False, fontsize=8)
    if lines:
        figure.supxlabel("\n".join(lines), fontsize=8, x=0.02, ha="left")
    return figure


def _busiest_slice(evidence: dict[str, torch.Tensor], label: torch.Tensor) -> int:
    # A mark of a few voxels counts as much as a whole structure that is marked for its volume.
    weight = (label != 0).sum(dim=(0, 1)) * 1e-6
    for where in evidence.values():
        along = where.sum(dim=(0, 1))
        weight = weight + along / along.sum().clamp(min=1)
    return int(weight.argmax())


def _show(
    axis: Axes, label: torch.Tensor, scheme: LabelScheme, spacing: Sequence[float], image: torch.Tensor | None
) -> None:
    colours = np.ones((*label.shape, 3)) if image is None else np.repeat(image.cpu().numpy()[..., None], 3, axis=-1)
    for structure in scheme.structures:
        inside = (label == structure.code).cpu().numpy()
        strength = 0.75 if image is None else 0.45
        colours[inside] = (1 - strength) * colours[inside] + strength * np.array(structure.colour)
    extent = (0.0, label.shape[0] * spacing[0], label.shape[1] * spacing[1], 0.0)
    axis.imshow(colours.clip(0, 1).transpose(1, 0, 2), extent=extent, interpolation="nearest")


def _mark(axis: Axes, evidence: dict[str, torch.Tensor], spacing: Sequence[float]) -> list[Line2D]:
    handles = []
    for (name, where), (shape, colour) in zip(evidence.items(), _cycle(len(evidence)), strict=True):
        row, column = (index.cpu().numpy() + 0.5 for index in where.nonzero(as_tuple=True))
        few = len(row) <= _FEW  # the rims of many marks would hide each other
        (handle,) = axis.plot(
            row * spacing[0],
            column * spacing[1],
            linestyle="none",
            marker=shape,
            markersize=7 if few else 3.5,
            color=colour,
            markeredgecolor="white",
            markeredgewidth=0.8 if few else 0.0,
            label=f"{name} ({len(row)})",
        )
        handles.append(handle)
    return handles


def _cycle(count: int) -> list[tuple[str, str]]:
    return [_MARKS[number % len(_MARKS)] for number in range(count)]


def _structures(label: torch.Tensor, scheme: LabelScheme) -> list[Line2D]:
    return [
        Line2D([], [], linestyle="none", marker="s", markersize=8, color=structure.colour, label=structure.name)
        for structure in scheme.structures
        if bool((label == structure.code).any())
    ]


def _zoom(axis: Axes, label: torch.Tensor, spacing: Sequence[float]) -> None:
    """Show the heart with a margin; a map without one whole."""
    limits = []
    for dim in (0, 1):
        present = (label != 0).any(dim=1 - dim).nonzero().flatten()
        side = label.shape[dim] * spacing[dim]
        first, last = (float(present[0]), float(present[-1]) + 1) if len(present) else (0.0, float(label.shape[dim]))
        limits.append((max(0.0, first * spacing[dim] - _MARGIN), min(side, last * spacing[dim] + _MARGIN)))
    axis.set_xlim(*limits[0])
    axis.set_ylim(limits[1][1], limits[1][0])
