"""The tracked vessel lies where it was drawn: a bent, narrowing tube beside a second one, and a phantom's aorta."""

from __future__ import annotations

import numpy as np
import pytest

from monai_cardiacgen.data.vessel_tracking import VesselTracker
from monai_cardiacgen.errors import InputError, IntensityError, ShapeError, SpacingError
from monai_cardiacgen.phantom import axial_grid, draw_whole_heart_mr_scan, whole_heart_mr_image, whole_heart_phantom
from monai_cardiacgen.seeding import seeded

SPACING = (1.0, 1.2, 1.5)
SEED = (58, 50, 5)


def tube(noise: float, slices: int = 16) -> tuple[np.ndarray, np.ndarray]:
    """A tube of 11 mm radius (H, W, D), and its centre in mm along H and W and its radius in mm, by slice."""
    rows, columns = np.mgrid[:120, :110] * np.array(SPACING[:2])[:, None, None]
    height = np.arange(slices) * SPACING[2]
    truth = np.stack((60 + 8 * np.sin(height / 10), 60 + 0.15 * height, 11 - 0.06 * height), axis=1)
    volume = np.empty((120, 110, slices))
    for number, (row, column, radius) in enumerate(truth):
        beside = np.hypot(rows - row + 22, columns - column)
        volume[..., number] = np.clip(radius - np.hypot(rows - row, columns - column) + 0.5, 0, 1)
        volume[..., number] += 0.4 * np.clip(8 - beside + 0.5, 0, 1)
    return volume + noise * np.random.default_rng(0).standard_normal(volume.shape), truth


@pytest.mark.parametrize("noise", [0.0, 0.2, 0.4])
def test_a_bent_tube_in_noise_is_found_to_a_millimetre(noise):
    volume, truth = tube(noise)
    circles = VesselTracker().track(volume, SPACING, SEED)
    assert [circle.slice for circle in circles] == list(range(volume.shape[2]))
    centres = np.array([circle.centre for circle in circles]) * SPACING[:2]
    apart = np.linalg.norm(centres - truth[:, :2], axis=1)
    wider = np.array([circle.radius for circle in circles]) - truth[:, 2]
    assert apart.mean() < 0.4
    assert apart.max() < 1
    assert np.abs(wider).max() < 0.75


def test_a_dark_vessel_is_found_in_the_inverted_image_and_only_when_asked_for():
    volume, _ = tube(0.1, slices=6)
    bright = VesselTracker().track(volume, SPACING, SEED)
    assert VesselTracker(vessel="dark").track(-volume, SPACING, SEED) == bright
    with pytest.raises(InputError, match="move the seed"):
        VesselTracker(vessel="dark").track(volume, SPACING, SEED)


def test_scale_and_offset_of_the_intensities_do_not_matter():
    volume, _ = tube(0.1, slices=4)
    expected = VesselTracker().track(volume, SPACING, (58, 50, 1))
    for circle, same in zip(VesselTracker().track(700 * volume - 90, SPACING, (58, 50, 1)), expected, strict=True):
        assert circle.centre == pytest.approx(same.centre, abs=0.05)
        assert circle.radius == pytest.approx(same.radius, abs=0.05)


def test_slices_without_the_vessel_are_bridged_up_to_the_limit():
    volume, _ = tube(0.05)
    volume[..., 8:10] = 0
    found = [circle.slice for circle in VesselTracker(misses=2).track(volume, SPACING, SEED)]
    assert found == [*range(8), *range(10, 16)]
    assert [c.slice for c in VesselTracker(misses=1).track(volume, SPACING, SEED)] == list(range(8))


