"""Kept gamma and beta against those that are computed for the map at hand."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

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


def test_a_pattern_is_learned_once(norms):
    tables = PatchTables(norms)
    first, second = square(8, 5), square(11, 6)  # a larger square elsewhere has other patches, of the same patterns
    tables.of(first)
    known = len(tables)
    assert known < 60 < len(first.label)
    tables.of(second)
    assert len(tables) == known


def test_what_was_asked_before_does_not_change_a_bit():
    torch.manual_seed(0)
    norm = SpatiallyAdaptiveNorm(2, 96, 4, 64, style_size=0).requires_grad_(False)
    label = torch.randint(4, (1, 24, 24), generator=seeded(1))
    label[:, 8:] = label[:, 8:9]
    patches = distinct_patches(label, 4)
    at_once = PatchTables([norm]).of(patches)[0]
    one_by_one = PatchTables([norm])
    for place in torch.randperm(len(patches.label), generator=seeded(2)).split(7):
        one_by_one.of(replace(patches, label=patches.label[place]))
    assert torch.equal(one_by_one.of(patches)[0], at_once)


def test_threads_share_the_tables(norms):
    tables = PatchTables(norms)
    many = [square(side, at) for side in range(3, 12) for at in range(8)]
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(tables.of, many))
    for patches, (first, _) in zip(many, found, strict=True):
        torch.testing.assert_close(first, norms[0].of_labels(patches))


def test_full_tables_begin_anew(norms, monkeypatch):
    monkeypatch.setattr(patch_tables, "_BYTES", 4 * 9 * (6 + 10) * 90)  # 90 patterns
    tables = PatchTables(norms)
    generator, sizes = seeded(0), []
    for _ in range(8):
        patches = distinct_patches(torch.randint(2, (1, 7, 7), generator=generator), 4)
        for found, norm in zip(tables.of(patches), norms, strict=True):
            torch.testing.assert_close(found, norm.of_labels(patches))
        sizes.append(len(tables))
    assert max(sizes) <= 90
    assert sizes != sorted(sizes)
    many = distinct_patches(torch.randint(4, (1, 20, 20), generator=generator), 4)
    torch.testing.assert_close(tables.of(many)[0], norms[0].of_labels(many))


@pytest.mark.parametrize(("dims", "classes"), [(3, 4), (3, 9), (2, 200)])
def test_volumes_and_many_classes(dims, classes):
    torch.manual_seed(0)
    norm = SpatiallyAdaptiveNorm(dims, 3, classes, 8, style_size=0).requires_grad_(False)
    label = torch.zeros(1, *[12] * dims, dtype=torch.int64)
    label[(slice(None), *[slice(3, 8)] * dims)] = classes - 1
    patches = distinct_patches(label, classes)
    torch.testing.assert_close(PatchTables([norm]).of(patches)[0], norm.of_labels(patches))
