"""Painted and real frames on one map: regions are the same for all sets, and what is left out shows."""

from __future__ import annotations

import pytest
import torch

from benchmarks.echo_umap import coverage_cell, regions_of, regions_table, umap_figure
from monai_cardiacgen.metrics import coverage_and_density

PATIENTS = [f"patient{row // 4}" for row in range(40)]


@pytest.fixture(scope="module")
def features():
    """Two clouds of real frames; training frames from both, each painter's from the first alone."""
    generator = torch.Generator().manual_seed(0)
    clouds = [torch.randn(20, 6, generator=generator) + shift for shift in (0.0, 20.0) for _ in range(2)]
    real, training = torch.cat(clouds[::2]), torch.cat(clouds[1::2])
    return real, {"training": training, "paper": clouds[1].repeat(2, 1) + 0.01, "ours": clouds[1].repeat(2, 1)}


def test_what_is_left_out_shows_in_its_region(features):
    real, others = features
    found = regions_of(real, others, "pca", regions=2)
    assert [len(on_map.synthetic) for on_map, _ in found.values()] == [40, 40, 40]
    for on_map, regions in found.values():
        assert (on_map.real == found["training"][0].real).all()
        assert [one.centre for one in regions.regions] == [one.centre for one in found["training"][1].regions]
    assert min(one.coverage for one in found["training"][1].regions) > 0.5
    assert sorted(one.coverage > 0.5 for one in found["ours"][1].regions) == [False, True]
    assert sorted(one.synthetic for one in found["ours"][1].regions) == [0, 40]


def test_the_table_has_every_region_and_all_frames(features):
    real, others = features
    table = regions_table(regions_of(real, others, "pca", regions=2), real, others, PATIENTS).splitlines()
    assert len(table) == 2 + 2 + 3
    assert len({line.count("|") for line in table}) == 1
    assert "all: far from every real frame" in table[-1]
    assert f"{1 - coverage_and_density(real, others['ours']).precision:.2f}" in table[-1]


def test_coverage_has_an_interval_over_patients(features):
    real, others = features
    compared = coverage_and_density(real, others["ours"])
    cell = coverage_cell(compared, PATIENTS)
    assert cell.startswith(f"{compared.coverage:.2f} (")
    low, high = (float(one) for one in cell.split("(")[1].rstrip(")").split(" to "))
    assert low < compared.coverage < high


def test_the_figure_shows_points_and_has_labels(features):
    axes = umap_figure(regions_of(*features, "pca", regions=2)).axes
    assert not any(axis.images for axis in axes)
    assert [axis.get_title() for axis in axes[:3]] == ["Training", "Paper", "Ours"]
    assert [axis.get_xlabel() for axis in axes[3:]] == ["region"] * 3
    assert all(len(axis.collections[0].get_offsets()) == 40 for axis in axes[:3])
