"""Modulation by table against its formula, in plain PyTorch and compiled."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, Dataset

from monai_cardiacgen.inferers.fast_painter import FastPainter
from monai_cardiacgen.inferers.pixel_modulation import compiled_modulate, modulate
from monai_cardiacgen.networks.blocks.spade import fold_spectral_norm
from monai_cardiacgen.networks.nets import SPADEGenerator
from monai_cardiacgen.seeding import seeded

needs_compiler = pytest.mark.skipif(shutil.which("g++") is None, reason="needs a C++ compiler")


def drawn(pixels: int, entries: int, channels: int, dtype: torch.dtype = torch.float32) -> tuple[torch.Tensor, ...]:
    generator = seeded(pixels)
    x = torch.randn(pixels, channels, generator=generator)
    parent = torch.randint(pixels, (2 * pixels,), generator=generator)
    lookup = torch.randint(entries, (2 * pixels,), generator=generator)
    scale, shift = torch.randn(2, entries, channels, generator=generator)
    return x.to(dtype), parent, lookup, scale.to(dtype), shift.to(dtype)


def formula(x, parent, lookup, scale, shift, slope: float) -> torch.Tensor:
    x, parent, lookup, scale, shift = (one.numpy() for one in (x, parent, lookup, scale, shift))
    y = x[parent] * scale[lookup] + shift[lookup]
    return torch.from_numpy(np.maximum(y, slope * y))


@pytest.mark.parametrize("slope", [0.2, 1.0])
def test_pixels_become_what_the_formula_says(slope):
    given = drawn(50, 7, 5)
    out = torch.full((100, 5), torch.nan)
    modulate(*given, torch.tensor(slope), out)
    torch.testing.assert_close(out, formula(*given, slope))


@needs_compiler
@pytest.mark.parametrize(("pixels", "entries", "channels"), [(50, 7, 5), (16, 32, 16), (9, 1, 8), (64, 128, 64)])
def test_one_compiled_kernel_does_for_all_sizes(pixels, entries, channels):
    given = drawn(pixels, entries, channels)
    for slope in (0.2, 1.0):
        out = torch.full((2 * pixels, channels), torch.nan)
        with torch.no_grad():
            compiled_modulate(torch.device("cpu"), torch.float32)(*given, torch.tensor(slope), out)
        torch.testing.assert_close(out, formula(*given, slope))


class Painted(Dataset):
    """Images that a painter makes in whatever process asks."""

    def __init__(self, painter: FastPainter) -> None:
        self.painter = painter

    def __len__(self) -> int:
        return 4

    def __getitem__(self, number: int) -> torch.Tensor:
        label = torch.zeros(1, 16, 16, dtype=torch.int64)
        label[0, 4 : 8 + number, 5:9] = 1
        return self.painter(label, torch.full((1, 3), number / 4))[0]


@needs_compiler
def test_a_compiled_painter_paints_the_same_also_in_worker_processes():
    torch.manual_seed(0)
    network = fold_spectral_norm(SPADEGenerator(2, 2, channels=(8, 8, 4), hidden_channels=4, style_size=3)).eval()
    plain = torch.stack(list(DataLoader(Painted(FastPainter(network)), batch_size=None)))
    painted = Painted(FastPainter(network, compiled=True))
    here = torch.stack(list(DataLoader(painted, batch_size=None)))
    there = torch.stack(list(DataLoader(painted, batch_size=None, num_workers=2, timeout=300)))
    assert float(plain.std()) > 0
    torch.testing.assert_close(here, plain, rtol=0, atol=1e-6)
    torch.testing.assert_close(there, plain, rtol=0, atol=1e-6)
