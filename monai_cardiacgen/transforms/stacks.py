"""Samples to slices and back: a stack is made slice by slice, with one seed."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from ..errors import InputError
from ..types import Mode
from .choice import SynthChoice
from .modes import Made, Slices, make_new, make_restyled, make_varied
from .protocol import Synthesizer


def make(
    synthesizer: Synthesizer,
    image: torch.Tensor,
    label: torch.Tensor,
    spacing: torch.Tensor,
    choices: Sequence[SynthChoice],
) -> Made:
    """Return what becomes of samples.

    Args:
        synthesizer: makes slices, or whole volumes if its grid has three axes.
        image: `(B, 1, *spatial)` in [0, 1]; with one axis more than the synthesizer's grid, these are stacks.
        label: channel numbers `(B, *spatial)`.
        spacing: mm along the synthesizer's axes, `(B, dims)`.
        choices: one a sample.

    Returns:
        The model's pixels mixed with the real ones by their weight, on the samples' grid.

    Raises:
        InputError: when a stack should be made of new hearts.
    """
    stacks = label.ndim - 1 > len(synthesizer.spatial_size)
    depth = label.shape[-1] if stacks else 1
    if stacks:
        image, label = image.movedim(-1, 1).flatten(0, 1), label.movedim(-1, 1).flatten(0, 1)
    made = Made(image.clone(), label.clone(), torch.zeros_like(image))
    for mode, strength in dict.fromkeys((choice.mode, choice.strength) for choice in choices):
        rows = [row for row, choice in enumerate(choices) if (choice.mode, choice.strength) == (mode, strength)]
        at = [row * depth + number for row in rows for number in range(depth)]
        seeds = tuple(choices[row].seed for row in rows for _ in range(depth))
        told = [choices[row].condition for row in rows for _ in range(depth)]
        known = tuple(one for one in told if one is not None)
        steps = spacing[rows].repeat_interleave(depth, dim=0)
        slices = Slices(image[at], label[at], steps, seeds, depth, known if len(known) == len(told) else None)
        new = _make_slices(synthesizer, slices, mode, strength)
        made.image[at] = image[at] * (1 - new.weight) + new.image * new.weight
        made.label[at], made.weight[at] = new.label, new.weight
    if not stacks:
        return made
    parts = (made.image, made.label, made.weight)
    return Made(*(part.unflatten(0, (-1, depth)).movedim(1, -1) for part in parts))


def _make_slices(synthesizer: Synthesizer, slices: Slices, mode: Mode, strength: float) -> Made:
    if mode == "vary":
        return make_varied(synthesizer, slices, strength)
    if mode == "restyle":
        return make_restyled(synthesizer, slices)
    if slices.depth > 1:
        raise InputError(
            f"Expected 2D samples for mode 'new', got stacks of {slices.depth} slices: hearts drawn slice "
            f"by slice do not fit together; use mode 'vary' or 'restyle', or take slices first."
        )
    return make_new(synthesizer, slices)
