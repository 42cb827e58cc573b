"""The command `cardiacgen study`."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from monai_cardiacgen import cli
from monai_cardiacgen.studies.augmentation_study import study, study_page, study_pictures
from monai_cardiacgen.studies.augmentation_study.study_settings import StudySettings


def invoke(*arguments):
    return CliRunner().invoke(cli.app, ["study", *map(str, arguments)])


def test_help_has_an_example_and_the_presets():
    text = invoke("--help").output
    assert "Example: cardiacgen study" in text
    for preset in ("quick", "few", "paper1", "echo", "paper3"):
        assert preset in text


def test_arguments_become_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    called = []

    def run(settings, out, **more):
        more["progress"](1, 2)
        called.append((settings, out, more["workers"]))

    monkeypatch.setattr(study, "run_study", run)
    monkeypatch.setattr(study_pictures, "worst_slices", lambda settings, out: ["a slice"])
    monkeypatch.setattr(study_page, "write_study_page", lambda out, pictures: out / f"{len(pictures)}.html")
    arguments = ("--amount", 10, "--amount", 3, "--seed", 4, "--arm", "ordinary", "--network", "enet", "--workers", 1)
    result = invoke(tmp_path, *arguments, "--out", tmp_path / "out")
    assert result.exit_code == 0, result.output
    expected = StudySettings(str(tmp_path), amounts=(3, 10), seeds=(4,), arms=("ordinary",), networks=("enet",))
    assert called == [(expected, tmp_path / "out", 1)]
    assert "1.html" in result.output.replace("\n", "")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [(("nowhere",), "nowhere"), (("nowhere", "--arm", "magic"), "Expected arms"), ((".", "--amount", 0), "amounts")],
)
def test_wrong_input_is_one_sentence_and_code_2(arguments, words, tmp_path: Path):
    result = invoke(*arguments, "--out", tmp_path / "out")
    assert result.exit_code == 2
    assert result.stderr.startswith("Error: Expected")
    assert words in result.stderr
    assert "Traceback" not in result.stderr
