"""Many descents at once: optima from linear programming, independence, and the end of each."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.optimize import linprog

from monai_cardiacgen.errors import InputError
from monai_cardiacgen.inferers.latent_descent import descend


def least_absolute(a: np.ndarray, y: np.ndarray) -> float:
    """The least mean |A z - y|, by linear programming: minimise sum t where -t <= A z - y <= t."""
    rows, columns = a.shape
    cost = np.r_[np.zeros(columns), np.ones(rows)]
    sides = np.block([[a, -np.eye(rows)], [-a, -np.eye(rows)]])
    found = linprog(cost, A_ub=sides, b_ub=np.r_[y, -y], bounds=[(None, None)] * columns + [(0, None)] * rows)
    return found.fun / rows


def test_every_start_reaches_the_optimum_of_linear_programming():
    draws = np.random.default_rng(0)
    a, y = draws.normal(size=(60, 8)), draws.normal(size=60)
    matrix, target = torch.from_numpy(a), torch.from_numpy(y)
    starts = 3 * torch.randn(5, 8, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    found = descend(lambda z: (z @ matrix.T - target).abs().mean(dim=1), starts, steps=4000)
    optimum = least_absolute(a, y)
    assert found.losses.min() >= optimum * (1 - 1e-9)
    assert found.losses.max() <= optimum * 1.005
    assert torch.allclose((found.latents @ matrix.T - target).abs().mean(dim=1), found.losses)
    assert int(found.steps.max()) < 4000


def test_a_start_does_not_feel_the_others():
    scales = torch.tensor([1.0, 100.0, 0.01])

    def objective(z):
        return ((z * torch.tensor([1.0, 3.0, 9.0]) - 1).abs().sum(dim=1) + z.square().prod(dim=1)).sqrt()

    starts = scales[:, None] * torch.tensor([[0.3, -0.2, 2.0]])
    together = descend(objective, starts, steps=400)
    for row in range(3):
        alone = descend(objective, starts[row : row + 1], steps=400)
        torch.testing.assert_close(together.latents[row], alone.latents[0])
        steps = int(alone.steps[0])
        assert together.steps[row] == steps
        torch.testing.assert_close(together.trace[row, :steps], alone.trace[0, :steps])
        assert together.trace[row, steps:].isnan().all()


def test_a_converged_start_is_not_computed_any_more():
    rows = []

    def objective(z):
        rows.append(len(z))
        return z[:, 0].abs() + 1

    found = descend(objective, torch.tensor([[0.0], [30.0]]), steps=500, window=10)
    assert rows[0] == 2
    assert rows[-1] == 1
    assert found.steps.tolist() == [sum(count == 2 for count in rows), len(rows)]
    assert found.steps[0] == 10 + 7 * 10  # one window sees the first loss, six more halve, the last ends
    assert found.latents[0] == 0


def test_the_path_leads_from_the_start_to_the_best():
    start = torch.tensor([[2.0, -1.0]], dtype=torch.float64)
    found = descend(lambda z: z.square().sum(dim=1), start, steps=300)
    assert torch.equal(start, torch.tensor([[2.0, -1.0]], dtype=torch.float64))
    assert torch.equal(found.path[:, 0], start)
    assert torch.equal(found.path[:, -1], found.latents)
    assert found.path_steps.tolist() == [*range(found.trace.shape[1]), found.trace.shape[1]]
    along = found.path[0, :-1].square().sum(dim=1)
    torch.testing.assert_close(along, found.trace[0])
    assert found.losses == found.trace.min()


def test_it_works_where_gradients_are_off():
    start, target = torch.zeros(1, 2), torch.tensor([0.4, -0.3])
    for mode in (torch.no_grad, torch.inference_mode):
        with mode():
            found = descend(lambda z: (z - target).abs().sum(dim=1), start, steps=400)
        torch.testing.assert_close(found.latents[0], target, atol=0.005, rtol=0)


def test_bad_numbers_are_refused():
    def objective(z):
        return z.log().sum(dim=1)

    with pytest.raises(InputError, match="finite losses"):
        descend(objective, torch.tensor([[1.0], [-1.0]]))
    for wrong in ({"steps": 0}, {"window": 0}, {"learning_rate": 0.0}, {"tolerance": -0.1}):
        with pytest.raises(InputError, match="at least"):
            descend(objective, torch.ones(1, 1), **wrong)
