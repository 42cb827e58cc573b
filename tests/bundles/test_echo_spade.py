"""The echo bundle, in the paper's settings and in ours, as MONAI's own bundle tools see it."""

from __future__ import annotations

import shutil
from pathlib import Path

import nibabel
import numpy as np
import pytest
import torch
from bundle_runs import (
    BUNDLES,
    check_metadata,
    check_sampled_pairs,
    fresh_bundle,
    run_bundle,
    steps_of,
    workflow,
)
from monai.bundle import ConfigParser, verify_net_in_out
from small_hearts import APICAL_ITEMS, sector_synthesizer

import monai_cardiacgen
from monai_cardiacgen.anatomy import APICAL_CONDITION
from monai_cardiacgen.anatomy.schemes import CAMUS, CAMUS_SECTOR
from monai_cardiacgen.data import EchoFrames, SeedDataset
from monai_cardiacgen.data.files import load_checkpoint
from monai_cardiacgen.inferers import CardiacSynthesizer
from monai_cardiacgen.losses import DiffAugment
from monai_cardiacgen.metrics import checkerboard_score
from monai_cardiacgen.phantom import write_camus_phantom
from monai_cardiacgen.seeding import seeded

NAME = "echo_spade"
CONFIGS = BUNDLES / NAME / "configs"
#: Two steps an epoch of a small synthesizer: overrides of train.json.
SMALL = {
    "side": 64,
    "filters": 4,
    "hidden_channels": 8,
    "vae#channels": [16, 32],
    "iterations_per_epoch": 2,
}
VARIANTS = {"paper": ("train",), "ours": ("train", "train_ours")}


@pytest.fixture(scope="module")
def patients(tmp_path_factory) -> Path:
    return write_camus_phantom(tmp_path_factory.mktemp("camus"), patients=2, seed=0)


@pytest.fixture(scope="module", params=VARIANTS)
def variant(request) -> str:
    return request.param


def small(patients: Path, variant: str, max_epochs: int) -> dict:
    """Overrides for a variant; in ours the style is shorter, too."""
    style = {"style_size": 8} if variant == "ours" else {}
    return {**SMALL, **style, "dataset_dir": str(patients), "max_epochs": max_epochs}


@pytest.fixture(scope="module")
def trained(tmp_path_factory, patients, variant) -> Path:
    """The bundle after one epoch, by the README's command."""
    root = fresh_bundle(NAME, tmp_path_factory.mktemp("trained") / "bundle")
    files = [f"configs/{name}.json" for name in VARIANTS[variant]]
    config = files[0] if len(files) == 1 else str(files)
    return run_bundle(root, small(patients, variant, 1), config)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory) -> Path:
    """The bundle with a synthesizer of our variant whose hearts are good enough to be drawn."""
    synthesizer = sector_synthesizer(heart_condition=APICAL_CONDITION)
    return synthesizer.to_bundle(fresh_bundle(NAME, tmp_path_factory.mktemp("tiny") / "bundle"))


def test_monai_finds_every_property(tmp_path, patients, variant, trained):
    root = fresh_bundle(NAME, tmp_path / "bundle")
    assert workflow(root, *VARIANTS[variant], **small(patients, variant, 1)).check_properties() == []
    assert workflow(trained, "inference").check_properties() == []


def test_the_command_trains_a_synthesizer(trained, variant, patients):
    synthesizer = CardiacSynthesizer.from_bundle(trained)
    assert synthesizer.spatial_size == (64, 64)
    assert synthesizer.view == synthesizer.sampler.check.view == "apical"
    assert synthesizer.spacing == pytest.approx(EchoFrames(patients, (64, 64)).spacing)
    assert synthesizer.provenance == {
        "version": monai_cardiacgen.__version__,
        "name": NAME,
        "variant": variant,
        "seed": 0,
        "frames": 8,
    }
    scheme = {"paper": CAMUS, "ours": CAMUS_SECTOR}[variant]
    assert (synthesizer.scheme, synthesizer.sampler.scheme) == (scheme, CAMUS)
    assert (synthesizer.style_encoder is None, synthesizer.sectors is None) == ((variant == "paper"),) * 2
    assert synthesizer.generator.condition_size == {"paper": 0, "ours": 4}[variant]
    assert synthesizer.heart_condition == {"paper": None, "ours": APICAL_CONDITION}[variant]
    label = torch.cat([one["label"] for one in EchoFrames(patients, (64, 64), scheme)])
    image = synthesizer.synthesize(label, None, seeded(0))
    assert image.shape == (8, 1, 64, 64)
    assert 0 <= float(image.min()) < float(image.max()) <= 1


