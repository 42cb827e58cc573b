"""Checks of what callers pass in; each raises one sentence that says expected, got, and the remedy."""

from __future__ import annotations

import operator
from collections.abc import Sequence

import torch

from .errors import InputError, IntensityError, ShapeError, SpacingError


def check_spatial_dims(spatial_dims: int) -> None:
    """Raise `InputError` unless `spatial_dims` is 2 or 3."""
    if spatial_dims not in (2, 3):
        raise InputError(f"Expected spatial_dims 2 or 3, got {spatial_dims!r}.")


def check_batch(tensor: torch.Tensor, channels: int, spatial_dims: int, name: str) -> None:
    """Raise `ShapeError` unless `tensor` is `(B, channels, *spatial)` with `spatial_dims` spatial axes."""
    expected = f"(B, {channels}, {', '.join('HWD'[:spatial_dims])})"
    if tensor.ndim != spatial_dims + 2:
        raise ShapeError(
            f"Expected {name} of shape {expected}, got {tuple(tensor.shape)}; "
            f"add a batch and a channel axis, or choose spatial_dims to fit the data."
        )
    if tensor.shape[1] != channels:
        raise ShapeError(
            f"Expected {channels} channels in {name} {expected}, got {tensor.shape[1]} "
            f"in {tuple(tensor.shape)}; label maps enter networks one-hot in their scheme's order."
        )


def check_divisible(spatial_size: Sequence[int], factor: int, name: str) -> None:
    """Raise `ShapeError` unless each side is a positive multiple of `factor`."""
    if any(side < factor or side % factor for side in spatial_size):
        padded = tuple(max(factor, -(-side // factor) * factor) for side in spatial_size)
        raise ShapeError(
            f"Expected every side of {name} to be a multiple of {factor}, got {tuple(spatial_size)}; "
            f"pad to {padded}, for example with MONAI's DivisiblePad(k={factor})."
        )


def check_spatial_size(spatial_size: Sequence[int], spatial_dims: int) -> tuple[int, ...]:
    """Return a size in pixels as a tuple; raise `ShapeError` unless it has `spatial_dims` positive whole numbers."""
    try:
        sides = tuple(operator.index(side) for side in spatial_size)
    except TypeError:
        sides = ()
    if len(sides) != spatial_dims or min(sides) < 1:
        raise ShapeError(
            f"Expected a positive size of {spatial_dims} whole numbers, got {spatial_size!r}; pass one for each axis."
        )
    return sides


def check_finite(tensor: torch.Tensor, name: str) -> None:
    """Raise `IntensityError` when `tensor` holds NaN or infinity."""
    if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
        bad = int((~torch.isfinite(tensor)).sum())
        raise IntensityError(
            f"Expected finite values in {name}, got {bad} that are NaN or infinite; repair or leave out this case."
        )


def check_spacing(spacing: Sequence[float], spatial_dims: int) -> tuple[float, ...]:
    """Return `spacing` in mm as a tuple; raise `SpacingError` unless it has `spatial_dims` positive values."""
    try:
        values = tuple(float(value) for value in spacing)
    except (TypeError, ValueError):
        raise SpacingError(
            f"Expected {spatial_dims} positive spacings in mm, got {spacing!r}; pass one number for each axis."
        ) from None
    if len(values) != spatial_dims or not all(0 < value < float("inf") for value in values):
        raise SpacingError(
            f"Expected {spatial_dims} positive spacings in mm, got {values}; read them from the image's affine."
        )
    return values
