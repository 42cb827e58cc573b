from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage
from whole_hearts import GRID, label, middle, millilitres, painting, patient, touching, voxels

from monai_cardiacgen.anatomy.schemes import (
    ASCENDING_AORTA,
    LEFT_ATRIUM,
    LV_CAVITY,
    MM_WHS,
    MYOCARDIUM,
    PULMONARY_ARTERY,
    RIGHT_ATRIUM,
    RV_CAVITY,
)
from monai_cardiacgen.phantom import WHOLE_HEART_GROUPS
from monai_cardiacgen.phantom.heart_solids import papillary_muscles

every_group = pytest.mark.parametrize("group", WHOLE_HEART_GROUPS)

#: Least and most mL in healthy and diseased adults: the 2.5th percentile of Kawel-Boehm et al., JCMR 2020,
#: DOI 10.1186/s12968-020-00683-3, less a tenth, to twice the 97.5th.
RANGES = {LV_CAVITY: (70, 420), RV_CAVITY: (75, 480), LEFT_ATRIUM: (35, 300), RIGHT_ATRIUM: (35, 350)}


@every_group
def test_chambers_have_the_volumes_of_adults(group):
    for structure, (low, high) in RANGES.items():
        assert low < millilitres(voxels(group, structure)) < high, structure
    assert 70 < 1.05 * millilitres(voxels(group, MYOCARDIUM)) < 260  # grams


def test_dilated_ventricles_are_larger_and_hypertrophic_walls_heavier():
    cavity = {group: millilitres(voxels(group, LV_CAVITY)) for group in WHOLE_HEART_GROUPS}
    wall = {group: millilitres(voxels(group, MYOCARDIUM)) for group in WHOLE_HEART_GROUPS}
    assert cavity["DCM"] > 1.15 * max(cavity["NOR"], cavity["HCM"])
    assert wall["HCM"] / cavity["HCM"] > 1.3 * wall["NOR"] / cavity["NOR"]
    assert wall["NOR"] / cavity["NOR"] > 1.05 * wall["DCM"] / cavity["DCM"]


@every_group
def test_what_blood_joins_touches(group):
    cell = GRID.spacing[0] ** 2
    for first, second in (
        (LV_CAVITY, LEFT_ATRIUM),
        (RV_CAVITY, RIGHT_ATRIUM),
        (LV_CAVITY, ASCENDING_AORTA),
        (RV_CAVITY, PULMONARY_ARTERY),
    ):
        assert touching(voxels(group, first), voxels(group, second)) * cell > 200, (first, second)
    assert touching(voxels(group, LV_CAVITY), voxels(group, MYOCARDIUM)) * cell > 7000


@every_group
def test_septa_part_left_from_right(group):
    left, right = voxels(group, LV_CAVITY), voxels(group, RV_CAVITY)
    for other in (RV_CAVITY, RIGHT_ATRIUM, PULMONARY_ARTERY):
        assert touching(left, voxels(group, other)) == 0, other
    assert touching(right, voxels(group, MYOCARDIUM)) > 300  # it leans on the septum


@every_group
def test_structures_are_single_and_solid(group):
    for structure in MM_WHS.names[1:]:
        mask = voxels(group, structure).numpy()
        assert ndimage.label(mask)[1] == 1, structure
        if structure != MYOCARDIUM:
            assert int((ndimage.binary_fill_holes(mask) & ~mask).sum()) == 0, structure


@every_group
def test_the_left_cavity_is_bare_only_at_its_valves(group):
    cavity = voxels(group, LV_CAVITY).numpy()
    around = ndimage.binary_dilation(cavity) & ~cavity
    assert ((label(group).numpy() == 0) & around).sum() < 0.01 * around.sum()


@every_group
def test_chambers_lie_as_in_a_chest(group):
    at = {structure: middle(voxels(group, structure)) for structure in MM_WHS.names[1:]}
    assert at[RIGHT_ATRIUM][0] > at[LEFT_ATRIUM][0] > at[LV_CAVITY][0]
    assert at[RV_CAVITY][1] > at[LV_CAVITY][1] > at[LEFT_ATRIUM][1]
    assert at[PULMONARY_ARTERY][2] > at[RV_CAVITY][2] + 40
    assert at[ASCENDING_AORTA][0] > at[PULMONARY_ARTERY][0]


@every_group
def test_the_whole_heart_lies_within_the_volume(group):
    heart = label(group).numpy() > 0
    for axis in range(3):
        assert not np.take(heart, (0, -1), axis).any()


def test_papillary_muscles_stand_in_the_cavity_and_leave_its_label():
    muscles = papillary_muscles(patient("NOR").heart, GRID, painting("NOR").points) < 0
    inside = muscles & voxels("NOR", LV_CAVITY)
    assert 1 < millilitres(muscles) < 12
    assert int(inside.sum()) > 0.7 * int(muscles.sum())
