"""The bundle, as MONAI's own bundle tools see it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import nibabel
import numpy as np
import pytest
import torch
from ignite.engine import Events
from monai.bundle import ConfigParser, ConfigWorkflow, ckpt_export, verify_net_in_out
from monai.utils import set_determinism
from small_hearts import SIDE, hearts, tiny_synthesizer

import monai_cardiacgen
from monai_cardiacgen.anatomy.schemes import ACDC
from monai_cardiacgen.data import SeedDataset
from monai_cardiacgen.data.files import load_checkpoint, read_json
from monai_cardiacgen.demo import DemoSettings
from monai_cardiacgen.inferers import CardiacSynthesizer
from monai_cardiacgen.phantom.write import write_acdc_phantom
from monai_cardiacgen.seeding import seeded
from monai_cardiacgen.studies.synthesis import SynthesisBudget

CONFIGS = Path(__file__).parents[2] / "bundles" / "cine_mr_vaegan" / "configs"
#: Two steps an epoch of a small synthesizer: overrides of train.json.
SMALL = {
    "spacing": [6.0, 6.0],
    "spatial_size": [32, 32],
    "slice_size": [48, 48],
    "channels": [16, 8, 8],
    "start_size": [8, 8],
    "iterations_per_epoch": 2,
    "batch_size": 4,
}
METADATA_KEYS = {
    "schema": str,
    "version": str,
    "changelog": dict,
    "monai_version": str,
    "pytorch_version": str,
    "numpy_version": str,
    "required_packages_version": dict,
    "supported_apps": dict,
    "task": str,
    "description": str,
    "authors": str,
    "copyright": str,
    "network_data_format": dict,
}
FORMAT_KEYS = {
    "type": str,
    "format": str,
    "num_channels": int,
    "spatial_shape": list,
    "dtype": str,
    "value_range": list,
    "is_patch_data": bool,
    "channel_def": dict,
}


@pytest.fixture(autouse=True)
def as_it_was(monkeypatch):
    """A workflow adds its root to the path, and train.json fixes the seeds of the whole process."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield
    set_determinism(None)


@pytest.fixture(scope="module")
def patients(tmp_path_factory) -> Path:
    return write_acdc_phantom(tmp_path_factory.mktemp("acdc"), patients=1, seed=0)


def fresh_bundle(folder: Path) -> Path:
    shutil.copytree(CONFIGS, folder / "configs", ignore=shutil.ignore_patterns("synthesizer.json"))
    return folder


