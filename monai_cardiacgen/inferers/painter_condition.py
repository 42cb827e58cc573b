"""What a conditional painter is told of a label map: what is known of the heart, or what its shape says."""

from __future__ import annotations

import torch

from ..errors import InputError
from .latent_sampler import LatentSampler


def check_conditions(condition_size: int, sampler: LatentSampler) -> None:
    """Raise `InputError` unless a painter is told nothing, or what the sampler's hearts are told."""
    if condition_size not in (0, sampler.vae.condition_size):
        raise InputError(
            f"Expected a generator that is told nothing or, as the shape model, a condition of length "
            f"{sampler.vae.condition_size}, got condition_size {condition_size}; train both with one HeartCondition."
        )


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


__all__ = ["check_conditions", "painter_condition"]
