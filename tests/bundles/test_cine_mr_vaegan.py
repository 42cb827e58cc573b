"""The bundle, as MONAI's own bundle tools see it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch
from bundle_runs import (
    BUNDLES,
    TWO_RANKS,
    check_metadata,
    check_sampled_pairs,
    fresh_bundle,
    steps_of,
    train_by_command,
    workflow,
)
from monai.bundle import ConfigParser, ckpt_export, verify_net_in_out
from small_hearts import SIDE, hearts, tiny_synthesizer

import monai_cardiacgen
from monai_cardiacgen.anatomy.schemes import ACDC
from monai_cardiacgen.bundle_checks import check_bundle
from monai_cardiacgen.data.files import load_checkpoint
from monai_cardiacgen.demo import DemoSettings
from monai_cardiacgen.inferers import CardiacSynthesizer
from monai_cardiacgen.phantom.write import write_acdc_phantom
from monai_cardiacgen.seeding import seeded
from monai_cardiacgen.studies.synthesis import SynthesisBudget

CONFIGS = BUNDLES / "cine_mr_vaegan" / "configs"
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


@pytest.fixture(scope="module")
def patients(tmp_path_factory) -> Path:
    return write_acdc_phantom(tmp_path_factory.mktemp("acdc"), patients=1, seed=0)


def train_one_epoch(root: Path, patients: Path, *launcher: str, config: str) -> Path:
    return train_by_command(root, {**SMALL, "dataset_dir": patients, "max_epochs": 1}, config, *launcher)


@pytest.fixture(scope="module")
def trained(tmp_path_factory, patients) -> Path:
    """The bundle after one epoch on one process."""
    root = fresh_bundle("cine_mr_vaegan", tmp_path_factory.mktemp("trained") / "bundle")
    return train_one_epoch(root, patients, config="configs/train.json")


@pytest.fixture(scope="module")
def trained_on_two_ranks(tmp_path_factory, patients) -> Path:
    """The bundle after one epoch on two ranks, with gloo on the CPU."""
    root = fresh_bundle("cine_mr_vaegan", tmp_path_factory.mktemp("two_ranks") / "bundle")
    return train_one_epoch(root, patients, *TWO_RANKS, config="['configs/train.json','configs/multi_gpu_train.json']")


@pytest.fixture(scope="module")
def tiny(tmp_path_factory) -> Path:
    """The bundle with a synthesizer whose hearts are good enough to be drawn."""
    return tiny_synthesizer().to_bundle(fresh_bundle("cine_mr_vaegan", tmp_path_factory.mktemp("tiny") / "bundle"))


def test_monai_finds_every_property_of_training(tmp_path, patients):
    training = workflow(
        fresh_bundle("cine_mr_vaegan", tmp_path / "bundle"), "train", dataset_dir=str(patients), max_epochs=1, **SMALL
    )
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
    whole = fresh_bundle("cine_mr_vaegan", tmp_path / "whole")
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
    root = fresh_bundle("cine_mr_vaegan", tmp_path / "bundle")
    training = workflow(root, "train", "multi_gpu_train", **SMALL, dataset_dir=str(patients), max_epochs=1)
    assert training.check_properties() == []
    assert steps_of(training) == 2
    found, expected = (load_checkpoint(one / "models" / "model.pt") for one in (root, trained))
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[name], expected[name]) for name in expected)
    assert not torch.distributed.is_initialized()


def test_inference_writes_pairs_that_their_seeds_make_again(tiny, tmp_path):
    check_sampled_pairs(tiny, tmp_path)


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
    check_metadata("cine_mr_vaegan", ACDC)


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


def test_a_bundle_is_read_from_folder_zip_and_name_wherever_it_lies(tiny, tmp_path, monkeypatch):
    expected = CardiacSynthesizer.from_bundle(tiny).sample(1, seeded(3))
    moved = Path(shutil.copytree(tiny, tmp_path / "hub" / "bundle" / "cine_mr_vaegan"))
    packed = shutil.make_archive(str(tmp_path / "cine_mr_vaegan_v0.1.0"), "zip", moved.parent, moved.name)
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "hub"))
    monkeypatch.chdir(tmp_path)
    for source in (moved, packed, "cine_mr_vaegan"):
        found = CardiacSynthesizer.from_bundle(source).sample(1, seeded(3))
        assert torch.equal(found.image, expected.image)
        assert torch.equal(found.label, expected.label)


def test_with_weights_it_passes_every_check(tiny, tmp_path):
    root = Path(shutil.copytree(BUNDLES / "cine_mr_vaegan", tmp_path / "bundle"))
    CardiacSynthesizer.from_bundle(tiny).to_bundle(root)
    assert [check for check in check_bundle(root) if not check.passed] == []


def test_evaluation_scores_painted_and_real_slices(tiny, patients, tmp_path):
    workflow(tiny, "evaluate", dataset_dir=str(patients), output_dir=str(tmp_path), periods=[2, 4]).run()
    scores = dict(line.split(",") for line in (tmp_path / "metrics.csv").read_text().splitlines())
    assert set(scores) == {"similarity", "error", "checkerboard_painted", "checkerboard_real"}
    assert 0 < float(scores["error"]) < 1
