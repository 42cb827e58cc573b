"""How a conditional GAN comes along: its curves with a moving average, and the same conditions again and again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from ignite.engine import Engine, Events
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from torch import nn

from ...data.files import load_checkpoint, save_checkpoint
from ...errors import InputError

_PANELS = (
    ("generator loss", "loss"),
    ("discriminator loss", "discriminator"),
    ("discriminator right, real patches", "real_accuracy"),
    ("discriminator right, generated patches", "fake_accuracy"),
)
_PLAIN, _AVERAGE = "#93c5fd", "#1d4ed8"


class TrainingSamples:
    """A handler that keeps what a generator makes of the same conditions at chosen iterations.

    Args:
        network: conditions to images; the trainer's average, say. It is asked in evaluation mode.
        condition: `(N, K, *spatial)`, as the network takes it.
        iterations: at which; 0 is before the first.
        path: of a file that keeps them; a training that goes on reads them back. Attach the handler after the one that
            loads the training.

    Attributes:
        images: `(N, C, *spatial)` on the CPU for each iteration that was reached.
    """

    def __init__(
        self, network: nn.Module, condition: torch.Tensor, iterations: Sequence[int], path: str | Path | None = None
    ) -> None:
        self.network = network
        self.condition = condition
        self.iterations = frozenset(iterations)
        self.path = None if path is None else Path(path)
        self.images: dict[int, torch.Tensor] = {}

    def attach(self, engine: Engine) -> None:
        """Follow this engine."""
        engine.add_event_handler(Events.STARTED, self._begin)
        engine.add_event_handler(Events.ITERATION_COMPLETED, self._keep)

    def _begin(self, engine: Engine) -> None:
        """Take what earlier runs kept."""
        if engine.state.iteration and self.path is not None and self.path.is_file():
            kept = load_checkpoint(self.path)
            self.images = {int(at): images for at, images in kept.items() if int(at) <= engine.state.iteration}
        self._keep(engine)

    def _keep(self, engine: Engine) -> None:
        if engine.state.iteration not in self.iterations or engine.state.iteration in self.images:
            return
        training = self.network.training
        self.network.eval()
        with torch.no_grad():
            self.images[engine.state.iteration] = self.network(self.condition).cpu()
        self.network.train(training)
        if self.path is not None:
            save_checkpoint(self.path, {str(at): images for at, images in self.images.items()})


def moving_average(values: Sequence[float], decay: float = 0.9) -> np.ndarray:
    r"""Return the exponential moving average, without the pull of its beginning towards 0.

    $$m_t = \frac{\sum_{s \le t} d^{\,t-s} v_s}{\sum_{s \le t} d^{\,t-s}}$$

    Raises:
        InputError: for a decay outside [0, 1).
    """
    if not 0 <= decay < 1:
        raise InputError(f"Expected a decay in [0, 1), got {decay}.")
    total = weight = 0.0
    averages = []
    for value in values:
        total, weight = decay * total + value, decay * weight + 1
        averages.append(total / weight)
    return np.array(averages)


def curves_figure(rows: Sequence[Mapping[str, Any]], decay: float = 0.9) -> Figure:
    """Return the losses and the discriminator's accuracy by iteration, from `LossCurves`' rows."""
    figure = Figure(figsize=(10, 6.4), layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    iterations = [row["iteration"] for row in rows]
    for axis, (name, key) in zip(figure.subplots(2, 2).flat, _PANELS, strict=True):
        values = [row[key] for row in rows]
        axis.plot(iterations, values, color=_PLAIN, linewidth=1, label="mean of an epoch")
        axis.plot(iterations, moving_average(values, decay), color=_AVERAGE, linewidth=1.6, label="moving average")
        axis.set_xlabel("iteration")
        axis.set_ylabel(name)
        if key.endswith("accuracy"):
            axis.set_ylim(-0.02, 1.02)
            axis.axhline(0.5, color="0.6", linewidth=0.8, linestyle=":")
        axis.spines[["top", "right"]].set_visible(False)
    figure.axes[0].legend(frameon=False)
    figure.suptitle(
        f"Training of the conditional GAN; the moving average keeps {decay:g} of the one before", fontsize=11
    )
    return figure


def progress_figure(shown: torch.Tensor, original: torch.Tensor, samples: Mapping[int, torch.Tensor]) -> Figure:
    """Return a sheet: a row for each condition, then its original, and what was generated at each iteration.

    Args:
        shown: conditions `(N, H, W)` as pictures, such as channel numbers.
        original: `(N, 1, H, W)` in [0, 1].
        samples: `TrainingSamples.images`.
    """
    columns = 2 + len(samples)
    figure = Figure(figsize=(1.7 * columns, 1.8 * len(shown) + 0.4), layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    axes = figure.subplots(len(shown), columns, squeeze=False)
    classes = max(1, float(shown.max()))  # one colour a class in all rows
    for row, line in enumerate(axes):
        line[0].imshow(shown[row].numpy(), cmap="nipy_spectral", vmin=0, vmax=classes, interpolation="nearest")
        _grey(line[1], original[row, 0])
        for axis, images in zip(line[2:], samples.values(), strict=True):
            _grey(axis, images[row, 0])
    for axis, title in zip(axes[0], ("condition", "original", *(f"iteration {at:,}" for at in samples)), strict=True):
        axis.set_title(title, fontsize=9)
    for axis in axes.flat:
        axis.set_axis_off()
    return figure


def _grey(axis: Axes, image: torch.Tensor) -> None:
    axis.imshow(image.numpy(), cmap="gray", vmin=0, vmax=1, interpolation="nearest")
