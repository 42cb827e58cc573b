"""The commands: quick help, plain errors, the phantom."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
import typer
from typer.testing import CliRunner

from monai_cardiacgen import __version__, cli, demo, phantom
from monai_cardiacgen.data.acdc import read_acdc
from monai_cardiacgen.data.camus import read_camus
from monai_cardiacgen.errors import DataError
from monai_cardiacgen.studies import hearts


def invoke(*arguments):
    return CliRunner().invoke(cli.app, list(arguments))


def test_version_and_help():
    assert invoke("--version").output == f"cardiacgen {__version__}\n"
    assert "demo" in invoke("--help").output
    assert "--data-dir" in invoke("demo", "--help").output


@pytest.mark.parametrize("name", sorted(typer.main.get_command(cli.app).commands))
def test_help_of_each_command_has_an_example_and_all_that_is_said_of_its_options(name):
    told = " ".join(re.sub(r"[│╭╮╰╯─]", " ", invoke(name, "--help").output).split())
    assert f"Example: cardiacgen {name}" in told
    for option in typer.main.get_command(cli.app).commands[name].params:
        assert "[" not in (option.help or ""), "rich takes brackets for markup, and swallows them"
        if isinstance(option.show_default, str):
            assert f"[default: ({option.show_default.split()[0]}" in told


def test_runs_as_a_module_without_importing_torch():
    code = (
        "import sys, runpy; sys.argv = ['cardiacgen', '--version']\n"
        "try: runpy.run_module('monai_cardiacgen', run_name='__main__')\n"
        "finally: assert 'torch' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, f"cardiacgen {__version__}"), done.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--data", "acdc"), "--data-dir"),
        (("--data-dir", "."), "--data acdc"),
        (("--data", "acdc", "--data-dir", "nowhere"), "nowhere"),
    ],
)
def test_our_errors_are_one_sentence_and_code_2(arguments, words, tmp_path):
    result = invoke("demo", *arguments, "--out", str(tmp_path / "out"))
    assert result.exit_code == 2
    assert result.stderr.startswith("Error: Expected")
    assert words in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("error", "code", "words"), [(DataError("It broke."), 2, "Error: It broke."), (KeyboardInterrupt(), 130, "goes on")]
)
def test_endings(monkeypatch, error, code, words):
    def fail(*_):
        raise error

    monkeypatch.setattr(demo, "run_demo", fail)
    result = invoke("demo")
    assert result.exit_code == code
    assert words in result.stderr


def test_demo_passes_its_options_on(monkeypatch, tmp_path):
    seen = []
    monkeypatch.setattr(demo, "run_demo", lambda settings, out, console: seen.append((settings, out)))
    assert invoke("demo", "--data", "acdc", "--data-dir", str(tmp_path), "--seed", "7").exit_code == 0
    assert invoke("demo", "--patients", "9", "--training", "2", "--out", str(tmp_path)).exit_code == 0
    (real, real_out), (made, made_out) = seen
    assert (real.seed, real.training, real.validation, real.data_dir) == (7, 8, 12, str(tmp_path))
    assert str(real_out) == "runs/acdc"
    assert (made.patients, made.training, made_out) == (9, 2, tmp_path)


def test_hearts_passes_its_options_on(monkeypatch, tmp_path):
    seen = []
    monkeypatch.setattr(hearts, "run_hearts", lambda settings, out, console: seen.append((settings, out)))
    arguments = ("--count", "40", "--patients", "2", "--frames", "12", "--ejection-fraction", "0.3", "--seed", "5")
    assert invoke("hearts", str(tmp_path), "--out", str(tmp_path / "o"), *arguments).exit_code == 0
    expected = hearts.HeartsSettings(
        str(tmp_path), count=40, patients=2, frames=12, ejection_fraction=0.3, iterations=1800, seed=5
    )
    assert seen == [(expected, tmp_path / "o")]


def test_hearts_of_a_folder_without_patients_is_one_sentence(tmp_path):
    result = invoke("hearts", str(tmp_path), "--out", str(tmp_path / "o"))
    assert result.exit_code == 2
    assert result.stderr.startswith("Error: Expected")
    assert "Traceback" not in result.stderr


def test_phantom_writes_patients_that_the_reader_reads(tmp_path):
    result = invoke("phantom", str(tmp_path / "p"), "--patients", "1")
    assert result.exit_code == 0, result.output
    assert len(read_acdc(tmp_path / "p")) == 2


def test_phantom_writes_whole_hearts_too(monkeypatch, tmp_path):
    calls = []
    monkeypatch.setattr(phantom, "write_mmwhs_phantom", lambda *arguments, **named: calls.append((*arguments, named)))
    for dataset in ("mmwhs-ct", "mmwhs-mr"):
        assert invoke("phantom", str(tmp_path), "--patients", "1", "--seed", "4", "--dataset", dataset).exit_code == 0
    assert calls == [(tmp_path, 1, 4, {"modality": "ct"}), (tmp_path, 1, 4, {"modality": "mr"})]


def test_phantom_writes_echo_in_camus_layout(tmp_path):
    result = invoke("phantom", str(tmp_path / "p"), "--patients", "1", "--dataset", "camus")
    assert result.exit_code == 0, result.output
    assert len(read_camus(tmp_path / "p")) == 4
