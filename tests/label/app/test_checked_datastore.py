"""The folder of studies, with another process at work in it, and started again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("monailabel", reason="MONAI Label is in an environment of its own: make test-label")

import nibabel as nib

from monai_cardiacgen.anatomy import ACDC
from monai_cardiacgen.errors import InputError
from monai_cardiacgen.label.app.checked_datastore import CheckedDatastore
from monai_cardiacgen.label.volumes import read_volume, write_volume

SHAPE = (4, 3, 2)


def nifti(path: Path, values: np.ndarray) -> str:
    nib.save(nib.Nifti1Image(values.astype(np.uint8), np.eye(4)), path)
    return str(path)


@pytest.fixture
def folder(tmp_path):
    studies = tmp_path / "studies"
    studies.mkdir()
    for name in ("a", "b"):
        nifti(studies / f"{name}.nii.gz", np.arange(24).reshape(SHAPE))
    return studies


@pytest.fixture
def label(tmp_path):
    return nifti(tmp_path / "label.nii.gz", np.arange(24).reshape(SHAPE) % 4)


def test_what_another_process_labels_is_seen_and_nothing_is_lost(folder, label):
    ours = CheckedDatastore(str(folder), ACDC)
    theirs = CheckedDatastore(str(folder), ACDC)
    ours.save_label("a", label, "final", {"by": "us"})
    ours.update_image_info("a", {"note": "ours"})
    theirs.save_label("b", label, "original", {"by": "them"})  # which never heard of our label
    assert ours.stored_label("b", ("original",)) is None
    ours.take_in()
    assert ours.stored_label("a", ("final",)) is not None
    assert ours.stored_label("b", ("original",)) is not None
    assert ours.get_image_info("a")["note"] == "ours"
    again = CheckedDatastore(str(folder), ACDC)
    assert again.get_image_info("a")["note"] == "ours"
    assert again.status()["label_tags"] == {"final": 1, "original": 1}


def test_a_label_replaces_one_of_the_other_ending(folder, label, tmp_path):
    store = CheckedDatastore(str(folder), ACDC)
    store.save_label("a", label, "final", {})
    newer = nifti(tmp_path / "newer.nii", np.ones(SHAPE))
    store.save_label("a", newer, "final", {})
    (folder / "datastore_v2.json").unlink()  # so that a new start knows the files alone
    again = CheckedDatastore(str(folder), ACDC)
    np.testing.assert_array_equal(nib.load(again.stored_label("a", ("final",))).get_fdata(), np.ones(SHAPE))


def test_a_synthetic_study_is_told_without_its_info(folder):
    write_volume(folder / "c.nii.gz", read_volume(folder / "a.nii.gz"), synthetic=True)
    store = CheckedDatastore(str(folder), ACDC)
    assert [study for study in ("a", "b", "c") if store.is_synthetic(study)] == ["c"]


def test_a_taken_name_is_refused(folder, label):
    store = CheckedDatastore(str(folder), ACDC)
    with pytest.raises(InputError, match="a study already"):
        store.add_image("a", label, {})