def test_training_goes_on_to_the_weights_of_an_unbroken_one(trained, variant, patients, tmp_path):
    settings = small(patients, variant, 2)
    rest = Path(shutil.copytree(trained, tmp_path / "rest"))
    assert steps_of(workflow(rest, *VARIANTS[variant], **settings)) == 2
    whole = fresh_bundle(NAME, tmp_path / "whole")
    assert steps_of(workflow(whole, *VARIANTS[variant], **settings)) == 4
    first, second, before = (load_checkpoint(root / "models" / "model.pt") for root in (rest, whole, trained))
    assert all(torch.equal(first[name], second[name]) for name in second)
    assert any(not torch.equal(first[name], before[name]) for name in before)


def test_what_was_trained_paints_by_view_and_phase(trained, variant, patients):
    if variant == "paper":
        pytest.skip("the paper's painter is told neither")
    synthesizer = CardiacSynthesizer.from_bundle(trained)
    items = EchoFrames(patients, (64, 64), CAMUS_SECTOR)
    label = torch.cat([one["label"] for one in items])
    told = [{"view": one["view"], "phase": one["phase"]} for one in items]
    style = synthesizer.styles[:8]
    right = synthesizer.synthesize(label, style, seeded(0), told)
    assert torch.equal(right, synthesizer.synthesize(label, style, seeded(0), APICAL_CONDITION.encode(told)))
    wrong = [{**one, "view": {"2CH": "4CH", "4CH": "2CH"}[one["view"]]} for one in told]
    assert float((right - synthesizer.synthesize(label, style, seeded(0), wrong)).abs().max()) > 1e-4


def test_two_ranks_train_the_same_kind_of_bundle(trained, variant, patients, tmp_path):
    root = fresh_bundle(NAME, tmp_path / "bundle")
    files = [f"configs/{name}.json" for name in (*VARIANTS[variant], "multi_gpu_train")]
    run_bundle(root, small(patients, variant, 1), str(files), ranks=2)
    written = [sorted(str(path.relative_to(one)) for path in one.rglob("*.*")) for one in (root, trained)]
    assert written[0] == written[1]
    one, other = (CardiacSynthesizer.from_bundle(folder) for folder in (root, trained))
    assert one.provenance == other.provenance
    assert (one.styles.shape, one.heart_condition) == (other.styles.shape, other.heart_condition)
    # What two ranks have trained, one process goes on with.
    assert steps_of(workflow(root, *VARIANTS[variant], **small(patients, variant, 2))) == 2


@pytest.mark.parametrize("told", APICAL_ITEMS, ids=lambda told: "-".join(told.values()))
def test_inference_draws_the_view_and_phase_that_are_asked_for(tiny, tmp_path, told):
    sampling = workflow(tiny, "inference", count=3, batch_size=2, seed=5, output_dir=str(tmp_path), condition=told)
    sampling.run()
    synthesizer = CardiacSynthesizer.from_bundle(tiny)
    for case in SeedDataset(3, seed=5):
        label = nibabel.load(tmp_path / f"synthetic_{case['number']:06d}_gt.nii.gz").dataobj
        expected = synthesizer.sample(1, [seeded(case["seed"])], told)
        assert synthesizer.heart_condition.decode(expected.condition) == [told]
        assert np.array_equal(np.asarray(label).reshape(32, 32), expected.label[0].numpy())
    assert [{name: case[name] for name in told} for case in sampling.evaluator.state.output] == [told]


