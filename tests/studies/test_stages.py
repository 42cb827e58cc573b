"""Settings are kept, times add up over stops."""

from __future__ import annotations

import io
import time

import pytest
import torch
from rich.console import Console

from monai_cardiacgen.errors import InputError
from monai_cardiacgen.studies.stages import Stages, environment, keep_settings


def test_other_settings_are_refused(tmp_path):
    path = tmp_path / "settings.json"
    keep_settings(path, {"seed": 0, "size": [96, 96]})
    keep_settings(path, {"seed": 0, "size": [96, 96]})
    with pytest.raises(InputError, match=r"seed 0 \(now 1\); choose another folder"):
        keep_settings(path, {"seed": 1, "size": [96, 96]})


def test_times_of_a_stopped_stage_add_up(tmp_path):
    def run(stop):
        with Stages(tmp_path / "times.json", Console(file=io.StringIO())) as stages, stages.stage("work") as progress:
            progress(1, 2)
            time.sleep(0.25)
            if stop:
                raise KeyboardInterrupt
        return stages

    with pytest.raises(KeyboardInterrupt):
        run(stop=True)
    stopped = Stages(tmp_path / "times.json", Console(file=io.StringIO()))
    assert not stopped.is_done("work")
    finished = run(stop=False)
    assert finished.is_done("work")
    assert finished.seconds["work"] >= 0.5
    assert run(stop=False).seconds == finished.seconds  # reading back is not counted


def test_environment_names_versions():
    told = environment(torch.device("cpu"))
    assert told["device"] == "CPU"
    assert told["torch"] == torch.__version__
