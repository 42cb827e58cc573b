"""The bundle of segmentation with phantoms, as MONAI's own bundle tools see it."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import nibabel
import numpy as np
import pytest
import torch
from bundle_runs import BUNDLES, fresh_bundle, run_bundle, steps_of, workflow
from ignite.engine import Events
from monai.bundle import ConfigParser

from monai_cardiacgen.bundle_checks import check_bundle
from monai_cardiacgen.data import read_acdc, split_by_patient
from monai_cardiacgen.data.files import load_checkpoint
from monai_cardiacgen.networks.nets import ENet
from monai_cardiacgen.phantom import write_acdc_phantom
from monai_cardiacgen.studies.augmentation_study.study_settings import ARMS, StudySettings
from monai_cardiacgen.transforms import RandCardiacSynthd

NAME = "cardiac_segmentation"
NETWORK = {"network_def#channels": [4, 8], "network_def#strides": [2]}
GRID = {"spacing": [6.0, 6.0], "spatial_size": [32, 32]}
SPLIT = {"training_patients": 1, "validation_patients": 1}
#: Two steps an epoch, of which the first is half synthetic: overrides of train.json.
SMALL = {
    **NETWORK,
    **GRID,
    **SPLIT,
    "slice_size": [48, 48],
    "iterations_per_epoch": 2,
    "batch_size": 2,
    "phantom_patients": 1,
    "synthetic_share": 0.5,
    "max_epochs": 2,
}


@pytest.fixture(scope="module")
def patients(tmp_path_factory) -> Path:
    return write_acdc_phantom(tmp_path_factory.mktemp("acdc"), patients=3, seed=0)


@pytest.fixture(scope="module")
def trained(tmp_path_factory, patients) -> Path:
    """The bundle after two epochs, by the README's command."""
    root = fresh_bundle(NAME, tmp_path_factory.mktemp("trained") / "bundle")
    return run_bundle(root, {**SMALL, "dataset_dir": patients}, "configs/train.json")


def test_monai_finds_every_property(trained, patients):
    training = workflow(trained, "train", **SMALL, dataset_dir=str(patients))
    assert training.check_properties() == []
    for item in (*training.train_dataset_data, *training.val_dataset_data):
        assert {"image", "label"} <= item.keys()
    inference = workflow(trained, "inference", **NETWORK, dataset_dir=str(patients / "patient001"))
    assert inference.check_properties() == []


def test_phantoms_come_through_the_one_transform_in_the_first_epochs_alone(patients, tmp_path):
    root = fresh_bundle(NAME, tmp_path / "bundle")
    settings = {**SMALL, "synthetic_prob": 1.0, "dataset_dir": str(patients)}
    training = workflow(root, "train", **settings)
    synth = training.parser.get_parsed_content("synth")
    assert isinstance(synth, RandCardiacSynthd)
    made: list[int] = []
    sample = synth.transform.synthesizer.sample

    def counted(n, *arguments, **more):
        made.append(n)
        return sample(n, *arguments, **more)

    synth.transform.synthesizer.sample = counted
    by_epoch = []
    training.trainer.add_event_handler(Events.EPOCH_COMPLETED, lambda: by_epoch.append(sum(made)))
    assert steps_of(training) == 4
    assert by_epoch == [4, 4]  # two steps of two slices, then none


def test_killed_and_continued_it_ends_with_the_same_weights(trained, patients, tmp_path):
    root = fresh_bundle(NAME, tmp_path / "bundle")
    training = workflow(root, "train", **SMALL, dataset_dir=str(patients))

    def kill() -> None:
        raise KeyboardInterrupt

    training.trainer.add_event_handler(Events.ITERATION_COMPLETED(once=3), kill)
    with pytest.raises(KeyboardInterrupt):
        training.run()
    assert steps_of(workflow(root, "train", **SMALL, dataset_dir=str(patients))) == 2
    for name in ("model", "training"):
        one, other = (load_checkpoint(where / "models" / f"{name}.pt") for where in (root, trained))
        torch.testing.assert_close(one, other, rtol=0, atol=0)


