from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from nibabel.affines import apply_affine
from nibabel.orientations import aff2axcodes
from scipy.spatial.transform import Rotation

from monai_cardiacgen.errors import ShapeError, SpacingError
from monai_cardiacgen.phantom.volume_grid import axial_grid, rotation

GRID = axial_grid((5, 6, 7), (1.5, 2.0, 3.0), (10.0, -4.0, 2.0), (0.1, -0.2, 0.3))


def test_points_are_where_nibabel_puts_the_voxels():
    indices = np.stack(np.meshgrid(*map(np.arange, GRID.size), indexing="ij"), axis=-1)
    np.testing.assert_allclose(GRID.points().permute(1, 2, 3, 0), apply_affine(GRID.affine, indices), atol=1e-4)


def test_axes_spacing_and_middle():
    assert aff2axcodes(GRID.affine) == ("L", "P", "S")
    assert GRID.spacing == pytest.approx((1.5, 2.0, 3.0))
    np.testing.assert_allclose(apply_affine(GRID.affine, [2.0, 2.5, 3.0]), (10.0, -4.0, 2.0))


def test_rotation_is_scipys():
    angles = (0.3, -0.5, 1.1)
    np.testing.assert_allclose(rotation(angles), Rotation.from_euler("xyz", angles).as_matrix(), atol=1e-12)


def test_index_inverts_points():
    index = GRID.index(GRID.points().flatten(1).T)
    expected = torch.cartesian_prod(*(torch.arange(float(side)) for side in GRID.size))
    torch.testing.assert_close(index, expected, atol=1e-4, rtol=0)


def test_a_box_holds_all_voxels_in_reach():
    centre, reach = torch.tensor((11.0, -3.0, 0.0)), 4.0
    inside = (GRID.points() - centre.view(3, 1, 1, 1)).norm(dim=0) <= reach
    box = GRID.box(centre, reach)
    assert int(inside.sum()) == int(inside[box].sum()) > 10
    assert math.prod(part.stop - part.start for part in box) < inside.numel()
    assert inside[GRID.box(torch.tensor((500.0, 0.0, 0.0)), reach)].numel() == 0


def test_bad_sizes_and_spacings_are_refused():
    with pytest.raises(ShapeError, match="at least 2"):
        axial_grid((1, 5, 5), (1, 1, 1))
    with pytest.raises(SpacingError, match="positive"):
        axial_grid((5, 5, 5), (1, 0, 1))
