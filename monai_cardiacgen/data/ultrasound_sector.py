"""The ultrasound sector of an echocardiogram, and label maps that name it."""

from __future__ import annotations

import numpy as np
import torch
from scipy import ndimage
from skimage.morphology import convex_hull_image

from ..anatomy.schemes import CAMUS, CAMUS_SECTOR, ULTRASOUND_SECTOR
from ..errors import IntensityError, ShapeError


def ultrasound_sector(image: torch.Tensor) -> torch.Tensor:
    """Return the pixels that the ultrasound beam swept, whether they show something or not.

    Outside the sector an echocardiogram holds exactly its smallest value. The sector is the convex hull of the largest
    connected region above that value, so that dark cavities and dropouts belong to it, and an electrocardiogram or
    letters beside it do not. Opening angles of up to 180 degrees are convex.

    Args:
        image: `(B, 1, H, W)`, any intensities.

    Returns:
        `(B, H, W)` bool, on the image's device.

    Raises:
        ShapeError: when the image has another shape.
        IntensityError: when an image is constant.

    Example:
        >>> image = torch.zeros(1, 1, 6, 8)
        >>> image[..., 1:5, 2:7] = torch.eye(4, 5) + 0.1
        >>> int(ultrasound_sector(image).sum())
        20
    """
    if image.ndim != 4 or image.shape[1] != 1:
        raise ShapeError(f"Expected images (B, 1, H, W), got {tuple(image.shape)}; pass 2D images of one channel.")
    sectors = [_sector(one) for one in image[:, 0].detach().cpu().numpy()]
    return torch.from_numpy(np.stack(sectors)).to(image.device)


def _sector(image: np.ndarray) -> np.ndarray:
    parts, number = ndimage.label(image > image.min())
    if number == 0:
        raise IntensityError("Expected contrast in an echocardiogram, got a constant image; leave out this case.")
    largest = 1 + np.bincount(parts.ravel())[1:].argmax()
    sector: np.ndarray = convex_hull_image(parts == largest, offset_coordinates=False)
    return sector


def with_sector(label: torch.Tensor, image: torch.Tensor) -> torch.Tensor:
    """Return CAMUS label maps with the ultrasound sector as a class of its own: the codes of `CAMUS_SECTOR`.

    The sector's class is what the sector holds beside the heart. The heart keeps its pixels, also where an expert drew
    it beyond the sector's edge.

    Args:
        label: `(B, H, W)`, CAMUS's codes.
        image: `(B, 1, H, W)`, the images that the labels belong to.

    Returns:
        `(B, H, W)` int64, the codes of `CAMUS_SECTOR`.

    Raises:
        ShapeError: when the shapes do not fit each other.
        LabelError: when a value is not one of CAMUS's codes.

    Source:
        The class is after Stojanovski et al., "Echo from noise", ASMUS 2023, DOI 10.1007/978-3-031-44521-7_4.
    """
    if label.shape != image.shape[:1] + image.shape[2:]:
        raise ShapeError(
            f"Expected labels (B, H, W) of images (B, 1, H, W), got {tuple(label.shape)} and {tuple(image.shape)}."
        )
    codes = CAMUS.to_scheme(label, CAMUS_SECTOR, without=(ULTRASOUND_SECTOR,))
    background = (codes == 0) & ultrasound_sector(image)
    return codes.masked_fill(background, CAMUS_SECTOR.code(ULTRASOUND_SECTOR))