def test_two_ranks_train_the_same_kind_of_bundle(trained, patients, tmp_path):
    root = fresh_bundle(NAME, tmp_path / "bundle")
    config = "['configs/train.json','configs/multi_gpu_train.json']"
    run_bundle(root, {**SMALL, "dataset_dir": patients}, config, ranks=2)
    one, other = (load_checkpoint(where / "models" / "model.pt") for where in (root, trained))
    assert {name: value.shape for name, value in one.items()} == {name: value.shape for name, value in other.items()}
    # What two ranks have trained, one process goes on with: nothing is left to do.
    assert steps_of(workflow(root, "train", **SMALL, dataset_dir=str(patients))) == 0


def test_segmentations_lie_on_the_grid_of_their_files(trained, patients, tmp_path):
    (tmp_path / "images").mkdir()
    image = shutil.copy(min(patients.rglob("*_frame01.nii.gz")), tmp_path / "images")
    folders = {"dataset_dir": str(tmp_path / "images"), "output_dir": str(tmp_path / "found")}
    workflow(trained, "inference", **NETWORK, **GRID, **folders).run()
    (path,) = (tmp_path / "found").iterdir()
    assert path.name == Path(image).name.replace(".nii.gz", "_seg.nii.gz")
    found, given = nibabel.load(path), nibabel.load(image)
    assert (found.shape, found.get_data_dtype()) == (given.shape, np.uint8)
    assert np.allclose(found.affine, given.affine)
    assert set(np.unique(found.dataobj)) <= {0, 1, 2, 3}


def test_evaluation_is_dice_of_the_testing_patients_on_their_own_grid(trained, patients, tmp_path):
    folders = {"dataset_dir": str(patients), "output_dir": str(tmp_path)}
    workflow(trained, "inference", "evaluate", **NETWORK, **GRID, **SPLIT, **folders).run()
    with (tmp_path / "dice_raw.csv").open() as file:
        rows = [[float(value) for value in row[1:]] for row in list(csv.reader(file))[1:] if row]
    items = split_by_patient(read_acdc(patients), 1, 1, seed=0).testing
    assert len(rows) == len(items) == 2
    for item, row in zip(items, rows, strict=True):
        expert = np.asarray(nibabel.load(item["label"]).dataobj)
        name = Path(item["image"]).name.replace(".nii.gz", "_seg.nii.gz")
        found = np.asarray(nibabel.load(tmp_path / name).dataobj)
        for code, dice in enumerate(row[:3], start=1):
            one, other = found == code, expert == code
            assert dice == pytest.approx(2 * (one & other).sum() / (one.sum() + other.sum()), abs=1e-4)


def test_either_network_passes_every_check_with_weights(tmp_path):
    """Shape, TorchScript and ONNX of the untrained networks."""
    for network in ("unet", "enet"):
        root = Path(shutil.copytree(BUNDLES / NAME, tmp_path / network))
        if network == "enet":
            told = ConfigParser.load_config_file(root / "configs" / "enet.json")["network_def"]
            for kind in ("train", "inference"):
                path = root / "configs" / f"{kind}.json"
                content = ConfigParser.load_config_file(path)
                ConfigParser.export_config_file({**content, "network_def": told}, path)
        parser = ConfigParser(ConfigParser.load_config_file(root / "configs" / "inference.json"))
        made = parser.get_parsed_content("network_def")
        assert isinstance(made, ENet) == (network == "enet")
        (root / "models").mkdir(exist_ok=True)
        torch.save(made.state_dict(), root / "models" / "model.pt")
        assert [check for check in check_bundle(root) if not check.passed] == []


def test_the_bundle_trains_as_the_study_does():
    config = ConfigParser.load_config_file(BUNDLES / NAME / "configs" / "train.json")
    study, arm = StudySettings("anywhere"), ARMS["on_the_fly"]
    assert config["max_epochs"] * config["iterations_per_epoch"] == study.iterations
    assert config["iterations_per_epoch"] == study.iterations_per_round
    assert (config["batch_size"], config["learning_rate"]) == (study.batch_size, study.learning_rate)
    assert config["spacing"] == [study.spacing] * 2
    assert config["spatial_size"] == [study.side] * 2
    assert config["slice_size"] == [study.side + 2 * study.margin] * 2
    assert config["phantom_patients"] == study.phantoms
    assert (config["synthetic_prob"], 1 - config["synthetic_share"]) == (arm.prob, pytest.approx(arm.fine_tuned))
