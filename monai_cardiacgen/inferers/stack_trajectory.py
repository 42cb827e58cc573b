"""A patient as one vector: smooth curves through the latent space, from base to apex, at two phases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from ..errors import InputError

#: Legendre polynomials along the stack; more would follow the noise of single slices.
_DEGREE = 3
#: Keeps the fit of a short stack from swinging; in squared slices.
_RIDGE = 0.05


@dataclass(frozen=True)
class StackTrajectory:
    """Where a patient's hearts lie in the latent space.

    Latents and in-plane offsets follow polynomials of the position along the long axis; between end diastole
    (contraction 0) and end systole (1) they move in a straight line, and so does the length.

    Attributes:
        diastole: `(4, F)` Legendre coefficients of F = L + 2 features, latents joined with offsets in mm.
        systole: likewise.
        lengths: `(2,)`, mm from the most basal to the most apical slice, at end diastole and end systole.
    """

    diastole: torch.Tensor
    systole: torch.Tensor
    lengths: torch.Tensor

    @classmethod
    def fit(
        cls,
        positions: Sequence[torch.Tensor],
        features: Sequence[torch.Tensor],
        lengths: Sequence[float],
    ) -> StackTrajectory:
        """Return the curves nearest to a patient's slices.

        Args:
            positions: of the slices at end diastole and at end systole, `(n,)` each, -1 the most basal, 1 the most
                apical.
            features: their latents joined with offsets, `(n, F)` each.
            lengths: mm between the two ends of each stack.

        Raises:
            InputError: unless both phases have two slices or more.
        """
        if len(positions) != 2 or any(len(one) < 2 for one in positions):
            found = [len(one) for one in positions]
            raise InputError(f"Expected two phases of at least two slices each, got {found}; leave this patient out.")
        curves = []
        for where, values in zip(positions, features, strict=True):
            basis = legendre(where)  # (n, 4)
            penalty = _RIDGE * torch.diag(torch.tensor([0.0, 0.0, 1.0, 1.0], dtype=torch.float64))
            normal = basis.T @ basis + penalty * len(where) + 1e-9 * torch.eye(_DEGREE + 1, dtype=torch.float64)
            curves.append(torch.linalg.solve(normal, basis.T @ values.double()).float())
        return cls(curves[0], curves[1], torch.tensor(list(lengths), dtype=torch.float32))

    def features(self, positions: torch.Tensor, contraction: float) -> torch.Tensor:
        """Return latents joined with offsets `(n, F)` at positions `(n,)` in [-1, 1]."""
        return (legendre(positions) @ torch.lerp(self.diastole, self.systole, contraction).double()).float()

    def length(self, contraction: float) -> float:
        """Return the mm between the two ends of the stack."""
        return float(torch.lerp(self.lengths[0], self.lengths[1], contraction))

    def vector(self) -> torch.Tensor:
        """Return all of it as `(D,)`."""
        return torch.cat((self.diastole.flatten(), self.systole.flatten(), self.lengths))

    @classmethod
    def from_vector(cls, vector: torch.Tensor) -> StackTrajectory:
        """Return the trajectory of `vector` `(D,)`."""
        diastole, systole = vector[:-2].view(2, _DEGREE + 1, -1)
        return cls(diastole, systole, vector[-2:])


def legendre(positions: torch.Tensor) -> torch.Tensor:
    """Return the Legendre polynomials of degree 0 to 3 at positions `(n,)` in [-1, 1], `(n, 4)` float64."""
    return torch.from_numpy(np.polynomial.legendre.legvander(positions.double().numpy(), _DEGREE))
