"""The comparison of optimisers: every way is told the same problem and pays for what it evaluates."""

from __future__ import annotations

import torch

from benchmarks.inpainting import optimisers, vessel_patches
from monai_cardiacgen.seeding import seeded


def test_every_optimiser_pays_for_its_evaluations_and_descends():
    rows = []
    target = torch.tensor([1.0, -2.0, 0.5])

    def objective(latents):
        rows.append(len(latents))
        return (latents - target).square().sum(dim=1)

    start = torch.randn(4, 3, generator=seeded(0))
    for name, way in optimisers(objective, start, 60).items():
        rows.clear()
        trace = way()
        assert len(trace) == 4
        torch.testing.assert_close(trace[:, 0], (start - target).square().sum(dim=1))
        assert trace.nan_to_num(9e9).amin(dim=1).max() < 0.9 * trace[:, 0].max()
        assert sum(rows) <= 4 * 60 + 8 * 25, name  # a line search may go a little beyond
        assert torch.equal(start, torch.randn(4, 3, generator=seeded(0)))


def test_patches_show_a_bright_vessel_inside_the_masked_square():
    patches = vessel_patches(20, seeded(0))
    assert patches.shape == (20, 1, 64, 64)
    assert patches.min() >= 0
    assert patches.max() <= 1
    assert (patches[:, 0, 20:45, 20:45].amax(dim=(1, 2)) > 0.8).all()
    assert (patches[:, 0, :19].amax(dim=(1, 2)) < 0.7).all()
