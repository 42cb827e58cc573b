"""Folders and dataset.json files of one's own, whole and broken."""

from __future__ import annotations

import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from monai_cardiacgen.data.datalist import read_decathlon, read_folder
from monai_cardiacgen.errors import DataError, InputError

SPACING = (1.5, 1.25, 8.0)


def write_volume(path: Path, shape: tuple[int, ...] = (8, 9, 3)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    voxels = np.random.default_rng(0).integers(0, 4, shape).astype(np.uint8)
    nib.save(nib.Nifti1Image(voxels, np.diag((*SPACING, 1))), path)
    return path


def write_folder(root: Path, layout: str, names: tuple[str, ...]) -> Path:
    for name in names:
        for kind in ("image", "label"):
            path = root / f"{kind}s" / f"{name}.nii.gz" if layout == "folders" else root / f"{name}_{kind}.nii.gz"
            write_volume(path)
    return root


@pytest.mark.parametrize("layout", ["folders", "suffixes"])
def test_pairs(tmp_path, layout):
    write_folder(tmp_path, layout, ("p02_apex", "p01_base"))
    write_volume(tmp_path / "images" / "._p02_apex.nii.gz") if layout == "folders" else None
    (tmp_path / "readme.txt").write_text("hearts")
    items = read_folder(tmp_path)
    assert [item["patient"] for item in items] == ["p01_base", "p02_apex"]
    image, label = (
        ("images/p01_base", "labels/p01_base") if layout == "folders" else ("p01_base_image", "p01_base_label")
    )
    assert items[0] == {
        "image": str(tmp_path / f"{image}.nii.gz"),
        "label": str(tmp_path / f"{label}.nii.gz"),
        "patient": "p01_base",
        "group": "unknown",
        "spacing": SPACING,
    }
    assert [item["patient"] for item in read_folder(tmp_path, patient=r"(p\d+)_")] == ["p01", "p02"]


@pytest.mark.parametrize("layout", ["folders", "suffixes"])
def test_one_error_names_every_problem(tmp_path, layout):
    write_folder(tmp_path, layout, ("p1", "p2", "p3", "p4", "p5"))

    def path(name: str, kind: str) -> Path:
        return tmp_path / f"{kind}s" / f"{name}.nii.gz" if layout == "folders" else tmp_path / f"{name}_{kind}.nii.gz"

    path("p1", "label").unlink()
    path("p2", "image").unlink()
    path("p3", "image").write_bytes(path("p3", "image").read_bytes()[:-30])
    write_volume(path("p4", "label"), (8, 9, 4))
    with pytest.raises(DataError) as caught:
        read_folder(tmp_path)
    message = str(caught.value)
    assert "4 problem(s)" in message
    for expected in (
        f"{path('p1', 'label')}: missing",
        f"{path('p2', 'image')}: missing",
        f"{path('p3', 'image')}: damaged",
        f"{path('p4', 'label')}: expected the image's shape (8, 9, 3), got (8, 9, 4)",
    ):
        assert expected in message
    assert "p5" not in message


def test_names_that_the_rule_does_not_match(tmp_path):
    write_folder(tmp_path, "folders", ("p1_a", "q1_a"))
    with pytest.raises(DataError, match=r"q1_a\.nii\.gz: expected a name that the patient's rule"):
        read_folder(tmp_path, patient="(p[0-9])_")
    with pytest.raises(InputError, match="put brackets round the patient"):
        read_folder(tmp_path, patient="p[0-9]_")
    with pytest.raises(InputError, match="regular expression"):
        read_folder(tmp_path, patient="(p")


@pytest.mark.parametrize("folder", ["", "nowhere", "empty"])
def test_a_folder_without_pairs_says_what_to_pass(tmp_path, folder):
    for part in ("images", "labels"):
        (tmp_path / "empty" / part).mkdir(parents=True)
    with pytest.raises(DataError, match="pass the folder that holds them"):
        read_folder(tmp_path / folder)


def write_json(root: Path, content: object) -> Path:
    path = root / "dataset.json"
    path.write_text(json.dumps(content))
    return path


def test_decathlon(tmp_path):
    for name in ("la_001", "la_002", "la_003"):
        write_volume(tmp_path / "imagesTr" / f"{name}.nii.gz")
        write_volume(tmp_path / "labelsTr" / f"{name}.nii.gz")
    pairs = [
        {"image": f"./imagesTr/{name}.nii.gz", "label": f"./labelsTr/{name}.nii.gz"} for name in ("la_002", "la_001")
    ]
    training = [{**pairs[0], "fold": 2, "patient": 7, "group": "DCM"}, pairs[1]]
    path = write_json(tmp_path, {"name": "hearts", "training": training, "test": ["./imagesTr/la_003.nii.gz"]})
    items = read_decathlon(path)
    assert [(item["patient"], item["group"], item.get("fold")) for item in items] == [
        ("7", "DCM", 2),
        ("la_001", "unknown", None),
    ]
    assert Path(items[1]["label"]).samefile(tmp_path / "labelsTr" / "la_001.nii.gz")
    assert items[1]["spacing"] == SPACING
    (test,) = read_decathlon(path, section="test", patient=r"la_(\d+)")
    assert test["patient"] == "003"
    assert "label" not in test


def test_one_error_names_every_damaged_image(tmp_path):
    write_volume(tmp_path / "a.nii.gz")
    write_volume(tmp_path / "flat.nii.gz", (8, 9, 3, 2))
    pairs = [("a", "a"), ("b", "a"), ("a", "c"), ("flat", "flat")]
    path = write_json(
        tmp_path, {"training": [{"image": f"{one}.nii.gz", "label": f"{two}.nii.gz"} for one, two in pairs]}
    )
    with pytest.raises(DataError) as caught:
        read_decathlon(path)
    message = str(caught.value)
    for expected in ("3 problem(s)", "b.nii.gz: missing", "c.nii.gz: missing", "flat.nii.gz: expected 2 or 3 axes"):
        assert expected in message


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ([], "one JSON object"),
        ({"test": []}, "Expected a list 'training' of images"),
        ({"training": []}, "Expected a list 'training' of images"),
        ({"training": {"image": "a"}}, "Expected a list 'training' of images"),
        ({"training": ["a.nii.gz"]}, "one path as image"),
        ({"training": [{"label": "a.nii.gz"}]}, "one path as image"),
        ({"training": [{"image": ["a.nii.gz", "b.nii.gz"]}]}, "one path as image"),
        ({"training": [{"image": "a.nii.gz", "label": None}]}, "at most one as label"),
    ],
)
def test_files_that_are_no_datalist(tmp_path, content, sentence):
    with pytest.raises(DataError, match=sentence):
        read_decathlon(write_json(tmp_path, content))


def test_no_file(tmp_path):
    with pytest.raises(DataError, match="could not read it"):
        read_decathlon(tmp_path / "dataset.json")
