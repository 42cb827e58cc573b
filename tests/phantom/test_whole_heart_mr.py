from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest
import torch
from whole_hearts import GRID, painting, patient, voxels

from monai_cardiacgen.anatomy.schemes import LEFT_ATRIUM, LV_CAVITY, MYOCARDIUM, RIGHT_ATRIUM, RV_CAVITY
from monai_cardiacgen.phantom import WHOLE_HEART_GROUPS, whole_heart_mr_image
from monai_cardiacgen.phantom.whole_heart_mr import WholeHeartMRScan, draw_whole_heart_mr_scan
from monai_cardiacgen.seeding import seeded

SCAN = replace(draw_whole_heart_mr_scan(seeded(2)), preparation=40.0, fat=0.15)


@lru_cache(maxsize=6)
def image(group: str = "NOR", scan: WholeHeartMRScan = SCAN) -> torch.Tensor:
    return whole_heart_mr_image(painting(group), scan, seeded(1))


@pytest.mark.parametrize("group", WHOLE_HEART_GROUPS)
def test_blood_is_bright_and_muscle_dark(group):
    muscle = float(image(group)[voxels(group, MYOCARDIUM)].mean())
    for structure in (LV_CAVITY, RV_CAVITY, LEFT_ATRIUM, RIGHT_ATRIUM):
        assert float(image(group)[voxels(group, structure)].mean()) > 1.7 * muscle, structure


@pytest.mark.parametrize("group", WHOLE_HEART_GROUPS)
def test_the_descending_aorta_is_the_bright_tube_round_its_known_line(group):
    """In each slice the disc at the known centre is far brighter than the ring around it."""
    values = image(group).numpy()
    x, y = np.meshgrid(*(np.arange(side) * GRID.spacing[0] for side in GRID.size[:2]), indexing="ij")
    for index, (i, j, radius) in enumerate(patient(group).descending_aorta_in_slices(GRID).tolist()):
        away = np.hypot(x - i * GRID.spacing[0], y - j * GRID.spacing[1])
        disc = values[..., index][away < 0.6 * radius]
        ring = values[..., index][(away > radius + 3) & (away < radius + 7)]
        assert disc.mean() > 1.8 * np.median(ring), index


def test_t2_preparation_darkens_muscle():
    ratio = [
        float(image(scan=scan)[voxels("NOR", MYOCARDIUM)].mean() / image(scan=scan)[voxels("NOR", LV_CAVITY)].mean())
        for scan in (replace(SCAN, preparation=0.0), SCAN)
    ]
    # The factor of both tissues' relaxation in 40 ms; borders and noise bring it nearer to 1.
    expected = np.exp(-40 / 48) / np.exp(-40 / 230)
    assert expected < ratio[1] / ratio[0] < 0.5 * (1 + expected)


def test_fat_suppression_suppresses_fat():
    fat = painting("NOR").surface("skin")  # fat lies under the skin
    under = (fat < -6) & (fat > -9) & (painting("NOR").points[1] > 0)
    bright = float(image(scan=replace(SCAN, fat=1.0))[under].mean())
    assert float(image()[under].mean()) < 0.5 * bright


def test_stored_values_are_whole_and_positive_and_seeds_repeat():
    assert float(image().min()) >= 0
    assert image().shape == GRID.size
    torch.testing.assert_close(image(), image().round())
    torch.testing.assert_close(whole_heart_mr_image(painting("NOR"), SCAN, seeded(1)), image(), atol=0, rtol=0)
    assert draw_whole_heart_mr_scan(seeded(3)) == draw_whole_heart_mr_scan(seeded(3)) != SCAN
