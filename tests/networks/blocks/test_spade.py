"""SPADE against its formula, against MONAI's block, and the lookup against the convolution."""

from __future__ import annotations

import pickle

import pytest
import torch
from monai.networks.blocks.spade_norm import SPADE as MonaiSPADE  # noqa: N811
from torch.nn.functional import one_hot as to_one_hot

from monai_cardiacgen.networks.blocks.label_patches import distinct_patches
from monai_cardiacgen.networks.blocks.spade import (
    SPADEResidualBlock,
    SpatiallyAdaptiveNorm,
    fold_spectral_norm,
)
from monai_cardiacgen.seeding import seeded


def discs(batch: int, size: int) -> torch.Tensor:
    """Concentric discs, one-hot `(batch, 4, size, size)`."""
    axis = torch.arange(size) - size / 2
    radius = (axis[:, None].square() + axis.square()).sqrt()
    label = torch.stack([(radius / (size / 8 + row)).floor().clamp(max=3) for row in range(batch)])
    return to_one_hot(label.long(), 4).movedim(-1, 1).float()


@pytest.fixture
def norm() -> SpatiallyAdaptiveNorm:
    torch.manual_seed(0)
    return SpatiallyAdaptiveNorm(2, features=6, label_channels=4, hidden_channels=8, style_size=5)


def test_the_formula_of_the_paper(norm):
    x, label, style = torch.randn(2, 6, 32, 32), discs(2, 32), torch.zeros(2, 5)
    torch.nn.init.zeros_(norm.style.bias)
    hidden = torch.relu(torch.nn.functional.conv2d(label, norm.shared.weight, norm.shared.bias, padding=1))
    gamma, beta = torch.nn.functional.conv2d(hidden, norm.gamma_beta.weight, norm.gamma_beta.bias, padding=1).split(
        6, dim=1
    )
    mean = x.mean(dim=(2, 3), keepdim=True)
    variance = x.var(dim=(2, 3), keepdim=True, unbiased=False)
    expected = (x - mean) / (variance + 1e-5).sqrt() * (1 + gamma) + beta
    torch.testing.assert_close(norm(x, label, style), expected, rtol=1e-4, atol=1e-5)


def test_the_lookup_is_exact_with_its_gradients(norm):
    norm.double()
    x = torch.randn(3, 6, 48, 48, dtype=torch.float64, generator=seeded(1))
    style = torch.randn(3, 5, dtype=torch.float64, generator=seeded(2))
    label = discs(3, 48).double()
    patches = distinct_patches(label.argmax(dim=1), 4)
    results = []
    for given in (None, patches):
        norm.zero_grad()
        out = norm(x, label, style, given)
        (out * torch.linspace(-1, 1, out.numel(), dtype=torch.float64).view_as(out)).sum().backward()
        results.append([out.detach(), *(parameter.grad.clone() for parameter in norm.parameters())])
    for convolved, looked_up in zip(*results, strict=True):
        torch.testing.assert_close(looked_up, convolved, rtol=1e-9, atol=1e-9)


def test_each_class_keeps_its_intensity_where_monais_block_loses_it():
    """Train both blocks to show four maps of one class each at four intensities.

    MONAI's block normalises gamma and beta once more, each to mean zero in every sample: all four maps come out with
    the same mean intensity, whatever it learns, and the error stays at the targets' own spread.
    """
    maps = to_one_hot(torch.arange(4).view(4, 1, 1).expand(4, 12, 12), 4).movedim(-1, 1).float()
    targets = torch.tensor([0.1, 0.4, 0.7, 1.0]).view(4, 1, 1, 1)
    x = torch.zeros(4, 1, 12, 12)

    def mean_intensities_after_training(block, *style):
        optimizer = torch.optim.Adam(block.parameters(), lr=0.02)
        for _ in range(150):
            optimizer.zero_grad()
            (block(x, maps, *style) - targets).square().mean().backward()
            optimizer.step()
        return block(x, maps, *style).detach().mean(dim=(1, 2, 3))

    torch.manual_seed(0)
    ours = mean_intensities_after_training(SpatiallyAdaptiveNorm(2, 1, 4, 8, style_size=0), torch.zeros(4, 0))
    theirs = mean_intensities_after_training(MonaiSPADE(4, 1, kernel_size=3, hidden_channels=8, norm="INSTANCE"))
    torch.testing.assert_close(ours, targets.flatten(), rtol=0, atol=0.05)
    assert float(theirs.std()) < 1e-4


def test_noise_moves_a_block_only_by_its_learned_strength():
    torch.manual_seed(0)
    block = SPADEResidualBlock(2, 4, 6, label_channels=4, hidden_channels=8, style_size=3).eval()
    x, label, style = torch.randn(1, 4, 16, 16), discs(1, 16), torch.randn(1, 3)
    noise = torch.randn(1, 1, 16, 16)
    quiet = block(x, label, style)
    assert torch.equal(block(x, label, style, noise), quiet)  # the strength begins at zero
    torch.nn.init.constant_(block.noise_strength, 0.5)
    assert not torch.allclose(block(x, label, style, noise), quiet, atol=1e-3)


def test_folding_spectral_norm_changes_nothing_and_lets_a_block_be_pickled():
    torch.manual_seed(0)
    block = SPADEResidualBlock(2, 4, 6, label_channels=4, hidden_channels=8, style_size=3)
    x, label, style = torch.randn(1, 4, 16, 16), discs(1, 16), torch.randn(1, 3)
    for _ in range(20):
        block(x, label, style)  # power iterations
    block.eval()
    before = block(x, label, style)
    largest = torch.linalg.svdvals(block.conv_0.weight.flatten(1))[0]
    torch.testing.assert_close(largest, torch.ones(()), rtol=0.05, atol=0)
    fold_spectral_norm(block)
    torch.testing.assert_close(block(x, label, style), before)
    torch.testing.assert_close(pickle.loads(pickle.dumps(block))(x, label, style), before)
