"""Sets made from a bundle: by number, resumable, in every form."""

from __future__ import annotations

import json

import pytest
import torch
from small_hearts import hearts, tiny_synthesizer
from typer.testing import CliRunner

from monai_cardiacgen import cli
from monai_cardiacgen.anatomy.check import AnatomyCheck
from monai_cardiacgen.data.case_files import read_nifti
from monai_cardiacgen.data.synthetic_hdf5 import SyntheticHDF5
from monai_cardiacgen.data.synthetic_set import SyntheticSet
from monai_cardiacgen.errors import CheckpointError, InputError
from monai_cardiacgen.generate import BATCH, generate_set
from monai_cardiacgen.inferers.cardiac_synthesizer import CardiacSynthesizer, SyntheticCases
from monai_cardiacgen.seeding import seeded


@pytest.fixture(scope="module")
def synthesizer():
    return tiny_synthesizer()


@pytest.fixture(scope="module")
def bundle(synthesizer, tmp_path_factory):
    return synthesizer.to_bundle(tmp_path_factory.mktemp("bundles") / "tiny")


def digests(folder):
    return [(entry.image_sha256, entry.label_sha256) for entry in SyntheticSet(folder).entries]


def contents(folder):
    return {path.relative_to(folder): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_cases_are_those_of_their_recorded_seed(synthesizer, bundle, tmp_path):
    seen = []
    folder = generate_set(bundle, tmp_path / "set", 3, seed=5, progress=lambda *numbers: seen.append(numbers))
    cases = SyntheticSet(folder)
    cases.verify()
    assert seen == [(0, 3), (3, 3)]
    assert len({item["seed"] for item in cases}) == 3
    assert cases.description.origin["seed"] == 5
    assert (cases[0]["bundle"], cases[0]["version"], cases[0]["mode"], cases[0]["view"]) == (
        "tiny", "0", "new", "short axis",
    )  # fmt: skip
    for item in cases:
        again = synthesizer.sample(1, [seeded(item["seed"])])
        torch.testing.assert_close(torch.from_numpy(read_nifti(item["image"])[0]), again.image[0, 0])
        assert torch.equal(torch.from_numpy(read_nifti(item["label"])[0]).to(torch.int64), again.label[0])


def test_stopped_and_enlarged_sets_are_the_undisturbed_ones(bundle, tmp_path):
    def stop(done, total):
        if done >= BATCH:
            raise KeyboardInterrupt

    count = 6 * BATCH + 2
    whole = contents(generate_set(bundle, tmp_path / "whole" / "set", count, seed=1))
    stopped = tmp_path / "stopped" / "set"
    with pytest.raises(KeyboardInterrupt):
        generate_set(bundle, stopped, count - 5, seed=1, progress=stop)
    assert BATCH <= len(SyntheticSet(stopped)) < count - 5
    SyntheticSet(stopped).verify()
    assert digests(generate_set(bundle, stopped, count - 5, seed=1)) == digests(tmp_path / "whole" / "set")[:-5]
    assert contents(generate_set(bundle, stopped, count, seed=1)) == whole
    assert digests(generate_set(bundle, tmp_path / "other", 2, seed=2)) != digests(stopped)[:2]


def test_another_seed_or_bundle_does_not_go_on(synthesizer, bundle, tmp_path):
    generate_set(bundle, tmp_path / "set", 1, seed=1)
    with pytest.raises(InputError, match="name another folder"):
        generate_set(bundle, tmp_path / "set", 2, seed=2)
    other = synthesizer.to_bundle(tmp_path / "tiny")
    weights = torch.load(other / "models" / "model.pt", weights_only=True)
    torch.save({name: 0.9 * value for name, value in weights.items()}, other / "models" / "model.pt")
    with pytest.raises(InputError, match="name another folder"):
        generate_set(other, tmp_path / "set", 2, seed=1)  # the same name and version, other weights
    with pytest.raises(CheckpointError):
        generate_set(tmp_path / "nowhere", tmp_path / "out", 1, seed=0)
    with pytest.raises(InputError, match="at least one case"):
        generate_set(bundle, tmp_path / "out", 0, seed=0)
    assert not (tmp_path / "out").exists()


def test_every_form_holds_the_same_cases(bundle, tmp_path):
    nifti = SyntheticSet(generate_set(bundle, tmp_path / "set", 2, seed=3))
    hdf5 = SyntheticHDF5(generate_set(bundle, tmp_path / "set.h5", 2, seed=3, form="hdf5"))
    dataset = generate_set(bundle, tmp_path / "raw", 2, seed=3, form="nnunet", dataset_id=77)
    assert dataset == tmp_path / "raw" / "Dataset077_SyntheticTiny"
    assert json.loads((dataset / "dataset.json").read_text())["numTraining"] == 2
    for number, item in enumerate(nifti):
        image = torch.from_numpy(read_nifti(item["image"])[0])
        exported = read_nifti(dataset / "imagesTr" / f"{item['patient']}_0000.nii.gz")[0]
        torch.testing.assert_close(torch.from_numpy(exported)[..., 0], image, rtol=0, atol=0)
        torch.testing.assert_close(hdf5[number]["image"].as_tensor()[0], image, rtol=0, atol=0)
        assert hdf5[number]["seed"] == item["seed"]


def test_the_anatomical_verdict_is_recorded(synthesizer, bundle, tmp_path, monkeypatch):
    assert SyntheticSet(generate_set(bundle, tmp_path / "a", 1, seed=0)).entries[0].record.checks == {}
    images, labels = hearts(BATCH)
    labels[1, 0, 2:4, 2:4] = 3  # a second cavity
    monkeypatch.setattr(synthesizer.sampler, "check", AnatomyCheck(synthesizer.scheme))
    monkeypatch.setattr(CardiacSynthesizer, "sample", lambda *_: SyntheticCases(images, labels[:, 0]))
    cases = SyntheticSet(generate_set(synthesizer.to_bundle(tmp_path / "tiny"), tmp_path / "b", 3, seed=0))
    report = AnatomyCheck()(labels[:, 0], synthesizer.spacing)
    assert report.valid.unique().numel() == 2
    for row, entry in enumerate(cases.entries):
        expected = {"valid": bool(report.valid[row]), "broken": list(report.reasons(row))}
        assert entry.record.checks == {"anatomy": expected}


def test_the_command(bundle, tmp_path):
    runner = CliRunner()
    arguments = ["generate", str(bundle), "--out", str(tmp_path / "set"), "-n", "2", "--seed", "4"]
    result = runner.invoke(cli.app, arguments)
    assert result.exit_code == 0, result.output
    assert "2 cases in" in result.output
    assert digests(tmp_path / "set") == digests(generate_set(bundle, tmp_path / "same", 2, seed=4))
    wrong = runner.invoke(cli.app, [*arguments[:-1], "5"])
    assert wrong.exit_code == 2
    assert wrong.stderr.startswith("Error: Expected")
    nothing = runner.invoke(cli.app, ["generate", str(tmp_path / "no"), "--out", str(tmp_path / "x")])
    assert nothing.exit_code == 2
    assert not (tmp_path / "x").exists()
