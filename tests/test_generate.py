"""Sets made from a bundle: by number, resumable, in every form."""

from __future__ import annotations

import errno
import json
import os
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from clean_process import done_apart
from killed_generation import COUNT, killed_five_times, two_ranks_of_which_one_dies
from small_hearts import hearts, tiny_synthesizer
from typer.testing import CliRunner

from monai_cardiacgen import cli, generate
from monai_cardiacgen.anatomy.check import AnatomyCheck
from monai_cardiacgen.data.case_files import read_nifti
from monai_cardiacgen.data.synthetic_hdf5 import SyntheticHDF5
from monai_cardiacgen.data.synthetic_set import SyntheticSet
from monai_cardiacgen.data.synthetic_set_writer import SyntheticSetWriter
from monai_cardiacgen.errors import CheckpointError, DataError, InputError
from monai_cardiacgen.generate import BATCH, generate_set
from monai_cardiacgen.inferers.cardiac_synthesizer import CardiacSynthesizer, SyntheticCases
from monai_cardiacgen.seeding import seeded

NAMES = {"nifti": "set", "hdf5": "set.h5"}


@pytest.fixture(scope="module")
def synthesizer():
    return tiny_synthesizer()


@pytest.fixture(scope="module")
def bundle(synthesizer, tmp_path_factory):
    return synthesizer.to_bundle(tmp_path_factory.mktemp("bundles") / "tiny")


@pytest.fixture(scope="module", autouse=True)
def small_parts():
    """An HDF5 part holds one batch here: small sets have several."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(generate, "PART", BATCH)
        yield


@pytest.fixture(scope="module")
def undisturbed(bundle, small_parts, tmp_path_factory):
    """The files of a set of each form, made by one process at one go."""
    folders = {form: tmp_path_factory.mktemp(form) for form in NAMES}
    for form, folder in folders.items():
        generate_set(bundle, folder / NAMES[form], COUNT, seed=1, form=form)
    return {form: contents(folder) for form, folder in folders.items()}


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


def test_a_zipped_bundle_makes_the_same_set(bundle, tmp_path):
    shutil.copytree(bundle, tmp_path / "tiny")
    (tmp_path / "tiny" / "configs" / "metadata.json").write_text("{}")
    zipped = shutil.make_archive(str(tmp_path / "bundle"), "zip", tmp_path / "tiny")
    generate_set(bundle, tmp_path / "one" / "set", 3, seed=0)
    generate_set(Path(zipped), tmp_path / "other" / "set", 3, seed=0)
    assert contents(tmp_path / "one") == contents(tmp_path / "other")


def test_stopped_and_enlarged_sets_are_the_undisturbed_ones(bundle, undisturbed, tmp_path):
    def stop(done, total):
        if done >= BATCH:
            raise KeyboardInterrupt

    stopped = tmp_path / "stopped" / "set"
    with pytest.raises(KeyboardInterrupt):
        generate_set(bundle, stopped, COUNT - 5, seed=1, progress=stop)
    assert BATCH <= len(SyntheticSet(stopped)) < COUNT - 5
    SyntheticSet(stopped).verify()
    generate_set(bundle, stopped, COUNT - 5, seed=1)
    assert len(SyntheticSet(stopped)) == COUNT - 5
    generate_set(bundle, stopped, COUNT, seed=1)
    assert contents(tmp_path / "stopped") == undisturbed["nifti"]
    assert digests(generate_set(bundle, tmp_path / "other", 2, seed=2)) != digests(stopped)[:2]


@pytest.mark.parametrize("form", NAMES)
def test_killed_five_times_it_is_the_undisturbed_one(bundle, undisturbed, tmp_path, form):
    done_apart(tmp_path / "said.txt", killed_five_times, bundle, tmp_path / NAMES[form], form)
    assert contents(tmp_path) == undisturbed[form]


@pytest.mark.parametrize("form", NAMES)
def test_two_ranks_of_which_one_dies_make_the_same_files(bundle, undisturbed, tmp_path, form):
    done_apart(tmp_path / "said.txt", two_ranks_of_which_one_dies, bundle, tmp_path / NAMES[form], form)
    assert contents(tmp_path) == undisturbed[form]


def test_threads_do_not_change_a_bit(bundle, undisturbed, tmp_path):
    torch.set_num_threads(3)
    try:
        generate_set(bundle, tmp_path / "set", COUNT, seed=1)
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(1)
    assert contents(tmp_path) == undisturbed["nifti"]


def test_shards_are_pieces_of_one_set(bundle, undisturbed, tmp_path):
    shard = SyntheticSet(generate_set(bundle, tmp_path / "shard", BATCH, seed=1, first=BATCH + 3))
    assert [item["patient"] for item in shard] == [f"case_{BATCH + 3 + n:06d}" for n in range(BATCH)]
    for item in shard:
        image = Path(item["image"])
        assert image.read_bytes() == undisturbed["nifti"][Path("set") / "images" / image.name]


@pytest.mark.parametrize("form", NAMES)
def test_a_full_disk_is_one_error_and_the_set_goes_on(bundle, undisturbed, tmp_path, monkeypatch, form):
    target = tmp_path / NAMES[form]
    real, written = Path.write_bytes, []

    def write_bytes(path, content):
        written.append(path)
        if len(written) < (3 if form == "hdf5" else 21):
            return real(path, content)
        real(path, content[:20])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_bytes", write_bytes)
    with pytest.raises(DataError, match=r"disk is full .* run the same command again"):
        generate_set(bundle, target, COUNT, seed=1, form=form)
    monkeypatch.setattr(Path, "write_bytes", real)
    assert not [path for path in tmp_path.rglob(".*") if path.is_file()]  # neither half a file nor a lock
    if form == "nifti":
        SyntheticSet(target).verify()
    generate_set(bundle, target, COUNT, seed=1, form=form)
    assert contents(tmp_path) == undisturbed[form]


@pytest.mark.parametrize("form", ["nifti", "nnunet", "hdf5"])
def test_too_little_room_is_told_before_anything_is_made(bundle, tmp_path, monkeypatch, form):
    free = 100 * (32 * 32 * 4)  # the images alone of 100 cases
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=free))
    monkeypatch.setattr(CardiacSynthesizer, "sample", None)
    with pytest.raises(DataError, match=r"room for up to .*, got 410 kB free"):
        generate_set(bundle, tmp_path / "set", 100, seed=1, form=form)


def test_two_runs_at_a_time_are_refused(bundle, tmp_path):
    target = generate_set(bundle, tmp_path / "set", 1, seed=1)
    with SyntheticSetWriter(target, SyntheticSet(target).description):
        before = contents(target)
        with pytest.raises(DataError, match="another run"):
            generate_set(bundle, target, 2, seed=1)
        assert contents(target) == before


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
    for count, first in ((0, 0), (1, -1)):
        with pytest.raises(InputError, match="at least one case"):
            generate_set(bundle, tmp_path / "out", count, seed=0, first=first)
    with pytest.raises(InputError, match="another seed"):
        generate_set(bundle, tmp_path / "out", 1, seed=0, first=2**32)
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