def test_the_descending_aorta_of_a_whole_heart_phantom_is_followed():
    _, patient = whole_heart_phantom(0, 1)
    grid = axial_grid((96, 96, 12), (2.0, 2.0, 2.0), (-10.0, -35.0, -4.0))
    generator = seeded(3)
    image = whole_heart_mr_image(patient.on(grid), draw_whole_heart_mr_scan(generator), generator).numpy()
    truth = patient.descending_aorta_in_slices(grid).double().numpy()
    seed = (truth[6, 0] + 2, truth[6, 1] - 1, 6)
    circles = VesselTracker().track(image, grid.spacing, seed)
    assert len(circles) == 12
    apart = [np.hypot(*(2 * (np.array(circle.centre) - truth[circle.slice, :2]))) for circle in circles]
    wider = [circle.radius - truth[circle.slice, 2] for circle in circles]
    assert max(apart) < 2  # mm, one voxel
    assert np.abs(wider).max() < 2


def test_mere_noise_holds_no_vessel():
    noise = np.random.default_rng(5).standard_normal((90, 90, 1))
    for row in range(25, 70, 9):
        with pytest.raises(InputError, match="move the seed into the vessel"):
            VesselTracker().track(noise, (1.0, 1.0, 1.0), (row, 45, 0))


def test_what_cannot_be_tracked_is_refused_in_one_sentence():
    volume, _ = tube(0.0, slices=4)
    tracker = VesselTracker()
    with pytest.raises(ShapeError, match=r"\(H, W, D\)"):
        tracker.track(volume[..., 0], SPACING, SEED)
    for seed in ((58, 50, 4), (-1, 50, 1), (58, 200, 1), (58, 50)):
        with pytest.raises(InputError, match="seed within the volume"):
            tracker.track(volume, SPACING, seed)
    with pytest.raises(InputError, match="move the seed into the vessel"):
        tracker.track(volume, SPACING, (100, 20, 1))
    with pytest.raises(SpacingError, match="3 positive spacings"):
        tracker.track(volume, (1.0, 1.0), (58, 50, 1))
    volume[0, 0, 0] = np.nan
    with pytest.raises(IntensityError, match="finite volume"):
        tracker.track(volume, SPACING, (58, 50, 1))


@pytest.mark.parametrize(
    "limits", [{"radii": (9.0, 6.0)}, {"least_score": 0.0}, {"misses": -1}, {"vessel": "grey"}, {"shift": -1.0}]
)
def test_impossible_limits_are_refused(limits):
    with pytest.raises(InputError, match="Expected"):
        VesselTracker(**limits)


def test_the_strongest_circle_is_given_whether_or_not_it_is_clear():
    volume, truth = tube(0.1, slices=1)
    near = truth[0, :2] / SPACING[:2]
    tracker = VesselTracker()
    circle = tracker.strongest(volume[..., 0], SPACING[:2], near + 2, reach=6)
    assert tracker.clear(circle)
    assert np.linalg.norm((np.array(circle.centre) - near) * SPACING[:2]) < 1
    assert circle.radius == pytest.approx(truth[0, 2], abs=0.75)
    noise = np.random.default_rng(1).standard_normal((80, 80))
    found = tracker.strongest(noise, (1.0, 1.0), (40, 40), reach=6)
    assert found is not None
    assert not tracker.clear(found)
    assert np.linalg.norm(np.array(found.centre) - 40) < 8
    assert tracker.strongest(np.zeros((80, 80)), (1.0, 1.0), (40, 40), reach=6) is None


def test_the_contrast_is_that_of_the_disc_to_its_ring():
    rows, columns = np.mgrid[:80, :80]
    disc = np.clip(11.5 - np.hypot(rows - 40, columns - 41), 0, 1)
    weak, strong = (
        VesselTracker().strongest(
            height * disc + 0.2 * np.random.default_rng(0).standard_normal((80, 80)), (1.0, 1.0), (40, 41), reach=3
        )
        for height in (0.5, 2.0)
    )
    assert strong.contrast > 3 * weak.contrast > 0


def test_a_circle_is_sought_in_one_finite_slice():
    with pytest.raises(ShapeError, match="one by one"):
        VesselTracker().strongest(np.zeros((8, 8, 2)), (1.0, 1.0), (4, 4), 2)
    with pytest.raises(IntensityError, match="NaN"):
        VesselTracker().strongest(np.full((8, 8), np.nan), (1.0, 1.0), (4, 4), 2)
