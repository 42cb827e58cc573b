"""Real and synthetic cases on one map, by UMAP or principal components, and how they cover each other by region."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.cluster.vq import kmeans, vq
from torch.nn import functional as F

from ...checks import check_finite
from ...errors import InputError, ShapeError
from ...metrics import coverage_and_density

MapMethod = Literal["umap", "pca"]

#: Random starts of the k-means; the best is taken.
_STARTS = 20


@dataclass(frozen=True)
class CaseMap:
    """Where cases lie on a map of few dimensions, real and synthetic ones together.

    Attributes:
        real: `(N, dims)` float64.
        synthetic: `(M, dims)` float64.
        method: `"umap"` or `"pca"`.
    """

    real: NDArray[np.float64]
    synthetic: NDArray[np.float64]
    method: MapMethod


@dataclass(frozen=True)
class Region:
    """What lies in one region of a map: the places nearer to its centre than to any other region's.

    Attributes:
        centre: on the map.
        real: number of real cases.
        synthetic: number of synthetic ones.
        coverage: share of its real cases that have a synthetic one near, in [0, 1].
        density: mean over its synthetic cases of how densely real ones lie round them; NaN without any.
    """

    centre: tuple[float, ...]
    real: int
    synthetic: int
    coverage: float
    density: float


@dataclass(frozen=True)
class RegionalCoverage:
    """Coverage and density by region of a map.

    Attributes:
        regions: by falling number of real cases.
        coverage: of all cases.
        density: of all cases.
        expected: coverage that as many cases of the real distribution itself would have.
        region_of_real: number of each real case's region `(N,)`.
        region_of_synthetic: likewise `(M,)`.
    """

    regions: tuple[Region, ...]
    coverage: float
    density: float
    expected: float
    region_of_real: NDArray[np.int64]
    region_of_synthetic: NDArray[np.int64]

    def table(self) -> str:
        """Return the regions as a Markdown table, with all cases in the last line."""
        whole = len(self.region_of_real), len(self.region_of_synthetic)
        lines = ["| region | real | synthetic | coverage | density |", "| --- | --- | --- | --- | --- |"]
        for number, one in enumerate(self.regions, start=1):
            lines.append(f"| {number} | {one.real} | {one.synthetic} | {one.coverage:.2f} | {one.density:.2f} |")
        lines.append(f"| all | {whole[0]} | {whole[1]} | {self.coverage:.2f} | {self.density:.2f} |")
        return "\n".join(lines)


def block_features(images: torch.Tensor, block: int = 8) -> torch.Tensor:
    """Return images, or one-hot label maps, as the means of their blocks: `(B, C, H, W)` to `(B, D)`.

    Raises:
        ShapeError: for other dimensions, or sides that the block does not divide.

    Example:
        >>> block_features(torch.zeros(3, 1, 32, 16)).shape
        torch.Size([3, 8])
    """
    if images.ndim != 4 or any(side % block for side in images.shape[2:]):
        raise ShapeError(f"Expected (B, C, H, W) with sides that {block} divides, got {tuple(images.shape)}.")
    return F.avg_pool2d(images.to(torch.float32), block).flatten(1)


def map_cases(
    real: torch.Tensor,
    synthetic: torch.Tensor,
    method: MapMethod = "umap",
    *,
    dims: int = 2,
    neighbours: int = 15,
    seed: int = 0,
) -> CaseMap:
    """Return real and synthetic cases on one map, laid out for both together.

    UMAP keeps neighbours near each other; distances across its map, and how dense it looks, mean little. Principal
    components keep distances as far as they show them, and have no randomness.

    Args:
        real: features `(N, D)`, for example of `block_features`.
        synthetic: features `(M, D)` of the same kind.
        method: `"umap"` needs the package's extra `umap`; `"pca"` needs nothing.
        dims: of the map.
        neighbours: that UMAP keeps together.
        seed: of UMAP's layout; with the same versions on the same machine it repeats.

    Raises:
        ShapeError: unless both are `(cases, D)` with one D.
        InputError: for an unknown method, one that is not installed, or fewer cases than neighbours or dimensions.
        IntensityError: for features that are not finite.

    Source:
        McInnes, Healy and Melville, "UMAP: Uniform Manifold Approximation and Projection for Dimension Reduction",
        2018, DOI 10.21105/joss.00861.
    """
    if real.ndim != 2 or synthetic.ndim != 2 or real.shape[1] != synthetic.shape[1]:
        raise ShapeError(
            f"Expected features (cases, D) of one D, got {tuple(real.shape)} and {tuple(synthetic.shape)}; see "
            f"block_features."
        )
    if method not in get_args(MapMethod):
        raise InputError(f"Expected one of the methods {get_args(MapMethod)}, got {method!r}.")
    both = torch.cat((real, synthetic)).detach().cpu().to(torch.float64)
    check_finite(both, "the features")
    fewest = neighbours if method == "umap" else dims
    if len(both) <= fewest or both.shape[1] < dims:
        raise InputError(
            f"Expected more than {fewest} cases of at least {dims} features for {method!r}, got {len(both)} of "
            f"{both.shape[1]}; take more cases, or fewer neighbours."
        )
    if method == "pca":
        centred = both - both.mean(dim=0)
        _, _, axes = torch.linalg.svd(centred, full_matrices=False)
        places: Any = (centred @ axes[:dims].T).numpy()
    else:
        places = _laid_out(both.to(torch.float32).numpy(), dims, neighbours, seed)
    places = np.asarray(places, dtype=np.float64)
    return CaseMap(places[: len(real)], places[len(real) :], method)


def coverage_by_region(
    on_map: CaseMap,
    real: torch.Tensor,
    synthetic: torch.Tensor,
    *,
    regions: int = 8,
    k: int = 5,
    seed: int = 0,
) -> RegionalCoverage:
    """Return coverage and density by region of a map; the regions are cells of a k-means of its real cases.

    Which real case is covered is told in the space of the features, not on the map, which is only there to name
    regions: a map may tear apart or put together what the features do not.

    Args:
        on_map: of `map_cases`.
        real: the features `(N, D)` that the map shows.
        synthetic: likewise `(M, D)`.
        regions: how many; fewer where a cell would be empty.
        k: neighbours, see `coverage_and_density`.
        seed: of the k-means.

    Raises:
        ShapeError: when the features are not those of the map.
        InputError: for fewer real cases than regions, or too few for k neighbours.
    """
    if (len(real), len(synthetic)) != (len(on_map.real), len(on_map.synthetic)):
        raise ShapeError(
            f"Expected the features of the map's {len(on_map.real)} real and {len(on_map.synthetic)} synthetic cases, "
            f"got {len(real)} and {len(synthetic)}."
        )
    if not 1 <= regions <= len(real):
        raise InputError(f"Expected from 1 region to as many as there are real cases, {len(real)}, got {regions}.")
    found = coverage_and_density(real, synthetic, k)
    centres, _ = kmeans(on_map.real, regions, iter=_STARTS, seed=np.random.RandomState(seed))
    of_real, of_synthetic = (vq(places, centres)[0].astype(np.int64) for places in (on_map.real, on_map.synthetic))
    order = np.argsort(-np.bincount(of_real, minlength=len(centres)), kind="stable")
    rank = np.argsort(order)
    of_real, of_synthetic, centres = rank[of_real], rank[of_synthetic], centres[order]
    covered, dense = found.covered.cpu().numpy(), found.density_at.cpu().numpy()
    parts = []
    for number, centre in enumerate(centres):
        here, there = of_real == number, of_synthetic == number
        density = float(dense[there].mean()) if there.any() else math.nan
        share = float(covered[here].mean()) if here.any() else math.nan
        parts.append(Region(tuple(centre.tolist()), int(here.sum()), int(there.sum()), share, density))
    n, m = len(real), len(synthetic)
    expected = 1 - math.comb(n - 1, k) / math.comb(n + m - 1, k)
    return RegionalCoverage(tuple(parts), found.coverage, found.density, expected, of_real, of_synthetic)


def _laid_out(features: NDArray[np.float32], dims: int, neighbours: int, seed: int) -> Any:
    threads = torch.get_num_threads()
    try:
        layout = _umap().UMAP(n_components=dims, n_neighbors=neighbours, random_state=seed, n_jobs=1)
        return layout.fit_transform(features)
    finally:
        # Numba, which UMAP runs on, sets OpenMP's number of threads, and that is PyTorch's.
        torch.set_num_threads(threads)


def _umap() -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it warns that a part of it that nobody asked for wants TensorFlow
            import umap
    except ImportError as error:
        raise InputError(
            "Expected the package umap-learn for method 'umap', found none; pip install 'monai_cardiacgen[umap]', or "
            "take method 'pca'."
        ) from error
    return umap


__all__ = [
    "CaseMap",
    "MapMethod",
    "Region",
    "RegionalCoverage",
    "block_features",
    "coverage_by_region",
    "map_cases",
]
