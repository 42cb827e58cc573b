"""Draw a patient on a scanner: heart, chest, stack and protocol together."""

from __future__ import annotations

import torch

from .anatomy import draw_heart
from .cine_mr import CineMR
from .scanner import draw_scanner
from .stack import draw_stack, draw_turn


def draw_cine_patient(group: str, generator: torch.Generator) -> CineMR:
    """Draw a phantom patient, ready to be imaged by cine MR at any contraction.

    Args:
        group: one of `GROUPS`.
        generator: a CPU generator; images of the patient draw their noise from it, too.

    Raises:
        InputError: when the group is none of ACDC's.

    Example:
        >>> import torch
        >>> patient = draw_cine_patient("NOR", torch.Generator().manual_seed(0))
        >>> image, label = patient.image(contraction=1.0)  # end systole
        >>> image.shape == label.shape == patient.stack.size
        True
    """
    turn = draw_turn(generator)
    heart = draw_heart(group, turn, generator)
    stack = draw_stack(heart.length + heart.apical_wall, turn, generator)
    return CineMR(heart, stack, draw_scanner(generator), generator)


__all__ = ["draw_cine_patient"]
