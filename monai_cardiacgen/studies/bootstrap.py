"""How sure a mean over patients is: percentile bootstrap, and its paired form for two arms."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ..errors import ShapeError


@dataclass(frozen=True)
class Interval:
    """A mean with its bootstrap interval; NaN where there are too few patients.

    Attributes:
        mean: over the patients.
        low: lower end.
        high: upper end.
        patients: how many patients had a value.
    """

    mean: float
    low: float
    high: float
    patients: int

    @property
    def excludes_zero(self) -> bool:
        """Whether the interval lies on one side of 0; False when there is no interval."""
        return self.low > 0 or self.high < 0


def bootstrap_mean(values: ArrayLike, *, seed: int = 0, resamples: int = 10_000, level: float = 0.95) -> Interval:
    r"""Return the mean over patients with its percentile bootstrap interval.

    Patients, not slices or volumes, are drawn with replacement: slices of one patient are not independent. The
    interval runs between the $(1 \mp level) / 2$ quantiles of the resampled means.

    Args:
        values: `(N,)`, one value a patient; NaN means that the patient has none and is left out.
        seed: of the resampling.
        resamples: how many times N patients are drawn.
        level: the interval's nominal coverage.

    Returns:
        The mean and the interval; a single patient has no interval, no patient has no mean either (NaN).

    Raises:
        ShapeError: when `values` is not one-dimensional.

    Example:
        >>> bootstrap_mean([0.8, 0.9, float("nan")]).patients
        2

    Source: Efron and Tibshirani, An Introduction to the Bootstrap, chapter 13 (DOI 10.1201/9780429246593).
    """
    known = np.asarray(values, dtype=float)
    if known.ndim != 1:
        raise ShapeError(f"Expected one value a patient (N,), got shape {known.shape}; average over volumes first.")
    known = known[~np.isnan(known)]
    count = len(known)
    if count < 2:
        return Interval(float(known[0]) if count else math.nan, math.nan, math.nan, count)
    drawn = np.random.default_rng(seed).integers(count, size=(resamples, count))
    low, high = np.quantile(known[drawn].mean(axis=1), [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(known.mean()), float(low), float(high), count)


def bootstrap_difference(
    first: ArrayLike, second: ArrayLike, *, seed: int = 0, resamples: int = 10_000, level: float = 0.95
) -> Interval:
    """Return the mean of `second - first` over patients with its paired bootstrap interval.

    Args:
        first: `(N,)`, one value a patient in the first arm.
        second: `(N,)`, the same patients in the second arm; a patient with a NaN in either is left out.
        seed: of the resampling.
        resamples: how many times N patients are drawn.
        level: the interval's nominal coverage.

    Raises:
        ShapeError: when the two do not hold the same number of patients.
    """
    one, other = np.asarray(first, dtype=float), np.asarray(second, dtype=float)
    if one.shape != other.shape:
        raise ShapeError(f"Expected the same patients in both arms, got {one.shape} and {other.shape} values.")
    return bootstrap_mean(other - one, seed=seed, resamples=resamples, level=level)
