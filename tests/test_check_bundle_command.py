"""The command `cardiacgen check-bundle`, as a user types it."""

from __future__ import annotations

from typer.testing import CliRunner

from monai_cardiacgen.bundle_checks import Check
from monai_cardiacgen.cli import app


def run(*arguments: str):
    return CliRunner().invoke(app, ["check-bundle", *arguments], env={"COLUMNS": "200"})


def test_help_has_an_example():
    assert "Example: cardiacgen check-bundle bundles/cine_mr_vaegan" in " ".join(run("--help").output.split())


def test_no_bundle_ends_with_one_sentence(tmp_path):
    ended = run(str(tmp_path))
    assert ended.exit_code == 2
    assert "pass the folder with configs/ in it" in ended.output
    assert "Traceback" not in ended.output


def test_a_line_a_check_and_what_to_do(monkeypatch, tmp_path):
    found = [Check("one"), Check("two", ("Wrong; do this.",)), Check("three", missing="It needs weights.")]
    monkeypatch.setattr("monai_cardiacgen.bundle_checks.check_bundle", lambda folder: found)
    ended = run(str(tmp_path))
    assert ended.exit_code == 1
    assert ended.output.splitlines() == [
        "pass    one",
        "FAIL    two",
        "        - Wrong; do this.",
        "not run three",
        "        - It needs weights.",
        "1 passed, 1 failed, 1 could not be run.",
    ]
    found.pop(1)
    assert run(str(tmp_path)).exit_code == 0
