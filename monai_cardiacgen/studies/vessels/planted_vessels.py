"""Vessels made wider or narrower by a known size, and whether an anomaly map tells them from the healthy ones."""

from __future__ import annotations

import math

import numpy as np
import torch
from monai.metrics import compute_roc_auc
from scipy import ndimage

from ...errors import InputError
from ...inferers.inpainted_image import InpaintedImage
from .masked_vessels import MaskedVessel

#: Of the masked pixels' z-scores this one is a patch's score: a ring 3 mm wide is more than a tenth of a mask.
PERCENTILE = 90.0


def room_to_grow(case: MaskedVessel) -> float:
    """Return how many mm the vessel can grow before it leaves the mask."""
    places = torch.nonzero(case.mask).double()
    low, high = places.amin(dim=0) - 0.5, places.amax(dim=0) + 0.5
    centre = torch.tensor(case.centre, dtype=torch.float64)
    return float(torch.minimum(centre - low, high - centre).min()) * case.spacing - case.radius


def plant(case: MaskedVessel, by: float) -> torch.Tensor:
    """Return the patch `(1, H, W)` with its vessel's radius changed by some mm; known pixels stay as they are.

    Distances from the vessel's centre are stretched, so that its own intensities fill the new outline and what lies
    round it is pushed away or drawn near; the mask's border stays where it is.

    Args:
        case: a patch whose mask holds the vessel.
        by: mm; positive for a dilation, negative for a stenosis.

    Raises:
        InputError: when the new vessel would have no radius, or leave the mask.
    """
    outer = case.radius + room_to_grow(case)
    wider = case.radius + by
    if not 0 < wider < outer - 0.25 * case.spacing:
        raise InputError(
            f"Expected a change that leaves a radius of more than 0 and less than {outer:.1f} mm, got {by} mm "
            f"for a vessel of {case.radius:.1f} mm; plant a smaller one, or make the mask larger."
        )
    height, width = case.image.shape[1:]
    places = np.mgrid[:height, :width].astype(np.float64)
    away = places - np.array(case.centre)[:, None, None]
    distance = np.hypot(*away) * case.spacing
    before = np.interp(distance, (0.0, wider, outer), (0.0, case.radius, outer), right=math.nan)
    share = np.where(np.isnan(before) | (distance == 0), 1.0, before / np.maximum(distance, 1e-9))
    sampled = ndimage.map_coordinates(
        case.image[0].double().numpy(),
        np.array(case.centre)[:, None, None] + away * share,
        order=3,
        mode="nearest",
    )
    moved = torch.from_numpy(np.clip(sampled, 0, 1)).to(case.image)[None]
    return torch.where(case.mask & torch.from_numpy(share != 1), moved, case.image)


def patch_score(found: InpaintedImage, image: torch.Tensor) -> float:
    """Return one score of an image: a high percentile of its z-scores in the mask."""
    scores = found.z_score_of(image)[:, found.mask].flatten()
    return float(torch.quantile(scores.double().cpu(), PERCENTILE / 100))


def area_under_curve(healthy: list[float], planted: list[float]) -> float:
    """Return the area under the receiver operating characteristic; 0.5 is chance, 1 tells all apart.

    Example:
        >>> area_under_curve([0.1, 0.2], [0.3, 0.15])
        0.75
    """
    scores = torch.tensor([*healthy, *planted], dtype=torch.float64)
    truth = torch.tensor([0] * len(healthy) + [1] * len(planted))
    return float(torch.as_tensor(compute_roc_auc(scores, truth)))
