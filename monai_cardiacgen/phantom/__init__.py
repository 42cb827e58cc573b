"""Hearts without data: procedural patients, imaged and written as public datasets are."""

from .anatomy import GROUPS, Heart, draw_heart
from .bssfp import bssfp_signal
from .cine_mr import CineMR
from .scanner import Scanner, draw_scanner
from .stack import Stack, draw_stack, draw_turn
from .write import write_acdc_phantom

__all__ = [
    "GROUPS",
    "CineMR",
    "Heart",
    "Scanner",
    "Stack",
    "bssfp_signal",
    "draw_heart",
    "draw_scanner",
    "draw_stack",
    "draw_turn",
    "write_acdc_phantom",
]
