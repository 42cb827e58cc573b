"""Painters for the grid see the patients and the batches that their name says, and paint the testing patients' maps."""

from __future__ import annotations

import torch
from small_hearts import TINY_PAINTER, sector_synthesizer

from benchmarks.echo_causes import Causes, CausesSettings
from benchmarks.echo_grid import few_patients, painted_after
from monai_cardiacgen.anatomy import APICAL_CONDITION
from monai_cardiacgen.data.files import read_json
from monai_cardiacgen.phantom import write_camus_phantom
from monai_cardiacgen.studies import TrainedOn

SMALL = CausesSettings(
    side=32,
    validation=1,
    testing=1,
    painter_iterations=2,
    painter_round=1,
    more=TINY_PAINTER,
)


def test_fewer_patients_and_other_batches(tmp_path):
    data = write_camus_phantom(tmp_path / "camus", patients=4, seed=0)
    bundle = sector_synthesizer(heart_condition=APICAL_CONDITION).to_bundle(tmp_path / "bundle")
    (tmp_path / "study").mkdir()
    study = Causes(data, bundle, tmp_path / "study", SMALL)
    few = few_patients(study.split, 1)
    assert len({one["patient"] for one in few.training}) == 1
    assert (few.validation, few.testing) == (study.split.validation, study.split.testing)
    made = {}
    for patients, batch_size in ((None, 4), (1, 4), (1, 2)):
        trained_on, images = painted_after(study, data, bundle, patients, batch_size)
        assert trained_on == TrainedOn(8 if patients is None else 4, batch_size)
        assert images.shape == (4, 1, 32, 32)
        made[trained_on] = images
    assert len({tuple(one.flatten().tolist()) for one in made.values()}) == 3
    settings = read_json(tmp_path / "study" / "patients_1_batch_2" / "settings.json")
    assert settings["more"]["batch_size"] == 2
    assert all(torch.isfinite(one).all() for one in made.values())
