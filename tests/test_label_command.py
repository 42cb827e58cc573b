"""The command `cardiacgen label`, as a user types it; the server itself is tested in `label/app/`."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from monai_cardiacgen.cli import app
from monai_cardiacgen.label import launcher

BUNDLES = Path(__file__).parents[1] / "bundles"


def run(*arguments: str):
    return CliRunner().invoke(app, ["label", *arguments], env={"COLUMNS": "200"})


@pytest.fixture
def started(monkeypatch):
    """What would have been started."""
    seen = []
    monkeypatch.setattr(launcher, "check_can_start", lambda host, port: None)
    monkeypatch.setattr(launcher, "become_server", lambda command, environment: seen.append((command, environment)))
    return seen


def test_help_has_an_example():
    assert "Example: cardiacgen label --studies data/ACDC/training" in " ".join(run("--help").output.split())


def test_it_prepares_says_and_starts(started, tmp_path):
    studies, folder = tmp_path / "studies", tmp_path / "app"
    studies.mkdir()
    bundle = str(BUNDLES / "aorta_wgan_gp")
    ended = run("--studies", str(studies), "--app", str(folder), "--bundle", bundle, "--port", "8124")
    assert ended.exit_code == 0, ended.output
    told = ended.output.splitlines()
    assert told[0].split() == ["segmentation", "no", "bundle", "with", "weights"]
    assert told[2].split() == ["inpainting", "aorta_wgan_gp"]
    assert "http://127.0.0.1:8124" in told[3]
    ((command, environment),) = started
    assert str(studies) in command
    assert environment["TMPDIR"] == str(folder / "uploads")


def test_wrong_folders_end_with_one_sentence(started, tmp_path):
    for arguments in (["--studies", str(tmp_path / "no")], ["--studies", str(tmp_path), "--bundle", str(tmp_path)]):
        ended = run(*arguments, "--app", str(tmp_path / "app"))
        assert ended.exit_code == 2
        assert ended.output.startswith("Error: Expected")
    assert not started