def train_one_epoch(root: Path, patients: Path, *launcher: str, config: str) -> Path:
    """Train by the command that the README names; one that fails or hangs, fails the test."""
    overrides = {**SMALL, "dataset_dir": str(patients), "max_epochs": 1}
    command = [sys.executable, "-m", *launcher, "monai.bundle", "run", "--config_file", config]
    for name, value in overrides.items():
        command += [f"--{name}", str(value)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr[-6000:]
    return root


@pytest.fixture(scope="module")
def trained(tmp_path_factory, patients) -> Path:
    """The bundle after one epoch on one process."""
    root = fresh_bundle(tmp_path_factory.mktemp("trained") / "bundle")
    return train_one_epoch(root, patients, config="configs/train.json")


@pytest.fixture(scope="module")
def trained_on_two_ranks(tmp_path_factory, patients) -> Path:
    """The bundle after one epoch on two ranks, with gloo on the CPU."""
    root = fresh_bundle(tmp_path_factory.mktemp("two_ranks") / "bundle")
    launcher = ("torch.distributed.run", "--standalone", "--nnodes=1", "--nproc_per_node=2", "-m")
    return train_one_epoch(root, patients, *launcher, config="['configs/train.json','configs/multi_gpu_train.json']")


@pytest.fixture(scope="module")
def tiny(tmp_path_factory) -> Path:
    """The bundle with a synthesizer whose hearts are good enough to be drawn."""
    return tiny_synthesizer().to_bundle(fresh_bundle(tmp_path_factory.mktemp("tiny") / "bundle"))


def workflow(root: Path, kind: str, *more: str, **overrides) -> ConfigWorkflow:
    one = ConfigWorkflow(
        [str(root / "configs" / f"{name}.json") for name in (kind, *more)],
        workflow_type=kind,
        logging_file=False,  # pytest has its own logging
        bundle_root=str(root),
        **overrides,
    )
    one.initialize()
    return one


def steps_of(training: ConfigWorkflow) -> int:
    """Train, and return how many steps that took."""
    steps = []
    training.trainer.add_event_handler(Events.ITERATION_COMPLETED, lambda engine: steps.append(engine.state.iteration))
    training.run()
    training.finalize()
    return len(steps)


def test_monai_finds_every_property_of_training(tmp_path, patients):
    training = workflow(fresh_bundle(tmp_path / "bundle"), "train", dataset_dir=str(patients), max_epochs=1, **SMALL)
    assert training.check_properties() == []


def test_monai_finds_every_property_of_inference(tiny):
    assert workflow(tiny, "inference").check_properties() == []


def test_the_command_trains_a_synthesizer(trained):
    synthesizer = CardiacSynthesizer.from_bundle(trained)
    assert synthesizer.spatial_size == (32, 32)
    assert synthesizer.spacing == (6.0, 6.0)
    assert synthesizer.provenance["name"] == "cine_mr_vaegan"
    assert synthesizer.provenance["version"] == monai_cardiacgen.__version__
    assert synthesizer.provenance["slices"] >= len(synthesizer.styles) > 0
    image = synthesizer.synthesize(hearts(1)[1][:, 0], None, seeded(0))
    assert image.shape == (1, 1, 32, 32)
    assert 0 <= float(image.min()) < float(image.max()) <= 1


def test_training_goes_on_to_the_weights_of_an_unbroken_one(trained, patients, tmp_path):
    settings = {**SMALL, "dataset_dir": str(patients), "max_epochs": 2}
    rest = Path(shutil.copytree(trained, tmp_path / "rest"))
    assert steps_of(workflow(rest, "train", **settings)) == 2
    whole = fresh_bundle(tmp_path / "whole")
    assert steps_of(workflow(whole, "train", **settings)) == 4
    first, second, before = (load_checkpoint(root / "models" / "model.pt") for root in (rest, whole, trained))
    assert all(torch.equal(first[name], second[name]) for name in second)
    assert any(not torch.equal(first[name], before[name]) for name in before)


def test_two_ranks_train_the_same_kind_of_bundle(trained, trained_on_two_ranks, patients, tmp_path):
    files = [
        sorted(str(path.relative_to(root)) for path in root.rglob("*.*")) for root in (trained_on_two_ranks, trained)
    ]
    assert files[0] == files[1]
    one, other = (CardiacSynthesizer.from_bundle(root) for root in (trained_on_two_ranks, trained))
    assert one.provenance == other.provenance
    assert one.styles.shape == other.styles.shape
    # What two ranks have trained, one process goes on with.
    rest = Path(shutil.copytree(trained_on_two_ranks, tmp_path / "rest"))
    assert steps_of(workflow(rest, "train", **SMALL, dataset_dir=str(patients), max_epochs=2)) == 2


def test_one_rank_trains_the_very_weights_of_the_plain_command(trained, patients, tmp_path, monkeypatch):
    for name, value in {
        "RANK": 0,
        "WORLD_SIZE": 1,
        "LOCAL_RANK": 0,
        "MASTER_ADDR": "localhost",
        "MASTER_PORT": 0,
    }.items():
        monkeypatch.setenv(name, str(value))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    root = fresh_bundle(tmp_path / "bundle")
    training = workflow(root, "train", "multi_gpu_train", **SMALL, dataset_dir=str(patients), max_epochs=1)
    assert training.check_properties() == []
    assert steps_of(training) == 2
    found, expected = (load_checkpoint(one / "models" / "model.pt") for one in (root, trained))
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[name], expected[name]) for name in expected)
    assert not torch.distributed.is_initialized()


