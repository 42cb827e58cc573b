"""Curves through the latent space, against polynomials that are known."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from monai_cardiacgen.errors import InputError
from monai_cardiacgen.inferers.stack_trajectory import StackTrajectory, legendre
from monai_cardiacgen.seeding import seeded


def cubic(positions: torch.Tensor, coefficients: torch.Tensor) -> torch.Tensor:
    powers = torch.stack([positions**power for power in range(4)], dim=1)
    return powers @ coefficients


def fitted(slices: int = 10, noise: float = 0.0, degree: int = 3):
    coefficients = torch.randn(2, 4, 5, generator=seeded(0))
    coefficients[:, degree + 1 :] = 0
    positions = [torch.linspace(-1, 1, slices), torch.linspace(-1, 1, slices - 2)]
    features = [cubic(at, each) for at, each in zip(positions, coefficients, strict=True)]
    features = [one + noise * torch.randn(one.shape, generator=seeded(1)) for one in features]
    return StackTrajectory.fit(positions, features, (90.0, 70.0)), coefficients


def test_the_basis_is_numpys():
    positions = torch.linspace(-1, 1, 7)
    expected = np.polynomial.legendre.Legendre([0, 0, 1])(positions.numpy())
    np.testing.assert_allclose(legendre(positions)[:, 2].numpy(), expected, atol=1e-6)


def test_straight_lines_are_kept_exactly():
    """The penalty is on curvature only."""
    trajectory, coefficients = fitted(degree=1)
    at = torch.linspace(-1, 1, 23)
    for phase in (0, 1):
        torch.testing.assert_close(
            trajectory.features(at, float(phase)), cubic(at, coefficients[phase]), atol=1e-4, rtol=0
        )


def test_curves_are_followed_and_noise_is_not():
    at = torch.linspace(-1, 1, 23)
    clean, coefficients = fitted(12)
    truth = cubic(at, coefficients[0])
    assert float((clean.features(at, 0.0) - truth).abs().mean()) < 0.15 * float(truth.std())
    noisy, _ = fitted(12, noise=0.5)
    assert float((noisy.features(at, 0.0) - truth).square().mean().sqrt()) < 0.4


def test_between_the_phases_it_is_half_way():
    trajectory, _ = fitted()
    at = torch.tensor([-0.3, 0.8])
    middle = (trajectory.features(at, 0.0) + trajectory.features(at, 1.0)) / 2
    torch.testing.assert_close(trajectory.features(at, 0.5), middle)
    assert trajectory.length(0.5) == pytest.approx(80.0)
    assert trajectory.length(1.5) == pytest.approx(60.0)


def test_the_vector_holds_all_of_it():
    trajectory, _ = fitted()
    again = StackTrajectory.from_vector(trajectory.vector())
    assert torch.equal(again.diastole, trajectory.diastole)
    assert torch.equal(again.systole, trajectory.systole)
    assert again.lengths.tolist() == [90.0, 70.0]


def test_a_single_slice_is_no_stack():
    one = torch.zeros(1), torch.zeros(1, 5)
    two = torch.linspace(-1, 1, 4), torch.zeros(4, 5)
    with pytest.raises(InputError, match=r"two phases of at least two slices each, got \[4, 1\]"):
        StackTrajectory.fit([two[0], one[0]], [two[1], one[1]], (80.0, 0.0))
    with pytest.raises(InputError, match="two phases"):
        StackTrajectory.fit([two[0]], [two[1]], (80.0,))
