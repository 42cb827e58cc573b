"""Each player moves by its own gradient alone; two ranks move as one process with the whole batch."""

from __future__ import annotations

from contextlib import nullcontext

import pytest
import torch
import wgan_on_ranks
from monai.engines import IterationEvents
from small_wgan import LATENT, points, small_critic, small_network

from monai_cardiacgen.engines import WGANGPStep
from monai_cardiacgen.errors import InputError
from monai_cardiacgen.losses import WassersteinCriticLoss
from monai_cardiacgen.seeding import seeded

RATE = 0.02


def small_step(latent_size: int = LATENT) -> WGANGPStep:
    network, critic = small_network().double(), small_critic().double()
    return WGANGPStep(
        network,
        critic,
        torch.optim.SGD(network.parameters(), lr=RATE),
        torch.optim.SGD(critic.parameters(), lr=RATE),
        latent_size,
        WassersteinCriticLoss(),
        nullcontext,
    )


def test_the_critic_moves_by_the_papers_loss_written_out_row_by_row():
    step, reference, network = small_step(), small_critic().double(), small_network().double()
    real, fired = points(5, seed=2).double(), []
    terms, fake = step.move_critic(real, seeded(3), fired.append)

    draws = seeded(3)
    latent, share = torch.randn(5, LATENT, generator=draws), torch.rand(5, generator=draws)
    loss, estimate, norms = 0.0, 0.0, []
    for row in range(5):
        made = network(latent[row : row + 1].double()).detach()
        point = ((1 - share[row].double()) * real[row : row + 1] + share[row].double() * made).requires_grad_()
        (gradient,) = torch.autograd.grad(reference(point).sum(), point, create_graph=True)
        norms.append(gradient.square().sum().sqrt())
        difference = reference(real[row : row + 1]).sum() - reference(made).sum()
        loss = loss + (10 * (norms[-1] - 1) ** 2 - difference) / 5
        estimate += float(difference.detach()) / 5
    loss.backward()
    assert float(terms["critic_loss"]) == pytest.approx(float(loss.detach()), rel=1e-6)
    assert float(terms["critic_estimate"]) == pytest.approx(estimate, rel=1e-6)
    assert float(terms["gradient_norm"]) == pytest.approx(float(torch.stack(norms).mean().detach()), rel=1e-6)
    assert fake.shape == (5, 2)
    for moved, was in zip(step.critic.parameters(), reference.parameters(), strict=True):
        torch.testing.assert_close(moved, was - RATE * was.grad, rtol=1e-6, atol=1e-9)
    assert fired == [
        IterationEvents.FORWARD_COMPLETED,
        IterationEvents.LOSS_COMPLETED,
        IterationEvents.BACKWARD_COMPLETED,
    ]


def test_the_network_climbs_the_critics_score_and_leaves_the_critic():
    step, before = small_step(), small_critic().double()
    terms = step.move_network(points(4, seed=0).double(), seeded(3))
    latent = torch.randn(4, LATENT, generator=seeded(3)).double()
    reference = small_network().double()
    loss = -before(reference(latent)).mean()
    loss.backward()
    assert float(terms["generator_loss"]) == pytest.approx(float(loss.detach()))
    for moved, was in zip(step.network.parameters(), reference.parameters(), strict=True):
        torch.testing.assert_close(moved, was - RATE * was.grad)
    for kept, was in zip(step.critic.parameters(), before.parameters(), strict=True):
        assert torch.equal(kept, was)
        assert kept.grad is None
        assert kept.requires_grad


def test_no_latent_is_refused():
    with pytest.raises(InputError, match="latent_size"):
        small_step(latent_size=0)


@pytest.fixture(scope="module")
def two_ranks(tmp_path_factory) -> list[dict]:
    """What each of two ranks ends with."""
    folder = tmp_path_factory.mktemp("ranks")
    wgan_on_ranks.torchrun(folder)
    return [torch.load(folder / f"rank{rank}.pt", weights_only=True) for rank in range(2)]


def test_two_ranks_keep_gradients_in_sync_and_move_as_one_with_the_whole_batch(two_ranks):
    """Weights, running average and the last gradients of both players after two epochs."""
    one, curves = wgan_on_ranks.patch_trainer()
    start = {name: value.clone() for name, value in one.critic.state_dict().items()}
    alone = wgan_on_ranks.result(one, curves)
    for rank in two_ranks:
        assert rank["tensors"].keys() == alone["tensors"].keys()
        assert torch.equal(rank["draws"], alone["draws"])
    for name, value in alone["tensors"].items():
        torch.testing.assert_close(two_ranks[0]["tensors"][name], value, rtol=1e-10, atol=1e-12)
        assert torch.equal(two_ranks[0]["tensors"][name], two_ranks[1]["tensors"][name])
    moved = max(float((value - start[name]).abs().max()) for name, value in one.critic.state_dict().items())
    assert moved > 1e-3  # a training that stands still would be the same everywhere


def test_each_rank_makes_its_own_rows_and_reports_the_whole_batch(two_ranks):
    alone = wgan_on_ranks.result(*wgan_on_ranks.patch_trainer())
    for rank, found in enumerate(two_ranks):
        torch.testing.assert_close(found["fakes"], alone["fakes"][rank::2], rtol=1e-10, atol=1e-12)
        for row, expected in zip(found["rows"], alone["rows"], strict=True):
            assert row == pytest.approx(expected, rel=1e-4, abs=1e-6)  # sums over ranks are taken in float32


def test_ranks_with_unequal_batches_are_refused_on_each(two_ranks):
    for found in two_ranks:
        assert "[2, 3]" in found["refusal"]
