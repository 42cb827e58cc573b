"""CAMUS in both of its layouts, whole and broken."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import itk
import nibabel as nib
import numpy as np
import pytest
from conftest import REAL_DATA
from monai.transforms import LoadImage

from monai_cardiacgen.data.camus import read_camus
from monai_cardiacgen.errors import DataError

SHAPE, SPACING = (30, 24), (0.308, 0.154)
INFO = "ED: 1\nES: 18\nNbFrame: 18\nSex: F\nAge: 56\nImageQuality: {}\nEF: 54\nFrameRate: 50.4\n"


def write_patient(root: Path, number: int, ending: str = ".nii.gz", qualities: tuple[str, ...] = ()) -> Path:
    """Write a tiny patient; `.mhd` has a third axis of one pixel, as the dataset's first release."""
    folder = root / f"patient{number:04d}"
    folder.mkdir(parents=True)
    random = np.random.default_rng(number)
    for view in ("2CH", "4CH"):
        for frame in ("ED", "ES"):
            for suffix in ("", "_gt"):
                pixels = random.integers(0, 4 if suffix else 255, SHAPE).astype(np.uint8)
                path = folder / f"{folder.name}_{view}_{frame}{suffix}{ending}"
                if ending == ".mhd":
                    image = itk.image_from_array(pixels.T[None].copy())
                    image.SetSpacing((*SPACING, 1.0))
                    itk.imwrite(image, str(path))
                else:
                    nib.save(nib.Nifti1Image(pixels, np.diag((*SPACING, 1, 1))), path)
    for view, quality in zip(("2CH", "4CH"), qualities, strict=False):
        (folder / f"Info_{view}.cfg").write_text(INFO.format(quality))
    return folder


@pytest.mark.parametrize("ending", [".nii.gz", ".mhd"])
def test_items(tmp_path, ending):
    write_patient(tmp_path, 2, ending)
    write_patient(tmp_path, 1, ending, ("Good", "Poor"))
    items = read_camus(tmp_path)
    assert [(item["patient"], item["view"], item["phase"]) for item in items] == [
        (f"patient000{number}", view, phase) for number in (1, 2) for view in ("2CH", "4CH") for phase in ("ED", "ES")
    ]
    assert items[1] == {
        "image": str(tmp_path / "patient0001" / f"patient0001_2CH_ES{ending}"),
        "label": str(tmp_path / "patient0001" / f"patient0001_2CH_ES_gt{ending}"),
        "patient": "patient0001",
        "view": "2CH",
        "phase": "ES",
        "spacing": pytest.approx(SPACING),
        "group": "Poor",
        "quality": "Good",
        "ejection_fraction": 54.0,
        "age": 56.0,
        "sex": "F",
    }
    assert items[4]["group"] == "unknown"
    assert "quality" not in items[4]


def test_both_layouts_load_as_the_same_array(tmp_path):
    write_patient(tmp_path / "new", 1)
    write_patient(tmp_path / "old", 1, ".mhd")
    load = LoadImage(ensure_channel_first=True)
    for new, old in zip(read_camus(tmp_path / "new"), read_camus(tmp_path / "old"), strict=True):
        for key in ("image", "label"):
            ours, theirs = load(new[key]), load(old[key])
            assert ours.shape == (1, *SHAPE)
            assert theirs.shape == (1, *SHAPE, 1)
            np.testing.assert_array_equal(ours.numpy(), theirs[..., 0].numpy())


def test_the_older_names_of_entries(tmp_path):
    folder = write_patient(tmp_path, 1, ".mhd")
    text = "LVedv: 94.2\nLVesv: 43.3\nLVef: 54.03\nImageQuality: Medium\nAge: 61\nSex: M\n"
    (folder / "Info_4CH.cfg").write_text(text)
    items = read_camus(tmp_path)
    assert [item.get("ejection_fraction") for item in items] == [None, None, 54.03, 54.03]
    assert {item["group"] for item in items} == {"Medium"}


def test_one_error_names_every_problem(tmp_path):
    folders = [write_patient(tmp_path, number, qualities=("Good", "Good")) for number in range(1, 9)]
    names = [folder / folder.name for folder in folders]
    Path(f"{names[0]}_2CH_ES_gt.nii.gz").unlink()
    whole = Path(f"{names[1]}_4CH_ED.nii.gz")
    whole.write_bytes(whole.read_bytes()[:-60])
    nib.save(nib.Nifti1Image(np.zeros((24, 30), np.uint8), np.eye(4)), f"{names[2]}_2CH_ED_gt.nii.gz")
    (folders[3] / "Info_2CH.cfg").write_text(INFO.format("excellent"))
    (folders[4] / "Info_4CH.cfg").write_text(INFO.format("Good").replace("EF: 54", "EF: about half"))
    (folders[5] / "Info_4CH.cfg").write_bytes(b"\xff\x00\xff")
    for suffix in ("", "_gt"):
        nib.save(nib.Nifti1Image(np.zeros((24, 30, 18), np.uint8), np.eye(4)), f"{names[6]}_2CH_ED{suffix}.nii.gz")
    with pytest.raises(DataError) as caught:
        read_camus(tmp_path)
    message = str(caught.value)
    assert "7 problem(s)" in message
    for expected in (
        "patient0001_2CH_ES_gt.nii.gz: missing",
        "patient0002_4CH_ED.nii.gz: damaged",
        "patient0003_2CH_ED_gt.nii.gz: expected the image's shape (30, 24), got (24, 30)",
        "patient0004/Info_2CH.cfg: expected a line 'ImageQuality: Good', Medium or Poor, got 'Excellent'",
        "patient0005/Info_4CH.cfg: expected a number as EF, got 'about half'",
        "patient0006/Info_4CH.cfg: cannot be read",
        "patient0007_2CH_ED.nii.gz: expected one frame, got an image of shape (24, 30, 18)",
    ):
        assert expected in message
    assert "patient0008" not in message


@pytest.mark.parametrize("folder", ["", "nowhere"])
def test_a_folder_without_patients_says_what_to_pass(tmp_path, folder):
    with pytest.raises(DataError, match="pass the folder that holds the patients"):
        read_camus(tmp_path / folder)


@pytest.mark.real_data
def test_the_real_patients():
    folder = REAL_DATA / "camus" / "database_nifti"
    if not folder.is_dir():
        pytest.skip("the real CAMUS cases are not on this machine")
    items = read_camus(folder)
    assert len(items) == 1600
    assert len({item["patient"] for item in items}) == 400
    assert Counter((item["view"], item["phase"]) for item in items) == {
        (view, phase): 400 for view in ("2CH", "4CH") for phase in ("ED", "ES")
    }
    assert {(item["group"], item["spacing"]) for item in items} == {("unknown", (1.0, 1.0))}
