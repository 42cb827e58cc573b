"""Grades fall with noise and with blur, and with nothing else."""

from __future__ import annotations

import nibabel
import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from monai_cardiacgen.data.image_quality import (
    BLUR,
    CONTRAST_TO_NOISE,
    ImageQuality,
    measure_image_quality,
    select_by_grade,
)
from monai_cardiacgen.errors import DataError, InputError, IntensityError, ShapeError


def discs(seed: int) -> np.ndarray:
    """Thirty bright discs on dark ground, with a little noise, (128, 128)."""
    generator = np.random.default_rng(seed)
    rows, columns = np.mgrid[:128, :128]
    image = np.zeros((128, 128))
    for row, column, radius, value in generator.uniform((0, 0, 4, 0.3), (128, 128, 16, 1), (30, 4)):
        image[np.hypot(rows - row, columns - column) < radius] = value
    return image + 0.005 * generator.standard_normal(image.shape)


@pytest.mark.parametrize("seed", range(4))
def test_noise_lowers_the_grade_step_by_step(seed):
    image, noise = discs(seed), np.random.default_rng(9).standard_normal((128, 128))
    found = [measure_image_quality(image + level * noise) for level in (0, 0.03, 0.06, 0.12, 0.24, 0.5)]
    ratios = [quality.contrast_to_noise for quality in found]
    grades = [quality.grade for quality in found]
    assert ratios == sorted(ratios, reverse=True)
    assert grades == sorted(grades, reverse=True)
    assert grades[0] == 4
    assert grades[-1] == 1


@pytest.mark.parametrize("seed", range(4))
def test_blur_lowers_the_grade_step_by_step(seed):
    found = [measure_image_quality(gaussian_filter(discs(seed), sigma)) for sigma in (0, 1, 1.5, 2, 3, 5)]
    blurs = [quality.blur for quality in found]
    grades = [quality.grade for quality in found]
    assert blurs == sorted(blurs)
    assert grades == sorted(grades, reverse=True)
    assert grades[-1] == 1


def test_noise_does_not_make_a_blurred_image_good():
    blurred, noise = gaussian_filter(discs(0), 2.5), np.random.default_rng(9).standard_normal((128, 128))
    assert max(measure_image_quality(blurred + level * noise).grade for level in (0, 0.01, 0.02, 0.04, 0.08)) < 3


def test_the_noise_is_the_one_that_was_added():
    halves = np.zeros((200, 200))
    halves[:, 100:] = 1
    noisy = halves + 0.1 * np.random.default_rng(0).standard_normal(halves.shape)
    # The classes' means lie 1 apart, but for pixels that noise takes over the threshold (5 deviations: none).
    assert measure_image_quality(noisy).contrast_to_noise == pytest.approx(10, rel=0.08)


def test_scale_offset_and_direction_do_not_matter():
    image = discs(1)
    expected = measure_image_quality(image)
    for same in (900 * image - 70, image.T, image[::-1]):
        assert measure_image_quality(same).grade == pytest.approx(expected.grade, abs=0.02)
        assert measure_image_quality(same).blur == pytest.approx(expected.blur, abs=0.005)


def test_a_volume_has_the_median_of_its_slices_and_empty_slices_do_not_count():
    slices = [discs(seed) for seed in range(3)]
    volume = np.stack([*slices, np.zeros((128, 128))], axis=2)
    blurs = [measure_image_quality(one).blur for one in slices]
    assert measure_image_quality(volume).blur == pytest.approx(np.median(blurs))


def test_grades_are_those_of_the_stated_limits():
    for grade, ratio in zip((1, 2, 3, 4), CONTRAST_TO_NOISE, strict=True):
        assert ImageQuality(ratio, 0.0).grade == pytest.approx(grade)
    for grade, blur in zip((4, 3, 2, 1), BLUR, strict=True):
        assert ImageQuality(np.inf, blur).grade == pytest.approx(grade)


def test_what_has_no_quality_is_refused():
    with pytest.raises(ShapeError, match="16 pixels"):
        measure_image_quality(np.zeros((8, 40)))
    with pytest.raises(ShapeError, match=r"\(H, W\)"):
        measure_image_quality(np.zeros((2, 40, 40, 3)))
    with pytest.raises(IntensityError, match="contrast"):
        measure_image_quality(np.ones((40, 40)))
    image = discs(0)
    image[3, 3] = np.inf
    with pytest.raises(IntensityError, match="finite"):
        measure_image_quality(image)


def test_good_images_of_a_datalist_are_kept(tmp_path):
    images = {"sharp": discs(0), "blurred": gaussian_filter(discs(0), 3)}
    for name, image in images.items():
        nibabel.save(nibabel.Nifti1Image(image[..., None].astype(np.float32), np.eye(4)), tmp_path / f"{name}.nii.gz")
    datalist = [{"image": str(tmp_path / f"{name}.nii.gz"), "patient": name} for name in images]
    kept = select_by_grade(datalist)
    assert [item["patient"] for item in kept] == ["sharp"]
    assert kept[0]["quality_grade"] > 3
    assert len(select_by_grade(datalist, above=0)) == 2
    assert "quality_grade" not in datalist[0]


def test_bad_datalists_are_refused(tmp_path):
    with pytest.raises(InputError, match="less than 4"):
        select_by_grade([], above=4)
    with pytest.raises(DataError, match="name the image's key"):
        select_by_grade([{"label": "a.nii.gz"}])
    (tmp_path / "broken.nii.gz").write_bytes(b"no image")
    with pytest.raises(DataError, match="readable image"):
        select_by_grade([{"image": str(tmp_path / "broken.nii.gz")}])
