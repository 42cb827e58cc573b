"""Scores on the file's own grid, against other libraries and known cases."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from monai.metrics import compute_average_surface_distance, compute_dice, compute_hausdorff_distance
from scipy import ndimage
from torch import nn

from monai_cardiacgen.anatomy.schemes import ACDC, LV_CAVITY, MYOCARDIUM, RV_CAVITY
from monai_cardiacgen.data.slices import ShortAxisGrid
from monai_cardiacgen.errors import DataError
from monai_cardiacgen.studies.evaluation import (
    Score,
    by_patient,
    evaluate_segmentation,
    load_test_volumes,
    predict_volume,
    read_scores,
    score_volume,
    surface_distances,
    write_scores,
)

GRID = ShortAxisGrid((2.0, 2.0), (48, 56))


class GreyLevels(nn.Module):
    """Classes by their grey level: the tiny patients' intensities in the order of the codes."""

    def __init__(self):
        super().__init__()
        self.levels = nn.Parameter(torch.tensor([0.04, 0.73, 0.27, 0.97]).reshape(1, 4, 1, 1))

    def forward(self, image):
        return -200 * (image - self.levels) ** 2


@pytest.fixture(scope="module")
def volumes(items):
    return load_test_volumes(items[:2], GRID)


def test_labels_stay_on_the_files_grid(volumes):
    assert volumes[0]["label"].shape == (1, 40, 48, 4)
    assert volumes[0]["image"].shape == (1, 48, 56, 4)


def test_prediction_comes_back_to_the_files_grid(volumes):
    prediction = predict_volume(GreyLevels(), volumes[0], GRID)
    truth = volumes[0]["label"][0]
    assert prediction.shape == truth.shape
    assert (prediction == torch.as_tensor(truth)).float().mean() > 0.97
    centres = [ndimage.center_of_mass(np.asarray(x) == 3) for x in (prediction, truth)]
    np.testing.assert_allclose(*centres, atol=0.25)  # no shift by half a pixel


def test_a_perfect_network_on_all_structures(volumes):
    scores, slices = evaluate_segmentation(GreyLevels(), volumes, GRID)
    assert [score.structure for score in scores[:3]] == [RV_CAVITY, MYOCARDIUM, LV_CAVITY]
    assert min(score.dice for score in scores) > 0.85
    assert max(score.hd95 for score in scores if score.structure == LV_CAVITY) <= 3.01  # one pixel
    assert {(one.patient, one.phase, one.slice) for one in slices} == {
        (volume["patient"], volume["phase"], number) for volume in volumes for number in (1, 2, 3)
    }
    assert min(one.dice for one in slices) > 0.8


def test_dice_and_distance_of_known_boxes():
    truth, found = torch.zeros(2, 20, 20, 6, dtype=torch.int64)
    truth[5:15, 5:15, 1:5] = 3
    found[7:17, 5:15, 1:5] = 3
    scores = {row.structure: row for row in score_volume(found, truth, (1.5, 1.5, 8.0))}
    assert scores[LV_CAVITY].dice == pytest.approx(0.8)
    assert scores[LV_CAVITY].hd95 == scores[LV_CAVITY].hd == pytest.approx(3.0)  # two pixels of 1.5 mm
    assert all(math.isnan(value) for value in scores[RV_CAVITY][1:])  # in neither


def test_distance_to_one_stray_voxel():
    truth, found = torch.zeros(2, 30, 30, 3, dtype=torch.int64)
    truth[5:9, 5:9, 1] = found[5:9, 5:9, 1] = 3
    found[8, 20, 1] = 3  # 12 pixels beside the square
    row = score_volume(found, truth, (2.0, 1.5, 8.0))[2]
    assert row.hd == pytest.approx(12 * 1.5)
    assert row.hd95 == pytest.approx(np.quantile([0.0] * 16 + [18.0], 0.95))
    # One slice alone: all voxels of the square are its surface.
    assert row.assd == pytest.approx(18 / (16 + 17))


