from __future__ import annotations

import pytest
import torch
from whole_hearts import GRID, label, middle, painting, patient

from monai_cardiacgen.phantom import WHOLE_HEART_GROUPS
from monai_cardiacgen.phantom.thorax import draw_thorax
from monai_cardiacgen.seeding import seeded

every_group = pytest.mark.parametrize("group", WHOLE_HEART_GROUPS)


def visible(group: str, tissue: str) -> torch.Tensor:
    """Where no other solid covers a tissue."""
    solids = painting(group).solids
    last = torch.full(GRID.size, -1)
    for number, solid in enumerate(solids):
        last[solid.surface < 0] = number
    numbers = torch.tensor([number for number, solid in enumerate(solids) if solid.tissue == tissue])
    return torch.isin(last, numbers)


@every_group
def test_the_descending_aorta_runs_down_left_of_the_spine(group):
    one = patient(group)
    tube = one.descending_aorta()
    down = tube.line[:, 2] < 60
    assert bool((tube.line[down, 2].diff() < 0).all())
    assert bool((tube.line[down & (tube.line[:, 2] > -50), 0] < -12).all())
    assert 2 * float(tube.radius[down].min()) >= 20
    assert 2 * float(tube.radius[down].max()) <= 30
    away = tube.line[down] - torch.tensor((0.0, one.thorax.spine, 0.0))
    assert float(torch.hypot(away[:, 0] / 1.25, away[:, 1]).min()) > 14.5  # outside the vertebral bodies


@every_group
def test_the_descending_aorta_meets_the_arch(group):
    one = patient(group)
    arch, down = one.heart.ascending_aorta(), one.descending_aorta()
    assert float(torch.cdist(arch.line[-1:], down.line).min()) < 5
    assert float(arch.line[-1, 1]) > float(down.line[-1, 1])


@every_group
def test_nothing_covers_the_descending_aorta(group):
    tube = patient(group).descending_aorta().surface(GRID, painting(group).points) < 0
    seen = visible(group, "descending aorta")
    below_arch = painting(group).points[2] < 60
    assert int((tube & below_arch & ~seen).sum()) == 0


@every_group
def test_organs_lie_where_they_should(group):
    assert middle(visible(group, "liver"))[0] > 10
    assert middle(visible(group, "spleen"))[0] < -50
    spine = middle(visible(group, "disc"))
    assert spine[1] < middle(label(group) > 0)[1] - 50
    assert abs(float(spine[0])) < 5
    lung = visible(group, "lung")
    assert float(lung.sum()) > 0.2 * lung.numel()


def test_the_chest_fits_the_heart_and_repeats():
    heart = patient("DCM").heart
    first, second = (draw_thorax(heart, seeded(4)) for _ in range(2))
    torch.testing.assert_close(first.branches[0], second.branches[0])
    assert (first.front, first.fat, first.descending) == (second.front, second.fat, second.descending)
    other = draw_thorax(heart, seeded(5))
    assert other.fat != first.fat
    assert other.back == first.back  # the heart's
