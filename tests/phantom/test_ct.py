from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest
import torch
from scipy import ndimage
from whole_hearts import GRID, painting, voxels

from monai_cardiacgen.anatomy.schemes import (
    ASCENDING_AORTA,
    LEFT_ATRIUM,
    LV_CAVITY,
    MYOCARDIUM,
    PULMONARY_ARTERY,
    RIGHT_ATRIUM,
    RV_CAVITY,
)
from monai_cardiacgen.phantom.ct import ct_image, draw_ct_scan
from monai_cardiacgen.seeding import seeded

SCAN = replace(draw_ct_scan(seeded(7)), circle=False, noise=25.0, hardening=0.05)


@lru_cache(maxsize=4)
def image(noise: float = 25.0, hardening: float = 0.05, seed: int = 1) -> torch.Tensor:
    return ct_image(painting("NOR"), replace(SCAN, noise=noise, hardening=hardening), seeded(seed))


def inside(structure: str, depth: int = 1) -> torch.Tensor:
    return torch.from_numpy(ndimage.binary_erosion(voxels("NOR", structure).numpy(), iterations=depth))


def test_structures_have_their_hounsfield_units():
    hu = {structure: float(image()[inside(structure)].mean()) for structure in (LEFT_ATRIUM, ASCENDING_AORTA)}
    for value in hu.values():
        assert value == pytest.approx(SCAN.left, rel=0.06)
    assert float(image()[inside(LV_CAVITY, 2)].mean()) == pytest.approx(SCAN.left, rel=0.12)  # papillary muscles
    assert float(image()[inside(PULMONARY_ARTERY)].mean()) == pytest.approx(SCAN.pulmonary, rel=0.08)
    assert float(image()[inside(RV_CAVITY)].mean()) == pytest.approx(SCAN.right, rel=0.2)
    assert 70 < float(image()[inside(MYOCARDIUM)].mean()) < 140


def test_contrast_mixes_in_the_right_atrium():
    atrium = inside(RIGHT_ATRIUM)
    height = painting("NOR").points[2][atrium]
    values = image()[atrium]
    upper, lower = values[height > height.quantile(0.8)], values[height < height.quantile(0.2)]
    assert float(upper.mean()) > float(lower.mean()) + 30


def test_lung_fat_and_bone_have_theirs():
    points = painting("NOR").points
    values = image()
    lung = painting("NOR").surface("lung") < -12
    assert -920 < float(values[lung & (points[0].abs() > 70)].quantile(0.5)) < -780
    bone = values[painting("NOR").surface("disc") > 8][values[painting("NOR").surface("disc") > 8] > 400]
    assert len(bone) > 300


def test_stored_numbers_are_whole_hounsfield_units():
    assert float(image().min()) >= -1024
    assert float(image().max()) <= 3071
    torch.testing.assert_close(image(), image().round())


def test_noise_has_its_size_and_filtered_back_projections_texture():
    difference = image(seed=1, hardening=0.0) - image(noise=0.001, seed=1, hardening=0.0)
    middle = tuple(slice(side // 4, -(side // 4)) for side in GRID.size)
    assert float(difference[middle].std()) == pytest.approx(25.0, rel=0.05)
    power = np.abs(np.fft.fft2(difference[middle].numpy(), axes=(0, 1))) ** 2
    power = power.mean(2)
    x, y = (np.fft.fftfreq(side) for side in power.shape)
    frequency = np.hypot(x[:, None], y[None, :])
    low, mid = (power[(frequency > a) & (frequency < b)].mean() for a, b in ((0.01, 0.05), (0.15, 0.3)))
    assert mid > 1.15 * low  # white noise has 1.00 to 0.03


def test_beam_hardening_darkens_and_streaks():
    streaks = (image(noise=0.001, hardening=0.1) - image(noise=0.001, hardening=0.0)).numpy()
    dense = image(noise=0.001, hardening=0.0).numpy() > 300
    assert streaks[dense].mean() < -3
    assert streaks[~dense].std() > 1


def test_the_circle_leaves_corners_empty():
    values = ct_image(painting("NOR"), replace(SCAN, circle=True), seeded(1))
    assert bool((values[0, 0] == -1024).all())
    assert float(values[44, 44].mean()) > -1000


def test_seeds_repeat():
    again = ct_image(painting("NOR"), replace(SCAN, noise=25.0, hardening=0.05), seeded(1))
    torch.testing.assert_close(again, image(), atol=0, rtol=0)
    assert draw_ct_scan(seeded(7)) == draw_ct_scan(seeded(7)) != draw_ct_scan(seeded(8))
