"""The power of images by spatial frequency: blur and structured noise."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch

from ..checks import check_finite, check_spacing
from ..errors import ShapeError

Array = npt.NDArray[np.float64]


def radial_spectrum(images: torch.Tensor, spacing: float) -> tuple[Array, Array]:
    """Return the mean power of images by spatial frequency, over rings one frequency step wide.

    Each image has its mean removed and a Hann window, so that its borders do not count as edges.

    Args:
        images: `(N, 1, H, H)`.
        spacing: mm a pixel.

    Returns:
        Frequencies in cycles/mm up to the grid's limit, and the power at each; both `(H // 2,)`, from the first
        frequency above 0.

    Raises:
        ShapeError: when the images are not square.
        SpacingError: unless the spacing is positive.
        IntensityError: for NaN or infinity.
    """
    if images.ndim != 4 or images.shape[1] != 1 or images.shape[2] != images.shape[3]:
        raise ShapeError(f"Expected square images (N, 1, H, H), got {tuple(images.shape)}; crop or pad them.")
    check_spacing((spacing,), 1)
    check_finite(images, "the images")
    side = images.shape[-1]
    pixels = images[:, 0].double().numpy()
    hann = np.hanning(side + 2)[1:-1]
    power = np.abs(np.fft.fft2((pixels - pixels.mean(axis=(1, 2), keepdims=True)) * np.outer(hann, hann))) ** 2
    steps = np.fft.fftfreq(side) * side
    ring = np.rint(np.hypot(steps[:, None], steps[None, :])).astype(int)
    mean = np.bincount(ring.ravel(), power.mean(axis=0).ravel()) / np.bincount(ring.ravel())
    numbers = np.arange(1, side // 2 + 1)
    return numbers / (side * spacing), mean[numbers] / side**2


def spectral_ratio(one: torch.Tensor, other: torch.Tensor, spacing: float) -> tuple[float, float]:
    """Return the geometric mean of one set's power over another's in the lower and upper half of the frequencies.

    The upper half holds grain and checkerboards: above 1 is structured noise, below 1 is blur.
    """
    if one.shape[1:] != other.shape[1:]:
        raise ShapeError(
            f"Expected two sets of one size, got {tuple(one.shape)} and {tuple(other.shape)}; resample one of them."
        )
    ratio = np.log(radial_spectrum(one, spacing)[1] / radial_spectrum(other, spacing)[1])
    half = len(ratio) // 2
    return float(np.exp(ratio[:half].mean())), float(np.exp(ratio[half:].mean()))
