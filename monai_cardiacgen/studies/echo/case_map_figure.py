"""A map of real and synthetic cases with its regions, and how well each region is covered."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from scipy.cluster.vq import vq

from ...errors import ShapeError
from .case_map import CaseMap, RegionalCoverage

_REAL, _SYNTHETIC = "#59636b", "#c2410c"
_NAMES = {"umap": "UMAP", "pca": "principal component"}


def case_map_figure(on_map: CaseMap, found: RegionalCoverage, title: str) -> Figure:
    """Return a figure: the map, its regions coloured by coverage, and coverage and density of each, with a caption.

    Args:
        on_map: of `map_cases`, with two dimensions.
        found: of `coverage_by_region` on this map.
        title: what the cases are.

    Raises:
        ShapeError: for a map of other than two dimensions.
    """
    if on_map.real.shape[1] != 2:
        raise ShapeError(f"Expected a map of two dimensions, got {on_map.real.shape[1]}; pass dims=2 to map_cases.")
    figure = Figure(figsize=(12.5, 5.4), layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    plane, bars, dense = figure.subplots(1, 3, width_ratios=(2.2, 1, 1))
    _plane(figure, plane, on_map, found)
    numbers = np.arange(1, len(found.regions) + 1)
    bars.barh(numbers, [one.coverage for one in found.regions], color="#2563eb", alpha=0.8)
    bars.axvline(found.expected, color="black", linestyle="--", linewidth=1)
    bars.set_xlabel("coverage (share of real cases)")
    bars.set_xlim(0, 1)
    dense.barh(numbers, np.nan_to_num([one.density for one in found.regions]), color=_SYNTHETIC, alpha=0.8)
    dense.axvline(1.0, color="black", linestyle="--", linewidth=1)
    dense.set_xlabel("density (1: as the real cases)")
    for axis in (bars, dense):
        axis.set_yticks(numbers)
        axis.set_ylabel("region")
        axis.invert_yaxis()
        axis.spines[["top", "right"]].set_visible(False)
    figure.suptitle(title, fontsize=12)
    figure.supxlabel(
        f"{len(on_map.real)} real and {len(on_map.synthetic)} synthetic cases. Regions are cells of a k-means of the "
        f"real cases on the map, numbered by how many they hold; coverage and\ndensity are measured on the features. "
        f"Dashed: coverage {found.expected:.2f}, which as many cases of the real distribution would have; density 1. "
        f"All cases: coverage {found.coverage:.2f}, density {found.density:.2f}.",
        fontsize=8.5,
    )
    return figure


def _plane(figure: Figure, axis: Axes, on_map: CaseMap, found: RegionalCoverage) -> None:
    both = np.concatenate((on_map.real, on_map.synthetic))
    low, high = both.min(axis=0), both.max(axis=0)
    low, high = low - 0.05 * (high - low), high + 0.05 * (high - low)
    across, up = np.meshgrid(*(np.linspace(start, end, 240) for start, end in zip(low, high, strict=True)))
    centres = np.array([one.centre for one in found.regions])
    cell = vq(np.column_stack((across.ravel(), up.ravel())), centres)[0].reshape(across.shape)
    coverage = np.array([one.coverage for one in found.regions])[cell]
    shown = axis.pcolormesh(across, up, coverage, cmap="Blues", vmin=0, vmax=1, alpha=0.55, rasterized=True)
    for number in range(len(centres)):
        axis.contour(across, up, (cell == number).astype(float), levels=[0.5], colors="white", linewidths=1)
    axis.scatter(on_map.real[:, 0], on_map.real[:, 1], s=9, color=_REAL, label="real", linewidths=0)
    axis.scatter(
        on_map.synthetic[:, 0], on_map.synthetic[:, 1], s=9, color=_SYNTHETIC, marker="^", label="synthetic", alpha=0.8
    )
    for number, (x, y) in enumerate(centres, start=1):
        box = {"boxstyle": "circle,pad=0.25", "facecolor": "white", "edgecolor": "black"}
        axis.annotate(str(number), (x, y), ha="center", va="center", fontsize=9, bbox=box)
    name = _NAMES[on_map.method]
    axis.set_xlabel(f"{name} 1 (no unit)")
    axis.set_ylabel(f"{name} 2 (no unit)")
    axis.legend(loc="best", markerscale=2, framealpha=0.9)
    figure.colorbar(shown, ax=axis, label="coverage of the region", shrink=0.8)


__all__ = ["case_map_figure"]
