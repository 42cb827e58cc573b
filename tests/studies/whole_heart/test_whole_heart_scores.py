"""Errors, Dice and distances of generated slices against numpy and scikit-image."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from skimage.metrics import structural_similarity
from torch import nn

from monai_cardiacgen.anatomy.schemes import MM_WHS, WHOLE_HEART_NAME
from monai_cardiacgen.metrics import RandomFeatures, kernel_distance
from monai_cardiacgen.seeding import seeded
from monai_cardiacgen.studies.whole_heart.whole_heart_scores import (
    EVERYWHERE,
    MeanPainter,
    by_patient,
    feature_distances,
    interval,
    painted_by_condition,
    score_patients,
    stacked,
    with_segmentation,
)

LV, MYO = MM_WHS.names[1], "myocardium"
WINDOW = (-200.0, 600.0)


def slices(patients: int = 3, each: int = 4) -> list[dict]:
    made, generator = [], seeded(0)
    for patient in range(patients):
        for number in range(each):
            label = torch.zeros(1, 32, 32, dtype=torch.int16)
            label[0, 5:15, 5:20] = MM_WHS.code(MYO)
            if number:
                label[0, 8:12, 8:16] = MM_WHS.code(LV)
            image = torch.rand(1, 32, 32, generator=generator)
            made.append({"image": image, "label": label, "patient": f"p{patient}"})
    return made


class Thresholds(nn.Module):
    """Calls pixels above 0.5 left ventricle, all others myocardium."""

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        logits = torch.zeros(len(image), 8, *image.shape[2:])
        logits[:, MM_WHS.channel(LV)] = (image[:, 0] > 0.5).float()
        logits[:, MM_WHS.channel(MYO)] = (image[:, 0] <= 0.5).float()
        return logits


def test_rows_are_numpys():
    shown = with_segmentation(slices(), Thresholds())
    painted = torch.rand(12, 1, 32, 32, generator=seeded(1))
    rows = score_patients(shown, painted, "two", [LV, MYO], Thresholds(), WINDOW)
    assert [row["structure"] for row in rows] == 3 * [EVERYWHERE, LV, MYO, WHOLE_HEART_NAME]
    mine = [row for row in rows if row["patient"] == "p1"]
    real = stacked(shown[4:8], "image").double().numpy()
    codes = stacked(shown[4:8], "label").numpy()
    made = painted[4:8].double().numpy()
    places = {
        EVERYWHERE: codes >= 0,
        LV: codes == MM_WHS.code(LV),
        MYO: codes == MM_WHS.code(MYO),
        WHOLE_HEART_NAME: codes > 0,
    }
    for row in mine:
        place = places[row["structure"]]
        mse = np.square(real[place] - made[place]).mean()
        assert row["mse"] == pytest.approx(mse)
        assert row["psnr"] == pytest.approx(10 * math.log10(1 / mse))
        assert row["hu"] == pytest.approx(-200 + 800 * made[place].mean())
        assert row["hu_real"] == pytest.approx(-200 + 800 * real[place].mean())
        assert row["hu_error"] == pytest.approx(800 * np.abs(real[place] - made[place]).mean())
    found = made > 0.5
    dice = 2 * (found & places[LV]).sum() / (found.sum() + places[LV].sum())
    assert mine[1]["dice"] == pytest.approx(dice)
    found = real > 0.5
    assert mine[1]["dice_real"] == pytest.approx(2 * (found & places[LV]).sum() / (found.sum() + places[LV].sum()))
    ssim = [
        structural_similarity(
            one[0], other[0], data_range=1, gaussian_weights=True, sigma=1.5, win_size=11,
            use_sample_covariance=False, full=True,
        )[1][5:-5, 5:-5].mean()
        for one, other in zip(real, made, strict=True)
    ]  # fmt: skip
    assert mine[0]["ssim"] == pytest.approx(np.mean(ssim), abs=1e-4)
    assert math.isnan(mine[0]["dice"])
    assert math.isnan(mine[1]["ssim"])


def test_an_interval_is_over_patients():
    rows = [
        {"condition": "a", "structure": EVERYWHERE, "patient": str(n), "mse": value}
        for n, value in enumerate((1.0, 2.0, 6.0))
    ]
    found = interval([*rows, {**rows[0], "condition": "b", "mse": 99}], "a", EVERYWHERE, "mse")
    assert (found.mean, found.patients) == (3, 3)
    assert 1 <= found.low < found.high <= 6


def test_only_slices_that_show_the_structure_are_painted_and_only_it_is_shown():
    seen = []

    def painter(label: torch.Tensor) -> torch.Tensor:
        seen.append(label)
        return label.float()

    shown, painted = painted_by_condition(painter, slices(), [LV])
    assert len(shown) == len(painted) == 9
    assert set(torch.cat(seen).unique().tolist()) == {0, MM_WHS.code(LV)}
    assert len(painted_by_condition(painter, slices())[0]) == 12


def test_the_mean_painter_knows_mean_greys_and_the_mean_round_the_heart():
    training = slices()
    image, label = stacked(training, "image").numpy(), stacked(training, "label").numpy()
    made = MeanPainter(training)(stacked(training[1:2], "label"))[0, 0].numpy()
    assert made[9, 10] == pytest.approx(image[label == MM_WHS.code(LV)].mean(), rel=1e-5)
    assert made[6, 6] == pytest.approx(image[label == MM_WHS.code(MYO)].mean(), rel=1e-5)
    assert made[30, 2] == pytest.approx(image[:, 0, 30, 2].mean(), rel=1e-5)


def test_distances_take_pairs_of_different_patients_and_tell_their_space():
    generator = seeded(2)
    sets = [{f"p{n}": torch.rand(30, 1, 32, 32, generator=generator) ** power for n in range(4)} for power in (1, 1, 3)]
    near, far = (feature_distances(sets[0], other, RandomFeatures(), "here") for other in sets[1:])
    assert 0 <= near["fid"] < 0.2 * far["fid"]
    assert abs(near["kid"]) < 4 * near["kid_error"]
    assert far["kid"] > 10 * far["kid_error"]
    pooled = [RandomFeatures()(torch.cat(list(one.values()))) for one in (sets[0], sets[2])]
    assert far["kid"] == pytest.approx(kernel_distance(*pooled), rel=0.2)
    assert far["images"] == 120


def test_slices_are_gathered_by_patient():
    assert {name: len(group) for name, group in by_patient(slices()).items()} == {"p0": 4, "p1": 4, "p2": 4}
