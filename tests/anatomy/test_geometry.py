"""Hulls against scikit-image, distances against scipy."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import ndimage
from skimage.morphology import convex_hull_image

from monai_cardiacgen.anatomy.geometry import convex_hull, distance_to_background, distance_to_outside, hull_ends
from monai_cardiacgen.errors import ShapeError, SpacingError


def sparse(points: int, side: int, seed: int) -> torch.Tensor:
    """A few scattered pixels: hulls with long, slanting sides."""
    generator = torch.Generator().manual_seed(seed)
    mask = torch.zeros(side * side, dtype=torch.bool)
    mask[torch.randperm(side * side, generator=generator)[:points]] = True
    return mask.view(1, side, side)


def test_hulls_of_blobs_equal_scikit_image(blobs):
    for mask, hull in zip(blobs, convex_hull(blobs), strict=True):
        assert np.array_equal(hull, convex_hull_image(mask.numpy()))


@pytest.mark.parametrize("points", [2, 3, 5, 9])
@pytest.mark.parametrize("side", [12, 50])
def test_hulls_of_scattered_pixels_equal_scikit_image(points, side):
    for seed in range(15):
        mask = sparse(points, side, seed)
        assert np.array_equal(convex_hull(mask)[0], convex_hull_image(mask[0].numpy()))


def test_hulls_hold_the_mask_and_have_no_gap_in_any_row(blobs):
    hull = convex_hull(blobs)
    assert not (blobs & ~hull).any()
    assert (hull.int().diff(dim=2).abs().sum(dim=2) <= 2).all()


def test_hulls_turn_and_mirror_with_the_mask(blobs):
    hull = convex_hull(blobs)
    assert torch.equal(convex_hull(blobs.transpose(1, 2)), hull.transpose(1, 2))
    assert torch.equal(convex_hull(blobs.flip(2)), hull.flip(2))


def test_single_pixels_lines_and_nothing_are_their_own_hulls():
    masks = torch.zeros(4, 7, 7, dtype=torch.bool)
    masks[1, 3, 3] = True
    masks[2, 0, :] = True
    masks[3].fill_diagonal_(True)
    assert torch.equal(convex_hull(masks), masks)


def test_large_batches_are_measured_in_parts():
    masks = torch.cat([sparse(5, 300, seed) for seed in range(4)])  # more slopes than are held at once
    assert torch.equal(convex_hull(masks), torch.cat([convex_hull(mask[None]) for mask in masks]))


@pytest.mark.parametrize("spacing", [(1.0, 1.0), (1.5, 1.5), (0.7, 2.3)])
def test_distances_equal_scipy(blobs, spacing):
    for mask, distance in zip(blobs, distance_to_background(blobs, spacing), strict=True):
        expected = ndimage.distance_transform_edt(mask.numpy(), sampling=spacing)
        np.testing.assert_allclose(distance, expected, rtol=1e-5)


def test_distances_across_a_wide_mask_equal_scipy():
    mask = torch.ones(1, 40, 90, dtype=torch.bool)
    mask[0, 5, 3] = mask[0, 30, 80] = False
    expected = ndimage.distance_transform_edt(mask[0].numpy(), sampling=(1.2, 1.4))
    np.testing.assert_allclose(distance_to_background(mask, (1.2, 1.4))[0], expected, rtol=1e-5)


def test_no_background_is_infinitely_far():
    masks = torch.ones(2, 5, 6, dtype=torch.bool)
    masks[1, 0, 0] = False
    distance = distance_to_background(masks, (1.0, 1.0))
    assert torch.isinf(distance[0]).all()
    assert distance[1, 4, 5] == pytest.approx(np.hypot(4, 5))


def test_wrong_masks_and_spacings_are_refused(blobs):
    with pytest.raises(ShapeError, match="boolean masks"):
        convex_hull(blobs[0])
    with pytest.raises(ShapeError, match="boolean masks"):
        distance_to_background(blobs.float(), (1.0, 1.0))
    with pytest.raises(SpacingError, match="2 positive spacings"):
        distance_to_background(blobs, (1.0, 0.0))


@pytest.mark.parametrize("spacing", [(1.0, 1.0), (0.7, 2.3)])
def test_distances_to_the_outside_of_a_hull_equal_scipy(blobs, spacing):
    masks = torch.nn.functional.pad(blobs, (1, 1, 1, 1))
    hull = convex_hull(masks)
    number, row, column = torch.ones_like(hull).nonzero(as_tuple=True)
    distance = distance_to_outside(*hull_ends(masks), number, row, column, spacing).view(hull.shape)
    for mask, found in zip(hull, distance, strict=True):
        expected = ndimage.distance_transform_edt(mask.numpy(), sampling=spacing)
        np.testing.assert_allclose(found, expected, rtol=1e-5)
