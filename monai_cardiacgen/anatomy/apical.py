"""The 12 criteria of an apical echo view: left ventricular cavity, myocardium and left atrium, all three required.

Maps lie as CAMUS's files do: the first axis runs across the beam (lateral), the second away from the probe (depth).
Ratios are of pixel counts. Widths are counted along the first axis, so their ratio does not depend on the aspect;
frontiers run across the beam for the most part and depend on it little, erosions only as the wall is oblique.

The limits are the paper's, but for the gaps (as in short-axis slices an area) and the frontier of wall and atrium: the
paper's 0.11 refuses 13 % of the 1,600 expert labels of CAMUS as they came here, resampled to 224 x 224 without keeping
the aspect, and at other aspects hardly fewer; 0.35 refuses 0.25 %. `docs/anatomy.md` has the shares by criterion.

Source:
    Painchaud et al., "Cardiac segmentation with strong anatomical guarantees", IEEE TMI 2020,
    DOI 10.1109/TMI.2020.3003240.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F

from ..checks import check_spacing
from .criterion import Criterion
from .geometry import distance_to_background
from .morphology import check_masks, erode, flood, holes
from .regions import gap_region
from .shape import disconnected_pixels, frontier_pixels

#: Parts of at most this share of a structure do not count as a split: an erosion frays the ends of a thin wall.
_CRUMB = 1e-3

APICAL = (
    Criterion("LV holes", "pixels", 0, "blood fills the left cavity", required=True),
    Criterion("LA holes", "pixels", 0, "blood fills the left atrium", required=True),
    Criterion("epicardium holes", "pixels", 0, "the wall is solid", required=True),
    Criterion("LV disconnected", "pixels", 0, "the view cuts the left cavity once", required=True),
    Criterion("MYO disconnected", "pixels", 0, "the wall is one piece", required=True),
    Criterion("LA disconnected", "pixels", 0, "the view cuts the left atrium once", required=True),
    Criterion("LV-MYO gap", "mm²", 10, "nothing lies between the left cavity and its wall", required=True),
    Criterion("LV-LA gap", "mm²", 10, "only the valve lies between the left cavity and its atrium", required=True),
    Criterion("LV-background frontier", "", 0.40, "wall and atrium surround the left cavity", required=True),
    Criterion("MYO-LA frontier", "", 0.35, "the wall ends at the annulus, where the atrium begins", required=True),
    Criterion("LV to MYO width", "", 4.15, "the wall is no thin line beside the cavity", required=True),
    Criterion("MYO erosions to split", "", 0.12, "the wall narrows nowhere to a thread", at_least=True, required=True),
)


def measure_apical(
    lv: torch.Tensor, myo: torch.Tensor, la: torch.Tensor, spacing: Sequence[float]
) -> dict[str, torch.Tensor]:
    """Return the value of every criterion of `APICAL` by its name.

    A fault has one name: a hole of the left cavity, or a gap beside it, is no hole of the epicardium and no frontier.

    Args:
        lv: left ventricular cavity, boolean `(B, H, W)`, H across the beam and W along the depth.
        myo: myocardium, likewise.
        la: left atrium, likewise.
        spacing: mm between pixels along H and W.

    Returns:
        `(B,)` float32 tensors; NaN where a structure that the quantity needs is absent.

    Raises:
        ShapeError: when the masks are not boolean `(B, H, W)` of one shape.
        SpacingError: when `spacing` is not two positive numbers.
    """
    check_masks(lv, myo, la)
    area = math.prod(check_spacing(spacing, 2))
    # A rim of background: what touches the image's border touches the outside.
    lv, myo, la = (F.pad(mask, (1, 1, 1, 1)) for mask in (lv, myo, la))
    there = {"LV": lv, "MYO": myo, "LA": la}
    present = {name: mask.flatten(1).any(dim=1) for name, mask in there.items()}
    lv_holes, la_holes, epicardium_holes = holes(torch.cat((lv, la, lv | myo)), connectivity=8).chunk(3)
    wall_gap, valve_gap = gap_region(torch.cat((lv, lv)), torch.cat((myo, la))).chunk(2)
    lv_stray, myo_stray, la_stray = disconnected_pixels(torch.cat((lv, myo, la))).chunk(3)
    lv_solid = lv | lv_holes
    outside = ~(lv_solid | myo | la | wall_gap | valve_gap)
    values = {
        "LV holes": _count(lv_holes),
        "LA holes": _count(la_holes),
        "epicardium holes": _count(epicardium_holes & ~lv_holes & ~wall_gap),
        "LV disconnected": lv_stray,
        "MYO disconnected": myo_stray,
        "LA disconnected": la_stray,
        "LV-MYO gap": _count(wall_gap) * area,
        "LV-LA gap": _count(valve_gap) * area,
        "LV-background frontier": frontier_pixels(lv_solid, outside) / _width(lv),
        "MYO-LA frontier": frontier_pixels(myo, la) / _width(myo),
        "LV to MYO width": _width_ratio(lv, myo),
        "MYO erosions to split": erosions_to_split(myo),
    }
    needs = {"epicardium holes": ("LV", "MYO"), "LV-background frontier": ("LV",)}
    measured = {}
    for name, value in values.items():
        named = needs.get(name) or tuple(structure for structure in present if structure in name)
        all_there = torch.stack([present[structure] for structure in named]).all(dim=0)
        measured[name] = value.to(torch.float32).masked_fill(~all_there, torch.nan)
    return measured


def erosions_to_split(mask: torch.Tensor) -> torch.Tensor:
    """Return how many 3x3 erosions split or end a mask, over its greatest half thickness in pixels.

    The ratio compares the narrowest place of a band with its widest: about 1 for a band of even thickness, near 0
    for one that hangs together by a thread, 0 for one in two parts. Parts of at most a thousandth of the mask do not
    count. It is in pixels throughout, so it has no direction of its own in images of unequal spacing.

    Args:
        mask: boolean `(N, H, W)`.

    Returns:
        float32 `(N,)`; NaN for an absent mask.

    Example:
        >>> band = torch.zeros(1, 11, 30, dtype=torch.bool)
        >>> band[0, 2:9] = True
        >>> round(float(erosions_to_split(band)), 2)
        1.0
        >>> band[0, 3:9, 15] = False
        >>> round(float(erosions_to_split(band)), 2)
        0.25
    """
    check_masks(mask)
    # With the image's border as an edge of the mask the distance is finite everywhere.
    depth = distance_to_background(F.pad(mask, (1, 1, 1, 1)), (1.0, 1.0))[:, 1:-1, 1:-1]
    crumb = _count(mask) * _CRUMB
    steps = torch.zeros(len(mask), device=mask.device)
    whole, eroding = mask.flatten(1).any(dim=1), mask
    while bool((whole := whole & ~_is_split(eroding, depth, crumb)).any()):
        steps = steps + whole
        eroding = erode(eroding) & whole.view(-1, 1, 1)
    return steps / depth.flatten(1).amax(dim=1)  # 0 / 0 of an absent mask is NaN


def _is_split(mask: torch.Tensor, depth: torch.Tensor, crumb: torch.Tensor) -> torch.Tensor:
    """Return which masks `(N, H, W)` are empty, or have more than `crumb` pixels apart from their deepest place."""
    deepest = depth.masked_fill(~mask, 0).flatten(1).argmax(dim=1, keepdim=True)
    seed = torch.zeros_like(mask).flatten(1).scatter(1, deepest, True).view_as(mask)
    return ~mask.flatten(1).any(dim=1) | (_count(mask & ~flood(seed, mask, connectivity=8)) > crumb)


def _count(mask: torch.Tensor) -> torch.Tensor:
    return mask.flatten(1).sum(dim=1)


def _width(mask: torch.Tensor) -> torch.Tensor:
    """Return the extent across the beam in pixels, `(B,)`: from the first to the last pixel."""
    across = mask.any(dim=2)
    here = torch.arange(across.shape[1], device=mask.device)
    first = torch.where(across, here, across.shape[1]).amin(dim=1)
    return torch.where(across, here, -1).amax(dim=1) - first + 1


def centroid_depth(mask: torch.Tensor) -> torch.Tensor:
    """Return the depth `(N,)` of the pixel line through the centroid of masks `(N, H, W)`; 0 for an absent one."""
    here = torch.arange(mask.shape[2], device=mask.device)
    along = mask.sum(dim=1)  # (N, depth)
    return torch.div((along * here).sum(dim=1), along.sum(dim=1).clamp(min=1), rounding_mode="floor")


def _width_ratio(lv: torch.Tensor, myo: torch.Tensor) -> torch.Tensor:
    """Return the pixels of the cavity over those of the wall at the depth of their common centroid, `(B,)`."""
    line = centroid_depth(lv | myo).view(-1, 1, 1).expand(-1, lv.shape[1], 1)
    cavity, wall = (mask.gather(2, line).sum(dim=(1, 2)) for mask in (lv, myo))
    # Without wall at that depth the cavity is infinitely wider; without either there is nothing to compare.
    return cavity / wall
