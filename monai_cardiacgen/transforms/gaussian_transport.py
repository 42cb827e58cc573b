"""The map that turns one cloud of points into another, each seen as a normal distribution, at least cost."""

from __future__ import annotations

import torch

from ..errors import InputError

#: Directions in which points vary less than this share of the target's variance do not vary.
_FLAT = 1e-9


class GaussianTransport:
    r"""The optimal transport from the normal distribution of some points to that of others.

    $$T(x) = \mu_t + A (x - \mu_s), \quad A = \Sigma_s^{-1/2} (\Sigma_s^{1/2} \Sigma_t \Sigma_s^{1/2})^{1/2}
    \Sigma_s^{-1/2}$$

    is, of all maps that give means and covariances of the target, the one that moves points least, in units of the
    target's standard deviations. Other than a matching of two samples, it holds for points that come later too, keeps
    neighbours, and gives a point its image alone, whatever comes beside it.

    Args:
        source: `(N, D)`, at least D + 1 points.
        target: `(M, D)`, likewise.

    Raises:
        InputError: for too few points, points that are not finite, or two numbers of dimensions.

    Example:
        >>> source, target = torch.tensor([[-1.0], [1.0]]), torch.tensor([[3.0], [5.0], [7.0]])
        >>> GaussianTransport(source, target)(torch.tensor([[0.0]])).tolist()
        [[5.0]]

    Source:
        Peyré and Cuturi, "Computational optimal transport", 2019, remark 2.31, DOI 10.1561/2200000073.
    """

    def __init__(self, source: torch.Tensor, target: torch.Tensor) -> None:
        for name, points in (("source", source), ("target", target)):
            enough = points.ndim == 2 and points.shape[1] == target.shape[-1] and len(points) > points.shape[1]
            if not enough or not bool(torch.isfinite(points).all()):
                raise InputError(
                    f"Expected more finite points than they have dimensions as {name}, got {tuple(points.shape)}; fit "
                    f"the transport to more cases, of as many dimensions on both sides."
                )
        source, target = source.to("cpu", torch.float64), target.to("cpu", torch.float64)
        deviation = target.std(dim=0)
        unit = torch.where(deviation > 0, deviation, 1.0)
        root, inverse_root = _roots(torch.cov((source / unit).T).reshape(len(unit), -1))
        middle, _ = _roots(root @ torch.cov((target / unit).T).reshape(len(unit), -1) @ root)
        self.source_mean = source.mean(dim=0)
        self.target_mean = target.mean(dim=0)
        self.matrix = unit[:, None] * (inverse_root @ middle @ inverse_root) / unit

    def __call__(self, points: torch.Tensor) -> torch.Tensor:
        """Return where points `(B, D)` go, float64; a row depends on its own point only."""
        moved = [self.matrix @ (point - self.source_mean) for point in points.to("cpu", torch.float64)]
        return self.target_mean + torch.stack(moved)


def _roots(covariance: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the square root of a symmetric matrix, and the inverse of that (0 in directions without variance)."""
    values, vectors = torch.linalg.eigh(covariance)
    values = values.clamp_min(0).sqrt()
    inverse = torch.where(values > _FLAT**0.5, 1 / values, 0.0)
    return vectors * values @ vectors.T, vectors * inverse @ vectors.T
