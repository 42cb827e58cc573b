"""The command `cardiacgen doctor`."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
from typer.testing import CliRunner

from monai_cardiacgen import cli, doctor_command
from monai_cardiacgen.doctor_command import find_devices, find_packages, find_room


class Usage(NamedTuple):
    free: float


def test_a_machine_on_which_the_tests_run_is_well(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(cli.app, ["doctor"])
    assert result.exit_code == 0, result.output
    assert "All is well." in result.output
    assert torch.__version__.split("+")[0] in result.output


def test_a_missing_and_an_old_package_are_told_with_what_to_type(monkeypatch: pytest.MonkeyPatch) -> None:
    def installed(name: str) -> str:
        if name == "h5py":
            raise PackageNotFoundError(name)
        return "1.0.0" if name == "itk" else version(name)

    monkeypatch.setattr(doctor_command, "version", installed)
    ill = {one.what: one for one in find_packages() if one.remedy}
    assert set(ill) == {"h5py", "itk"}
    assert ill["h5py"].found == "missing"
    assert ill["h5py"].remedy == 'pip install "h5py>=3.10"'
    assert ill["itk"].found == "1.0.0"
    assert ">=5.3" in ill["itk"].remedy


def test_extras_are_not_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    def installed(name: str) -> str:
        if name == "umap-learn":
            raise PackageNotFoundError(name)
        return version(name)

    monkeypatch.setattr(doctor_command, "version", installed)
    assert "umap-learn" not in {one.what for one in find_packages()}


def test_each_gpu_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    class Properties:
        total_memory = 80 * 2**30

    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda number: f"a fine one, {number}")
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda number: Properties())
    found = {one.what: one.found for one in find_devices()}
    assert found["GPU 1"] == "a fine one, 1, 80 GiB"
    assert "GPU" not in found


@pytest.mark.parametrize(("tiles", "words"), [(True, "bfloat16 is used"), (False, "no AMX")])
def test_bfloat16_is_told_where_it_pays(monkeypatch: pytest.MonkeyPatch, tiles: bool, words: str) -> None:
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: tiles)
    assert words in next(one.found for one in find_devices() if one.what == "vector units")


def test_a_full_disk_and_a_folder_that_cannot_be_written(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert find_room(tmp_path).remedy == ""
    monkeypatch.setattr(doctor_command.shutil, "disk_usage", lambda folder: Usage(0.5 * 2**30))
    assert "free at least 2 GiB" in find_room(tmp_path).remedy

    def no(*_: Any) -> bool:
        return False

    monkeypatch.setattr(doctor_command.os, "access", no)
    assert "--out" in find_room(tmp_path).remedy
