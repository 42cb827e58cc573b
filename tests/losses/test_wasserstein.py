"""Losses against their formula; the penalty against critics whose gradient is known on paper."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from monai_cardiacgen.errors import InputError, ShapeError
from monai_cardiacgen.losses import (
    WassersteinCriticLoss,
    WassersteinGeneratorLoss,
    between,
    gradient_norm,
    gradient_penalty,
)
from monai_cardiacgen.seeding import seeded


def pictures(rows: int, seed: int) -> torch.Tensor:
    return torch.rand(rows, 1, 4, 4, generator=seeded(seed), dtype=torch.float64)


def linear_critic(slope: float) -> nn.Module:
    """Scores `w x + 5`, with `|w|` the slope."""
    layer = nn.Linear(16, 1).double()
    with torch.no_grad():
        layer.weight.normal_(generator=seeded(3))
        layer.weight *= slope / layer.weight.norm()
        layer.bias.fill_(5)
    return nn.Sequential(nn.Flatten(), layer, nn.Flatten(0))


def quadratic(points: torch.Tensor) -> torch.Tensor:
    """Half the squared length: its gradient is the point itself."""
    return points.flatten(1).square().sum(dim=1) / 2


@pytest.mark.parametrize("slope", [0.0, 0.5, 1.0, 3.0])
def test_a_linear_critic_is_penalised_by_its_slope_wherever_the_points_are(slope):
    found = gradient_penalty(linear_critic(slope), pictures(5, 0), pictures(5, 1), seeded(0))
    torch.testing.assert_close(found, torch.full((5,), (slope - 1) ** 2, dtype=torch.float64))


def test_a_quadratic_critic_is_penalised_by_each_points_own_length():
    real, fake = pictures(6, 0), 3 * pictures(6, 1)
    share = torch.rand(6, generator=seeded(7))  # the one draw that is documented
    points = (1 - share.double())[:, None] * real.flatten(1) + share.double()[:, None] * fake.flatten(1)
    expected = (points.norm(dim=1) - 1) ** 2
    torch.testing.assert_close(gradient_penalty(quadratic, real, fake, seeded(7)), expected)
    assert float(expected.std()) > 0.1  # a norm over the whole batch would not vary


def test_a_row_is_penalised_as_if_it_were_alone():
    real, fake, share = pictures(4, 0), pictures(4, 1), torch.tensor([0.1, 0.9, 0.5, 0.3])
    whole = gradient_norm(quadratic, between(real, fake, share))
    for row in range(4):
        alone = gradient_norm(quadratic, between(real[row : row + 1], fake[row : row + 1], share[row : row + 1]))
        torch.testing.assert_close(alone, whole[row : row + 1])


def test_the_penalty_moves_the_critic_as_its_derivative_says():
    """For `w x` the penalty is `(|w| - 1) ** 2`, its derivative `2 (|w| - 1) w / |w|`."""
    critic = linear_critic(3.0)
    gradient_penalty(critic, pictures(5, 0), pictures(5, 1), seeded(0)).mean().backward()
    weight = critic[1].weight.detach()
    torch.testing.assert_close(critic[1].weight.grad, 2 * (3 - 1) * weight / 3)
    assert critic[1].bias.grad is None or not critic[1].bias.grad.any()


def test_a_flat_critic_has_no_undefined_gradient():
    critic = linear_critic(0.0)
    gradient_penalty(critic, pictures(2, 0), pictures(2, 1), seeded(0)).mean().backward()
    assert torch.isfinite(critic[1].weight.grad).all()


def test_no_gradient_flows_into_the_samples():
    real, fake = pictures(2, 0).requires_grad_(), pictures(2, 1).requires_grad_()
    gradient_penalty(linear_critic(3.0), real, fake, seeded(0)).sum().backward()
    assert real.grad is None
    assert fake.grad is None


def test_points_lie_evenly_between_both():
    real, fake = torch.zeros(4000, 1), torch.ones(4000, 1)
    norms = []
    gradient_penalty(lambda x: norms.append(x.detach()) or x[:, 0], real, fake, seeded(0))
    counts = torch.histc(norms[0], bins=4, min=0, max=1)
    assert counts.sum() == 4000
    assert ((counts - 1000).abs() < 5 * 28).all()  # five standard deviations of a binomial count


def test_the_penalty_is_in_full_precision_within_autocast():
    real, fake = pictures(5, 0).float(), pictures(5, 1).float()
    critic = linear_critic(1.01).float()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = gradient_penalty(critic, real, fake, seeded(0))
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, torch.full((5,), 1e-4), rtol=1e-2, atol=0)  # bfloat16 cannot hold 1.01


def test_losses_are_the_papers_formulas():
    real, fake, norm = torch.tensor([3.0, 5.0]), torch.tensor([1.0, -2.0]), torch.tensor([1.5, 0.0])
    assert float(WassersteinCriticLoss()(real, fake, norm)) == pytest.approx(-0.5 - 4 + 10 * (0.25 + 1) / 2)
    assert float(WassersteinCriticLoss(0.1)(real, fake, norm)) == pytest.approx(-0.5 - 4 + 0.1 * (0.25 + 1) / 2)
    assert float(WassersteinGeneratorLoss()(fake)) == 0.5


def test_the_best_slope_between_two_points_is_the_documented_one():
    """Slope `s`, points `w` apart: `-s w + lambda (s - 1) ** 2` is least at `1 + w / (2 lambda)`."""
    slopes = torch.linspace(0, 2, 2001)
    losses = [WassersteinCriticLoss(10.0)(2 * s[None], 0 * s[None], s[None]) for s in slopes]
    assert float(slopes[torch.stack(losses).argmin()]) == pytest.approx(1.1, abs=1e-3)


@pytest.mark.parametrize("weight", [-1.0, float("nan")])
def test_a_weight_that_is_not_positive_is_refused(weight):
    with pytest.raises(InputError, match="penalty_weight"):
        WassersteinCriticLoss(weight)


def test_what_does_not_fit_is_refused():
    with pytest.raises(ShapeError, match="one shape"):
        gradient_penalty(quadratic, pictures(3, 0), pictures(2, 0), seeded(0))
    with pytest.raises(ShapeError, match="share for each"):
        between(pictures(3, 0), pictures(3, 1), torch.rand(2))
    with pytest.raises(ShapeError, match="one score a sample"):
        gradient_penalty(lambda x: x.flatten(1)[:, :1], pictures(3, 0), pictures(3, 1), seeded(0))