def test_the_command_draws_by_view_and_phase(tiny, tmp_path):
    root = Path(shutil.copytree(tiny, tmp_path / "bundle"))
    told = {"view": "4CH", "phase": "ES"}
    run_bundle(root, {"condition": told, "count": 1, "output_dir": tmp_path / "out"}, "configs/inference.json")
    label = np.asarray(nibabel.load(tmp_path / "out" / "synthetic_000000_gt.nii.gz").dataobj)
    expected = CardiacSynthesizer.from_bundle(tiny).sample(1, [seeded(SeedDataset(1)[0]["seed"])], told)
    assert np.array_equal(label.reshape(32, 32), expected.label[0].numpy())


def test_evaluation_scores_the_grid_in_painted_and_real_frames(tiny, patients, tmp_path):
    root = Path(shutil.copytree(tiny, tmp_path / "bundle"))
    settings = {"dataset_dir": patients, "periods": [2, 4], "batch_size": 3}
    run_bundle(root, settings, "configs/evaluate.json")
    scores = dict(line.split(",") for line in (root / "evaluation" / "metrics.csv").read_text().splitlines())
    assert set(scores) == {"checkerboard_painted", "checkerboard_real"}
    frames = EchoFrames(patients, (32, 32), CAMUS_SECTOR)
    real = checkerboard_score(torch.stack([one["image"] for one in frames]), (2, 4))
    assert float(scores["checkerboard_real"]) == pytest.approx(float(real.mean()), abs=1e-3)
    label, told = (torch.stack([one[key] for one in frames]) for key in ("label", "condition"))
    synthesizer, generator = CardiacSynthesizer.from_bundle(root), seeded(0)
    painted = [synthesizer.synthesize(label[rows, 0], None, generator, told[rows]) for rows in torch.arange(8).split(3)]
    expected = checkerboard_score(torch.cat(painted), (2, 4)).mean()
    assert float(scores["checkerboard_painted"]) == pytest.approx(float(expected), abs=1e-2)
    lines = (root / "evaluation" / "checkerboard_painted_raw.csv").read_text().splitlines()
    assert len([line for line in lines if line]) == 1 + 8


def test_the_shipped_weights_draw_what_they_are_asked_for():
    synthesizer = CardiacSynthesizer.from_bundle(BUNDLES / NAME)
    told = {"variant": "ours", "seed": 0, "frames": 4 * 319}
    assert {name: synthesizer.provenance[name] for name in told} == told
    drawn = synthesizer.sample(2, [seeded(0), seeded(1)], {"view": "2CH", "phase": "ES"})
    assert APICAL_CONDITION.decode(drawn.condition) == [{"view": "2CH", "phase": "ES"}] * 2
    assert synthesizer.sampler.check(synthesizer.hearts_in(drawn.label), synthesizer.spacing).valid.all()
    # What lies outside of the sector is black, as in every echocardiogram, and the cavity is darker than its wall.
    image, label = drawn.image[:, 0], drawn.label
    assert float(image[label == 0].mean()) < 0.05
    assert float(image[label == 1].mean()) < float(image[label == 2].mean())


def test_the_small_preset_changes_sizes_and_nothing_else(patients):
    small_config = ConfigParser.load_config_file(CONFIGS / "train_small.json")
    assert set(small_config) == {"side", "filters", "hidden_channels", "vae#channels"}
    parser = ConfigParser(ConfigParser.load_config_file(CONFIGS / "train.json"))
    parser.update({**ConfigParser.load_config_file(CONFIGS / "train_ours.json"), **small_config})
    parser["dataset_dir"] = str(patients)
    synthesizer, vae = (parser.get_parsed_content(name) for name in ("network_def", "vae"))
    assert tuple(vae.spatial_size) == (128, 128)
    image = synthesizer(torch.zeros(1, 5, 128, 128), torch.zeros(1, 256), condition=torch.eye(4)[:1])
    assert image.shape == (1, 1, 128, 128)


def test_the_painter_of_a_short_training_is_told_less_than_its_shape_model(patients):
    parser = ConfigParser(ConfigParser.load_config_file(CONFIGS / "train.json"))
    for name in ("train_ours", "train_small", "train_short"):
        parser.update(ConfigParser.load_config_file(CONFIGS / f"{name}.json"))
    parser["dataset_dir"] = str(patients)
    painter, vae = (parser.get_parsed_content(name) for name in ("network_def", "vae"))
    assert (painter.condition_size, vae.condition_size) == (0, 4)
    with torch.no_grad():
        assert painter(torch.zeros(1, 5, 128, 128)).shape == (1, 1, 128, 128)
    assert parser.get_parsed_content("discriminator")(torch.zeros(1, 6, 128, 128)).shape[0] == 1


