"""Two ranks with half a batch each train as one with the whole batch, and outlive a killed rank."""

from __future__ import annotations

from collections.abc import Iterator

import on_ranks
import pytest
import torch
from torch import nn

from monai_cardiacgen.engines.synchronised import reduced, shared_batch_norm, synchronised


@pytest.fixture(scope="module")
def two_ranks(tmp_path_factory) -> list[dict]:
    """What each of two ranks ends with, by name of the training."""
    folder = tmp_path_factory.mktemp("ranks")
    on_ranks.torchrun("all_cases", str(folder))
    return [torch.load(folder / f"rank{rank}.pt", weights_only=True) for rank in range(2)]


def tensors(state: dict, name: str = "") -> Iterator[tuple[str, torch.Tensor]]:
    for key, value in state.items():
        if isinstance(value, dict):
            yield from tensors(value, f"{name}{key}.")
        elif isinstance(value, torch.Tensor):
            yield f"{name}{key}", value


def assert_same(one: dict, other: dict, tolerance: float) -> None:
    one, other = dict(tensors(one)), dict(tensors(other))
    assert one.keys() == other.keys()
    for name, value in one.items():
        torch.testing.assert_close(
            other[name], value, rtol=tolerance, atol=tolerance, msg=lambda m, n=name: f"{n}: {m}"
        )


@pytest.mark.parametrize(
    ("name", "trainer"),
    [
        ("gan", on_ranks.gan_trainer),
        ("gan_in_parts", on_ranks.gan_trainer),
        ("vae", on_ranks.vae_trainer),
        ("vae_in_parts", on_ranks.vae_trainer),
        ("vaegan", on_ranks.vaegan_trainer),
    ],
)
def test_two_ranks_move_as_one_with_twice_the_batch(two_ranks, name, trainer):
    """Weights, averages, power iterations and the generator's state after two epochs, in float64."""
    one = trainer()
    start = {key: value.clone() for key, value in tensors(one.state_dict()["training"])}
    alone = on_ranks.state_after(one)
    assert_same(alone, two_ranks[0][name], 1e-12)
    assert_same(two_ranks[0][name], two_ranks[1][name], 0)
    moved = max(float((value.double() - start[key].double()).abs().max()) for key, value in tensors(alone))
    assert moved > 1e-3  # a training that stands still would be the same everywhere


def test_each_rank_reports_the_losses_of_the_whole_batch(two_ranks):
    alone = on_ranks.state_after(on_ranks.vaegan_trainer())["curves"]["rows"]
    for rank in two_ranks:
        assert [sorted(row) for row in rank["vaegan"]["curves"]["rows"]] == [sorted(row) for row in alone]
        for found, expected in zip(rank["vaegan"]["curves"]["rows"], alone, strict=True):
            assert found == pytest.approx(expected, rel=1e-5)  # sums over ranks are taken in float32


def test_each_rank_paints_its_own_rows(two_ranks):
    one = on_ranks.vaegan_trainer()
    one.run()
    painted = one.state.output["pred"]
    for rank, found in enumerate(two_ranks):
        torch.testing.assert_close(found["painted"], painted[rank::2], rtol=1e-10, atol=1e-10)


def test_in_bfloat16_ranks_and_parts_add_less_than_the_rounding_does(two_ranks, monkeypatch):
    """The sums differ by their rounding to 8 bits; so does the whole training from one in float32, by more."""
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: True)
    ends = []
    for amp in (True, False):
        one = on_ranks.gan_trainer(epochs=1, amp=amp, double=False)
        one.run()
        ends.append(nn.utils.parameters_to_vector(one.gan.parameters()).detach())
    rounded, exact = ends
    for name in ("amp", "amp_in_parts"):
        one.gan.load_state_dict(two_ranks[0][name]["gan"])
        together = nn.utils.parameters_to_vector(one.gan.parameters()).detach()
        assert not torch.equal(together, rounded)
        assert float((together - rounded).norm()) < float((exact - rounded).norm())
        assert_same(two_ranks[0][name], two_ranks[1][name], 0)


def test_a_killed_rank_is_started_again_and_training_goes_on_from_the_last_whole_round(two_ranks, tmp_path):
    on_ranks.torchrun("with_a_killed_rank", str(tmp_path), options=("--max-restarts=1",))
    state = torch.load(tmp_path / "training.pt", weights_only=True)["training"]
    assert state["epoch"] == 3
    assert_same(state, two_ranks[0]["undisturbed"], 0)
    for rank in range(2):
        assert torch.load(tmp_path / f"steps{rank}.pt", weights_only=True) == [
            3,
            4,
            5,
            6,
        ]  # the second epoch from its beginning


def test_one_process_goes_on_with_what_two_ranks_have_trained(two_ranks):
    """The checkpoints are of one kind: a first epoch on two ranks and a second one alone are two epochs alone."""
    one = on_ranks.vaegan_trainer(epochs=2)
    one.load_state_dict({"training": two_ranks[0]["first_epoch"]})
    assert one.state.epoch == 1
    assert_same(on_ranks.state_after(on_ranks.vaegan_trainer(epochs=2)), on_ranks.state_after(one), 1e-12)


def test_one_process_calls_the_function_itself():
    network = nn.Linear(2, 2)
    assert synchronised(network.forward, network) == network.forward
    with reduced(network.forward, wanted=False):
        network(torch.ones(1, 2)).sum().backward()
    assert network.weight.grad is not None


def test_one_process_keeps_its_batch_norm():
    network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2))
    assert shared_batch_norm(network, "cpu") is network
    assert type(network[1]) is nn.BatchNorm2d
