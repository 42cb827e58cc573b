"""What a CT scanner measures and reconstructs: line integrals, filtered back projection, and their errors."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from scipy import sparse

Float32 = npt.NDArray[np.float32]


class ParallelBeam:
    """Line integrals through a slice and their filtered back projection, for parallel rays.

    Every pixel is shared between the two detector cells that its centre falls between, weighted linearly;
    back projection is the transpose.

    Args:
        size: pixels along x and y.
        spacing: mm along x and y.
        views: number of directions over half a turn.

    Example:
        >>> beam = ParallelBeam((32, 32), (2.0, 2.0), 60)
        >>> slices = np.zeros((32, 32, 1), np.float32); slices[12:20, 12:20] = 0.02
        >>> round(float(beam.reconstruct(beam.project(slices))[16, 16, 0]), 2)
        0.02

    Source:
        Kak and Slaney, Principles of Computerized Tomographic Imaging, DOI 10.1137/1.9780898719277, chapter 3.
    """

    def __init__(self, size: tuple[int, int], spacing: tuple[float, float], views: int) -> None:
        self.size, self.views, self.cell = size, views, max(spacing)
        half = 0.5 * math.hypot(*(side * edge for side, edge in zip(size, spacing, strict=True))) / self.cell
        self.cells = 2 * math.ceil(half) + 3
        x, y = (
            ((np.arange(side) - (side - 1) / 2) * (edge / self.cell)).astype(np.float32)
            for side, edge in zip(size, spacing, strict=True)
        )
        angles = np.arange(views, dtype=np.float32) * (math.pi / views)
        at = x[:, None, None] * np.cos(angles) + y[None, :, None] * np.sin(angles) + np.float32((self.cells - 1) / 2)
        at = at.reshape(-1, views)  # (pixels, views)
        cell = np.floor(at)
        share = at - cell
        left = cell.astype(np.int32) + np.arange(views, dtype=np.int32) * self.cells
        starts = np.arange(len(at) + 1, dtype=np.int64) * (2 * views)
        #: (pixels, views * cells): every pixel has two cells a view.
        self._back_project = sparse.csr_matrix(
            (np.stack((1 - share, share), axis=2).ravel(), np.stack((left, left + 1), axis=2).ravel(), starts),
            shape=(len(at), views * self.cells),
        )
        self._area = spacing[0] * spacing[1] / self.cell  # a pixel's mm^2 on a cell's mm

    def project(self, slices: Float32) -> Float32:
        """Return line integrals `(views, cells, Z)` of slices `(X, Y, Z)` in 1/mm."""
        integrals: Float32 = self._back_project.T @ slices.reshape(-1, slices.shape[2])
        return (integrals * np.float32(self._area)).reshape(self.views, self.cells, -1)

    def reconstruct(self, integrals: Float32, sharpness: float = 1.0) -> Float32:
        """Return slices `(X, Y, Z)` in 1/mm by filtered back projection.

        Args:
            integrals: `(views, cells, Z)`.
            sharpness: 1 for the plain ramp filter; less closes it by a Hann window at that share of Nyquist.
        """
        length = 1 << (2 * self.cells - 1).bit_length()
        frequency = np.fft.rfftfreq(length)
        ramp = 2 * np.fft.rfft(_ramp_kernel(length)).real
        if sharpness < 1:
            relative = np.clip(frequency / (0.5 * sharpness), 0, 1)
            ramp = ramp * (0.5 + 0.5 * np.cos(math.pi * relative))
        spectrum = np.fft.rfft(integrals, n=length, axis=1) * ramp[None, :, None].astype(np.float32)
        filtered = np.fft.irfft(spectrum, n=length, axis=1)[:, : self.cells].astype(np.float32)
        scale = np.float32(math.pi / (2 * self.views) / self.cell)
        slices: Float32 = self._back_project @ filtered.reshape(-1, integrals.shape[2])
        return (slices * scale).reshape(*self.size, -1)


def _ramp_kernel(length: int) -> npt.NDArray[np.float64]:
    """Return the band-limited ramp filter sampled in space (Kak and Slaney, equation 61), for cells of 1."""
    kernel = np.zeros(length)
    kernel[0] = 0.25
    odd = np.arange(1, length // 2, 2)
    kernel[odd] = kernel[-odd] = -1 / (math.pi * odd) ** 2
    return kernel
