"""The command writes both parts' patients, reads the bundle and hands all to the study."""

from __future__ import annotations

from pathlib import Path

from benchmarks import whole_hearts


def test_arguments_reach_the_study(monkeypatch, capsys):
    written, given = [], []
    monkeypatch.setattr(whole_hearts, "write_mmwhs_phantom", lambda *arguments: written.append(arguments))
    monkeypatch.setattr(whole_hearts, "load_whole_hearts", lambda folder, patients: [folder.name] * patients)
    monkeypatch.setattr(whole_hearts.CardiacSynthesizer, "from_bundle", lambda folder: f"read from {folder}")
    monkeypatch.setattr(whole_hearts, "study_whole_hearts", lambda *arguments: given.extend(arguments) or "| tables |")
    whole_hearts.main(["--out", "there", "--bundle", "trained", "--count", "3"])
    assert written == [
        (Path("there/volumes/training"), 60, 200, "ct"),
        (Path("there/volumes/testing"), 24, 202, "ct"),
    ]
    assert given == [Path("there"), "read from trained", ["training"] * 60, ["testing"] * 24, 3]
    assert capsys.readouterr().out.strip() == "| tables |"
