from __future__ import annotations

import pytest
import torch

from monai_cardiacgen.errors import InputError
from monai_cardiacgen.phantom import WHOLE_HEART_GROUPS, draw_whole_heart
from monai_cardiacgen.seeding import seeded

HEARTS = [draw_whole_heart(group, seeded(seed)) for seed in range(8) for group in WHOLE_HEART_GROUPS]


def test_another_group_is_refused():
    with pytest.raises(InputError, match="'MINF'"):
        draw_whole_heart("MINF", seeded(0))


def test_the_apex_points_left_forward_and_down():
    for heart in HEARTS:
        apex = heart.place(0, 0, heart.length) - heart.base
        assert apex[0] < -40
        assert apex[1] > 25
        assert apex[2] < -15
        torch.testing.assert_close(heart.axes @ heart.axes.T, torch.eye(3), atol=2e-3, rtol=0)


def test_the_pulmonary_valve_lies_in_front_of_the_aortic_one_to_its_left_and_above():
    for heart in HEARTS:
        right, front, head = heart.pulmonary_valve[0] - heart.aortic_valve[0]
        assert right < 0
        assert front > 5
        assert head > 5


def test_great_vessels_run_where_they_should():
    for heart in HEARTS:
        aorta, trunk = heart.ascending_aorta(), heart.pulmonary_trunk()
        assert float(aorta.line[-1, 2]) > 100
        assert 20 < 2 * float(aorta.radius[len(aorta.radius) // 2]) < 42
        right, left = heart.pulmonary_branches()
        torch.testing.assert_close(right.line[0], trunk.line[-1])
        assert float(right.line[-1, 0]) > 50
        assert float(left.line[-1, 0]) < -40
        # The right branch passes behind the aorta.
        level = (aorta.line[:, 2] - heart.bifurcation[2]).abs().argmin()
        beside = (right.line[:, 0] - aorta.line[level, 0]).abs().argmin()
        assert right.line[beside, 1] < aorta.line[level, 1]


def test_veins_enter_their_atria():
    for heart in HEARTS:
        superior, inferior = heart.great_veins()
        assert superior.line[-1, 2] > 100
        assert inferior.line[-1, 2] < -100
        for tube in (superior, inferior):
            away = (tube.line[0] - heart.ra_centre) / torch.tensor(heart.ra_axes)
            assert float(away.norm()) < 1
        assert len(heart.pulmonary_veins()) == 4
        for tube in heart.pulmonary_veins():
            away = (tube.line[0] - heart.la_centre) / torch.tensor(heart.la_axes)
            assert float(away.norm()) < 1


def test_groups_differ_in_cavity_and_wall():
    normal, dilated, thick = ([heart for heart in HEARTS if heart.group == group] for group in WHOLE_HEART_GROUPS)
    assert min(heart.radius for heart in dilated) > sum(heart.radius for heart in normal) / len(normal)
    assert min(heart.wall for heart in thick) > max(heart.wall for heart in normal)