@pytest.mark.parametrize("seed", range(4))
def test_distances_are_monais(seed):
    rng = np.random.default_rng(seed)
    blobs = ndimage.gaussian_filter(rng.normal(size=(2, 28, 25, 9)), (0, 2, 2, 1)) > (0.02, 0.03)[seed % 2]
    if seed == 3:
        blobs = blobs[:, :, :, 4]  # in the plane
    mm = (1.4, 1.7, 9.0)[: blobs.ndim - 1]
    pair = [torch.from_numpy(blob)[None, None].float() for blob in blobs]
    hd95, hd, assd = surface_distances(*blobs, mm)
    assert hd == pytest.approx(float(compute_hausdorff_distance(*pair, include_background=True, spacing=mm)))
    percentile = compute_hausdorff_distance(*pair, include_background=True, spacing=mm, percentile=95)
    assert hd95 == pytest.approx(float(percentile), rel=1e-5)
    mean = compute_average_surface_distance(*pair, include_background=True, symmetric=True, spacing=mm)
    assert assd == pytest.approx(float(mean), rel=1e-5)


@pytest.mark.parametrize("seed", range(3))
def test_dice_is_monais(seed):
    codes = torch.randint(0, 4, (2, 9, 8, 5), generator=torch.Generator().manual_seed(seed))
    theirs = compute_dice(ACDC.one_hot(codes[:1]), ACDC.one_hot(codes[1:]), include_background=False)[0]
    ours = [row.dice for row in score_volume(codes[0], codes[1], (1.0, 1.0, 1.0))]
    np.testing.assert_allclose(ours, theirs, rtol=1e-6)


@pytest.mark.parametrize("missed", [True, False])
def test_a_structure_in_only_one_of_both_has_dice_0(missed):
    truth, found = torch.zeros(2, 8, 8, 2, dtype=torch.int64)
    (truth if missed else found)[2:5, 2:5] = 2
    scores = {row.structure: row for row in score_volume(found, truth, (1.0, 1.0, 1.0))}
    assert scores[MYOCARDIUM].dice == 0.0
    assert all(math.isnan(value) for value in scores[MYOCARDIUM][2:])


def test_a_structure_that_was_not_annotated_is_no_error():
    truth = torch.zeros(8, 8, 2, dtype=torch.int64)
    truth[2:5, 2:5] = 3
    found = truth.clone()
    found[5:7] = 2  # a wall that nobody drew
    rows = score_volume(found, truth, (1.0, 1.0, 1.0), annotated=("left ventricular cavity",))
    scores = {row.structure: row[1:] for row in rows}
    assert scores.pop("left ventricular cavity") == (1.0, 0.0, 0.0, 0.0)
    assert all(math.isnan(value) for pair in scores.values() for value in pair)
    assert len(scores) == 2


def test_scores_survive_their_file(tmp_path):
    scores = [
        Score("p1", "NOR", "ED", LV_CAVITY, 0.91234, math.nan),
        Score("p1", "NOR", "ES", LV_CAVITY, 0.8, 2.5, 7.25, 0.125),
    ]
    write_scores(tmp_path / "s.csv", scores)
    loaded = read_scores(tmp_path / "s.csv")
    assert loaded[1] == scores[1]
    assert math.isnan(loaded[0].hd95)


def test_files_without_the_newer_measures_can_be_read(tmp_path):
    path = tmp_path / "s.csv"
    path.write_text("patient,group,phase,structure,dice,hd95\np1,NOR,ED,myocardium,0.5,3.0\n")
    (score,) = read_scores(path)
    assert (score.dice, score.hd95) == (0.5, 3.0)
    assert math.isnan(score.hd)
    assert math.isnan(score.assd)


@pytest.mark.parametrize(
    "content", ["patient,dice\np1,0.5\n", "patient,group,phase,structure,dice,hd95\np,N,ED,LV,x,1\n"]
)
def test_files_that_hold_something_else_are_refused(tmp_path, content):
    path = tmp_path / "s.csv"
    path.write_text(content)
    with pytest.raises(DataError, match="test that arm again"):
        read_scores(path)


def test_means_by_patient():
    scores = [
        Score("p2", "NOR", "ED", LV_CAVITY, 0.9, 1.0),
        Score("p2", "NOR", "ES", LV_CAVITY, 0.7, math.nan),
        Score("p1", "NOR", "ED", MYOCARDIUM, math.nan, math.nan),
    ]
    assert by_patient(scores, "dice", LV_CAVITY) == {"p2": pytest.approx(0.8)}
    means = by_patient(scores, "hd95")
    assert list(means) == ["p1", "p2"]
    assert math.isnan(means["p1"])
    assert means["p2"] == 1.0
