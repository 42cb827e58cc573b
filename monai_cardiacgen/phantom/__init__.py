"""Hearts without data: procedural patients, imaged and written as public datasets are."""

from .anatomy import GROUPS, Heart, draw_heart
from .apical_heart import ApicalHeart
from .apical_patient import draw_apical_heart
from .bssfp import bssfp_signal
from .cine_mr import CineMR
from .cine_patient import draw_cine_patient
from .ct import ct_image, draw_ct_scan
from .echo import ApicalEcho
from .scanner import Scanner, draw_scanner
from .stack import Stack, draw_stack, draw_turn
from .volume_grid import VolumeGrid, axial_grid
from .whole_heart import WHOLE_HEART_GROUPS, WholeHeart, draw_whole_heart
from .whole_heart_mr import draw_whole_heart_mr_scan, whole_heart_mr_image
from .whole_heart_patient import WholeHeartPatient, draw_whole_heart_patient
from .write import write_acdc_phantom
from .write_camus import write_camus_phantom
from .write_mmwhs import whole_heart_phantom, write_mmwhs_phantom

__all__ = [
    "GROUPS",
    "WHOLE_HEART_GROUPS",
    "ApicalEcho",
    "ApicalHeart",
    "CineMR",
    "Heart",
    "Scanner",
    "Stack",
    "VolumeGrid",
    "WholeHeart",
    "WholeHeartPatient",
    "axial_grid",
    "bssfp_signal",
    "ct_image",
    "draw_apical_heart",
    "draw_cine_patient",
    "draw_ct_scan",
    "draw_heart",
    "draw_scanner",
    "draw_stack",
    "draw_turn",
    "draw_whole_heart",
    "draw_whole_heart_mr_scan",
    "draw_whole_heart_patient",
    "whole_heart_mr_image",
    "whole_heart_phantom",
    "write_acdc_phantom",
    "write_camus_phantom",
    "write_mmwhs_phantom",
]
