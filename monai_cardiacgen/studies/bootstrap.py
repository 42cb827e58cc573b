"""How sure a mean over patients, or over patients and trainings, is: percentile bootstrap, also paired for two arms."""

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


def bootstrap_crossed(values: ArrayLike, *, seed: int = 0, resamples: int = 10_000, level: float = 0.95) -> Interval:
    r"""Return the mean over trainings, then over patients, with an interval that holds the luck of both.

    Every training is tested on the same patients, so that trainings and patients are drawn with replacement
    independently of each other; of each resample the mean over its trainings, then over its patients is taken. For a
    paired interval, pass the differences of two arms. The variance that trainings bring to the mean comes out too small
    by $(S - 1) / S$ for S trainings, as every bootstrap's does: with two or three, the interval is too narrow where
    the luck of the training outweighs that of the patients.

    Args:
        values: `(S, P)`, trainings by patients; NaN where a patient has no value.
        seed: of the resampling.
        resamples: how many times S trainings and P patients are drawn.
        level: the interval's nominal coverage.

    Returns:
        The mean and the interval; that of `bootstrap_mean` for one training.

    Raises:
        ShapeError: when `values` is not two-dimensional.

    Example:
        >>> bootstrap_crossed([[0.8, 0.9], [0.7, 0.8]]).mean
        0.8

    Source: Owen, The pigeonhole bootstrap, Annals of Applied Statistics 2007 (DOI 10.1214/07-AOAS122).
    """
    table = np.asarray(values, dtype=float)
    if table.ndim != 2:
        raise ShapeError(f"Expected one value a training and patient (S, P), got shape {table.shape}.")
    table = table[:, ~np.isnan(table).all(axis=0)]
    table = table[~np.isnan(table).all(axis=1)]
    trainings, count = table.shape
    known = ~np.isnan(table)
    filled = np.where(known, table, 0.0)
    per_patient = filled.sum(axis=0) / known.sum(axis=0)
    if trainings < 2 or count < 2:
        return bootstrap_mean(per_patient, seed=seed, resamples=resamples, level=level)
    rng = np.random.default_rng(seed)
    patients = rng.integers(count, size=(resamples, count))
    # How often each training is drawn; floats, for the product of matrices is slow with integers.
    times = rng.multinomial(trainings, np.full(trainings, 1 / trainings), size=resamples).astype(float)
    with np.errstate(invalid="ignore"):  # NaN: none of the drawn trainings has a value of the patient
        drawn = np.take_along_axis((times @ filled) / (times @ known.astype(float)), patients, axis=1)
    means = drawn.mean(axis=1)
    holed = np.isnan(means)
    there = (~np.isnan(drawn[holed])).sum(axis=1)
    means[holed] = np.nansum(drawn[holed], axis=1) / np.maximum(there, 1)
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(per_patient.mean()), float(low), float(high), count)
