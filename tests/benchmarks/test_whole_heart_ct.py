"""The command hands its arguments to the study."""

from __future__ import annotations

from pathlib import Path

from benchmarks import whole_heart_ct


def test_arguments_reach_the_study(monkeypatch, capsys):
    given = []

    def study(*arguments):
        given.extend(arguments)
        arguments[-1]("segmentation", 10, 20)
        return "| a table |"

    monkeypatch.setattr(whole_heart_ct, "run_whole_heart_study", study)
    whole_heart_ct.main(["--out", "there", "--bundle", "trained", "--patients", "5", "2", "3"])
    assert given[0] == Path("there")
    assert given[1].patients == (5, 2, 3)
    assert given[2:4] == [Path("trained"), None]
    shown = capsys.readouterr().out
    assert "segmentation: 10 of 20" in shown
    assert shown.strip().endswith("| a table |")
