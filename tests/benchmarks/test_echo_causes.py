"""The study of causes runs on phantom patients, keeps what is done, and paints what it is told to."""

from __future__ import annotations

import pytest
import torch
from small_hearts import TINY_PAINTER, sector_synthesizer

from benchmarks import echo_causes
from benchmarks.echo_causes import ARMS, PAINTERS, PLAN, Causes, CausesSettings, Replaced, heart_label, painted_label
from monai_cardiacgen.anatomy import APICAL_CONDITION
from monai_cardiacgen.anatomy.schemes import CAMUS, CAMUS_SECTOR
from monai_cardiacgen.phantom import write_camus_phantom
from monai_cardiacgen.studies.evaluation import read_scores

SMALL = CausesSettings(
    side=32,
    validation=1,
    testing=1,
    hearts=3,
    painter_iterations=2,
    painter_round=1,
    style_size=6,
    iterations=2,
    round=1,
    more=(*TINY_PAINTER, ("style_encoder#channels", [8, 8])),
)


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """A phantom folder, a bundle's folder with a synthesizer, and the study's."""
    data = write_camus_phantom(tmp_path_factory.mktemp("camus"), patients=3, seed=0)
    bundle = sector_synthesizer(heart_condition=APICAL_CONDITION).to_bundle(tmp_path_factory.mktemp("bundle"))
    return data, bundle, tmp_path_factory.mktemp("study")


def test_arms_are_trained_tested_and_kept(folders, monkeypatch, capsys):
    data, bundle, out = folders
    plan = [("unet", "real", 0), ("unet", "only_no_sector", 0), ("unet", "added_ours", 0)]
    monkeypatch.setattr(echo_causes, "PLAN", plan)
    arguments = ["--data", str(data), "--bundle", str(bundle), "--out", str(out)]
    echo_causes.main(arguments, SMALL)
    for network, name, seed in plan:
        scores = read_scores(out / "segmentation" / network / name / f"seed_{seed}" / "scores.csv")
        assert len(scores) == 4 * 3  # frames of the test patient, contours
    written = {path: path.stat().st_mtime_ns for path in out.rglob("*.csv")}
    echo_causes.main(arguments, SMALL)
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*.csv")} == written
    assert "3 of 3: unet added_ours 0" in capsys.readouterr().out


@pytest.mark.parametrize("name", PAINTERS)
def test_painters_differ_from_ours_in_what_their_name_says(folders, name):
    data, bundle, out = folders
    painter = Causes(data, bundle, out, SMALL).painter(name, 0)
    generator = painter.generator
    of_paper = name in ("paper", "paper_style")
    assert (painter.scheme == CAMUS_SECTOR) == (not of_paper and name != "no_sector")
    assert generator.condition_size == (0 if of_paper or name == "not_told" else 4)
    assert generator.style_size == {"paper": 0, "no_style": 0, "paper_style": 64}.get(name, 6)
    noisy = "noise_strength" in {key.rsplit(".", 1)[-1] for key, _ in generator.named_parameters()}
    assert noisy == (not of_paper and name != "no_noise")


def test_the_same_hearts_are_painted_by_all(folders):
    study = Causes(folders[0], folders[1], folders[2], SMALL)
    one, other = study.painted("ours", 0), study.painted("no_sector", 0)
    assert torch.equal(one["label"], other["label"])
    assert one["image"].shape == (3, 1, 32, 32)
    assert not torch.equal(one["image"], other["image"])


def test_the_atrium_and_the_sector_can_be_left_out():
    label = torch.tensor([[[0, 1], [3, 4]]])
    assert painted_label(label, "no_atrium", CAMUS_SECTOR).tolist() == [[[0, 1], [4, 4]]]
    assert painted_label(label, "no_sector", CAMUS).tolist() == heart_label(label).tolist() == [[[0, 1], [3, 0]]]


def test_frames_are_replaced_as_often_as_asked():
    cases = {"image": torch.ones(4, 1, 2, 2), "label": torch.ones(4, 2, 2, dtype=torch.int64)}
    real = {"image": torch.zeros(1, 2, 2), "label": torch.zeros(1, 2, 2, dtype=torch.int64)}
    drawn = Replaced(cases, 0.7)
    drawn.set_random_state(0)
    share = sum(float(drawn(real)["image"].mean()) for _ in range(2000)) / 2000
    assert share == pytest.approx(0.7, abs=0.04)  # four standard errors


def test_the_plan_names_arms_that_there_are():
    assert {name for _, name, _ in PLAN} <= set(ARMS)
    assert len(set(PLAN)) == len(PLAN)
