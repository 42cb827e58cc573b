"""The marked pixels are as many as `shape.py` counts, and lie where scipy finds them."""

from __future__ import annotations

import numpy as np
import torch
from heart_faults import FAULTS, LV, MYO, RV, SPACING
from scipy import ndimage

from monai_cardiacgen.anatomy.morphology import fill_holes
from monai_cardiacgen.anatomy.regions import (
    border_region,
    deepest_region,
    frontier_region,
    gap_region,
    hole_region,
    nearest_region,
    stray_region,
)
from monai_cardiacgen.anatomy.shape import disconnected_pixels, frontier_pixels, gap_pixels, hole_pixels


def _count(region: torch.Tensor) -> list[int]:
    return region.sum(dim=(1, 2)).tolist()


def test_counts_are_those_of_the_shape_measurements(blobs):
    others = blobs.flip(0) & ~blobs
    assert _count(hole_region(blobs)) == hole_pixels(blobs).tolist()
    assert _count(stray_region(blobs)) == disconnected_pixels(blobs).tolist()
    assert _count(gap_region(blobs, others)) == gap_pixels(blobs, others).tolist()
    assert _count(frontier_region(blobs, others)) == frontier_pixels(blobs, others).tolist()


def test_without_its_stray_pixels_a_mask_is_one_part(blobs):
    for mask in (blobs & ~stray_region(blobs)).numpy():
        assert ndimage.label(mask, np.ones((3, 3)))[1] == 1


def test_gaps_lie_where_they_were_drawn():
    label = FAULTS["LV-MYO gap"]()[None]
    gap = gap_region(label == LV, label == MYO)
    assert gap.nonzero().tolist() == [[0, 48, column] for column in (62, 63, 64)]


def test_the_nearest_pixels_are_the_distance_apart():
    label = FAULTS["RV-MYO distance"]()[None]
    near = nearest_region(label == RV, label == MYO, SPACING)
    right, wall = (near & (label == code) for code in (RV, MYO))
    assert right.any()
    assert wall.any()
    away = ndimage.distance_transform_edt((label[0] != MYO).numpy(), SPACING)
    assert np.isclose(away[right[0].numpy()], away[(label[0] == RV).numpy()].min()).all()
    assert not nearest_region(label == RV, label == 9, SPACING).any()


def test_the_deepest_point_of_a_bay():
    label = FAULTS["MYO concavity"]()[None]
    wall = fill_holes(label == MYO)
    deepest = deepest_region(wall, SPACING)
    row, column = deepest[0].nonzero()[0].tolist()
    assert 45 <= row <= 51
    assert not bool(wall[0, row, column])
    square = torch.zeros(1, 9, 9, dtype=torch.bool)
    square[0, 2:7, 2:7] = True
    assert not deepest_region(square, SPACING).any()


def test_the_border_of_a_square():
    square = torch.zeros(1, 9, 9, dtype=torch.bool)
    square[0, 2:7, 2:7] = True
    assert _count(border_region(square)) == [16]


def test_empty_masks_mark_nothing():
    empty = torch.zeros(2, 5, 5, dtype=torch.bool)
    for region in (hole_region(empty), stray_region(empty), border_region(empty), deepest_region(empty, SPACING)):
        assert not region.any()
