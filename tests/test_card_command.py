"""The command `cardiacgen card`, as a user types it."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from monai_cardiacgen.cli import app


def run(*arguments: str):
    return CliRunner().invoke(app, ["card", *arguments], env={"COLUMNS": "200"})


def test_help_has_an_example():
    shown = run("--help")
    assert shown.exit_code == 0
    assert "Example: cardiacgen card runs/set --real ACDC/training" in " ".join(shown.output.split())
    assert "--downstream" in shown.output


def test_what_is_not_there_ends_with_one_sentence(tmp_path):
    ended = run(str(tmp_path), "--real", str(tmp_path), "--out", str(tmp_path / "card"))
    assert ended.exit_code == 2
    assert "set.json" in ended.output
    assert "Traceback" not in ended.output
    assert not (tmp_path / "card").exists()


def test_settings_reach_the_card(monkeypatch, tmp_path):
    asked = []

    def make_card(settings, out, console):
        asked.append((settings, out))
        raise KeyboardInterrupt

    monkeypatch.setattr("monai_cardiacgen.studies.card.synthetic_card.make_card", make_card)
    ended = run(str(tmp_path / "set"), "--real", str(tmp_path), "--downstream", "--iterations", "100", "--seed", "3")
    assert ended.exit_code == 130
    assert "goes on where it was" in ended.output
    settings, out = asked[0]
    assert (settings.folder, settings.real) == (str(tmp_path / "set"), str(tmp_path))
    assert (settings.split, settings.downstream, settings.iterations, settings.seed) == (None, True, 100, 3)
    assert out.name == "card_set"


@pytest.mark.parametrize("arguments", [(), ("set",), ("set", "--real", "x", "--iterations", "10")])
def test_wrong_arguments_are_refused(arguments):
    assert run(*arguments).exit_code == 2


@pytest.mark.parametrize(("option", "copies"), [((), "refuse"), (("--force",), "export")])
def test_generate_exports_copies_by_force_only(monkeypatch, tmp_path, option, copies):
    asked = []

    def generate_set(*arguments):
        asked.append(arguments)
        return tmp_path

    monkeypatch.setattr("monai_cardiacgen.generate.generate_set", generate_set)
    ended = CliRunner().invoke(app, ["generate", "bundle", "--out", str(tmp_path), "--format", "nnunet", *option])
    assert ended.exit_code == 0
    assert asked[0][-1] == copies
