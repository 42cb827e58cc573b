"""A few kills of the cheapest training and of a generation; the script would see it if they were not survived."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from benchmarks.kill_and_continue import contents, unreadable
from monai_cardiacgen.data.files import save_checkpoint, write_json

ROOT = Path(__file__).parents[2]
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"}


@pytest.mark.skipif(sys.platform == "win32", reason="this system does not fork")
def test_a_training_and_a_generation_survive_two_kills_each():
    command = ["-m", "benchmarks.kill_and_continue", "--kills", "2", "--engine", "ConditionalGANTrainer"]
    done = subprocess.run(
        [sys.executable, *command, "--engine", "generation"],
        cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("ConditionalGANTrainer: 2 of 2;")
    assert "\ngeneration: 2 of 2;" in done.stdout


def test_half_a_file_and_one_other_bit_are_seen(tmp_path):
    state = {"w": torch.arange(4.0), "round": 1, "curves": [{"loss": 0.5}], "nan": float("nan"), "none": torch.zeros(0)}
    save_checkpoint(tmp_path / "training.pt", state)
    write_json(tmp_path / "set.json", {"a": 1})
    (tmp_path / ".set.json.1.part").write_text("{")
    before = contents(tmp_path)
    assert sorted(before) == ["set.json", "training.pt"]
    assert not unreadable(tmp_path)
    for other in ({"w": torch.arange(4.0) + 1e-7}, {"round": 2}, {"curves": [{"loss": 0.5000000001}]}):
        save_checkpoint(tmp_path / "training.pt", {**state, **other})
        assert contents(tmp_path) != before
    save_checkpoint(tmp_path / "training.pt", state)
    assert contents(tmp_path) == before
    for name in before:
        path = tmp_path / name
        path.write_bytes(path.read_bytes()[:-3])
    assert len(unreadable(tmp_path)) == 2


def test_a_work_that_loses_a_round_is_found_out(tmp_path, monkeypatch, capsys):
    from benchmarks import kill_and_continue as script
    from benchmarks.tiny_trainings import Work

    class Scripted:
        """Is killed once, and then ends with other bits than the first two attempts."""

        begun = 0

        def __init__(self, name, prepared, folder):
            Scripted.begun += 1
            folder.mkdir(exist_ok=True)
            self.number = Scripted.begun
            (folder / "end.json").write_text("1" if self.number <= 2 else "2")

        def ended(self, seconds):
            return self.number != 3

        def kill(self):
            return signal.SIGKILL

    monkeypatch.setattr(script, "Child", lambda work: Scripted("", None, tmp_path / "prepared"))
    Scripted.begun = -1
    assert script.kill_and_continue("scripted", Work(lambda prepared, folder: None), Scripted, 1, 0) == 0
    assert "other bits than the undisturbed run" in capsys.readouterr().out