def test_inference_writes_pairs_that_their_seeds_make_again(tiny, tmp_path):
    sampling = workflow(tiny, "inference", count=3, batch_size=2, seed=5, output_dir=str(tmp_path))
    sampling.run()
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        f"synthetic_{number:06d}{postfix}.nii.gz" for number in range(3) for postfix in ("", "_gt")
    ]
    synthesizer = CardiacSynthesizer.from_bundle(tiny)
    for case in SeedDataset(3, seed=5):
        stem = tmp_path / f"synthetic_{case['number']:06d}"
        image, label = (nibabel.load(f"{stem}{postfix}.nii.gz") for postfix in ("", "_gt"))
        expected = synthesizer.sample(1, [seeded(case["seed"])])
        assert label.get_data_dtype() == np.uint8
        assert np.array_equal(np.asarray(label.dataobj).reshape(SIDE, SIDE), expected.label[0].numpy())
        assert np.allclose(np.asarray(image.dataobj).reshape(SIDE, SIDE), expected.image[0, 0].numpy(), atol=1e-5)
        assert np.allclose(image.header.get_zooms()[:2], synthesizer.spacing)
        assert np.array_equal(image.affine, label.affine)


@pytest.mark.parametrize("kind", ["train", "inference"])
@pytest.mark.parametrize("n", [1, 3])
def test_network_takes_and_gives_what_the_metadata_says(tiny, kind, n):
    config, meta = (str(tiny / "configs" / f"{name}.json") for name in (kind, "metadata"))
    verify_net_in_out("network_def", meta, config, device="cpu", n=n, bundle_root=str(tiny))


@pytest.mark.filterwarnings("ignore::torch.jit.TracerWarning")
def test_exported_network_paints_what_the_synthesizer_paints(tiny, tmp_path):
    exported = tmp_path / "model.ts"
    ckpt_export(
        "network_def",
        filepath=str(exported),
        config_file=str(tiny / "configs" / "inference.json"),
        use_trace=True,
        input_shape=[1, ACDC.num_classes, SIDE, SIDE],
        bundle_root=str(tiny),
    )
    one_hot = ACDC.one_hot(hearts(1)[1][:, 0])
    generator = CardiacSynthesizer.from_bundle(tiny).generator
    torch.testing.assert_close(torch.jit.load(exported)(one_hot), generator(one_hot), rtol=0, atol=1e-5)


def test_metadata_has_what_the_schema_requires():
    metadata = read_json(CONFIGS / "metadata.json")
    assert {key: type(metadata.get(key)) for key in METADATA_KEYS} == METADATA_KEYS
    tensors = [metadata["network_data_format"]["inputs"]["image"], metadata["network_data_format"]["outputs"]["pred"]]
    for tensor in tensors:
        assert {key: type(tensor.get(key)) for key in FORMAT_KEYS} == FORMAT_KEYS
        assert len(tensor["channel_def"]) == tensor["num_channels"]
    assert metadata["version"] in metadata["changelog"]
    assert metadata["required_packages_version"]["monai_cardiacgen"] == monai_cardiacgen.__version__
    names = ["background", *(one.name for one in ACDC.structures)]
    assert tensors[0]["channel_def"] == {str(channel): name for channel, name in enumerate(names)}


def test_the_bundle_trains_as_the_demo_does():
    config = ConfigParser.load_config_file(CONFIGS / "train.json")
    budget, demo = SynthesisBudget(), DemoSettings()
    assert config["max_epochs"] * config["iterations_per_epoch"] == budget.iterations == demo.synthesis_iterations
    assert config["batch_size"] == budget.batch_size
    assert tuple(config["channels"]) == budget.channels
    assert config["spacing"] == [demo.spacing] * 2
    assert config["spatial_size"] == [demo.side] * 2
    assert config["slice_size"] == [demo.side + 2 * demo.margin] * 2
    assert [side * 2 ** (len(budget.channels) - 1) for side in config["start_size"]] == config["spatial_size"]
