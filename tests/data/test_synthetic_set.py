"""Sets that are read: as MONAI datalists, damaged, hostile."""

from __future__ import annotations

import json
import shutil

import pytest
import torch
from monai.data import DataLoader, Dataset, load_decathlon_datalist
from monai.transforms import LoadImaged
from synthetic_cases import SLICES, VOLUMES, case

from monai_cardiacgen.data.synthetic_set import SyntheticSet
from monai_cardiacgen.data.synthetic_set_writer import SyntheticSetWriter
from monai_cardiacgen.errors import DataError

LOAD = LoadImaged(("image", "label"), ensure_channel_first=True)


def write(folder, description=SLICES, count=3):
    with SyntheticSetWriter(folder, description) as writer:
        for number in range(count):
            writer.add(*case(description, number))
    return folder


def change_line(folder, line=1, **changes):
    manifest = folder / "manifest.jsonl"
    lines = [json.loads(one) for one in manifest.read_text().splitlines()]
    lines[line].update(changes)
    manifest.write_text("".join(json.dumps(one) + "\n" for one in lines))


@pytest.mark.parametrize("description", [SLICES, VOLUMES])
def test_items_load_with_monai(tmp_path, description):
    cases = SyntheticSet(write(tmp_path / "set", description))
    cases.verify()
    assert len(cases) == 3
    assert cases[-1]["patient"] == cases[1:][-1]["patient"] == "case_000002"
    loaded = LOAD(cases[2])
    image, label, _ = case(description, 2)
    torch.testing.assert_close(loaded["image"].as_tensor(), image, rtol=0, atol=0)
    torch.testing.assert_close(loaded["label"].as_tensor()[0].to(torch.int64), label, rtol=0, atol=0)
    assert loaded["image"].pixdim.tolist()[: description.spatial_dims] == pytest.approx(description.spacing)
    assert (loaded["synthetic"], loaded["seed"], loaded["mode"], loaded["phase"]) == (True, 1002, "new", "ED")
    assert (loaded["bundle"], loaded["version"]) == (description.bundle, description.version)
    assert loaded["spacing"] == description.spacing
    with pytest.raises(IndexError):
        cases[3]


def test_a_set_is_a_monai_datalist(tmp_path):
    cases = SyntheticSet(write(tmp_path / "set"))
    batch = next(iter(DataLoader(Dataset(cases, LOAD), batch_size=3)))
    assert batch["image"].shape == (3, 1, 12, 10)
    assert batch["patient"] == ["case_000000", "case_000001", "case_000002"]


@pytest.mark.parametrize("description", [SLICES, VOLUMES])
def test_the_decathlon_file_is_read_by_monai(tmp_path, description):
    folder = write(tmp_path / "set", description)
    content = json.loads((folder / "dataset.json").read_text())
    assert content["tensorImageSize"] == f"{description.spatial_dims}D"
    assert content["labels"]["0"] == "background"
    assert {int(code) for code in content["labels"]} == set(description.scheme.codes)
    assert (content["numTraining"], content["test"]) == (3, [])
    shutil.move(folder, tmp_path / "elsewhere")  # its paths are relative
    items = load_decathlon_datalist(tmp_path / "elsewhere" / "dataset.json")
    image, _, _ = case(description, 0)
    torch.testing.assert_close(LOAD(items[0])["image"].as_tensor(), image, rtol=0, atol=0)
    assert items[0].items() >= {"synthetic": True, "patient": "case_000000", "mode": "new"}.items()


def test_verify_names_every_file_that_changed(tmp_path):
    folder = write(tmp_path / "set")
    cases = SyntheticSet(folder)
    with (folder / "images" / "case_000001.nii.gz").open("ab") as file:
        file.write(b"x")
    (folder / "labels" / "case_000002.nii.gz").unlink()
    with pytest.raises(DataError, match=r"2 problem") as raised:
        cases.verify()
    assert "case_000001.nii.gz: not what was written" in str(raised.value)
    assert "case_000002.nii.gz: missing" in str(raised.value)


@pytest.mark.parametrize(
    "changes",
    [
        {"image": "/etc/passwd"},
        {"label": "../../secret.nii.gz"},
        {"image": "images/../../x.nii.gz"},
        {"image": None},
        {"label": 7},
        {"number": 0},
        {"number": "1"},
        {"number": -1},
        {"seed": None},
        {"mode": "real"},
        {"checks": 3},
        {"about": {"synthetic": False}},
        {"image_sha256": None},
    ],
)
def test_hostile_and_odd_lines_are_refused(tmp_path, changes):
    folder = write(tmp_path / "set")
    change_line(folder, **changes)
    with pytest.raises(DataError, match="Expected"):
        SyntheticSet(folder)


def test_a_link_out_of_the_set_is_refused(tmp_path):
    folder = write(tmp_path / "set")
    outside = tmp_path / "outside.nii.gz"
    (folder / "images" / "case_000001.nii.gz").rename(outside)
    (folder / "images" / "case_000001.nii.gz").symlink_to(outside)
    with pytest.raises(DataError, match="inside the synthetic set"):
        SyntheticSet(folder)


def test_a_set_behind_a_link_is_read(tmp_path):
    write(tmp_path / "set")
    (tmp_path / "link").symlink_to(tmp_path / "set")
    assert len(SyntheticSet(tmp_path / "link").decathlon()["training"]) == 3


def test_no_set_at_all(tmp_path):
    with pytest.raises(DataError, match=r"set\.json"):
        SyntheticSet(tmp_path / "nowhere")
    (tmp_path / "set.json").write_text("{}")
    with pytest.raises(DataError, match=r"set\.json"):
        SyntheticSet(tmp_path)
