"""The power of images by spatial frequency: blur and structured noise."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch

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
    """
    if images.ndim != 4 or images.shape[1] != 1 or images.shape[2] != images.shape[3]:
        raise ShapeError(f"Expected square images (N, 1, H, H), got {tuple(images.shape)}.")
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
    ratio = np.log(radial_spectrum(one, spacing)[1] / radial_spectrum(other, spacing)[1])
    half = len(ratio) // 2
    return float(np.exp(ratio[:half].mean())), float(np.exp(ratio[half:].mean()))
