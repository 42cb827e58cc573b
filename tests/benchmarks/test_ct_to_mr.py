"""The command hands its arguments to the study."""

from __future__ import annotations

from pathlib import Path

from benchmarks import ct_to_mr


def test_arguments_reach_the_study(monkeypatch, capsys):
    given = []

    def study(*arguments):
        given.extend(arguments)
        arguments[-1]("segmentation", 10, 20)
        return "| a table |"

    monkeypatch.setattr(ct_to_mr, "run_translation_study", study)
    ct_to_mr.main(["--out", "there", "--bundle", "trained", "--iterations", "50"])
    assert given[0] == Path("there")
    assert given[1].iterations == 50
    assert given[2] == Path("trained")
    shown = capsys.readouterr().out
    assert "segmentation: 10 of 20" in shown
    assert shown.strip().endswith("| a table |")
