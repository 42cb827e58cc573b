"""The study of the posterior on procedural patches; the phantoms' own way is that of the other vessel study."""

from __future__ import annotations

import pytest
import torch
from vessel_patches import SPACING, patch

from monai_cardiacgen.data.files import read_csv, save_checkpoint
from monai_cardiacgen.inferers.inpainted_image import InpaintedImage, compared
from monai_cardiacgen.studies.vessels.inpainting_baselines import TrainingPatches
from monai_cardiacgen.studies.vessels.inpainting_networks import VesselInpainter, new_inpainting_networks
from monai_cardiacgen.studies.vessels.inpainting_study import (
    ALIKE,
    METHODS,
    POSTERIOR,
    InpaintingStudySettings,
    planted_found,
    run_inpainting_study,
    training_windows,
)
from monai_cardiacgen.studies.vessels.masked_vessels import mask_vessels
from monai_cardiacgen.studies.vessels.vessel_inpainting import PLANTED
from monai_cardiacgen.studies.vessels.vessel_networks import new_vessel_gan

SETTINGS = InpaintingStudySettings(
    training=3, patients=2, seed=7, validation=2, validation_seed=9, each=1, latents=12, accepted=4, reach=2
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    out = tmp_path_factory.mktemp("posterior")
    for seed, numbers in ((SETTINGS.training_seed, range(20, 26)), (SETTINGS.seed, range(4)), (9, range(40, 44))):
        save_checkpoint(out / f"patches_{seed}.pt", {"patches": [patch(number) for number in numbers]})
    new_vessel_gan(64, 2, 5, 0).to_bundle(out / "bundle", {"spacing": 2.0})
    VesselInpainter(new_inpainting_networks(64, (2, 4), 2, 0).generator).to_bundle(out / "bundle")
    return out


def test_the_study_writes_a_row_for_each_patch_and_method_and_goes_on(folder):
    told = []
    text = run_inpainting_study(folder, SETTINGS, folder / "bundle", lambda *one: told.append(one))
    rows = read_csv(folder / "cases_7.csv")
    assert len(rows) == 2 * len(METHODS)
    assert {row["method"] for row in rows} == set(METHODS)
    assert told == [("inpainting", 1, 2), ("inpainting", 2, 2)]
    assert [line.split(" | ")[0][2:] for line in text.splitlines()[2:10]] == list(METHODS)
    assert (folder / "comparison_7.png").is_file()
    assert run_inpainting_study(folder, SETTINGS, folder / "bundle", lambda *one: told.append(one)) == text
    assert len(told) == 2
    # Training patches of the same anatomy show a vessel, an untrained generator's do not.
    means = {name: sum(float(row["position"]) for row in rows if row["method"] == name) for name in METHODS}
    assert means[ALIKE] < 2 * 3.5
    assert means[ALIKE] < means[POSTERIOR]


def test_planted_vessels_are_told_from_others_by_an_inpainter_that_knows_the_truth():
    """One that makes every patch as it is scores 0 as it is, and what is planted above it."""

    class Knowing:
        def __init__(self, cases):
            self.images = {id(case.image): case.image for case in cases}

        def __call__(self, image, mask):
            one = self.images[id(image)]
            return InpaintedImage(**compared(one, mask, one, one, torch.zeros_like(one), 0.01))

    cases, others = (mask_vessels([patch(n) for n in numbers], 64, SPACING, 1) for numbers in (range(6), range(8, 12)))
    found, false = planted_found(Knowing([*cases, *others]), cases, others)
    assert false == 0
    assert [row["by"] for row in found] == list(PLANTED)
    for row in found:
        if row["patches"]:
            assert row["auc"] == row["found"] == 1


def test_training_windows_are_at_all_corners():
    training = TrainingPatches(torch.rand(2, 1, 12, 12, generator=torch.Generator().manual_seed(0)), 8)
    windows = training_windows(training, 2)
    assert windows.shape == (2 * 3 * 3, 1, 8, 8)
    assert torch.equal(windows[-1], training.images[1, :, 4:, 4:])
    assert len(training_windows(training, 0)) == 2 * 5 * 5
