"""The command hands its arguments to the study."""

from __future__ import annotations

from pathlib import Path

from benchmarks import whole_heart_ct


def test_arguments_reach_the_study_and_tables_the_page(monkeypatch, capsys, tmp_path):
    given, page = [], tmp_path / "page.md"
    page.write_text("before\n<!-- tables -->\nold\n<!-- end of tables -->\nafter\n", encoding="utf-8")

    def study(*arguments):
        given.extend(arguments)
        arguments[-1]("segmentation", 10, 20)
        return "| a table |"

    monkeypatch.setattr(whole_heart_ct, "run_whole_heart_study", study)
    whole_heart_ct.main(["--out", "there", "--bundle", "trained", "--patients", "5", "2", "3", "--page", str(page)])
    assert given[0] == Path("there")
    assert given[1].patients == (5, 2, 3)
    assert given[2:4] == [Path("trained"), None]
    shown = capsys.readouterr().out
    assert "segmentation: 10 of 20" in shown
    assert shown.strip().endswith("| a table |")
    text = page.read_text(encoding="utf-8")
    assert text == "before\n<!-- tables -->\n\n| a table |\n\n<!-- end of tables -->\nafter\n"
