"""Morphology against scipy.ndimage, and on shapes made to be slow."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import ndimage

from monai_cardiacgen.anatomy.morphology import (
    check_masks,
    connected_components,
    dilate,
    erode,
    fill_holes,
    flood,
    holes,
)
from monai_cardiacgen.errors import InputError, ShapeError

STRUCTURE = {4: ndimage.generate_binary_structure(2, 1), 8: ndimage.generate_binary_structure(2, 2)}
both = pytest.mark.parametrize("connectivity", [4, 8])


def spiral(side: int) -> torch.Tensor:
    """A corridor one pixel wide that winds inwards: the longest path for its area."""
    mask = np.zeros((side, side), dtype=bool)
    row, column, direction = 0, -1, 0
    steps = [(0, 1), (1, 0), (0, -1), (-1, 0)]
    lengths = [side, side - 1, side - 1] + [n for n in range(side - 3, 0, -2) for _ in (0, 1)]
    for length in lengths:
        for _ in range(length):
            row, column = row + steps[direction][0], column + steps[direction][1]
            mask[row, column] = True
        direction = (direction + 1) % 4
    return torch.from_numpy(mask)[None]


@both
def test_dilation_and_erosion_equal_scipy(blobs, connectivity):
    for mask, grown, shrunk in zip(blobs, dilate(blobs, connectivity), erode(blobs, connectivity), strict=True):
        assert np.array_equal(grown, ndimage.binary_dilation(mask, STRUCTURE[connectivity]))
        assert np.array_equal(shrunk, ndimage.binary_erosion(mask, STRUCTURE[connectivity], border_value=0))


@both
def test_flood_equals_scipy_propagation(blobs, connectivity):
    seed = torch.rand(blobs.shape, generator=torch.Generator().manual_seed(1)) < 0.01
    for start, mask, reached in zip(seed, blobs, flood(seed, blobs, connectivity), strict=True):
        expected = ndimage.binary_propagation(start & mask, STRUCTURE[connectivity], mask=mask.numpy())
        assert np.array_equal(reached, expected)


@both
def test_holes_equal_scipy_hole_filling(blobs, connectivity):
    for mask, inside in zip(blobs, holes(blobs, connectivity), strict=True):
        filled = ndimage.binary_fill_holes(mask, STRUCTURE[connectivity])
        assert np.array_equal(inside, filled & ~mask.numpy())


def test_fill_holes_equals_scipy(blobs):
    for mask, filled in zip(blobs, fill_holes(blobs), strict=True):
        assert np.array_equal(filled, ndimage.binary_fill_holes(mask))


@both
def test_components_are_those_of_scipy(blobs, connectivity):
    for mask, numbers in zip(blobs, connected_components(blobs, connectivity), strict=True):
        expected, count = ndimage.label(mask, STRUCTURE[connectivity])
        pairs = {(int(a), int(b)) for a, b in zip(numbers.flatten(), expected.flatten(), strict=True)}
        assert torch.equal(numbers > 0, mask)
        assert len(pairs) == len({a for a, _ in pairs}) == len({b for _, b in pairs})
        assert count == len(pairs - {(0, 0)})


@pytest.mark.parametrize("side", [9, 33, 64])
def test_long_corridors_are_followed_to_the_end(side):
    corridor = spiral(side)
    entrance = torch.zeros_like(corridor)
    entrance[0, 0, 0] = True
    assert torch.equal(flood(entrance, corridor, 4), corridor)
    assert len(connected_components(corridor, 4).unique()) == 2
    assert not holes(corridor, 4).any()


def test_a_flood_does_not_leak_between_maps_or_round_the_border():
    allowed = torch.ones(3, 5, 5, dtype=torch.bool)
    allowed[1, :, 2] = False
    seed = torch.zeros_like(allowed)
    seed[1, 2, 0] = True
    reached = flood(seed, allowed, 8)
    assert int(reached[1].sum()) == 10
    assert not reached[[0, 2]].any()
    assert not reached[1, :, 2:].any()


def test_a_corner_closes_a_hole_to_4_connected_background_only():
    ring = torch.tensor([[[0, 1, 1], [1, 0, 1], [1, 1, 1]]]).bool()
    assert [int(holes(ring, connectivity).sum()) for connectivity in (4, 8)] == [1, 0]


def test_batch_equals_each_map(blobs):
    for function in (dilate, erode, fill_holes, connected_components):
        assert torch.equal(function(blobs), torch.cat([function(mask[None]) for mask in blobs]))


def test_empty_batches_and_empty_masks_pass():
    assert fill_holes(torch.zeros(0, 4, 4, dtype=torch.bool)).shape == (0, 4, 4)
    assert connected_components(torch.zeros(2, 4, 4, dtype=torch.bool)).sum() == 0


def test_other_connectivity_is_refused(blobs):
    for call in (dilate, holes, connected_components):
        with pytest.raises(InputError, match="4 or 8, got 6"):
            call(blobs, 6)


@pytest.mark.parametrize("mask", [torch.zeros(4, 4).bool(), torch.zeros(1, 4, 4), torch.zeros(1, 1, 4, 4).bool()])
def test_what_is_no_batch_of_masks_is_refused(mask):
    with pytest.raises(ShapeError, match=r"\(N, H, W\)"):
        check_masks(mask)
