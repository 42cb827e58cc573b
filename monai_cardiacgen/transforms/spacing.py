"""The spacing of samples, as their `MetaTensor`s tell it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from monai.data import MetaTensor

from ..checks import check_spacing
from ..errors import SpacingError

_SHEAR = 1e-2  # cosine between two axes of the grid above which they are not at right angles


def told_spacings(tensor: Any, rows: int, spatial_dims: int) -> list[tuple[float, ...] | None]:
    """Return each row's spacing in mm along the first `spatial_dims` axes, None where nobody told it.

    A plain tensor tells nothing. Nor does the identity affine without an `original_affine`: MONAI gives it to
    every tensor whose spacing it does not know.

    Args:
        tensor: one sample `(C, *spatial)` or a collated batch `(B, C, *spatial)`.
        rows: 1, or B.
        spatial_dims: of the spacing that is wanted.

    Raises:
        SpacingError: when the affine is sheared, or of fewer axes.

    Example:
        >>> from monai.data import MetaTensor
        >>> affine = torch.diag(torch.tensor([2.0, 3.0, 8.0, 1.0]))
        >>> told_spacings(MetaTensor(torch.zeros(1, 8, 8), affine=affine), 1, 2)
        [(2.0, 3.0)]
    """
    if not isinstance(tensor, MetaTensor):
        return [None] * rows
    affines = torch.as_tensor(tensor.affine, dtype=torch.float64, device="cpu")
    if affines.ndim == 2:
        affines = affines.expand(rows, *affines.shape)
    known = "original_affine" in tensor.meta
    return [_spacing(affine, spatial_dims, known) for affine in affines]


def resolve_spacing(
    told: Sequence[tuple[float, ...] | None], given: tuple[float, ...] | None, spatial_dims: int
) -> torch.Tensor:
    """Return `(B, spatial_dims)` spacings in mm, float64: the `given` one, else what each row tells.

    Raises:
        SpacingError: when neither says it.
    """
    if given is None and any(spacing is None for spacing in told):
        raise SpacingError(
            "Expected samples that tell their spacing in mm (MetaTensors with an affine, as LoadImage "
            "returns them), got a plain tensor or MONAI's default identity affine; pass `spacing=` to the "
            "transform."
        )
    rows = [given or spacing for spacing in told]
    return torch.tensor(rows, dtype=torch.float64).reshape(len(rows), spatial_dims)


def check_field_of_view(
    sample_size: Sequence[int],
    spacing: torch.Tensor,
    model_size: Sequence[int],
    model_spacing: Sequence[float],
) -> None:
    """Raise `SpacingError` when a sample of `spacing` `(B, dims)` shows more than the model does.

    One pixel of the model is tolerated; the sample's border is then repeated.
    """
    for row in spacing.tolist():
        sample = [side * step for side, step in zip(sample_size, row, strict=True)]
        model = [side * step for side, step in zip(model_size, model_spacing, strict=True)]
        if any(a > b + step for a, b, step in zip(sample, model, model_spacing, strict=True)):
            raise SpacingError(
                f"Expected a field of view of at most {_by(model)} mm, the synthesizer's, got {_by(sample)} "
                f"mm; crop the samples to at most {_by(model)} mm, or use mode 'vary', which keeps the "
                f"surroundings."
            )


def _spacing(affine: torch.Tensor, spatial_dims: int, known: bool) -> tuple[float, ...] | None:
    """Return the lengths of the grid's first steps, or None for an identity that nobody set."""
    rank = len(affine) - 1
    if not known and torch.equal(affine, torch.eye(rank + 1, dtype=affine.dtype)):
        return None
    steps = affine[:rank, : min(rank, spatial_dims)]  # one column a step along an axis, in mm
    spacing = check_spacing(steps.norm(dim=0).tolist(), spatial_dims)
    directions = steps / steps.norm(dim=0)
    cosines = directions.T @ directions - torch.eye(spatial_dims, dtype=affine.dtype)
    if float(cosines.abs().max()) > _SHEAR:
        raise SpacingError(
            f"Expected a grid with axes at right angles, got the affine {affine.tolist()}; "
            f"resample the samples first, for example with MONAI's Spacingd."
        )
    return spacing


def _by(lengths: Sequence[float]) -> str:
    """Return lengths as `"120.0 x 90.0"`."""
    return " x ".join(f"{length:.1f}" for length in lengths)
