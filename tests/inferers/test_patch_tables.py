"""Kept gamma and beta against those that are computed for the map at hand."""

from __future__ import annotations

import pytest
import torch

from monai_cardiacgen.inferers import patch_tables
from monai_cardiacgen.inferers.patch_tables import PatchTables
from monai_cardiacgen.networks.blocks.label_patches import distinct_patches
from monai_cardiacgen.networks.blocks.spade import SpatiallyAdaptiveNorm
from monai_cardiacgen.seeding import seeded


@pytest.fixture
def norms() -> list[SpatiallyAdaptiveNorm]:
    torch.manual_seed(0)
    return [SpatiallyAdaptiveNorm(2, features, 4, 8, style_size=0).requires_grad_(False) for features in (3, 5)]


def square(side: int, at: int):
    label = torch.zeros(1, 32, 32, dtype=torch.int64)
    label[:, at : at + side, at : at + side] = 2
    return distinct_patches(label, 4)


def test_known_and_new_patches_get_their_own_gamma_and_beta(norms):
    tables = PatchTables(norms)
    for side, at in ((8, 5), (8, 5), (9, 7), (3, 0)):
        patches = square(side, at)
        for found, norm in zip(tables.of(patches), norms, strict=True):
            torch.testing.assert_close(found, norm.of_labels(patches))


def test_a_patch_is_computed_once(norms, monkeypatch):
    computed = []
    of_labels = SpatiallyAdaptiveNorm.of_labels
    monkeypatch.setattr(
        SpatiallyAdaptiveNorm, "of_labels", lambda self, one: computed.append(len(one.label)) or of_labels(self, one)
    )
    tables = PatchTables(norms)
    first, second = square(8, 5), square(8, 6)  # the same square elsewhere has no other patches
    tables.of(first)
    tables.of(second)
    assert computed == [len(first.label)] * 2
    assert len(tables) == len(first.label)


def test_full_tables_begin_anew(norms, monkeypatch):
    monkeypatch.setattr(patch_tables, "_BYTES", 4 * (6 + 10) * 70)  # 70 patches
    tables = PatchTables(norms)
    generator = seeded(0)
    for _ in range(8):
        patches = distinct_patches(torch.randint(2, (1, 7, 7), generator=generator), 4)
        for found, norm in zip(tables.of(patches), norms, strict=True):
            torch.testing.assert_close(found, norm.of_labels(patches))
        assert len(tables) <= 70
    many = distinct_patches(torch.randint(4, (1, 20, 20), generator=generator), 4)
    assert len(many.label) > 70
    torch.testing.assert_close(tables.of(many)[0], norms[0].of_labels(many))
