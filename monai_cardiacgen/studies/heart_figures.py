"""Pictures of hearts that have no image: sheets, stacks, cycles and curves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.patches import Patch
from PIL import Image

from ..anatomy.labels import LabelScheme
from ..data.files import whole_file
from ..inferers.synthetic_patient import ShortAxisStack, SyntheticCine

_BACKGROUND = (0.09, 0.09, 0.11)


def label_sheet(labels: torch.Tensor, scheme: LabelScheme, title: str, columns: int = 12) -> Figure:
    """Return a sheet of label maps `(N, H, W)`, codes, the first axis to the right as short-axis views are read."""
    rows = -(-len(labels) // columns)
    figure = _figure(0.95 * columns, 0.95 * rows + 0.9)
    axes = figure.subplots(rows, columns, squeeze=False)
    for axis in axes.flat:
        axis.set_axis_off()
    for axis, label in zip(axes.flat, labels, strict=False):
        _show(axis, label, scheme)
    figure.suptitle(title, fontsize=11)
    _legend(figure, scheme)
    return figure


def patient_figure(diastole: ShortAxisStack, systole: ShortAxisStack, scheme: LabelScheme, title: str) -> Figure:
    """Return a patient's stacks: a row for end diastole and one for end systole, from base to apex."""
    slices = diastole.label.shape[2]
    figure = _figure(1.25 * slices + 0.6, 3.6)
    axes = figure.subplots(2, slices, squeeze=False)
    for row, (name, stack) in enumerate((("end diastole", diastole), ("end systole", systole))):
        for number, axis in enumerate(axes[row]):
            _show(axis, stack.label[..., number], scheme)
            axis.set_title(f"{number * stack.spacing[2]:.0f} mm", fontsize=8)
        axes[row, 0].text(-0.12, 0.5, name, transform=axes[row, 0].transAxes, rotation=90, va="center", ha="right")
    figure.suptitle(f"{title}; distance from the base along the long axis", fontsize=11)
    _legend(figure, scheme)
    return figure


def volume_figure(curves: Mapping[str, Sequence[float]], ylabel: str = "LV cavity volume (mL)") -> Figure:
    """Return curves over one cardiac cycle, the first frame repeated at its end."""
    figure = _figure(6.0, 3.6)
    axis = figure.subplots()
    for name, values in curves.items():
        closed = [*values, values[0]]
        axis.plot(np.linspace(0, 100, len(closed)), closed, marker="o", markersize=3, label=name)
    axis.set_xlabel("time (% of the cardiac cycle, 0 is end diastole)")
    axis.set_ylabel(ylabel)
    axis.set_ylim(bottom=0)
    axis.grid(color="#dddddd", linewidth=0.6)
    axis.spines[["top", "right"]].set_visible(False)
    axis.legend(frameon=False, fontsize=9)
    return figure


def write_cine_gif(path: Path, cine: SyntheticCine, scheme: LabelScheme, title: str, per_second: int = 20) -> None:
    """Write a cardiac cycle as an endless GIF, all slices side by side, with the volume of each moment."""
    slices = cine.label.shape[3]
    columns = -(-slices // 2)
    figure = _figure(1.3 * columns, 3.6)
    axes = figure.subplots(2, columns, squeeze=False)
    for axis in axes.flat:
        axis.set_axis_off()
    pictures = [
        _show(axis, cine.label[0, ..., number], scheme) for number, axis in zip(range(slices), axes.flat, strict=False)
    ]
    volumes = cine.volumes(scheme)
    heading = figure.suptitle("", fontsize=10)
    _legend(figure, scheme)

    frames = []
    for frame, volume in enumerate(volumes):
        for number, picture in enumerate(pictures):
            picture.set_data(_channels(cine.label[frame, ..., number], scheme))
        heading.set_text(f"{title}: base (top left) to apex, LV cavity {volume:.0f} mL")
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        frames.append(Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB"))
    with whole_file(path) as beside:
        frames[0].save(
            beside, format="GIF", save_all=True, append_images=frames[1:], duration=1000 // per_second, loop=0
        )


def save_figure(path: Path, figure: Figure) -> None:
    """Write a figure as PNG, whole or not at all."""
    with whole_file(path) as beside:
        figure.savefig(beside, format="png", dpi=110)


def _figure(width: float, height: float) -> Figure:
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _channels(label: torch.Tensor, scheme: LabelScheme) -> np.ndarray:
    channels: np.ndarray = scheme.to_channels(label).cpu().numpy().T
    return channels


def _show(axis: Axes, label: torch.Tensor, scheme: LabelScheme) -> AxesImage:
    colours = ListedColormap([_BACKGROUND, *(structure.colour for structure in scheme.structures)])
    axis.set_axis_off()
    return axis.imshow(
        _channels(label, scheme), cmap=colours, vmin=-0.5, vmax=scheme.num_classes - 0.5, interpolation="nearest"
    )


def _legend(figure: Figure, scheme: LabelScheme) -> None:
    patches = [Patch(color=structure.colour, label=structure.name) for structure in scheme.structures]
    figure.legend(handles=patches, loc="outside lower center", ncols=len(patches), frameon=False, fontsize=9)
