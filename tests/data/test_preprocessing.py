"""Each dataset's preprocessing, and its way back to the file's grid."""

from __future__ import annotations

import pickle

import nibabel as nib
import numpy as np
import pytest
import torch
from conftest import REAL_DATA
from scipy import ndimage

from monai_cardiacgen.anatomy.schemes import ACDC, CAMUS, MM_WHS, SUNNYBROOK
from monai_cardiacgen.data.acdc import read_acdc
from monai_cardiacgen.data.heart_centre import centred_by_motion
from monai_cardiacgen.data.preprocessing import (
    apical_preprocessing,
    short_axis_preprocessing,
    whole_heart_ct_preprocessing,
    whole_heart_mr_preprocessing,
)
from monai_cardiacgen.data.slices import slices_of
from monai_cardiacgen.data.sunnybrook import load_sunnybrook, read_sunnybrook
from monai_cardiacgen.errors import DataError, InputError, ShapeError, SpacingError


def write(folder, scheme, size, spacing, turned=False, top=1000.0):
    """Write a smooth image and a label of blobs; return the item and both arrays."""
    rng = np.random.default_rng(0)
    image = ndimage.gaussian_filter(rng.random(size), 3)
    image = (image - image.min()) / (image.max() - image.min()) * top
    fields = np.stack([ndimage.gaussian_filter(rng.standard_normal(size), 4) for _ in scheme.codes])
    label = np.array(scheme.codes)[fields.argmax(axis=0)]
    affine = np.diag((*spacing, 1.0, 1.0)[:4] if len(size) == 3 else (*spacing, 1.0, 1.0))
    if turned:
        affine = affine[:, [1, 2, 0, 3]] @ np.diag([-1.0, 1, -1, 1])
    item = {}
    for key, content in (("image", image.astype(np.float32)), ("label", label.astype(np.int16))):
        item[key] = str(folder / f"{key}.nii.gz")
        nib.save(nib.Nifti1Image(content, affine), item[key])
    return item, image, label


def dice(found, expected, scheme):
    return [
        2 * ((found == code) & (expected == code)).sum() / ((found == code).sum() + (expected == code).sum())
        for code in scheme.codes[1:]
        if (expected == code).any()
    ]


def whole_heart_ct(scheme):
    return whole_heart_ct_preprocessing((1.2, 1.2, 1.2), (64, 64, 64), scheme=scheme)


MAKERS = {
    "short axis": (ACDC, (60, 50, 3), (1.5, 1.4, 8.0), lambda s: short_axis_preprocessing((1.0, 1.0), (96, 80), s)),
    "slice": (ACDC, (60, 50), (1.5, 1.4), lambda s: short_axis_preprocessing((1.0, 1.0), (96, 80), s)),
    "echo": (CAMUS, (60, 50), (0.3, 0.3), lambda s: apical_preprocessing((96, 96), (0.25, 0.25), s)),
    "echo, stretched": (CAMUS, (60, 50), (1.0, 1.0), lambda s: apical_preprocessing((96, 96), None, s)),
    "CT": (MM_WHS, (36, 30, 28), (1.5, 1.5, 2.0), whole_heart_ct),
    "MR": (MM_WHS, (36, 30, 28), (1.5, 1.5, 2.0), lambda s: whole_heart_mr_preprocessing((1.2,) * 3, (64,) * 3, s)),
}  # fmt: skip


@pytest.mark.parametrize("name", MAKERS)
def test_there_and_back(tmp_path, name):
    scheme, size, spacing, make = MAKERS[name]
    item, _, label = write(tmp_path, scheme, size, spacing, turned=len(size) == 3 and scheme is MM_WHS)
    soft, hard = make(scheme), make(None)
    case, codes = soft({**item, "patient": "p"}), hard(item)
    image = case["image"]
    assert image.shape[1:] == case["label"].shape[1:] == codes["label"].shape[1:]
    assert len(case["label"]) == scheme.num_classes
    assert codes["label"].dtype == torch.int64
    assert image.dtype == torch.float32
    assert 0 <= float(image.min()) < float(image.max()) <= 1
    assert case["patient"] == "p"
    back = soft.codes_on_file_grid(case["label"].as_tensor(), image, scheme)
    assert back.shape == label.shape  # the file's
    assert min(dice(back.numpy(), label, scheme)) >= 0.98
    assert set(codes["label"].unique().tolist()) <= set(scheme.codes)
    again = pickle.loads(pickle.dumps(soft))(item)  # as a worker gets it
    torch.testing.assert_close(again["image"], image)


