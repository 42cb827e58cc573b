"""The page's tables and figure, of scores that are made up here."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from benchmarks.echo_causes_page import (
    Results,
    arms_table,
    causes_figure,
    contours_table,
    interval_text,
    paintings_figure,
)
from monai_cardiacgen.data.files import save_checkpoint
from monai_cardiacgen.studies.bootstrap import Interval
from monai_cardiacgen.studies.evaluation import Score, write_scores

CONTOURS = ("endocardium", "epicardium", "left atrium")


@pytest.fixture
def values(tmp_path):
    """Dice by arm and seed `(patients, frames, contours)`, written as the study writes it to `tmp_path`."""
    rng, made = np.random.default_rng(0), {}
    for arm, seeds in {"real": (0, 1), "only_paper": (0,), "only_ours": (0, 1), "only_mirrored": (0,)}.items():
        for seed in seeds:
            dice = made[arm, seed] = rng.uniform(0.5, 0.9, (6, 2, 3))
            scores = [
                Score(f"patient{p}", "", f"4CH {phase}", contour, dice[p, f, c], np.nan, 10 * dice[p, f, c], 3.0)
                for p in range(6)
                for f, phase in enumerate(("ED", "ES"))
                for c, contour in enumerate(CONTOURS)
            ]
            write_scores(tmp_path / "segmentation" / "unet" / arm / f"seed_{seed}" / "scores.csv", scores)
    return made


def test_means_and_differences_are_those_of_the_scores(tmp_path, values):
    results = Results(tmp_path)
    both = np.mean([values["real", seed].mean() for seed in (0, 1)])
    assert results.mean("unet", "real", "dice").mean == pytest.approx(both)
    assert results.mean("unet", "real", "hd", "epicardium").mean == pytest.approx(
        np.mean([10 * values["real", seed][..., 1].mean() for seed in (0, 1)])
    )
    found = results.difference("unet", "only_paper", "real", "dice")  # over the seed that both have
    assert found.mean == pytest.approx((values["only_paper", 0] - values["real", 0]).mean())
    assert found.low < found.mean < found.high
    assert results.difference("enet", "only_paper", "real", "dice") is None


def test_tables_compare_each_arm_with_what_it_changes(tmp_path, values):
    table = arms_table(Results(tmp_path), "unet").splitlines()
    assert len(table) == 2 + 4
    assert table[2].startswith("| real | 2 | ")
    assert table[2].endswith(" |  |  |")
    assert table[-1].endswith("| only painted, ours |")
    assert f"{(values['only_mirrored', 0] - values['only_ours', 0]).mean():+.3f}".replace("-", "−") in table[-1]
    assert len({line.count("|") for line in table}) == 1
    contours = contours_table(Results(tmp_path), "unet").splitlines()
    assert f"{values['only_paper', 0][..., 2].mean():.3f}" in contours[3]
    assert arms_table(Results(tmp_path), "enet").count("\n") == 1


def test_an_interval_without_zero_is_bold():
    assert interval_text(Interval(-0.02, -0.03, -0.01, 6), "dice") == "**−0.020** (−0.030 to −0.010)"
    assert interval_text(Interval(0.01, -0.01, 0.03, 6), "dice") == "+0.010 (−0.010 to +0.030)"
    assert interval_text(Interval(5.0, 4.0, 6.0, 6), "hd", signed=False) == "5.0 (4.0 to 6.0)"


def test_the_figure_has_axes_with_labels(tmp_path, values):
    left, right = causes_figure(Results(tmp_path)).axes
    assert left.get_xlabel() == "Dice on 60 real test patients"
    assert [text.get_text() for text in left.get_yticklabels()][-1] == "real"
    assert right.get_xlabel()
    assert [text.get_text() for text in right.get_yticklabels()] == ["mirrored"]


def test_each_painter_has_a_row_of_pictures(tmp_path):
    for name, grey in (("paper", 0.25), ("ours", 0.75)):
        cases = {"image": torch.full((3, 1, 8, 8), grey), "label": torch.ones(3, 8, 8, dtype=torch.int64)}
        save_checkpoint(tmp_path / "painters" / name / "seed_0" / "on_drawn_maps.pt", cases)
    axes = paintings_figure(tmp_path, count=2).axes
    assert len(axes) == 3 * 2
    assert [float(axis.images[0].get_array().mean()) for axis in axes[::2]] == [0.25, 0.75, 0.0]
    assert [axis.texts[0].get_text() for axis in axes[::2]] == ["paper", "ours", "drawn hearts"]
