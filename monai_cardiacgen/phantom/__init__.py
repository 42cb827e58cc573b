"""Hearts without data: procedural patients, imaged and written as public datasets are."""

from .anatomy import GROUPS, Heart, draw_heart
from .apical_heart import ApicalHeart
from .apical_patient import draw_apical_heart
from .bssfp import bssfp_signal
from .cine_mr import CineMR
from .echo import ApicalEcho
from .scanner import Scanner, draw_scanner
from .stack import Stack, draw_stack, draw_turn
from .write import write_acdc_phantom
from .write_camus import write_camus_phantom

__all__ = [
    "GROUPS",
    "ApicalEcho",
    "ApicalHeart",
    "CineMR",
    "Heart",
    "Scanner",
    "Stack",
    "bssfp_signal",
    "draw_apical_heart",
    "draw_heart",
    "draw_scanner",
    "draw_stack",
    "draw_turn",
    "write_acdc_phantom",
    "write_camus_phantom",
]
