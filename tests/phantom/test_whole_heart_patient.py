from __future__ import annotations

import numpy as np
import pytest
import torch
from nibabel.affines import apply_affine
from whole_hearts import GRID, label, painting, patient

from monai_cardiacgen.anatomy.schemes import LV_CAVITY, MM_WHS
from monai_cardiacgen.errors import InputError
from monai_cardiacgen.phantom import WHOLE_HEART_GROUPS, axial_grid, draw_whole_heart_patient
from monai_cardiacgen.seeding import seeded


@pytest.mark.parametrize("group", WHOLE_HEART_GROUPS)
def test_the_label_has_the_seven_codes(group):
    assert label(group).dtype == torch.int16
    assert set(label(group).unique().tolist()) == set(MM_WHS.codes)


def test_a_border_voxel_shares_the_tissues_values():
    solids = painting("NOR")
    tissues = {solid.tissue for solid in solids.solids}
    values = {tissue: 0.0 for tissue in tissues} | {"air": 0.0, LV_CAVITY: 1.0}
    cavity = solids.image(values)
    assert float(cavity.min()) >= 0
    assert float(cavity.max()) == 1
    assert ((cavity > 0.02) & (cavity < 0.98)).sum() > 500
    # The shares add up to the label's volume, less that of the papillary muscles inside.
    counted = float((label("NOR") == MM_WHS.code(LV_CAVITY)).sum())
    assert 0.9 * counted < float(cavity.sum()) < counted
    everything = solids.image({tissue: 1.0 for tissue in tissues} | {"air": 1.0})
    torch.testing.assert_close(everything, torch.ones(GRID.size))


def test_the_aortas_place_in_a_slice_is_on_its_line():
    tilted = axial_grid((64, 64, 48), (4.0, 4.0, 3.6), (-10.0, -5.0, -4.0), (0.1, -0.08, 0.1))
    tube = patient("NOR").descending_aorta()
    for grid in (GRID, tilted):
        places = patient("NOR").descending_aorta_in_slices(grid)
        assert places.shape == (grid.size[2], 3)
        assert not bool(places.isnan().any())
        index = np.column_stack((places[:, :2].numpy(), np.arange(grid.size[2])))
        points = torch.from_numpy(apply_affine(grid.affine, index)).float()
        assert float(torch.cdist(points, tube.line).min(dim=1).values.max()) < 2.6  # pieces of at most 5 mm
    high = axial_grid((8, 8, 8), (4.0, 4.0, 4.0), (0.0, 0.0, 200.0))
    assert bool(patient("NOR").descending_aorta_in_slices(high).isnan().all())


def test_draws_repeat_and_differ():
    first, second, other = (draw_whole_heart_patient("NOR", seeded(seed)) for seed in (3, 3, 4))
    assert first.heart.radius == second.heart.radius != other.heart.radius
    torch.testing.assert_close(first.descending_aorta().line, second.descending_aorta().line)
    with pytest.raises(InputError, match="group"):
        draw_whole_heart_patient("none", seeded(3))
