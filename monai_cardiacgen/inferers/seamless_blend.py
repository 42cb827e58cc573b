"""Poisson blending: a source's gradients inside a region, the image's values round it."""

from __future__ import annotations

import numpy as np
import torch
from scipy import sparse
from scipy.sparse.linalg import splu

from ..errors import InputError, ShapeError


def seamless_blend(image: torch.Tensor, sources: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    r"""Put sources into a region of an image without a seam.

    Inside the region $\Omega$ the result $f$ keeps the gradient of the source $s$, on its rim it meets the image
    $y$:

    $$\min_f \int_\Omega |\nabla f - \nabla s|^2, \quad f = y \text{ on } \partial\Omega$$

    so that $h = f - s$ solves Laplace's equation with the values $y - s$ on the rim; at the border of the image,
    where nothing is known beyond it, $h$ has no slope. One factorisation serves all sources and channels. The result
    may leave the range of both by the height of the steps that it removes.

    Args:
        image: `(C, *spatial)`, any spatial dimensions.
        sources: `(N, C, *spatial)`.
        mask: bool `(*spatial)`, True where the source's gradients shall be; some but not all of it.

    Returns:
        `(N, C, *spatial)` of the sources' dtype and device; outside the mask, the image's own values.

    Raises:
        ShapeError: when the shapes do not fit.
        InputError: when the mask is not of bool, is empty or covers all.

    Example:
        >>> image = torch.arange(36.0).reshape(1, 6, 6)
        >>> mask = torch.zeros(6, 6, dtype=torch.bool)
        >>> mask[2:4, 2:5] = True
        >>> blended = seamless_blend(image, image[None] + 7, mask)  # the same gradients, 7 brighter
        >>> bool(torch.allclose(blended[0], image, atol=1e-4))
        True

    Source:
        Pérez et al., Poisson image editing, SIGGRAPH 2003, DOI 10.1145/1201775.882269.
    """
    if image.shape != sources.shape[1:] or image.shape[1:] != mask.shape:
        raise ShapeError(
            f"Expected image (C, *spatial), sources (N, C, *spatial) and mask (*spatial), got {tuple(image.shape)}, "
            f"{tuple(sources.shape)} and {tuple(mask.shape)}."
        )
    if mask.dtype != torch.bool or not bool(mask.any()) or bool(mask.all()):
        raise InputError(
            "Expected a bool mask that is True somewhere but not everywhere; nothing joins them otherwise."
        )
    inside = mask.cpu().numpy()
    kept = torch.where(mask, sources, image.to(sources))
    step = (image.to(sources) - sources).detach().to("cpu", torch.float64).numpy()
    membrane = _membrane(inside, step.reshape(-1, inside.size))
    result = kept.clone()
    height = torch.from_numpy(membrane.reshape(*sources.shape[:2], -1)).to(sources)
    result[..., mask] = kept[..., mask] + height
    return result


def _membrane(inside: np.ndarray, step: np.ndarray) -> np.ndarray:
    """Solve Laplace's equation inside; `step` `(K, pixels)` is used where it touches the region from outside.

    Returns:
        `(K, pixels inside)`, in the order of the pixels.
    """
    pixels = np.arange(inside.size).reshape(inside.shape)
    number = np.cumsum(inside.ravel()) - 1
    unknowns = int(inside.sum())
    degree, rim = np.zeros(unknowns), np.zeros((unknowns, len(step)))
    rows, columns = [], []
    for axis in range(inside.ndim):
        low = np.take(pixels, range(inside.shape[axis] - 1), axis).ravel()
        high = np.take(pixels, range(1, inside.shape[axis]), axis).ravel()
        for here, there in ((low, high), (high, low)):
            chosen = inside.ravel()[here]
            here, there = here[chosen], there[chosen]
            np.add.at(degree, number[here], 1)
            joined = inside.ravel()[there]
            rows.append(number[here[joined]])
            columns.append(number[there[joined]])
            np.add.at(rim, number[here[~joined]], step[:, there[~joined]].T)
    row, column = np.concatenate(rows), np.concatenate(columns)
    neighbours = sparse.coo_matrix((np.ones(len(row)), (row, column)), shape=(unknowns, unknowns))
    laplacian = sparse.diags(degree) - neighbours
    return np.asarray(splu(laplacian.tocsc(), permc_spec="MMD_AT_PLUS_A").solve(rim)).T
