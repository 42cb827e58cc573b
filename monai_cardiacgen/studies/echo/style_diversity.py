"""Do styles differ as patients do? Histogram and texture between scans, between styles, and within one style."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import wasserstein_distance

from ...checks import check_finite
from ...errors import InputError, ShapeError
from ...inferers import CardiacSynthesizer
from ...types import Generators

Values = NDArray[np.float64]

#: Edges of the bands, in cycles a pixel, in which texture is compared: from 20 pixels a wave to the finest grain.
BANDS = np.linspace(0.05, 0.5, 9)
#: A structure with fewer pixels says nothing about its intensities.
FEWEST = 10


@dataclass(frozen=True)
class Spread:
    """The middle of a value over pairs of patients.

    Attributes:
        median: of the pairs.
        low: their lower quartile.
        high: their upper quartile.
    """

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Values) -> Spread:
        """Return the quartiles of the values that are known."""
        low, median, high = np.nanquantile(values, [0.25, 0.5, 0.75])
        return cls(float(median), float(low), float(high))


@dataclass(frozen=True)
class Distances:
    """One distance, between the members of each pair of patients `(P,)`.

    Attributes:
        two_patients: between their real slices.
        two_styles: between one label map painted in the style of either.
        one_style: between their two label maps painted in one style.
        to_patient: between a patient's real slice and the other's label map painted in that patient's style.
    """

    two_patients: Values
    two_styles: Values
    one_style: Values
    to_patient: Values

    @property
    def diversity(self) -> Spread:
        """Two styles against two patients: 1 when styles differ as much as real scans do, 0 when not at all."""
        return Spread.of(self.two_styles / self.two_patients)

    @property
    def wander(self) -> Spread:
        """One style against two: 0 when a style looks the same on every label map, 1 when it says nothing."""
        return Spread.of(self.one_style / self.two_styles)

    @property
    def miss(self) -> Spread:
        """A style's painting against its patient: 1 when it comes no nearer than a stranger's scan, 0 when it hits."""
        return Spread.of(self.to_patient / self.two_patients)


@dataclass(frozen=True)
class StyleDiversity:
    """How styles differ in brightness and contrast (`histogram`) and in grain and sharpness (`texture`)."""

    histogram: Distances
    texture: Distances

    def table(self) -> str:
        """Return the medians, with quartiles, as lines of text."""
        columns = ("two patients", "two styles", "one style", "to patient", "diversity", "wander", "miss")
        lines = [" " * 10 + "".join(f"{column:>18}" for column in columns)]
        for name, one in (("histogram", self.histogram), ("texture", self.texture)):
            raw = (one.two_patients, one.two_styles, one.one_style, one.to_patient)
            spreads = [*map(Spread.of, raw), one.diversity, one.wander, one.miss]
            cells = [f"{spread.median:.2f} ({spread.low:.2f}-{spread.high:.2f})" for spread in spreads]
            lines.append(f"{name:10}" + "".join(f"{cell:>18}" for cell in cells))
        return "\n".join(lines)


def measure_style_diversity(
    synthesizer: CardiacSynthesizer, image: torch.Tensor, label: torch.Tensor, generator: Generators
) -> StyleDiversity:
    """Paint every patient's label map in every patient's style, and compare with how the patients differ.

    Each painting has a noise of its own, so that what the noise alone changes counts as one style's wander.

    Args:
        synthesizer: what paints.
        image: real slices `(N, 1, *spatial)` in [0, 1], one a patient, at about the same height of the heart.
        label: their label maps `(N, *spatial)`, codes of the synthesizer's scheme.
        generator: of the painter's noise, one or one for each of the N x N paintings.

    Raises:
        InputError: for fewer than two patients.
        ShapeError: when images and label maps differ in number or size.
    """
    patients = len(image)
    if patients < 2:
        raise InputError(f"Expected slices of at least two patients, got {patients}; styles are compared in pairs.")
    styles = synthesizer.encode_style(image)
    if label.shape != (patients, *image.shape[2:]):
        raise ShapeError(
            f"Expected a label map of the same size for each image, got {tuple(image.shape)} and {tuple(label.shape)}."
        )
    painted = synthesizer.synthesize(label.repeat_interleave(patients, 0), styles.repeat(patients, 1), generator)
    codes = synthesizer.scheme.codes
    real = [Look(one[0], mask, codes) for one, mask in zip(image, label, strict=True)]
    on_label = [
        [Look(one[0], mask, codes) for one in row]  # row: one label map in every style
        for row, mask in zip(painted.unflatten(0, (patients, patients)), label, strict=True)
    ]
    rows = []
    for a, b in itertools.combinations(range(patients), 2):
        rows.append(
            (
                real[a].distances(real[b]),
                _mean([on_label[here][a].distances(on_label[here][b]) for here in (a, b)]),
                _mean([on_label[a][style].distances(on_label[b][style]) for style in (a, b)]),
                _mean([on_label[b][a].distances(real[a]), on_label[a][b].distances(real[b])]),
            )
        )
    columns = np.asarray(rows)  # (P, 4, 2)
    return StyleDiversity(Distances(*columns[..., 0].T), Distances(*columns[..., 1].T))


class Look:
    """What of an image belongs to a style: the intensities of each structure, background among them, and texture.

    Args:
        image: `(*spatial)` in [0, 1].
        label: `(*spatial)`, codes.
        codes: of the structures, background first.
    """

    def __init__(self, image: torch.Tensor, label: torch.Tensor, codes: Sequence[int]) -> None:
        check_finite(image, "the image")
        grey, mask = (np.asarray(one.detach().cpu().as_subclass(torch.Tensor)) for one in (image, label))
        self.intensities = [grey[mask == code] for code in codes]
        self.texture = log_spectrum(grey)

    def distances(self, other: Look) -> tuple[float, float]:
        """Return how far apart two images are in histogram and in texture.

        The first is the Wasserstein distance of the intensities (unit: that of the image), a mean over the
        structures that both images show; the second the mean absolute difference of the log spectra: 0.7 is a
        factor of two in power.
        """
        histograms = [
            wasserstein_distance(one, its)
            for one, its in zip(self.intensities, other.intensities, strict=True)
            if min(len(one), len(its)) >= FEWEST
        ]
        return float(np.mean(histograms)), float(np.abs(self.texture - other.texture).mean())


def log_spectrum(image: NDArray[np.floating]) -> Values:
    """Return the logarithm of the radial power spectrum of an image standardised to mean 0 and variance 1.

    Brightness and contrast of the whole image leave it as it is; sharpness, grain and stripes change it. So does
    anatomy: compare images of one label map, or against what two patients differ.

    Args:
        image: `(*spatial)`; a Hann window keeps its borders out.

    Returns:
        One value for each of the `BANDS`; 0 in all of them is white noise.

    Example:
        >>> bool(np.abs(log_spectrum(np.random.default_rng(0).normal(size=(64, 64)))).max() < 0.5)
        True
    """
    window: Values = np.ones(())
    for side in image.shape:
        window = window[..., None] * np.hanning(side)
    z = (image - image.mean()) / max(float(image.std()), 1e-6)
    z = (z - (z * window).sum() / window.sum()) * window
    power = np.square(np.abs(np.fft.fftn(z))) / np.square(window).sum()
    frequency = np.sqrt(sum(np.square(axis) for axis in np.meshgrid(*map(np.fft.fftfreq, image.shape), indexing="ij")))
    bands = itertools.pairwise(BANDS)
    mean_power = [power[(low <= frequency) & (frequency < high)].mean() for low, high in bands]
    return np.asarray(np.log(np.asarray(mean_power) + 1e-9))


def _mean(pairs: list[tuple[float, float]]) -> tuple[float, float]:
    histogram, texture = np.mean(pairs, axis=0)
    return float(histogram), float(texture)
