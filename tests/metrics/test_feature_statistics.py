"""Running statistics against NumPy, over batches, ranks and far from 0; shrinkage against its purpose."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import torch

from monai_cardiacgen.errors import InputError, IntensityError, ShapeError
from monai_cardiacgen.metrics import FeatureStatistics
from monai_cardiacgen.seeding import seeded


def normal(count: int, size: int, seed: int) -> torch.Tensor:
    return torch.randn(count, size, generator=seeded(seed), dtype=torch.float64)


@pytest.mark.parametrize("sizes", [[50], [1] * 50, [0, 20, 1, 29]])
def test_batches_of_any_size_add_up_far_from_0(sizes):
    features = normal(50, 6, 0) @ normal(6, 6, 1) + 1e6
    statistics = FeatureStatistics()
    for batch in features.split(sizes):
        statistics.add(batch)
    assert statistics.count == 50
    np.testing.assert_allclose(statistics.mean, features.numpy().mean(axis=0), rtol=1e-14)
    np.testing.assert_allclose(statistics.covariance(), np.cov(features.numpy(), rowvar=False), rtol=1e-8, atol=1e-9)


def test_merging_is_the_same_in_any_order_and_changes_neither():
    parts = [FeatureStatistics(normal(count, 3, count)) for count in (4, 9, 1)]
    empty = FeatureStatistics()
    one = parts[0].merged(parts[1]).merged(parts[2]).merged(empty)
    other = empty.merged(parts[2]).merged(parts[0].merged(parts[1]))
    assert one.count == other.count == 14
    assert torch.allclose(one.mean, other.mean, atol=1e-15)
    assert torch.allclose(one.scatter, other.scatter, atol=1e-13)
    assert [part.count for part in parts] == [4, 9, 1]


def test_shrinkage_is_the_published_formula():
    features = normal(7, 4, 0) @ normal(4, 4, 1)
    s, n, p = np.cov(features.numpy(), rowvar=False, bias=True), 7, 4
    square, trace = np.trace(s @ s), np.trace(s)
    rho = ((1 - 2 / p) * square + trace**2) / ((n + 1 - 2 / p) * (square - trace**2 / p))
    expected = (1 - min(1, rho)) * s + min(1, rho) * trace / p * np.eye(p)
    np.testing.assert_allclose(FeatureStatistics(features).covariance("shrink"), expected, rtol=1e-10)


def test_shrinkage_comes_nearer_to_the_truth_where_samples_are_few_and_vanishes_where_they_are_many():
    root = torch.diag(torch.linspace(0.5, 1.5, 20, dtype=torch.float64))
    truth = root @ root
    errors = np.array(
        [
            [
                float((estimate - truth).square().sum())
                for estimate in (sample.T.cov(), FeatureStatistics(sample).covariance("shrink"))
            ]
            for sample in (normal(15, 20, seed) @ root for seed in range(30))
        ]
    )
    assert (errors[:, 1] < 0.35 * errors[:, 0]).all()
    many = normal(20_000, 20, 0) @ root
    assert torch.allclose(FeatureStatistics(many).covariance("shrink"), many.T.cov(), atol=0.01)


def test_too_few_and_bad_features_are_refused():
    with pytest.raises(InputError, match="more samples than the 8 features"):
        FeatureStatistics(normal(8, 8, 0)).covariance()
    with pytest.raises(InputError, match="got 1"):
        FeatureStatistics(normal(1, 8, 0)).covariance("shrink")
    with pytest.raises(ShapeError, match=r"\(B, F\)"):
        FeatureStatistics(torch.zeros(2, 3, 4))
    with pytest.raises(ShapeError, match="3 features like before"):
        FeatureStatistics(normal(4, 3, 0)).add(normal(4, 2, 0))
    with pytest.raises(IntensityError, match="features"):
        FeatureStatistics(torch.full((2, 2), torch.inf))


_RANK = """
import sys
import torch
from torch import distributed
from monai_cardiacgen.metrics import FeatureStatistics
distributed.init_process_group("gloo", init_method=sys.argv[1], rank=int(sys.argv[2]), world_size=2)
features = torch.load(sys.argv[3], weights_only=True)
own = (features[:5], features[5:])[int(sys.argv[2])]
whole = FeatureStatistics(own).of_all_ranks()
torch.save((whole.count, whole.mean, whole.scatter), f"{sys.argv[3]}.{sys.argv[2]}")
distributed.destroy_process_group()
"""


def test_ranks_with_unequal_shares_agree_on_the_statistics_of_all(tmp_path):
    features = normal(40, 5, 0) + 1000
    torch.save(features, tmp_path / "features")
    arguments = [f"file://{tmp_path / 'meeting'}", str(tmp_path / "features")]
    ranks = [
        subprocess.Popen([sys.executable, "-c", _RANK, arguments[0], str(rank), arguments[1]], stderr=subprocess.PIPE)
        for rank in range(2)
    ]
    for rank in ranks:
        assert rank.communicate(timeout=120)[1] is not None
        assert rank.returncode == 0
    whole = FeatureStatistics(features)
    found = [torch.load(tmp_path / f"features.{rank}", weights_only=True) for rank in range(2)]
    for count, mean, scatter in found:
        assert count == 40
        assert torch.equal(mean, found[0][1])
        assert torch.equal(scatter, found[0][2])
        assert torch.allclose(mean, whole.mean, rtol=1e-15)
        assert torch.allclose(scatter, whole.scatter, rtol=1e-12, atol=1e-12)
