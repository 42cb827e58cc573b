"""One step of the shape model, whole and in parts."""

from __future__ import annotations

import copy
from contextlib import nullcontext

import pytest
import torch
from monai.engines.utils import IterationEvents
from on_ranks import without_batch_norm

from monai_cardiacgen.engines.anatomical_vae_step import AnatomicalVAEStep
from monai_cardiacgen.errors import InputError, IntensityError
from monai_cardiacgen.losses import EvidenceLowerBoundLoss
from monai_cardiacgen.networks.nets.anatomical_vae import AnatomicalVAE
from monai_cardiacgen.seeding import seeded

NOISE = torch.randn(8, 2, generator=seeded(0))


def discs(count: int = 8, side: int = 16) -> torch.Tensor:
    """One-hot maps of discs of different sizes, `(count, 2, side, side)`."""
    y, x = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
    distance = ((y - 7.5) ** 2 + (x - 7.5) ** 2).sqrt()
    inside = torch.stack([distance < 2 + 5 * row / count for row in range(count)]).float()
    return torch.stack((1 - inside, inside), dim=1)


def network(condition_size: int = 0) -> AnatomicalVAE:
    torch.manual_seed(0)
    return AnatomicalVAE(2, 2, (16, 16), latent_size=2, channels=(8, 16), condition_size=condition_size).train()


def step_of(one: AnatomicalVAE, rate: float = 1e-3, accumulation: int = 1, dice: float = 1.0) -> AnatomicalVAEStep:
    optimizer = torch.optim.SGD(one.parameters(), lr=rate)
    return AnatomicalVAEStep(one, optimizer, EvidenceLowerBoundLoss(dice=dice), nullcontext, accumulation)


def test_step_is_gradient_descent_on_the_loss():
    """With plain gradient descent a small step lowers the loss by about rate times the squared gradient."""
    one = network()
    before = copy.deepcopy(one)
    first = step_of(one)(discs(), NOISE)["loss"]
    squared = sum(float(p.grad.square().sum()) for p in one.parameters())
    after = copy.deepcopy(one)
    second = step_of(after, rate=0.0)(discs(), NOISE)["loss"]
    assert float(first - second) == pytest.approx(1e-3 * squared, rel=0.2)
    moved = [(p - q) / -1e-3 for p, q in zip(one.parameters(), before.parameters(), strict=True)]
    torch.testing.assert_close(moved, [p.grad for p in one.parameters()], rtol=1e-2, atol=1e-3)


@pytest.mark.parametrize("accumulation", [2, 3, 4, 8])
def test_parts_move_a_network_without_batch_statistics_as_the_whole_batch(accumulation):
    results = []
    for parts in (1, accumulation):
        one, events = without_batch_norm(network(condition_size=1)).double(), []
        step = step_of(one, rate=0.1, accumulation=parts, dice=0.0)
        condition = torch.linspace(-1, 1, 8, dtype=torch.float64)[:, None]
        for _ in range(3):
            output = step(discs().double(), NOISE, condition, after=lambda event, _, seen=events: seen.append(event))
        results.append((one.state_dict(), output, events))
    (expected, output, events), (found, found_output, found_events) = results
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value, rtol=1e-11, atol=1e-11)
    torch.testing.assert_close(found_output, output, rtol=1e-11, atol=1e-11)
    assert found_events == events
    assert len(events) == 3 * 4
    assert events[3] == IterationEvents.MODEL_COMPLETED


def test_a_part_has_two_rows_at_least_for_batch_norm():
    one = network()
    step_of(one, accumulation=8)(discs(3), NOISE[:3])
    assert int(one.encoder[0][0][1].num_batches_tracked) == 1


def test_a_loss_that_is_not_finite_stops_before_it_harms():
    one = network()
    before = copy.deepcopy([p.detach() for p in one.parameters()])
    with pytest.raises(IntensityError, match="loss"):
        step_of(one, rate=1.0)(discs(), torch.full((8, 2), float("nan")))
    for parameter, other in zip(one.parameters(), before, strict=True):
        assert torch.equal(parameter, other)


def test_no_part_at_all_is_refused():
    with pytest.raises(InputError, match="accumulation=0"):
        step_of(network(), accumulation=0)
