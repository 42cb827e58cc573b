"""Pictures of a conditional generator of whole-heart slices, as radiologists see them."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import fill

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from ...anatomy.labels import LabelScheme
from ...anatomy.schemes import MM_WHS
from ...inferers.similarity_filter import Nearest

#: Characters in a line above a column of images.
_HEAD = 22


def coloured(label: torch.Tensor, scheme: LabelScheme = MM_WHS) -> np.ndarray:
    """Return codes `(H, W)` as a picture `(H, W, 3)` in the scheme's colours on black."""
    colours = torch.tensor([(0.0, 0.0, 0.0), *(one.colour for one in scheme.structures)])
    picture: np.ndarray = colours[scheme.to_channels(label)].numpy()
    return picture


def conditions_figure(
    names: Sequence[str],
    conditions: Sequence[Sequence[torch.Tensor]],
    originals: Sequence[Sequence[torch.Tensor]],
    generated: Sequence[Sequence[torch.Tensor]],
    scheme: LabelScheme = MM_WHS,
) -> Figure:
    """Return a row for each condition, and in it for each patient the condition, the original and what was generated.

    Args:
        names: of the conditions.
        conditions: codes `(H, W)`, first axis to the left and second to the back, by name and patient.
        originals: images `(H, W)` in [0, 1], likewise.
        generated: likewise.
        scheme: of the codes.
    """
    patients = len(conditions[0])
    figure = _figure(1.45 * 3 * patients + 0.3, 1.47 * len(names) + 0.3)
    axes = figure.subplots(len(names), 3 * patients, squeeze=False)
    for name, line, codes, real, made in zip(names, axes, conditions, originals, generated, strict=True):
        line[0].set_ylabel(name.replace(" ", "\n", 1), fontsize=8)
        for patient in range(patients):
            first, second, third = line[3 * patient : 3 * patient + 3]
            first.imshow(coloured(codes[patient], scheme).swapaxes(0, 1), interpolation="nearest")
            _grey(second, real[patient])
            _grey(third, made[patient])
    for number, axis in enumerate(axes[0]):
        axis.set_title(("condition", "original", "generated")[number % 3], fontsize=9)
    for axis in axes.flat:
        _plain(axis)
    return figure


def closest_pairs_figure(
    groups: Sequence[tuple[str, torch.Tensor, Nearest, torch.Tensor]], training: torch.Tensor, shown: int = 5
) -> Figure:
    """Return for each group its images that come closest to a training image, the closest first, each above that image.

    Args:
        groups: name; images `(N, 1, H, W)`; `SimilarityFilter.nearest` of these; and which pass the filter, `(N,)`.
        training: the filter's training images.
        shown: pairs of a group at most.
    """
    figure = _figure(1.6 * shown + 0.4, 3.5 * len(groups) + 0.2)
    axes = figure.subplots(2 * len(groups), shown, squeeze=False)
    for place, (name, images, nearest, passed) in enumerate(groups):
        order = nearest.ssim.argsort(descending=True)[:shown].tolist()
        upper, lower = axes[2 * place], axes[2 * place + 1]
        upper[0].set_ylabel(name, fontsize=8)
        lower[0].set_ylabel("nearest\ntraining image", fontsize=8)
        for axis, below, number in zip(upper, lower, order, strict=False):
            _grey(axis, images[number, 0])
            _grey(below, training[int(nearest.by_ssim[number]), 0])
            verdict = "passes" if bool(passed[number]) else "refused"
            axis.set_title(
                f"{verdict}\nSSIM {float(nearest.ssim[number]):.2f}, r {float(nearest.correlation[number]):.2f}",
                fontsize=8,
            )
    for axis in axes.flat:
        _plain(axis)
    return figure


def new_hearts_figure(labels: torch.Tensor, images: torch.Tensor, scheme: LabelScheme = MM_WHS) -> Figure:
    """Return a row for each case: three axial slices from the apex up and the middle coronal one, each with its labels.

    Args:
        labels: codes `(N, H, W, D)`: axes to the left, the back and the head.
        images: `(N, 1, H, W, D)` in [0, 1].
        scheme: of the codes.
    """
    figure = _figure(1.35 * 8, 1.4 * len(labels) + 0.3)
    axes = figure.subplots(len(labels), 8, squeeze=False)
    for line, label, image in zip(axes, labels, images[:, 0], strict=True):
        with_heart = torch.nonzero((label > 0).flatten(0, 1).any(dim=0))[:, 0]
        for place, share in enumerate((0.3, 0.5, 0.7)):
            at = int(with_heart[int(share * len(with_heart))])
            line[2 * place].imshow(coloured(label[..., at], scheme).swapaxes(0, 1), interpolation="nearest")
            _grey(line[2 * place + 1], image[..., at])
        at = int(torch.nonzero(label)[:, 1].float().mean().round())
        line[6].imshow(coloured(label[:, at], scheme).swapaxes(0, 1), interpolation="nearest", origin="lower")
        line[7].imshow(image[:, at].mT.numpy(), cmap="gray", vmin=0, vmax=1, interpolation="nearest", origin="lower")
    for place, name in enumerate(("lower third", "middle", "upper third", "coronal")):
        axes[0, 2 * place].set_title(name, fontsize=9)
    for axis in axes.flat:
        _plain(axis)
    return figure


def translation_figure(columns: Sequence[tuple[str, torch.Tensor]]) -> Figure:
    """Return named columns of images `(N, 1, H, W)` in [0, 1], a row for each case."""
    rows = len(columns[0][1])
    figure = _figure(1.7 * len(columns), 1.72 * rows + 0.3)
    axes = figure.subplots(rows, len(columns), squeeze=False)
    for place, (name, images) in enumerate(columns):
        axes[0, place].set_title(fill(name, _HEAD), fontsize=9)
        for row in range(rows):
            _grey(axes[row, place], images[row, 0])
    for axis in axes.flat:
        _plain(axis)
    return figure


def _figure(width: float, height: float) -> Figure:
    figure = Figure(figsize=(width, height), layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def _grey(axis: Axes, image: torch.Tensor) -> None:
    """Show an image whose first axis runs to the patient's left, second to the back."""
    axis.imshow(image.mT.numpy(), cmap="gray", vmin=0, vmax=1, interpolation="nearest")


def _plain(axis: Axes) -> None:
    axis.set_xticks([])
    axis.set_yticks([])
    axis.spines[:].set_visible(False)


__all__ = ["closest_pairs_figure", "coloured", "conditions_figure", "new_hearts_figure", "translation_figure"]
