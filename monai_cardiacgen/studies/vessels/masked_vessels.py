"""Patches of held-out patients with their vessel masked, and how far an inpainted vessel lies from the real one."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from skimage.metrics import structural_similarity

from ...data.vessel_tracking import VesselCircle, VesselTracker
from ...errors import InputError
from ...inferers.box_mask import box_mask
from ...seeding import seeded
from .aortic_patches import window

#: Within this many mm of the mask's middle the centre of an inpainted circle is sought.
REACH = 12.0


@dataclass(frozen=True)
class MaskedVessel:
    """A patch whose vessel is to be made anew.

    Attributes:
        patient: whose.
        image: `(1, H, W)` in [0, 1].
        mask: bool `(H, W)`, a square that holds the vessel, whose middle is not the vessel's.
        middle: of the mask, in pixels.
        centre: of the vessel, in pixels.
        radius: of the vessel in mm.
        spacing: mm a pixel.
        corner: of the patch within the larger one.
    """

    patient: str
    image: torch.Tensor
    mask: torch.Tensor
    middle: tuple[float, float]
    centre: tuple[float, float]
    radius: float
    spacing: float
    corner: tuple[int, int]


def mask_vessels(
    patches: Sequence[Mapping[str, Any]],
    patch_size: int,
    spacing: float,
    each: int = 2,
    mask_size: int = 25,
    jitter: int = 2,
    seed: int = 0,
) -> list[MaskedVessel]:
    """Return `each` masked patches of every patient, at heights and places that the seed draws.

    The window is drawn as `MovedPatches` draws it, the mask's middle up to `jitter` pixels off the vessel's along
    either axis: neither tells where in the mask the vessel lies.

    Args:
        patches: elements of `AorticPatches`; their truth is used where they have one, else the tracker's circle.
        patch_size: side of a window in pixels.
        spacing: mm a pixel.
        each: patches of a patient, fewer where there are fewer.
        mask_size: side of the mask in pixels.
        jitter: pixels.
        seed: of all draws.

    Raises:
        InputError: when a mask would not lie within its window.
    """
    generator = seeded(seed)
    chosen: list[MaskedVessel] = []
    for patient in sorted({str(one["patient"]) for one in patches}):
        own = [one for one in patches if one["patient"] == patient]
        for number in sorted(torch.randperm(len(own), generator=generator)[:each].tolist()):
            chosen.append(_masked(own[number], patch_size, spacing, mask_size, jitter, generator))
    return chosen


def _masked(
    patch: Mapping[str, Any], patch_size: int, spacing: float, mask_size: int, jitter: int, generator: torch.Generator
) -> MaskedVessel:
    image = torch.as_tensor(patch["image"])
    room = image.shape[-1] - patch_size
    if room < 0:
        raise InputError(f"Expected patches of at least {patch_size} pixels a side, got {image.shape[-1]}.")
    row, column = torch.randint(room + 1, (2,), generator=generator).tolist()
    off = torch.randint(-jitter, jitter + 1, (2,), generator=generator).tolist()
    true = math.isfinite(patch["true_radius"])
    at = torch.as_tensor(patch["true_centre" if true else "centre"])
    centre = (float(at[0]) - row, float(at[1]) - column)
    radius = float(patch["true_radius" if true else "radius"])
    mask = box_mask((patch_size, patch_size), mask_size, [place + by for place, by in zip(centre, off, strict=True)])
    places = torch.nonzero(mask).double().mean(dim=0).tolist()
    cut = window(image, (row, column), patch_size).clone()
    return MaskedVessel(
        str(patch["patient"]), cut, mask, (places[0], places[1]), centre, radius, spacing, (row, column)
    )


@dataclass(frozen=True)
class VesselScore:
    """How far an inpainted patch is from the real one.

    Attributes:
        l1: mean absolute difference in the mask, intensities in [0, 1].
        ssim: mean structural similarity over the mask's pixels.
        position: mm from the strongest circle's centre to the vessel's.
        perimeter: mm by which its perimeter is longer than the vessel's, signed.
        clear: whether the circle is clear enough to be taken for a vessel.
        circle: the strongest circle; None where there is no edge.
    """

    l1: float
    ssim: float
    position: float
    perimeter: float
    clear: bool
    circle: VesselCircle | None


def find_circle(image: torch.Tensor, case: MaskedVessel) -> VesselCircle | None:
    """Return the strongest circle `(1, H, W)` near the mask's middle; None where there is no edge."""
    spacing = (case.spacing, case.spacing)
    return VesselTracker().strongest(image[0].numpy().astype(np.float64), spacing, case.middle, REACH)


def score_vessel(image: torch.Tensor, case: MaskedVessel) -> VesselScore:
    """Compare an inpainted image `(1, H, W)` with the real one.

    An image without any edge has its circle in the mask's middle, with radius 0.
    """
    circle = find_circle(image, case)
    tracker = VesselTracker()
    middle, radius = (case.middle, 0.0) if circle is None else (circle.centre, circle.radius)
    away = math.dist(middle, case.centre) * case.spacing
    return VesselScore(
        l1=float((image - case.image)[0][case.mask].abs().mean()),
        ssim=similarity_in_mask(image, case),
        position=away,
        perimeter=2 * math.pi * (radius - case.radius),
        clear=circle is not None and tracker.clear(circle),
        circle=circle,
    )


def similarity_in_mask(image: torch.Tensor, case: MaskedVessel) -> float:
    """Return the mean over the mask of the structural similarity in Gaussian windows of 1.5 pixels.

    Source:
        Wang et al., IEEE Transactions on Image Processing 2004, DOI 10.1109/TIP.2003.819861.
    """
    _, similarity = structural_similarity(
        image[0].numpy().astype(np.float64),
        case.image[0].numpy().astype(np.float64),
        data_range=1.0,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        full=True,
    )
    return float(similarity[case.mask.numpy()].mean())
