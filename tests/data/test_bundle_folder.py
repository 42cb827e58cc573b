"""A bundle's folder, zip file or name."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

import pytest
import torch

from monai_cardiacgen.data.bundle_folder import bundle_folder
from monai_cardiacgen.errors import CheckpointError


@pytest.fixture
def bundle(tmp_path) -> Path:
    root = tmp_path / "here" / "heart"
    for name in ("configs/metadata.json", "configs/synthesizer.json", "models/model.pt", "docs/README.md"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)
    return root


def found(source) -> dict[str, str]:
    with bundle_folder(source) as folder:
        return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*.*")}


def test_a_folder_is_itself(bundle):
    with bundle_folder(str(bundle)) as folder:
        assert folder == bundle


@pytest.mark.parametrize("with_name", [True, False])
def test_a_zip_gives_json_and_weights_and_leaves_nothing(bundle, tmp_path, with_name):
    root = (bundle.parent, "heart") if with_name else (bundle, ".")
    packed = shutil.make_archive(str(tmp_path / "packed"), "zip", *root)
    names = ("configs/metadata.json", "configs/synthesizer.json", "models/model.pt")
    assert found(packed) == {name: name for name in names}
    with bundle_folder(packed) as folder:
        pass
    assert not folder.exists()


def test_a_name_is_looked_up_where_monai_downloads_to(bundle, tmp_path, monkeypatch):
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "hub"))
    shutil.copytree(bundle, tmp_path / "hub" / "bundle" / "heart")
    monkeypatch.chdir(tmp_path)
    assert found("heart")["models/model.pt"] == "models/model.pt"
    monkeypatch.chdir(bundle.parent)  # what lies here comes first
    with bundle_folder("heart") as folder:
        assert folder == Path("heart")


def test_what_is_nowhere_is_left_to_its_reader(tmp_path):
    with bundle_folder(tmp_path / "nothing") as folder:
        assert folder == tmp_path / "nothing"


def test_other_files_are_refused(tmp_path, bundle):
    (tmp_path / "no.zip").write_text("no zip")
    with pytest.raises(CheckpointError, match="zip file of one bundle"), bundle_folder(tmp_path / "no.zip"):
        pass
    with zipfile.ZipFile(tmp_path / "two.zip", "w") as archive:
        for name in ("a", "b"):
            archive.writestr(f"{name}/configs/metadata.json", "{}")
    with pytest.raises(CheckpointError, match="2 of them"), bundle_folder(tmp_path / "two.zip"):
        pass


def test_a_zip_cannot_write_outside(tmp_path):
    with zipfile.ZipFile(tmp_path / "evil.zip", "w") as archive:
        archive.writestr("configs/metadata.json", "{}")
        archive.writestr("../configs/evil.json", "{}")
        archive.writestr("/configs/evil.json", "{}")
    assert found(tmp_path / "evil.zip") == {"configs/metadata.json": "{}"}
    assert not list(tmp_path.rglob("evil.json"))
