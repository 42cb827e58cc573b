"""Wrong command lines: one sentence on stderr, exit code 2, no traceback, nothing left behind."""

from __future__ import annotations

import subprocess
import sys

import pytest
from typer.testing import CliRunner
from wrong_input import check_message, listing

from monai_cardiacgen import cli

HERE = "{}"

#: What of the command line is refused by its parser: arguments and words that the message must hold.
PARSED = [
    ("an unknown command", ("fly",), ("No such command", "fly")),
    ("an unknown option", ("demo", "--fly"), ("No such option", "--fly")),
    ("demo of two patients", ("demo", "--patients", "2"), ("--patients",)),
    ("demo of seed -1", ("demo", "--seed", "-1"), ("--seed",)),
    ("hearts that eject twice", ("hearts", HERE, "--ejection-fraction", "2"), ("--ejection-fraction",)),
    ("hearts that eject NaN", ("hearts", HERE, "--ejection-fraction", "nan"), ("--ejection-fraction",)),
    ("study of no preset", ("study", HERE, "--preset", "x"), ("--preset", "quick")),
    ("study without workers", ("study", HERE, "--workers", "0"), ("--workers",)),
    ("no phantoms", ("phantom", HERE, "--patients", "0"), ("--patients",)),
    ("phantoms of PET", ("phantom", HERE, "--dataset", "pet"), ("--dataset", "acdc")),
    ("sets of nowhere", ("generate", HERE), ("--out",)),
    ("sets of nothing", ("generate", HERE, "--out", "o", "-n", "0"), ("--count",)),
    ("sets of PET", ("generate", HERE, "--out", "o", "--modality", "PET"), ("--modality", "MR")),
    ("card without real patients", ("card", HERE), ("--real",)),
    ("doctor of someone", ("doctor", "x"), ("unexpected extra argument", "x")),
]
#: What the commands themselves refuse.
REFUSED = [
    ("demo of ACDC without it", ("demo", "--data", "acdc"), ("--data-dir",)),
    ("demo with a folder of phantoms", ("demo", "--data-dir", HERE), ("none with the phantom",)),
    ("demo with nobody to test", ("demo", "--patients", "3", "--training", "2"), ("left for testing", "got 3")),
    ("demo into a file", ("demo", "--out", "{}/file"), ("a folder that can be written to", "file")),
    ("demo below a file", ("demo", "--out", "{}/file/o"), ("a folder that can be written to", "file")),
    ("hearts of nobody", ("hearts", "{}/no", "--out", "{}/o"), ("patient001", "got none")),
    ("hearts into a file", ("hearts", HERE, "--out", "{}/file"), ("patient001", "got none")),
    ("study of nobody", ("study", "{}/no", "--out", "{}/o"), ("patient001", "got none")),
    ("study of an unknown arm", ("study", HERE, "--arm", "x", "--out", "{}/o"), ("arms of", "got x")),
    ("study of no patient", ("study", HERE, "--amount", "0", "--out", "{}/o"), ("at least 1 patient", "(0,)")),
    ("phantoms into a file", ("phantom", "{}/file"), ("a folder to write to", "refuses")),
    ("phantoms below a file", ("phantom", "{}/file/p"), ("a folder to write to", "refuses")),
    ("sets of a bundle that is nowhere", ("generate", "{}/no", "--out", "{}/o"), ("a synthesizer in", "configs/")),
    ("sets of a folder that is none", ("generate", HERE, "--out", "{}/o"), ("a synthesizer in", "configs/")),
    ("sets of a text", ("generate", "{}/file", "--out", "{}/o"), ("zip file of one bundle", "not a zip file")),
    (
        "cases beyond the last seed",
        ("generate", HERE, "--out", "{}/o", "-n", "1", "--first", "4294967296"),
        ("from 0 to 4294967295", "4294967296"),
    ),
    ("card of 51 steps", ("card", HERE, "--real", HERE, "--iterations", "51"), ("multiple of 50", "51")),
    ("check of nothing", ("check-bundle", "{}/no"), ("a bundle in", "configs/metadata.json")),
    ("check of a text", ("check-bundle", "{}/file"), ("a bundle in", "configs/metadata.json")),
]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("a text")
    return tmp_path


def invoke(folder, arguments):
    return CliRunner().invoke(cli.app, [one.format(folder) for one in arguments])


@pytest.mark.parametrize(("arguments", "words"), [one[1:] for one in PARSED], ids=[one[0] for one in PARSED])
def test_the_parser_refuses_it_before_anything_is_loaded(folder, arguments, words):
    before = listing(folder)
    result = invoke(folder, arguments)
    assert (result.exit_code, listing(folder)) == (2, before)
    told = " ".join(result.stderr.replace("│", " ").split())
    assert all(word in told for word in words), told
    assert "Traceback" not in told


@pytest.mark.parametrize(("arguments", "words"), [one[1:] for one in REFUSED], ids=[one[0] for one in REFUSED])
def test_the_command_refuses_it_in_one_sentence(folder, arguments, words):
    before = listing(folder)
    result = invoke(folder, arguments)
    assert (result.exit_code, listing(folder)) == (2, before)
    assert result.stderr.startswith("Error: Expected")
    check_message(result.stderr.removeprefix("Error: ").strip(), words)
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("number", [4, 10, 18])
def test_a_process_of_its_own_ends_alike(folder, number):
    _, arguments, words = REFUSED[number]
    command = [sys.executable, "-m", "monai_cardiacgen", *(one.format(folder) for one in arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2, done.stderr
    assert done.stderr.startswith("Error: Expected")
    assert "Traceback" not in done.stderr
    assert all(word in done.stderr for word in words)
    assert [path.name for path in folder.iterdir()] == ["file"]
