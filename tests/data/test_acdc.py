from __future__ import annotations

from collections import Counter
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from monai_cardiacgen.data.acdc import read_acdc
from monai_cardiacgen.errors import DataError


def write_patient(root: Path, number: int, group: str = "NOR") -> Path:
    """Write a tiny patient as the challenge does: the affine says 1 mm, the voxel sizes are right."""
    folder = root / f"patient{number:03d}"
    folder.mkdir(parents=True)
    (folder / "Info.cfg").write_text(f"ED: 1\nES: 9\nGroup: {group}\nHeight: 170.0\nNbFrame: 25\nWeight: 70.0\n")
    random = np.random.default_rng(number)
    for frame in (1, 9):
        for suffix in ("", "_gt"):
            voxels = random.integers(0, 4 if suffix else 255, (20, 24, 3)).astype(np.uint8)
            volume = nib.Nifti1Image(voxels, np.diag((-1.0, -1.0, 1.0, 1.0)))
            volume.header.set_zooms((1.5, 1.5, 10.0))
            volume.header["sform_code"], volume.header["qform_code"] = 2, 0
            nib.save(volume, folder / f"{folder.name}_frame{frame:02d}{suffix}.nii.gz")
    return folder


def test_items_name_files_patient_phase_group_and_true_spacing(tmp_path: Path):
    write_patient(tmp_path, 2, "DCM")
    write_patient(tmp_path, 1, "RV")
    (tmp_path / "MANDATORY_CITATION.md").write_text("cite")
    items = read_acdc(tmp_path)
    assert [(item["patient"], item["phase"], item["group"]) for item in items] == [
        ("patient001", "ED", "RV"),
        ("patient001", "ES", "RV"),
        ("patient002", "ED", "DCM"),
        ("patient002", "ES", "DCM"),
    ]
    assert items[1] == {
        "image": str(tmp_path / "patient001" / "patient001_frame09.nii.gz"),
        "label": str(tmp_path / "patient001" / "patient001_frame09_gt.nii.gz"),
        "patient": "patient001",
        "phase": "ES",
        "group": "RV",
        "spacing": (1.5, 1.5, 10.0),
    }


def test_one_error_names_every_problem(tmp_path: Path):
    folders = [write_patient(tmp_path, number) for number in range(1, 9)]
    (folders[0] / "Info.cfg").unlink()
    (folders[1] / "Info.cfg").write_text("ED: one\nES: 9\nGroup: NOR\n")
    (folders[2] / "patient003_frame09_gt.nii.gz").unlink()
    whole = folders[3] / "patient004_frame01.nii.gz"
    whole.write_bytes(whole.read_bytes()[:-100])
    (folders[4] / "patient005_frame01.nii.gz").write_bytes(b"no image")
    small = nib.Nifti1Image(np.zeros((20, 24, 2), np.uint8), np.eye(4))
    nib.save(small, folders[5] / "patient006_frame01_gt.nii.gz")
    (folders[6] / "Info.cfg").write_text("ED: 1\nES: 9\n")
    with pytest.raises(DataError) as caught:
        read_acdc(tmp_path)
    message = str(caught.value)
    assert "7 problem(s)" in message
    for expected in (
        r"patient001/Info.cfg: missing",
        r"patient002/Info.cfg: expected a line 'ED: <frame number>', got 'one'",
        r"patient003_frame09_gt.nii.gz: missing",
        r"patient004_frame01.nii.gz: damaged",
        r"patient005_frame01.nii.gz: damaged",
        r"patient006_frame01_gt.nii.gz: expected the image's shape (20, 24, 3), got (20, 24, 2)",
        r"patient007/Info.cfg: expected a line 'Group: <pathology>'",
    ):
        assert expected in message
    assert "patient008" not in message


@pytest.mark.parametrize("kept", [0, 10, 300])
def test_short_files_are_damaged(tmp_path: Path, kept: int):
    path = write_patient(tmp_path, 1) / "patient001_frame09_gt.nii.gz"
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(DataError, match=r"patient001_frame09_gt\.nii\.gz: damaged"):
        read_acdc(tmp_path)


def test_a_file_of_several_gzip_parts_is_whole(tmp_path: Path):
    import gzip

    path = write_patient(tmp_path, 1) / "patient001_frame01.nii.gz"
    raw = gzip.decompress(path.read_bytes())
    path.write_bytes(gzip.compress(raw[:500]) + gzip.compress(raw[500:]) + gzip.compress(b""))
    assert len(read_acdc(tmp_path)) == 2


def test_a_volume_with_a_time_axis_is_refused(tmp_path: Path):
    path = write_patient(tmp_path, 1)
    for suffix in ("", "_gt"):
        volume = nib.Nifti1Image(np.zeros((8, 8, 2, 3), np.uint8), np.eye(4))
        nib.save(volume, path / f"patient001_frame01{suffix}.nii.gz")
    with pytest.raises(DataError, match="expected 3 axes"):
        read_acdc(tmp_path)


@pytest.mark.parametrize("folder", ["", "nowhere"])
def test_a_folder_without_patients_says_what_to_pass(tmp_path: Path, folder: str):
    with pytest.raises(DataError, match="pass the folder that the challenge's archive unpacks to"):
        read_acdc(tmp_path / folder)


@pytest.mark.real_data
def test_the_real_training_patients(acdc_folder: Path):
    items = read_acdc(acdc_folder)
    assert len(items) == 200
    patients = {item["patient"]: item["group"] for item in items}
    assert len(patients) == 100
    assert Counter(patients.values()) == dict.fromkeys(("DCM", "HCM", "MINF", "NOR", "RV"), 20)
    assert sum(nib.load(item["label"]).shape[2] for item in items) == 1902
    assert items[0]["spacing"] == (1.5625, 1.5625, 10.0)
    assert all(0.7 < item["spacing"][0] < 2 and item["spacing"][2] >= 5 for item in items)
