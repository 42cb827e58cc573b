"""What a training request means."""

from __future__ import annotations

from pathlib import Path

import pytest

from monai_cardiacgen.errors import DataError, InputError
from monai_cardiacgen.label.training import patient_of, split_studies, training_overrides, training_settings

BUNDLE = Path(__file__).parents[2] / "bundles" / "cardiac_segmentation"


def study(name, synthetic=False):
    return {"study": name, "image": f"{name}.nii.gz", "label": f"labels/{name}.nii.gz", "synthetic": synthetic}


STUDIES = [study(f"patient{n:03d}_frame{frame:02d}") for n in range(1, 6) for frame in (1, 9)]
STUDIES += [study(f"patient{n:03d}_frame01_vary_3", synthetic=True) for n in range(1, 6)]


@pytest.mark.parametrize(("share", "held_out"), [(0.0, 1), (0.2, 1), (0.4, 2), (0.9, 4)])
def test_no_patient_is_on_both_sides_and_validation_is_real(share, held_out):
    split = split_studies(STUDIES, share, seed=0)
    training, validation = ({patient_of(one["image"]) for one in part} for part in (split.training, split.validation))
    assert len(validation) == held_out
    assert not training & validation
    assert len(split.validation) == 2 * held_out
    assert len(split.training) == 3 * (5 - held_out)  # two frames and a synthetic case each
    assert all(set(one) == {"image", "label"} for one in split.training)
    assert split_studies(STUDIES, share, seed=0) == split


def test_synthetic_patients_alone_are_no_patients():
    with pytest.raises(DataError, match="got 1"):
        split_studies([study("a_1"), study("b_1_vary_0", synthetic=True)], 0.2, seed=0)


def overrides(tmp_path, synthesizer=None, **settings):
    asked = {**training_settings(synthesizer), **settings}
    return training_overrides(BUNDLE, synthesizer, asked, split_studies(STUDIES, 0.2, 0), "cpu")


def test_a_training_never_goes_on_with_another_ones_checkpoint(tmp_path):
    kinds = [one["_target_"] for one in overrides(tmp_path)["train#handlers"]]
    assert "ValidationHandler" in kinds
    assert not [kind for kind in kinds if kind.endswith("RoundCheckpoint")]


def test_weights_with_synthesis_and_without_are_kept_apart(tmp_path):
    assert overrides(tmp_path)["validate#best#path"].endswith("models/model.pt")
    real = overrides(tmp_path, synthetic_prob=0)
    assert real["validate#best#path"].endswith("models/model_real.pt")
    assert real["train#prepare_batch#synth"] is None


def test_cases_come_from_phantoms_or_a_bundle(tmp_path):
    assert "synthesizer" not in overrides(tmp_path)
    trained = overrides(tmp_path, synthesizer=tmp_path / "cine")
    assert trained["synthesizer"]["folder"] == str(tmp_path / "cine")
    assert trained["synth#mode"] == "vary"
    assert "synthesizer" not in overrides(tmp_path, synthesizer=tmp_path / "cine", synthetic_source="phantoms")


@pytest.mark.parametrize(
    "settings",
    [{"synthetic_prob": 2}, {"max_epochs": 0}, {"synthetic_source": "elsewhere"}, {"pretrained": "perhaps"}],
)
def test_settings_out_of_range(tmp_path, settings):
    with pytest.raises(InputError):
        overrides(tmp_path, **settings)
