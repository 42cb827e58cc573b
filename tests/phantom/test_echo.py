from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy import ndimage

from monai_cardiacgen.anatomy import CAMUS, AnatomyCheck
from monai_cardiacgen.phantom.apical_heart import VIEWS
from monai_cardiacgen.phantom.apical_patient import draw_apical_heart
from monai_cardiacgen.phantom.echo import SPACING, ApicalEcho
from monai_cardiacgen.seeding import seeded

LV, MYO, LA = 1, 2, 3
PHASES = (0.0, 1.0)
SEEDS = range(6)


def echoes(seed: int) -> dict[str, ApicalEcho]:
    generator = seeded(seed)
    heart = draw_apical_heart(generator)
    return {view: ApicalEcho(heart, view, generator) for view in VIEWS}


@pytest.fixture(scope="module")
def labels() -> dict[tuple[int, str, float], np.ndarray]:
    """Return the label maps of six patients by seed, view and contraction."""
    return {
        (seed, view, contraction): echo.label(contraction).numpy()
        for seed in SEEDS
        for view, echo in echoes(seed).items()
        for contraction in PHASES
    }


@pytest.fixture(scope="module")
def images() -> list[tuple[ApicalEcho, np.ndarray, np.ndarray]]:
    """Return echo, image and label map of two patients, both views, end diastole."""
    return [(echo, *(part.numpy() for part in echo.image(0.0))) for seed in (0, 1) for echo in echoes(seed).values()]


def disks(label: np.ndarray) -> tuple[np.ndarray, float]:
    """Return 20 diameters of the cavity across its long axis and that axis's length, in mm, from a label map.

    The axis runs from the middle of the border with the atrium to the cavity's farthest pixel.
    """
    cavity = np.argwhere(label == LV) * SPACING
    valve = np.argwhere((label == LV) & ndimage.binary_dilation(label == LA, np.ones((3, 3)))) * SPACING
    base = (valve.min(0) + valve.max(0)) / 2
    apex = cavity[np.linalg.norm(cavity - base, axis=1).argmax()]
    length = float(np.linalg.norm(apex - base))
    along = (apex - base) / length
    height = (cavity - base) @ along
    return np.histogram(height, bins=20, range=(0, length))[0] * SPACING**2 / (length / 20), length


@pytest.mark.parametrize("seed", SEEDS)
def test_the_labels_have_the_ejection_fraction_asked_for(labels, seed: int):
    heart = echoes(seed)["2CH"].heart
    volume = []
    for contraction in PHASES:
        (first, long), (second, longer) = (disks(labels[seed, view, contraction]) for view in VIEWS)
        volume.append(math.pi / 4 * float((first * second).mean()) * max(long, longer) / 1000)
    assert volume[0] == pytest.approx(heart.volume, rel=0.08)
    assert 1 - volume[1] / volume[0] == pytest.approx(heart.ejection_fraction, abs=0.04)


def test_wall_and_atrium_surround_the_cavity_and_the_wall_is_open_at_the_base(labels):
    for label in labels.values():
        assert set(np.unique(label)) == {0, LV, MYO, LA}
        around = ndimage.binary_dilation(label == LV, np.ones((3, 3))) & (label != LV)
        assert (label[around] == 0).mean() < 0.02
        assert (label[around] == LA).sum() * SPACING > 15  # mm of mitral plane
        for code in (LV, MYO, LA):
            assert ndimage.label(label == code, np.ones((3, 3)))[1] == 1
        filled = ndimage.binary_fill_holes(label == MYO)
        assert (filled == (label == MYO)).all()  # an open arch encloses nothing


def test_the_atrium_lies_behind_the_valve(labels):
    for label in labels.values():
        depth = [np.argwhere(label == code)[:, 1].mean() for code in (LV, LA)]
        assert depth[1] > depth[0] + 30 / SPACING


def test_systole_shrinks_the_cavity_and_fills_the_atrium(labels):
    for seed in SEEDS:
        for view in VIEWS:
            relaxed, contracted = (labels[seed, view, contraction] for contraction in PHASES)
            assert (contracted == LV).sum() < 0.95 * (relaxed == LV).sum()
            assert (contracted == LA).sum() > (relaxed == LA).sum()


def test_nearly_all_labels_are_valid_apical_anatomy(labels):
    check = AnatomyCheck(CAMUS, view="apical")
    spacing = (3 * SPACING, 3 * SPACING)
    valid = [bool(check(torch.from_numpy(label[::3, ::3])[None], spacing).valid) for label in labels.values()]
    assert np.mean(valid) >= 0.95


def test_only_the_sector_shows_anything(images):
    for echo, image, label in images:
        x = (np.arange(image.shape[0]) - image.shape[0] // 2) * SPACING
        y = np.arange(image.shape[1]) * SPACING
        depth = np.hypot(x[:, None], y[None, :])
        angle = np.abs(np.arctan2(x[:, None], np.broadcast_to(y, depth.shape)))
        outside = (depth > echo.probe.far + 0.01) | (depth < echo.probe.near - 0.01) | (angle > echo.probe.half_angle)
        assert image.dtype == label.dtype == np.uint8
        assert (image[outside] == 0).all()
        assert (label[outside] == 0).all()
        assert (image[ndimage.binary_erosion(~outside)] > 0).all()
        assert (image > 0).mean() == pytest.approx(0.53, abs=0.07)  # a sector in its bounding box


def test_the_wall_is_brighter_than_the_blood_it_encloses(images):
    for _, image, label in images:
        blood, wall = (float(np.median(image[label == code])) for code in (LV, MYO))
        assert wall > blood + 15
        assert 15 < blood < 130
        assert wall < 200


def test_label_alone_is_the_images_label(images):
    for echo, _, label in images:
        assert (echo.label(0.0).numpy() == label).all()


def test_a_seed_repeats_the_image_and_another_differs(images):
    again, label = echoes(0)["2CH"].image(0.0)
    assert (again.numpy() == images[0][1]).all()
    assert (label.numpy() == images[0][2]).all()
    assert images[0][1].shape != images[2][1].shape or (images[0][1] != images[2][1]).any()


def test_speckle_of_the_surroundings_stays_between_the_phases():
    echo = echoes(4)["2CH"]
    relaxed, contracted = (echo.image(contraction)[0].numpy().astype(float) for contraction in PHASES)
    still = (relaxed > 0) & (echo.label(0.0).numpy() == 0) & (echo.label(1.0).numpy() == 0)
    fine = [image - ndimage.gaussian_filter(image, 8) for image in (relaxed, contracted)]
    assert np.corrcoef(fine[0][still], fine[1][still])[0, 1] > 0.5
    blood = ndimage.binary_erosion((echo.label(0.0).numpy() == LV) & (echo.label(1.0).numpy() == LV), iterations=10)
    assert abs(np.corrcoef(fine[0][blood], fine[1][blood])[0, 1]) < 0.35
