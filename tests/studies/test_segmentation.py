"""Training: it learns, it goes on where it was stopped, it leaves prob=0 alone."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from monai.networks.nets import BasicUNet
from monai.transforms import MapTransform, Randomizable

from monai_cardiacgen.anatomy.schemes import ACDC
from monai_cardiacgen.data.files import read_csv
from monai_cardiacgen.data.slices import ShortAxisGrid, load_slices
from monai_cardiacgen.errors import CheckpointError, InputError
from monai_cardiacgen.studies.segmentation import class_weights, dice_by_volume, train_segmentation


def small_network():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return BasicUNet(2, 1, 4, features=(8, 8, 16, 16, 16, 8), dropout=0.1)


@pytest.fixture(scope="module")
def slices(items):
    return load_slices(items, ShortAxisGrid((3.0, 3.0), (48, 48)))


def train(slices, folder, **changes):
    settings = {
        "iterations": 6, "iterations_per_round": 2, "batch_size": 4, "learning_rate": 1e-2, "seed": 3, **changes,
    }  # fmt: skip
    return train_segmentation(small_network(), slices[:16], slices[40:], folder, **settings)


def test_learns_the_round_hearts(slices, tmp_path):
    calls = []
    network = train(
        slices, tmp_path, iterations=60, iterations_per_round=20, progress=lambda done, all_: calls.append(done)
    )
    assert float(dice_by_volume(network, slices[40:])[:, 2].min()) > 0.5  # the left ventricle
    history = read_csv(tmp_path / "history.csv")
    assert float(history[-1]["training loss"]) < float(history[0]["training loss"])
    assert calls == list(range(61))


class Stop(Exception):  # noqa: N818
    pass


def test_goes_on_to_the_same_weights(slices, tmp_path):
    whole = train(slices, tmp_path / "whole")

    def stop_after_three(done, _):
        if done == 3:
            raise Stop

    with pytest.raises(Stop):
        train(slices, tmp_path / "stopped", progress=stop_after_three)
    assert (tmp_path / "stopped" / "last.pt").exists()
    again = train(slices, tmp_path / "stopped")
    for name, weight in whole.state_dict().items():
        assert torch.equal(weight, again.state_dict()[name]), name
    assert read_csv(tmp_path / "whole" / "history.csv") == read_csv(tmp_path / "stopped" / "history.csv")


def test_a_finished_training_is_only_read(slices, tmp_path):
    first = train(slices, tmp_path)
    before = (tmp_path / "last.pt").stat().st_mtime_ns
    again = train(slices, tmp_path)
    assert (tmp_path / "last.pt").stat().st_mtime_ns == before
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), again.parameters(), strict=True))
    with pytest.raises(CheckpointError, match="another folder"):
        train(slices, tmp_path, seed=4)


class Darken(MapTransform, Randomizable):
    """Counts its calls; changes nothing unless told."""

    def __init__(self, factor):
        super().__init__(("image", "label"))
        self.factor, self.calls = factor, 0

    def __call__(self, data):
        self.calls += 1
        return {**data, "image": data["image"] * self.factor}


class DarkenBatch(Darken):
    def prepare_batch(self):
        def prepare(batchdata, device=None, non_blocking=False, **kwargs):
            self.calls += 1
            return batchdata["image"] * self.factor, batchdata["label"]

        return prepare


@pytest.mark.parametrize(("kind", "calls"), [(Darken, 24), (DarkenBatch, 6)])
def test_synthesis_comes_first_and_may_do_nothing(slices, tmp_path, kind, calls):
    plain = train(slices, tmp_path / "plain")
    synth = kind(1.0)
    same = train(slices, tmp_path / "same", synth=synth)
    other = train(slices, tmp_path / "other", synth=kind(0.2))
    assert synth.calls == calls
    assert all(torch.equal(a, b) for a, b in zip(plain.parameters(), same.parameters(), strict=True))
    assert not all(torch.equal(a, b) for a, b in zip(plain.parameters(), other.parameters(), strict=True))


@pytest.mark.parametrize(("kind", "calls"), [(Darken, 16), (DarkenBatch, 4)])
def test_the_last_rounds_see_real_slices_alone(slices, tmp_path, kind, calls):
    synth = kind(0.2)
    train(slices, tmp_path, synth=synth, fine_tuned=1 / 3)
    assert synth.calls == calls


def test_fine_tuning_throughout_is_training_without_synthesis(slices, tmp_path):
    plain = train(slices, tmp_path / "plain")
    tuned = train(slices, tmp_path / "tuned", synth=DarkenBatch(0.2), fine_tuned=1.0)
    assert all(torch.equal(a, b) for a, b in zip(plain.parameters(), tuned.parameters(), strict=True))
    with pytest.raises(InputError, match="fine-tuning"):
        train(slices, tmp_path / "odd", fine_tuned=1.5)


def test_leaves_the_callers_random_numbers_alone(slices, tmp_path):
    torch.manual_seed(9)
    expected = torch.rand(1)
    torch.manual_seed(9)
    train(slices, tmp_path)
    assert torch.equal(torch.rand(1), expected)


def test_dice_by_volume_pools_slices(slices):
    class Perfect(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.at, self.one = 0, torch.nn.Parameter(torch.ones(1))

        def forward(self, image):
            label = torch.stack([torch.as_tensor(one["label"])[0] for one in slices[self.at : self.at + len(image)]])
            self.at += len(image)
            return ACDC.one_hot(label)

    dice = dice_by_volume(Perfect(), slices)
    assert dice.shape == (12, 3)
    torch.testing.assert_close(dice, torch.ones(12, 3))


def test_class_weights_are_those_of_the_enet_paper(slices):
    label = torch.stack([torch.as_tensor(one["label"]) for one in slices]).numpy()
    expected = np.array([1 / np.log(1.02 + (label == code).mean()) for code in ACDC.codes])
    np.testing.assert_allclose(class_weights(slices), expected / expected.mean(), rtol=1e-5)


def test_refuses_a_training_without_slices(slices, tmp_path):
    with pytest.raises(InputError, match="0 slices"):
        train_segmentation(small_network(), slices, [], tmp_path, iterations=50)
    with pytest.raises(InputError, match="multiple of 2"):
        train(slices, tmp_path, iterations=5)
