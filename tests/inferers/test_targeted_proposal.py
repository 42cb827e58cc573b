"""Points that are likely to be as asked for, against the regression of a linear world."""

from __future__ import annotations

import pytest
import torch

from monai_cardiacgen.inferers.heart_attributes import HeartAttributes
from monai_cardiacgen.inferers.targeted_proposal import TargetedProposal
from monai_cardiacgen.seeding import row_generators, seeded

POINTS = torch.randn(400, 3, generator=seeded(0))
MIXING = torch.tensor([[30.0, 0.0], [10.0, -2.0], [0.0, 1.0]])
NUMBERS = POINTS @ MIXING + torch.tensor([500.0, 8.0])


def proposal(bandwidth: float = 0.2, **told) -> TargetedProposal:
    measured = {"area": NUMBERS[:, 0], "wall": NUMBERS[:, 1]}
    return TargetedProposal(POINTS, bandwidth, HeartAttributes.of(measured, told))


def drawn(target, count: int = 200, **arguments) -> torch.Tensor:
    return proposal(**arguments).draw(row_generators(seeded(1), count), [target] * count)


def test_in_a_linear_world_the_target_is_met():
    """The ridge of the regression leaves a thousandth of the way."""
    found = drawn({"area": (520.0, 540.0), "wall": (7.0, 7.5)}) @ MIXING + torch.tensor([500.0, 8.0])
    assert bool(((found[:, 0] > 519.5) & (found[:, 0] < 540.5)).all())
    assert bool(((found[:, 1] > 6.9) & (found[:, 1] < 7.6)).all())
    uniform = torch.quantile(found[:, 0], torch.tensor([0.1, 0.5, 0.9]))
    torch.testing.assert_close(uniform, torch.tensor([522.0, 530.0, 538.0]), atol=1.5, rtol=0)


def test_what_was_not_asked_for_stays_as_varied_as_it_was():
    """The direction in which the area does not change keeps its spread."""
    points = drawn({"area": (499.0, 501.0)}, count=400, bandwidth=0.01)
    across = torch.tensor([10.0, -30.0, 0.0]) / 1000**0.5
    assert float((points @ across).std()) == pytest.approx(1.0, abs=0.12)
    assert float(points[:, 2].std()) == pytest.approx(1.0, abs=0.12)


def test_beyond_all_hearts_the_nearest_are_moved_but_not_for_ever():
    most = float(NUMBERS[:, 0].max())
    found = (drawn({"area": (most + 30, most + 30)}, count=20) @ MIXING)[:, 0] + 500
    assert float((found - most - 30).abs().max()) < 1
    far = (drawn({"area": (2000.0, 2000.0)}, count=20, bandwidth=1e-6) @ MIXING)[:, 0] + 500
    spread = float(NUMBERS[:, 0].std())
    torch.testing.assert_close(far, torch.full((20,), most + 3 * spread), atol=0.1 * spread, rtol=0)


def test_what_only_the_dataset_tells_chooses_the_heart():
    position = torch.linspace(-1, 1, 400)
    points = drawn({"position": (0.5, 0.6)}, bandwidth=1e-6, position=position.tolist())
    near = torch.cdist(points, POINTS).argmin(dim=1)
    assert float(position[near].min()) > 0.0
    assert float(position[near].mean()) == pytest.approx(0.55, abs=0.05)


def test_a_category_excludes_the_others():
    phase = ["ED", "ES"] * 200
    points = drawn({"phase": "ES"}, bandwidth=1e-6, phase=phase)
    near = torch.cdist(points, POINTS).argmin(dim=1)
    assert bool((near % 2 == 1).all())
    assert len(set(near.tolist())) > 100


def test_a_number_that_some_hearts_lack_is_taken_from_the_others():
    wall = NUMBERS[:, 1].clone()
    wall[::2] = torch.nan
    one = TargetedProposal(POINTS, 1e-6, HeartAttributes.of({"wall": wall}, {}))
    points = one.draw(row_generators(seeded(1), 20), [{"wall": (8.0, 9.0)}] * 20)
    assert bool(torch.isfinite(points).all())
    assert bool((((points @ MIXING)[:, 1] + 8 - 8.5).abs() < 0.6).all())
