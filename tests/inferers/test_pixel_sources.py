"""Every pixel is made of its own parent and its own table entry, however few values there are."""

from __future__ import annotations

import pytest
import torch

from monai_cardiacgen.inferers import pixel_sources as room
from monai_cardiacgen.inferers.pixel_sources import parents_of, pixel_sources
from monai_cardiacgen.seeding import seeded


@pytest.mark.parametrize("size", [(8, 6), (4, 6, 2)])
def test_parents_are_those_of_nearest_neighbour_enlargement(size):
    half = [side // 2 for side in size]
    small = torch.arange(2.0 * torch.Size(half).numel()).view(2, 1, *half)
    enlarged = torch.nn.functional.interpolate(small, scale_factor=2)
    assert parents_of(2, size, torch.device("cpu")).tolist() == enlarged.flatten().tolist()


@pytest.mark.parametrize("size", [(16, 12), (8, 8, 6)])
@pytest.mark.parametrize(("share", "fewer"), [(0.0, True), (0.02, True), (0.5, False)])
def test_values_are_the_pixels_parents_and_entries(monkeypatch, size, share, fewer):
    monkeypatch.setattr(room, "_FEWEST", 0)
    lookup = torch.zeros(2, *size, dtype=torch.int64)
    lookup[:, size[0] // 2 :] = 1
    others = torch.rand(lookup.shape, generator=seeded(0)) < share
    lookup[others] = torch.randint(2, 9, (int(others.sum()),), generator=seeded(1))
    parent = parents_of(2, size, torch.device("cpu"))
    sources = pixel_sources(lookup, parent)
    value = torch.arange(lookup.numel()) if sources.value is None else sources.value
    assert torch.equal(sources.parent[value], parent)
    assert torch.equal(sources.lookup[value], lookup.flatten())
    assert (len(sources.lookup) <= lookup.numel() // 2) is fewer
