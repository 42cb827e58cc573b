"""Spectral norm against PyTorch's own, and against the singular value."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations

from monai_cardiacgen.networks.blocks.spade import fold_spectral_norm
from monai_cardiacgen.networks.blocks.spectral_norm import spectral_norm, weight_product

LAYERS = {
    "2D": lambda: nn.Conv2d(5, 7, 3),
    "3D": lambda: nn.Conv3d(3, 4, 3),
    "1 x 1": lambda: nn.Conv2d(6, 2, 1, bias=False),
    "linear": lambda: nn.Linear(9, 4),
}


def both(layer) -> tuple[nn.Module, nn.Module]:
    """The same layer twice, with our norm and with PyTorch's, after the same draws."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        ours = spectral_norm(layer().double())
        torch.manual_seed(0)
        return ours, parametrizations.spectral_norm(layer().double())


@pytest.mark.parametrize("layer", LAYERS.values(), ids=LAYERS)
def test_values_gradients_and_state_are_pytorchs(layer):
    ours, theirs = both(layer)
    assert ours.state_dict().keys() == theirs.state_dict().keys()
    for training in (True, True, False, True):
        gradients = []
        for one in (ours, theirs):
            one.train(training)
            one.zero_grad()
            weight = one.weight
            (weight * torch.linspace(-1, 2, weight.numel(), dtype=weight.dtype).view_as(weight)).sum().backward()
            gradients.append(one.parametrizations.weight.original.grad)
        torch.testing.assert_close(gradients[0], gradients[1])
        for name, value in theirs.state_dict().items():
            torch.testing.assert_close(ours.state_dict()[name], value)


def test_two_calls_before_one_backward_pass_give_pytorchs_gradient():
    losses = []
    for one in both(LAYERS["2D"]):
        x = torch.linspace(-1, 1, 2 * 5 * 6 * 6, dtype=torch.float64).view(2, 5, 6, 6)
        (one(x[:1]).square().sum() - one(x[1:]).sin().sum()).backward()
        losses.append(one.parametrizations.weight.original.grad)
    torch.testing.assert_close(*losses)


@pytest.mark.parametrize("training", [True, False])
def test_products_with_the_weight_are_pytorchs(training):
    columns = torch.linspace(-1, 1, 45 * 4, dtype=torch.float64).view(45, 4)
    found = []
    for one in both(LAYERS["2D"]):
        one.train(training)
        given = columns.clone().requires_grad_()
        out = weight_product(one, given)
        out.sin().sum().backward()
        found.append(
            [
                out,
                given.grad,
                one.parametrizations.weight.original.grad,
                one.state_dict()["parametrizations.weight.0._u"],
            ]
        )
    for ours, theirs in zip(*found, strict=True):
        torch.testing.assert_close(ours, theirs)


def test_can_be_differentiated_twice():
    ours, theirs = both(LAYERS["linear"])
    x = torch.linspace(-1, 1, 18, dtype=torch.float64).view(2, 9).requires_grad_()
    penalties = []
    for one in (ours, theirs):
        (slope,) = torch.autograd.grad(one(x).sin().sum(), x, create_graph=True)
        slope.square().sum().backward()
        penalties.append(one.parametrizations.weight.original.grad)
    torch.testing.assert_close(*penalties)


def test_gradients_are_those_of_finite_differences():
    norm = both(LAYERS["linear"])[0].parametrizations.weight[0]
    start = copy.deepcopy(norm.state_dict())

    def divided(weight: torch.Tensor) -> torch.Tensor:
        norm.load_state_dict(start)
        u, v = start["_u"], start["_v"]  # constants, also of the numerical derivative
        norm._iterate = lambda matrix: u @ matrix @ v
        return norm(weight)

    weight = torch.linspace(-1, 2, 36, dtype=torch.float64).view(4, 9).requires_grad_()
    assert torch.autograd.gradcheck(divided, weight)
    assert torch.autograd.gradgradcheck(divided, weight)


def test_the_largest_singular_value_becomes_one_and_stays_when_folded():
    layer = spectral_norm(nn.Linear(30, 20))
    with torch.no_grad():
        for _ in range(200):
            layer.weight  # noqa: B018  each reading in training mode is a power iteration
    assert float(torch.linalg.matrix_norm(layer.eval().weight.detach(), 2)) == pytest.approx(1, abs=1e-4)
    before = layer.weight.detach().clone()
    fold_spectral_norm(layer)
    torch.testing.assert_close(layer.weight.detach(), before)


def test_autocast_does_not_coarsen_the_norm():
    layer = spectral_norm(nn.Linear(300, 200)).eval()
    expected = layer.weight.detach()
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(layer.weight.detach(), expected)


def test_shapes_alone_are_known_without_any_weights():
    with torch.device("meta"):
        layer = spectral_norm(nn.Conv2d(3, 8, 3))
    assert layer.weight.shape == (8, 3, 3, 3)
    assert layer.weight.is_meta