def test_intensities(tmp_path):
    item, image, _ = write(tmp_path, CAMUS, (40, 40), (1.0, 1.0), top=255.0)
    found = apical_preprocessing((40, 40), (1.0, 1.0))(item)["image"][0].numpy()
    np.testing.assert_allclose(found, image / 255, atol=1e-5)
    item, image, _ = write(tmp_path, MM_WHS, (20, 20, 20), (1.0, 1.0, 1.0))
    found = whole_heart_ct_preprocessing((1, 1, 1), (20, 20, 20), (100.0, 500.0))(item)["image"][0].numpy()
    np.testing.assert_allclose(found, np.clip((image - 100) / 400, 0, 1), atol=1e-5)
    found = whole_heart_mr_preprocessing((1, 1, 1), (20, 20, 20))(item)["image"][0].numpy()
    low, high = np.percentile(image, [0.5, 99.5])
    np.testing.assert_allclose(found, np.clip((image - low) / (high - low), 0, 1), atol=1e-4)


def test_the_stray_code_of_mmwhs_is_corrected(tmp_path):
    item, _, label = write(tmp_path, MM_WHS, (20, 20, 20), (1.0, 1.0, 1.0))
    label[label == 420] = 421
    nib.save(nib.Nifti1Image(label.astype(np.int16), np.eye(4)), item["label"])
    found = whole_heart_ct_preprocessing((1, 1, 1), (20, 20, 20))(item)["label"]
    assert 420 in found.unique().tolist()
    assert 421 not in found.unique().tolist()


def test_without_labels_and_refusals(tmp_path):
    item, _, _ = write(tmp_path, ACDC, (40, 40, 2), (1.5, 1.5, 8.0))
    preprocessing = short_axis_preprocessing((1.5, 1.5), (32, 32))
    case = preprocessing({"image": item["image"]})
    assert set(case) == {"image"}
    with pytest.raises(ShapeError, match="last axis"):
        preprocessing.to_file_grid(torch.zeros(1, 32, 32), case["image"])
    with pytest.raises(DataError, match="nowhere"):
        preprocessing({"image": str(tmp_path / "nowhere.nii.gz")})
    with pytest.raises(SpacingError):
        short_axis_preprocessing((1.0,), (32, 32))
    with pytest.raises(SpacingError):
        whole_heart_mr_preprocessing((1.0, 0.0, 1.0), (32, 32, 32))
    with pytest.raises(InputError, match="window"):
        whole_heart_ct_preprocessing((1, 1, 1), (8, 8, 8), (5.0, 5.0))


@pytest.mark.real_data
def test_real_labels_come_back(acdc_folder):
    listed = [item for item in read_acdc(acdc_folder) if item["patient"] in ("patient001", "patient050")]
    preprocessing = short_axis_preprocessing((1.25, 1.25), (160, 160), ACDC)
    for item in centred_by_motion(listed):
        case = preprocessing(item)
        assert case["image"].shape[1:3] == (160, 160)
        assert len(slices_of({**case, "label": case["label"][:1]})) == item_slices(item)
        file = nib.load(item["label"])
        back = preprocessing.codes_on_file_grid(case["label"].as_tensor(), case["image"], ACDC)
        assert tuple(back.shape) == file.shape
        assert min(dice(back.numpy(), np.asarray(file.dataobj), ACDC)) >= 0.98


def item_slices(item):
    return nib.load(item["image"]).shape[2]


@pytest.mark.real_data
def test_real_echo_labels_come_back():
    folder = REAL_DATA / "camus" / "database_nifti" / "patient0001"
    if not folder.is_dir():
        pytest.skip("the real CAMUS cases are not on this machine")
    preprocessing = apical_preprocessing((256, 256), None, CAMUS)
    stem = folder / "patient0001_4CH_ED"
    case = preprocessing({"image": f"{stem}.nii.gz", "label": f"{stem}_gt.nii.gz"})
    label = np.asarray(nib.load(f"{stem}_gt.nii.gz").dataobj)
    back = preprocessing.codes_on_file_grid(case["label"].as_tensor(), case["image"], CAMUS)
    assert tuple(back.shape) == label.shape[:2]
    assert min(dice(back.numpy(), label.reshape(back.shape), CAMUS)) >= 0.98


@pytest.mark.real_data
def test_real_contours_come_back():
    folder = REAL_DATA / "sunnybrook"
    if not folder.is_dir():
        pytest.skip("the real Sunnybrook cases are not on this machine")
    preprocessing = short_axis_preprocessing((1.25, 1.25), (160, 160))
    loaded = load_sunnybrook(read_sunnybrook(folder)[0])
    case = preprocessing.transform(loaded, start=2)
    one_hot = SUNNYBROOK.one_hot(case["label"].as_tensor())[0]
    back = preprocessing.codes_on_file_grid(one_hot, case["image"], SUNNYBROOK)
    label = loaded["label"].as_tensor()[0]
    assert back.shape == label.shape
    assert min(dice(back.numpy(), label.numpy(), SUNNYBROOK)) >= 0.98
