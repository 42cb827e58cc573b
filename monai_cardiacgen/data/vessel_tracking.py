"""A round vessel, such as the descending aorta, followed through the slices of a volume from one point in it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from skimage.feature import canny
from skimage.transform import hough_circle, hough_circle_peaks

from ..checks import check_spacing
from ..errors import InputError, IntensityError, ShapeError

#: Pixels in mm of the window in which a circle is sought: radii are whole pixels for the Hough transform.
_PIXEL = 0.5
#: Gaussian smoothing in mm before edges are found.
_SMOOTHING = 1.2
#: Hough peaks of a slice that are looked at.
_PEAKS = 12


@dataclass(frozen=True)
class VesselCircle:
    """The vessel's outline in one slice.

    Attributes:
        slice: index along the volume's third axis.
        centre: in voxels along the first two axes.
        radius: mm.
        score: share of the circle on which there is an edge, in [0, 1].
        contrast: how much brighter it is than the ring round it, in standard deviations of its own intensities.
    """

    slice: int
    centre: tuple[float, float]
    radius: float
    score: float
    contrast: float


@dataclass(frozen=True)
class VesselTracker:
    """Finds one circle a slice, up and down from a seed, by the circular Hough transform.

    In the seed's slice the circle that holds the seed is sought over all radii; in every next slice near the last
    centre, with nearly the last radius. Edges count only where the image is brighter towards the last centre (darker
    for a dark vessel), and the circle must stand out from its surroundings by more than its own deviation. Where no
    circle is found in `misses + 1` slices one after the other, the vessel ends.

    Args:
        radii: smallest and largest radius in mm.
        shift: how far in mm the centre may move for every mm between slices, and 1 mm more.
        growth: how much in mm the radius may change for every mm between slices, and 0.5 mm more.
        least_score: share of the circle that must be edge, in (0, 1].
        misses: slices without a circle that are bridged.
        vessel: whether it is brighter or darker than what lies around it.

    Raises:
        InputError: when a limit is impossible.

    Source:
        Yuen et al., "Comparative study of Hough transform methods for circle finding", Image and Vision Computing
        1990, DOI 10.1016/0262-8856(90)90059-E; `skimage.transform.hough_circle`.
    """

    radii: tuple[float, float] = (6.0, 18.0)
    shift: float = 1.0
    growth: float = 0.5
    least_score: float = 0.5
    misses: int = 2
    vessel: Literal["bright", "dark"] = "bright"

    def __post_init__(self) -> None:
        if len(self.radii) != 2 or not _PIXEL < self.radii[0] < self.radii[1] < math.inf:
            raise InputError(
                f"Expected the smallest and the largest radius in mm, got {self.radii}; give two, above {_PIXEL}."
            )
        if not (self.shift >= 0 and self.growth >= 0 and self.misses >= 0 and 0 < self.least_score <= 1):
            raise InputError(
                f"Expected shift, growth and misses of at least 0 and least_score in (0, 1], got {self.shift}, "
                f"{self.growth}, {self.misses} and {self.least_score}."
            )
        if self.vessel not in ("bright", "dark"):
            raise InputError(f"Expected a 'bright' or a 'dark' vessel, got {self.vessel!r}.")

    def track(self, volume: npt.NDArray[Any], spacing: Sequence[float], seed: Sequence[float]) -> list[VesselCircle]:
        """Return the vessel's circles, by slice.

        Args:
            volume: intensities `(H, W, D)`, slices across the vessel along D.
            spacing: mm between voxels along H, W and D.
            seed: a voxel inside the vessel, along H, W and D.

        Raises:
            ShapeError: when the volume is not `(H, W, D)`.
            IntensityError: when the volume holds NaN or infinity.
            InputError: when the seed lies outside the volume, or no circle holds it.
        """
        spacing = check_spacing(spacing, 3)
        if volume.ndim != 3:
            raise ShapeError(f"Expected a volume (H, W, D), got {volume.shape}; a vessel is followed through slices.")
        if not np.isfinite(volume).all():
            raise IntensityError("Expected a finite volume, got NaN or infinity; repair or leave out this case.")
        if len(seed) != 3 or not all(0 <= x <= side - 1 for x, side in zip(seed, volume.shape, strict=True)):
            raise InputError(
                f"Expected a seed within the volume of {volume.shape} voxels, got {tuple(seed)}; "
                f"give it in voxels along the volume's three axes."
            )
        start = round(seed[2])
        given = (float(seed[0]), float(seed[1]))
        first = self._find(volume[..., start], start, spacing, given, self.radii, self.radii[1], holds=True)
        if first is None:
            raise InputError(
                f"Expected a {self.vessel} circle of {self.radii[0]:g} to {self.radii[1]:g} mm round the seed "
                f"{tuple(seed)}, got none with an edge on {self.least_score:.0%} of it; move the seed into the vessel, "
                f"or change the limits."
            )
        below = self._follow(volume, spacing, first, range(start - 1, -1, -1))
        above = self._follow(volume, spacing, first, range(start + 1, volume.shape[2]))
        return [*reversed(below), first, *above]

    def strongest(
        self, image: npt.NDArray[Any], spacing: Sequence[float], near: Sequence[float], reach: float
    ) -> VesselCircle | None:
        """Return the strongest circle of one slice near a place, whether or not it is clear enough to be a vessel.

        `clear` tells whether it is. So results of different quality are measured alike, those without a vessel too.

        Args:
            image: intensities `(H, W)`.
            spacing: mm between pixels along H and W.
            near: a place in pixels along H and W.
            reach: how far in mm the circle's centre may lie from there.

        Returns:
            The circle, as of slice 0; None where there is no edge at all.

        Raises:
            ShapeError: when the image is not `(H, W)`.
            IntensityError: when it holds NaN or infinity.
        """
        if image.ndim != 2:
            raise ShapeError(f"Expected an image (H, W), got {image.shape}; pass slices one by one.")
        if not np.isfinite(image).all():
            raise IntensityError("Expected a finite image, got NaN or infinity; repair or leave out this case.")
        row, column = near
        return self._strongest(image, 0, check_spacing(spacing, 2), (row, column), self.radii, reach, holds=False)

    def clear(self, circle: VesselCircle) -> bool:
        """Return whether a circle is taken for the vessel's outline: enough of it is edge, and it stands out.

        The edges of mere noise make circles too, but these do not stand out.
        """
        return circle.score >= self.least_score and circle.contrast > 1

    def _follow(
        self, volume: npt.NDArray[Any], spacing: Sequence[float], last: VesselCircle, slices: range
    ) -> list[VesselCircle]:
        found: list[VesselCircle] = []
        for number in slices:
            away = abs(number - last.slice)
            if away > self.misses + 1:
                break
            change = self.growth * away * spacing[2] + 0.5
            radii = max(self.radii[0], last.radius - change), min(self.radii[1], last.radius + change)
            reach = self.shift * away * spacing[2] + 1
            circle = self._find(volume[..., number], number, spacing, last.centre, radii, reach, holds=False)
            if circle is not None:
                last = circle
                found.append(circle)
        return found

    def _find(
        self,
        image: npt.NDArray[Any],
        number: int,
        spacing: Sequence[float],
        near: tuple[float, float],
        radii: tuple[float, float],
        reach: float,
        *,
        holds: bool,
    ) -> VesselCircle | None:
        """Return the best circle if it is clear and lies within the image."""
        circle = self._strongest(image, number, spacing, near, radii, reach, holds=holds)
        if circle is None or not self.clear(circle):
            return None
        inside = all(0 <= place <= side - 1 for place, side in zip(circle.centre, image.shape, strict=True))
        return circle if inside else None

    def _strongest(
        self,
        image: npt.NDArray[Any],
        number: int,
        spacing: Sequence[float],
        near: tuple[float, float],
        radii: tuple[float, float],
        reach: float,
        *,
        holds: bool,
    ) -> VesselCircle | None:
        """Return the best circle whose centre lies within `reach` mm of `near`, or that `holds` it."""
        half = math.ceil((radii[1] + reach + 2 * _SMOOTHING) / _PIXEL)
        window = self._window(image, spacing, near, half)
        edges = _edges_towards_the_middle(window)
        tried = np.arange(math.floor(radii[0] / _PIXEL), math.ceil(radii[1] / _PIXEL) + 1)
        share = hough_circle(edges, tried)
        offsets = np.hypot(*(np.mgrid[: 2 * half + 1, : 2 * half + 1] - half)) * _PIXEL
        # A seed lies within the circle, well off its outline; later centres lie near the last.
        limits = 0.8 * tried * _PIXEL if holds else np.full(len(tried), reach)
        share[offsets > limits[:, None, None]] = 0
        scores, columns, rows, sizes = hough_circle_peaks(share, tried, total_num_peaks=_PEAKS)
        if len(scores) == 0:
            return None
        # Peaks nearly as good as the best are the same outline found again: their mean is finer than a pixel.
        same = (scores > 0.9 * scores[0]) & (np.hypot(rows - rows[0], columns - columns[0]) * _PIXEL <= 2)
        row, column, size = (np.average(values[same], weights=scores[same]) for values in (rows, columns, sizes))
        centre = tuple(
            float(at + (place - half) * _PIXEL / step)
            for at, place, step in zip(near, (row, column), spacing[:2], strict=True)
        )
        contrast = _contrast(window, row, column, size)
        return VesselCircle(number, (centre[0], centre[1]), float(size * _PIXEL), float(min(scores[0], 1.0)), contrast)

    def _window(
        self, image: npt.NDArray[Any], spacing: Sequence[float], near: tuple[float, float], half: int
    ) -> npt.NDArray[np.float64]:
        """Return the square round `near` in which the vessel is bright, its contrast scaled to 0 ... 1."""
        steps = np.arange(-half, half + 1) * _PIXEL
        places = np.meshgrid(near[0] + steps / spacing[0], near[1] + steps / spacing[1], indexing="ij")
        window: npt.NDArray[np.float64] = ndimage.map_coordinates(
            image.astype(np.float64), places, order=1, mode="nearest"
        )
        if self.vessel == "dark":
            window = -window
        low, high = np.percentile(window, (2, 98))
        return np.clip((window - low) / (high - low), 0, 1) if high > low else np.zeros_like(window)


def _edges_towards_the_middle(window: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """Return the edges at which a square window brightens towards its middle, a pixel thick on either side."""
    sigma = _SMOOTHING / _PIXEL
    edges: npt.NDArray[np.bool_] = canny(window, sigma, low_threshold=0.01, high_threshold=0.03)
    slope = np.gradient(ndimage.gaussian_filter(window, sigma))
    away = np.mgrid[: len(window), : len(window)] - len(window) // 2
    edges &= slope[0] * away[0] + slope[1] * away[1] < 0
    # A vessel is no perfect circle: an edge counts for its neighbours too.
    thick: npt.NDArray[np.bool_] = ndimage.binary_dilation(edges)
    return thick


def _contrast(window: npt.NDArray[np.float64], row: float, column: float, radius: float) -> float:
    """Return how much brighter a circle, in pixels, is than the ring round it, in its own standard deviations."""
    rows, columns = np.mgrid[: len(window), : len(window)]
    away = np.hypot(rows - row, columns - column) / radius
    inside, ring = window[away < 0.8], window[(away > 1.15) & (away < 1.6)]
    if ring.size == 0:
        return 0.0
    difference = float(inside.mean() - ring.mean())
    return difference / max(float(inside.std()), 1e-9)  # a circle of one value has no deviation
