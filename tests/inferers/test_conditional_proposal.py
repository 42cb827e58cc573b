"""Points of a group come from that group's proposal; groups are as frequent as their hearts."""

from __future__ import annotations

import pytest
import torch

from monai_cardiacgen.errors import InputError, ShapeError
from monai_cardiacgen.inferers.conditional_proposal import ConditionalProposal
from monai_cardiacgen.inferers.proposals import GaussianProposal
from monai_cardiacgen.seeding import row_generators, seeded

#: A quarter of the points about (10, 0), the others about (-10, 0) and in another direction.
CONDITIONS = torch.tensor([[1.0, 0.0]] * 25 + [[0.0, 1.0]] * 75)
SPREAD = torch.where(CONDITIONS[:, :1] > 0, torch.tensor([[1.0, 0.1]]), torch.tensor([[0.1, 1.0]]))
POINTS = torch.randn(100, 2, generator=seeded(0)) * SPREAD + 10 * torch.tensor([1.0, 0.0]) * (2 * CONDITIONS[:, :1] - 1)


def test_points_go_with_their_condition_and_conditions_are_as_frequent_as_hearts():
    points, conditions = ConditionalProposal(POINTS, CONDITIONS, GaussianProposal).draw(row_generators(seeded(1), 800))
    first = conditions[:, 0] > 0
    assert torch.equal(first, points[:, 0] > 0)
    assert float(first.float().mean()) == pytest.approx(0.25, abs=0.04)
    torch.testing.assert_close(points[first].std(dim=0), POINTS[:25].std(dim=0), rtol=0.15, atol=0)
    torch.testing.assert_close(points[~first].std(dim=0), POINTS[25:].std(dim=0), rtol=0.15, atol=0)


def test_a_row_depends_on_its_own_generator_only():
    proposal = ConditionalProposal(POINTS, CONDITIONS, GaussianProposal)
    points, conditions = proposal.draw(row_generators(seeded(1), 8))
    alone, told = proposal.draw(row_generators(seeded(1), 8)[5:6])
    assert torch.equal(points[5:6], alone)
    assert torch.equal(conditions[5:6], told)


def test_asked_for_points_are_of_the_condition_that_was_asked_for():
    proposal = ConditionalProposal(POINTS, CONDITIONS, GaussianProposal)
    asked = torch.eye(2)[torch.arange(60) % 2]
    points, conditions = proposal.draw(row_generators(seeded(1), 60), asked)
    assert torch.equal(conditions, asked)
    assert torch.equal(points[:, 0] > 0, asked[:, 0] > 0)
    # Where it is what would have been drawn, it is the same point.
    drawn, told = proposal.draw(row_generators(seeded(1), 60))
    assert torch.equal(proposal.draw(row_generators(seeded(1), 60), told)[0], drawn)
    with pytest.raises(InputError, match=r"got \[0\.5, 0\.5\]"):
        proposal.draw(row_generators(seeded(1), 2), torch.tensor([[1.0, 0.0], [0.5, 0.5]]))


def test_a_condition_of_one_heart_is_refused():
    with pytest.raises(ShapeError, match="at least 2 hearts of each condition"):
        ConditionalProposal(POINTS[24:], CONDITIONS[24:], GaussianProposal)
