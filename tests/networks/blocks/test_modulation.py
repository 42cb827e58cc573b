"""Norm and modulation in one pass, against PyTorch's own norm and its own gradients."""

from __future__ import annotations

import pytest
import torch

from monai_cardiacgen.networks.blocks import modulation
from monai_cardiacgen.networks.blocks.modulation import NormaliseAndModulate, channel_statistics, table_sums
from monai_cardiacgen.seeding import seeded

PIXELS, CHANNELS = 40, 3
ROW = torch.tensor([0, 0, 1, 1, 1])


@pytest.fixture
def given():
    """Two rows of pixels, five table entries, and the entry of every pixel, in float64."""
    generator = seeded(0)
    x = torch.randn(2 * PIXELS, CHANNELS, dtype=torch.float64, generator=generator) * 3 + 5
    gamma, beta = torch.randn(2, 5, CHANNELS, dtype=torch.float64, generator=generator)
    lookup = torch.cat(
        [torch.randint(0, 2, (PIXELS,), generator=generator), torch.randint(2, 5, (PIXELS,), generator=generator)]
    )
    return x, gamma, beta, lookup


def by_instance_norm(x, gamma, beta, lookup):
    image = x.view(2, PIXELS, CHANNELS).movedim(-1, 1)
    normalised = torch.nn.functional.instance_norm(image).movedim(1, -1).reshape(x.shape)
    return normalised * (1 + gamma[lookup]) + beta[lookup]


@pytest.mark.parametrize("piece", [1 << 16, 7])
def test_is_instance_norm_and_modulation(given, piece, monkeypatch):
    monkeypatch.setattr(modulation, "_PIECE", piece)
    x, gamma, beta, lookup = given
    ours = NormaliseAndModulate.apply(x, gamma, beta, ROW, lookup, 2)
    torch.testing.assert_close(ours, by_instance_norm(x, gamma, beta, lookup), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("piece", [1 << 16, 7])
def test_gradients_are_those_of_finite_differences(given, piece, monkeypatch):
    monkeypatch.setattr(modulation, "_PIECE", piece)
    x, gamma, beta, lookup = (one.requires_grad_(one.is_floating_point()) for one in given)
    assert torch.autograd.gradcheck(
        lambda *tensors: NormaliseAndModulate.apply(*tensors, ROW, lookup, 2), (x, gamma, beta)
    )


def test_half_precision_keeps_statistics_in_full(given):
    x, gamma, beta, lookup = given
    expected = by_instance_norm(x, gamma, beta, lookup)
    ours = NormaliseAndModulate.apply(x.bfloat16(), gamma.float(), beta.float(), ROW, lookup, 2)
    assert ours.dtype == torch.bfloat16
    torch.testing.assert_close(ours.double(), expected, rtol=0.05, atol=0.05)


def test_statistics_of_many_pixels_are_those_in_double_precision():
    x = torch.randn(200_000, 2, generator=seeded(1)) + 10
    mean, deviation = channel_statistics(x, 1)
    double = x.double()
    torch.testing.assert_close(mean[0].double(), double.mean(dim=0), rtol=5e-5, atol=0)
    torch.testing.assert_close(deviation[0].double(), double.std(dim=0, correction=0), rtol=1e-4, atol=0)


def test_sums_of_a_table_entry_are_those_of_its_pixels(given):
    x, _, _, lookup = given
    plain, product = table_sums(torch.ones_like(x), x, lookup, 5)
    assert torch.equal(plain[:, 0], torch.bincount(lookup, minlength=5).double())
    for entry in range(5):
        torch.testing.assert_close(product[entry], x[lookup == entry].sum(dim=0))
