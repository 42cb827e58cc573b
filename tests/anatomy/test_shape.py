"""Shape measurements against scipy, scikit-image, brute force, and shapes whose numbers are known."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy import ndimage
from scipy.spatial.distance import cdist
from skimage.measure import perimeter as skimage_perimeter
from skimage.morphology import convex_hull_image

from monai_cardiacgen.anatomy.morphology import fill_holes
from monai_cardiacgen.anatomy.packed import PackedMasks
from monai_cardiacgen.anatomy.shape import (
    circularity,
    concavity,
    disconnected_pixels,
    distance_between,
    frontier_pixels,
    gap_pixels,
    hole_pixels,
    perimeter,
)
from monai_cardiacgen.errors import ShapeError

SQUARE = np.ones((3, 3), dtype=bool)


def ellipse(side: int, half_height: float, half_width: float) -> torch.Tensor:
    axis = torch.arange(side) - (side - 1) / 2
    return ((axis[:, None] / half_height) ** 2 + (axis / half_width) ** 2 <= 1)[None]


def test_hole_pixels_equal_scipy(blobs):
    expected = [int((ndimage.binary_fill_holes(m, SQUARE) & ~m.numpy()).sum()) for m in blobs]
    assert hole_pixels(blobs).tolist() == expected
    assert max(expected) > 0


def test_disconnected_pixels_equal_scipy(blobs):
    expected = []
    for mask in blobs:
        numbers, _ = ndimage.label(mask, SQUARE)
        expected.append(int(mask.sum()) - int(np.bincount(numbers.ravel())[1:].max()))
    assert disconnected_pixels(blobs).tolist() == expected
    assert max(expected) > 0


def test_the_largest_part_is_kept_even_when_it_is_not_the_first():
    mask = torch.zeros(1, 6, 9, dtype=torch.bool)
    mask[0, 0, 0:2] = mask[0, 3:6, 4:8] = mask[0, 1, 8] = True
    assert disconnected_pixels(mask).tolist() == [3]


def test_an_absent_structure_has_neither_holes_nor_parts():
    empty = torch.zeros(2, 5, 5, dtype=torch.bool)
    assert hole_pixels(empty).tolist() == disconnected_pixels(empty).tolist() == [0, 0]


def test_gap_pixels_lie_between_two_structures():
    left = torch.zeros(4, 7, 9, dtype=torch.bool)
    right = torch.zeros_like(left)
    left[:, 1:6, 1:4] = True
    right[:, 1:6, 4:8] = True
    left[0, 2:4, 3] = False  # two pixels that only both together enclose
    left[1, 3, 2] = False  # a hole of one structure is no gap
    left[2, 1, 3] = False  # open to the outside
    left[3, 2, 3] = right[3, 3, 4] = False  # two single pixels that meet at a corner
    assert gap_pixels(left, right).tolist() == gap_pixels(right, left).tolist() == [2, 0, 0, 2]


def test_the_hole_of_a_ring_that_holds_the_other_is_a_gap_where_the_other_leaves_room():
    ring = torch.zeros(1, 9, 9, dtype=torch.bool)
    ring[0, 1:8, 1:8] = True
    ring[0, 2:7, 2:7] = False
    core = torch.zeros_like(ring)
    core[0, 3:6, 3:6] = True
    assert gap_pixels(ring, core).tolist() == [25 - 9]
    assert gap_pixels(ring, torch.zeros_like(ring)).tolist() == [0]


def test_frontier_pixels_equal_a_count_by_distance(blobs):
    first, second = blobs[:18] & ~blobs[18:], blobs[18:]
    expected = []
    for one, other in zip(first, second, strict=True):
        apart = cdist(torch.nonzero(one).numpy(), torch.nonzero(other).numpy(), "chebyshev")
        expected.append(int((apart.min(axis=1) <= 1).sum()))
    assert frontier_pixels(first, second).tolist() == expected
    assert max(expected) > 0


@pytest.mark.parametrize("spacing", [(1.0, 1.0), (1.4, 2.0)])
def test_distance_between_equals_brute_force(spacing):
    first = torch.zeros(6, 20, 24, dtype=torch.bool)
    second = torch.zeros_like(first)
    expected = []
    for row, shift in enumerate(range(6)):
        first[row, 2:6, 3:7] = True
        second[row, 5 + shift : 12 + shift, 6 + 2 * shift : 12 + 2 * shift] = True
        second &= ~first
        grown = ndimage.binary_dilation(first[row], SQUARE)
        scale = np.array(spacing)
        apart = cdist(np.argwhere(grown) * scale, torch.nonzero(second[row]).numpy() * scale)
        expected.append(float(apart.min()))
    np.testing.assert_allclose(distance_between(first, second, spacing), expected, rtol=1e-5)
    assert expected[0] == 0 < expected[-1]


def test_an_absent_structure_is_at_no_distance():
    mask = torch.ones(1, 4, 4, dtype=torch.bool)
    assert distance_between(mask, torch.zeros_like(mask), (1.0, 1.0)).isnan().all()


@pytest.mark.parametrize("spacing", [(1.0, 1.0), (1.3, 1.9)])
def test_concavity_equals_scikit_image(blobs, spacing):
    filled = fill_holes(blobs)
    expected = []
    for mask in filled:
        padded = np.pad(mask.numpy(), 1)
        hull = convex_hull_image(padded)
        bay = ndimage.binary_erosion(hull & ~padded, SQUARE)
        expected.append((ndimage.distance_transform_edt(hull, sampling=spacing) * bay).max())
    np.testing.assert_allclose(concavity(filled, spacing), expected, rtol=1e-5)
    assert max(expected) > 0


def test_convex_shapes_have_no_concavity_and_a_bay_has_its_depth():
    disc, oval = ellipse(61, 25, 25), ellipse(61, 12, 27)
    box = torch.zeros(1, 61, 61, dtype=torch.bool)
    box[0, 10:50, 5:40] = True
    assert concavity(torch.cat([disc, oval, box]), (1.5, 1.5)).tolist() == [0, 0, 0]
    box[0, 20:40, 28:40] = False  # 12 pixels deep; its innermost layer is taken off
    assert concavity(box, (1.5, 1.5)).tolist() == pytest.approx([11 * 1.5])


def test_perimeter_equals_scikit_image(blobs):
    np.testing.assert_allclose(perimeter(blobs), [skimage_perimeter(m.numpy(), 4) for m in blobs], rtol=1e-5)


@pytest.mark.parametrize("side", [2, 5, 30])
def test_circularity_of_a_square_is_known(side):
    mask = torch.zeros(1, 40, 40, dtype=torch.bool)
    mask[0, 3 : 3 + side, 4 : 4 + side] = True
    expected = 4 * math.pi * side**2 / (4 * (side - 1)) ** 2  # the contour runs through pixel centres
    assert float(circularity(mask)) == pytest.approx(expected)


@pytest.mark.parametrize(("height", "width"), [(40, 40), (40, 25), (45, 12)])
def test_circularity_of_an_ellipse_is_near_its_formula(height, width):
    spread = 3 * ((height - width) / (height + width)) ** 2  # Ramanujan's second approximation
    length = math.pi * (height + width) * (1 + spread / (10 + math.sqrt(4 - spread)))
    expected = 4 * math.pi * (math.pi * height * width) / length**2
    # A contour in steps of 45 degrees is up to 5.5 % too long, which counts twice.
    assert float(circularity(ellipse(101, height, width))) == pytest.approx(expected, rel=0.11)


def test_circularity_of_nothing_and_of_one_pixel_is_undefined():
    mask = torch.zeros(2, 5, 5, dtype=torch.bool)
    mask[1, 2, 2] = True
    assert circularity(mask).isnan().all()


def test_batch_equals_each_mask(blobs):
    filled = fill_holes(blobs)
    for measure in (hole_pixels, disconnected_pixels, circularity, lambda m: concavity(m, (1.0, 2.0))):
        assert torch.equal(measure(filled), torch.cat([measure(mask[None]) for mask in filled]))


def test_two_structures_of_different_shape_are_refused(blobs):
    for measure in (gap_pixels, frontier_pixels):
        with pytest.raises(ShapeError, match="one shape"):
            measure(blobs, blobs[:, 1:])


def test_packed_groups_give_what_boolean_masks_give(blobs):
    first, second = fill_holes(blobs[:20]), fill_holes(blobs[16:])
    groups = PackedMasks.pack(torch.stack((first, second)))
    for measure in (hole_pixels, disconnected_pixels, circularity, lambda m: concavity(m, (1.0, 2.0))):
        expected = torch.stack((measure(first), measure(second)))
        torch.testing.assert_close(measure(groups), expected, rtol=0, atol=0, equal_nan=True)
    apart = distance_between(groups[0], groups[1], (1.0, 2.0))
    assert torch.equal(apart, distance_between(first, second, (1.0, 2.0)))