def test_inference_writes_pairs_that_their_seeds_make_again(tiny, tmp_path):
    check_sampled_pairs(tiny, tmp_path)


def test_network_takes_and_gives_what_the_metadata_says(trained, variant):
    """In the paper's settings with a class less than the metadata tell, in ours with a condition beside."""
    configs, more = trained / "configs", {}
    if variant == "ours":
        more["extra_forward_args"] = {"condition": torch.tensor([[1.0, 0, 1, 0]])}
    else:
        more["_meta_#network_data_format#inputs#image#num_channels"] = CAMUS.num_classes
    for n in (1, 2):
        meta, config = (str(configs / f"{name}.json") for name in ("metadata", "inference"))
        verify_net_in_out("network_def", meta, config, device="cpu", n=n, bundle_root=str(trained), **more)


def test_network_of_the_training_takes_and_gives_what_the_metadata_says(patients):
    """The training that made the shipped weights."""
    config = [str(CONFIGS / f"{name}.json") for name in ("train", "train_ours", "train_small", "train_short")]
    meta = str(CONFIGS / "metadata.json")
    verify_net_in_out("network_def", meta, config, device="cpu", n=1, dataset_dir=str(patients), filters=4)


def test_metadata_has_what_the_schema_requires():
    check_metadata(NAME, CAMUS_SECTOR)


def test_the_paper_is_configured_as_it_says(patients):
    parser = ConfigParser(ConfigParser.load_config_file(CONFIGS / "train.json"))
    parser["dataset_dir"], parser["filters"], parser["hidden_channels"] = str(patients), 4, 8
    config = ConfigParser.load_config_file(CONFIGS / "train.json")
    assert (config["filters"], config["side"], config["batch_size"], config["max_epochs"]) == (48, 256, 4, 50)
    gan = parser.get_parsed_content("gan")
    assert (gan.feature_matching, gan.reconstruction, gan.swapped, gan.augment) == (10, 0, 0, None)
    rates = {}
    for name in ("generator", "discriminator"):
        (group,) = parser.get_parsed_content(f"{name}_optimizer").param_groups
        assert group["betas"] == (0.0, 0.999)
        rates[name] = group["lr"]
    assert rates == {"generator": 1e-4, "discriminator": 4e-4}
    # Rates are constant for 30 of 50 epochs.
    assert parser.get_parsed_content("train#handlers#0").constant * config["max_epochs"] == 30
    assert "noise_strength" not in {name.rsplit(".", 1)[-1] for name, _ in gan.generator.named_parameters()}
    assert parser.get_parsed_content("start_size") == [8, 8]
    assert parser.get_parsed_content("train#prepare_batch").prob == 0.5


def test_ours_differs_in_what_it_says_and_in_nothing_else(patients):
    paper = ConfigParser.load_config_file(CONFIGS / "train.json")
    ours = ConfigParser.load_config_files([str(CONFIGS / "train.json"), str(CONFIGS / "train_ours.json")])
    changed = {key for key in paper if ours.get(key) != paper[key]} | (ours.keys() - paper.keys())
    overlay = ConfigParser.load_config_file(CONFIGS / "train_ours.json")
    assert changed == {key.split("#")[0] for key in overlay}
    parser = ConfigParser(paper)
    parser.update(overlay)
    parser["dataset_dir"], parser["filters"], parser["hidden_channels"] = str(patients), 4, 8
    gan = parser.get_parsed_content("gan")
    assert isinstance(gan.augment, DiffAugment)
    assert (gan.generator.label_channels, gan.generator.condition_size, gan.generator.style_size) == (5, 4, 256)
    assert "noise_strength" in {name.rsplit(".", 1)[-1] for name, _ in gan.generator.named_parameters()}
    assert parser.get_parsed_content("train#prepare_batch").prob == 0
    assert parser.get_parsed_content("vae").condition_size == 4
