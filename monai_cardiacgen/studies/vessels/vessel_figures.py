"""Pictures of a generator of vessel patches and of what it inpaints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Circle

from ...metrics import radial_spectrum
from .masked_vessels import MaskedVessel, find_circle

_REAL, _MADE = "#0f766e", "#f97316"


def patches_figure(real: torch.Tensor, generated: torch.Tensor, side: int = 7) -> Figure:
    """Return two sheets of patches `(N, 1, H, W)` side by side: real ones and generated ones.

    Args:
        real: in [0, 1].
        generated: likewise.
        side: patches along a sheet's side; 7 shows the 49 of a batch.
    """
    figure = _figure(1.28 * side, 0.66 * side + 0.4)
    for axis, (name, patches) in zip(figure.subplots(1, 2), (("real", real), ("generated", generated)), strict=True):
        _show(axis, _sheet(patches[: side**2], side))
        axis.set_title(name, fontsize=11)
    return figure


def _sheet(patches: torch.Tensor, side: int) -> torch.Tensor:
    """Return patches `(N, 1, H, W)` as one image `(1, ...)`, row by row along the second axis, 2 white pixels apart.

    One image is drawn many times as quickly as many axes.
    """
    padded = torch.nn.functional.pad(patches, (0, 2, 0, 2), value=1.0)
    height, width = padded.shape[2:]
    sheet = torch.ones(1, side * height, side * width)
    for number, patch in enumerate(padded):
        row, column = divmod(number, side)
        sheet[:, column * height : (column + 1) * height, row * width : (row + 1) * width] = patch
    return sheet


def comparison_figure(cases: Sequence[MaskedVessel], inpainted: Mapping[str, Sequence[torch.Tensor]]) -> Figure:
    """Return a row for each patch: the real one, the masked one, and what each method made, with the circles.

    The circle found in an inpainted image is orange, the real vessel green.

    Args:
        cases: the patches.
        inpainted: by method, one image `(1, H, W)` for each patch.
    """
    columns = ["real", "masked", *inpainted]
    figure = _figure(1.75 * len(columns), 1.75 * len(cases) + 0.3)
    axes = figure.subplots(len(cases), len(columns), squeeze=False)
    for number, case in enumerate(cases):
        _show(axes[number, 0], case.image)
        _circle(axes[number, 0], case.centre, case.radius / case.spacing, _REAL)
        _show(axes[number, 1], case.image.masked_fill(case.mask, 0))
        for axis, images in zip(axes[number, 2:], inpainted.values(), strict=True):
            _show(axis, images[number])
            _circle(axis, case.centre, case.radius / case.spacing, _REAL)
            circle = find_circle(images[number], case)
            if circle is not None:
                _circle(axis, circle.centre, circle.radius / case.spacing, _MADE)
    for axis, name in zip(axes[0], columns, strict=True):
        axis.set_title(name, fontsize=10)
    return figure


def anomaly_figure(images: Mapping[str, torch.Tensor], scores: Mapping[str, torch.Tensor], limit: float) -> Figure:
    """Return images above their z-scores, in which the colour changes at the limit.

    Args:
        images: by name, `(1, H, W)` in [0, 1].
        scores: by the same names, z-scores `(1, H, W)`.
        limit: z-score above which a pixel is called abnormal.
    """
    figure = _figure(1.8 * len(images), 4.0)
    axes = figure.subplots(2, len(images), squeeze=False)
    for column, (name, image) in enumerate(images.items()):
        _show(axes[0, column], image)
        axes[0, column].set_title(name, fontsize=10)
        axes[1, column].set_axis_off()
        shown = axes[1, column].imshow(scores[name][0].numpy().T, cmap="inferno", vmin=0, vmax=2 * limit)
        above = float((scores[name] > limit).sum())
        axes[1, column].set_title(f"{above:.0f} pixels above {limit:.1f}", fontsize=9)
    figure.colorbar(shown, ax=list(axes[1]), location="bottom", shrink=0.4, extend="max", label="z-score")
    return figure


def spectrum_figure(sets: Mapping[str, torch.Tensor], spacing: float) -> Figure:
    """Return the radial power spectra of sets of patches `(N, 1, H, H)` on logarithmic axes."""
    figure = _figure(6.4, 4.0)
    axis = figure.subplots()
    for number, (name, patches) in enumerate(sets.items()):
        frequencies, power = radial_spectrum(patches, spacing)
        axis.plot(frequencies, power, label=name, linewidth=1.6, linestyle=("-", "--", ":", "-.")[number % 4])
    axis.set_xscale("log")
    axis.set_yscale("log")
    axis.set_xlabel("spatial frequency (cycles/mm)")
    axis.set_ylabel("mean power")
    _plain(axis)
    return figure


def critic_figure(rows: Sequence[Mapping[str, Any]]) -> Figure:
    """Return the curves of a training: the critic's estimate of the distance, and the norm of its gradient."""
    figure = _figure(6.4, 4.0)
    axis = figure.subplots()
    iterations = [float(row["iteration"]) for row in rows]
    axis.plot(iterations, [float(row["critic_estimate"]) for row in rows], label="critic's estimate of the distance")
    norms = [float(row["gradient_norm"]) for row in rows]
    axis.plot(iterations, norms, label="gradient norm (1 is asked for)", linestyle="--")
    axis.set_xlabel("steps of the critic")
    axis.set_ylim(bottom=0)
    _plain(axis)
    return figure


def _figure(width: float, height: float) -> Figure:
    figure = Figure(figsize=(width, height), layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def _plain(axis: Axes) -> None:
    axis.grid(color="#dddddd", linewidth=0.6, which="both")
    axis.spines[["top", "right"]].set_visible(False)
    axis.legend(frameon=False, fontsize=9)


def _show(axis: Axes, image: torch.Tensor) -> None:
    """Draw a `(1, H, W)` image with its first axis to the right."""
    axis.set_axis_off()
    axis.imshow(image[0].cpu().numpy().T, cmap="gray", vmin=0, vmax=1, interpolation="nearest")


def _circle(axis: Axes, centre: Sequence[float], radius: float, colour: str) -> None:
    axis.add_patch(Circle((centre[0], centre[1]), radius, fill=False, edgecolor=colour, linewidth=1.1))
