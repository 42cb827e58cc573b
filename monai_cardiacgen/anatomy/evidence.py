"""Where a label map breaks a criterion: the pixels to mark, in plain torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch
import torch.nn.functional as F

from .apical import centroid_depth
from .check import AnatomyCheck
from .geometry import distance_to_background
from .morphology import dilate, erode, fill_holes, flood
from .regions import (
    border_region,
    deepest_region,
    frontier_region,
    gap_region,
    hole_region,
    nearest_region,
    stray_region,
)
from .volume_morphology import bounding_box, outside_largest_part
from .whole_heart import hole_voxels, outside_cup

Masks = Mapping[str, torch.Tensor]


def find_evidence(check: AnatomyCheck, label: torch.Tensor, spacing: Sequence[float]) -> dict[str, torch.Tensor]:
    """Return, for each criterion that a label map breaks, the pixels that break it.

    Marked are holes, stray parts, gaps and frontiers as they are; of two structures too far apart the pixels nearest
    to each other; of a bay its deepest point; of a ragged structure its border; of a wall too thin its places that
    erosions lose first; of a width the line on which it is measured. What has no place of its own (a volume, a ratio
    of volumes, an absent contact) marks the structures that it speaks of; an absent structure marks nothing.

    Args:
        check: the check that judges; its scheme and view.
        label: one map of the scheme's codes, integer `(H, W)`, of whole hearts `(H, W, D)`.
        spacing: mm between pixels along each spatial axis.

    Returns:
        Boolean maps of the label's shape by the criterion's name, in the order of the criteria; empty for a valid map.

    Raises:
        ShapeError: when `label` is not one map of the check's view.
        LabelError: when `label` holds a code that the scheme does not know.
        SpacingError: when `spacing` is not one positive number for each spatial axis.

    Example:
        >>> label = torch.zeros(32, 32, dtype=torch.int64)
        >>> label[8:24, 8:24] = 2
        >>> label[12:20, 12:20] = 3
        >>> label[9, 9] = 0
        >>> {name: where.nonzero().tolist() for name, where in find_evidence(AnatomyCheck(), label, (2.0, 2.0)).items()}
        {'MYO holes': [[9, 9]]}
    """
    report = check(label[None], spacing)
    masks = check.masks(label[None])
    broken = report.broken[0].tolist()
    names = [criterion.name for criterion, is_broken in zip(report.criteria, broken, strict=True) if is_broken]
    find = _find_in_volume if check.view == "whole heart" else _find_in_slice
    return {name: find(name, masks, spacing)[0] for name in names}


def _named(name: str, masks: Masks) -> list[str]:
    """Return the structures that a criterion's name holds, in the order of their mention."""
    return sorted((short for short in masks if short in name), key=name.index)


def _find_in_slice(name: str, masks: Masks, spacing: Sequence[float]) -> torch.Tensor:
    named = [masks[short] for short in _named(name, masks)] or [masks["LV"] | masks["MYO"]]
    first, second = named[0], named[-1]
    finders: dict[str, Callable[[], torch.Tensor]] = {
        "holes": lambda: _holes_in_slice(name, first, masks),
        "disconnected": lambda: stray_region(first),
        "gap": lambda: gap_region(first, second),
        "distance": lambda: nearest_region(first, second, spacing),
        "background frontier": lambda: _frontier_to_background(masks),
        "frontier": lambda: frontier_region(first, second),
        "concavity": lambda: deepest_region(fill_holes(first), spacing),
        "circularity": lambda: border_region(fill_holes(first)),
        "width": lambda: _line_of_width(first, second),
        "erosions to split": lambda: _thin_places(first),
    }
    return next(find for kind, find in finders.items() if name.endswith(kind))()


def _holes_in_slice(name: str, mask: torch.Tensor, masks: Masks) -> torch.Tensor:
    if name == "epicardium holes":
        return hole_region(mask) & ~hole_region(masks["LV"]) & ~gap_region(masks["LV"], masks["MYO"])
    inside = hole_region(mask)
    # The hole of the wall that holds the left cavity is there on purpose.
    return inside & ~flood(masks["LV"] & inside, inside, connectivity=8) if name == "MYO holes" else inside


def _frontier_to_background(masks: Masks) -> torch.Tensor:
    solid = masks["LV"] | hole_region(masks["LV"])
    structures = solid.clone()
    for mask in masks.values():
        structures |= mask
    if "LA" in masks:  # apical: what a gap is, is no frontier
        structures |= gap_region(masks["LV"], masks["MYO"]) | gap_region(masks["LV"], masks["LA"])
    return frontier_region(F.pad(solid, (1, 1, 1, 1)), ~F.pad(structures, (1, 1, 1, 1)))[:, 1:-1, 1:-1]


def _line_of_width(lv: torch.Tensor, myo: torch.Tensor) -> torch.Tensor:
    line = torch.zeros_like(lv)
    line[0, :, centroid_depth(lv | myo)] = True
    return line & (lv | myo)


def _thin_places(mask: torch.Tensor) -> torch.Tensor:
    """Return what an opening takes off that is as wide as the criterion's limit asks for, and one pixel."""
    greatest = float(distance_to_background(F.pad(mask, (1, 1, 1, 1)), (1.0, 1.0)).amax())
    steps = int(0.12 * greatest) + 1
    opened = mask
    for step in (erode, dilate):
        for _ in range(steps):
            opened = step(opened)
    return mask & ~opened


def _find_in_volume(name: str, masks: Masks, spacing: Sequence[float]) -> torch.Tensor:
    named = _named(name, masks)
    first = masks[named[0]]
    where = torch.zeros_like(first)
    if name.endswith("disconnected"):
        box = (slice(None), *bounding_box(first))
        where[box] = outside_largest_part(first[box])
    elif name.endswith("holes"):
        whole = first | masks["LV"] if named[0] == "MYO" else first
        where[(slice(None), *bounding_box(whole))] = hole_voxels(named[0], masks)
    elif name == "LV inside MYO hull":
        where[(slice(None), *bounding_box(first | masks["MYO"]))] = outside_cup(first, masks["MYO"])
    elif name == "LV bare surface":
        where = _touching(first, ~(first | masks["MYO"] | masks["LA"] | masks["AO"]))
    elif name.endswith("contact") and bool((meeting := _touching(first, masks[named[1]])).any()):
        where = meeting
    else:
        where = first | masks[named[-1]]
    return where


def _touching(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """Return the voxels of `first` that share a face with `second`; beyond the volume lies none."""
    grown = second.clone()
    for dim in (1, 2, 3):
        size = second.shape[dim]
        grown.narrow(dim, 1, size - 1).logical_or_(second.narrow(dim, 0, size - 1))
        grown.narrow(dim, 0, size - 1).logical_or_(second.narrow(dim, 1, size - 1))
    return first & grown
