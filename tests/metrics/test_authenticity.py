"""Authenticity by its definition, and where it is known."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from monai_cardiacgen.errors import InputError, IntensityError, ShapeError
from monai_cardiacgen.metrics import authenticity
from monai_cardiacgen.seeding import seeded


def normal(count: int, seed: int) -> torch.Tensor:
    return torch.randn(count, 5, generator=seeded(seed), dtype=torch.float64)


@pytest.mark.parametrize("chunk", [1, 7, 1024])
def test_numbers_are_those_of_the_definition_case_by_case(chunk):
    real, synthetic = normal(30, 0), normal(40, 1)
    found = authenticity(real, synthetic, chunk)
    for row, case in enumerate(synthetic.numpy()):
        apart = np.linalg.norm(real.numpy() - case, axis=1)
        nearest = int(apart.argmin())
        others = np.linalg.norm(np.delete(real.numpy(), nearest, 0) - real.numpy()[nearest], axis=1)
        assert int(found.nearest[row]) == nearest
        assert bool(found.authentic[row]) == (apart.min() > others.min())
    assert found.share == pytest.approx(float(found.authentic.double().mean()))


def test_noisy_copies_are_found_and_strangers_are_not_suspected():
    real = normal(60, 0)
    copies, strangers = real[:20] + 0.01 * normal(20, 1), normal(20, 2) + 50
    found = authenticity(real, torch.cat([copies, strangers]))
    assert found.authentic.tolist() == [False] * 20 + [True] * 20
    assert found.nearest[:20].tolist() == list(range(20))
    assert found.share == 0.5


def test_one_distribution_on_a_line_has_the_share_that_order_gives():
    """On a line, by symmetry of the gaps: a point between real ones is nearer to its neighbour than the next gap."""
    shares = [
        authenticity(
            torch.rand(500, 1, generator=seeded(2 * n), dtype=torch.float64),
            torch.rand(500, 1, generator=seeded(2 * n + 1), dtype=torch.float64),
        ).share
        for n in range(20)
    ]
    # Gaps are exponential; a new point at u from its nearest x is authentic if both other gap and its own gap allow.
    rng = np.random.default_rng(0)
    gaps = rng.exponential(size=(200_000, 3))
    chosen = rng.choice(200_000, 200_000, p=gaps[:, 1] / gaps[:, 1].sum())  # long gaps catch more new points
    left, middle, right = gaps[chosen].T
    place = rng.uniform(size=200_000) * middle
    apart = np.minimum(place, middle - place)
    beyond = np.where(place < middle - place, left, right)
    expected = (apart > np.minimum(middle, beyond)).mean()
    assert np.mean(shares) == pytest.approx(expected, abs=0.01)


def test_bad_features_are_refused():
    with pytest.raises(ShapeError, match="one D"):
        authenticity(normal(5, 0), torch.zeros(5, 3))
    with pytest.raises(InputError, match="two real cases"):
        authenticity(normal(1, 0), normal(4, 1))
    with pytest.raises(IntensityError, match="synthetic"):
        authenticity(normal(3, 0), normal(3, 1) * torch.nan)
