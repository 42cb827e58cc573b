"""Masks that the rooms of anatomy/ are tested on."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter


@pytest.fixture(scope="session")
def blobs() -> torch.Tensor:
    """36 random masks (36, 31, 38): large blobs, ragged ones and pure noise, some touching the border."""
    generator = np.random.default_rng(7)
    masks = []
    for sigma in (0.0, 1.0, 2.5):
        for share in (0.3, 0.5, 0.7):
            for _ in range(4):
                noise = gaussian_filter(generator.standard_normal((31, 38)), sigma)
                masks.append(noise > np.quantile(noise, share))
    return torch.from_numpy(np.stack(masks))
