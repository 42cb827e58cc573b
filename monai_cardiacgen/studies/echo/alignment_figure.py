"""How label maps lie before and after alignment, beside those that they were aligned to."""

from __future__ import annotations

import numpy as np
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from scipy.stats import wasserstein_distance

from ...anatomy.label_moments import LabelMoments

_COLOURS = {"training": "#9aa3aa", "generated": "#2563eb", "aligned": "#c2410c"}


def moment_distances(found: LabelMoments, wanted: LabelMoments) -> dict[str, float]:
    """Return how far apart two sets of hearts are in each moment: the Wasserstein distance of its distributions.

    Args:
        found: of any number of hearts.
        wanted: likewise; its standard deviation is the unit.

    Returns:
        By `"area"`, `"centre, axis 0"`, `"centre, axis 1"` and `"angle"`; 0 where distributions are equal.
    """
    upright = wanted.upright()
    a, b = _values(found, upright), _values(wanted, upright)
    return {name: wasserstein_distance(a[name], b[name]) / max(float(np.std(b[name])), 1e-12) for name in a}


def alignment_figure(training: LabelMoments, generated: LabelMoments, aligned: LabelMoments, title: str) -> Figure:
    """Return the distributions of area, centroid and angle of three sets of label maps, with a caption.

    Args:
        training: of the maps that were aligned to.
        generated: of the maps as they were drawn.
        aligned: of the same after alignment.
        title: what the maps are, for example the phantom's and a dataset's.
    """
    upright = training.upright()
    sets = {"training": training, "generated": generated, "aligned": aligned}
    values = {name: _values(moments, upright) for name, moments in sets.items()}
    figure = Figure(figsize=(11.0, 6.4), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(2, 3).flatten()
    labels = {
        "area": "area of the heart (mm²)",
        "centre, axis 0": "centroid along axis 0 (mm from the middle)",
        "centre, axis 1": "centroid along axis 1 (mm from the middle)",
        "angle": "angle of the long axis (degrees from axis 0)",
    }
    before, after = (moment_distances(sets[name], training) for name in ("generated", "aligned"))
    for axis, (moment, label) in zip(axes, labels.items(), strict=False):
        edges = np.histogram_bin_edges(np.concatenate([each[moment] for each in values.values()]), bins=28)
        for name, each in values.items():
            density = {"bins": edges, "density": True, "color": _COLOURS[name]}
            if name == "training":
                axis.hist(each[moment], alpha=0.55, **density)
            else:
                axis.hist(each[moment], histtype="step", linewidth=1.8, **density)
        axis.set_xlabel(label)
        axis.set_ylabel("density")
        axis.set_title(f"distance to training {before[moment]:.2f} → {after[moment]:.2f} SD", fontsize=10)
    plane = axes[4]
    for name, each in values.items():
        plane.scatter(each["centre, axis 0"], each["centre, axis 1"], s=7, alpha=0.6, color=_COLOURS[name], label=name)
    plane.set_xlabel(labels["centre, axis 0"])
    plane.set_ylabel("centroid along axis 1 (mm)")
    plane.invert_yaxis()  # in CAMUS, away from the probe is down
    plane.set_title("centroids", fontsize=10)
    for axis in axes[:5]:
        axis.spines[["top", "right"]].set_visible(False)
    axes[5].set_axis_off()
    axes[5].legend(*plane.get_legend_handles_labels(), frameon=False, loc="upper left", markerscale=2.5)
    axes[5].text(0.0, 0.55, _caption(sets), fontsize=9, va="top", wrap=True, transform=axes[5].transAxes)
    figure.suptitle(title, fontsize=12)
    return figure


def _caption(sets: dict[str, LabelMoments]) -> str:
    counts = ", ".join(f"{len(moments.area)} {name}" for name, moments in sets.items())
    return (
        f"Moments of whole hearts ({counts}).\nDistances are Wasserstein distances of the\n"
        f"distributions, in standard deviations (SD) of\nthe training maps, before → after alignment\n"
        f"by the optimal transport of normal distributions."
    )


def _values(moments: LabelMoments, upright: float) -> dict[str, np.ndarray]:
    points = moments.points(upright)
    columns = (moments.area, points[:, 0], points[:, 1], torch.rad2deg(points[:, 3]))
    names = ("area", "centre, axis 0", "centre, axis 1", "angle")
    return {name: column.numpy() for name, column in zip(names, columns, strict=True)}


__all__ = ["alignment_figure", "moment_distances"]
