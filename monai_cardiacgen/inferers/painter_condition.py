"""What a conditional painter is told of a label map: what is known of the heart, or what its shape says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch

from ..anatomy.heart_condition import HeartCondition
from ..errors import InputError, ShapeError
from .latent_sampler import LatentSampler

#: Conditions of hearts: vectors `(B, K)`, one vector `(K,)` for all, or categories in words, for all or one a heart.
Conditions = torch.Tensor | Mapping[str, str] | Sequence[Mapping[str, str]]


def check_conditions(
    condition_size: int, sampler: LatentSampler, heart_condition: HeartCondition | None = None
) -> None:
    """Raise `InputError` unless a painter is told nothing, or what the sampler's hearts are told: that condition."""
    if condition_size not in (0, sampler.vae.condition_size):
        raise InputError(
            f"Expected a generator that is told nothing or, as the shape model, a condition of length "
            f"{sampler.vae.condition_size}, got condition_size {condition_size}; train both with one HeartCondition."
        )
    if heart_condition is not None and heart_condition.size != sampler.vae.condition_size:
        raise InputError(
            f"Expected categories of the shape model's conditions of length {sampler.vae.condition_size}, got "
            f"{dict(heart_condition.categories)}; pass the HeartCondition that it was trained with, or none."
        )


def told_conditions(
    size: int, heart_condition: HeartCondition | None, condition: Conditions | None, n: int
) -> torch.Tensor | None:
    """Return conditions as vectors, one a heart `(n, size)`; None where none is given.

    Args:
        size: length of the vectors; 0 where hearts have no condition.
        heart_condition: the categories that make a vector; None where words are not known.
        condition: see `Conditions`.
        n: number of hearts.

    Raises:
        InputError: for unknown words, or words where nobody said what they stand for.
        ShapeError: for vectors of another length, not one a heart, or of hearts that have none.
    """
    if condition is None:
        return None
    if not isinstance(condition, torch.Tensor):
        if size and heart_condition is None:
            raise InputError(
                f"Expected conditions as vectors (B, {size}), for this synthesizer does not say what they stand for, "
                f"got {condition!r}; encode them with the HeartCondition that it was trained with."
            )
        some = [condition] * n if isinstance(condition, Mapping) else list(condition)
        condition = torch.zeros(len(some), 0) if heart_condition is None else heart_condition.encode(some)
    rows = condition.expand(n, -1) if condition.ndim == 1 else condition
    if not size or rows.shape != (n, size):
        raise ShapeError(
            f"Expected a condition of length {size} for each of {n} hearts, got {tuple(rows.shape)}; "
            + ("pass one for all, or one a heart." if size else "this synthesizer has none, so leave it out.")
        )
    return rows


def painter_condition(
    condition_size: int, sampler: LatentSampler, label: torch.Tensor, condition: torch.Tensor | None
) -> torch.Tensor | None:
    """Return the conditions `(B, K)` under which label maps are to be painted; None for a painter without.

    A map whose condition is not given gets the one under which the shape model renders it best, and one without a
    heart the mean of the training hearts' conditions.

    Args:
        condition_size: the painter's.
        sampler: with the shape model and its training hearts.
        label: `(B, *spatial)`, codes of the sampler's scheme.
        condition: `(B, K)` where it is known.
    """
    if not condition_size:
        return None
    if condition is not None:
        return condition.to(sampler.conditions)
    told = sampler.conditions.mean(dim=0).repeat(len(label), 1)
    has_heart = (label > 0).flatten(1).any(dim=1).to(told.device)
    likeliest = sampler.likeliest_condition(label[has_heart.to(label.device)]) if bool(has_heart.any()) else None
    if likeliest is not None:
        told[has_heart] = likeliest
    return told


__all__ = ["Conditions", "check_conditions", "painter_condition", "told_conditions"]
