"""The command hands its arguments to the study."""

from __future__ import annotations

from pathlib import Path

from benchmarks import vessel_inpainting


def test_arguments_reach_the_study(monkeypatch, capsys):
    given = []

    def study(*arguments):
        given.extend(arguments)
        arguments[-1]("training", 10, 20)
        return "| a table |"

    monkeypatch.setattr(vessel_inpainting, "run_vessel_study", study)
    vessel_inpainting.main(["--out", "there", "--bundle", "trained", "--patients", "5", "2", "3"])
    assert given[0] == Path("there")
    assert given[1].patients == (5, 2, 3)
    assert given[2:4] == [None, Path("trained")]
    shown = capsys.readouterr().out
    assert "training: 10 of 20" in shown
    assert shown.strip().endswith("| a table |")
