"""Sunnybrook's slices, contours and what they leave unknown."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import REAL_DATA
from write_dicom import write_dicom
from write_sunnybrook import CENTRE, SIZE, circle, write_patient

from monai_cardiacgen.anatomy.schemes import LV_CAVITY, MYOCARDIUM, SUNNYBROOK
from monai_cardiacgen.data.sunnybrook import load_sunnybrook, read_sunnybrook
from monai_cardiacgen.errors import DataError


def test_items(tmp_path):
    write_patient(tmp_path)
    items = read_sunnybrook(tmp_path)
    assert [(item["phase"], item["slice"], item["position"]) for item in items] == [
        (phase, place, place / 2) for phase in ("ED", "ES") for place in range(3)
    ]
    contours = tmp_path / "contourfiles" / "SC-HF-I-1"
    assert items[1] == {
        "image": str(tmp_path / "dicoms" / "SCD0000101" / "40.dcm"),
        "inner_contour": str(contours / "i-contours" / "IM-0001-0040-icontour-manual.txt"),
        "outer_contour": str(contours / "o-contours" / "IM-0001-0040-ocontour-manual.txt"),
        "patient": "SC-HF-I-1",
        "group": "HF-I",
        "phase": "ED",
        "annotated": (MYOCARDIUM, LV_CAVITY),
        "spacing": (1.25, 1.5, 8.0),
        "slice": 1,
        "position": 0.5,
    }
    assert items[3]["annotated"] == (LV_CAVITY,)
    assert "outer_contour" not in items[3]


def test_label_map_lies_on_its_image(tmp_path):
    write_patient(tmp_path)
    diastole, systole = (load_sunnybrook(read_sunnybrook(tmp_path)[number]) for number in (0, 3))
    image, label = diastole["image"], diastole["label"]
    assert image.shape == label.shape == (1, SIZE, SIZE, 1)
    assert (image.dtype, label.dtype) == (torch.float32, torch.int64)
    assert image.pixdim.tolist() == label.pixdim.tolist() == pytest.approx([1.25, 1.5, 8.0])
    cavity = label == SUNNYBROOK.code(LV_CAVITY)
    disc = image.as_tensor() > 50  # the pixels whose centre the contour holds; some on its edge may differ
    assert int((cavity.as_tensor() != disc).sum()) <= 0.04 * int(disc.sum())
    wall = label == SUNNYBROOK.code(MYOCARDIUM)
    assert int(wall.sum()) == pytest.approx(np.pi * (13**2 - 9**2), rel=0.04)
    centre = torch.nonzero(cavity[0, ..., 0]).double().mean(dim=0)
    torch.testing.assert_close(centre.as_tensor(), torch.tensor(CENTRE, dtype=torch.float64), atol=0.02, rtol=0)
    assert diastole["known"].tolist() == [True, True, True]
    assert systole["known"].tolist() == [False, False, True]
    assert systole["label"].unique().tolist() == [0, SUNNYBROOK.code(LV_CAVITY)]


def test_another_patients_outer_contours_are_left_aside(tmp_path):
    write_patient(tmp_path)
    for path in (tmp_path / "contourfiles" / "SC-HF-I-1" / "o-contours").iterdir():
        path.write_text(circle(13, (CENTRE[0] + 7, CENTRE[1])))
    items = read_sunnybrook(tmp_path)
    assert all(item["annotated"] == (LV_CAVITY,) and "outer_contour" not in item for item in items)
    # Nothing but the cavity's size tells the phase then.
    assert [Path(item["image"]).stem for item in items if item["phase"] == "ED"] == ["20", "40", "60"]


def test_one_strange_outer_contour_is_enough_to_doubt_all(tmp_path):
    write_patient(tmp_path)
    one = next((tmp_path / "contourfiles" / "SC-HF-I-1" / "o-contours").iterdir())
    one.write_text(circle(9, (CENTRE[0] + 3, CENTRE[1])))
    assert all(item["annotated"] == (LV_CAVITY,) for item in read_sunnybrook(tmp_path))


def test_the_challenges_own_layout(tmp_path):
    write_patient(tmp_path / "flat", "SC-HYP-37", "SC-HYP-37")
    contours = tmp_path / "TrainingDataContours" / "SC-HYP-37" / "contours-manual" / "IRCCI-expert"
    series = tmp_path / "challenge_training" / "SC-HYP-37" / "CINESAX_300"
    for folder in (contours, series, series.parent / "CINELAX_301"):
        folder.mkdir(parents=True)
    for path in (tmp_path / "flat").rglob("*.txt"):
        path.rename(contours / path.name)
    for path in (tmp_path / "flat").rglob("*.dcm"):
        shutil.copy(path, series.parent / "CINELAX_301" / f"IM-0004-{int(path.stem):04d}.dcm")
        path.rename(series / f"IM-0003-{int(path.stem):04d}.dcm")
    shutil.rmtree(tmp_path / "flat")
    items = read_sunnybrook(tmp_path)
    assert len(items) == 6
    assert {item["group"] for item in items} == {"HYP"}
    assert Counter(len(item["annotated"]) for item in items) == {1: 3, 2: 3}
    assert all("CINESAX" in item["image"] for item in items)


def test_without_the_cycles_length_no_phase_is_made_up(tmp_path):
    write_patient(tmp_path)
    for path in (tmp_path / "dicoms").rglob("*.dcm"):
        write_dicom(path, np.zeros((SIZE, SIZE)), int(path.stem), CardiacNumberOfImages=None)
    assert all("phase" not in item for item in read_sunnybrook(tmp_path))


def test_one_error_names_every_problem(tmp_path):
    write_patient(tmp_path)
    write_patient(tmp_path, "SC-N-2", "SCD2")
    inner = tmp_path / "contourfiles" / "SC-HF-I-1" / "i-contours"
    dicoms = tmp_path / "dicoms" / "SCD0000101"
    (inner / "IM-0001-0008-icontour-manual.txt").write_text("10 10\n20 20\n")
    (inner / "IM-0001-0020-icontour-manual.txt").write_text("<html>not found</html>")
    (dicoms / "28.dcm").unlink()
    write_dicom(dicoms / "40.dcm", np.zeros((SIZE, SIZE)), 40, PixelSpacing=None)
    (inner / "IM-0001-0048-icontour-manual.txt").write_text(circle(6, (47, 20)))
    (dicoms / "60.dcm").write_bytes((dicoms / "60.dcm").read_bytes()[:-100])
    stray = tmp_path / "contourfiles" / "elsewhere"
    stray.mkdir()
    (stray / "IM-0001-0008-icontour-manual.txt").write_text(circle(6))
    with pytest.raises(DataError) as caught:
        read_sunnybrook(tmp_path)
    message = str(caught.value)
    assert "7 problem(s)" in message
    for expected in (
        "IM-0001-0008-icontour-manual.txt: expected a contour of at least 3 points, got 2",
        "IM-0001-0020-icontour-manual.txt: expected one pair 'x y' of numbers in every line",
        "IM-0001-0028-icontour-manual.txt: expected one DICOM image with the number 28, got 0",
        "40.dcm: damaged or incomplete (expected 2 numbers as PixelSpacing, got none)",
        "IM-0001-0048-icontour-manual.txt: expected points inside the image (48, 48)",
        "60.dcm: damaged",
        "elsewhere/IM-0001-0008-icontour-manual.txt: expected a folder SC-HF-I-1",
    ):
        assert expected in message
    assert "SC-N-2" not in message


def test_a_link_table_without_its_columns(tmp_path):
    write_patient(tmp_path)
    (tmp_path / "link.csv").write_text("one,two\n1,2\n")
    with pytest.raises(DataError, match="Expected a table with the columns patient_id and original_id"):
        read_sunnybrook(tmp_path)


@pytest.mark.parametrize("folder", ["", "nowhere"])
def test_a_folder_without_contours_says_what_to_pass(tmp_path, folder):
    with pytest.raises(DataError, match="pass the folder that holds both"):
        read_sunnybrook(tmp_path / folder)


@pytest.fixture(scope="module")
def real_items():
    folder = REAL_DATA / "sunnybrook"
    if not folder.is_dir():
        pytest.skip("the real Sunnybrook slices are not on this machine")
    return read_sunnybrook(folder)


@pytest.mark.real_data
def test_the_real_slices(real_items):
    assert len(real_items) == 96
    counts = Counter((item["patient"], item["phase"], len(item["annotated"])) for item in real_items)
    slices = {"SC-HF-I-1": 9, "SC-HF-I-2": 9, "SC-HF-I-4": 10, "SC-HF-I-5": 9}
    expected = {(name, *of): number for name, number in slices.items() for of in (("ED", 2), ("ES", 1))}
    # Its outer contours are, point for point in number, SC-HF-I-1's.
    assert counts == {**expected, ("SC-HF-I-6", "ED", 1): 11, ("SC-HF-I-6", "ES", 1): 11}


@pytest.mark.real_data
def test_real_cavities_are_bright_their_wall_dark_and_both_shrink_towards_the_apex(real_items):
    diastole = [item for item in real_items if item["patient"] == "SC-HF-I-4" and item["phase"] == "ED"]
    volumes = [load_sunnybrook(item) for item in (diastole[1], diastole[-1])]
    for volume in volumes:
        image, label = volume["image"].as_tensor(), volume["label"].as_tensor()
        blood, wall = (image[label == SUNNYBROOK.code(name)] for name in (LV_CAVITY, MYOCARDIUM))
        assert blood.median() > 1.5 * wall.median()
    base, apex = (int((volume["label"] == SUNNYBROOK.code(LV_CAVITY)).sum()) for volume in volumes)
    assert apex < base / 2
    assert volumes[0]["image"].pixdim.tolist() == pytest.approx([1.2891, 1.2891, 8.0], abs=1e-4)
