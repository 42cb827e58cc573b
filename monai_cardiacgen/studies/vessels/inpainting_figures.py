"""Pictures of inpainting: from the masked image to the anomaly map, the starts, and the descent as a GIF."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import cast

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from PIL import Image

from ...data.files import whole_file
from ...inferers.latent_inpainter import LatentInpainter
from ...inferers.searched_image import SearchedImage

#: A z-score beyond this is shown in the brightest colour.
_Z_SHOWN = 10
_FRAME = "#f97316"


def inpainting_figure(
    real: torch.Tensor, found: SearchedImage, inpainter: LatentInpainter, title: str, starts: int = 4
) -> Figure:
    """Return the real, masked and inpainted image with the anomaly map above, and the starts below.

    Below are, for the `starts` starts of lowest loss, what the generator made of the first and of the last latent,
    and the region that was made anew.

    Args:
        real: `(1, H, W)` in [0, 1].
        found: for this image.
        inpainter: that found it, which draws the first latents.
        title: of the figure.
        starts: how many are shown.
    """
    order = found.losses.argsort()[:starts].tolist()
    figure = Figure(figsize=(max(9.5, 2.2 * len(order)), 9.6), layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    above, below = cast(np.ndarray, figure.subfigures(2, 1, height_ratios=(1, 2.6)))
    masked = real.cpu().masked_fill(found.mask.cpu(), 0)
    axes = above.subplots(1, 5)
    shown = (("real", real), ("masked", masked), ("inpainted", found.image))
    for axis, (name, image) in zip(axes, shown, strict=False):
        _show(axis, image, name)
        _frame(axis, found.mask)
    anomaly = _show(axes[3], found.anomaly, "|real − inpainted|", "magma", None)
    above.colorbar(anomaly, ax=axes[3], shrink=0.6, location="bottom", label="intensity")
    score = _show(axes[4], found.z_score, "z-score", "inferno", _Z_SHOWN)
    above.colorbar(score, ax=axes[4], shrink=0.6, location="bottom", extend="max", label="standard deviations")

    first = inpainter.decode(found.path[order, 0])
    panels = below.subplots(3, len(order), squeeze=False)
    rows, columns = torch.nonzero(found.mask).amin(dim=0).tolist(), found.region.shape[1:]
    for column, number in enumerate(order):
        _show(panels[0, column], first[column], f"start {number + 1}: loss {found.trace[number, 0]:.3f}")
        _show(
            panels[1, column], found.generated[number], f"after {found.steps[number]} steps: {found.losses[number]:.3f}"
        )
        region = found.images[number][:, rows[0] : rows[0] + columns[0], rows[1] : rows[1] + columns[1]]
        _show(panels[2, column], region, "region")
        for row in (0, 1):
            _frame(panels[row, column], found.mask)
    above.suptitle(title, fontsize=12)
    return figure


def write_descent_gif(
    path: Path,
    real: torch.Tensor,
    found: SearchedImage,
    inpainter: LatentInpainter,
    title: str,
    frames: int = 100,
    per_second: int = 12,
) -> None:
    """Write what the generator makes on the way of the best start, beside the real image, as an endless GIF.

    Args:
        path: of the GIF.
        real: `(1, H, W)` in [0, 1].
        found: for this image.
        inpainter: that found it, which draws the latents.
        title: above the pictures.
        frames: at most, chosen evenly on the way until the best start has converged.
        per_second: frames.
    """
    taken = int((found.path_steps <= found.steps[found.best].cpu()).sum())
    chosen = np.unique(np.linspace(0, taken - 1, min(frames, taken)).round().astype(int))
    images = inpainter.decode(found.path[found.best, chosen]).cpu()
    losses = found.trace[found.best].cpu()

    figure = Figure(figsize=(7.6, 3.2), layout="constrained", facecolor="white")
    canvas = FigureCanvasAgg(figure)
    axes = figure.subplots(1, 3)
    picture = _show(axes[0], images[0], "generated")
    completed = _show(axes[1], real, "inpainted")
    _show(axes[2], real, "real")
    for axis in axes:
        _frame(axis, found.mask)
    heading = figure.suptitle("", fontsize=10)
    pages = []
    for place, image in zip(chosen, images, strict=True):
        step = int(found.path_steps[place])
        loss = losses[step] if step < int(found.steps[found.best]) else found.losses[found.best]
        picture.set_data(image[0].numpy().T)
        completed.set_data(torch.where(found.mask.cpu(), image[0], real[0].cpu()).numpy().T)
        heading.set_text(f"{title}: step {step}, loss {float(loss):.4f}")
        canvas.draw()
        pages.append(Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB"))
    with whole_file(path) as beside:
        pages[0].save(beside, format="GIF", save_all=True, append_images=pages[1:], duration=1000 // per_second, loop=0)


def descents_figure(curves: Mapping[str, tuple[Sequence[float], Sequence[float]]], title: str) -> Figure:
    """Return curves of the lowest loss so far against evaluations of the generator, both axes logarithmic.

    Args:
        curves: by name, the evaluations of one start and the loss.
        title: of the figure.
    """
    figure = Figure(figsize=(7.2, 4.4), layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    axis = figure.subplots()
    for number, (name, (evaluations, losses)) in enumerate(curves.items()):
        axis.plot(evaluations, losses, label=name, linewidth=1.6, linestyle=("-", "--", "-.", ":")[number % 4])
    axis.set_xscale("log")
    axis.set_yscale("log")
    axis.set_xlabel("evaluations of the generator, forwards and backwards, for each start")
    axis.set_ylabel("lowest loss so far (median over starts)")
    axis.set_title(title, fontsize=10)
    axis.grid(color="#dddddd", linewidth=0.6, which="both")
    axis.spines[["top", "right"]].set_visible(False)
    axis.legend(frameon=False, fontsize=9)
    return figure


def _show(axis: Axes, image: torch.Tensor, name: str, colours: str = "gray", top: float | None = 1) -> AxesImage:
    """Draw a `(1, H, W)` image with its first axis to the right."""
    axis.set_axis_off()
    axis.set_title(name, fontsize=9)
    return axis.imshow(image[0].cpu().numpy().T, cmap=colours, vmin=0, vmax=top, interpolation="nearest")


def _frame(axis: Axes, mask: torch.Tensor) -> None:
    """Draw the outline of the mask, along its pixels' edges."""
    grown = np.kron(np.pad(mask.cpu().numpy(), 1).T, np.ones((8, 8)))
    at = [(np.arange(side) + 0.5) / 8 - 1.5 for side in grown.shape]
    axis.contour(at[1], at[0], grown, levels=[0.5], colors=[_FRAME], linewidths=1)
    height, width = mask.shape
    axis.set_xlim(-0.5, height - 0.5)
    axis.set_ylim(width - 0.5, -0.5)
