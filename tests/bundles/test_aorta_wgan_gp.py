"""The bundle of the aortic region, as MONAI's own bundle tools see it."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import torch
from bundle_runs import run_bundle, steps_of
from ignite.engine import Events
from monai.bundle import ConfigParser, ConfigWorkflow, verify_net_in_out
from monai.utils import set_determinism

import monai_cardiacgen
from monai_cardiacgen.data.files import load_checkpoint, read_json
from monai_cardiacgen.phantom import write_mmwhs_phantom
from monai_cardiacgen.studies.vessels.aortic_patches import AorticPatches
from monai_cardiacgen.studies.vessels.inpainting_networks import (
    InpaintingBudget,
    VesselInpainter,
    new_inpainting_networks,
    train_inpainter,
)
from monai_cardiacgen.studies.vessels.patch_realism import patch_realism
from monai_cardiacgen.studies.vessels.vessel_inpainting import SearchSettings
from monai_cardiacgen.studies.vessels.vessel_networks import (
    Latents,
    VesselBudget,
    VesselGAN,
    new_vessel_gan,
    train_vessel_gan,
)
from monai_cardiacgen.studies.vessels.vessel_study import VesselStudySettings

BUNDLE = Path(__file__).parents[2] / "bundles" / "aorta_wgan_gp"
#: Two steps an epoch of small networks: overrides of train.json.
SMALL = {"patch_size": 32, "features": 2, "latent_size": 5, "iterations_per_epoch": 2, "batch_size": 3}
#: The same for train_inpainter.json.
SMALL_INPAINTER = {"patch_size": 32, "channels": [2, 4], "features": 2, "iterations_per_epoch": 2, "batch_size": 3}
#: What MONAI's schema of metadata requires.
TEXTS = {"schema", "version", "monai_version", "pytorch_version", "numpy_version", "task", "description", "authors"}
OBJECTS = {"changelog", "required_packages_version", "supported_apps", "network_data_format"}


@pytest.fixture(autouse=True)
def as_it_was(monkeypatch):
    """A workflow adds its root to the path, and train.json fixes the seeds of the whole process."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield
    set_determinism(None)


@pytest.fixture(scope="module")
def volumes(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("mmwhs")
    write_mmwhs_phantom(folder, 1, 3, "mr", size=(104, 104, 10), spacing=(2.4, 2.4, 4.0))
    return folder


def fresh_bundle(folder: Path) -> Path:
    shutil.copytree(
        BUNDLE / "configs", folder / "configs", ignore=shutil.ignore_patterns("networks.json", "inpainter.json")
    )
    return folder


@pytest.fixture(scope="module")
def tiny(tmp_path_factory) -> Path:
    root = fresh_bundle(tmp_path_factory.mktemp("tiny") / "bundle")
    VesselInpainter(new_inpainting_networks(32, (2, 4), 2, 0).generator).to_bundle(root)
    return new_vessel_gan(32, 2, 100, 0).to_bundle(root, {"spacing": 2.0})


def workflow(root: Path, config: str, **overrides) -> ConfigWorkflow:
    one = ConfigWorkflow(
        str(root / "configs" / f"{config}.json"),
        workflow_type=config.split("_")[0],
        logging_file=False,  # pytest has its own logging
        bundle_root=str(root),
        **overrides,
    )
    one.initialize()
    return one


def load_config(name: str) -> dict:
    return ConfigParser.load_config_file(BUNDLE / "configs" / f"{name}.json")


def run(root: Path, run_id: str, config: str, **overrides) -> None:
    run_bundle(root, overrides, f"configs/{config}.json", run_id)


def test_monai_finds_every_property(tiny, volumes, tmp_path):
    training = workflow(fresh_bundle(tmp_path / "new"), "train", dataset_dir=str(volumes), max_epochs=1, **SMALL)
    assert training.check_properties() == []
    root = fresh_bundle(tmp_path / "other")
    settings = {"dataset_dir": str(volumes), "max_epochs": 1, **SMALL_INPAINTER}
    assert workflow(root, "train_inpainter", **settings).check_properties() == []
    assert workflow(tiny, "inference").check_properties() == []


def test_the_command_trains_the_weights_of_the_study(volumes, tmp_path):
    root = fresh_bundle(tmp_path / "bundle")
    run(root, "run", "train", dataset_dir=volumes, max_epochs=2, **SMALL)
    found = VesselGAN.from_bundle(root)
    budget = VesselBudget(iterations=4, iterations_per_round=2, batch_size=3, patch_size=32, features=2, latent_size=5)
    expected = train_vessel_gan(AorticPatches(volumes, side=40), tmp_path / "study", budget=budget, seed=0)
    assert all(torch.equal(value, found.state_dict()[name]) for name, value in expected.state_dict().items())
    assert found.about == {"spacing": 2.0, "seed": 0, "iterations": 4, "patches": len(AorticPatches(volumes))}


def test_the_command_trains_the_inpainter_of_the_study(volumes, tmp_path):
    root = fresh_bundle(tmp_path / "bundle")
    run(root, "run", "train_inpainter", dataset_dir=volumes, max_epochs=2, **SMALL_INPAINTER)
    found, patches = VesselInpainter.from_bundle(root), AorticPatches(volumes, side=40)
    budget = InpaintingBudget(4, iterations_per_round=2, batch_size=3, patch_size=32, channels=(2, 4), features=2)
    expected = train_inpainter(patches, tmp_path / "study", budget=budget, seed=0).generator.state_dict()
    assert all(torch.equal(value, found.generator.state_dict()[name]) for name, value in expected.items())
    assert found.about == {"spacing": 2.0, "patch_size": 32, "seed": 0, "iterations": 4, "patches": len(patches)}


def test_patches_are_written_and_follow_from_the_seed(tiny, tmp_path):
    sampling = workflow(tiny, "inference", count=3, batch_size=2, seed=5, output_dir=str(tmp_path))
    sampling.run()
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"patch_{n:06d}.nii.gz" for n in range(3)]
    generator = VesselGAN.from_bundle(tiny).generator
    for number, latent in enumerate(Latents(3, 100, 5, 2.0)):
        written = nib.load(tmp_path / f"patch_{number:06d}.nii.gz")
        with torch.no_grad():
            expected = generator(latent["image"].as_tensor()[None])[0, 0].numpy()
        assert np.allclose(written.get_fdata().reshape(32, 32), expected, atol=1e-5)
        assert written.header.get_zooms()[:2] == (2, 2)


