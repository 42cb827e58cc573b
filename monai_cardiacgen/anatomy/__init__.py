"""Label schemes, where hearts lie, shape measurements and the anatomical verdict on label maps."""

from .check import AnatomyCheck, AnatomyReport, View
from .cine import CineCheck, CineView
from .criterion import Criterion
from .evidence import find_evidence
from .heart_condition import APICAL_CONDITION, HeartCondition
from .labels import BACKGROUND, LabelScheme, Structure
from .placement import centre_heart, heart_centre, place_heart, shift
from .schemes import (
    ACDC,
    ASCENDING_AORTA,
    CAMUS,
    CAMUS_SECTOR,
    LEFT_ATRIUM,
    LV_CAVITY,
    MM_WHS,
    MYOCARDIUM,
    PULMONARY_ARTERY,
    RIGHT_ATRIUM,
    RV_CAVITY,
    SUNNYBROOK,
    ULTRASOUND_SECTOR,
    WHOLE_HEART,
    label_scheme,
    label_scheme_from_yaml,
)
from .stack import StackCheck
from .structure_condition import StructureCondition

__all__ = [
    "ACDC",
    "APICAL_CONDITION",
    "ASCENDING_AORTA",
    "BACKGROUND",
    "CAMUS",
    "CAMUS_SECTOR",
    "LEFT_ATRIUM",
    "LV_CAVITY",
    "MM_WHS",
    "MYOCARDIUM",
    "PULMONARY_ARTERY",
    "RIGHT_ATRIUM",
    "RV_CAVITY",
    "SUNNYBROOK",
    "ULTRASOUND_SECTOR",
    "WHOLE_HEART",
    "AnatomyCheck",
    "AnatomyReport",
    "CineCheck",
    "CineView",
    "Criterion",
    "HeartCondition",
    "LabelScheme",
    "StackCheck",
    "Structure",
    "StructureCondition",
    "View",
    "centre_heart",
    "find_evidence",
    "heart_centre",
    "label_scheme",
    "label_scheme_from_yaml",
    "place_heart",
    "shift",
]
