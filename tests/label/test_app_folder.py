"""The app folder and its copies."""

from __future__ import annotations

import pytest

from monai_cardiacgen.errors import DataError
from monai_cardiacgen.label.app_folder import (
    bundles_of,
    flat_studies,
    prepare_app_folder,
    remove_half_files,
    uploads_of,
)
from monai_cardiacgen.phantom import write_acdc_phantom


@pytest.fixture
def bundle(tmp_path):
    folder = tmp_path / "given" / "one"
    for name in ("configs/metadata.json", "configs/train.json", "models/model.pt", "models/training.pt"):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return folder


@pytest.fixture(scope="module")
def patient(tmp_path_factory):
    folder = tmp_path_factory.mktemp("patients")
    write_acdc_phantom(folder, 1, 0)
    return folder


def test_bundles_are_copied_once_without_checkpoints(tmp_path, bundle):
    app = prepare_app_folder(tmp_path / "app", [bundle])
    (copy,) = bundles_of(app)
    assert {path.name for path in copy.rglob("*.*")} == {"metadata.json", "train.json", "model.pt"}
    (copy / "models" / "model.pt").write_text("trained here")
    (uploads_of(app) / "half").write_text("x")
    (bundle / "models" / "critic.pt").write_text("came later")
    prepare_app_folder(app, [bundle])
    assert (copy / "models" / "critic.pt").read_text() == "came later"
    assert (copy / "models" / "model.pt").read_text() == "trained here"
    assert not list(uploads_of(app).iterdir())
    assert "CardiacLabelApp" in (app / "main.py").read_text()


def test_what_is_no_bundle(tmp_path, bundle):
    with pytest.raises(DataError, match="metadata"):
        prepare_app_folder(tmp_path / "app", [tmp_path])
    with pytest.raises(DataError, match="different names"):
        prepare_app_folder(tmp_path / "app", [bundle, bundle])


def test_a_copy_that_fails_leaves_none(tmp_path, bundle, monkeypatch):
    def full(source, target):
        raise OSError("no room")

    monkeypatch.setattr("shutil.copyfile", full)
    with pytest.raises(OSError, match="no room"):
        prepare_app_folder(tmp_path / "app", [bundle])
    assert not [path for path in (tmp_path / "app" / "bundles").rglob("*") if path.is_file()]


def test_half_files_go_and_all_others_stay(tmp_path):
    half = [".a.nii.gz.123.part", ".a.nii.gz.123.part.nii.gz", "labels/final/.datastore_v2.json.9.part"]
    whole = ["a.nii.gz", "a.part", ".lock", "labels/final/a.nii.gz", ".hidden.part"]
    for name in half + whole:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    remove_half_files(tmp_path)
    assert sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()) == sorted(whole)


def test_flat_folders_are_served_as_they_are(tmp_path):
    assert flat_studies(tmp_path, tmp_path / "app") == tmp_path
    with pytest.raises(DataError, match="folder of studies"):
        flat_studies(tmp_path / "nowhere", tmp_path / "app")


def test_patients_become_studies_with_final_labels(tmp_path, patient):
    studies = flat_studies(patient, tmp_path)
    originals = sorted(path for path in patient.rglob("*.nii.gz") if "_gt" not in path.name)
    assert sorted(path.name for path in studies.glob("*.nii.gz")) == [path.name for path in originals]
    for path in originals:
        label = studies / "labels" / "final" / path.name
        assert label.read_bytes() == path.with_name(path.name.replace(".nii.gz", "_gt.nii.gz")).read_bytes()
        assert not (studies / path.name).is_symlink()
    label.write_bytes(b"edited")
    flat_studies(patient, tmp_path)
    assert label.read_bytes() == b"edited"


def test_one_app_folder_serves_one_folder_of_patients(tmp_path, patient):
    flat_studies(patient, tmp_path)
    other = tmp_path / "other"
    write_acdc_phantom(other, 1, 1)
    with pytest.raises(DataError, match="--app"):
        flat_studies(other, tmp_path)