@pytest.mark.parametrize(
    "chosen", [{}, {"inpainter": "@search", "starts": 2, "candidates": 2, "steps": 2}], ids=["one pass", "search"]
)
def test_the_command_inpaints_patients(tiny, volumes, tmp_path, chosen):
    run(tiny, "inpaint", "inference", dataset_dir=volumes, output_dir=tmp_path, mask_size=9, **chosen)
    patches = AorticPatches(volumes, side=32)
    names = {f"{one['name']}_{kind}.nii.gz" for one in patches for kind in ("healthy", "anomaly", "zscore")}
    assert {path.name for path in tmp_path.iterdir()} == names
    one = patches[0]
    healthy, score = (nib.load(tmp_path / f"{one['name']}_{kind}.nii.gz") for kind in ("healthy", "zscore"))
    assert np.allclose(healthy.affine, one["affine"].numpy(), atol=1e-4)
    differs = np.abs(healthy.get_fdata().reshape(32, 32) - one["image"][0].numpy()) > 1e-6
    rows, columns = np.nonzero(differs)
    assert 0 < max(np.ptp(rows), np.ptp(columns)) <= 8
    assert ((score.get_fdata().reshape(32, 32) > 0) <= differs).all()


def test_the_network_takes_and_gives_what_the_metadata_says():
    config, meta = (str(BUNDLE / "configs" / f"{name}.json") for name in ("inference", "metadata"))
    verify_net_in_out("network_def", meta, config, device="cpu", bundle_root=str(BUNDLE))


def test_shipped_weights_are_small_and_those_of_the_configuration():
    gan = VesselGAN.from_bundle(BUNDLE)
    assert sum(path.stat().st_size for path in (BUNDLE / "models").glob("*.pt")) < 25e6
    config, further = load_config("train"), load_config("train_on")
    epochs = config["max_epochs"] + 9 + further["max_epochs"]  # 9 by the README's second line, between the two
    assert gan.about["iterations"] == epochs * config["iterations_per_epoch"]
    assert gan.generator.arguments["features"] == config["features"]
    assert gan.about["seed"] == further["seed"]
    inpainter, config = VesselInpainter.from_bundle(BUNDLE), load_config("train_inpainter")
    assert inpainter.about["iterations"] == config["max_epochs"] * config["iterations_per_epoch"]
    assert inpainter.about["seed"] == config["seed"]
    assert inpainter.about["spacing"] == gan.about["spacing"]
    assert inpainter.about["patch_size"] == gan.critic.patch_size == config["patch_size"]
    assert inpainter.generator.arguments["channels"] == config["channels"]


def test_a_training_goes_on_from_the_bundles_weights(volumes, tmp_path):
    before = new_vessel_gan(32, 2, 5, 0)
    root = before.to_bundle(fresh_bundle(tmp_path / "bundle"), {"iterations": 4})
    files = [str(root / "configs" / f"{one}.json") for one in ("train", "train_on")]
    settings = {**SMALL, "dataset_dir": str(volumes), "max_epochs": 1, "batch_size": 2, "learning_rate": 1e-12}
    further = ConfigWorkflow(files, workflow_type="train", logging_file=False, bundle_root=str(root), **settings)
    further.initialize()
    further.run()
    after = VesselGAN.from_bundle(root)
    assert after.about["iterations"] == 4 + SMALL["iterations_per_epoch"]
    for name, value in before.state_dict().items():
        torch.testing.assert_close(after.state_dict()[name], value, atol=1e-5, rtol=0)


