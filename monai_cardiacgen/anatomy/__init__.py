"""Label schemes, where hearts lie, shape measurements and the anatomical verdict on label maps."""

from .check import AnatomyCheck, AnatomyReport
from .criterion import Criterion
from .labels import ACDC, BACKGROUND, LV_CAVITY, MYOCARDIUM, RV_CAVITY, LabelScheme, Structure, label_scheme
from .placement import centre_heart, heart_centre, place_heart, shift

__all__ = [
    "ACDC",
    "BACKGROUND",
    "LV_CAVITY",
    "MYOCARDIUM",
    "RV_CAVITY",
    "AnatomyCheck",
    "AnatomyReport",
    "Criterion",
    "LabelScheme",
    "Structure",
    "centre_heart",
    "heart_centre",
    "label_scheme",
    "place_heart",
    "shift",
]
