"""The bundle of whole-heart CT, as MONAI's own bundle tools see it."""

from __future__ import annotations

import shutil
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import torch
from bundle_runs import BUNDLES, check_metadata, run_bundle, steps_of, workflow
from monai.bundle import ConfigParser, verify_net_in_out

from monai_cardiacgen.anatomy.schemes import MM_WHS
from monai_cardiacgen.data.files import load_checkpoint, read_csv
from monai_cardiacgen.inferers import CardiacSynthesizer
from monai_cardiacgen.phantom import write_mmwhs_phantom
from monai_cardiacgen.studies.whole_heart.conditional_painter import ConditionalPainter

NAME = "ct_whole_heart_cgan"
CONFIGS = BUNDLES / NAME / "configs"
#: Two steps an epoch of small networks: overrides of train.json.
SMALL = {"side": 128, "features": 2, "iterations_per_epoch": 2, "batch_size": 2, "slice_step": 3}


@pytest.fixture(scope="module")
def volumes(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("mmwhs")
    return write_mmwhs_phantom(folder, 1, 3, "ct", size=(104, 96, 10), spacing=(2.4, 2.6, 6.0))


def fresh_bundle(folder: Path) -> Path:
    shutil.copytree(CONFIGS, folder / "configs", ignore=shutil.ignore_patterns("networks.json"))
    return folder


@pytest.fixture(scope="module")
def trained(tmp_path_factory, volumes) -> Path:
    """The bundle after one epoch."""
    root = fresh_bundle(tmp_path_factory.mktemp("trained") / "bundle")
    return run_bundle(root, {**SMALL, "dataset_dir": volumes, "max_epochs": 1}, "configs/train.json")


def test_monai_finds_every_property(trained, volumes, tmp_path):
    root = fresh_bundle(tmp_path / "new")
    training = workflow(root, "train", dataset_dir=str(volumes), max_epochs=1, **SMALL)
    assert training.check_properties() == []
    assert workflow(trained, "inference", dataset_dir=str(volumes)).check_properties() == []


def test_the_command_trains_a_painter_with_its_curves_and_samples(trained):
    painter = ConditionalPainter.from_bundle(trained)
    assert painter.about["window"] == [-200.0, 600.0]
    assert painter.about["iterations"] == 2
    assert painter.condition.structures == MM_WHS.names[1:]
    rows = read_csv(trained / "models" / "curves.csv")
    assert [row["iteration"] for row in rows] == ["2"]
    assert {"loss", "discriminator", "real_accuracy", "fake_accuracy"} < set(rows[0])
    samples = load_checkpoint(trained / "models" / "samples.pt")
    assert {at: tuple(images.shape) for at, images in samples.items()} == {
        at: (4, 1, 128, 128) for at in ("0", "1", "2")
    }


def test_training_goes_on_to_the_weights_of_an_unbroken_one(trained, volumes, tmp_path):
    settings = {**SMALL, "dataset_dir": str(volumes), "max_epochs": 2}
    rest = Path(shutil.copytree(trained, tmp_path / "rest"))
    assert steps_of(workflow(rest, "train", **settings)) == 2
    whole = fresh_bundle(tmp_path / "whole")
    assert steps_of(workflow(whole, "train", **settings)) == 4
    first, second, before = (load_checkpoint(root / "models" / "model.pt") for root in (rest, whole, trained))
    assert all(torch.equal(first[name], second[name]) for name in second)
    assert any(not torch.equal(first[name], before[name]) for name in before)
    curves = [read_csv(root / "models" / "curves.csv") for root in (rest, whole)]
    assert curves[0] == curves[1]


def test_two_ranks_train_the_same_kind_of_bundle(trained, volumes, tmp_path):
    root = fresh_bundle(tmp_path / "bundle")
    settings = {**SMALL, "dataset_dir": volumes, "max_epochs": 1}
    run_bundle(root, settings, "['configs/train.json','configs/multi_gpu_train.json']", ranks=2)
    files = [sorted(str(path.relative_to(one)) for path in one.rglob("*.*")) for one in (root, trained)]
    assert files[0] == files[1]
    assert ConditionalPainter.from_bundle(root).about == ConditionalPainter.from_bundle(trained).about


def test_the_second_command_adds_a_synthesizer_of_whole_hearts(trained, tmp_path):
    root = Path(shutil.copytree(trained, tmp_path / "bundle"))
    folder = write_mmwhs_phantom(tmp_path / "volumes", 2, 3, "ct", size=(96, 96, 16), spacing=(2.7, 2.7, 12.0))
    small = {"iterations": 2, "budget#iterations_per_round": 2, "budget#batch_size": 2}
    run_bundle(root, {"dataset_dir": folder, **small}, "configs/train_hearts.json")
    synthesizer = CardiacSynthesizer.from_bundle(root)
    assert synthesizer.spatial_size == (128, 128, 96)
    assert synthesizer.sampler.check.view == "whole heart"
    assert (synthesizer.provenance["name"], synthesizer.provenance["hearts"]) == (NAME, 2)
    before, after = (load_checkpoint(one / "models" / "model.pt") for one in (trained, root))
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_one_structure_may_be_the_condition(volumes, tmp_path):
    root = fresh_bundle(tmp_path / "bundle")
    settings = {**SMALL, "dataset_dir": str(volumes), "max_epochs": 1, "structures": ["myocardium"]}
    assert steps_of(workflow(root, "train", **settings)) == 2
    assert ConditionalPainter.from_bundle(root).condition.channels == 2


def test_the_command_makes_ct_of_label_maps_on_their_own_grid(trained, volumes, tmp_path):
    label = nib.load(volumes / "ct_train_1001_label.nii.gz")
    root = Path(shutil.copytree(trained, tmp_path / "bundle"))
    painter = ConditionalPainter.from_bundle(root)
    with torch.no_grad():
        painter.generator.to_image.weight *= 30  # after two steps all is grey; now structures are told apart
    painter.to_bundle(root)
    overrides = {"dataset_dir": volumes, "output_dir": tmp_path / "out"}
    run_bundle(root, overrides, "configs/inference.json")
    written = nib.load(tmp_path / "out" / "ct_train_1001_label_ct.nii.gz")
    assert written.shape == label.shape
    assert np.allclose(written.affine, label.affine)
    assert written.get_data_dtype() == np.int16
    hu = written.get_fdata()
    assert -200 <= hu.min() < hu.max() <= 600
    # The middle slice by hand, which lies as the painter has learned them: resized, painted, and all the way back.
    assert nib.aff2axcodes(label.affine) == ("L", "P", "S")
    codes = torch.from_numpy(label.get_fdata()[:, :, 5].copy())[None, None]
    small = torch.nn.functional.interpolate(codes, (128, 128), mode="nearest-exact")
    painted = painter(small)[0, 0].numpy() * 800 - 200
    assert abs(painted.mean() - hu[..., 5].mean()) < 2
    back = torch.nn.functional.interpolate(torch.from_numpy(painted)[None, None], label.shape[:2], mode="bilinear")
    assert np.allclose(back[0, 0].numpy(), hu[..., 5], atol=0.51)  # whole numbers are written


def test_structures_may_be_left_out_of_the_condition(trained, volumes, tmp_path):
    for shown, empty in ((["myocardium"], False), ([], True)):
        making = workflow(trained, "inference", dataset_dir=str(volumes), shown=shown, output_dir=str(tmp_path))
        (one,) = making.parser.get_parsed_content("dataset")
        condition = one["image"].as_tensor()
        assert condition.shape == (8, 128, 128, 10)
        assert torch.equal(condition.sum(dim=0), torch.ones(128, 128, 10))
        channels = {int(channel) for channel in condition.flatten(1).any(dim=1).nonzero()}
        assert channels == ({0} if empty else {0, MM_WHS.channel("myocardium")})


@pytest.mark.parametrize("kind", ["train", "inference"])
def test_the_network_takes_and_gives_what_the_metadata_says(trained, volumes, kind):
    config, meta = (str(trained / "configs" / f"{name}.json") for name in (kind, "metadata"))
    more = {"bundle_root": str(trained), "dataset_dir": str(volumes)} | ({"features": 2} if kind == "train" else {})
    verify_net_in_out("network_def", meta, config, device="cpu", n=1, **more)


def test_metadata_has_what_the_schema_requires():
    check_metadata(NAME, MM_WHS)


def test_the_paper_is_configured_as_it_says(volumes):
    config = ConfigParser.load_config_file(CONFIGS / "train.json")
    assert (config["side"], config["batch_size"], config["adversarial"]) == (256, 16, 0.012)
    assert config["max_epochs"] * config["iterations_per_epoch"] == 100_000
    parser = ConfigParser(config)
    parser["dataset_dir"], parser["features"] = str(volumes), 2
    assert len(parser.get_parsed_content("network_def").down) == len(parser.get_parsed_content("network_def").up) == 7
    for name in ("network", "discriminator"):
        (group,) = parser.get_parsed_content(f"{name}_optimizer").param_groups
        assert group["lr"] == 1.3e-4
    critic = parser.get_parsed_content("discriminator")
    assert len([one for one in critic.layers if isinstance(one, torch.nn.Conv2d)]) == 5
    assert critic(torch.rand(1, 9, 256, 256)).shape == (1, 1, 32, 32)
    assert config["train"]["handlers"][0]["optimizers"] == []  # constant rates


def test_shipped_weights_are_small_and_those_of_the_configuration():
    assert sum(path.stat().st_size for path in (BUNDLES / NAME / "models").glob("*.pt")) < 25e6
    painter = ConditionalPainter.from_bundle(BUNDLES / NAME)
    config = ConfigParser.load_config_files([str(CONFIGS / "train.json"), str(CONFIGS / "train_128.json")])
    assert painter.about["iterations"] == config["max_epochs"] * config["iterations_per_epoch"]
    assert (painter.about["side"], painter.about["seed"]) == (config["side"], config["seed"])
    assert painter.generator.arguments["channels"][0] == config["features"]