def test_metadata_has_what_the_schema_requires():
    metadata = read_json(BUNDLE / "configs" / "metadata.json")
    assert {key for key, value in metadata.items() if isinstance(value, str)} >= TEXTS | {"copyright"}
    assert {key for key, value in metadata.items() if isinstance(value, dict)} == OBJECTS
    assert metadata["version"] in metadata["changelog"]
    assert metadata["required_packages_version"]["monai_cardiacgen"] == monai_cardiacgen.__version__
    told = metadata["network_data_format"]
    latent, patch = told["inputs"]["image"], told["outputs"]["pred"]
    config = load_config("train")
    assert latent["num_channels"] == config["latent_size"]
    assert patch["spatial_shape"] == [config["patch_size"]] * 2


def test_the_bundle_trains_and_searches_as_the_study_does():
    config = load_config("train")
    budget, settings = VesselBudget(), VesselStudySettings()
    assert config["max_epochs"] * config["iterations_per_epoch"] == budget.iterations
    assert config["iterations_per_epoch"] == budget.iterations_per_round
    for name in ("batch_size", "patch_size", "features", "latent_size", "critic_steps", "learning_rate"):
        assert config[name] == getattr(budget, name)
    assert config["spacing"] == settings.spacing
    assert config["seed"] == settings.training_seed
    searching = load_config("inference")
    for name in ("starts", "candidates", "steps", "near"):
        assert searching[name] == getattr(SearchSettings(), name)
    assert searching["mask_size"] == settings.mask_size
    config, budget = load_config("train_inpainter"), InpaintingBudget()
    assert config["max_epochs"] * config["iterations_per_epoch"] == budget.iterations
    assert config["iterations_per_epoch"] == budget.iterations_per_round
    for name in ("batch_size", "patch_size", "features", "adversarial", "learning_rate"):
        assert config[name] == getattr(budget, name)
    assert config["channels"] == list(budget.channels)


def test_killed_and_continued_it_ends_with_the_same_weights(volumes, tmp_path):
    settings = {**SMALL, "dataset_dir": str(volumes), "max_epochs": 2}
    whole, stopped = (fresh_bundle(tmp_path / name) for name in ("whole", "stopped"))
    workflow(whole, "train", **settings).run()
    training = workflow(stopped, "train", **settings)

    def kill() -> None:
        raise KeyboardInterrupt

    training.trainer.add_event_handler(Events.ITERATION_COMPLETED(once=3), kill)
    with pytest.raises(KeyboardInterrupt):
        training.run()
    assert not (stopped / "models" / "model.pt").exists()
    assert steps_of(workflow(stopped, "train", **settings)) == 2
    for name in ("model", "critic"):
        one, other = (load_checkpoint(root / "models" / f"{name}.pt") for root in (whole, stopped))
        torch.testing.assert_close(one, other, rtol=0, atol=0)


def test_two_ranks_train_the_same_kind_of_bundle(volumes, tmp_path):
    root = fresh_bundle(tmp_path / "inpainter")
    config = "['configs/train_inpainter.json','configs/multi_gpu_train.json']"
    run_bundle(root, {**SMALL_INPAINTER, "dataset_dir": volumes, "max_epochs": 1}, config, ranks=2)
    assert VesselInpainter.from_bundle(root).about["iterations"] == 2
    root = fresh_bundle(tmp_path / "bundle")
    config = "['configs/train.json','configs/multi_gpu_train.json']"
    run_bundle(root, {**SMALL, "dataset_dir": volumes, "max_epochs": 1}, config, ranks=2)
    gan = VesselGAN.from_bundle(root)
    assert gan.about == {"spacing": 2.0, "seed": 0, "iterations": 2, "patches": len(AorticPatches(volumes))}
    # What two ranks have trained, one process goes on with.
    assert steps_of(workflow(root, "train", **SMALL, dataset_dir=str(volumes), max_epochs=2)) == 2


def test_evaluation_compares_drawn_patches_with_those_of_patients(tiny, tmp_path):
    patients = tmp_path / "patients"
    write_mmwhs_phantom(patients, 3, 3, "mr", size=(104, 104, 8), spacing=(2.4, 2.4, 5.0))
    config = "['configs/inference.json','configs/evaluate.json']"
    root = Path(shutil.copytree(tiny, tmp_path / "bundle"))
    run_bundle(root, {"dataset_dir": patients}, config)
    told = read_json(root / "evaluation" / "realism.json")
    expected = patch_realism(VesselGAN.from_bundle(root), AorticPatches(patients, side=32))
    assert told == pytest.approx(expected, rel=1e-4)
    assert told["patients"] == 3
