"""The bundle of Sunnybrook's hearts: what differs from the one of ACDC's."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch
from bundle_runs import BUNDLES, check_metadata, fresh_bundle, run_bundle, steps_of, workflow
from monai.bundle import ConfigParser, verify_net_in_out
from write_sunnybrook import write_patient

from monai_cardiacgen.anatomy.schemes import SUNNYBROOK
from monai_cardiacgen.data import SunnybrookSlices
from monai_cardiacgen.data.files import load_checkpoint, read_csv
from monai_cardiacgen.inferers import CardiacSynthesizer
from monai_cardiacgen.seeding import seeded

NAME, ACDC_NAME = "cine_mr_vaegan_sunnybrook", "cine_mr_vaegan"
#: Two steps an epoch of a small synthesizer: overrides of train.json.
SMALL = {
    "spacing": [2.0, 2.0],
    "spatial_size": [32, 32],
    "slice_size": [40, 40],
    "channels": [16, 8, 8],
    "start_size": [8, 8],
    "iterations_per_epoch": 2,
    "batch_size": 2,
}


@pytest.fixture(scope="module")
def patients(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("sunnybrook")
    write_patient(folder)
    write_patient(folder, "SC-N-2", "SCD0000202")
    return folder


@pytest.fixture(scope="module")
def trained(tmp_path_factory, patients) -> Path:
    """The bundle after one epoch, by the README's command."""
    root = Path(shutil.copytree(BUNDLES / NAME, tmp_path_factory.mktemp("trained") / "bundle"))
    return run_bundle(root, {**SMALL, "dataset_dir": patients, "max_epochs": 1}, "configs/train.json")


def test_monai_finds_every_property(trained, patients):
    assert workflow(trained, "train", **SMALL, dataset_dir=str(patients)).check_properties() == []
    assert workflow(trained, "inference").check_properties() == []


def test_the_trained_network_takes_and_gives_what_the_metadata_says(trained):
    meta, config = (str(trained / "configs" / f"{name}.json") for name in ("metadata", "inference"))
    verify_net_in_out("network_def", meta, config, device="cpu", n=1, bundle_root=str(trained))


def test_training_goes_on_to_the_weights_of_an_unbroken_one(trained, patients, tmp_path):
    settings = {**SMALL, "dataset_dir": str(patients), "max_epochs": 2}
    rest = Path(shutil.copytree(trained, tmp_path / "rest"))
    assert steps_of(workflow(rest, "train", **settings)) == 2
    whole = fresh_bundle(NAME, tmp_path / "whole")
    assert steps_of(workflow(whole, "train", **settings)) == 4
    first, second = (load_checkpoint(root / "models" / "model.pt") for root in (rest, whole))
    torch.testing.assert_close(first, second, rtol=0, atol=0)


def test_two_ranks_train_the_same_kind_of_bundle(trained, patients, tmp_path):
    root = fresh_bundle(NAME, tmp_path / "bundle")
    config = "['configs/train.json','configs/multi_gpu_train.json']"
    run_bundle(root, {**SMALL, "dataset_dir": patients, "max_epochs": 1}, config, ranks=2)
    one, other = (CardiacSynthesizer.from_bundle(folder) for folder in (root, trained))
    assert one.provenance == other.provenance
    assert one.scheme == other.scheme == SUNNYBROOK


def test_evaluation_compares_maps_painted_in_their_own_style_with_their_images(trained, patients, tmp_path):
    settings = {"dataset_dir": str(patients), "batch_size": 4, "periods": [2, 4]}
    workflow(trained, "evaluate", **settings, output_dir=str(tmp_path)).run()
    scores = dict(line.split(",") for line in (tmp_path / "metrics.csv").read_text().splitlines())
    assert set(scores) == {"similarity", "error", "checkerboard_painted", "checkerboard_real"}
    synthesizer, generator = CardiacSynthesizer.from_bundle(trained), seeded(0)
    slices = SunnybrookSlices(patients, (2, 2), (32, 32))
    image, label = (torch.stack([one[key] for one in slices]) for key in ("image", "label"))
    painted = [
        synthesizer.synthesize(label[rows, 0], synthesizer.encode_style(image[rows]), generator)
        for rows in torch.arange(len(image)).split(4)
    ]
    assert float(scores["error"]) == pytest.approx(float((torch.cat(painted) - image).abs().mean()), abs=1e-4)
    assert len([row for row in read_csv(tmp_path / "similarity_raw.csv") if row]) == len(slices) == 6


def test_metadata_has_what_the_schema_requires():
    check_metadata(NAME, SUNNYBROOK)


def flat(value, where: str = "") -> dict:
    """Return a configuration's values by their places."""
    if not isinstance(value, dict | list) or not value:
        return {where: value}
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    return {place: leaf for key, one in inner for place, leaf in flat(one, f"{where}#{key}").items()}


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("inference", set()),
        ("multi_gpu_train", set()),
        ("evaluate", {"#dataset_dir", "#dataset#_target_"}),
        (
            "train",
            {
                "#dataset_dir",
                "#train#dataset#_target_",
                "#scheme#name",
                "#vae#num_classes",
                "#network_def#label_channels",
                "#discriminator#in_channels",
                "#synthesizer#provenance#name",
            },
        ),
    ],
)
def test_it_differs_from_acdcs_bundle_in_data_and_scheme_alone(kind, expected):
    configs = [BUNDLES / name / "configs" / f"{kind}.json" for name in (NAME, ACDC_NAME)]
    ours, theirs = (flat(ConfigParser.load_config_file(path)) for path in configs)
    assert {key for key in ours.keys() | theirs.keys() if ours.get(key) != theirs.get(key)} == expected
