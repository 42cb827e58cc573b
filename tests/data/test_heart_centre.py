"""Where the heart lies, without the label of the case."""

from __future__ import annotations

import nibabel as nib
import numpy as np
import pytest

from monai_cardiacgen.data.acdc import read_acdc
from monai_cardiacgen.data.heart_centre import centred_by_motion, centred_by_offset, heart_offset, moving_centre
from monai_cardiacgen.errors import DataError, InputError


def discs(radius, centre=(40, 25), size=(80, 60, 4)):
    x, y = np.ogrid[: size[0], : size[1]]
    disc = (x - centre[0]) ** 2 + (y - centre[1]) ** 2 < radius**2
    still = np.random.default_rng(0).random(size)
    return np.where(disc[..., None], 3.0, still)


def items(folder, **changes):
    listed = []
    for phase, radius in (("ED", 12), ("ES", 7)):
        paths = {key: folder / f"{phase}_{key}.nii.gz" for key in ("image", "label")}
        nib.save(nib.Nifti1Image(discs(radius).astype(np.float32), np.eye(4)), paths["image"])
        nib.save(nib.Nifti1Image((discs(radius) == 3.0).astype(np.uint8), np.eye(4)), paths["label"])
        named = {key: str(path) for key, path in paths.items()}
        listed.append({**named, "patient": "p", "phase": phase, "spacing": (1.5, 1.0, 8.0), **changes})
    return listed


def test_what_moves_is_found():
    found = moving_centre(discs(12), discs(7), (1.0, 1.0))
    np.testing.assert_allclose(found, (40, 25), atol=0.5)
    assert moving_centre(discs(9), discs(9), (1.0, 1.0)) == pytest.approx((39.5, 29.5), abs=0.1)
    assert moving_centre(np.zeros((9, 5, 1)), np.zeros((9, 5, 1)), (1.0, 1.0)) == (4, 2)


def test_both_phases_get_one_centre_and_no_label_is_read(tmp_path):
    listed = [{**item, "label": "nowhere"} for item in items(tmp_path)]
    first, second = centred_by_motion(listed)
    assert first["heart_centre"] == second["heart_centre"] == pytest.approx((40, 25), abs=0.5)
    assert "heart_centre" not in listed[0]
    assert "heart_centre" not in centred_by_motion(listed[:1])[0]


def test_a_learned_offset(tmp_path):
    listed = items(tmp_path)
    assert heart_offset(listed) == pytest.approx(((40 - 39.5) * 1.5, 25 - 29.5))
    unlabelled = [{**item, "label": "nowhere"} for item in listed]
    assert centred_by_offset(unlabelled, (1.5, -4.5))[0]["heart_centre"] == pytest.approx((40.5, 25))
    with pytest.raises(DataError, match="nowhere"):
        heart_offset(unlabelled)
    with pytest.raises(InputError, match="training items"):
        heart_offset([])


@pytest.mark.real_data
def test_real_hearts_lie_within_the_crop(acdc_folder):
    listed = [item for item in read_acdc(acdc_folder) if item["patient"] < "patient013"]
    inside = []
    for item in centred_by_motion(listed):
        heart = np.argwhere((np.asarray(nib.load(item["label"]).dataobj) > 0).any(axis=2))
        away = np.abs((heart - item["heart_centre"]) * item["spacing"][:2]).max()
        inside.append(away <= 192 / 2)
    assert np.mean(inside) >= 0.95
